//! What a replicated state machine is: committed commands in, answers out.
//!
//! Raft brings the same commands in the same order to all servers; what these do with them is the
//! state machine's business (Raft §2). The key-value store ([`kv::Store`](crate::kv::Store)) is
//! one. Whoever writes another implements [`StateMachine`] for it, and can put it into the
//! simulated world ([`sim::Service`](crate::sim::Service)) and hunt for what is wrong with it
//! ([`trial::own`](crate::trial::own)).
//!
//! # What it must keep to
//! * **It is deterministic.** What it does depends on what it has applied and on nothing else: no
//!   clock, no generator of random numbers that another server doesn't have, no address of a value,
//!   no order of a hash map (in Rust every `HashMap` has one of its own). Wherever the same
//!   commands have been applied, the state is the same, and so is its snapshot, byte by byte.
//! * **It is given every committed command, once and in order.** Indexes ascend; they may skip,
//!   for the log also holds what is Raft's own. A command that makes no sense must be answered all
//!   the same, and alike on every server: it is committed, and can't be refused any more.
//! * **A snapshot is the whole state.** A server that was restored from one and applied what came
//!   after it must be where a server is that never restarted, and answer as that does. What answers
//!   depend on is part of the state, too: for instance which commands have been carried out
//!   already. The simulated world compares snapshots and answers.
//! * **Nothing of before is left after a restore.** A server that is far behind is sent a snapshot
//!   while it runs, and may restore it over what it has. The simulated world does that, too.
//!
//! # What it is not promised
//! That a command comes once: a client that heard nothing asks again, and what it asked for may be
//! in the log twice. Who doesn't want that gives the command a number, remembers it, and puts what
//! it remembers into the snapshot (Raft §8). The store's sessions do so, and [`once`](crate::once)
//! does so for any state machine.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::any::Any;
use core::fmt::{self, Debug, Display};

/// A state machine that can be replicated. See the [module's essay](self) for what it must keep to.
///
/// ```
/// use raft_core::state_machine::{RestoreError, StateMachine};
///
/// /// Adds up what it is given.
/// #[derive(Clone, Debug, Default)]
/// struct Counter(u64);
///
/// impl StateMachine for Counter {
///     fn apply(&mut self, _: u64, command: &[u8]) -> Vec<u8> {
///         self.0 += command.len() as u64;
///         self.snapshot()
///     }
///
///     fn snapshot(&self) -> Vec<u8> {
///         self.0.to_le_bytes().to_vec()
///     }
///
///     fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
///         let bytes = snapshot.try_into().map_err(|_| RestoreError::new("eight bytes are a sum"))?;
///         self.0 = u64::from_le_bytes(bytes);
///         Ok(())
///     }
/// }
///
/// let mut counter = Counter::default();
/// counter.apply(2, b"one");
/// let mut restored = Counter::default();
/// restored.restore(&counter.snapshot())?;
/// assert_eq!(counter.apply(3, b"more"), restored.apply(3, b"more"));
/// assert_eq!(counter.snapshot(), restored.snapshot());
/// # Ok::<(), RestoreError>(())
/// ```
pub trait StateMachine: CloneBoxed + Any + Debug + Send + Sync {
    /// Applies the committed command at `index` of the log: its answer, for the client that asked.
    fn apply(&mut self, index: u64, command: &[u8]) -> Vec<u8>;

    /// The whole state. Equal states give equal bytes.
    fn snapshot(&self) -> Vec<u8>;

    /// Becomes what that snapshot is of, whatever it was before.
    ///
    /// # Errors
    /// Bytes that are no snapshot. What the state is then doesn't matter: nobody uses it.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError>;

    /// Whether the state is one that can be: whatever must always hold of it. The simulated world
    /// asks after every command.
    ///
    /// # Errors
    /// What doesn't hold, as the end of a sentence: `the accounts hold 990 in all, not 1000`.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// What [`Once`](crate::once::Once) remembers of an answer, and gives when the command is
    /// repeated: all of it, unless this says otherwise. It must be an answer, too, and depend on
    /// nothing else, so that it is the same on every server; and it must be its own remembrance.
    /// A large answer that says what can be looked up is better remembered without that: what is
    /// remembered is bounded, and large answers would push out those of others.
    fn remembered(answer: Vec<u8>) -> Vec<u8>
    where
        Self: Sized,
    {
        answer
    }
}

/// What can be cloned though only its box is known: every state machine that is [`Clone`].
pub trait CloneBoxed {
    /// A clone, in a box of its own.
    fn clone_boxed(&self) -> Box<dyn StateMachine>;
}

impl<M: StateMachine + Clone> CloneBoxed for M {
    fn clone_boxed(&self) -> Box<dyn StateMachine> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn StateMachine> {
    fn clone(&self) -> Box<dyn StateMachine> {
        (**self).clone_boxed()
    }
}

/// Why bytes can't be restored to a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreError {
    why: String,
}

impl RestoreError {
    /// For a reason in words: another error, or a sentence.
    pub fn new(why: impl Display) -> RestoreError {
        RestoreError { why: why.to_string() }
    }
}

impl Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl core::error::Error for RestoreError {}
