//! Every rule that can be switched off, and what happens without it.
//!
//! Each test plays one schedule twice: with every rule, when nothing may go wrong, and without the
//! rule, when a check must find what the rule prevents. The check is either the test cluster's own
//! one after each step (one leader a term; the same entry wherever an index is applied), or an
//! answer to a client that contradicts an earlier answer.
//!
//! Three rules need another way:
//! * [`Rule::StepDownOnHigherTerm`] costs no safety here: without it only a *leader* goes on as
//!   before, and the others refuse its messages. The leader just never rejoins.
//! * [`Rule::CommitOnlyVerified`] bounds what a heartbeat can commit. This core's leaders never
//!   send a member an empty heartbeat before the logs are known to agree, so the test sends the
//!   heartbeat that another implementation's leader would send.
//! * [`Rule::OwnCommitBeforeChange`] is meant for changes of one server at a time. Joint consensus
//!   also needs a majority of the old voters, which prevents the same bug, so the schedule is
//!   played without joint consensus.
//!
//! [`Rule::StepDownOnHigherTerm`]: raft_core::raft::Rule::StepDownOnHigherTerm
//! [`Rule::CommitOnlyVerified`]: raft_core::raft::Rule::CommitOnlyVerified
//! [`Rule::OwnCommitBeforeChange`]: raft_core::raft::Rule::OwnCommitBeforeChange

#[path = "support/both_ways.rs"]
mod both_ways;
mod support;

#[path = "rules/disks.rs"]
mod disks;
#[path = "rules/election.rs"]
mod election;
#[path = "rules/log.rs"]
mod log;
#[path = "rules/membership.rs"]
mod membership;
#[path = "rules/reads.rs"]
mod reads;
#[path = "rules/retries.rs"]
mod retries;

/// A run without a rule must end with a violation, not with a panic.
#[test]
fn storms_without_a_rule_never_panic() {
    use raft_core::raft::{Rule, Rules};
    use raft_core::sim::{Profile, Simulation, hunt};
    use raft_core::time::{Duration, Time};
    for rule in Rule::ALL {
        for seed in 0..8 {
            let scenario = hunt(seed, None, Duration::from_secs(15), Profile::Full, Rules::ALL.without(rule));
            let mut world = Simulation::new(scenario).expect("a hunt makes a world");
            // The checks are off, so that the run goes on after a violation.
            world.stop_checking();
            world.run_until(Time::from_secs(15));
        }
    }
}

/// What a violation says of an entry that nobody has any more: its index, and no term.
#[test]
fn a_violation_names_no_term_that_it_does_not_know() {
    use raft_core::raft::{Rule, Rules};
    use raft_core::sim::{Profile, Simulation, hunt};
    use raft_core::time::{Duration, Time};
    let mut found = 0;
    for seed in 90..140 {
        let rules = Rules::ALL.without(Rule::TruncateOnlyOnConflict);
        let scenario = hunt(seed, None, Duration::from_secs(15), Profile::Full, rules);
        let mut world = Simulation::new(scenario).expect("a hunt makes a world");
        world.run_until(Time::from_secs(15));
        let Some(violation) = world.violation() else { continue };
        found += 1;
        for fact in [&violation.first, &violation.second] {
            let strange = fact.split_whitespace().any(|word| word.ends_with("@0") && word != "0@0");
            assert!(!strange, "seed {seed}: {fact}");
        }
    }
    assert!(found > 20, "only {found} violations");
}

/// Each rule's test, so that a new rule can't be forgotten.
#[test]
fn every_rule_has_a_test_here() {
    use raft_core::raft::Rule;
    let sources = [
        include_str!("rules/disks.rs"),
        include_str!("rules/election.rs"),
        include_str!("rules/log.rs"),
        include_str!("rules/membership.rs"),
        include_str!("rules/reads.rs"),
        include_str!("rules/retries.rs"),
    ];
    for rule in Rule::ALL {
        let played = format!("Rule::{rule:?}, \"");
        assert!(sources.iter().any(|source| source.contains(&played)), "{rule:?} has no test here");
    }
}
