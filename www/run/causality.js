// @ts-check
// What a moment may depend on, and what may depend on it, by Lamport's happened-before: time passes
// along a lane, and every message that arrived leads from its sender to its receiver.

/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */
/**
 * The past and the future of a moment. For each lane: up to when it belongs to the past, and from
 * when on to the future. And the messages by which it does.
 * @typedef {{ past: Map<number, number>, future: Map<number, number>, messages: Set<number> }}
 * Cones
 */

/**
 * Whether a message was received.
 * @param {MessageView} message
 * @param {number} known up to when it is known what happened
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
