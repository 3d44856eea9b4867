// @ts-check
// All texts of the page, in one place. Only boot.js has its own, because it must speak where
// modules can't load.

/** @typedef {import('../../web/view.d.ts').Role} Role */
/** @typedef {import('../../web/view.d.ts').MessageKind} MessageKind */
/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */
/** @typedef {import('../../lab/lab.d.ts').VerdictView} VerdictView */
/** @typedef {Omit<import('../../web/view.d.ts').ViolationView, 'about'>} ViolationView */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */
/** @typedef {import('../../web/view.d.ts').OperationView} OperationView */
/** @typedef {import('../../web/view.d.ts').InspectorView} InspectorView */
/** @typedef {import('../../web/view.d.ts').PeerView} PeerView */
/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */

import { guarantees } from './guarantees.js';

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

/** The legend under the ring, and in the help dialog. */
export const legend = /** @type {[MessageKind, string][]} */ ([
  ['append', '[entries]'],
  ['heartbeat', '[heartbeat]'],
  ['request-vote', '[vote]'],
  ['request', '[client]'],
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
export const stepTitle = 'Play one event';
export const stepBack = 'One event back';
export const stepBackTitle = 'Go back one event';

/** The tape. */
export const tape = {
  notYet: 'not played yet',
  /** @param {{ term: number, leader: number, led: boolean } | undefined} band */
  band: (band) => {
    if (!band) return 'no term yet';
    return `term ${band.term}, ${band.led ? `S${band.leader} leads` : 'nobody leads'}`;
  },
  /** @param {BranchView} branch */
  lane: ({ name, end }) => `Branch “${name}”, known up to ${seconds(end)}`,
  /**
   * @param {{ kind: string, server: number, client: number, number: number, count: number }} mark
   */
  moment: ({ kind, server: id, client, number, count }) => {
    const who = `S${id}`;
    const words =
      /** @type {Record<string, string>} */ ({
        campaign: `${who} stands for election in term ${number}`,
        election: `${who} is elected in term ${number}`,
        commit: `index ${number} is committed`,
        'write-began': `${clientName(client)} begins a write`,
        'write-ended': `${clientName(client)} ends a write`,
        crash: `${who} crashes`,
        restart: `${who} restarts`,
        pause: `${who} pauses`,
        resume: `${who} resumes`,
        clock: `the clock of ${who} changes`,
        disk: `the disk of ${who} changes`,
        cut: 'links are cut',
        heal: 'links are healed',
        network: 'the network changes',
        membership: 'the membership changes',
        violation: 'a property is violated',
      })[kind] ?? kind;
    return count > 1 ? `${words}, and ${count - 1} more` : words;
  },
};

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
 * A server's role in a word or two. A server that isn't a member of the cluster has none.
 * @param {ServerView} server
 */
export const roleWord = ({ role: is, member }) => (member || is === 'crashed' ? role[is] : notMember);
/** A server's role, and whether it is paused. @param {ServerView} server */
export const stateWords = (server) =>
  roleWord(server) +
  (server.paused ? ', paused' : '') +
  (server.role === 'crashed' && !server.member ? `, ${notMember}` : '');

/** @param {ServerView} server */
export const serverTitle = (server) => `S${server.id}, ${stateWords(server)}`;

/** What is wrong with a server's clock and disk. @param {ServerView} server */
export function troubles({ clockRate, clockAhead, disk }) {
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

/** What a message is called in the paper. */
export const messageKind = /** @type {Record<MessageKind, string>} */ ({
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

/** @param {MessageView} message @returns {[string, string][]} */
export function messageTimes({ sent, arrives, lost, held }) {
  const end = lost ? ['is lost at', lost] : held ? ['held since', held] : ['arrives at', arrives];
  return [
    ['sent at', seconds(sent)],
    [String(end[0]), seconds(Number(end[1]))],
  ];
}

/** A message, and what became of it. @param {MessageView} message @param {number} known */
export function messageStory(message, known) {
  const { sent, arrives, lost, held } = message;
  const waits = held ? 'held' : arrives <= known ? `arrived at ${seconds(arrives)}` : 'on its way';
  const end = lost ? `lost at ${seconds(lost)}` : waits;
  return `${messageLabel(message)}. Sent at ${seconds(sent)}, ${end}.`;
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
        ? `the ${looked} of ${count} properties looked at hold`
        : `all ${count} properties hold`) + (off ? ` · ${off} ${off === 1 ? 'rule' : 'rules'} off` : ''),
  verdict: {
    asked: 'clients: being judged',
    unknown: 'clients: not judged',
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
/** A rule as people read it. @param {string} rule */
export const ruleName = (rule) => rule.replaceAll('-', ' ');

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

// The logs
/** Hides servers that aren't members. @param {number[]} servers */
export const hideServers = (servers) =>
  `hide ${servers.map((id) => `S${id}`).join(', ')} (${servers.length > 1 ? 'not members' : notMember})`;
export const logsEmpty = 'No entries yet: a leader writes the first.';
export const snapshot = 'snapshot';
/** @param {number} index @param {number} t */
export const snapshotUpTo = (index, t) => `Snapshot of everything up to ${index}@${t}`;
export const server = 'Server';
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
export const sentWhilePaused = 'Sent. The run is paused: press Play to let it go on.';
export const sentWaiting = 'Sent, waiting for the answer.';
export const commandForms = 'put k v · get k · delete k · cas k old new';

// Network
export const side = 'Side';
export const sides = ['A', 'B', 'C'];
export const healAll = 'Heal everything';
export const from = 'from';
export const close = 'Close';

// New run
export const start = 'Start';
/** @param {string} prevents */
export const withoutRule = (prevents) => `Without it: ${prevents}`;
export const again = 'This one again';
export const copied = 'Link copied';

// Sharing
export const linkTooLong =
  'So much has been done that it doesn’t fit into a link: the address keeps only the seed. To keep everything, save ' +
  'the scenario as a file.';
export const frameTitle = 'A Raft cluster in Raftarium';
/** @param {string} seed @param {number} now */
export const origin = (seed, now) => `Raftarium · seed ${seed} · ${seconds(now)}`;
/** @param {string} name */
export const badFile = (name) => `${name} can’t be opened. The page keeps the run that it shows.`;
export const share = {
  title: 'Share this run',
  link: 'Link to this run at this moment',
  linkHelp:
    'The link opens this very run at this very moment, with all that was done in it. It is also in the address bar.',
  copy: 'Copy link',
  copyByHand: 'The page can’t use the clipboard: copy the selected text with Ctrl+C or ⌘C, or from its menu.',
  file: 'Scenario file',
  fileHelp:
    'The same as JSON, to read, to edit and to keep. “raftarium replay” plays it, too. To open one, you can also ' +
    'drop it anywhere on the page.',
  note: 'Note',
  saveFile: 'Save scenario',
  openFile: 'Open scenario…',
  saved: 'Saved.',
  picture: 'Picture',
  pictureHelp: 'The ring with its sentence. The space-time diagram has its own buttons.',
  records: 'What happened',
  recordsHelp:
    'Trace: one event on each line, as JSON. ShiViz: who sent what to whom, with vector clocks, for that visualiser. ' +
    'History: what clients asked and were answered, for “raftarium check”.',
  history: 'History',
  trace: 'Trace',
  show: 'Show it',
  showHelp: 'Presenter mode is large and works with a remote control. The frame is a player for a page of your own.',
  present: 'Presenter mode',
  frame: 'Copy frame',
  drop: 'Drop the scenario file to open it',
};

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

// Theme
/** @param {string} name */
export const themeTitle = (name) => `Colours: ${{ auto: 'as the system', light: 'light', dark: 'dark' }[name]}`;

/** The hints of a first visit. */
export const hints = {
  name: 'Hints for a first visit',
  next: 'Next',
  close: 'No more hints',
  all: [
    'Press a server, a line or a message: a menu opens. Crash the leader!',
    'Draw a stroke across the ring, and the network splits. H heals it.',
    'Press ? to see all keys and signs.',
  ],
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
  s: 'share: link, file, picture',
  f: 'presenter mode',
  t: 'light, dark, or as the system',
  '?': 'this list',
};
/** The explanations of terms and of sources. */
export const explanations = {
  /** @param {string} source @param {string} title */
  source: (source, title) => `${source}: ${title}`,
  /** @param {string} word @param {string} term */
  sameAs: (word, term) => (word.toLowerCase() === term || word === `${term}s` ? term : `${word}: ${term}`),
  unknown: 'There is no explanation of this here.',
};
export const reload = 'Reload';
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
      'The link comes from another version of Raftarium, in which the same seed and actions led to something else. ' +
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
/** @param {ViolationView} violation */
export const violationTitle = ({ property, time }) => `${property} is broken at ${seconds(time)}.`;
/** @param {ViolationView} violation */
export const violationText = ({ first, second }) => `${first[0].toUpperCase()}${first.slice(1)}, but ${second}.`;
/** What whoever handed the run on says was found, beside what the page finds. */
export const claim = {
  /** @param {ViolationView} found */
  title: ({ property, time }) => `${property} is said to be broken at ${seconds(time)}.`,
  asked: 'Its link or file says so; the page is judging it anew.',
  agrees: 'Its link or file says so; the page has judged it anew, and agrees.',
  open: 'Its link or file says so; the page can’t judge it, “raftarium replay” can.',
  refuted: 'Its link or file says so; played here, it holds.',
};
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
