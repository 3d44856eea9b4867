// @ts-check
// What the stage says: servers, links, messages.

/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */

import { diskWords, seconds, server, stateWords } from './common.js';

/** @param {ServerView} server */
export const serverTitle = (server) => `S${server.id}, ${stateWords(server)}`;

/** What is wrong with a server's clock and disk. @param {ServerView} server */
function troubles({ clockRate, clockAhead, disk }) {
  const parts = [];
  if (clockRate !== 1e6) parts.push(clockRate ? `clock at ${clockRate / 1e4} %` : 'clock stopped');
  else if (Math.abs(clockAhead) > 1e3)
    parts.push(`clock ${seconds(Math.abs(clockAhead))} ${clockAhead > 0 ? 'ahead' : 'behind'}`);
  if (disk !== 'normal') parts.push(`disk ${diskWords[disk]}`);
  return parts;
}

/**
 * Whether links are cut so that nobody hears a server, or it hears nobody.
 * @param {{ muted: boolean, deaf: boolean }} hearing
 */
export function hearingWords({ muted, deaf }) {
  if (muted && deaf) return ['cut off'];
  return muted ? ['muted'] : deaf ? ['deaf'] : [];
}

/** @param {ServerView} server */
export function serverLabel(server) {
  const { role: is, term: t, votes, lastIndex, commitIndex, votedFor } = server;
  if (is === 'crashed') return [serverTitle(server), ...troubles(server)].join(', ');
  const parts = [serverTitle(server), `term ${t}`];
  if (votes.length) parts.push(`${votes.filter((v) => v === 'granted').length} of ${votes.length} votes`);
  else if (is === 'follower' && votedFor) parts.push(`voted for S${votedFor}`);
  parts.push(lastIndex ? `${commitIndex} of ${lastIndex} entries committed` : 'empty log', ...troubles(server));
  return parts.join(', ');
}

/** @param {number} a @param {number} b */
export const linkName = (a, b) => `Link S${a}–S${b}`;

/** @param {number} a @param {number} b */
export const direction = (a, b) => `S${a} → S${b}`;

/**
 * @param {number} a
 * @param {number} b
 * @param {boolean} there whether a→b is cut
 * @param {boolean} back
 */
export function linkLabel(a, b, there, back) {
  if (there && back) return `${linkName(a, b)}, cut`;
  if (there) return `${linkName(a, b)}, cut from S${a} to S${b}`;
  if (back) return `${linkName(a, b)}, cut from S${b} to S${a}`;
  return `${linkName(a, b)}, open`;
}

/** @param {MessageView} message @returns {[string, string][]} */
export function messageTimes({ sent, arrives, lost, held }) {
  const end = lost ? ['is lost at', lost] : held ? ['held since', held] : ['arrives at', arrives];
  return [
    ['sent at', seconds(sent)],
    [String(end[0]), seconds(Number(end[1]))],
  ];
}

/** What a stroke does. @param {[number, number][]} cut @param {number[] | null} sides */
export function strokeWords(cut, sides) {
  if (sides) {
    const groups = [...new Set(sides)].map((side) =>
      sides.flatMap((of, i) => (of === side ? [`S${i + 1}`] : [])).join(' '),
    );
    return `Splits the network: ${groups.join('  |  ')}`;
  }
  return cut.length ? `Cuts ${cut.map(([a, b]) => `S${a}–S${b}`).join(', ')}` : 'Draw across lines to cut them.';
}

/** What a step did, or undid. */
export const stepped = {
  /** @param {string} what */
  undone: (what) => `Undone: ${what}`,
  /** @param {string} message */
  arrived: (message) => `${message}: arrived.`,
  /** @param {string} message @param {number} more */
  sent: (message, more) => `${message}: sent${more ? `, and ${more} more` : ''}.`,
  /** @param {string} message */
  lost: (message) => `${message}: lost.`,
  /** @param {number} server */
  written: (server) => `S${server}’s disk finished a write.`,
  /** @param {number} server */
  writing: (server) => `S${server}’s disk began a write.`,
  nothing: 'A timer or a client was looked after; nothing that shows has changed.',
  beginning: 'This is the beginning: there is nothing to undo.',
  end: 'Nothing more happens: the run is over.',
};

export const waitingForFirst = 'The cluster starts: nobody leads yet.';

// Network
export const side = 'Side';

/** What the quorum meter says while rules are switched off. @param {string} follows */
export const byTheRules = (follows) => `${follows}, by the rules`;
