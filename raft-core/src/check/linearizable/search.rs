//! The black-box search for an order of one key's operations.
//!
//! # The search
//! Wing and Gong (1993) choose, again and again, an operation that may come next: one that began
//! before the first answer among the operations not placed yet. If the register doesn't allow it,
//! or nothing fits after it, they try another. Lowe (2017) remembers where that has failed: if the
//! same operations are placed and the register is the same, the same continuations remain.
//!
//! # Few bits are remembered
//! Let the *frontier* be the first answer, in time, whose operation is not placed. Everything
//! answered earlier is placed, and nothing that began later can be. So a situation consists of its
//! frontier, the register, and which of the operations under way at the frontier are placed: a bit
//! for each of their slots. (Other checkers compare a bit for each operation of the history.) Only
//! dead ends are remembered: a linearizable history needs no memory except for its order.
//!
//! # Four rules that leave most of it unsearched
//! Let something be *possible* if it began before the frontier, isn't placed, and needs nothing
//! that the register is not. Each rule forbids some continuations, but never all good ones: if any
//! order completes the situation, then an order that follows the rules does. Take a good order with
//! as few unanswered operations as possible.
//! 1. **What changes nothing is placed at once.** A possible read (or a compare-and-set that didn't
//!    swap, …) can be moved from its later place to the front: the operations that came before it
//!    still find the register as it was.
//! 2. **Of two operations with the same need and effect, only the one answered first** is tried,
//!    unanswered ones last. If the good order begins with the other, exchange the two: both can
//!    come now, and the later place is before either's answer.
//! 3. **An unanswered operation is tried only if another one needs its effect.** Let the good order
//!    begin with an unanswered operation, and let *p* be the next one. If *p* were possible before
//!    it and sets a value, leaving the unanswered operation out would give a good order with fewer
//!    of them. If *p* were possible before it and sets none, rule 1 would have placed it.
//! 4. **A value that no operation needs is overwritten at once.** Let *u* be possible, answered,
//!    and set a value that no operation left needs. Then a *w* that sets a value, and is possible
//!    after *u* too, is not tried before it: in the good order *w … u …* move *u* to the front.
//!    Only *w* sees it there, and no operation needed it where it was. (An operation that needs the
//!    register *not* to have a value counts as well: *u* must then have the same need, so that the
//!    operation finds what it needs without *u*.)
//!
//! Also, a value that is gone doesn't come back: while the register's value is still needed, and no
//! operation left sets it, it can't be overwritten yet. If every value is written once, the search
//! then hardly ever has to go back.

use alloc::vec;
use alloc::vec::Vec;

use super::dead::DeadEnds;
use super::meaning::{ABSENT, Need, Register};
use super::problem::{Demand, NEVER, Problem, Shunned, Step};

/// What a search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An order, as numbers of steps.
    Order(Vec<u32>),
    /// That there is none.
    NoOrder,
    /// Neither, within the work allowed.
    GaveUp,
}

/// Searches one key's problem. Also gives the work: how often it looked at an operation.
pub(super) fn search(problem: &Problem, work_max: u64) -> (Found, u64) {
    if problem.hopeless {
        return (Found::NoOrder, 0);
    }
    let mut search = Search::new(problem);
    let found = search.run(work_max);
    (found, search.work)
}

/// A step that is placed, and where the frontier was before.
#[derive(Clone, Copy)]
struct Placed {
    step: u32,
    frontier: u32,
}

/// A situation on the way, with the operations that can come next.
struct Frame {
    register: Register,
    placed: u32,
    /// Where its continuations begin in `moves`.
    moves: u32,
    /// The next one to try.
    next: u32,
}

/// Notes about a value, valid only in the situation in which they were made.
#[derive(Clone, Copy, Default)]
struct Notes {
    wanted_in: u64,
    /// The first answer among the operations that wait for the value.
    wanted_by: u32,
    set_in: u64,
    /// The continuation that sets the value.
    set_by: u32,
}

struct Search<'a> {
    problem: &'a Problem,
    register: Register,
    /// The first answer whose operation isn't placed.
    frontier: u32,
    /// A bit for each slot: whether its operation is under way at the frontier, and not placed.
    open: Vec<u64>,
    /// The step in each slot.
    holder: Vec<u32>,
    demand: Vec<Demand>,
    placed: Vec<Placed>,
    frames: Vec<Frame>,
    moves: Vec<Move>,
    dead: DeadEnds,
    /// Reused to look up dead ends.
    key: Vec<u64>,
    notes: Vec<Notes>,
    situation: u64,
    work: u64,
}

/// A continuation. The lowest urgency number is tried first.
#[derive(Clone, Copy)]
struct Move {
    urgency: u64,
    step: u32,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem) -> Search<'a> {
        let words = problem.slots.div_ceil(64) as usize;
        let mut search = Search {
            problem,
            register: ABSENT,
            frontier: 0,
            open: vec![0; words],
            holder: vec![0; problem.slots as usize],
            demand: problem.demand.clone(),
            placed: Vec::with_capacity(problem.steps.len()),
            frames: Vec::new(),
            moves: Vec::new(),
            dead: DeadEnds::new(words + 1),
            key: Vec::new(),
            notes: vec![Notes::default(); problem.demand.len()],
            situation: 0,
            work: 0,
        };
        search.arrive(0, problem.begun[0]);
        search
    }

    fn run(&mut self, work_max: u64) -> Found {
        if self.settle() {
            return self.order();
        }
        self.enter();
        while let Some(frame) = self.frames.last_mut() {
            if self.work > work_max {
                return Found::GaveUp;
            }
            if let Some(chosen) = self.moves.get(frame.next as usize) {
                let step = chosen.step;
                frame.next += 1;
                self.place(step);
                if self.settle() {
                    return self.order();
                }
                if self.is_dead() {
                    self.back_to_last_frame();
                } else {
                    self.enter();
                }
            } else {
                let moves = frame.moves as usize;
                // A situation without continuations is seen at once, and isn't worth the memory.
                if self.moves.len() > moves {
                    self.make_key();
                    self.dead.insert(&self.key);
                }
                self.moves.truncate(moves);
                self.frames.pop();
                self.back_to_last_frame();
            }
        }
        Found::NoOrder
    }

    fn order(&self) -> Found {
        Found::Order(self.placed.iter().map(|placed| placed.step).collect())
    }

    fn step(&self, step: u32) -> &'a Step {
        &self.problem.steps[step as usize]
    }

    /// Opens the slots of the steps in this range: they have begun before the frontier.
    fn arrive(&mut self, from: u32, to: u32) {
        for step in from..to {
            let slot = self.step(step).slot;
            self.holder[slot as usize] = step;
            self.open[slot as usize / 64] |= 1 << (slot % 64);
        }
    }

    fn is_open(&self, slot: u32) -> bool {
        self.open[slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    /// Places a step next, and moves the frontier on if it waited for this step.
    fn place(&mut self, number: u32) {
        let step = self.step(number);
        self.placed.push(Placed { step: number, frontier: self.frontier });
        self.open[step.slot as usize / 64] &= !(1 << (step.slot % 64));
        if let Need::Is(value) = step.need {
            let demand = &mut self.demand[value as usize];
            demand.wanted -= 1;
            demand.needers -= u32::from(step.required());
        }
        if let Some(value) = step.set {
            self.demand[value as usize].writers -= 1;
            self.register = value;
        }
        while let Some(&awaited) = self.problem.answers.get(self.frontier as usize) {
            if self.is_open(self.step(awaited).slot) {
                break;
            }
            self.frontier += 1;
            let begun = &self.problem.begun[self.frontier as usize - 1..];
            self.arrive(begun[0], begun[1]);
        }
    }

    /// Takes back what was placed last. The caller restores the register.
    fn take_back(&mut self) {
        let Some(Placed { step: number, frontier }) = self.placed.pop() else { return };
        while self.frontier > frontier {
            self.frontier -= 1;
            let begun = &self.problem.begun[self.frontier as usize..];
            for step in begun[0]..begun[1] {
                let slot = self.step(step).slot;
                self.open[slot as usize / 64] &= !(1 << (slot % 64));
            }
            let answered = self.problem.answers[self.frontier as usize];
            let slot = self.step(answered).slot;
            self.holder[slot as usize] = answered;
        }
        let step = self.step(number);
        self.open[step.slot as usize / 64] |= 1 << (step.slot % 64);
        if let Need::Is(value) = step.need {
            let demand = &mut self.demand[value as usize];
            demand.wanted += 1;
            demand.needers += u32::from(step.required());
        }
        if let Some(value) = step.set {
            self.demand[value as usize].writers += 1;
        }
    }

    fn back_to_last_frame(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        let (register, placed) = (frame.register, frame.placed as usize);
        while self.placed.len() > placed {
            self.take_back();
        }
        self.register = register;
    }

    /// Rule 1: places what changes nothing. Tells whether all required steps are placed.
    fn settle(&mut self) -> bool {
        loop {
            let before = self.placed.len();
            for word in 0..self.open.len() {
                let mut bits = self.open[word];
                while bits != 0 {
                    let step = self.holder[word * 64 + bits.trailing_zeros() as usize];
                    bits &= bits - 1;
                    self.work += 1;
                    let Step { need, set, .. } = *self.step(step);
                    if set.is_none() && need.allows(self.register) {
                        self.place(step);
                    }
                }
            }
            if self.frontier as usize == self.problem.answers.len() {
                return true;
            }
            if self.placed.len() == before {
                return false;
            }
        }
    }

    fn make_key(&mut self) {
        self.key.clear();
        self.key.push(u64::from(self.frontier) << 32 | u64::from(self.register));
        self.key.extend_from_slice(&self.open);
    }

    fn is_dead(&mut self) -> bool {
        if self.dead.is_empty() {
            return false;
        }
        self.make_key();
        self.dead.contains(&self.key)
    }

    /// Finds what can come next and makes it a frame.
    fn enter(&mut self) {
        self.situation += 1;
        let start = self.moves.len();
        let anything_else = self.note_wants();
        for word in 0..self.open.len() {
            let mut bits = self.open[word];
            while bits != 0 {
                let step = self.holder[word * 64 + bits.trailing_zeros() as usize];
                bits &= bits - 1;
                self.work += 1;
                self.consider(step, anything_else, start);
            }
        }
        self.apply_rule_4(start);
        self.moves[start..].sort_unstable_by_key(|a_move| (a_move.urgency, a_move.step));
        self.frames.push(Frame {
            register: self.register,
            placed: self.placed.len() as u32,
            moves: start as u32,
            next: start as u32,
        });
    }

    /// Notes which values the operations under way wait for. Gives the first answer of the
    /// operations that wait for any value other than the register's.
    fn note_wants(&mut self) -> u32 {
        let mut anything_else = NEVER;
        let mut someone_waits = false;
        for word in 0..self.open.len() {
            let mut bits = self.open[word];
            while bits != 0 {
                let step = self.step(self.holder[word * 64 + bits.trailing_zeros() as usize]);
                bits &= bits - 1;
                match step.need {
                    Need::Is(value) if value != self.register => {
                        let notes = &mut self.notes[value as usize];
                        if notes.wanted_in != self.situation {
                            notes.wanted_in = self.situation;
                            notes.wanted_by = NEVER;
                        }
                        notes.wanted_by = notes.wanted_by.min(step.answer);
                    }
                    Need::IsNot(value) if value == self.register => {
                        someone_waits = true;
                        anything_else = anything_else.min(step.answer);
                    }
                    _ => {}
                }
            }
        }
        // Operations that need not happen are less urgent than all that must.
        if someone_waits { anything_else.min(NEVER - 1) } else { NEVER }
    }

    /// Adds the step to the continuations, if it is possible and no rule forbids it.
    fn consider(&mut self, number: u32, anything_else: u32, start: usize) {
        let step = self.step(number);
        let Some(value) = step.set else { return };
        if !step.need.allows(self.register) {
            return;
        }
        // A value that is gone doesn't come back.
        let now = self.demand[self.register as usize];
        let own_need = u32::from(step.required() && step.need == Need::Is(self.register));
        if value != self.register && now.needers > own_need && now.writers == 0 {
            return;
        }
        let notes = self.notes[value as usize];
        let wanted = notes.wanted_in == self.situation;
        let wanted_by = if wanted { notes.wanted_by } else { NEVER };
        // Rule 3.
        if !step.required() && !wanted && (anything_else == NEVER || value == self.register) {
            return;
        }
        // First the values that operations wait for, in the order of those operations' answers;
        // then the others in the order of their own answers.
        let urgency = match wanted_by.min(anything_else) {
            NEVER => u64::from(NEVER) + u64::from(step.answer),
            answer => u64::from(answer),
        };
        let urgency = urgency * 2 + u64::from(!step.required());
        // Rule 2, as far as one note for each value goes.
        if notes.set_in == self.situation {
            let other = &mut self.moves[start + notes.set_by as usize];
            let others = &self.problem.steps[other.step as usize];
            if others.need == step.need {
                if (step.answer, number) < (others.answer, other.step) {
                    *other = Move { urgency, step: number };
                }
                return;
            }
        } else {
            let notes = &mut self.notes[value as usize];
            notes.set_in = self.situation;
            notes.set_by = (self.moves.len() - start) as u32;
        }
        self.moves.push(Move { urgency, step: number });
    }

    /// Rule 4: a possible step that sets a value that no operation needs comes before all steps
    /// that are possible after it, too.
    fn apply_rule_4(&mut self, start: usize) {
        let moves = &self.moves[start..];
        let Some(at) = moves.iter().position(|a_move| self.is_unneeded(self.step(a_move.step))) else { return };
        let unneeded = moves[at].step;
        self.moves[start + at].urgency = 0;
        let Some(value) = self.step(unneeded).set else { return };
        let mut kept = start;
        for from in start..self.moves.len() {
            let step = self.moves[from].step;
            if step == unneeded || !self.step(step).need.allows(value) {
                self.moves[kept] = self.moves[from];
                kept += 1;
            }
        }
        self.moves.truncate(kept);
    }

    /// Whether the step must be placed, and no step left needs its effect.
    fn is_unneeded(&self, step: &Step) -> bool {
        let Some(value) = step.set else { return false };
        let unshunned = match self.problem.shunned {
            Shunned::None => true,
            Shunned::One(shunned) => value == shunned || step.need.excludes(shunned),
            Shunned::Many => false,
        };
        step.required() && unshunned && self.demand[value as usize].wanted == 0
    }
}
