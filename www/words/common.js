// @ts-check
// Texts that several rooms of the page share, and those of index.html. boot.js has its own,
// because it must speak where modules can’t load; what a part says that comes later is in a file
// of its own.

/** @typedef {import('../../web/view.d.ts').Role} Role */
/** @typedef {import('../../web/view.d.ts').MessageKind} MessageKind */
/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */
/** @typedef {Omit<import('../../web/view.d.ts').ViolationView, 'about'>} ViolationView */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */
/** @typedef {import('../../web/view.d.ts').OperationView} OperationView */
/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */

/** Fixed texts, put into the page's `data-t…` attributes by `fill`. */
export const text = {
  skip: 'Skip to the command line',
  tagline: 'A Raft cluster you can break',
  nav: 'Run and page',
  seed: 'seed',
  copySeedTitle: 'Copy the link to this run at this moment',
  share: 'Share',
  presenter: 'Presenter',
  openWhole: 'Open in Raftarium',
  network: 'Network',
  newRun: 'New run',
  lessons: 'Lessons',
  help: 'Keys and signs',
  cluster: 'The cluster',
  serverButtons: 'Servers: Enter opens a server’s menu',
  linkButtons: 'Links: arrow keys choose one, Enter opens its menu',
  messageButtons: 'Messages on their way: arrow keys choose one, Enter opens its menu',
  heartbeats: 'heartbeats',
  slow: 'slow at turning points',
  slowTitle: 'From a campaign to its end, and after a crash, the run slows by itself',
  legend: 'Messages',
  hint: 'Press a server, a line or a message for its menu; draw across lines to cut them.',
  allSigns: 'all signs',
  logs: 'Logs',
  logsKey: 'filled: [committed] · line: [applied] · ● [match] · ▲ [next]',
  history: 'What happened',
  drawer: 'Logs and diagrams',
  spacetime: 'Space-time',
  events: 'Events',
  operations: 'Clients',
  safety: 'Safety',
  lamps: 'Safety properties: arrow keys choose one, Enter says what it means',
  server: 'Server',
  stores: 'Stores',
  dials: 'Dials',
  branches: 'Branches',
  transport: 'Time and commands',
  clock: 'Virtual time',
  unfold: 'All of the transport: tape, jumps, speed',
  speed: 'Speed',
  tape: 'Tape',
  lanes: 'Other branches',
  tapeIn: 'Zoom the tape in',
  tapeOut: 'Zoom the tape out',
  moreBranches: 'more',
  tapeFit: 'All',
  tapeFitTitle: 'Show the whole run',
  jumps: 'Jump',
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

/** Of a server that has left the cluster, or hasn't joined it yet. */
export const notMember = 'not a member';

export const term = 'term';

export const you = 'you';

/** @param {number} client */
export const clientName = (client) => (client === 1 ? you : `client ${client}`);

/** @param {number} micros */
export const seconds = (micros) => `${(micros / 1e6).toFixed(3)} s`;

/** The ways the run went. */
export const branches = {
  only: 'There is one branch. Go back on the tape and do something: a new branch begins, and the old one is kept here.',
  notKept: 'The other branches of this run could not be brought back.',
  /** @param {string} name @param {number} count */
  chip: (name, count) => `Branch “${name}”${count > 1 ? `, one of ${count}` : ''}`,
  go: 'Go there',
  compare: 'Compare',
  rename: 'Rename',
  delete: 'Delete',
  save: 'Save',
  /** @param {string} name */
  newName: (name) => `New name of “${name}”`,
  /** @param {BranchView} branch @param {string} origin */
  words: ({ leftAt, end, playing }, origin) => {
    const left = origin ? `left “${origin}” at ${seconds(leftAt)}, ` : '';
    return left + (playing ? 'being played' : `known up to ${seconds(end)}`);
  },
  /** @param {BranchView} branch @param {string} origin @returns {[string, string][]} */
  facts: ({ leftAt, end, actions }, origin) => [
    ...(origin ? [/** @type {[string, string]} */ (['left', `“${origin}” at ${seconds(leftAt)}`])] : []),
    ['known up to', seconds(end)],
    ['actions', String(actions)],
  ],
  /** @param {string} origin */
  begun: (origin) => `A new branch begins here. What came next is kept as “${origin}”.`,
  /** @param {string} name @param {number} time @param {boolean} short */
  switched: (name, time, short) => `Now on “${name}”, at ${seconds(time)}${short ? ', where it ends' : ''}.`,
  /** @param {string} name */
  deleted: (name) => `“${name}” is deleted.`,
  undo: 'Undo',
  /** @param {string} name */
  undoLong: (name) => `Bring back “${name}”`,
  /** @param {string} name */
  undone: (name) => `“${name}” is back.`,
  noneDeleted: 'There is no branch to bring back: only the one that was deleted last is kept.',
  /** @param {number} count */
  more: (count) => `${count} more: all branches`,
};

/**
 * A server's role in a word or two. A server that isn't a member of the cluster has none, but for
 * one that leads: by a membership that others don't know yet.
 * @param {ServerView} server
 */
export const roleWord = ({ role: is, member }) =>
  member || is === 'crashed' || is === 'leader' ? role[is] : notMember;

/** A server's role, and whether it is paused. @param {ServerView} server */
export const stateWords = (server) =>
  roleWord(server) +
  (server.paused ? ', paused' : '') +
  (server.role === 'crashed' && !server.member ? `, ${notMember}` : '');

/** What a message is called in the paper. */
const messageKind = /** @type {Record<MessageKind, string>} */ ({
  'request-vote': 'RequestVote',
  vote: 'Vote',
  'pre-vote': 'PreVote',
  'pre-vote-answer': 'PreVote answer',
  append: 'AppendEntries',
  heartbeat: 'Heartbeat',
  'append-answer': 'AppendEntries answer',
  snapshot: 'InstallSnapshot',
  'snapshot-answer': 'InstallSnapshot answer',
  'timeout-now': 'TimeoutNow',
  'read-index': 'ReadIndex',
  'read-index-answer': 'ReadIndex answer',
  request: 'Request',
  answer: 'Answer',
});

/** @param {MessageKind} kind */
const kindName = (kind) => messageKind[kind] ?? kind;

/** @param {number} endpoint */
export const endpoint = (endpoint) => (endpoint > 0 ? `S${endpoint}` : clientName(-endpoint));

/** @param {MessageView} message */
export const messageName = ({ kind, from, to }) => `${kindName(kind)}, ${endpoint(from)} → ${endpoint(to)}`;

/** @param {MessageView} message */
export function messageLabel(message) {
  const { entries, term: t, lost, held } = message;
  const parts = [messageName(message)];
  if (t) parts.push(`term ${t}`);
  if (entries) parts.push(`${entries} ${entries === 1 ? 'entry' : 'entries'}`);
  if (lost) parts.push('will be lost');
  if (held) parts.push('held');
  return parts.join(', ');
}

/** @type {Record<ServerView['disk'], string>} */
export const diskWords = { normal: 'normal', slow: 'slow', stalled: 'hangs', full: 'full', damaged: 'damaged' };

/** The space-time diagram. */
export const spacetime = {
  name: 'Space-time diagram',
  follow: 'Follow',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  svg: 'Save as SVG',
  png: 'Save as PNG',
  keys:
    'Up and down choose a lane. Left and right go along it from event to event, and highlight what led to each and ' +
    'what it led to. Enter goes there. Plus and minus zoom, Home and End pan, F follows.',
};

/** The clients' operations. */
export const clients = {
  name: 'Operations of the clients, as intervals',
  key: 'bars: from request to answer · ● where it took effect · the line: the order of the log',
  keys: 'Left and right go from operation to operation, Enter goes to where it began, plus and minus zoom, F follows.',
  /** @param {OperationView} operation @param {string} answer @param {number} place */
  words: ({ client, text: line, began, ended, point, applied }, answer, place) =>
    `${clientName(client)}: ${line} → ${answer} (${seconds(began)} to ${ended ? seconds(ended) : 'now'})` +
    (!place ? '' : applied ? `, committed at index ${point} at ${seconds(applied)}` : `, read up to index ${point}`),
};

/** A rule as people read it. @param {string} rule */
export const ruleName = (rule) => rule.replaceAll('-', ' ');

export const server = 'Server';

/** @param {string} why */
export const notLoaded = (why) => `This part of the page did not load: ${why}`;

/** Why a source can't do something, where it doesn't say so itself. */
export const lacking = {
  acting: 'This can only be watched.',
  branching: 'This has no branches: what happened can’t be changed.',
  repeating: 'This can’t be played again from a link: not all of what made it is known.',
  pacing: 'This goes on as fast as it happens.',
};

// Operations and events
const pending = 'waiting';

const unknownOutcome = 'may or may not have happened';

/** The answer, or why there is none. @param {OperationView} operation */
export function answerWords({ state, answer }) {
  if (state === 'pending') return pending;
  if (answer) return answer;
  return state === 'unknown' ? unknownOutcome : state;
}

export const goThere = 'Go there';

export const sides = ['A', 'B', 'C'];

export const healAll = 'Heal everything';

export const from = 'from';

export const close = 'Close';

/** @param {string} prevents */
export const withoutRule = (prevents) => `Without it: ${prevents}`;

export const again = 'This one again';

/** @param {string} seed @param {number} now */
export const origin = (seed, now) => `Raftarium · seed ${seed} · ${seconds(now)}`;

/** What is asked of the lab, which is loaded when it is needed. */
export const lab = {
  loading: 'Loading what this needs…',
  working: 'A moment…',
  /** @param {string} why */
  unloaded: (why) =>
    `A part of this page could not be loaded${why && ` (${why})`}. Check the connection, and try again.`,
  /** @param {string} why */
  stopped: (why) =>
    `This part of the page has stopped, and begins anew when you try again. It is a bug in Raftarium, not in what ` +
    `you did; please report it: ${why}`,
};

export const tryAnotherSeed = 'Start a fresh run';

export const trouble = {
  noWasm: {
    title: 'This browser has no WebAssembly.',
    text:
      'Raftarium runs its cluster in WebAssembly. It may be switched off (in a lockdown or strict privacy mode), or ' +
      'the browser is old: allow it for this page, or use another browser.',
  },
  load: {
    title: 'The simulator did not load.',
    text:
      'A file of this page could not be fetched. Check the connection and reload; if you serve it yourself, “cargo ' +
      'xtask build” makes the folder complete.',
  },
  badRun: { title: 'That run can’t be started.' },
  differs: {
    title: 'This run plays differently here.',
    text:
      'The link or file comes from another version of Raftarium, in which the same seed and actions led to something else. ' +
      'What you see may not be what was meant.',
  },
  panic: {
    title: 'The simulator stopped: this is a bug in Raftarium, not in what you did.',
    /** @param {string} seed @param {number} servers @param {number} now */
    text: (seed, servers, now) =>
      `Please report it with seed ${seed}, ${servers} servers, at ${seconds(now)}. Reloading plays the same seed ` +
      'again.',
  },
};

/** What whoever handed the run on says was found, beside what the page finds. */
export const claim = {
  /** @param {ViolationView} found */
  title: ({ property, time }) => `${property} is said to be broken at ${seconds(time)}.`,
  asked: 'Its link or file says so; the page is judging it anew.',
  agrees: 'Its link or file says so; the page has judged it anew, and agrees.',
  open: 'Its link or file says so; the page can’t judge it, “raftarium replay” can.',
  refuted: 'Its link or file says so; played here, it holds.',
};

/** Puts the fixed texts into the elements that name them. @param {ParentNode} root */
export function fill(root) {
  const attributes = { 't-label': 'aria-label', 't-title': 'title', 't-placeholder': 'placeholder' };
  const known = /** @type {Record<string, string>} */ (text);
  for (const node of root.querySelectorAll('[data-t]'))
    node.textContent = known[node.getAttribute('data-t') ?? ''] ?? '';
  for (const [data, attribute] of Object.entries(attributes)) {
    for (const node of root.querySelectorAll(`[data-${data}]`)) {
      node.setAttribute(attribute, known[node.getAttribute(`data-${data}`) ?? ''] ?? '');
    }
  }
}
