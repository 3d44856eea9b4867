// @ts-check
// Every word the page says, in one place (boot.js alone keeps its own: it speaks when modules can't load).

/** @typedef {import('../web/view.d.ts').Role} Role */
/** @typedef {import('../web/view.d.ts').MessageKind} MessageKind */
/** @typedef {import('../web/view.d.ts').ServerView} ServerView */
/** @typedef {import('../web/view.d.ts').QuorumView} QuorumView */
/** @typedef {import('../web/view.d.ts').ViolationView} ViolationView */

/** Fixed texts, put into the page's `data-t…` attributes by `fill`. */
export const text = {
  skip: 'Skip to the command line',
  tagline: 'A Raft cluster you can break',
  nav: 'Run and page',
  seed: 'seed',
  copySeedTitle: 'Copy a link to this seed',
  network: 'Network',
  newRun: 'New run',
  help: 'Keys and signs',
  cluster: 'The cluster',
  serverTwins: 'Servers: press one to crash or restart it',
  linkTwins: 'Links: arrow keys choose one, Enter cuts or heals it',
  legend: 'Messages',
  hint: 'Press a server to crash it, a line to cut it.',
  logs: 'Logs',
  logsKey: 'filled: committed · line: applied · ● match · ▲ next',
  stores: 'Stores',
  storesKey: 'as applied so far',
  history: 'What happened',
  operations: 'Operations',
  events: 'Events',
  transport: 'Time and commands',
  clock: 'Virtual time',
  speed: 'Speed',
  stepTitle: 'Play one event',
  command: 'Command',
  commandHint: 'put x 1',
  send: 'Send',
};

export const role = /** @type {Record<Role, string>} */ ({
  follower: 'follower',
  'pre-candidate': 'pre-candidate',
  candidate: 'candidate',
  leader: 'leader',
  learner: 'learner',
  crashed: 'crashed',
});

/** The legend under the ring, and in the help sheet. */
export const legend = /** @type {[MessageKind, string][]} */ ([
  ['append', 'entries'],
  ['heartbeat', 'heartbeat'],
  ['request-vote', 'vote'],
  ['request', 'client'],
]);
export const legendAnswer = 'answer';
export const legendLost = 'lost';

export const term = 'term';
export const you = 'you';
/** @param {number} client */
export const clientName = (client) => (client === 1 ? you : `client ${client}`);

/** @param {number} micros */
export const seconds = (micros) => `${(micros / 1e6).toFixed(3)} s`;

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

/** @param {QuorumView} quorum */
export function quorum({ reachable, running, total, canCommit }) {
  const who =
    total === 1
      ? running
        ? 'The only server is up'
        : 'The only server is down'
      : running === 0
        ? 'Every server is down'
        : `${reachable} of ${total} reach each other`;
  return { who, so: canCommit ? 'writes can commit' : 'no write can commit' };
}

/** @param {ServerView} server */
export function serverLabel({ id, role: is, term: t, votes, lastIndex, commitIndex, votedFor }) {
  if (is === 'crashed') return `S${id}, crashed. Press to restart.`;
  const parts = [`S${id}`, role[is], `term ${t}`];
  if (votes.length) parts.push(`${votes.filter((v) => v === 'granted').length} of ${votes.length} votes`);
  else if (is === 'follower' && votedFor) parts.push(`voted for S${votedFor}`);
  parts.push(lastIndex ? `${commitIndex} of ${lastIndex} entries committed` : 'empty log');
  return `${parts.join(', ')}. Press to crash.`;
}

/** @param {number} a @param {number} b @param {boolean} there whether a→b is cut @param {boolean} back */
export function linkLabel(a, b, there, back) {
  if (there && back) return `Link S${a}–S${b}, cut. Press to heal.`;
  if (there) return `Link S${a}–S${b}, cut from S${a} to S${b}. Press to heal.`;
  if (back) return `Link S${a}–S${b}, cut from S${b} to S${a}. Press to heal.`;
  return `Link S${a}–S${b}, open. Press to cut.`;
}

export const waitingForFirst = 'The cluster starts: nobody leads yet.';

// The logs
export const logsEmpty = 'No entries yet: a leader writes the first.';
export const snapshot = 'snapshot';
/** @param {number} index @param {number} t */
export const snapshotUpTo = (index, t) => `Snapshot of everything up to ${index}@${t}`;
export const server = 'Server';
/** @param {number} index @param {number} t @param {string} words @param {boolean} committed @param {boolean} applied */
export const entryTitle = (index, t, words, committed, applied) =>
  `${index}@${t}  ${words}  (${applied ? 'applied' : committed ? 'committed' : 'not committed'})`;
export const toEnd = 'To the end';
export const followEnd = 'Follow the end again';

// The stores
export const storesEmpty = 'Every store is empty. Try “put x 1” below.';
export const key = 'key';
export const absent = '–';
/** @param {number} count */
export const moreKeys = (count) => `and ${count} more keys`;

// Operations and events
export const operationsEmpty = 'Nobody has asked for anything yet.';
export const pending = 'waiting';
export const unknownOutcome = 'may or may not have happened';
export const onlyMine = 'Only mine';
export const eventsEmpty = 'Nothing has happened yet.';
export const everyDetail = 'Every detail';

// The command line
export const sentWhilePaused = 'Sent. Press play and it will travel.';
export const sentWaiting = 'Sent, waiting for the answer.';
export const commandForms = 'put k v · get k · delete k · cas k old new';

// Network
export const networkTitle = 'Cut the network';
export const sidesTitle = 'Sides';
export const sidesHelp = 'Servers on different sides can’t hear each other.';
export const side = 'Side';
export const sides = ['A', 'B', 'C'];
/** @param {number} id */
export const sideOf = (id) => `Side of S${id}`;
/** @param {number} majority */
export const sidesNone = (majority) => `All on one side: nothing is cut. A side needs ${majority} to commit.`;
/** @param {string[][]} groups @param {number} majority */
export const sidesPreview = (groups, majority) =>
  groups
    .map((names) => `${names.join(' ')}${names.length >= majority ? ' (a majority)' : ''}`)
    .join('  |  ') + (groups.some((g) => g.length >= majority) ? '' : ': no side has a majority');
export const cutPartition = 'Cut here';
export const isolateLeader = 'Leader alone';
export const splitHalves = 'Minority and majority';
export const healAll = 'Heal everything';
export const linksTitle = 'Single links';
export const linksHelp = 'Each direction on its own: a row can’t be heard by a column where it is cut.';
export const from = 'from';
/** @param {number} a @param {number} b */
export const linkDirection = (a, b) => `S${a} to S${b}`;
export const oneServerOnly = 'A cluster of one has no network.';
export const close = 'Close';

export const badServers = 'A cluster here has 1 to 9 servers.';

// New run
export const runTitle = 'New run';
export const runSeed = 'Seed';
export const runSeedHelp = 'The same seed plays the same run, to the last message. Leave it empty for a fresh one.';
export const runServers = 'Servers';
export const start = 'Start';
export const again = 'This one from the start';
export const copied = 'Link copied';
/** @param {string} link */
export const copyFailed = (link) => ({ title: 'The clipboard is out of reach.', text: `The link to this run is ${link}` });

// Theme
/** @param {string} name */
export const themeTitle = (name) => `Colours: ${{ auto: 'as the system', light: 'light', dark: 'dark' }[name]}`;

// Help
export const helpTitle = 'Keys and signs';
export const helpKeys = /** @type {[string, string][]} */ ([
  ['Space', 'play or pause'],
  ['.', 'play one event'],
  ['+  −', 'faster, slower'],
  ['1 … 9', 'crash or restart that server'],
  ['/', 'to the command line'],
  ['P', 'cut the network'],
  ['H', 'heal the network'],
  ['N', 'new run'],
  ['T', 'light, dark, as the system'],
  ['?', 'this sheet'],
]);
export const helpSingleKeys = 'Single keys work as shortcuts';
export const helpRoles = 'Servers';
export const helpRoleWords = /** @type {[Role, string][]} */ ([
  ['follower', 'listens; stands for election when its arc runs out'],
  ['candidate', 'asks the others for their votes'],
  ['leader', 'takes the writes and copies them to the others'],
  ['crashed', 'keeps only what was on its disk'],
]);
export const helpTerms = 'Colour and number inside a server are its term. Arcs run out towards an election.';
export const helpMessages = 'Messages';
export const helpMessageWords = /** @type {[MessageKind, string][]} */ ([
  ['append', 'entries to copy, and how many'],
  ['heartbeat', 'heartbeat: the leader is alive'],
  ['append-answer', 'answer to either: yes or no'],
  ['request-vote', 'asks for a vote'],
  ['vote', 'the vote: given or refused'],
  ['pre-vote', 'asks whether a vote would be given'],
  ['snapshot', 'a snapshot, in place of old entries'],
  ['timeout-now', 'stand for election now'],
  ['read-index', 'asks what is committed, for a read'],
  ['request', 'a client’s request'],
  ['answer', 'the answer to a client'],
]);
export const helpBreak = 'Click a server to crash it, click again to restart it. Click a line to cut that link. A message that is struck through is lost.';
export const paper = 'The sections (§) are those of “In Search of an Understandable Consensus Algorithm”, Ongaro and Ousterhout, 2014.';

// Trouble
export const reload = 'Reload';
export const tryAnotherSeed = 'Start a fresh run';
export const trouble = {
  noWasm: {
    title: 'This browser has no WebAssembly.',
    text: 'Raftarium runs its cluster in WebAssembly. It may be switched off (in a lockdown or strict privacy mode), or the browser is old: allow it for this page, or use another browser.',
  },
  load: {
    title: 'The simulator did not load.',
    text: 'A file of this page could not be fetched. Check the connection and reload; if you serve it yourself, “cargo xtask build” makes the folder complete.',
  },
  badRun: { title: 'That run can’t be started.' },
  panic: {
    title: 'The simulator stopped: this is a bug in Raftarium, not in what you did.',
    /** @param {string} seed @param {number} servers @param {number} now */
    text: (seed, servers, now) => `Please report it with seed ${seed}, ${servers} servers, at ${seconds(now)}. Reloading plays the same seed again.`,
  },
};
/** @param {ViolationView} violation @param {string} seed */
export const violationTitle = (violation, seed) => `${violation.property} is broken at ${seconds(violation.time)} (seed ${seed}).`;
/** @param {ViolationView} violation */
export const violationText = (violation) => `${violation.first} But: ${violation.second}`;

/** Puts the fixed texts where the document asks for them. @param {ParentNode} root */
export function fill(root) {
  const attributes = { 't-label': 'aria-label', 't-title': 'title', 't-placeholder': 'placeholder' };
  const known = /** @type {Record<string, string>} */ (text);
  for (const node of root.querySelectorAll('[data-t]')) node.textContent = known[node.getAttribute('data-t') ?? ''] ?? '';
  for (const [data, attribute] of Object.entries(attributes)) {
    for (const node of root.querySelectorAll(`[data-${data}]`)) {
      node.setAttribute(attribute, known[node.getAttribute(`data-${data}`) ?? ''] ?? '');
    }
  }
}
