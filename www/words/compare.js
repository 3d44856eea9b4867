// @ts-check
// What the page says in one of its parts, which comes with that part: the comparison of two
// branches.

import { seconds } from './common.js';

/** Two branches at the same moment. */
export const compare = {
  /** @param {string} one @param {string} other */
  title: (one, other) => `“${one}” and “${other}” at the same moment`,
  columns: ['server', 'branch', 'role', 'term', 'commit', 'last', 'log, from where it differs'],
  /** @param {number} count @param {number} all */
  summary: (count, all) => (count ? `${count} of ${all} servers differ.` : 'Every server is the same in both.'),
  /** @param {number} count */
  newest: (count) => `Only the last ${count} entries of each log are compared.`,
  /** @param {string} name @param {number} time */
  short: (name, time) => `“${name}” ends at ${seconds(time)}: its state there is shown.`,
  absent: 'not there',
  sameLog: 'the same',
  nothing: 'nothing',
  /** @param {number} count */
  more: (count) => ` and ${count} more`,
};
