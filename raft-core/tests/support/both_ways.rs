//! A schedule played with every rule and without one of them: with all it must go well, and without
//! the one it must not.

#![allow(dead_code)] // Each test file uses its own part of this.

use raft_core::raft::{Rule, Rules, ServerId};
use raft_core::time::Duration;

use crate::support::{Answer, Cluster, Setup};

/// Plays `schedule` with every rule, and then without `rule`. The schedule says what went wrong;
/// with every rule that is nothing, and without the one a fault that contains `sign`.
///
/// Where rules can't be switched off, only the first half is played, and asking for less changes
/// nothing.
#[track_caller]
pub fn both_ways(rule: Rule, sign: &str, schedule: impl Fn(Rules) -> Vec<String>) {
    both_ways_from(Rules::ALL, rule, sign, schedule);
}

/// Like [`both_ways`], where the rules of `base` hold instead of all.
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

/// A cluster by these rules, which notes violations instead of failing.
pub fn by_rules(setup: Setup, rules: Rules) -> Cluster {
    let mut cluster = setup.config(move |config| config.rules = rules).start();
    cluster.tolerate();
    cluster
}

/// The faults seen so far: what the cluster checks after every step.
pub fn faults(cluster: &Cluster) -> Vec<String> {
    cluster.violations().to_vec()
}

/// Asks `server` for a read of which the answer must contain `written`, which was acknowledged
/// before; a stale answer is a fault. No answer is none.
pub fn fault_of_read(cluster: &Cluster, read: u64, written: &str) -> Option<String> {
    match cluster.answer(read) {
        Some(Answer::Read(seen)) if !seen.iter().any(|command| command == written) => {
            Some(format!("stale read: the answer was {seen:?}, after “{written}” had been written"))
        }
        _ => None,
    }
}

/// Lets everybody's patience with a leader pass, then makes `server` campaign and everything
/// arrive. Whether it leads.
pub fn try_to_elect(cluster: &mut Cluster, server: ServerId) -> bool {
    cluster.sleep(Duration::from_millis(150));
    cluster.campaign(server);
    cluster.settle();
    cluster.leads(server)
}
