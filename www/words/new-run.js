// @ts-check
// What the page says in one of its parts, which comes with that part: the dialog of new runs.

export const runTitle = 'New run';
export const runSeed = 'Seed';
export const runSeedHelp = 'The same seed plays the same run, to the last message. Leave it empty for a fresh one.';
/** What a new run begins with. */
export const runKeeps = {
  /** @param {string[]} what */
  keeps: (what) => `Keeps what this run has: ${what.join('; ')}.`,
  /** @param {string[]} what */
  usually: (what) => `Begins as usual. The run on the page has ${what.join('; ')}.`,
  takeUsual: 'Begin as usual',
  takeCurrent: 'Take that run’s',
  /** @param {number} servers */
  servers: (servers) => `${servers} ${servers === 1 ? 'server' : 'servers'}`,
  /** @param {string[]} rules */
  without: (rules) => `switched off: ${rules.join(', ')}`,
  settings: 'timing or clients of its own',
};
export const runServers = 'Servers';
export const runRules = 'Rules';
/** @param {number} off @param {number} all */
export const runRulesWords = (off, all) => (off ? `${off} of ${all} switched off` : `all ${all} hold`);
export const runRulesHelp =
  'Raft is safe because of these. Switch one off, do the worst to the cluster, and see which lamp goes out.';
export const seeItBreak = 'See it break';
export const runSettings = 'Timing and clients';
export const runSettingsUsual = 'as usual';
export const runSettingsOther = 'not the usual ones';
/**
 * In the order of `Run.settings`: what each setting is, its unit, and how many of the run's units
 * one of these has, the least and the most. One without a unit is a yes or no.
 * @type {[string, string?, number?, [number, number]?][]}
 */
export const settings = [
  ['Shortest [election timeout]', 'ms', 1000, [1, 600_000]],
  ['Longest election timeout', 'ms', 1000, [1, 600_000]],
  ['[Heartbeat] interval', 'ms', 1000, [1, 600_000]],
  ['Servers ask before they campaign ([pre-vote])'],
  ['Leaders that hear no [quorum] step down ([check-quorum])'],
  ['[Snapshot] after so many entries (0: never)', '', 1, [0, 1_000_000]],
  ['Clients besides you', '', 1, [0, 32]],
  ['Their pause between two commands', 'ms', 1000, [0, 600_000]],
];
/** @param {string} name @param {number} least @param {number} most */
export const outOfRange = (name, least, most) =>
  `${name.replace(/[[\]]/g, '')}: a number from ${least} to ${most}, please.`;
