// @ts-check
// What can be done to the run, as menus say it: names of items, and in a few words what each does.

export const faults = {
  crash: 'Crash',
  restart: 'Restart',
  pause: 'Pause',
  resume: 'Resume',
  campaign: 'Time out now',
  win: 'Time out now, and let it win',
  isolate: 'Cut off from everybody',
  rejoin: 'Heal its links',
  inspect: 'Inspect',

  disk: 'Disk',
  tear: 'Tear the write under way',
  tearHint: 'It crashes in the middle of its last write, which is torn; those before it are on the disk.',
  failWrite: 'Fail the write under way',
  failWriteHint: 'It crashes, and finds out at its restart what is really on the disk.',
  rot: 'Damage a record of its log',
  rotHint: 'It crashes. After a restart it gets the entries that it lost from the leader.',
  wipe: 'Crash and lose the disk',
  /** @param {number} server @param {number} next the number that a server that joins gets */
  wipeHint: (server, next) => `S${next} joins the cluster in its place, and S${server} is removed.`,
  renew: 'Lose the disk, keep the place',
  renewHint: 'Nobody replaces it. Restarted, it has no vote until it has caught up from nothing.',
  diskHint: 'What could cost the cluster committed entries is not done: then the server only crashes.',
  speed: 'Speed',
  diskNormal: 'normal',
  diskSlow: 'slow',
  diskStalled: 'hangs',
  diskFull: 'full',

  clock: 'Clock',
  rate: 'Rate',
  clockRates: /** @type {[string, number][]} */ ([
    ['stopped', 0],
    ['half', 500_000],
    ['true', 1_000_000],
    ['double', 2_000_000],
  ]),
  jump: 'Set by',
  jumpHint: 'The server notices when it next reads its clock.',
  jumps: /** @type {[string, number][]} */ ([
    ['−1 s', -1_000_000],
    ['−0.1 s', -100_000],
    ['+0.1 s', 100_000],
    ['+1 s', 1_000_000],
  ]),
  shift: 'And read',
  shiftHint: 'The server reads its clock at once.',
  /** @param {string} by */
  shifted: (by) => `${by}, now`,

  links: 'Network',
  mute: 'Mute',
  muteHint: 'No other server hears it; it hears them.',
  deafen: 'Deafen',
  deafenHint: 'It hears no other server; they hear it.',
  isolateTogether: 'Cut off with the newcomers',
  isolateTogetherHint: 'It reaches learners and servers that are just joining, and nobody else.',
  readAt: 'Send reads here first',
  readAtHint: 'Clients ask this server, whether it leads or not.',
  readAnywhere: 'Send reads anywhere',
  readAnywhereHint: 'Clients choose by themselves which server they read from.',

  membership: 'Membership',
  transfer: 'Transfer leadership to it',
  transferHint: 'The leader sends it what it lacks, and tells it to campaign.',
  add: 'Add a server',
  addHint: 'It joins as a learner, and votes once it has caught up.',
  /** @param {number} most */
  noneAdded: (most) => `There have been ${most}: no more fit in a run.`,
  addLearner: 'Add a learner',
  addLearnerHint: 'It gets the log, and never votes.',
  remove: 'Remove from the cluster',
  addBack: 'Add it back',
  addBackHint: 'It joins again under its name, with what is on its disk.',

  config: 'From its next start',
  configHint: 'Crash and restart it to see the difference.',
  ownTimings: /** @type {[string, Partial<OwnTiming>][]} */ ([
    ['Campaign without asking (no pre-vote)', { preVote: false }],
    ['Listen to every campaign (no check-quorum)', { checkQuorum: false }],
    ['Half the election timeout', { times: 0.5 }],
    ['Twice the election timeout', { times: 2 }],
    ['As the others', {}],
  ]),

  cut: 'cut',
  slow: '+50 ms',
  lossy: 'loses 30 %',
  cutBoth: 'Cut both directions',
  healBoth: 'Heal both directions',

  drop: 'Drop',
  hold: 'Hold',
  duplicate: 'Duplicate',
  deliver: 'Deliver now',

  restartAll: 'Restart every crashed server',
  resumeAll: 'Resume every paused server',
  partition: 'Split the network…',
  clientsReads: 'Reads of clients',
  quorum: 'A bare majority works again',
  healQuorum: 'Heal it, leave the rest broken',
  healQuorumAlone: 'Heal it, crash the rest',
  healQuorumHint: 'Which servers these are is drawn by chance.',
};

/** @typedef {{ preVote: boolean, checkQuorum: boolean, times: number }} OwnTiming */

/** Servers with commas between them. @param {number[]} servers */
const names = (servers) => servers.map((id) => `S${id}`).join(', ');
/** @param {number[]} servers @param {string} one @param {string} several */
const do_ = (servers, one, several) => `${names(servers)} ${servers.length === 1 ? one : several}`;

/** Whether a server that times out now will win, and why not. */
export const forecast = {
  wins: 'It will win: a majority will vote for it, if no message is lost.',
  close: 'It may win: a majority would vote for it, but another server may time out first.',
  soon: 'It may lose: some still ignore campaigns while they hear a leader.',
  /** @param {number} leader */
  unheard: (leader) => `It will lose: S${leader} has been elected, and it hears of it before the votes are there.`,
  /** @param {number} leader */
  perhapsUnheard: (leader) => `It may lose: S${leader} has been elected, and it has not heard of it yet.`,
  alone: 'It will win: its own vote is the majority.',
  joint: 'The membership is changing: it needs a majority of both.',
  /**
   * @param {string[]} reasons @param {number} votes @param {number} needed @param {number} of
   * @param {boolean} hopeless whether nothing that can be done lets it win
   */
  loses: (reasons, votes, needed, of, hopeless) =>
    `${hopeless ? 'It can’t win' : 'It will lose'}: ${reasons.join('; ')}. ` +
    `It would have ${votes} of ${of} votes, and needs ${needed}.`,
  withheld: {
    paused: 'It is paused: nothing will happen.',
    leads: 'It leads already.',
    noVoter: 'It has no vote, so it will not campaign.',
    stalled: 'Its disk hangs, so it will not campaign.',
    damaged: 'Its disk has lost entries, so it will not campaign.',
  },
  /** Why servers will not vote for it. @type {Record<Refusal, (servers: number[]) => string>} */
  refuses: {
    leader: (servers) => do_(servers, 'leads and will refuse', 'lead and will refuse'),
    patient: (servers) => do_(servers, 'hears a leader and will refuse', 'hear a leader and will refuse'),
    started: (servers) =>
      do_(servers, 'has heard a leader too recently to vote', 'have heard a leader too recently to vote'),
    behind: (servers) => `its log is behind ${servers.length === 1 ? 'that' : 'those'} of ${names(servers)}`,
    term: (servers) => do_(servers, 'is in a higher term', 'are in a higher term'),
    down: (servers) => do_(servers, 'is down', 'are down'),
    paused: (servers) => do_(servers, 'is paused', 'are paused'),
    cut: (servers) => do_(servers, 'can’t be reached', 'can’t be reached'),
    stalled: (servers) => do_(servers, 'can’t write a vote: the disk hangs', 'can’t write a vote: their disks hang'),
  },
  self: 'it has heard a leader itself too recently',
  /** @param {number} leader */
  byTransfer: (leader) => `S${leader} hands its leadership over: it sends what is missing, and asks it to campaign.`,
  /** @param {number[]} servers */
  byClocks: (servers) =>
    servers.length
      ? `Sets the clocks of ${names(servers)} forward, so that they no longer ignore campaigns.`
      : 'A majority listens already.',
};

/**
 * @typedef {'leader' | 'patient' | 'started' | 'behind' | 'term' | 'down' | 'paused' | 'cut' |
 * 'stalled'} Refusal
 */

/** Late messages. */
export const lateness = {
  legend: 'Late messages',
  whichName: 'Which',
  /** @param {string} kind a kind of messages, or `stragglers` */
  which: (kind) => LATE[kind] ?? kind,
  share: 'Of these',
  delay: 'By at most',
  copies: 'Each is in time, and a copy of it is late',
  set: 'Make them late',
  none: 'None of these is late any more',
  stragglersHint: 'They are held up on their way, and others overtake them.',
  lateHint: 'They outlive the crash of their sender, its lost disk, and its removal.',
};

/** @type {Record<string, string>} */
const LATE = {
  stragglers: 'all, as stragglers',
  everything: 'all between servers',
  votes: 'votes and requests for them',
  appends: 'appends and heartbeats',
  acknowledgements: 'answers to appends and snapshots',
  snapshots: 'pieces of snapshots',
  transfers: 'orders to take over',
  reads: 'read index requests and answers',
  requests: 'requests of clients',
};
