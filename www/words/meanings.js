// @ts-check
// What it means that a property is violated: of the servers and entries of this violation. Loaded
// when the first violation is explained.

/**
 * What a violation is about: the servers, the places in the logs, and who leads now.
 * @typedef {{ servers: number[], entries: number[], leader: number }} About
 */

/** @param {number[]} ids @param {string} otherwise */
const names = (ids, otherwise) => (ids.length ? ids.map((id) => `S${id}`).join(' and ') : otherwise);
/** @param {About} about @param {string} [otherwise] */
const who = ({ servers }, otherwise = 'A server') => names(servers, otherwise);
/** @param {About} about @param {string} [otherwise] */
const entry = ({ entries: [index] }, otherwise = 'an entry') => (index ? `entry ${index}` : otherwise);
/** @param {string} words */
const upper = (words) => words[0].toUpperCase() + words.slice(1);

/** By the property's name. @type {Record<string, (about: About) => string>} */
export const meanings = {
  'Election Safety': (about) =>
    about.servers.length > 1
      ? `${who(about)} have both been elected in one term. At the same place of the log, each may put another entry, and ` +
        'nobody can tell the two apart: a write that one of them has answered will be lost.'
      : `${who(about)} leads without having been elected. Another may be elected in the same term.`,
  'Leader Append-Only': (about) =>
    `${who(about)} has dropped ${entry(about)} of its own log while it leads. Others may have it already, and count on it.`,
  'Log Matching': (about) =>
    `${upper(entry(about))} has the same index and term in two logs, and says different things. The servers take one for the ` +
    'other, so nobody will repair it, and their stores will differ.',
  'Leader Completeness': (about) =>
    `${upper(entry(about))} was committed: its client may have had its answer. ${names([about.leader].filter(Boolean), 'The new leader')} ` +
    'leads now without it, and will make the others drop it: it is lost.',
  'State Machine Safety': (about) =>
    `At ${entry(about, 'one place')} the stores of the cluster have executed different things. From here on, a client’s answer ` +
    'depends on which server it asks.',
  'Monotonic State': (about) =>
    `${who(about)} has gone back behind what it was. Others may rely on what it said before.`,
  'One Vote a Term': (about) =>
    `${who(about)} has voted twice in one term. Two candidates can count its vote, and both can be elected.`,
  'Durable Promise': (about) =>
    `${who(about)} has said something that its disk doesn’t hold. If it crashes now, it will not know of it any more; whoever ` +
    'counts on it is wrong then.',
  'Durable Commit': (about) =>
    `${upper(entry(about))} counts as committed, but it is not on the disks of a majority. A few crashes can take it away.`,
  'Exactly Once': ({ entries: [one, other] }) =>
    `One command has been executed ${other ? `at ${one} and again at ${other}` : 'twice'}. A client that asked for it once sees it done twice.`,
  'Lawful Membership': (about) =>
    `${who(about)} goes from one membership to another so that two majorities need no server in common. They could elect two ` +
    'leaders, or commit two different entries at one place.',
  'Fresh Reads': (about) =>
    `A client was told something that was true before ${entry(about, 'what had been committed')} was committed, although it ` +
    'asked after that. It sees the past.',
  'Verified Commit': (about) =>
    `${who(about)} commits ${entry(about)} without knowing whether that is the leader’s. It may execute what the others never ` +
    'will.',
  'Every Request Ends': () => 'Whoever asked waits, and can’t know whether to try again.',
  'Orderly Elections': (about) =>
    `${who(about)} takes part in elections in a way that others don’t expect. They rely on it: a lease, or a leader that works, ` +
    'is at stake.',
  Economy: () => 'Messages that nothing explains fill the network, and may cause still more of them.',
  Linearizability: () =>
    'No order of the operations explains all answers: clients can see that there is more than one store.',
  Liveness: () => 'Nothing that was said is wrong, but the cluster doesn’t come back to work by itself.',
};
