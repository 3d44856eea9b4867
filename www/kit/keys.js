// @ts-check
// Single keys as shortcuts. They do nothing while somebody types, and can be switched off in the
// help dialog, because speech input may press them by mistake.

const STORED = 'raftarium.keys';

export const keysOn = () => read() !== 'off';

/** @param {boolean} on */
export function setKeys(on) {
  try {
    localStorage.setItem(STORED, on ? 'on' : 'off');
  } catch {
    // Where nothing can be stored, the choice lasts as long as the page.
  }
  chosen = on ? 'on' : 'off';
}

/** @type {string | null} */
let chosen = null;

function read() {
  if (chosen !== null) return chosen;
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

/**
 * Keys that do what another does: = is the plus key without shift.
 * @type {Record<string, string>}
 */
const SAME = { '=': '+' };

/**
 * Calls the action of the key that was pressed. There is one for every key that the help dialog
 * lists, and it gets the key.
 * @typedef {typeof import('../words/app.js').shortcuts} Shortcuts
 * @param {Record<keyof Shortcuts, (key: string) => void>} actions
 * letters in lower case
 */
export function listenForKeys(actions) {
  /** @type {Map<string, (key: string) => void>} */
  const known = new Map(Object.entries(actions));
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !keysOn()) return;
    if (document.querySelector('dialog[open]')) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest('input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]')) return;
    if (event.key === ' ' && target.closest('button, a, input, summary')) return;
    const digit = /^[1-9]$/.test(event.key);
    const key = event.key.toLowerCase();
    const action = known.get(digit ? '1 … 9' : (SAME[key] ?? key));
    if (!action || (digit && event.repeat)) return;
    event.preventDefault();
    action(key);
  });
}

/**
 * Calls the action of a key in a part of the page that has keys of its own. Other listeners don't
 * get the key then.
 * @param {KeyboardEvent} event @param {Record<string, () => void>} keys
 */
export function pressKey(event, keys) {
  if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  keys[event.key]();
}
