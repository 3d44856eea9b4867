//! The script: what is done to the world, and when. A run writes its own: what is done by hand is
//! put into it.

use alloc::sync::Arc;

use super::action::{Action, TimedAction};
use super::parameters::Parameters;
use super::scenario::{Scenario, ScenarioError};
use crate::time::Time;

/// The scenario that is played, with everything done by hand so far. Shared between clones of a
/// world, for it may be long.
#[derive(Clone, Debug)]
pub(super) struct Script {
    scenario: Arc<Scenario>,
}

impl Script {
    /// # Errors
    /// A scenario that makes no world.
    pub(super) fn new(scenario: Scenario) -> Result<Script, ScenarioError> {
        scenario.check()?;
        Ok(Script { scenario: Arc::new(scenario) })
    }

    pub(super) fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    #[inline]
    pub(super) fn parameters(&self) -> &Parameters {
        &self.scenario.parameters
    }

    #[inline]
    pub(super) fn seed(&self) -> u64 {
        self.scenario.seed
    }

    /// The action at a position of the script.
    pub(super) fn action(&self, position: u32) -> Option<&TimedAction> {
        self.scenario.actions.get(position as usize)
    }

    /// Notes an action that was done by hand: its position.
    pub(super) fn insert(&mut self, at: Time, action: Action) -> u32 {
        let actions = &mut Arc::make_mut(&mut self.scenario).actions;
        let place = actions.partition_point(|timed| timed.at <= at);
        actions.insert(place, TimedAction { at, action });
        place as u32
    }
}
