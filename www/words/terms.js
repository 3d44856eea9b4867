// @ts-check
// What the page's terms mean. Loaded when somebody asks for the first.

/**
 * By the term: what it means.
 * @type {Record<string, string>}
 */
export const terms = {
  // Servers and their roles
  term:
    'A stretch of time with at most one leader. Terms are numbered; each begins with an election. A server that sees a ' +
    'higher term goes over to it.',
  role: 'What a server is at the moment: follower, pre-candidate, candidate, leader, or learner.',
  follower: 'A server that takes entries from the leader, and waits for its heartbeats.',
  candidate: 'A server that stands for election: it asks the others for their votes in a new term.',
  'pre-candidate':
    'A server that heard no leader for too long, and asks whether the others would vote for it. Its term stays the same ' +
    'until a majority says yes.',
  leader: 'The server that takes the writes of its term and copies them to the others.',
  learner: 'A member that gets all entries but has no vote: it doesn’t count for majorities. New servers begin so.',
  members: 'The servers that belong to the cluster. Voters count for majorities; learners don’t.',
  // Elections
  vote: 'A server gives at most one vote in each term, and none to a candidate whose log is behind its own.',
  'pre-vote':
    'A question before an election: would you vote for me? So a server that can’t win doesn’t disturb a leader that works.',
  'election timeout':
    'How long a follower waits for its leader before it campaigns. Each draws it anew at random, so that two rarely campaign ' +
    'at the same time.',
  heartbeat: 'A message by which the leader says that it is alive, when it has no entries to send.',
  'check-quorum': 'A leader that has heard no quorum for an election timeout steps down.',
  majority: 'More than half of the voters. Any two majorities have a server in common.',
  quorum:
    'As many voters as a decision needs: a majority. While the membership changes, it needs a majority of the old voters and ' +
    'one of the new.',
  // The log
  log: 'A server’s list of entries. All servers are to execute the same entries in the same order.',
  entry:
    'One element of the log: a command, with the index of its place and the term of the leader that took it. 7@2 is ' +
    'entry 7 of term 2.',
  append: 'The message by which a leader copies entries to another server (AppendEntries).',
  'no-op': 'An entry without a command. A new leader writes one, to have an entry of its own term to commit.',
  match: 'The last entry of a server that the leader knows to be the same as its own (matchIndex).',
  next: 'The entry that the leader sends a server next (nextIndex).',
  committed: 'A majority has the entry on its disks, and the leader has said so: it will never be lost.',
  'commit index': 'The highest entry that a server knows to be committed. It may lag behind the leader’s.',
  applied: 'The server’s store has executed the entry. Only committed entries are applied.',
  snapshot: 'A copy of the store that stands for all entries up to one. The entries themselves can then be dropped.',
  membership: 'Who the members are. It is an entry of the log, and is in force as soon as a server has that entry.',
  'joint consensus':
    'The time between two memberships. Every decision then needs a majority of the old voters and one of the new.',
  // Clients
  client: 'A user of the store. It asks one server after the other until one answers.',
  session:
    'A client’s identity in the store. With the number of a request, the store recognises one that is tried again, and ' +
    'executes it once.',
  linearizable:
    'What clients saw is what one store, asked by one after the other, might have shown them: every answer is as of a moment ' +
    'between request and answer.',
  lease:
    'A time within which no other server can be elected, as far as clocks can be trusted. A leader can answer reads in it ' +
    'without asking the others.',
  'read index':
    'The commit index at the time of a read. The answer may come from any store that has applied that much, once the leader ' +
    'has confirmed that it leads.',
  round:
    'The heartbeats with one number. When a majority has answered them, the leader knows that it led when it sent them.',
  // The world
  disk: 'What survives a crash. A write is safe when it is synced; one that is under way may be lost.',
  clock: 'What a server’s own clock shows. It may run fast or slow, or jump.',
  latency: 'How long a message is on its way.',
};

/** Words of the page that stand for a term. @type {Record<string, string>} */
export const sameAs = {
  currentTerm: 'term',
  votedFor: 'vote',
  'Election timeout': 'election timeout',
  Heartbeat: 'heartbeat',
  Snapshot: 'snapshot',
  commit: 'committed',
  entries: 'entry',
  index: 'entry',
  commitIndex: 'commit index',
  lastApplied: 'applied',
  matchIndex: 'match',
  nextIndex: 'next',
  sessions: 'session',
};
