//! Plays a schedule with every rule, when it must go well, and without one rule, when it must fail.

#![allow(dead_code)] // Each test file uses only a part of this.

use raft_core::raft::{Rule, Rules, ServerId};
use raft_core::time::Duration;

use crate::support::{Answer, Cluster, Setup};

/// Plays `schedule` with every rule, and then without `rule`. The schedule returns the faults:
/// there must be none with every rule, and one that contains `sign` without the rule.
///
/// If the crate is built without switchable rules, only the first half is played, and both halves
/// would be the same.
#[track_caller]
pub fn both_ways(rule: Rule, sign: &str, schedule: impl Fn(Rules) -> Vec<String>) {
    both_ways_from(Rules::ALL, rule, sign, schedule);
}

/// Like [`both_ways`], with the rules of `base` instead of all.
#[track_caller]
pub fn both_ways_from(base: Rules, rule: Rule, sign: &str, schedule: impl Fn(Rules) -> Vec<String>) {
    let sound = schedule(base);
    assert!(sound.is_empty(), "with {rule:?} this should go well: {sound:#?}");
    let broken = schedule(base.without(rule));
    if cfg!(feature = "switchable-rules") {
        assert!(
            broken.iter().any(|fault| fault.contains(sign)),
            "without {rule:?} there should be a fault with “{sign}”: {broken:#?}"
        );
    } else {
        assert!(broken.is_empty(), "switches are compiled out, and yet {rule:?} makes a difference: {broken:#?}");
    }
}

/// A cluster with these rules that records violations instead of failing.
pub fn by_rules(setup: Setup, rules: Rules) -> Cluster {
    let mut cluster = setup.config(move |config| config.rules = rules).start();
    cluster.tolerate();
    cluster
}

/// The faults seen so far: what the cluster checks after every step.
pub fn faults(cluster: &Cluster) -> Vec<String> {
    cluster.violations().to_vec()
}

/// Returns a fault if the answer to the read lacks `written`, which was acknowledged before. It is
/// no fault if there is no answer.
pub fn fault_of_read(cluster: &Cluster, read: u64, written: &str) -> Option<String> {
    match cluster.answer(read) {
        Some(Answer::Read(seen)) if !seen.iter().any(|command| command == written) => {
            Some(format!("stale read: the answer was {seen:?}, after “{written}” had been written"))
        }
        _ => None,
    }
}

/// Waits until no server hears a leader, lets `server` campaign, and delivers everything. Returns
/// whether it leads.
pub fn try_to_elect(cluster: &mut Cluster, server: ServerId) -> bool {
    cluster.sleep(Duration::from_millis(150));
    cluster.campaign(server);
    cluster.settle();
    cluster.leads(server)
}
