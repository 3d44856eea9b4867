// @ts-check
// A short notice: what was done, or why something can't be done. It disappears by itself, and a
// screen reader reads it out.

import { byId, make, setText } from './dom.js';

/** How long a notice stays, in ms: longer sentences stay longer. */
const staysFor = (/** @type {string} */ words) => 2500 + 45 * words.length;

let leaving = 0;

/** Takes a notice away: something else is to be read now. */
export const hideToast = () => byId('toast', HTMLElement).classList.remove('shown');

/**
 * How long a notice with a button stays, in ms; it also stays while the pointer or the focus is on
 * it.
 */
const WAITS = 9_000;

/**
 * @param {string} words
 * @param {[string, () => void]} [action] what a button beside them says and does
 */
export function toast(words, action) {
  const box = byId('toast', HTMLElement);
  setText(box, words);
  if (action) {
    const [name, act] = action;
    box.append(' ', make('button', { onclick: () => (hideToast(), act()) }, name));
  }
  box.classList.add('shown');
  const leave = () => {
    if (action && box.matches(':hover, :focus-within')) leaving = setTimeout(leave, 1_000);
    else hideToast();
  };
  clearTimeout(leaving);
  leaving = setTimeout(leave, action ? WAITS : staysFor(words));
}
