// @ts-check
// Single keys as shortcuts. They keep out of the way of whoever is typing, and can be switched off in the
// help sheet (they get in the way of speech input).

const STORED = 'raftarium.keys';

export const keysOn = () => read() !== 'off';

/** @param {boolean} on */
export function setKeys(on) {
  try {
    localStorage.setItem(STORED, on ? 'on' : 'off');
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
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
 * @param {Record<string, () => void>} actions by key; letters in lower case
 * @param {(server: number) => void} onServer a digit
 */
export function listenForKeys(actions, onServer) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !keysOn()) return;
    if (document.querySelector('dialog[open]')) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest('input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]')) return;
    if (event.key === ' ' && target.closest('button, a, input, summary')) return;
    if (/^[1-9]$/.test(event.key)) {
      if (!event.repeat) onServer(Number(event.key));
      return;
    }
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
