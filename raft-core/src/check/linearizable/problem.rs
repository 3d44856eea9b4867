//! One key's history in the form that the search works on.

use alloc::vec;
use alloc::vec::Vec;

use super::history::{History, KeyEvent, KeyId, OperationId};
use super::meaning::{ABSENT, Meaning, Need, Register};

/// The place among the answers of an operation that has no answer.
pub(super) const NEVER: u32 = u32::MAX;

/// The part of a history that is examined.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) history: &'a History,
    /// Only what happened before this event.
    pub(super) until: u32,
    /// For operations that are marked here, the answer is taken as never heard.
    pub(super) released: Option<&'a [bool]>,
}

impl<'a> View<'a> {
    pub(super) fn whole(history: &'a History) -> View<'a> {
        View { history, until: u32::MAX, released: None }
    }

    /// What an operation means in this part, and whether it must have happened.
    pub(super) fn role(&self, id: OperationId) -> Option<(Meaning, bool)> {
        let operation = self.history.operation(id);
        match operation.answer() {
            Some((position, outcome)) if position < self.until && !self.is_released(id) => {
                Some((Meaning::answered(operation.request, outcome), true))
            }
            _ if operation.failed() => None,
            _ => Meaning::unanswered(operation.request).map(|meaning| (meaning, false)),
        }
    }

    fn is_released(&self, id: OperationId) -> bool {
        self.released.is_some_and(|released| released[id.0 as usize])
    }

    /// What happened to a key in this part, in order.
    pub(super) fn events(&self, key: KeyId) -> impl Iterator<Item = KeyEvent> {
        let (history, until) = (self.history, self.until);
        history.key_history(key).events.iter().copied().take_while(move |event| match *event {
            KeyEvent::Invoked(id) => history.operation(id).invoked < until,
            KeyEvent::Answered(id) => history.operation(id).answer().is_some_and(|(position, _)| position < until),
        })
    }
}

/// An operation that the search must place, or can.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) need: Need,
    pub(super) set: Option<Register>,
    /// Its place in the order of the answers; [`NEVER`] if it need not have happened.
    pub(super) answer: u32,
    /// Operations that are under way at the same time have different slots.
    pub(super) slot: u32,
}

impl Step {
    pub(super) fn required(&self) -> bool {
        self.answer != NEVER
    }
}

/// How many operations that aren't placed yet set or need a value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demand {
    /// Operations that set it.
    pub(super) writers: u32,
    /// Operations that need it and must be placed.
    pub(super) needers: u32,
    /// Operations that need it, whether they must be placed or not.
    pub(super) wanted: u32,
}

/// The values that some operation needs the register *not* to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shunned {
    None,
    One(Register),
    Many,
}

impl Shunned {
    fn add(&mut self, value: Register) {
        *self = match *self {
            Shunned::None => Shunned::One(value),
            Shunned::One(other) if other == value => *self,
            _ => Shunned::Many,
        };
    }

    /// Whether `value` satisfies some operation that needs the register not to have a value.
    fn is_served_by(self, value: Register) -> bool {
        match self {
            Shunned::None => false,
            Shunned::One(shunned) => shunned != value,
            Shunned::Many => true,
        }
    }
}

/// One key's search problem. Values are renumbered so that one key has few; [`ABSENT`] keeps its
/// number.
#[derive(Debug)]
pub(super) struct Problem {
    /// In the order in which they began.
    pub(super) steps: Vec<Step>,
    /// For each step, the operation for which it stands.
    pub(super) operations: Vec<OperationId>,
    /// The steps that were answered, in the order of their answers.
    pub(super) answers: Vec<u32>,
    /// For each answer, how many steps had begun before it; at the end one more, with all of them.
    pub(super) begun: Vec<u32>,
    pub(super) slots: u32,
    /// For each value.
    pub(super) demand: Vec<Demand>,
    pub(super) shunned: Shunned,
    /// Whether some operation needs a value that no operation sets.
    pub(super) hopeless: bool,
}

/// Reused from key to key.
#[derive(Default)]
pub(super) struct Scratch {
    /// For each value of the history, its number in the present problem.
    renumbered: Vec<u32>,
    /// For each operation, its step in the present problem.
    step_of: Vec<u32>,
}

/// The value has no number yet; the operation has no step.
const NONE: u32 = u32::MAX;

impl Problem {
    pub(super) fn new(view: &View<'_>, key: KeyId, scratch: &mut Scratch) -> Problem {
        scratch.renumbered.resize(view.history.registers(), NONE);
        scratch.step_of.resize(view.history.operations().len(), NONE);
        let mut problem = Problem {
            steps: Vec::new(),
            operations: Vec::new(),
            answers: Vec::new(),
            begun: Vec::new(),
            slots: 0,
            demand: vec![Demand::default()],
            shunned: Shunned::None,
            hopeless: false,
        };
        let mut used = vec![ABSENT];
        scratch.renumbered[ABSENT as usize] = ABSENT;
        let candidates = problem.survey(view, key, scratch, &mut used);
        problem.lay_out(view, key, scratch, &candidates);
        for value in used {
            scratch.renumbered[value as usize] = NONE;
        }
        let demand = problem.demand.iter().enumerate();
        problem.hopeless |= demand.skip(1).any(|(_, demand)| demand.needers > 0 && demand.writers == 0);
        problem
    }

    /// Renumbers the values, and counts the operations that need and set them.
    fn survey(
        &mut self,
        view: &View<'_>,
        key: KeyId,
        scratch: &mut Scratch,
        used: &mut Vec<Register>,
    ) -> Vec<(OperationId, Meaning, bool)> {
        let mut candidates = Vec::new();
        for event in view.events(key) {
            let KeyEvent::Invoked(id) = event else { continue };
            let Some((meaning, required)) = view.role(id) else { continue };
            let mut number = |value: Register| {
                let number = &mut scratch.renumbered[value as usize];
                if *number == NONE {
                    *number = self.demand.len() as u32;
                    self.demand.push(Demand::default());
                    used.push(value);
                }
                *number
            };
            let need = match meaning.need {
                Need::Is(value) => Need::Is(number(value)),
                Need::IsNot(value) => Need::IsNot(number(value)),
                other => other,
            };
            let set = meaning.set.map(number);
            match need {
                Need::Is(value) => {
                    let demand = &mut self.demand[value as usize];
                    demand.wanted += 1;
                    demand.needers += u32::from(required);
                }
                Need::IsNot(value) => self.shunned.add(value),
                Need::Any => {}
                Need::Never => self.hopeless |= required,
            }
            if let Some(value) = set {
                self.demand[value as usize].writers += 1;
            }
            candidates.push((id, Meaning { need, set }, required));
        }
        candidates
    }

    /// Gives each operation its step, slot and answer.
    ///
    /// An operation that need not have happened is left out if no operation needs the value that it
    /// sets. If an order with it exists, the same order without it does, too: no operation in it
    /// needs its value, or needs the value before it to be gone (rule 3 in [`mod@super::search`]).
    fn lay_out(
        &mut self,
        view: &View<'_>,
        key: KeyId,
        scratch: &mut Scratch,
        candidates: &[(OperationId, Meaning, bool)],
    ) {
        self.steps.reserve_exact(candidates.len());
        self.operations.reserve_exact(candidates.len());
        let mut free = Vec::new();
        let mut next = candidates.iter().peekable();
        for event in view.events(key) {
            match event {
                KeyEvent::Invoked(id) => {
                    scratch.step_of[id.0 as usize] = NONE;
                    let Some(&(_, meaning, required)) = next.next_if(|candidate| candidate.0 == id) else { continue };
                    if !required && self.drop_if_useless(meaning) {
                        continue;
                    }
                    scratch.step_of[id.0 as usize] = self.steps.len() as u32;
                    let slot = free.pop().unwrap_or_else(|| {
                        self.slots += 1;
                        self.slots - 1
                    });
                    self.steps.push(Step { need: meaning.need, set: meaning.set, answer: NEVER, slot });
                    self.operations.push(id);
                }
                KeyEvent::Answered(id) => {
                    let at = scratch.step_of[id.0 as usize];
                    if at == NONE || !matches!(view.role(id), Some((_, true))) {
                        continue;
                    }
                    let step = &mut self.steps[at as usize];
                    step.answer = self.answers.len() as u32;
                    free.push(step.slot);
                    self.answers.push(at);
                    self.begun.push(self.operations.len() as u32);
                }
            }
        }
        self.begun.push(self.steps.len() as u32);
    }

    fn drop_if_useless(&mut self, meaning: Meaning) -> bool {
        let useless = meaning
            .set
            .is_none_or(|value| self.demand[value as usize].wanted == 0 && !self.shunned.is_served_by(value));
        if useless {
            if let Some(value) = meaning.set {
                self.demand[value as usize].writers -= 1;
            }
            if let Need::Is(value) = meaning.need {
                self.demand[value as usize].wanted -= 1;
            }
        }
        useless
    }
}
