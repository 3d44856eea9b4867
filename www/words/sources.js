// @ts-check
// What the sources say that the page's sentences cite, in our own words: the paper's sections and
// figures, the dissertation's sections, and the rest. Loaded when somebody asks for the first.

/**
 * By the name under which a sentence cites it: what it is called, and what it says.
 * @type {Record<string, [title: string, says: string]>}
 */
export const sources = {
  'Raft Figure 2': [
    'Raft on one page',
    'What each server keeps, what its messages say, and what it does with them. Term, vote and log must be on the disk ' +
      'before a server answers. A follower drops entries only where they conflict with the leader’s, and commits no ' +
      'further than the entries that the leader has just confirmed.',
  ],
  'Raft Figure 3': [
    'The five promises',
    'Raft promises five things at all times: Election Safety, Leader Append-Only, Log Matching, Leader Completeness and ' +
      'State Machine Safety. The last is what users rely on; the others lead to it.',
  ],
  'Raft Figure 8': [
    'A majority that is not enough',
    'An entry of an older term can be on a majority of servers, and still be overwritten: a server with a later last term ' +
      'may win the next election without having it. So a leader counts only copies of entries of its own term.',
  ],
  'Raft §5.1': [
    'Terms',
    'Time is divided into terms, numbered one after the other; each begins with an election. Every message carries its ' +
      'sender’s term. Who sees a higher term adopts it and is a follower; a message of an older term is refused.',
  ],
  'Raft §5.2': [
    'Electing a leader',
    'A follower that hears no leader for its election timeout raises its term, votes for itself, and asks the others. Each ' +
      'server gives one vote a term. Whoever has a majority leads; since two majorities have a server in common, a term has ' +
      'at most one leader. Timeouts are random, so that votes are rarely split.',
  ],
  'Raft §5.3': [
    'Copying the log',
    'The leader appends each command to its log and sends it to the others. Each append names the entry before it: a ' +
      'follower that lacks that entry refuses, and the leader goes back until the logs agree. Once a majority has the entry, ' +
      'it is committed: it will be executed everywhere, in the same order.',
  ],
  'Raft §5.4.1': [
    'Who may be elected',
    'A server refuses its vote to a candidate whose log is behind its own: with an older last term or, with the same, a ' +
      'shorter log. A committed entry is on a majority, and one of these must vote: so every leader has all committed entries.',
  ],
  'Raft §5.4.2': [
    'Entries of earlier terms',
    'A leader doesn’t commit entries of earlier terms by counting copies, because these could still be overwritten. It ' +
      'commits an entry of its own term; with that, everything before it is committed too.',
  ],
  'Raft §5.5': [
    'Crashes',
    'A follower that crashed misses messages; the leader sends them again until it answers. Messages may arrive twice, and ' +
      'that does no harm. After its restart a server goes on with what was on its disk.',
  ],
  'Raft §5.6': [
    'Timing',
    'Raft is safe however slow messages are, but it needs time to make progress: a message must be much faster than an ' +
      'election timeout, and a timeout much shorter than the time between crashes. Otherwise elections never end.',
  ],
  'Raft §6': [
    'Changing the members',
    'If servers went over to a new membership one by one, two majorities without a common server could act at the same time. ' +
      'So the cluster goes through joint consensus, in which a decision needs a majority of the old members and one of the ' +
      'new. A membership is in force as soon as it is in the log, committed or not.',
  ],
  'Raft §7': [
    'Snapshots',
    'A log can’t grow for ever. Each server puts what it has applied into a snapshot, and drops the entries that it stands ' +
      'for. A leader sends its snapshot to a server for which it has no entries any more.',
  ],
  'Raft §8': [
    'Clients',
    'A client sends its requests to the leader, and tries again if no answer comes. Each request has a number, so that one ' +
      'that is tried twice is executed once. Before it answers a read, a leader must have committed an entry of its term, and ' +
      'must hear from a majority that it still leads: else the answer could be stale.',
  ],
  'dissertation §3.8': [
    'What must survive a restart',
    'Term, vote and log must be on the disk before a server acts on them. A server that has lost any of that can’t come back ' +
      'as who it was: it may have voted or acknowledged what it no longer knows. It joins again as a new member.',
  ],
  'dissertation §3.10': [
    'Handing over leadership',
    'A leader can choose its successor: it takes no more requests, brings the other’s log up to date, and tells it to ' +
      'campaign at once. If that doesn’t succeed within an election timeout, it goes on leading.',
  ],
  'dissertation §4.2.2': [
    'A leader that is removed',
    'A leader that isn’t among the new members leads until that membership is committed, without counting itself. ' +
      'Then it steps down.',
  ],
  'dissertation §4.2.3': [
    'Servers that disturb',
    'A server that was removed hears no heartbeats, and would campaign again and again. So a server that has heard its leader ' +
      'within the shortest election timeout ignores campaigns, unless that leader asked for one.',
  ],
  'dissertation §6.2': [
    'Finding the leader',
    'A leader that has been cut off would keep its clients waiting. So a leader steps down when an election timeout passes ' +
      'without answers from a majority; its clients then look for another.',
  ],
  'dissertation §6.4': [
    'Reads without an entry',
    'A read need not go through the log. The leader notes its commit index, confirms with a round of heartbeats that it still ' +
      'leads, waits until its store has applied that much, and answers. A follower can ask the leader for that index, and ' +
      'answer itself.',
  ],
  'dissertation §6.4.1': [
    'Leases',
    'While a majority has promised to elect nobody else, a leader can answer reads without asking. The promise is measured by ' +
      'clocks: if they drift apart more than was assumed, an answer can be stale. A leader gives its lease up before it hands ' +
      'over leadership.',
  ],
  'dissertation §9.6': [
    'Pre-vote',
    'A server that was cut off would come back with a high term and depose a leader that works. So a server first asks ' +
      'whether it would be elected, and raises its term only if a majority says yes.',
  ],
  'dissertation §10': [
    'Building it well',
    'How to make Raft fast: the leader sends many entries in one message, does not wait for one answer before it sends the ' +
      'next, and writes to its own disk meanwhile.',
  ],
  'dissertation §10.2.1': [
    'The leader’s own disk',
    'A leader may send an entry to the others while it is still writing it. It counts itself only when its write has ' +
      'finished; if a majority of others has the entry on their disks before, it is committed all the same.',
  ],
  'raft-dev, July 2015': [
    'A mistake in changing members, and its repair',
    'On the mailing list of Raft’s authors, Diego Ongaro told of a flaw in changing members one by one: two leaders of ' +
      'different terms could each commit a change, with majorities that don’t overlap. The repair: a leader first commits an ' +
      'entry of its own term.',
  ],
  'a disk that writes while the log changes: the ABA problem': [
    'An old write that looks like a new one',
    'While a disk writes entry 5, entry 5 may be replaced by another. “Entry 5 is written” then speaks of the old one. This is ' +
      'a case of the ABA problem: a value that looks the same isn’t the same. So a write is known by index and term.',
  ],
};
