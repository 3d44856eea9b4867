//! The black-box check of a history that grows.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::explain::{Explanation, explain};
use super::history::{History, KeyId};
use super::problem::Scratch;
use super::{Judgement, judge};

/// Checks a growing history again and again, but only the keys that have new answers.
///
/// A beginning alone changes nothing: the operation may have happened or not. And a history that is
/// not linearizable never becomes so.
#[derive(Clone, Debug, Default)]
pub struct Monitor {
    /// For each key, by name, how many answers it had when it was last checked, and whether it was
    /// decided then.
    checked: BTreeMap<Arc<str>, (u32, bool)>,
    broken: Option<Explanation>,
}

/// The verdict on a growing history so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MonitorStatus<'a> {
    /// It is linearizable so far.
    Linearizable,
    /// It is not linearizable, whatever follows.
    NotLinearizable(&'a Explanation),
    /// The work allowed was used up on these keys.
    Undecided(Vec<KeyId>),
}

impl Monitor {
    /// A monitor that has seen nothing yet.
    pub fn new() -> Monitor {
        Monitor::default()
    }

    /// Checks what is new, looking at operations no more than about `work_max` times for each key.
    /// The history must be the one checked before, or its continuation. Any other history, even
    /// from another branch of the same run, needs another monitor.
    pub fn update(&mut self, history: &History, work_max: u64) -> MonitorStatus<'_> {
        if self.broken.is_none() {
            self.broken = self.check_new(history, work_max);
        }
        match &self.broken {
            Some(explanation) => MonitorStatus::NotLinearizable(explanation),
            None => {
                let decided = |key: KeyId| self.checked.get(history.key(key)).is_none_or(|&(_, decided)| decided);
                let undecided: Vec<KeyId> = history.keys().filter(|&key| !decided(key)).collect();
                if undecided.is_empty() { MonitorStatus::Linearizable } else { MonitorStatus::Undecided(undecided) }
            }
        }
    }

    fn check_new(&mut self, history: &History, work_max: u64) -> Option<Explanation> {
        let mut scratch = Scratch::default();
        for key in history.keys() {
            let answers = history.key_history(key).answers;
            let (before, decided) = self.checked.entry(history.key(key).clone()).or_insert((0, true));
            if *before == answers {
                continue;
            }
            *before = answers;
            match judge(history, key, work_max, &mut scratch).0 {
                Judgement::Fine(_) => *decided = true,
                Judgement::Undecided => *decided = false,
                Judgement::Broken => return Some(explain(history, key, work_max, &mut scratch)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::{End, Outcome, Request};
    use super::*;

    #[test]
    fn a_growing_history_is_checked_as_it_grows() {
        let mut history = History::new();
        let mut monitor = Monitor::new();
        assert_eq!(monitor.update(&history, 1_000), MonitorStatus::Linearizable);
        let put = history.invoke(1, "x", Request::Put { value: "1" }, None).unwrap();
        let get = history.invoke(2, "x", Request::Get, None).unwrap();
        assert_eq!(monitor.update(&history, 1_000), MonitorStatus::Linearizable);
        history.complete(get, End::Answered(Outcome::Found(Some("1"))), None).unwrap();
        assert_eq!(monitor.update(&history, 1_000), MonitorStatus::Linearizable);
        history.complete(put, End::Answered(Outcome::Written { replaced: None }), None).unwrap();
        let stale = history.invoke(2, "x", Request::Get, None).unwrap();
        history.complete(stale, End::Answered(Outcome::Found(None)), None).unwrap();
        let MonitorStatus::NotLinearizable(explanation) = monitor.update(&history, 1_000) else { panic!() };
        assert_eq!((explanation.event, &explanation.conflicting[..]), (5, &[put, stale][..]));
        let first = explanation.clone();
        let other = history.invoke(1, "y", Request::Put { value: "1" }, None).unwrap();
        history.complete(other, End::Unknown, None).unwrap();
        assert_eq!(monitor.update(&history, 1_000), MonitorStatus::NotLinearizable(&first));
    }
}
