// What the page reads from a run. This file is the contract between `web` (Rust) and `www`
// (JavaScript): the Rust side includes it in the generated package's types, and its tests decode
// real values against the same names. Times are virtual microseconds since the run began. Server
// ids are 1 and up; 0 means "none". An endpoint is a server id, or a negative number for a client
// (-1 is client 1).

export type Micros = number;
export type Endpoint = number;

/** Read every animation frame: small. */
export interface Frame {
  now: Micros;
  /** How many events have been played so far. */
  events: number;
  /**
   * Grows when the run goes back, and when it goes to another branch: what was read before may not
   * hold any more.
   */
  epoch: number;
  /** The branch being played, and how many there are. */
  branch: number;
  branches: number;
  /** How far this branch is known. */
  end: Micros;
  /** Changes when a log, a store, a match or a next index has: call `logs`/`stores` again. */
  logsRevision: number;
  /** Changes when an operation has begun, taken effect or ended: call `operations` again. */
  operationsRevision: number;
  /** Changes when there are new sentences: call `story` again. */
  storyRevision: number;
  servers: ServerView[];
  messages: MessageView[];
  /** Directed links that are cut: `[from, to]`. */
  cuts: [number, number][];
  /**
   * Directed links that are worse than others: `[from, to, microseconds longer, parts per million
   * lost]`.
   */
  impaired: [number, number, number, number][];
  quorum: QuorumView;
  violation: ViolationView | null;
}

export type Role = "follower" | "pre-candidate" | "candidate" | "leader" | "learner" | "crashed";
export type Ballot = "granted" | "refused" | "waiting";

export interface ServerView {
  id: number;
  role: Role;
  term: number;
  /** The server that it voted for in this term. */
  votedFor: number;
  /** The server that it believes to be the leader. */
  leader: number;
  /** Part of the election timeout (a leader's: heartbeat interval) still left, 0 to 1. */
  timer: number;
  /** While it campaigns: one for each server, in id order; otherwise empty. */
  votes: Ballot[];
  lastIndex: number;
  commitIndex: number;
  lastApplied: number;
  /** Index of the last entry inside the snapshot; 0 without one. */
  snapshotIndex: number;
  /** Whether a disk write is on its way. */
  writing: boolean;
  /** Whether it is paused. */
  paused: boolean;
  /** Whether it belongs to the membership in force, as a voter or a learner. */
  member: boolean;
  /** How fast its clock runs, in parts per million of the true rate. */
  clockRate: number;
  /** By how much its clock is ahead of the world's; below 0 if it is behind. */
  clockAhead: number;
  /**
   * A stalled disk finishes no write; a full one still writes terms and votes; a damaged one has
   * lost entries that the leader must send again.
   */
  disk: "normal" | "slow" | "stalled" | "full" | "damaged";
}

export type MessageKind =
  | "request-vote" | "vote"
  | "pre-vote" | "pre-vote-answer"
  | "append" | "heartbeat" | "append-answer"
  | "snapshot" | "snapshot-answer"
  | "timeout-now"
  | "read-index" | "read-index-answer"
  | "request" | "answer";

/**
 * As it comes from the simulator: every message is a row of numbers, its fields in the order below;
 * `kind` counts `signs` in `pkg/tables.js`.
 */
export type Packed<T> = Omit<T, "messages"> & { messages: Float64Array };

export interface MessageView {
  /** Stable while the message is in flight. */
  id: number;
  kind: MessageKind;
  from: Endpoint;
  to: Endpoint;
  /** The sender's term; 0 for client messages. */
  term: number;
  sent: Micros;
  /** When it arrives, or would have arrived. */
  arrives: Micros;
  /** When it is lost on the way; 0 if it isn't. From then until `arrives` it is drawn as lost. */
  lost: Micros;
  /** Since when it is held, or 0. */
  held: Micros;
  /** Entries carried. */
  entries: number;
  /** Whether an answer says yes. */
  success: boolean;
}

export interface QuorumView {
  /** What is so, a colon, and what follows: `S2 leads, 4 of 5 answer: writes commit`. */
  words: string;
  /** Whether a leader could commit a write now. */
  canCommit: boolean;
  /**
   * For the voters, and for the outgoing voters while a membership changes: how many answer, how
   * many are a majority, and how many there are.
   */
  majorities: [number, number, number][];
}

export interface ViolationView {
  property: string;
  /** The two facts that contradict each other. */
  first: string;
  second: string;
  /** What they are about: `aboutOf` in `www/run/about.js` reads it. */
  about: number[];
  time: Micros;
}

/** One row of the log table. */
export interface LogView {
  server: number;
  /** Index of the last entry covered by the snapshot; entries before `first` are there. */
  snapshotIndex: number;
  snapshotTerm: number;
  /** Index of `entries[0]`. */
  first: number;
  entries: EntryView[];
  lastIndex: number;
  commitIndex: number;
  lastApplied: number;
  /** Last index known to be on this server's own disk. */
  durableIndex: number;
  /** The current leader's marks for this server; 0 where there is no leader. */
  matchIndex: number;
  nextIndex: number;
}

export interface EntryView {
  term: number;
  kind: "command" | "no-op" | "membership" | "session";
  /** Short text of the command: `put x 1`. */
  text: string;
}

export interface StoreView {
  server: number;
  /** Key and value, in key order. */
  pairs: [string, string][];
}

export interface OperationView {
  id: number;
  /** 1 is the person at the command line; the others are the run's own clients. */
  client: number;
  text: string;
  state: "pending" | "ok" | "failed" | "unknown";
  /**
   * The answer, or the reason why there is none: `no leader within 2 s: 2 of 5 servers up, 3
   * needed`.
   */
  answer: string;
  began: Micros;
  /** 0 while pending. */
  ended: Micros;
  /**
   * Where it took effect: a write's index in the log, a read's last applied entry; 0 if it hasn't.
   */
  point: number;
  /** When a write was committed, and the first store applied it; 0 before that, and for a read. */
  applied: Micros;
}

export interface StoryLine {
  /** Grows by one a line. */
  number: number;
  time: Micros;
  /** The server it is about, or 0. */
  server: number;
  /** The name of what happened, as in a trace: `became-leader`. */
  kind: string;
  /** `turning` points are worth a screen reader's interruption; `detail` is for the events list. */
  weight: "turning" | "notable" | "detail";
  /** A whole sentence, in plain text. */
  text: string;
  /** `Raft §5.2`, or empty. */
  section: string;
}

/** A branch: one way the run went. */
export interface BranchView {
  id: number;
  name: string;
  /** The branch that it left (0: none), when, and after how many events. */
  origin: number;
  leftAt: Micros;
  leftAfter: number;
  /** How far it is known. */
  end: Micros;
  /** How many actions were done on it by hand, from the beginning. */
  actions: number;
  playing: boolean;
}

/** All that a server knows, besides what its `ServerView` says. An entry is written as `7@2`. */
export interface InspectorView {
  id: number;
  up: boolean;
  /** How often it has started. */
  starts: number;
  /** What its own clock shows. */
  clock: Micros;
  diskTerm: number;
  diskVote: number;
  diskLast: string;
  /** Writes on their way to the disk. */
  unsynced: number;
  firstIndex: number;
  last: string;
  /** The last entry that its snapshot covers, or empty. */
  snapshot: string;
  voters: string;
  learners: string;
  /** The index of the entry with the membership in force; 0 for the first membership. */
  membershipIndex: number;
  /** The heartbeat round; 0 unless it leads. */
  round: number;
  /**
   * How long it still ignores campaigns, on its own clock: it has heard a leader, or was just
   * started. A leader always does.
   */
  ignoresCampaigns: Micros;
  peers: PeerView[];
  sessions: SessionView[];
}

/** What a leader knows of another server. */
export interface PeerView {
  id: number;
  matchIndex: number;
  nextIndex: number;
  state: string;
  /** Appends on their way to it. */
  inFlight: number;
  /** How long ago the leader heard from it, on the leader's clock; -1: never since it leads. */
  heard: Micros;
}

export interface SessionView {
  id: number;
  client: number;
  /** The index at which it was used last. */
  lastUsed: number;
  /** The last write's serial number and its answer. */
  serial: number;
  answer: string;
}

/**
 * A stretch of time. Of each message, `arrives` or `lost` says what became of it, as far as is
 * known.
 */
export interface TrafficView {
  from: Micros;
  /** Up to when it is known what happened. */
  to: Micros;
  /** In the order in which they were sent. */
  messages: MessageView[];
  states: ServerStateView[];
  /** What is more than a detail. */
  news: StoryLine[];
}

/** A server's state from a time on. */
export interface ServerStateView {
  time: Micros;
  server: number;
  term: number;
  role: Role | "paused";
}

/**
 * How the network is now, and the timing that servers are built with. Shares are in parts per
 * million.
 */
export interface DialsView {
  latencyMin: Micros;
  latencyMax: Micros;
  loss: number;
  duplication: number;
  fsyncMin: Micros;
  fsyncMax: Micros;
  electionTimeoutMin: Micros;
  electionTimeoutMax: Micros;
  heartbeatInterval: Micros;
}

// The handle itself is the generated class `Run`. Its methods are described in web/src; lib.rs says
// which file has which. Whatever can't be done throws an Error with a sentence.
