// @ts-check
// The list of events, newest first: what happened and why.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').StoryLine} StoryLine */
/** @typedef {import('./panel.js').Page} Page */

import { make, setLines, withNames } from '../kit/dom.js';
import { sources } from '../kit/explained.js';
import { frameTime } from '../kit/frame-time.js';
import { buttonsOf, roveFocus } from '../kit/roving-focus.js';
import * as common from '../words/common.js';
import * as eventsWords from '../words/events.js';

const SHOWN = 120;

/** @param {Page} page */
export const panel = (page) => new Events(page);

class Events {
  #list = make('ol', { class: 'lines' });
  #detail = make('input', { type: 'checkbox', id: 'every-detail' });
  #page;
  #listed = '';

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    roveFocus(this.#list);
    this.#list.addEventListener('click', (event) => {
      const line = event.target instanceof Element && event.target.closest('[data-line]')?.getAttribute('data-line');
      if (line) page.goToLine(Number(line));
    });
    this.#detail.addEventListener('change', () => page.state.set({ everyDetail: this.#detail.checked }));
    const filter = make('label', { class: 'filter' }, this.#detail, eventsWords.everyDetail);
    this.dom = make('div', { tabindex: 0 }, filter, this.#list);
  }

  reset() {
    this.#listed = '';
    this.#list.replaceChildren();
  }

  /** @param {Frame} _frame */
  update(_frame) {
    const { story, state } = this.#page;
    const every = state.everyDetail;
    this.#detail.checked = every;
    const wanted = `${story.told} ${story.read} ${every}`;
    if (wanted === this.#listed || !frameTime.has(this)) return;
    this.#listed = wanted;
    const lines = story.lines
      .filter(({ weight }) => every || weight !== 'detail')
      .slice(-SHOWN)
      .reverse();
    if (lines.length) {
      setLines(
        this.#list,
        lines.map((line) => [`${story.told} ${line.number}`, () => item(line)]),
      );
      // One of the buttons is the tab stop of all.
      if (!this.#list.querySelector('[tabindex="0"]')) buttonsOf(this.#list)[0].tabIndex = 0;
    } else this.#list.replaceChildren(make('li', { class: 'empty' }, eventsWords.eventsEmpty));
  }
}

/** @param {StoryLine} line */
function item({ number, weight, time, text, section }) {
  const go = make('button', { class: 'go', title: common.goThere, tabindex: -1 }, ...withNames(text));
  const source = section ? [' ', make('cite', {}, ...sources(section))] : [];
  for (const node of source) if (node instanceof Element) for (const one of buttonsOf(node)) one.tabIndex = -1;
  const says = make('span', {}, go, ...source);
  return make('li', { class: `event ${weight}`, 'data-line': number }, make('time', {}, common.seconds(time)), says);
}
