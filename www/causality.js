// @ts-check
// What led to a moment of a lane, and what it may have led to: along lanes, and with every message
// that arrived (Lamport's happened-before).

/** @typedef {import('../web/view.d.ts').MessageView} MessageView */
/**
 * For each lane up to when it is in the past, from when on in the future; and the messages that tie
 * them.
 * @typedef {{ past: Map<number, number>, future: Map<number, number>, messages: Set<number> }}
 * Cones
 */

/**
 * Whether a message was received.
 * @param {MessageView} message
 * @param {number} known up to when things are known
 */
export const arrived = ({ lost, held, arrives }, known) => !lost && !held && arrives <= known;

/**
 * @param {MessageView[]} messages @param {number} known
 * @param {{ lane: number, time: number }} from where the past ends
 * @param {{ lane: number, time: number }} [to] where the future begins, if elsewhere
 * @returns {Cones}
 */
export function conesOf(messages, known, from, to = from) {
  const received = messages.filter((message) => arrived(message, known));
  /** @type {Cones} */
  const cones = { past: new Map([[from.lane, from.time]]), future: new Map([[to.lane, to.time]]), messages: new Set() };
  for (const { id, from: sender, to: receiver, sent, arrives } of [...received].sort((a, b) => b.arrives - a.arrives)) {
    if (arrives > (cones.past.get(receiver) ?? -1)) continue;
    cones.messages.add(id);
    cones.past.set(sender, Math.max(sent, cones.past.get(sender) ?? -1));
  }
  for (const { id, from: sender, to: receiver, sent, arrives } of [...received].sort((a, b) => a.sent - b.sent)) {
    if (sent < (cones.future.get(sender) ?? Infinity)) continue;
    cones.messages.add(id);
    cones.future.set(receiver, Math.min(arrives, cones.future.get(receiver) ?? Infinity));
  }
  return cones;
}
