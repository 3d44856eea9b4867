// @ts-check
// A word in passing: what was done or can't be done. It goes by itself, and is told to a screen reader.

import { byId, setText } from './dom.js';

/** How long it stays, in ms: longer for longer sentences. */
const staysFor = (/** @type {string} */ words) => 2500 + 45 * words.length;

let leaving = 0;

/** @param {string} words */
export function toast(words) {
  const box = byId('toast', HTMLElement);
  setText(box, words);
  box.classList.add('shown');
  clearTimeout(leaving);
  leaving = setTimeout(() => box.classList.remove('shown'), staysFor(words));
}
