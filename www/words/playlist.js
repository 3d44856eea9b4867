// @ts-check
// Playlists: moments with notes, in somebody's order.

import { seconds } from './common.js';

export const playlist = {
  title: 'Playlist',
  intro: 'Moments with notes, in your order: a talk, a story, a hand-out. It plays beside the ring, each moment alive.',
  name: 'Its title',
  unnamed: 'A playlist',
  add: 'Add this moment',
  added: 'Added at the end.',
  /** @param {number} number @param {number} time */
  moment: (number, time) => `${number}. at ${seconds(time)}`,
  /** @param {number} number */
  note: (number) => `What is said at moment ${number}: a heading in the first line, then up to three sentences`,
  /** @param {number} number */
  go: (number) => `Go to moment ${number}`,
  goShort: 'Go there',
  /** @param {number} number */
  up: (number) => `Moment ${number} earlier`,
  /** @param {number} number */
  remove: (number) => `Remove moment ${number}`,
  none: 'There is nothing in it yet. Go to a moment that you want to show, and add it.',
  play: 'Play it',
  save: 'Save as a file',
  saved: 'Saved.',
  open: 'Open a file',
  opened: 'Opened. What was here before is gone.',
  clear: 'Empty it',
  /** @param {number} number */
  moments: (number) => `Moment ${number}`,
};

/** What is wrong with a file. */
export const wrong = {
  json: 'it is no JSON',
  form: 'it is no playlist: one begins with {"raftarium-playlist": 1, …',
  version: 'it was made for another version of Raftarium',
  /** @param {number} number */
  moment: (number) => `moment ${number} needs a “run” and a “note”, both texts`,
  empty: 'it has no moments',
  /** @param {number} most */
  tooMany: (most) => `it has more than ${most} moments`,
};
