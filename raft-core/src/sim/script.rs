//! The script: what is done to the world, and when. Actions that a person takes during a run are
//! added to its script.

use alloc::sync::Arc;

use super::action::{Action, TimedAction};
use super::parameters::Parameters;
use super::scenario::{Scenario, ScenarioError};
use crate::time::Time;

/// The scenario that is played, with everything done by hand so far. Clones of a world share it,
/// because it can be long.
#[derive(Clone, Debug)]
pub(super) struct Script {
    scenario: Arc<Scenario>,
}

impl Script {
    /// # Errors
    /// A scenario that can't be played.
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

    /// Adds an action that was done by hand. Returns its position.
    pub(super) fn insert(&mut self, at: Time, action: Action) -> u32 {
        let actions = &mut Arc::make_mut(&mut self.scenario).actions;
        let place = actions.partition_point(|timed| timed.at <= at);
        actions.insert(place, TimedAction { at, action });
        place as u32
    }
}
