//! A run as a link, and as the bytes within a link, which the lab (`lab/`) makes files and logs of.

use raft_core::format::link::{self, LinkError};
use raft_core::format::{self, found};
use raft_core::sim::Timeline;
use raft_core::sim::timeline::BranchId;
use raft_core::time::Time;
use wasm_bindgen::prelude::*;

use crate::js::PageError;
use crate::json::to_js;
use crate::run::Run;
use crate::view::ViolationView;

#[wasm_bindgen]
impl Run {
    /// The run that a link names (what follows `#run=`), at its moment.
    ///
    /// # Errors
    /// A sentence, if the link is damaged, of another version, or no run.
    #[wasm_bindgen(js_name = fromLink)]
    pub fn from_link(text: &str) -> Result<Run, JsValue> {
        Ok(Run::opened(link::read(text).map_err(PageError::from)?)?)
    }

    /// The run of the bytes within a link, at its moment.
    ///
    /// # Errors
    /// A sentence, if they are no run.
    #[wasm_bindgen(js_name = fromBytes)]
    pub fn from_bytes(bytes: &[u8]) -> Result<Run, JsValue> {
        // The person has a file, not a link, so errors speak of the run.
        let run = link::decode(bytes).map_err(|error| match error {
            LinkError::Run(error) => PageError::from(error),
            error => PageError::from(error),
        });
        Ok(Run::opened(run?)?)
    }

    /// What an address says was found in the run of its link: a name, when, and two facts.
    ///
    /// # Errors
    /// A sentence, if that can't have been found.
    #[wasm_bindgen(unchecked_return_type = "ViolationView")]
    pub fn found(
        text: &str,
        name: &str,
        at: Option<String>,
        first: String,
        second: String,
    ) -> Result<JsValue, JsValue> {
        let run = link::read(text).map_err(PageError::from)?;
        let found = found::said(name, at.as_deref(), first, second, &run).map_err(PageError::from)?;
        to_js(&ViolationView::of(found.what.name(), found.first, found.second, found.at))
    }

    /// Whether it was opened with a trace hash that it doesn't have at that moment here: then it
    /// was played by another version.
    #[wasm_bindgen(getter)]
    pub fn differs(&self) -> bool {
        self.differs
    }

    /// The link to this run at this moment: what follows `#run=`.
    ///
    /// # Errors
    /// A sentence, if so much has been done that it doesn't fit into a link.
    pub fn link(&self) -> Result<String, JsValue> {
        Ok(link::write(&self.shared()?).map_err(PageError::from)?)
    }

    /// This run at this moment as the bytes within a link, of whatever length; or one of its
    /// branches, at its beginning.
    ///
    /// # Errors
    /// A sentence, if it is too long to be read again, or there is no such branch.
    pub fn bytes(&self, branch: Option<u32>) -> Result<Vec<u8>, JsValue> {
        let run = branch.map_or_else(|| self.shared(), |id| self.recipe(BranchId(id)));
        Ok(link::encode(&run?).map_err(PageError::from)?)
    }

    /// Adds a branch, which `bytes` gave, and goes to the last thing that was done on it. It leaves
    /// the one that is being played after so many events.
    ///
    /// # Errors
    /// A sentence, if the bytes are no run, or can't go on from what is being played.
    pub fn graft(&mut self, bytes: &[u8], left_after: f64) -> Result<(), JsValue> {
        Ok(self.regrown(bytes, left_after as u64)?)
    }
}

impl Run {
    fn opened(run: format::Run) -> Result<Run, PageError> {
        let format::Run { scenario, until, hash } = run;
        let mut run = Run::of(Timeline::by_hand(scenario)?);
        run.timeline.seek(until);
        run.differs = hash.is_some_and(|hash| hash != run.world().trace_hash());
        Ok(run)
    }

    fn regrown(&mut self, bytes: &[u8], left_after: u64) -> Result<(), PageError> {
        let mut actions = link::decode(bytes)?.scenario.actions;
        let common = self.timeline.playing().interventions();
        let common = common.partition_point(|intervention| intervention.after.event < left_after);
        // What was done there on the branch that it leaves isn't done here, and is replaced.
        self.timeline.seek_event(left_after);
        Ok(self.timeline.act_out(actions.split_off(common.min(actions.len())))?)
    }

    fn recipe(&self, id: BranchId) -> Result<format::Run, PageError> {
        Ok(format::Run { scenario: self.timeline.recipe(id)?, until: Time::ZERO, hash: None })
    }

    fn shared(&self) -> Result<format::Run, PageError> {
        let playing = self.timeline.playing();
        let position = self.timeline.position();
        // In the middle of an instant, the hash isn't that of the whole instant.
        let pending = self.world().next_event_at().is_some_and(|at| at <= position.time)
            || playing.interventions().iter().any(|deed| deed.after == position);
        let hash = (!pending || self.world().violation().is_some()).then(|| self.world().trace_hash());
        Ok(format::Run { hash, until: position.time, ..self.recipe(playing.id())? })
    }
}

#[cfg(test)]
mod tests {
    use raft_core::raft::{Rules, ServerId};
    use raft_core::sim::{Action, Profile, Simulation, Target, hunt};
    use raft_core::time::Duration;

    use super::*;
    use crate::js::micros;

    /// A run with something done in it, gone back to before that was done.
    fn run() -> Run {
        let mut run = Run::create("7", 3, "compare-logs-before-voting").unwrap();
        run.advance_to(1e6);
        run.perform(Action::Crash(Target::Server(ServerId::FIRST))).unwrap();
        run.advance_to(2e6);
        run.seek(0.5e6);
        run
    }

    #[test]
    fn a_link_opens_the_same_run_at_the_same_moment_with_its_future() {
        let run = run();
        let mut again = Run::from_link(&run.link().unwrap()).unwrap();
        assert_eq!((micros(again.world().now()), again.trace_hash()), (0.5e6, run.trace_hash()));
        assert!(!again.differs());
        assert_eq!(again.without(), "compare-logs-before-voting");
        assert_eq!(again.link().unwrap(), run.link().unwrap());
        again.seek(1e6);
        assert!(again.world().machines()[0].raft().is_none(), "the crash is there");
    }

    #[test]
    fn doing_something_else_in_an_opened_run_leaves_what_was_done_to_the_old_branch() {
        let mut again = Run::from_link(&run().link().unwrap()).unwrap();
        again.perform(Action::Restart(ServerId::FIRST)).unwrap();
        again.advance_to(3e6);
        assert!(again.world().machines()[0].raft().is_some());
        assert_eq!(again.timeline.branches().len(), 2);
    }

    #[test]
    fn a_run_of_a_hunt_is_opened_as_it_was_played() {
        for seed in 0..40 {
            let scenario = hunt(seed, None, Duration::from_secs(10), Profile::Full, Rules::ALL);
            let mut world = Simulation::new(scenario.clone()).unwrap();
            let until = Time::from_secs(12);
            world.run_until(until);
            let shared = format::Run { scenario, until: world.now(), hash: Some(world.trace_hash()) };
            let run = Run::from_bytes(&link::encode(&shared).unwrap()).unwrap();
            assert!(!run.differs(), "seed {seed}");
            assert_eq!(link::decode(&run.bytes(None).unwrap()), Ok(shared), "seed {seed}");
        }
    }

    #[test]
    fn a_moment_amid_an_instant_has_a_link_without_a_hash() {
        let mut run = run();
        run.seek(1e6);
        run.step_back();
        for _ in 0..50 {
            run.step_event();
            let again = Run::from_link(&run.link().unwrap()).unwrap();
            assert!(!again.differs() && again.world().now() == run.world().now());
        }
    }

    #[test]
    fn branches_kept_as_bytes_are_the_same_again() {
        let crash = |server| Action::Crash(Target::Server(ServerId::new(server).unwrap()));
        let mut run = Run::create("7", 3, "").unwrap();
        run.advance_to(1e6);
        run.perform(crash(1)).unwrap();
        run.perform(crash(2)).unwrap();
        run.advance_to(3e6);
        // One that replaces the second of two actions of an instant, one that leaves this one, and
        // two that leave the first and each other.
        run.timeline.seek_event(run.timeline.playing().interventions()[1].after.event);
        run.perform(crash(3)).unwrap();
        run.advance_to(2.5e6);
        run.seek(1.7e6);
        run.perform(Action::Restart(ServerId::FIRST)).unwrap();
        run.advance_to(2e6);
        run.switch_to(1).unwrap();
        run.seek(2e6);
        run.perform(crash(3)).unwrap();
        run.seek(0.0);
        run.perform(crash(3)).unwrap();
        let kept: Vec<_> = run.timeline.branches().to_vec();
        assert_eq!(kept.len(), 5);

        let mut again = Run::from_bytes(&run.bytes(Some(1)).unwrap()).unwrap();
        again.seek(micros(kept[0].end().time));
        for branch in &kept[1..] {
            let (origin, left) = branch.origin().unwrap();
            again.switch_to(origin.0).unwrap();
            again.graft(&run.bytes(Some(branch.id().0)).unwrap(), left.event as f64).unwrap();
            again.seek(micros(branch.end().time));
        }
        let grown = again.timeline.branches();
        assert_eq!(grown.len(), 5);
        for (before, after) in kept.iter().zip(grown) {
            assert_eq!((before.id(), before.origin(), before.end()), (after.id(), after.origin(), after.end()));
            assert_eq!(before.interventions(), after.interventions());
        }
        let (hash, id) = (run.trace_hash(), run.timeline.playing().id());
        again.timeline.switch(id).unwrap();
        assert_eq!(again.trace_hash(), hash);
    }

    #[test]
    fn a_link_with_another_hash_says_so() {
        let shared = format::Run { hash: Some(1), ..run().shared().unwrap() };
        assert!(Run::from_link(&link::write(&shared).unwrap()).unwrap().differs());
    }
}
