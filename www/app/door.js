// @ts-check
// What a first visit meets: a cluster that lives, a sentence, and two ways on.

import { byId, make } from '../kit/dom.js';
import { door as words } from '../words/app.js';

/**
 * Opens the door; the function that it returns takes it away.
 * @param {{ learn: () => void, explore: () => void }} ways
 */
export function openDoor({ learn, explore }) {
  const { dataset } = document.documentElement;
  /** @param {readonly [string, string]} words @param {() => void} go @param {string} kind */
  const way = ([name, says], go, kind) =>
    make('button', { class: kind, onclick: go }, make('b', {}, name), make('span', {}, says));
  const box = make(
    'section',
    { id: 'door', 'aria-labelledby': 'door-title' },
    make('h2', { id: 'door-title' }, words.title),
    make('p', {}, words.says),
    way(words.learn, learn, 'primary'),
    way(words.explore, explore, ''),
  );
  byId('logs-panel', HTMLElement).before(box);
  dataset.guided = 'door';
  return () => {
    box.remove();
    if (dataset.guided === 'door') delete dataset.guided;
  };
}
