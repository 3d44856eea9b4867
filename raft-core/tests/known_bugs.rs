//! Bugs of real Raft implementations, with a test for each, named for what must hold.
//!
//! Each of these tests has been seen to fail, with the bug put into the core for a moment, as the
//! last column says, or with the rule off that prevents it, which `rules.rs` does in every run.
//! Tests that are not in the table are for planted bugs (`mutants/`) that no other test found. From
//! "a follower's read answered by an answer from before its crash" on, the last column says how
//! this core itself was wrong before.
//!
//! | what went wrong | test | how the bug was put back |
//! | --- | --- | --- |
//! | an entry of an older term committed by counting (LogCabin#44, PySyncObj#169, CCF#3950) | `rules::log::an_older_terms_entry…`, `paper::commitment::s5_4_2…` | rule `commit-only-own-term` off |
//! | two leaders after single-server changes (raft-dev 2015, copycat#23, sorock#60) | `rules::membership::changes_of_two_leaders…`, `membership::a_new_leader_changes_no_membership…` | rule `own-commit-before-change` off, and so was the check |
//! | a removed leader counts itself | `membership::a_leader_that_removes_itself…` | the leader among the voters when matches are counted |
//! | a removed server disrupts | `membership::a_removed_follower…`, `paper::membership::s6_removed_servers…` | a pre-vote raises terms |
//! | a removed leader doesn't tell the others | `membership::a_leader_that_was_removed_tells…` | the last commit index is sent to nobody |
//! | a removed voter can't campaign though it must (cowsql#150) | `membership::a_server_outside_its_latest_membership…` | only the latest membership's voters campaign |
//! | stale read on a fresh leader (etcd#7331, redisraft 2020) | `rules::reads::a_new_leader_answers_nothing_stale…` | rule `own-commit-before-reading` off |
//! | stale read under duplication and delay (etcd#20418) | `reads::an_answer_from_before_a_read…` | a read is assigned to the round in flight |
//! | one commit index for a batch of reads (tikv#7971) | `reads::a_followers_reads_have_indexes…`, `reads::each_read_of_a_batch…` | a later read takes the first one's index |
//! | lease timed from the acknowledgement (etcd-io/raft#166, jraft#25, consul#54) | `rules::reads::a_lease_ends_before…` | rule `lease-from-sending` off |
//! | lease read after a transfer | `rules::reads::a_lease_does_not_outlive…` | rule `give-up-lease-on-transfer` off |
//! | lease kept while the clock jumps | `reads::a_lease_is_lost…`, `reads::a_lease_is_over…` | rounds are remembered when the clock goes back |
//! | lease broken by the servers that gave it | `rules::reads::a_lease_is_not_broken…`, `reads::a_lease_holds_through_the_restart…`, `reads::a_candidate_waits…`, `reads::a_voter_that_hears_a_leader…` | rule `ignore-campaigns-under-leader` off; no patience after a restart; none with one's own vote; none in one's own term |
//! | committed suffix truncated by an old append (hashicorp#113, CCF#5991, akka#152) | `log::an_old_append_delivered_twice…`, `rules::log::an_old_append…` | rule `truncate-only-on-conflict` off |
//! | commit beyond the verified prefix (scylla#9965, copycat#265) | `rules::log::a_divergent_tail…` | rule `commit-only-verified` off |
//! | next and match not monotone (PySyncObj#167, raft-rs#557) | `log::what_is_known_to_match…` | the last answer's index is believed |
//! | endless back-off, collapse with a long divergence (async-raft) | `log::a_divergence_of_a_thousand…`, `log::a_rejection_that_arrives_twice…` | one step a round; rejections not tied to the probe |
//! | double vote after a crash (xraft#33, daos#70) | `elections::a_crash_between_a_vote…`, `rules::election::…durable_before_it_is_given` | the vote isn't restored; rule `persist-before-voting` off |
//! | a vote counted twice | `elections::a_voter_that_answers_twice…` | counts answers, not voters |
//! | logs compared as a vector (openraft) | `elections::a_later_term_beats_a_longer_log` | requires both the length and the term to be as large |
//! | pre-vote disturbs terms, or counts as a vote | `elections::asking_before…`, `elections::a_pre_vote_is_not_a_vote`, `elections::a_vote_is_no_answer…` | the pre-vote request carries the next term, which is adopted; its answers count in the other kind of campaign, or in a later one |
//! | a pre-vote from an older term is dropped, and nobody can be elected | `elections::a_pre_vote_of_a_voter_in_an_older_term…` | answers of older terms are stale |
//! | no leader under partial connectivity (Cloudflare/etcd 2020, OmniPaxos) | `elections::a_leader_that_hears_nobody…`, `elections::a_server_that_hears_nobody…`, and the shapes beside them | pre-vote and check-quorum off, in the tests themselves |
//! | torn overwrite leaves terms out of order (braft#119) | `disks::an_overwrite_torn_at_any_point…` | the truncation is left out of the write |
//! | entries below a compacted prefix appended again (RedisLabs/raft#49) | `log::an_append_from_before_a_snapshot…` | the previous entry isn't checked below the snapshot |
//! | a follower stays in snapshot state for ever (etcd-io/raft#31) | `log::an_answer_beyond…`, `log::an_answer_short…`, `log::a_lost_answer…`, `log::a_snapshot_replaced…` | only the exact index ends it; a piece is never sent again |
//! | async append ABA (etcd) | `rules::disks::an_overwritten_write…`, `disks::a_write_vouches_for_nothing…`, `disks::a_write_vouches_for_no_snapshot…` | rule `match-writes-by-term` off; matched by term and index; a snapshot's end taken for durable |
//! | acknowledged before fsync (NATS 2.12) | `disks::what_was_answered_survives…`, `rules::disks::what_was_acknowledged…` | rule `persist-before-acknowledging` off |
//! | a corrupt record taken for an absent one (NATS; FAST '18) | `disks::a_damaged_record…` (two), `elections::images_of_damaged_disks…` | votes by the entries that are left; campaigns; the leader keeps the match index; images aren't checked |
//! | a server restarts with an empty disk under its old name | `disks::a_server_that_lost_its_disk…`, `rules::election::a_lost_disk…` | it starts as a member; rule `bar-amnesiac-voters` off |
//! | term or vote lost at restart (WRaft) | `elections::term_vote_and_log_are_found_again…` | the term is the log's |
//! | a retried command applied twice | `rules::retries::a_retry_is_applied_once…` | rule `deduplicate-retries` off |
//! | sessions expire differently on each server | `kv::session`'s own tests: expiry depends on the log's index, not on a clock | |
//! | a read dropped silently (etcd#9566) | `reads::every_read_that_is_not_answered…`, `reads::a_follower_whose_read_waits…` | reads expire, or are lost with their leader, silently |
//! | a refused change becomes a no-op (etcd-io/raft#354) | `membership::every_refused_change…`, `membership::a_learner_that_lags…` | refusals are dropped; the lag isn't checked |
//! | the commit index survives a restart (raftscope#12) | `disks::a_restart_resets…` (two) | the commit index starts at the log's end |
//! | a follower's read answered by an answer from before its crash (like dragonboat#25) | `reads::an_answer_to_a_read_from_before…`, `reads::a_question_leaves_only…` | the numbers of read index requests start anew |
//! | a wiped voter votes while it replays how it joined (nats-server#7038, #7587; etcd#20269) | `returning::a_voter_that_lost_its_disk…`, `returning::messages_from_before…`, `returning::an_admission_counts…` | its standing comes from the first membership that has it; an admission counts at once |
//! | founders that come back without their disks never count again (redisraft#2) | `returning::founders_whose_disks…`, `returning::a_voter_that_joined_later…`, `returning::a_learner_whose_disk…` | no disk is admitted; every server that has caught up is promoted |
//! | two disks under one name | `returning::a_server_whose_name…` | the admission of another disk changes nothing |
//! | a removed leader alone has the final entry and restarts (openraft#2091) | `returning::a_removed_leader_that_joined_later…` | only the latest membership and the one at the commit index decide which servers campaign |
//! | a late acknowledgement from before a lost disk | `returning::a_late_acknowledgement…`, `returning::a_follower_that_lost_its_end…`, `returning::a_late_rejection…` | a rejection below the match index is always ignored, or never |
//! | endless probing of a damaged follower (similar to hashicorp#697) | `log::a_damaged_follower…` | the hint isn't bounded by the probe |
//! | a follower chases snapshots for ever (consul#9609, braft#423) | `log::a_follower_catches_up…` | one piece per round trip; compaction keeps nothing for slow followers |
//! | pieces of a snapshot multiply under duplication | `log::pieces_of_a_snapshot_do_not_multiply…` | every answer triggers a piece |
//! | a snapshot after every entry | `log::large_entries…` | the bound is compared with everything in the log |
//! | a snapshot over the limit is taken and never sent | `log::a_snapshot_that_nobody_takes…` | taken whatever its size |
//! | a dead member is sent the log again and again | `log::a_silent_member…` | each probe carries entries |
//! | a follower's read hangs while it catches up or is removed (ratis#1444) | `reads::a_followers_read_whose_entries…`, `reads::a_read_is_answered_when…`, `reads::reads_at_a_cut_off_leader…` | no deadline once the index has come; none at the leader; a membership releases no reads |
//! | elections that interrupt each other on slow disks (fluree#1373, rethinkdb#6038) | `disks::somebody_is_elected…`, `disks::a_disk_that_finishes…` | a server campaigns while its vote is being written; no allowance for slow disks; a stall counts from when the write was handed in |
//! | leases that are wrong during a change of settings | `reads::a_lease_rests_on…` (two) | the leader takes its own election timeout for the followers' |
//! | a new disk counts for a leader, though the old disk may have promised otherwise | `returning::a_stale_leader…` (two), `returning::what_the_disk_before…` (two), `returning::whose_loss…`, `replaced::a_late_match…` (two) | all answers count; a late message from the old disk counts for the new one |
//! | a server that claims its vote before the claim is durable | `returning::who_rejects_an_append…` | a rejection claims it before the disk does |
//! | an admission that is replayed bars the next disk | `replaced::a_second_new_disk…` (two) | every admission in the log counts |
//! | an acknowledgement that should count later never counts | `replaced::answers_to_pieces…`, `replaced::reads_go_on…` | a piece of a snapshot takes the vote away, and nothing is counted when it is given back |
//! | a leader goes on leading with the answers of a lost disk | `replaced::a_leader_that_has_its_quorum…` | every answer counts as hearing a voter |
//! | a learner under load is never promoted | `membership::a_learner_one_round_trip…` | a fixed lag |

#[path = "support/both_ways.rs"]
mod both_ways;
mod support;

#[path = "known_bugs/disks.rs"]
mod disks;
#[path = "known_bugs/elections.rs"]
mod elections;
#[path = "known_bugs/log.rs"]
mod log;
#[path = "known_bugs/membership.rs"]
mod membership;
#[path = "known_bugs/reads.rs"]
mod reads;
#[path = "known_bugs/replaced.rs"]
mod replaced;
#[path = "known_bugs/returning.rs"]
mod returning;
