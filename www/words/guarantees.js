// @ts-check
// What runs are judged by: each guarantee's name, what it says, and its source.
// Made from raft-core/src/check/words.rs by UPDATE_DOCS=1; don't edit it by hand.

/** @type {[name: string, says: string, source: string][]} */
export const guarantees = [
  ['Linearizability', 'What clients saw is what one store might have shown them, one after the other.', 'Raft §8'],
  ['Liveness', 'When a storm is over for a quorum, it elects a leader, and answers again.', 'Raft §5.6'],
  ['Election Safety', 'At most one server leads a term, over the whole run.', 'Raft Figure 3'],
  ['Leader Append-Only', 'A leader never drops or changes an entry of its own log.', 'Raft Figure 3'],
  ['Log Matching', 'Logs that hold an entry with the same index and term are equal up to it.', 'Raft Figure 3'],
  ['Leader Completeness', 'A new leader has everything that was committed in earlier terms.', 'Raft Figure 3'],
  ['State Machine Safety', 'No two servers apply different entries at the same index.', 'Raft Figure 3'],
  ['Monotonic State', 'Term, commit index and last applied never go back while a server runs.', 'Raft Figure 2'],
  ['One Vote a Term', 'A server’s vote changes only with its term, across restarts too.', 'Raft §5.2'],
  ['Durable Promise', 'A vote or an acknowledgement that is sent is on its sender’s disk.', 'Raft Figure 2'],
  ['Durable Commit', 'What is committed is on the disks of a quorum.', 'Raft §5.3'],
  ['Exactly Once', 'A write takes effect once, however often its client tries it.', 'Raft §8'],
  ['Lawful Membership', 'Majorities of a membership and of the next one have a server in common.', 'Raft §6'],
  ['Fresh Reads', 'A read shows everything that was committed when it was asked for.', 'Raft §8'],
  ['Verified Commit', 'A follower commits only what it has compared with its leader’s log.', 'Raft Figure 2'],
  ['Every Request Ends', 'A server answers or refuses every request within a bounded time.', 'Raft §8'],
  [
    'Orderly Elections',
    'No server campaigns or votes too soon, or leads without a quorum for too long.',
    'dissertation §4.2.3, §6.2, §9.6',
  ],
  ['Economy', 'Servers send not many more messages and bytes than the load calls for.', 'dissertation §10'],
  ['State Machine Contract', 'A state machine keeps to what is asked of one: equal entries, equal states.', ''],
];
