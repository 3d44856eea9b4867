// @ts-check
// Three hints for a first visit, one after the other, at the edge of the page and only once.

import { byId, make, setText } from '../kit/dom.js';
import * as strings from '../words/strings.js';

const STORED = 'raftarium.hints';

/** Shows the hints, unless they have been seen or there is no room for them. */
export function giveHints() {
  if (new URLSearchParams(location.search).has('embed') || seen()) return;
  let at = 0;
  const words = make('span');
  const count = make('small');
  const box = make(
    'aside',
    { class: 'hint-card', 'aria-label': strings.hints.name },
    count,
    words,
    make('button', { onclick: () => show(at + 1) }, strings.hints.next),
    make('button', { class: 'icon', 'aria-label': strings.hints.close, onclick: () => box.remove() }, '×'),
  );
  /** @param {number} number */
  const show = (number) => {
    at = number;
    const { all } = strings.hints;
    if (at >= all.length) {
      box.remove();
      return;
    }
    setText(words, all[at]);
    setText(count, `${at + 1}/${all.length}`);
  };
  show(0);
  byId('seed', HTMLElement).parentElement?.before(box);
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
