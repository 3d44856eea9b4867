// @ts-check
// Every rule that can be switched off: its name, what goes wrong without it, and the source that
// says so. Made from raft-core/src/raft/rules.rs by UPDATE_DOCS=1; don't edit it by hand.

/** @type {[name: string, prevents: string, source: string][]} */
export const rules = [
  ['compare-logs-before-voting', 'a leader that lacks committed entries', 'Raft §5.4.1'],
  ['vote-once-per-term', 'two leaders in one term', 'Raft §5.2'],
  ['persist-before-voting', 'a second vote in the same term after a crash', 'Raft Figure 2'],
  ['win-by-majority', 'two leaders in one term', 'Raft §5.2'],
  ['step-down-on-higher-term', 'a deposed leader that goes on as if nothing had happened', 'Raft §5.1'],
  ['refuse-stale-terms', 'a deposed leader that overwrites its successor’s entries', 'Raft §5.1'],
  ['persist-before-acknowledging', 'committed entries lost with the power', 'Raft Figure 2'],
  [
    'persist-before-counting',
    'an entry committed on the strength of a copy that a crash takes away',
    'dissertation §10.2.1',
  ],
  [
    'match-writes-by-term',
    'a write counted as done because an older one at the same index was',
    'a disk that writes while the log changes: the ABA problem',
  ],
  ['check-previous-entry', 'logs with holes, or that disagree', 'Raft §5.3'],
  ['truncate-only-on-conflict', 'acknowledged entries dropped by an old append', 'Raft Figure 2'],
  ['commit-only-verified', 'a divergent tail applied as if it were committed', 'Raft Figure 2'],
  ['commit-by-majority', 'committed entries that the next leader lacks', 'Raft §5.3'],
  ['commit-only-own-term', 'a committed entry overwritten, as in Figure 8', 'Raft §5.4.2'],
  ['ignore-old-snapshots', 'a state machine that goes back in time', 'Raft §7'],
  ['change-through-joint', 'two majorities that don’t overlap while voters change', 'Raft §6'],
  ['one-change-at-a-time', 'majorities of configurations that don’t overlap', 'Raft §6'],
  ['own-commit-before-change', 'two leaders after changes in different terms', 'raft-dev, July 2015'],
  ['membership-follows-log', 'servers that count different majorities', 'Raft §6'],
  ['bar-amnesiac-voters', 'a second vote, or a forgotten entry, after a lost disk', 'dissertation §3.8'],
  ['confirm-before-reading', 'a stale answer from a deposed leader', 'Raft §8'],
  ['own-commit-before-reading', 'a stale answer from a new leader', 'Raft §8'],
  ['apply-before-reading', 'a stale answer from a store that lags its log', 'dissertation §6.4'],
  ['lease-from-sending', 'a lease that outlives the followers’ patience', 'dissertation §6.4.1'],
  ['give-up-lease-on-transfer', 'a stale answer while the successor leads', 'dissertation §6.4.1'],
  ['ignore-campaigns-under-leader', 'a lease broken by an election it didn’t expect', 'dissertation §4.2.3'],
  ['deduplicate-retries', 'a retried command applied twice', 'Raft §8'],
];
