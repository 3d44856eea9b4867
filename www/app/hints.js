// @ts-check
// Three hints for a first visit, one after the other, at the edge of the page and only once.

import { byId, make, setText } from '../kit/dom.js';
import { hints as words } from '../words/hints.js';

/** @typedef {import('../../web/view.d.ts').Frame} Frame */

/** Shows the hints one after the other. A hint whose deed has been done isn't shown any more. */
export class Hints {
  #words = make('span');
  #count = make('small');
  #box = make(
    'aside',
    { class: 'hint-card', 'aria-label': words.name },
    this.#count,
    this.#words,
    make('button', { onclick: () => this.done(this.#at) }, words.next),
    make('button', { class: 'icon', 'aria-label': words.close, onclick: () => this.#leave() }, '×'),
  );
  #at = 0;
  /** The hints that have been followed or put away. @type {Set<number>} */ #done = new Set();
  #cuts = Infinity;
  /** Menus and the help dialog tell by themselves that they have been opened. */
  #watch = new MutationObserver(() => {
    if (document.querySelector('.menu')) this.done(0);
    if (document.querySelector('#help-dialog[open]')) this.done(2);
  });

  /** @param {Element} room where they stand */
  constructor(room) {
    this.#watch.observe(byId('page', HTMLElement), { childList: true });
    this.#watch.observe(byId('help-dialog', HTMLElement), { attributeFilter: ['open'] });
    this.#show();
    room.replaceWith(this.#box);
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
    if (this.#at < words.all.length) this.#show();
    else this.#leave();
  }

  #show() {
    const { all } = words;
    const [usual, byTouch = usual] = all[this.#at];
    setText(this.#words, matchMedia('(pointer: coarse)').matches ? byTouch : usual);
    setText(this.#count, `${this.#at + 1}/${all.length}`);
  }

  #leave() {
    this.#watch.disconnect();
    this.#box.replaceWith(make('div', { class: 'hint-room' }));
  }
}
