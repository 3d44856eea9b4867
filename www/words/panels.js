// @ts-check
// What logs and panels say that are there at once.

/** @typedef {import('../../lab/lab.d.ts').VerdictView} VerdictView */
/** @typedef {Omit<import('../../web/view.d.ts').ViolationView, 'about'>} ViolationView */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */

import { guarantees } from './guarantees.js';
import { clientName, messageLabel, notMember, seconds } from './common.js';

/** A message, and what became of it. @param {MessageView} message @param {number} known */
export function messageStory(message, known) {
  const { sent, arrives, lost, held } = message;
  const waits = held ? 'held' : arrives <= known ? `arrived at ${seconds(arrives)}` : 'on its way';
  const end = lost ? `lost at ${seconds(lost)}` : waits;
  return `${messageLabel(message)}. Sent at ${seconds(sent)}, ${end}.`;
}

/**
 * @param {number} lane
 * @param {number} time
 * @param {{ term: number, role: string } | undefined} state
 * @param {string} news
 */
export function laneWords(lane, time, state, news) {
  if (lane < 0) return `${clientName(-lane)} at ${seconds(time)}`;
  if (news) return `${seconds(time)}: ${news}`;
  return `S${lane} at ${seconds(time)}${state ? `: ${state.role}, term ${state.term}` : ''}`;
}

/** What must always hold, and what clients have seen. */
export const safety = {
  title: 'What is checked after every event',
  /** By name: what it says, and where it comes from. @type {Map<string, [string, string]>} */
  guarantees: new Map(guarantees.map(([name, says, source]) => [name, [says, source]])),
  /** @param {string} name @param {string} words @param {string} source */
  lampTitle: (name, words, source) => `${name}: ${words} (${source})`,
  /** @param {string} name @param {boolean} broken */
  lampLabel: (name, broken) => `${name}: ${broken ? 'broken' : 'holds'}`,
  /** @param {number} count @param {string} broken @param {number} off @param {number} [looked] */
  words: (count, broken, off, looked = count) =>
    (broken
      ? `${broken} is broken`
      : looked < count
        ? `the ${looked} of ${count} looked at hold`
        : `all ${count} properties hold`) + (off ? ` · ${off} ${off === 1 ? 'rule' : 'rules'} off` : ''),
  verdict: {
    asked: 'clients: being judged',
    unknown: 'clients: not judged',
    nothing: 'clients: no answer yet',
    linearizable: 'clients: linearizable so far',
    broken: 'clients: not linearizable',
    undecided: 'clients: undecided',
  },
  judging: 'What clients saw is being judged: is it linearizable?',
  /** @param {string} why */
  notJudged: (why) => `What clients saw can’t be judged. ${why}`,
  /** @param {VerdictView} verdict */
  verdictWords: ({ state, answers, first, second }) => {
    if (state === 'broken') return `What clients saw is not linearizable: ${first}, but ${second}.`;
    if (state === 'undecided') {
      return (
        `It is undecided whether what clients saw is linearizable. The log’s order doesn’t explain it: ${first}, ` +
        `but ${second}. Another order may explain it.`
      );
    }
    if (answers === 0) return 'No client has been answered yet: there is nothing to judge.';
    const all = answers === 1 ? 'the one answer' : `all ${answers} answers`;
    if (first) {
      return (
        `What clients saw is linearizable so far, in another order than the log’s, which doesn’t explain this: ` +
        `${first}, but ${second}.`
      );
    }
    return `What clients saw is linearizable so far: the log’s order explains ${all}, and agrees with real time.`;
  },
  /** @param {ViolationView} violation */
  violated: ({ property, time }) => `${property} is broken at ${seconds(time)}:`,
  /** @param {string} words */
  inGeneral: (words) => `In general: ${words}`,
  /** Of the lamp of a property that this run doesn't look at. @param {string} name */
  passedOver: (name) => `${name}: not looked at in this run`,
  onlyHarm:
    'This run goes on past broken promises, to show what comes of them: it looks only at the properties whose lamps are on.',
  /** @param {string} fact */
  but: (fact) => `but ${fact}.`,
  rulesOff: 'Switched off in this run',
};

// The logs
/** Hides servers that aren't members. @param {number[]} servers */
export const hideServers = (servers) =>
  `hide ${servers.map((id) => `S${id}`).join(', ')} (${servers.length > 1 ? 'not members' : notMember})`;

export const logsEmpty = 'No entries yet: a leader writes the first.';

export const snapshot = 'snapshot';

/** @param {number} index @param {number} t */
export const snapshotUpTo = (index, t) => `Snapshot of everything up to ${index}@${t}`;

/**
 * @param {number} index
 * @param {number} t
 * @param {string} words
 * @param {boolean} committed
 * @param {boolean} applied
 */
export const entryTitle = (index, t, words, committed, applied) =>
  `${index}@${t}  ${words}  (${applied ? 'applied' : committed ? 'committed' : 'not committed'})`;

export const lacks = 'lacks it';

/** @param {number} index */
export const lacksTitle = (index) => `This log has no entry ${index}`;

export const toEnd = 'To the end';

export const followEnd = 'Follow the end again';

// The stores
export const key = 'key';

export const absent = '–';

/** A part of the page is on its way, or couldn't be had. */
export const loading = 'Loading …';

export const tryAgain = 'Try again';
