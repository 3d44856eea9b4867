//! Travelling through a run: to any moment, back by one event, and into what would have happened
//! instead.
//!
//! # Checkpoints and replay (`checkpoints`)
//! A [`Timeline`] plays a [`Simulation`] and keeps a copy of it every few thousand events. To seek
//! a position, it takes the nearest copy before it and replays from there. A run is its seed and
//! its actions, so replay comes to exactly the state of straight play, with the same
//! [`Simulation::trace_hash`]. Copies share what they have in common, so that one costs
//! microseconds and some tens of kilobytes. Their number is bounded; they grow sparser with age.
//!
//! # Positions
//! A [`Position`] is how many events have been played, and where the clock stands: at the last of
//! them, or later, if nothing has happened since. Seeking a *time* plays everything up to it.
//! Seeking an *event* stops right after it, with the clock at its time. Going back forgets nothing:
//! what was played stays known up to the furthest position, and playing forward again plays the
//! same.
//!
//! # Interventions and branches (`branches`)
//! What a person does enters the run through [`Timeline::act`], as an [`Intervention`] with its
//! place among the events, and every replay does it again. At the end of what has been played, it
//! extends the present branch. In the past, it begins a new branch. The old branch keeps its future
//! and its name; one can switch to it, rename it, delete it, or look at it beside the present one
//! ([`Timeline::beside`]). Playing on never begins a branch; only acting does.
//!
//! # What happened (`moments`, `terms`, `tape`, `story`, `traffic`)
//! The first time that a stretch is played, its notable moments and its terms are noted; replays
//! note nothing. The news up to the present position is available after every seek
//! ([`Timeline::story`]). Each piece has its own number, so that a reader who has read up to a
//! number is told nothing twice. The messages of a stretch are found out when they are asked for
//! ([`Timeline::traffic`]).
//!
//! # Memory
//! Checkpoints are bounded together, moments and terms for each branch, the story and the traffic
//! as a whole. Not bounded here is what the world itself never forgets: its clients' operations,
//! and logs that are never compacted.
//!
//! # Caveats
//! Only [`Timeline::act`] may change the world; otherwise it is read-only. A change behind the
//! timeline's back would be gone after the next seek. Playing to a time takes as long as simulating
//! everything that is new up to it.

mod branches;
mod checkpoints;
mod moments;
mod playhead;
mod position;
mod story;
mod tape;
mod terms;
mod thinning;
mod traffic;

use alloc::sync::Arc;
use alloc::vec::Vec;

pub use super::MomentKind;
pub use branches::{Branch, BranchError, BranchId};
pub use moments::{KEPT_MAX, Moment};
pub use position::{Intervention, Position};
pub use story::{STORY_MAX, Told};
pub use tape::{BUCKETS_MAX, Band, Tape, TapeMark};
pub use traffic::{Fate, PASSAGES_MAX, Passage, ServerState, Traffic};

use super::{Action, News, Scenario, ScenarioError, Simulation, TimedAction};
use crate::time::Time;
use checkpoints::Checkpoint;
use playhead::Playhead;
use story::Story;
use traffic::Watch;

/// The most events that a step back replays, except for the first of several steps back.
const FOOTING: u64 = 128;

/// What became of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It was done, and it extended the branch.
    Extended,
    /// It was done in the past, and this branch began with it. The branch before has kept its
    /// future.
    Branched(BranchId),
    /// Nothing was done, because a violation has ended the run.
    RunIsOver,
}

/// How many checkpoints there are, and what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// How many there are, on all branches.
    pub checkpoints: usize,
    /// The bytes that they take, by estimate.
    pub bytes: usize,
    /// The most events between two checkpoints of the present branch: the most that a seek replays.
    pub longest_gap: u64,
}

/// A run with its past and its other futures. See the [module's essay](self).
///
/// ```
/// use raft_core::sim::timeline::Acted;
/// use raft_core::sim::{Action, Scenario, Target, Timeline};
/// use raft_core::time::Time;
///
/// let mut run = Timeline::new(Scenario::new(7, 5))?;
/// run.play_until(Time::from_secs(5));
/// let hash = run.world().trace_hash();
///
/// run.seek(Time::from_secs(2));
/// assert!(matches!(run.act(Action::Crash(Target::Leader))?, Acted::Branched(_)));
/// run.play_until(Time::from_secs(5));
/// assert_ne!(run.world().trace_hash(), hash);
///
/// // The old future is still there.
/// let old = run.branches()[0].id();
/// run.switch(old).expect("a branch that is there");
/// assert_eq!(run.world().trace_hash(), hash);
/// # Ok::<(), raft_core::sim::ScenarioError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What the run began with, before anything was done by hand.
    scenario: Arc<Scenario>,
    head: Playhead,
    story: Story,
    branches: Vec<Branch>,
    /// Where the branch being played stands in the list.
    playing: usize,
    named: u32,
    /// A checkpoint shortly before the present position, which one step back leaves for the next.
    footing: Option<Arc<Checkpoint>>,
    /// The world shown for comparison, and its branch.
    beside: Option<(BranchId, Playhead)>,
    /// The world that is watched for its messages.
    watch: Option<Watch>,
}

/// Playing and travelling.
impl Timeline {
    /// A run at time zero.
    ///
    /// # Errors
    /// A scenario that can't be played.
    pub fn new(scenario: Scenario) -> Result<Timeline, ScenarioError> {
        Ok(Timeline::of(Simulation::new(scenario)?))
    }

    /// A run whose actions count as done by hand: doing something else before one of them begins a
    /// branch without it. It stands at the last of them.
    ///
    /// # Errors
    /// A scenario that can't be played.
    pub fn by_hand(scenario: Scenario) -> Result<Timeline, ScenarioError> {
        let mut bare = scenario.clone();
        let actions = core::mem::take(&mut bare.actions);
        let mut timeline = Timeline::new(bare)?;
        match timeline.act_out(actions) {
            Ok(()) => Ok(timeline),
            // Some actions make sense only in a script, such as one about a server before it has
            // joined.
            Err(_) => Timeline::new(scenario),
        }
    }

    /// A run that begins with this world, for instance one that hosts a state machine of its own.
    pub fn of(world: Simulation) -> Timeline {
        let head = Playhead::new(world);
        Timeline {
            scenario: head.world.shared_scenario(),
            branches: alloc::vec![Branch::first(&head)],
            head,
            story: Story::default(),
            playing: 0,
            named: 1,
            footing: None,
            beside: None,
            watch: None,
        }
    }

    /// The world at the present position.
    pub fn world(&self) -> &Simulation {
        &self.head.world
    }

    /// The present position.
    pub fn position(&self) -> Position {
        self.head.position()
    }

    /// Whether nothing after the present position is known.
    pub fn is_at_end(&self) -> bool {
        self.position().event == self.branch().end().event
    }

    /// Plays the next event, known or new. Returns false if there is none, because a violation has
    /// ended the run.
    pub fn step(&mut self) -> bool {
        self.step_until(Time::NEVER)
    }

    /// Plays everything up to `time`, and leaves the clock there. Returns how many events it
    /// played. A time in the past changes nothing.
    pub fn play_until(&mut self, time: Time) -> u64 {
        let before = self.position().event;
        if time >= self.position().time {
            while self.step_until(time) {}
            self.head.world.run_until(time);
            let position = self.position();
            self.branches[self.playing].reach(position);
        }
        self.position().event - before
    }

    /// Goes to a time, back or forward: to the state after everything up to it. Beyond what is
    /// known it plays on. Returns where it stands then: earlier than asked only if a violation has
    /// ended the run before.
    pub fn seek(&mut self, time: Time) -> Position {
        let here = self.position();
        let nearest = checkpoints::newest_by_time(&self.branch().checkpoints, time);
        if here.time > time || here.event < nearest.event() {
            let head = nearest.head.clone();
            self.set(head);
        }
        self.play_until(time);
        self.position()
    }

    /// Goes to right after an event, back or forward; 0 is the beginning. Beyond what is known it
    /// plays on.
    pub fn seek_event(&mut self, event: u64) -> Position {
        let here = self.position();
        let past = here.event > event || (here.event == event && !self.head.is_at_event());
        let nearest = checkpoints::newest_by_event(&self.branch().checkpoints, event);
        let footing = self.footing.as_deref().filter(|footing| footing.event() <= event);
        let nearest = footing.filter(|footing| footing.event() > nearest.event()).unwrap_or(nearest);
        if past || here.event < nearest.event() {
            let head = nearest.head.clone();
            self.set(head);
        }
        let footing = event.saturating_sub(FOOTING);
        while self.position().event < event {
            if past && self.position().event == footing {
                self.footing = Some(Checkpoint::of(&self.head));
            }
            if !self.step() {
                break;
            }
        }
        self.position()
    }

    /// Goes to right after the event that brought a piece of news, back or forward, as far as the
    /// branch is known.
    pub fn seek_news(&mut self, number: u64) -> Position {
        let known = self.branch().end().event;
        if number <= self.told() {
            let nearest = checkpoints::newest(&self.branch().checkpoints, |head| head.told < number).head.clone();
            self.set(nearest);
        }
        while self.told() < number && self.position().event < known && self.step() {}
        self.position()
    }

    /// Goes back by one event. Returns false at the beginning. The clock then stands at the event
    /// before.
    pub fn step_back(&mut self) -> bool {
        let Some(event) = self.position().event.checked_sub(1) else {
            return false;
        };
        self.seek_event(event);
        true
    }

    /// Plays on until a moment of one of these kinds, known or new, or until `limit`.
    pub fn play_to_moment(&mut self, kinds: &[MomentKind], limit: Time) -> Option<Moment> {
        if let Some(known) = self.next_moment(kinds).filter(|known| known.time <= limit) {
            self.seek_event(known.event);
            return Some(known);
        }
        let end = self.branch().end().event;
        self.seek_event(end);
        while self.step_until(limit) {
            let first = self.noticed().find(|moment| kinds.contains(&moment.kind));
            if first.is_some() {
                return first;
            }
        }
        self.play_until(limit);
        None
    }

    /// Goes to the next moment of one of these kinds, one that is known or one that comes until
    /// `limit`. If there is none, nothing has changed: what was played to look for it stays
    /// unknown, so that acting here is not acting in the past.
    pub fn jump_to_moment(&mut self, kinds: &[MomentKind], limit: Time) -> Option<Moment> {
        if let Some(known) = self.next_moment(kinds) {
            self.seek_event(known.event);
            return Some(known);
        }
        let mut ahead = self.clone();
        let found = ahead.play_to_moment(kinds, limit)?;
        *self = ahead;
        Some(found)
    }

    /// Does something at the present position, after all other events of this instant, as
    /// [`Simulation::act`] does. In the past this begins a new branch, which is played from then
    /// on.
    ///
    /// # Errors
    /// An action that makes no sense in this world; nothing happens then.
    pub fn act(&mut self, action: Action) -> Result<Acted, ScenarioError> {
        self.head.world.scenario().check_action(&action)?;
        // Play the rest of the instant, but not what was done by hand at its end: this action
        // replaces that.
        let before_an_intervention = |run: &Timeline| {
            let event = run.position().event;
            run.branch().interventions.binary_search_by_key(&event, |intervention| intervention.after.event).is_ok()
        };
        while !before_an_intervention(self) && self.step_until(self.position().time) {}
        if self.head.world.violation().is_some() {
            return Ok(Acted::RunIsOver);
        }
        let after = self.position();
        let in_the_past = !self.is_at_end();
        self.head.world.act(action.clone())?;
        if in_the_past {
            self.named += 1;
            let branch = self.branch().fork(BranchId(self.named), after);
            self.playing = self.branches.len();
            self.branches.push(branch);
            self.footing = None;
        }
        self.beside = None;
        self.branches[self.playing].extend(Intervention { after, action });
        self.head.hear();
        self.take_in();
        Ok(if in_the_past { Acted::Branched(self.branch().id()) } else { Acted::Extended })
    }

    /// Does these things, each at its time.
    ///
    /// # Errors
    /// The first action that makes no sense; nothing after it is done then.
    pub fn act_out(&mut self, actions: Vec<TimedAction>) -> Result<(), ScenarioError> {
        for TimedAction { at, action } in actions {
            // What is left of an instant is played by acting.
            if self.position().time < at {
                self.seek(at);
            }
            self.act(action)?;
        }
        Ok(())
    }

    /// Plays the next event of the branch, if it is due by `time`.
    fn step_until(&mut self, time: Time) -> bool {
        let played = self.head.step(&self.branches[self.playing].interventions, time);
        if played {
            self.take_in();
        }
        played
    }

    /// Notes what the last event brought, if the event is new, and adds its news to the story in
    /// any case.
    fn take_in(&mut self) {
        let position = self.head.position();
        if position.event > self.branch().end().event {
            let moments: Vec<Moment> = self.noticed().collect();
            let branch = &mut self.branches[self.playing];
            moments.into_iter().for_each(|moment| branch.moments.note(moment));
            self.head.fresh.iter().for_each(|news| branch.terms.note(news, position.event));
            branch.reach(position);
            let latest = branch.checkpoints.last().map_or(0, |latest| latest.event());
            if position.event >= latest + checkpoints::SPACING {
                branch.checkpoints.push(Checkpoint::of(&self.head));
                thinning::thin(&mut self.branches, thinning::BYTES_MAX);
            }
        }
        self.story.tell(&self.head.fresh);
    }

    /// What is notable about the last event.
    fn noticed(&self) -> impl Iterator<Item = Moment> {
        let world = &self.head.world;
        let notable = self.head.fresh.iter().filter_map(|news| moments::notable(world, news));
        notable.chain(moments::violation(world))
    }

    fn set(&mut self, head: Playhead) {
        self.story.restart_after(head.told);
        self.head = head;
    }

    fn branch(&self) -> &Branch {
        &self.branches[self.playing]
    }
}

/// Branches.
impl Timeline {
    /// All branches, in the order in which they began.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// The branch being played.
    pub fn playing(&self) -> &Branch {
        self.branch()
    }

    /// Goes to the same time on another branch, or to that branch's end if it has been played less
    /// far.
    ///
    /// # Errors
    /// If there is no such branch.
    pub fn switch(&mut self, id: BranchId) -> Result<Position, BranchError> {
        let place = branches::place_of(&self.branches, id)?;
        if place != self.playing {
            let time = self.position().time.min(self.branches[place].end().time);
            self.playing = place;
            self.footing = None;
            let head = checkpoints::newest_by_time(&self.branch().checkpoints, time).head.clone();
            self.set(head);
            self.play_until(time);
        }
        Ok(self.position())
    }

    /// Gives a branch another name; spaces around it are dropped.
    ///
    /// # Errors
    /// If there is no such branch, or the name is empty.
    pub fn rename(&mut self, id: BranchId, name: &str) -> Result<(), BranchError> {
        branches::rename(&mut self.branches, id, name)
    }

    /// Deletes a branch. The branches that left it stay whole; the last one that left takes its
    /// place as their origin.
    ///
    /// # Errors
    /// If there is no such branch, or it is the one being played.
    pub fn delete(&mut self, id: BranchId) -> Result<(), BranchError> {
        let playing = self.branch().id();
        if id == playing {
            return Err(BranchError::Playing(self.branch().name().into()));
        }
        branches::remove(&mut self.branches, id)?;
        self.playing = branches::place_of(&self.branches, playing)?;
        self.beside = None;
        Ok(())
    }

    /// The world of a branch at a time, or at the branch's end if it has been played less far, to
    /// compare with the present one. If it is asked for one moment after the other, as while
    /// playing, it plays on from the last one.
    ///
    /// # Errors
    /// If there is no such branch.
    pub fn beside(&mut self, id: BranchId, time: Time) -> Result<&Simulation, BranchError> {
        let branch = &self.branches[branches::place_of(&self.branches, id)?];
        let time = time.min(branch.end().time);
        let nearest = checkpoints::newest_by_time(&branch.checkpoints, time);
        let usable = |head: &Playhead| head.world.now() <= time && head.world.events() >= nearest.event();
        let last = self.beside.take().filter(|(last, head)| *last == id && usable(head));
        let mut head = last.map_or_else(|| nearest.head.clone(), |(_, head)| head);
        head.play_unheard(&branch.interventions, time);
        Ok(&self.beside.insert((id, head)).1.world)
    }

    /// The complete recipe of a branch: what the run began with, and everything that was done by
    /// hand.
    ///
    /// # Errors
    /// If there is no such branch.
    pub fn recipe(&self, id: BranchId) -> Result<Scenario, BranchError> {
        let branch = &self.branches[branches::place_of(&self.branches, id)?];
        let mut scenario = Scenario::clone(&self.scenario);
        for intervention in branch.interventions() {
            let at = intervention.after.time;
            let place = scenario.actions.partition_point(|timed| timed.at <= at);
            scenario.actions.insert(place, TimedAction { at, action: intervention.action.clone() });
        }
        Ok(scenario)
    }
}

/// What happened.
impl Timeline {
    /// The first known moment of these kinds after the present position, on the branch being
    /// played.
    pub fn next_moment(&self, kinds: &[MomentKind]) -> Option<Moment> {
        self.branch().moments.after(self.position().event, kinds)
    }

    /// The last moment of these kinds before the present position.
    pub fn previous_moment(&self, kinds: &[MomentKind]) -> Option<Moment> {
        self.branch().moments.before(self.position().event, kinds)
    }

    /// A summary of a stretch of a branch, as fine as it will be painted: in `buckets` parts (1 to
    /// [`BUCKETS_MAX`]).
    ///
    /// # Errors
    /// If there is no such branch.
    pub fn tape(&self, id: BranchId, from: Time, to: Time, buckets: u32) -> Result<Tape, BranchError> {
        let branch = &self.branches[branches::place_of(&self.branches, id)?];
        Ok(tape::paint(branch, from, to, buckets))
    }

    /// The number of the newest piece of news at the present position; 0 if there has been none.
    pub fn told(&self) -> u64 {
        self.head.told
    }

    /// The newest `limit` pieces of news up to the present position with a number above `after`,
    /// oldest first. At most [`STORY_MAX`] are remembered or looked up again.
    pub fn story(&mut self, after: u64, limit: usize) -> Vec<Told> {
        let limit = limit.min(STORY_MAX) as u64;
        let from = after.max(self.told().saturating_sub(limit)).saturating_add(1);
        if from < self.story.first() && from <= self.told() {
            let older = self.news_between(from, self.story.first());
            self.story.put_before(older);
        }
        self.story.from(from)
    }

    /// Replays, beside the present world, the events that told the news from number `from` up to
    /// `to`, which is excluded.
    fn news_between(&self, from: u64, to: u64) -> Vec<News> {
        let branch = self.branch();
        let mut head = checkpoints::newest(&branch.checkpoints, |head| head.told < from).head.clone();
        let mut news = Vec::new();
        while head.told + 1 < to {
            let first = head.told + 1;
            if !head.step(&branch.interventions, Time::NEVER) {
                break;
            }
            let numbered = (first..to).zip(&head.fresh).filter(|(number, _)| *number >= from);
            news.extend(numbered.map(|(_, news)| news.clone()));
        }
        news
    }

    /// What happened on the branch being played from one time to another, as far as it is known.
    /// The result is kept until the next call, which continues from it if it can. There are no more
    /// messages than [`PASSAGES_MAX`].
    pub fn traffic(&mut self, from: Time, to: Time) -> &Traffic {
        let watch = Watch::over(self.watch.take(), self.branch(), from, to);
        self.watch.insert(watch).traffic()
    }

    /// How many checkpoints there are, and what they cost.
    pub fn holdings(&self) -> Holdings {
        let events = self.branch().checkpoints.iter().map(|checkpoint| checkpoint.event());
        let next = events.clone().skip(1).chain([self.branch().end().event]);
        Holdings {
            checkpoints: self.branches.iter().map(|branch| branch.own_checkpoints().len()).sum(),
            bytes: thinning::total_weight(&self.branches),
            longest_gap: events.zip(next).map(|(event, next)| next - event).max().unwrap_or(0),
        }
    }
}
