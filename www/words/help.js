// @ts-check
// What the page says in one of its parts, which comes with that part: the sheet of keys and signs.

/** @typedef {import('../../web/view.d.ts').Role} Role */
/** @typedef {import('../../web/view.d.ts').MessageKind} MessageKind */
/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */

import { present } from './app.js';
import { clients, spacetime } from './common.js';

export const helpTitle = 'Keys and signs';
/** On a touch screen. */
export const helpTitleTouch = 'Gestures and signs';
export const helpKeys = 'Keys';
export const helpGestures = 'Gestures';
export const helpGestureWords = [
  ['Tap', 'a server, a line or a message: its menu opens'],
  ['Press long', 'where the stage is empty: the menu of the whole cluster'],
  ['Draw', 'across lines: they are cut; across the whole ring: the network splits'],
  ['Drag', 'along the tape: go to any moment'],
  ['Two fingers', 'on the tape or a diagram: zoom'],
  ['Swipe', 'the handle of the logs and diagrams: open or close them'],
];
/** @param {string} key */
export const keyName = (key) => (key === ' ' ? 'Space' : key === '-' ? '−' : key.toUpperCase());
/** The keys of parts of the page that have their own. */
export const helpElsewhere = [
  ['Space-time diagram.', spacetime.keys],
  ['Clients’ intervals.', clients.keys],
  ['Presenter mode.', present.keys],
];
export const helpSingleKeys = 'Single keys work as shortcuts';
export const helpRoles = 'Servers';
export const helpRoleWords = /** @type {[Role, string][]} */ ([
  ['follower', 'listens; stands for election when its arc runs out'],
  ['pre-candidate', 'asks whether it would be elected, before it stands for election'],
  ['candidate', 'asks the others for their votes'],
  ['leader', 'takes the writes and copies them to the others'],
  ['learner', 'gets all entries, and has no vote'],
  ['crashed', 'keeps only what was on its disk'],
]);
/** @type {['paused' | 'clock' | 'muted' | 'deaf' | ServerView['disk'], string][]} */
export const helpMarks = [
  ['paused', 'is paused'],
  ['clock', 'its clock is wrong, fast, slow or stopped'],
  ['slow', 'its disk is slow'],
  ['full', 'its disk is full'],
  ['stalled', 'its disk hangs'],
  ['damaged', 'its disk has lost entries'],
  ['muted', 'nobody hears it'],
  ['deaf', 'it hears nobody'],
];
/** @type {[import('../../web/view.d.ts').Ballot, string][]} */
export const helpVotes = [
  ['granted', 'a vote it has'],
  ['waiting', 'a vote that may come'],
  ['refused', 'a vote that was refused'],
];
export const helpTerms =
  'Colour and number inside a server are its term. Its arc is the time left until an election. A server that is not ' +
  'a member is faint.';
/** The marks in the logs, by their kind in the panel. */
export const helpLogs = [
  ['entry committed', '[committed]: it will never be lost'],
  ['entry', 'in the log, and not committed yet'],
  ['entry volatile', 'not on the server’s [disk] yet'],
  ['entry conflict', 'differs from the leader’s at this place'],
  ['applied', '[applied]: the store has executed all entries over the line'],
  ['mark match', '[match]: up to here the leader knows the log to be the same as its own'],
  ['mark next', '[next]: what the leader sends next'],
  ['snapshot', 'a [snapshot], in place of the entries up to there'],
];
export const helpWords = 'Words';
/** The signs on the tape, by the kind of moment. */
export const helpTape = [
  ['election', 'a server is elected'],
  ['campaign', 'a server stands for election'],
  ['crash', 'a server crashes'],
  ['restart', 'a server restarts'],
  ['cut', 'links are cut'],
  ['heal', 'links are healed'],
  ['membership', 'the membership changes'],
  ['violation', 'a property is violated'],
  ['disk', 'a disk, a clock, the network, or a pause'],
];
export const helpTapeBands =
  'Bands are terms, as high as the tape while somebody leads. Ticks at their foot: long, a client’s write; short, a ' +
  'commit.';
export const helpMessages = 'Messages';
export const helpMessageWords = /** @type {[MessageKind, string][]} */ ([
  ['append', 'entries to copy, and how many'],
  ['heartbeat', 'heartbeat: the leader is alive'],
  ['append-answer', 'answer to either: yes or no'],
  ['request-vote', 'asks for a vote'],
  ['vote', 'the vote: given or refused'],
  ['pre-vote', 'asks whether a vote would be given'],
  ['snapshot', 'a snapshot, in place of old entries'],
  ['timeout-now', 'tells it to stand for election now'],
  ['read-index', 'asks what is committed, for a read'],
  ['request', 'a client’s request'],
  ['answer', 'the answer to a client'],
]);
export const helpBreak =
  'Press a server, a line or a message for its menu; draw across lines to cut them. A message that is struck through ' +
  'is lost.';
export const paper =
  'The sections (§) are those of “In Search of an Understandable Consensus Algorithm”, Ongaro and Ousterhout, 2014.';
