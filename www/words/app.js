// @ts-check
// What the page around a run says: transport, jumps, command line, hints, what is broken.

/** @typedef {import('../../web/view.d.ts').MessageKind} MessageKind */
/** @typedef {Omit<import('../../web/view.d.ts').ViolationView, 'about'>} ViolationView */

import { seconds } from './common.js';

/** The legend under the ring, and in the help dialog. */
export const legend = /** @type {[MessageKind, string][]} */ ([
  ['append', '[entries]'],
  ['heartbeat', '[heartbeat]'],
  ['request-vote', '[vote]'],
  ['request', '[client]'],
]);

export const legendAnswer = 'answer';

export const legendLost = 'lost';

/** @param {number} speed */
export function speedWords(speed) {
  if (speed >= 1) return `${speed < 9.95 ? +speed.toFixed(1) : Math.round(speed)}×`;
  const part = 1 / speed;
  return `1/${part < 9.95 ? +part.toFixed(1) : part < 99.5 ? Math.round(part) : Math.round(part / 10) * 10}×`;
}

/** @param {number} speed */
export const speedSpoken = (speed) => `${speedWords(speed).replace('×', '')} of real time`;

export const play = 'Play';

export const pause = 'Pause';

export const step = 'Step';

export const stepTitle = 'Play one event';

export const stepBack = 'One event back';

export const stepBackTitle = 'Go back one event';

/** Jumping from moment to moment. */
export const jumps = {
  title: 'Jump to:',
  kinds: {
    notable: 'anything notable',
    election: 'election',
    commit: 'commit',
    crash: 'crash',
    cut: 'cut or heal',
    membership: 'membership',
    violation: 'violation',
  },
  /** @param {string} kind */
  back: (kind) => `Previous: ${kind}`,
  /** @param {string} kind */
  on: (kind) => `Next: ${kind}`,
  /** @param {string} kind @param {number} time */
  arrived: (kind, time) => `${kind}, at ${seconds(time)}`,
  /** @param {string} kind @param {boolean} forward @param {number} time */
  none: (kind, forward, time) =>
    `Nothing to jump to (${kind}) ${forward ? `from here to ${seconds(time)}` : 'before this'}.`,
};

export const sentWhilePaused = 'Sent. The run is paused: press Play to go on.';

export const sentWaiting = 'Sent, waiting for the answer.';

export const commandForms = 'put k v · get k · delete k · cas k old new';

// New run
export const start = 'Start';

/** Presenter mode. */
export const present = {
  next: 'Next notable moment',
  previous: 'Previous notable moment',
  leave: 'Leave presenter mode',
  keys: 'Page Up and Page Down (← →) go from moment to moment, ↑ ↓ by one event, Space plays, L shows logs, Q the quorum, C stops at commits, B blanks the screen, Escape leaves.',
  /**
   * What it can show besides, and what the buttons for it say.
   * @type {Record<'reading' | 'quorum' | 'commits', [string, string]>}
   */
  shows: {
    reading: ['Logs', 'Logs and panels beside the ring (L)'],
    quorum: ['Quorum', 'Who answers, and whether writes commit (Q)'],
    commits: ['Stop at commits', 'Pause whenever something is committed (C)'],
  },
};

/** What a first visit meets. */
export const door = {
  title: 'Break it, and see how it mends',
  says:
    'Five servers keep the same data and agree on it, even when some of them crash or can’t hear each other: that is ' +
    'Raft, and this is a real cluster, alive in your browser.',
  learn: /** @type {const} */ (['Learn', 'Short lessons, from the very beginning']),
  explore: /** @type {const} */ (['Explore', 'All instruments, and a cluster that is yours']),
};

// Help
/**
 * What single keys do, in the order of the help dialog. app.js has an action for each, which the
 * type checker holds.
 */
export const shortcuts = {
  ' ': 'play or pause',
  '.': 'play one event',
  ',': 'go back one event',
  '[': 'jump back',
  ']': 'jump forward',
  j: 'choose what to jump to',
  z: 'zoom the tape in',
  x: 'zoom the tape out',
  w: 'show the whole run on the tape',
  b: 'branches',
  u: 'bring back the branch deleted last',
  '+': 'faster',
  '-': 'slower',
  '1 … 9': 'crash or restart that server',
  '/': 'to the command line',
  p: 'cut the network',
  h: 'heal the network',
  n: 'new run',
  l: 'lessons',
  s: 'share: link, file, picture',
  f: 'presenter mode',
  t: 'light, dark, or as the system',
  '?': 'this list',
};

/** @param {ViolationView} violation */
export const violationTitle = ({ property, time }) => `${property} is broken at ${seconds(time)}.`;

/** @param {ViolationView} violation */
export const violationText = ({ first, second }) => `${first[0].toUpperCase()}${first.slice(1)}, but ${second}.`;

/** Playing into what breaks. */
export const approach = {
  /** @param {string} property @param {number} time */
  plays: (property, time) =>
    `Played slowly into the moment at which ${property} breaks, ${seconds(time)}. Space pauses.`,
  /** @param {string} property @param {number} time */
  title: (property, time) => `${property} breaks at ${seconds(time)}.`,
  still: 'You asked for less motion, so nothing plays by itself: play, or go on event by event with the . key.',
  play: 'Play slowly into it',
  again: 'Watch the last second',
};

export const whatItMeans = 'What it means';

export const runIsOver = 'A violation has ended this run: go back and do something before it, or start another run.';
