// @ts-check
// A word in passing: what was done or can't be done. It goes by itself, and is told to a screen
// reader.

import { byId, make, setText } from './dom.js';

/** How long it stays, in ms: longer for longer sentences. */
const staysFor = (/** @type {string} */ words) => 2500 + 45 * words.length;

let leaving = 0;

/**
 * With something to be done about it, it stays as long, in ms; and as long as somebody is there.
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
    box.append(' ', make('button', { onclick: () => (box.classList.remove('shown'), act()) }, name));
  }
  box.classList.add('shown');
  const leave = () => {
    if (action && box.matches(':hover, :focus-within')) leaving = setTimeout(leave, 1_000);
    else box.classList.remove('shown');
  };
  clearTimeout(leaving);
  leaving = setTimeout(leave, action ? WAITS : staysFor(words));
}
