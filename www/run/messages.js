// @ts-check
// Messages come from the simulator as rows of numbers, and become objects here. There may be
// hundreds in every frame, and to make them objects in WebAssembly would cost too much.

/** @typedef {import('../../web/view.d.ts').MessageKind} MessageKind */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */

import { signs } from '../pkg/tables.js';

const FIELDS = 11;

/** The kinds of messages, by their numbers. */
const KINDS = /** @type {MessageKind[]} */ (signs);

/**
 * A view whose messages are objects.
 * @template {{ messages: Float64Array }} P
 * @param {P} packed
 * @returns {Omit<P, 'messages'> & { messages: MessageView[] }}
 */
export function unpacked(packed) {
  const { messages: row } = packed;
  /** @type {MessageView[]} */
  const messages = [];
  for (let i = 0; i < row.length; i += FIELDS) {
    messages.push({
      id: row[i],
      kind: KINDS[row[i + 1]],
      from: row[i + 2],
      to: row[i + 3],
      term: row[i + 4],
      sent: row[i + 5],
      arrives: row[i + 6],
      lost: row[i + 7],
      held: row[i + 8],
      entries: row[i + 9],
      success: row[i + 10] === 1,
    });
  }
  return Object.assign(packed, /** @type {any} */ ({ messages }));
}
