// @ts-check
// What happened and why: the sentence under the ring, the live region for turning points, and the
// list of events. The lines are read once for all three.

/** @typedef {import('../../web/view.d.ts').StoryLine} StoryLine */
/** @typedef {import('../run/model.js').Model} Model */

import { byId, make, setLines, setText } from '../kit/dom.js';
import { sources } from '../kit/explained.js';
import { frameTime } from '../kit/frame-time.js';
import { buttonsOf, roveFocus } from '../kit/roving-focus.js';
import * as strings from '../words/strings.js';

/** Lines kept for the list. */
const KEPT = 400;
const SHOWN = 120;
/**
 * How long a sentence stays at least while the run plays, in ms: before a turning point may replace
 * it, and before another sentence may.
 */
const DWELL = { turning: 600, lesser: 1800 };
/** The least time between two announcements, in ms. */
const ANNOUNCE_EVERY = 2500;

export class Story {
  #why = byId('why', HTMLElement);
  #live = byId('live', HTMLElement);
  #list = make('ol', { class: 'lines' });
  #detail = make('input', { type: 'checkbox', id: 'every-detail' });
  /** @type {StoryLine[]} */ #lines = [];
  #revision = -1;
  #epoch = 0;
  #read = 0;
  #listed = '';
  /** @type {StoryLine | null} */ #shown = null;
  #shownAt = 0;
  #announcedAt = 0;
  /** @type {StoryLine | null} */ #toAnnounce = null;

  /** @param {{ changed: () => void, goTo: (line: number) => void }} actions */
  constructor({ changed, goTo }) {
    roveFocus(this.#list);
    this.#list.addEventListener('click', (event) => {
      const line = event.target instanceof Element && event.target.closest('[data-line]')?.getAttribute('data-line');
      if (line) goTo(Number(line));
    });
    const filter = make('label', { class: 'filter' }, this.#detail, strings.everyDetail);
    byId('events', HTMLElement).append(filter, this.#list);
    this.#detail.addEventListener('change', changed);
    for (const tab of document.querySelectorAll('[role=tab]')) tab.addEventListener('click', changed);
  }

  reset(epoch = 0) {
    this.#lines = [];
    this.#revision = -1;
    this.#epoch = epoch;
    this.#read = 0;
    this.#listed = '';
    this.#list.replaceChildren();
    this.#shown = null;
    this.#toAnnounce = null;
    this.#say(null);
  }

  /** @param {Model} model @param {boolean} playing */
  update(model, playing) {
    if (model.frame.storyRevision !== this.#revision) {
      // After going back, or on another branch, other lines have these numbers.
      const elsewhere = model.frame.epoch !== this.#epoch;
      if (elsewhere) this.reset(model.frame.epoch);
      this.#revision = model.frame.storyRevision;
      const fresh = model.story(this.#read, KEPT);
      this.#read = fresh.at(-1)?.number ?? this.#read;
      this.#lines = [...this.#lines, ...fresh].slice(-KEPT);
      if (!elsewhere) this.#toAnnounce = fresh.findLast(({ weight }) => weight === 'turning') ?? this.#toAnnounce;
    }
    const clock = performance.now();
    this.#choose(clock, playing);
    this.#announce(clock, playing);
    this.#fillList();
  }

  /**
   * Shows the newest line that is more than a detail. While the run plays, one that was just shown
   * stays long enough to be read.
   * @param {number} clock @param {boolean} playing
   */
  #choose(clock, playing) {
    const newest = this.#lines.findLast(({ weight }) => weight !== 'detail');
    if (!newest || newest.number === this.#shown?.number) return;
    const turning = this.#lines.findLast(({ weight }) => weight === 'turning');
    const unseen = turning && turning.number > (this.#shown?.number ?? 0) ? turning : newest;
    const dwell = unseen.weight === 'turning' ? DWELL.turning : DWELL.lesser;
    if (playing && this.#shown && clock - this.#shownAt < dwell) return;
    const line = playing ? unseen : newest;
    this.#shown = line;
    this.#shownAt = clock;
    this.#say(line);
  }

  /** @param {StoryLine | null} line */
  #say(line) {
    const [time, sentence, section] = this.#why.children;
    setText(time, line ? strings.seconds(line.time) : '');
    sentence.replaceChildren(...(line ? withNames(line.text) : [strings.waitingForFirst]));
    // Somebody may be on it: it stays while it is the same.
    if (section.textContent !== (line?.section ?? '')) section.replaceChildren(...sources(line?.section ?? ''));
  }

  /** @param {number} clock @param {boolean} playing */
  #announce(clock, playing) {
    if (!this.#toAnnounce || (playing && clock - this.#announcedAt < ANNOUNCE_EVERY)) return;
    setText(this.#live, this.#toAnnounce.text);
    this.#toAnnounce = null;
    this.#announcedAt = clock;
  }

  #fillList() {
    if (byId('events', HTMLElement).hidden) return;
    const every = this.#detail.checked;
    const wanted = `${this.#read} ${every}`;
    if (wanted === this.#listed || !frameTime.has(this)) return;
    this.#listed = wanted;
    const lines = this.#lines
      .filter(({ weight }) => every || weight !== 'detail')
      .slice(-SHOWN)
      .reverse();
    if (lines.length) {
      setLines(
        this.#list,
        lines.map((line) => [String(line.number), () => item(line)]),
      );
      // One of the buttons is the tab stop of all.
      if (!this.#list.querySelector('[tabindex="0"]')) buttonsOf(this.#list)[0].tabIndex = 0;
    } else this.#list.replaceChildren(make('li', { class: 'empty' }, strings.eventsEmpty));
  }
}

/** @param {StoryLine} line */
function item({ number, weight, time, text, section }) {
  const go = make('button', { class: 'go', title: strings.goThere, tabindex: -1 }, ...withNames(text));
  const source = section ? [' ', make('cite', {}, ...sources(section))] : [];
  for (const node of source) if (node instanceof Element) for (const one of buttonsOf(node)) one.tabIndex = -1;
  const says = make('span', {}, go, ...source);
  return make('li', { class: `event ${weight}`, 'data-line': number }, make('time', {}, strings.seconds(time)), says);
}

/** A sentence with its servers in bold. @param {string} sentence @returns {(Node | string)[]} */
function withNames(sentence) {
  return sentence.split(/\b(S[1-9]\d?)\b/).map((part, i) => (i % 2 ? make('b', {}, part) : part));
}
