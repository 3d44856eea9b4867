//! The handle of a run: playing it, and doing something to it.

use js_sys::Array;
use raft_core::format::link::{self, Plain};
use raft_core::raft::{LogIndex, Raft, Role, ServerId};
use raft_core::sim::timeline::{Acted, Position};
use raft_core::sim::{Action, Body, Simulation, Timeline};
use raft_core::time::{Duration, Time};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

use crate::js::{PageError, moment};

/// How many entries must be committed before a new run is shown, so that there is something to see.
const OPENING_ENTRIES: LogIndex = LogIndex(4);
/// In which steps a new run is played until then.
const OPENING_STEP: Duration = Duration::from_millis(5);
/// How far it is played at most.
const OPENING_LIMIT: Time = Time::from_secs(5);

/// A cluster's run: its past, its present, and its other futures.
#[wasm_bindgen]
pub struct Run {
    pub(crate) timeline: Timeline,
    /// Counts what has changed the world shown, besides playing on: going back, and another branch.
    pub(crate) epoch: u64,
    /// Whether it was opened with a trace hash that it doesn't have here.
    pub(crate) differs: bool,
}

#[wasm_bindgen]
impl Run {
    /// Plays every event up to `time` (microseconds) and lets the clock stand there. Stops at a
    /// violation.
    #[wasm_bindgen(js_name = advanceTo)]
    pub fn advance_to(&mut self, time: f64) {
        self.timeline.play_until(moment(time));
    }

    /// Plays a new run until there is something to see: a leader that has committed some entries,
    /// and a client's request on its way. After five seconds it is shown as it is.
    pub fn open(&mut self) {
        while !self.shows_something() && self.world().violation().is_none() && self.world().now() < OPENING_LIMIT {
            let next = self.world().now() + OPENING_STEP;
            self.timeline.play_until(next);
        }
    }

    /// Plays the next event. There is none if a violation has stopped the run.
    #[wasm_bindgen(js_name = stepEvent)]
    pub fn step_event(&mut self) {
        self.timeline.step();
    }

    /// Does something to the run; in the past, that begins a new branch. The action has the name
    /// that it has in files, and its fields, in the order of the table of actions, are plain
    /// values: servers by their numbers (or `leader`, `writer`), times in microseconds, shares in
    /// parts per million.
    ///
    /// # Errors
    /// A sentence where the action makes no sense: there is none of that name, a field is missing,
    /// there is no such server, a share is above one, a shortest time is longer than the longest, a
    /// command can't be read, or a violation has ended the run. Nothing happens then.
    pub fn act(&mut self, name: &str, fields: Vec<JsValue>) -> Result<(), JsValue> {
        let fields = fields.iter().map(plain).collect();
        let action = link::action_of(name, fields).map_err(PageError::from)?;
        Ok(self.perform(action)?)
    }

    /// Folded from every event so far, as 16 hexadecimal digits: equal hashes, equal runs.
    #[wasm_bindgen(js_name = traceHash)]
    pub fn trace_hash(&self) -> String {
        format!("{:016x}", self.world().trace_hash())
    }
}

impl Run {
    pub(crate) fn of(timeline: Timeline) -> Run {
        Run { timeline, epoch: 0, differs: false }
    }

    fn shows_something(&self) -> bool {
        let world = self.world();
        let leads = |raft: &Raft| matches!(raft.role(), Role::Leader(_)) && raft.commit_index() >= OPENING_ENTRIES;
        world.machines().iter().any(|machine| machine.raft().is_some_and(leads))
            && world.network().flights().any(|flight| matches!(flight.body, Body::Request(_)))
    }

    pub(crate) fn world(&self) -> &Simulation {
        self.timeline.world()
    }

    pub(crate) fn server(&self, number: u32) -> Result<ServerId, PageError> {
        let server = u8::try_from(number).ok().and_then(ServerId::new);
        let server = server.filter(|server| self.world().machine(*server).is_some());
        server.ok_or_else(|| PageError(format!("there is no S{number} in this cluster")))
    }

    pub(crate) fn perform(&mut self, action: Action) -> Result<(), PageError> {
        self.world().check_action(&action)?;
        match self.timeline.act(action)? {
            Acted::Extended => Ok(()),
            Acted::Branched(_) => {
                self.epoch += 1;
                Ok(())
            }
            Acted::RunIsOver => Err(PageError("a violation has ended this run: go back on the tape first".into())),
        }
    }

    /// Goes to another moment, and counts it if that is an earlier one.
    pub(crate) fn travel(&mut self, go: impl FnOnce(&mut Timeline) -> Position) {
        let before = self.timeline.position();
        let after = go(&mut self.timeline);
        // Going forward is like playing: what the page has read still holds.
        if after < before {
            self.epoch += 1;
        }
    }
}

/// A value as it is; anything that no action has becomes an empty list, which none has either.
fn plain(value: &JsValue) -> Plain {
    match (value.as_f64().or_else(|| value.as_bool().map(f64::from)), value.as_string()) {
        (Some(number), _) => Plain::Number(number as i64),
        (None, Some(text)) => Plain::Text(text),
        (None, None) => {
            let number = |value: JsValue| value.as_f64().map_or(u8::MAX, |number| number as u8);
            Plain::Groups(value.dyn_ref::<Array>().map_or_else(Vec::new, |list| list.iter().map(number).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use raft_core::sim::Target;

    use super::*;

    #[test]
    fn a_new_run_opens_where_there_is_something_to_see() {
        for seed in 1..=20 {
            let mut run = Run::create(&seed.to_string(), 5, "").unwrap();
            run.open();
            assert!(run.shows_something() && run.world().now() < OPENING_LIMIT, "seed {seed}");
        }
        let mut nobody_leads = Run::create("1", 3, "").unwrap();
        for server in 1..=2 {
            nobody_leads.perform(Action::Crash(Target::Server(ServerId::new(server).unwrap()))).unwrap();
        }
        nobody_leads.open();
        assert_eq!(nobody_leads.world().now(), OPENING_LIMIT);
    }

    #[test]
    fn what_cannot_be_done_is_refused_in_a_sentence() {
        let mut run = Run::create("1", 3, "").unwrap();
        assert_eq!(run.server(0).unwrap_err().0, "there is no S0 in this cluster");
        assert_eq!(run.server(4).unwrap_err().0, "there is no S4 in this cluster");
        let crash = |server| Action::Crash(Target::Server(ServerId::new(server).unwrap()));
        assert_eq!(run.perform(crash(4)).unwrap_err().0, "there is no S4 in this cluster");
        let submit = |line: &str| Action::Submit(line.into());
        assert_eq!(run.perform(submit("put x")).unwrap_err().0, "put needs a key and a value: put x 1");
        run.perform(submit("put x 1")).unwrap();
        // Where servers may join, one that hasn't yet is refused, too.
        run.perform(Action::AddServer).unwrap();
        run.perform(crash(4)).unwrap();
        assert_eq!(run.perform(crash(5)).unwrap_err().0, "there is no S5 in this cluster");
    }
}
