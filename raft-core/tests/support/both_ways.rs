//! A schedule played with every rule and without one of them: with all it must go well, and without
//! the one it must not.

#![allow(dead_code)] // Each test file uses its own part of this.

use raft_core::raft::{RequestId, Rule, Rules, ServerId};
use raft_core::time::Duration;

use crate::support::{Answer, Cluster, Setup};

/// Plays `schedule` in a cluster with every rule, and then in one without `rule`. What goes wrong
/// the cluster notes: with every rule that is nothing, and without the one a fault that contains
/// `sign`.
///
/// Where rules can't be switched off, only the first half is played, and asking for less changes
/// nothing.
#[track_caller]
pub fn both_ways(rule: Rule, sign: &str, setup: Setup, schedule: impl Fn(&mut Cluster)) {
    both_ways_from(Rules::ALL, rule, sign, |rules| faults(rules, setup.clone(), &schedule));
}

/// Like [`both_ways`], where the rules of `base` hold instead of all, and `faults` says what goes
/// wrong by them.
#[track_caller]
pub fn both_ways_from(base: Rules, rule: Rule, sign: &str, faults: impl Fn(Rules) -> Vec<String>) {
    let sound = faults(base);
    assert!(sound.is_empty(), "with {rule:?} this should go well: {sound:#?}");
    let broken = faults(base.without(rule));
    if cfg!(feature = "switchable-rules") {
        assert!(
            broken.iter().any(|fault| fault.contains(sign)),
            "without {rule:?} there should be a fault with “{sign}”: {broken:#?}"
        );
    } else {
        assert!(broken.is_empty(), "switches are compiled out, and yet {rule:?} makes a difference: {broken:#?}");
    }
}

/// What goes wrong where `schedule` is played by these rules.
pub fn faults(rules: Rules, setup: Setup, schedule: impl Fn(&mut Cluster)) -> Vec<String> {
    let mut cluster = setup.config(move |config| config.rules = rules).start();
    cluster.tolerate();
    schedule(&mut cluster);
    cluster.violations().to_vec()
}

/// The answer to `read` must contain `written`, which was acknowledged before it was asked; a stale
/// answer is a fault. No answer is none.
pub fn must_see(cluster: &mut Cluster, read: RequestId, written: &str) {
    if let Some(Answer::Read(seen)) = cluster.answer(read)
        && !seen.iter().any(|command| command == written)
    {
        let what = format!("stale read: the answer was {seen:?}, after “{written}” had been written");
        cluster.violated(what);
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

/// If `server` can be made the leader, it writes.
pub fn elect_and_write(cluster: &mut Cluster, server: ServerId, command: &str) {
    if try_to_elect(cluster, server) {
        cluster.propose(server, command);
        cluster.settle();
    }
}
