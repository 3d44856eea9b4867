//! Branches: one for each way that the run went on. Acting in the past starts a branch, and the old
//! future stays on its own branch.
//!
//! A branch has everything from the run's beginning, so that any other can be deleted. Branches
//! share in memory what they have in common.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::checkpoints::Checkpoint;
use super::moments::{Moment, Moments};
use super::playhead::Playhead;
use super::position::{Intervention, Position};
use super::terms::Terms;
use crate::sim::MomentKind;

/// A branch's name for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchId(pub u32);

/// One way the run went.
#[derive(Clone, Debug)]
pub struct Branch {
    id: BranchId,
    name: String,
    /// The branch that it left, and where.
    origin: Option<(BranchId, Position)>,
    /// The furthest position played.
    end: Position,
    pub(super) interventions: Vec<Intervention>,
    /// In order, and never empty: the first one is the run's beginning.
    pub(super) checkpoints: Vec<Arc<Checkpoint>>,
    pub(super) moments: Moments,
    pub(super) terms: Terms,
}

/// Why something can't be done to a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BranchError {
    /// There is no branch with this number.
    NoSuchBranch(BranchId),
    /// The branch that is being played can't be deleted.
    Playing(String),
    /// A name can't be empty.
    EmptyName,
}

impl Branch {
    /// The branch that a run begins with.
    pub(super) fn first(beginning: &Playhead) -> Branch {
        Branch {
            id: BranchId(1),
            name: "main".to_string(),
            origin: None,
            end: beginning.position(),
            interventions: Vec::new(),
            checkpoints: alloc::vec![Checkpoint::of(beginning)],
            moments: Moments::default(),
            terms: Terms::default(),
        }
    }

    /// A branch that has everything up to `at` in common with this one.
    pub(super) fn fork(&self, id: BranchId, at: Position) -> Branch {
        let mut branch = self.clone();
        branch.id = id;
        branch.name = alloc::format!("branch {}", id.0);
        branch.origin = Some((self.id, at));
        branch.end = at;
        branch.interventions.retain(|intervention| intervention.after.event < at.event);
        branch.checkpoints.retain(|checkpoint| checkpoint.event() <= at.event);
        branch.moments.forget_after(at.event);
        branch.terms.forget_after(at.event);
        branch
    }

    /// Its name for programs.
    pub fn id(&self) -> BranchId {
        self.id
    }

    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The branch that it left, and where. `None` for the branch that the run began with, and for
    /// one that took its place.
    pub fn origin(&self) -> Option<(BranchId, Position)> {
        self.origin
    }

    /// The furthest position played.
    pub fn end(&self) -> Position {
        self.end
    }

    /// What was done by hand on it, from the run's beginning.
    pub fn interventions(&self) -> &[Intervention] {
        &self.interventions
    }

    /// Its notable moments, in order, from the run's beginning; see [`Branch::kept_of`].
    pub fn moments(&self) -> impl DoubleEndedIterator<Item = &Moment> {
        self.moments.iter()
    }

    /// One of this many moments of a kind is kept: 1, unless the run has become so long that some
    /// were left out.
    pub fn kept_of(&self, kind: MomentKind) -> u32 {
        self.moments.every(kind)
    }

    /// The checkpoints that it doesn't share with its origin.
    pub(super) fn own_checkpoints(&self) -> &[Arc<Checkpoint>] {
        let shared = self.origin.map_or(0, |(_, at)| self.checkpoints.partition_point(|c| c.event() <= at.event));
        &self.checkpoints[shared..]
    }

    /// The run has been played to this position, perhaps not for the first time.
    pub(super) fn reach(&mut self, position: Position) {
        self.end = self.end.max(position);
    }

    /// Adds an action at the end. If the clock had stood later, the end moves back to the action.
    pub(super) fn extend(&mut self, intervention: Intervention) {
        self.end = intervention.after;
        self.interventions.push(intervention);
    }
}

/// Gives a branch another name.
pub(super) fn rename(branches: &mut [Branch], id: BranchId, name: &str) -> Result<(), BranchError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(BranchError::EmptyName);
    }
    let place = place_of(branches, id)?;
    branches[place].name = name.to_string();
    Ok(())
}

/// Deletes a branch. Of the branches that left it, the last one to leave takes its place, because
/// it shares the most with it.
pub(super) fn remove(branches: &mut Vec<Branch>, id: BranchId) -> Result<(), BranchError> {
    let place = place_of(branches, id)?;
    let origin = branches.remove(place).origin;
    let mut heir = None;
    for branch in &*branches {
        if let Some((from, at)) = branch.origin
            && from == id
        {
            heir = heir.max(Some((at, branch.id)));
        }
    }
    for branch in branches {
        let Some((from, at)) = &mut branch.origin else { continue };
        match heir {
            Some((_, heir)) if *from == id && heir == branch.id => {
                let at = *at;
                branch.origin = origin.map(|(from, earlier)| (from, earlier.min(at)));
            }
            Some((_, heir)) if *from == id => *from = heir,
            _ => {}
        }
    }
    Ok(())
}

/// Where a branch stands in the list.
pub(super) fn place_of(branches: &[Branch], id: BranchId) -> Result<usize, BranchError> {
    branches.iter().position(|branch| branch.id == id).ok_or(BranchError::NoSuchBranch(id))
}

impl fmt::Display for BranchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BranchError::NoSuchBranch(id) => write!(f, "there is no branch {}", id.0),
            BranchError::Playing(name) => write!(f, "“{name}” is being played: switch to another branch first"),
            BranchError::EmptyName => f.write_str("a branch needs a name: give it one"),
        }
    }
}

impl core::error::Error for BranchError {}
