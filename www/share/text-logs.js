// @ts-check
// What happened in a run, as text for other programs: the trace, and the log for ShiViz (both in
// docs/formats.md). They are made from a copy of the run, which is played from its beginning.

/** @typedef {import('../pkg/raft_web.js').Run} Run */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */
/** @typedef {import('../../web/view.d.ts').StoryLine} StoryLine */

import { arrived } from '../run/causality.js';
import { unpacked } from '../run/messages.js';
import { shiviz as words, violationText, violationTitle } from '../words/strings.js';

/**
 * How much is played at a time, in micros: so little that nothing is forgotten before it is read.
 */
const STRETCH = 50_000;
/** The most lines that are read of a stretch; it has fewer. */
const LINES = 4_096;

/**
 * Every piece of news up to a moment.
 * @param {Run} run
 * @param {number} until
 * @returns {StoryLine[]}
 */
function newsOf(run, until) {
  /** @type {StoryLine[]} */
  const all = [];
  run.seek(0);
  for (let time = 0; ; time = Math.min(until, time + STRETCH)) {
    run.advanceTo(time);
    for (const line of run.story(all.at(-1)?.number ?? 0, LINES)) all.push(line);
    if (time === until) return all;
  }
}

/** An event a line. @param {Run} run a copy @param {number} until */
export const traceOf = (run, until) =>
  newsOf(run, until)
    .map(({ time, server, kind, weight, text, section }) => {
      const who = server ? `S${server}` : undefined;
      return `${JSON.stringify({ time, server: who, kind, weight, text, section: section || undefined })}\n`;
    })
    .join('');

/** What was found in the run, to stand last. @param {import('../run/scenario.js').Found} found */
export const lastLine = (found) => {
  const { time, property, first, second } = found;
  const text = `${violationTitle(found)} ${first && violationText(found)}`.trim();
  return `${JSON.stringify({ time, kind: 'found', weight: 'turning', text, what: property, first, second })}\n`;
};

/**
 * The log for ShiViz: what servers send and receive, and the turning points, with vector clocks.
 * @param {Run} run a copy @param {number} until
 */
export function shivizOf(run, until) {
  const turning = newsOf(run, until).filter(({ server, weight }) => server && weight === 'turning');
  /** What was last known of each message. @type {Map<number, MessageView>} */
  const messages = new Map();
  for (let time = 0; time <= until; time += STRETCH) {
    for (const message of unpacked(run.traffic(time, Math.min(until, time + STRETCH))).messages) {
      if (message.from > 0 && message.to > 0) messages.set(message.id, message);
    }
  }
  // The order within one instant: what arrives, turning points, what is sent. What arrives in the
  // instant in which it was sent comes after that.
  /**
   * @type {{ time: number, order: number, host: number, text: string, sends?: number, receives?:
   * number }[]}
   */
  const events = [];
  /** The first sent at each time. @type {Map<number, number>} */
  const first = new Map();
  for (const { id, sent, from, to, kind, term, lost, arrives, ...rest } of messages.values()) {
    const what = words.message(kind, term);
    if (!(first.get(sent) ?? Infinity < id)) first.set(sent, id);
    events.push({ time: sent, order: id, host: from, text: words.sends(what, to, lost > 0), sends: id });
    if (!arrived({ id, sent, from, to, kind, term, lost, arrives, ...rest }, until)) continue;
    events.push({ time: arrives, order: id + 0.5, host: to, text: words.receives(what, from), receives: id });
  }
  for (const { time, server, text } of turning) {
    events.push({ time, order: (first.get(time) ?? Infinity) - 0.25, host: server, text });
  }
  events.sort((a, b) => a.time - b.time || (a.order === b.order ? 0 : a.order - b.order));
  return withClocks(events);
}

/**
 * @param {{ time: number, host: number, text: string, sends?: number, receives?: number }[]} events
 * in order
 */
function withClocks(events) {
  /** The vector clock of each server. @type {number[][]} */
  const clocks = [];
  /** The vector clock that each message was sent with. @type {Map<number, number[]>} */
  const sent = new Map();
  return events
    .map(({ time, host, text, sends, receives }) => {
      const clock = (clocks[host] ??= []);
      sent.get(receives ?? 0)?.forEach((count, of) => (clock[of] = Math.max(clock[of] ?? 0, count)));
      clock[host] = (clock[host] ?? 0) + 1;
      if (sends) sent.set(sends, clock.slice());
      const known = clock.flatMap((count, of) => (count ? [`"S${of}":${count}`] : []));
      return `S${host} {${known.join(',')}}\n${words.line(time, text)}\n`;
    })
    .join('');
}
