// @ts-check
// Three hints for a first visit, one after the other, at the edge of the page and only once.

import { byId, make, setText } from '../kit/dom.js';
import * as strings from '../words/app.js';

const STORED = 'raftarium.hints';

/** @typedef {import('../../web/view.d.ts').Frame} Frame */

/** Shows the hints one after the other. A hint whose deed has been done isn't shown any more. */
export class Hints {
  #words = make('span');
  #count = make('small');
  #box = make(
    'aside',
    { class: 'hint-card', 'aria-label': strings.hints.name },
    this.#count,
    this.#words,
    make('button', { onclick: () => this.done(this.#at) }, strings.hints.next),
    make('button', { class: 'icon', 'aria-label': strings.hints.close, onclick: () => this.#leave() }, '×'),
  );
  #at = 0;
  /** The hints that have been followed or put away. @type {Set<number>} */ #done = new Set();
  #cuts = Infinity;
  /** Menus and the help dialog tell by themselves that they have been opened. */
  #watch = new MutationObserver(() => {
    if (document.querySelector('.menu')) this.done(0);
    if (document.querySelector('#help-dialog[open]')) this.done(2);
  });

  constructor() {
    this.#watch.observe(byId('page', HTMLElement), { childList: true });
    this.#watch.observe(byId('help-dialog', HTMLElement), { attributeFilter: ['open'] });
    this.#show();
    byId('seed', HTMLElement).parentElement?.before(this.#box);
  }

  reset() {
    this.#cuts = Infinity;
  }

  /** @param {Frame} frame */
  update({ cuts }) {
    if (cuts.length > this.#cuts) this.done(1);
    this.#cuts = cuts.length;
  }

  /** A hint has been followed, or put away. @param {number} number */
  done(number) {
    if (this.#done.has(number)) return;
    this.#done.add(number);
    while (this.#done.has(this.#at)) this.#at++;
    if (this.#at < strings.hints.all.length) this.#show();
    else this.#leave();
  }

  #show() {
    const { all } = strings.hints;
    const [words, byTouch = words] = all[this.#at];
    setText(this.#words, matchMedia('(pointer: coarse)').matches ? byTouch : words);
    setText(this.#count, `${this.#at + 1}/${all.length}`);
  }

  #leave() {
    this.#watch.disconnect();
    this.#box.replaceWith(make('div', { class: 'hint-room' }));
  }
}

/** The hints, unless they have been seen or there is no room for them. */
export function firstHints() {
  return new URLSearchParams(location.search).has('embed') || seen() ? null : new Hints();
}

/** Whether the hints were shown in this browser before; from now on they were. */
function seen() {
  try {
    const before = localStorage.getItem(STORED);
    localStorage.setItem(STORED, 'seen');
    return before !== null;
  } catch {
    // Where nothing can be stored, they would be shown each time: rather never.
    return true;
  }
}
