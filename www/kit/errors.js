// @ts-check
// Shows what went wrong, in a sentence that a person can act on.

import { byId, make } from './dom.js';
import * as strings from '../words/kit.js';

/**
 * @param {{ title: string, text: string, detail?: string }} what
 * @param {[string, () => void][]} actions
 * @param {HTMLElement} [box] where it is shown
 */
export function showTrouble({ title, text, detail }, actions, box = byId('trouble', HTMLElement)) {
  const shown = [
    make('p', { class: 'trouble-title' }, title),
    ...(text ? [make('p', { class: 'trouble-text' }, text)] : []),
    ...(detail ? [make('p', { class: 'trouble-detail' }, detail)] : []),
    make('p', { class: 'trouble-actions' }, ...actions.map(([words, act]) => make('button', { onclick: act }, words))),
  ];
  box.replaceChildren(...shown);
  box.hidden = false;
}

export function hideTrouble() {
  for (const id of ['trouble', 'violation']) byId(id, HTMLElement).hidden = true;
}

/** @type {[string, () => void]} */
export const reloadAction = [strings.reload, () => location.reload()];

/** @param {unknown} error */
export const wordsOf = (error) => (error instanceof Error ? error.message : String(error));

/** What the simulator said before it stopped, if it could. */
export const panicMessage = () => {
  const { raftariumPanic } = /** @type {{ raftariumPanic?: unknown }} */ (globalThis);
  return typeof raftariumPanic === 'string' ? raftariumPanic : '';
};
