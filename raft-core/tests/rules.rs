//! Every rule that can be switched off, and what happens without it.
//!
//! Each test plays one schedule twice: with every rule, where nothing may go wrong, and without the
//! rule, where a checker must see what the rule prevents. What sees it is the cluster's own check
//! after each step (one leader a term; the same entry wherever an index is applied), or an answer
//! to a client that contradicts an earlier one.
//!
//! Three rules are seen in another way, for a reason:
//! * [`Rule::StepDownOnHigherTerm`] costs no safety here: only a *leader* goes on as before without
//!   it, and the others refuse what it says. What it costs is that the leader never comes back.
//! * [`Rule::CommitOnlyVerified`] bounds what a heartbeat can commit. This core's leaders never
//!   send a member a heartbeat without entries before the logs are known to agree, so the test
//!   sends the one that other leaders would.
//! * [`Rule::OwnCommitBeforeChange`] is there for changes of one server at a time. Joint consensus
//!   needs a majority of the old voters as well, which prevents the same thing, so the schedule is
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

/// A hunt for what happens without a rule must end with a violation, not with a panic.
#[test]
fn storms_without_a_rule_never_panic() {
    use raft_core::raft::{Rule, Rules};
    use raft_core::sim::{Profile, Simulation, hunt};
    use raft_core::time::{Duration, Time};
    for rule in Rule::ALL {
        for seed in 0..8 {
            let scenario = hunt(seed, None, Duration::from_secs(15), Profile::Full, Rules::ALL.without(rule));
            let mut world = Simulation::new(scenario).expect("a hunt makes a world");
            // Nobody looks at what is violated, so that the run goes on after it.
            world.stop_checking();
            world.run_until(Time::from_secs(15));
        }
    }
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
