//! Time travel: to another moment, to a notable one, to another branch. And what the tape is
//! painted from.

use raft_core::sim::Simulation;
use raft_core::sim::timeline::{Branch, BranchId, Moment, MomentKind, Position};
use raft_core::text::turns_around;
use raft_core::time::Duration;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::js::{PageError, micros, moment};
use crate::json::to_js;
use crate::run::Run;
use crate::view;

/// See `BranchView` in `view.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BranchView {
    id: u32,
    name: String,
    origin: u32,
    left_at: f64,
    left_after: f64,
    end: f64,
    actions: u32,
    playing: bool,
}

#[wasm_bindgen]
impl Run {
    /// Goes to a time, back or forward: the state after everything up to it.
    pub fn seek(&mut self, time: f64) {
        self.travel(|timeline| timeline.seek(moment(time)));
    }

    /// Goes back by one event, if there is one.
    #[wasm_bindgen(js_name = stepBack)]
    pub fn step_back(&mut self) {
        self.travel(|timeline| {
            timeline.step_back();
            timeline.position()
        });
    }

    /// Goes to the last moment of these kinds before this one. False if there is none.
    #[wasm_bindgen(js_name = jumpBack)]
    pub fn jump_back(&mut self, kinds: u32) -> bool {
        let found = self.timeline.previous_moment(&kinds_in(kinds));
        if let Some(Moment { event, .. }) = found {
            self.travel(|timeline| timeline.seek_event(event));
        }
        found.is_some()
    }

    /// Goes to the next moment of these kinds, which is known or comes within so many microseconds.
    /// False if there is none; then nothing has changed.
    #[wasm_bindgen(js_name = jumpForward)]
    pub fn jump_forward(&mut self, kinds: u32, within: f64) -> bool {
        let limit = self.timeline.position().time + Duration::from_micros(within.max(0.0) as u64);
        self.timeline.jump_to_moment(&kinds_in(kinds), limit).is_some()
    }

    /// A stretch of a branch in `buckets` parts, as plain numbers. First, whether some moments were
    /// left out (1 or 0), and how many terms follow. Then for each term: its beginning, its end,
    /// its number, how many terms it stands for, its leader (0: none), and when that began and
    /// ceased to lead. Then for each mark: its bucket, how many moments it stands for, and the
    /// kind, time, event, server, client and number of the first of them.
    ///
    /// # Errors
    /// A sentence, if there is no such branch.
    pub fn tape(&self, branch: u32, from: f64, to: f64, buckets: u32) -> Result<Vec<f64>, JsValue> {
        let tape = self.timeline.tape(BranchId(branch), moment(from), moment(to), buckets).map_err(PageError::from)?;
        let mut numbers = Vec::with_capacity(2 + 7 * tape.bands.len() + 8 * tape.marks.len());
        numbers.extend([f64::from(u8::from(tape.thinned)), tape.bands.len() as f64]);
        for band in &tape.bands {
            let (leader, since, until) =
                band.led.map_or((0, band.to, band.to), |(leader, since, until)| (leader.number(), since, until));
            numbers.extend([micros(band.from), micros(band.to), band.term.0 as f64, f64::from(band.terms)]);
            numbers.extend([f64::from(leader), micros(since), micros(until)]);
        }
        for mark in &tape.marks {
            let first = mark.first;
            numbers.extend([f64::from(mark.bucket), f64::from(mark.count), f64::from(first.kind as u8)]);
            numbers.extend([micros(first.time), first.event as f64]);
            numbers.push(first.server.map_or(0.0, |server| f64::from(server.number())));
            numbers.push(first.client.map_or(0.0, |client| f64::from(client.0)));
            numbers.push(first.number as f64);
        }
        Ok(numbers)
    }

    /// Every branch, in the order in which they began.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "BranchView[]")]
    pub fn branches(&self) -> Result<JsValue, JsValue> {
        let playing = self.timeline.playing().id();
        to_js(&self.timeline.branches().iter().map(|branch| view_of(branch, playing)).collect::<Vec<_>>())
    }

    /// Goes to the same time on another branch, or to its end if that is earlier.
    ///
    /// # Errors
    /// A sentence, if there is no such branch.
    #[wasm_bindgen(js_name = switchTo)]
    pub fn switch_to(&mut self, branch: u32) -> Result<(), JsValue> {
        self.timeline.switch(BranchId(branch)).map_err(PageError::from)?;
        self.epoch += 1;
        Ok(())
    }

    /// Gives a branch another name.
    ///
    /// # Errors
    /// A sentence, if there is no such branch, or the name is empty.
    #[wasm_bindgen(js_name = renameBranch)]
    pub fn rename_branch(&mut self, branch: u32, name: &str) -> Result<(), JsValue> {
        Ok(self.timeline.rename(BranchId(branch), name).map_err(PageError::from)?)
    }

    /// Forgets a branch.
    ///
    /// # Errors
    /// A sentence, if there is no such branch, or it is the one being played.
    #[wasm_bindgen(js_name = deleteBranch)]
    pub fn delete_branch(&mut self, branch: u32) -> Result<(), JsValue> {
        Ok(self.timeline.delete(BranchId(branch)).map_err(PageError::from)?)
    }

    /// Another branch's cluster and messages at this time, or at that branch's end if it is
    /// earlier.
    ///
    /// # Errors
    /// A sentence, if there is no such branch.
    #[wasm_bindgen(unchecked_return_type = "Packed<Frame>")]
    pub fn beside(&mut self, branch: u32) -> Result<JsValue, JsValue> {
        let state = self.state();
        to_js(&view::frame(self.other(branch)?, state))
    }

    /// The same of that branch's logs: from index `first` on, at most `count` entries of each.
    ///
    /// # Errors
    /// A sentence, if there is no such branch.
    #[wasm_bindgen(js_name = besideLogs, unchecked_return_type = "LogView[]")]
    pub fn beside_logs(&mut self, branch: u32, first: f64, count: u32) -> Result<JsValue, JsValue> {
        to_js(&view::logs(self.other(branch)?, first.max(1.0) as u64, count as usize))
    }
}

impl Run {
    fn other(&mut self, branch: u32) -> Result<&Simulation, PageError> {
        let time = self.timeline.position().time;
        Ok(self.timeline.beside(BranchId(branch), time)?)
    }
}

fn kinds_in(set: u32) -> Vec<MomentKind> {
    MomentKind::ALL.into_iter().filter(|kind| set >> (*kind as u32) & 1 == 1).collect()
}

fn view_of(branch: &Branch, playing: BranchId) -> BranchView {
    let (origin, left) = branch.origin().map_or((0, Position::default()), |(origin, at)| (origin.0, at));
    BranchView {
        id: branch.id().0,
        // Names come with links, too: they don't turn around what stands beside them.
        name: branch.name().chars().filter(|c| !turns_around(*c)).collect(),
        origin,
        left_at: micros(left.time),
        left_after: left.event as f64,
        end: micros(branch.end().time),
        actions: branch.interventions().len() as u32,
        playing: branch.id() == playing,
    }
}

#[cfg(test)]
mod tests {
    use raft_core::sim::{Action, Target};

    use super::*;

    fn now(run: &Run) -> f64 {
        micros(run.world().now())
    }

    #[test]
    fn a_branch_s_name_turns_no_other_words_around() {
        let mut run = Run::create("1", 3, "").unwrap();
        run.rename_branch(run.timeline.playing().id().0, "where it \u{202e}broke\u{2066}").unwrap();
        let branch = run.timeline.playing();
        assert_eq!(view_of(branch, branch.id()).name, "where it broke");
    }

    #[test]
    fn going_back_begins_an_epoch_and_going_on_does_not() {
        let mut run = Run::create("7", 3, "").unwrap();
        run.advance_to(2e6);
        assert_eq!(run.epoch, 0);
        run.seek(1e6);
        assert_eq!((now(&run), run.epoch), (1e6, 1));
        run.seek(1.5e6);
        assert_eq!((now(&run), run.epoch), (1.5e6, 1));
        let before = run.timeline.position();
        run.step_back();
        assert!(run.timeline.position() < before);
        assert_eq!(run.epoch, 2);
        // Before the beginning there is nothing.
        run.seek(0.0);
        let epoch = run.epoch;
        run.step_back();
        assert_eq!((now(&run), run.epoch), (0.0, epoch));
    }

    #[test]
    fn one_jumps_to_the_next_election_and_back() {
        let election = 1 << MomentKind::ALL.iter().position(|kind| *kind == MomentKind::Election).unwrap();
        let mut run = Run::create("7", 3, "").unwrap();
        assert!(run.jump_forward(election, 5e6));
        let first = now(&run);
        run.perform(Action::Crash(Target::Leader)).unwrap();
        assert!(run.jump_forward(election, 5e6));
        assert!(now(&run) > first);
        assert!(run.jump_back(election) && now(&run) == first);
        assert!(!run.jump_back(election) && now(&run) == first);
        let end = run.state().end;
        assert!(!run.jump_forward(0, 9e6) && now(&run) == first && run.state().end == end);
    }

    #[test]
    fn a_tape_is_plain_numbers_in_rows() {
        let mut run = Run::create("7", 3, "").unwrap();
        run.advance_to(5e6);
        let tape = run.tape(1, 0.0, 5e6, 100).unwrap();
        let bands = tape[1] as usize;
        assert!(tape[0] == 0.0 && bands >= 1);
        let (bands, marks) = tape[2..].split_at(7 * bands);
        assert!(marks.len() > 8 && marks.len().is_multiple_of(8));
        assert!(bands.chunks(7).all(|band| band[0] <= band[1] && band[1] <= 5e6));
        assert!(marks.chunks(8).all(|mark| mark[0] < 100.0 && mark[1] >= 1.0 && mark[3] <= 5e6));
    }
}
