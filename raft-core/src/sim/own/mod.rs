//! A state machine of one's own in the world: the servers host it instead of the key-value store.
//!
//! # A service
//! A [`Service`] says what to host and what clients ask of it: how a [`StateMachine`] is made, and
//! how the next command of a client is. [`Simulation::hosting`] makes a world of it. All else is as
//! in the store's worlds: network, disks, clocks, faults, membership and storms are the same for
//! the same [`Scenario`], and commands have a generator of random numbers of their own for each
//! client ([`Luck`]).
//!
//! # Its clients
//! There are as many as the parameters say, and they think as long. Each has one command under way
//! at a time: it asks the server that it takes for the leader, waits, asks again, and gives up when
//! an operation has taken too long. The person at the command line is one of them: wherever a run
//! has it submit a line, it asks for one command more, whatever the line says.
//!
//! **A command may be applied twice.** A client that hears nothing asks again with the same bytes,
//! and the log may then hold them twice. Sessions, which tell the second from the first, are the
//! store's own. A service that needs them puts who asks and the number of what is asked for
//! ([`Ask`]) into its commands, as `examples/bank.rs` does.
//!
//! # What is checked
//! Every safety property of Raft, and the state machine's contract
//! ([`Property::StateMachineContract`](crate::check::Property::StateMachineContract)):
//! * all servers answer the command at an index alike, restored ones too;
//! * servers that have applied the same entries have equal snapshots; compared after every entry,
//!   or more seldom ([`Service::compared_every`]), and by [`Simulation::compare_states`];
//! * a snapshot can be restored, by a new state machine and over one that was used, and what was
//!   restored from it makes the same one again;
//! * [`StateMachine::check`] holds after every command, and after each restoring.
//!
//! A server that restarts restores into a new state machine. One that is sent a snapshot while it
//! runs goes on with a new one, or with its own, restored over what it was; which of the two is
//! decided by the snapshot's index and the server, so that it costs no luck.
//!
//! What is wrong is told with what trying shows of the reason: whether the state machine isn't
//! deterministic, or its snapshot lacks something.
//!
//! # Caveats
//! What clients see isn't judged: only the state machine knows which answers are right. **A command
//! that is carried out twice is invisible** unless [`StateMachine::check`], or a look at
//! [`Simulation::own_operations`], shows it: all servers do it twice. Clients don't read beside the
//! log. Whoever listens to the world hears of servers and messages, and not of these operations. A
//! state machine that isn't deterministic makes a run that isn't.
//!
//! **Memory.** Of answers and snapshots digests are compared, and remembered for the latest tens of
//! thousands of entries; what comes later than that is counted ([`OwnCounts::too_late`]). The
//! operations that are over are kept with their answers, the latest 65,536 of them at least
//! ([`Service::operations_kept`]). Huge answers want fewer; huge snapshots, which are made after
//! every entry on every server, want to be compared more seldom ([`Service::compared_every`]).
//!
//! **A state machine that panics** ends the program, for this library can't catch it. Whoever does
//! (the guide shows how) learns from [`Simulation::own_call`] where that was.

#[cfg(test)]
mod broken;
mod client;
mod contract;
mod diagnosis;
mod hosting;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::client::{Answer, ClientId, Trouble};
use super::machine::Hosted;
use super::observers::Observers;
use super::{Scenario, ScenarioError, Simulation};
use crate::raft::{Bytes, Output, ServerId, Snapshot};
use crate::shared::Recent;
use crate::state_machine::StateMachine;
use crate::time::Time;
use hosting::Hosting;

/// What servers host instead of the store, and what clients ask of it. See the
/// [module's essay](self).
///
/// ```
/// use raft_core::sim::{Scenario, Service, Simulation};
/// use raft_core::state_machine::{RestoreError, StateMachine};
/// use raft_core::time::Time;
///
/// /// Everything that was ever said, one after the other.
/// #[derive(Clone, Debug, Default)]
/// struct Minutes(Vec<u8>);
///
/// impl StateMachine for Minutes {
///     fn apply(&mut self, _: u64, command: &[u8]) -> Vec<u8> {
///         self.0.extend_from_slice(command);
///         format!("{} bytes so far", self.0.len()).into()
///     }
///     fn snapshot(&self) -> Vec<u8> {
///         self.0.clone()
///     }
///     fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
///         self.0 = snapshot.to_vec();
///         Ok(())
///     }
/// }
///
/// let service = Service::new(Minutes::default, |ask, luck| {
///     format!("{} says {}; ", ask.client, luck.below(100)).into()
/// });
/// let mut world = Simulation::hosting(Scenario::new(7, 3), &service)?;
/// world.run_until(Time::from_secs(5));
/// assert_eq!(world.violation(), None);
/// assert!(world.own_operations().filter(|operation| operation.end.is_some()).count() > 3);
/// # Ok::<(), raft_core::sim::ScenarioError>(())
/// ```
#[derive(Clone)]
pub struct Service {
    machine: Arc<MakeMachine>,
    command: Arc<MakeCommand>,
    compared_every: u64,
    operations_kept: usize,
}

/// So many operations at least are kept, unless the service says otherwise.
const OPERATIONS_KEPT: usize = 1 << 16;

type MakeMachine = dyn Fn() -> Box<dyn StateMachine> + Send + Sync;
type MakeCommand = dyn Fn(Ask, &mut Luck) -> Vec<u8> + Send + Sync;

impl Service {
    /// `machine` makes a state machine that has applied nothing. `command` makes what a client asks
    /// for next; it is called once for each operation, however often that is tried, and must depend
    /// on nothing else than what it is given.
    pub fn new<M: StateMachine>(
        machine: impl Fn() -> M + Send + Sync + 'static,
        command: impl Fn(Ask, &mut Luck) -> Vec<u8> + Send + Sync + 'static,
    ) -> Service {
        Service {
            machine: Arc::new(move || Box::new(machine())),
            command: Arc::new(command),
            compared_every: 1,
            operations_kept: OPERATIONS_KEPT,
        }
    }

    /// Servers' snapshots are compared at every entry whose index is a multiple of that, and not at
    /// every one: for a state machine whose snapshot is large. Each server makes one each time.
    /// Answers are compared at every entry all the same.
    #[must_use]
    pub fn compared_every(self, entries: u64) -> Service {
        Service { compared_every: entries.max(1), ..self }
    }

    /// The latest so many operations are kept with their answers, 65,536 if nobody says otherwise,
    /// and at most twice as many; older ones are forgotten: fewer for a state machine whose answers
    /// are large, more for who wants to judge a long run. The least is one.
    #[must_use]
    pub fn operations_kept(self, count: usize) -> Service {
        Service { operations_kept: count.max(1), ..self }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Service");
        fields.field("compared_every", &self.compared_every).field("operations_kept", &self.operations_kept);
        fields.finish_non_exhaustive()
    }
}

/// Whose command is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The client.
    pub client: ClientId,
    /// Numbers the client's operations, from 1. All tries of one have the same number, for they
    /// have the same bytes.
    pub number: u64,
}

/// The luck of a client's commands: the same in every run of the same seed, whatever else happens
/// there.
#[derive(Clone, Debug)]
pub struct Luck(Xoshiro256PlusPlus);

impl Luck {
    fn of(seed: u64) -> Luck {
        Luck(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A number below `bound`, each as likely as any other; 0 if there is none.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound.max(1))
    }
}

/// One operation of a client, from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnOperation {
    /// Numbers all operations of the run, from 1.
    pub number: u32,
    /// Whose it is.
    pub client: ClientId,
    /// What was asked for.
    pub command: Bytes,
    /// When.
    pub began: Time,
    /// How it ended, and when.
    pub end: Option<(Time, OwnEnd)>,
    /// The index of the entry that was answered.
    pub point: Option<u64>,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnEnd {
    /// With this answer of the state machine's.
    Answered(Bytes),
    /// Certainly without effect.
    Failed(Trouble),
    /// Nobody knows.
    Unknown(Trouble),
}

/// In words; an answer as the text that it is, or the bytes.
impl fmt::Display for OwnEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OwnEnd::Answered(answer) => match core::str::from_utf8(answer) {
                Ok(text) => f.write_str(text),
                Err(_) => fmt::Debug::fmt(&**answer, f),
            },
            OwnEnd::Failed(trouble) => trouble.fmt(f),
            OwnEnd::Unknown(trouble) => write!(f, "{trouble}; it may have been done, or may be yet"),
        }
    }
}

/// How often a run asked of its state machines what they are there for. Where one of these is
/// zero, the run says nothing about that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnCounts {
    /// Operations that clients began.
    pub operations: u64,
    /// Operations that were asked for once more, because no answer had come. Their commands may be
    /// in the log twice.
    pub retries: u64,
    /// Commands that were committed, and applied by somebody.
    pub commands: u64,
    /// Answers that were compared with another server's to the same command.
    pub answers_compared: u64,
    /// Snapshots that were compared with another server's of the same state.
    pub snapshots_compared: u64,
    /// Snapshots that servers took for their logs. One that was taken right before a crash or the
    /// end may be missing.
    pub snapshots_taken: u64,
    /// Restarts from a snapshot: a new state machine was restored.
    pub restores_new: u64,
    /// Snapshots that a server was sent while it ran: a state machine was restored that had been
    /// used, and a new one beside it.
    pub restores_over: u64,
    /// Answers and snapshots that came so late that nobody remembered what to compare them with.
    pub too_late: u64,
}

impl OwnCounts {
    /// Adds those of another run.
    pub fn add(&mut self, other: &OwnCounts) {
        let OwnCounts {
            operations,
            retries,
            commands,
            answers_compared,
            snapshots_compared,
            snapshots_taken,
            restores_new,
            restores_over,
            too_late,
        } = other;
        self.operations += operations;
        self.retries += retries;
        self.commands += commands;
        self.answers_compared += answers_compared;
        self.snapshots_compared += snapshots_compared;
        self.snapshots_taken += snapshots_taken;
        self.restores_new += restores_new;
        self.restores_over += restores_over;
        self.too_late += too_late;
    }
}

impl OwnCounts {
    /// What never happened, each as a sentence: of that, nothing is known.
    pub fn gaps(&self) -> Vec<&'static str> {
        let OwnCounts { commands, retries, answers_compared, snapshots_compared, snapshots_taken, .. } = self;
        let rows = [
            (commands, "no command was committed, so that nothing was tested at all"),
            (retries, "no operation was retried: nothing is known of commands that come twice"),
            (answers_compared, "no answer was compared with another server’s"),
            (
                snapshots_compared,
                "no two snapshots of the same state were compared (one server, or `compared_every` is large)",
            ),
            (snapshots_taken, "no server took a snapshot for its log"),
            (&self.restores_new, "no state machine was restored at a restart"),
            (&self.restores_over, "no state machine was sent a snapshot while it ran"),
        ];
        rows.iter().filter(|(count, _)| **count == 0).map(|(_, sentence)| *sentence).collect()
    }
}

/// Each with its number, in two lines.
impl fmt::Display for OwnCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OwnCounts { operations, retries, commands, answers_compared, snapshots_compared, .. } = self;
        let OwnCounts { snapshots_taken, restores_new, restores_over, too_late, .. } = self;
        writeln!(f, "commands committed: {commands}, for {operations} operations, of which {retries} were retried")?;
        write!(
            f,
            "compared: {answers_compared} answers, {snapshots_compared} snapshots; taken for logs: {snapshots_taken}; \
             restored: {restores_new} at restarts, {restores_over} over what was there"
        )?;
        if *too_late > 0 {
            write!(f, "; {too_late} came too late to be compared")?;
        }
        Ok(())
    }
}

/// A call of a state machine's, of a world's own: see [`Simulation::own_call`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnCall {
    /// Whose state machine.
    pub server: ServerId,
    /// What is called.
    pub what: OwnMethod,
    /// The index of the entry that is applied, or up to which everything has been.
    pub index: u64,
}

/// What of a [`StateMachine`] is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnMethod {
    /// [`StateMachine::apply`].
    Apply,
    /// [`StateMachine::snapshot`] or [`StateMachine::check`]; where a difference was found,
    /// whatever is tried to explain it.
    Look,
    /// [`StateMachine::restore`], and a look at what was restored.
    Restore,
}

/// `S2 applies the entry at 17`.
impl fmt::Display for OwnCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OwnCall { server, what, index } = self;
        match what {
            OwnMethod::Apply => write!(f, "{server} applies the entry at {index}"),
            OwnMethod::Look => write!(f, "{server} is asked for its state after the entry at {index}"),
            OwnMethod::Restore => write!(f, "{server} restores the snapshot of everything up to {index}"),
        }
    }
}

/// All that is the world's own where its servers host another state machine than the store. Behind
/// a pointer, so that nothing of it is in a program that never makes such a world.
pub(super) trait OwnWorld: fmt::Debug + Send + Sync {
    fn clone_boxed(&self) -> Box<dyn OwnWorld>;

    /// What a server hosts that starts from this snapshot, or from nothing.
    fn machine(
        &mut self,
        server: ServerId,
        snapshot: Option<&Snapshot>,
        now: Time,
        observers: &mut Observers,
    ) -> Box<dyn StateMachine>;

    /// Something happens that would concern the store or its clients. Gives itself back to the
    /// world, from which it was taken for that.
    fn take(self: Box<Self>, world: &mut Simulation, event: OwnEvent<'_>);

    fn operations(&self) -> &Recent<OwnOperation>;

    fn counts(&self) -> OwnCounts;

    /// The call under way, or that a panic broke off.
    fn call(&self) -> Option<OwnCall>;
}

impl Clone for Box<dyn OwnWorld> {
    fn clone(&self) -> Box<dyn OwnWorld> {
        (**self).clone_boxed()
    }
}

/// What happens that would concern the store or its clients.
pub(super) enum OwnEvent<'a> {
    /// A server applies what is committed, or restores a snapshot.
    Apply(ServerId, &'a mut Output),
    /// A client does what it has to do now.
    Wake(ClientId),
    /// A client is answered.
    Answer(ClientId, Answer),
    /// The person asks for something.
    Submit,
    /// The states of all servers are to be compared.
    Compare,
}

/// Worlds whose servers host another state machine than the store.
impl Simulation {
    /// A world at time zero, its servers just started, each with the service's state machine. See
    /// [`Service`].
    ///
    /// # Errors
    /// A scenario that makes no world.
    pub fn hosting(scenario: Scenario, service: &Service) -> Result<Simulation, ScenarioError> {
        let mut world = Simulation::new(scenario)?;
        // They have just started, and nothing has happened yet.
        for server in world.cluster.servers().iter() {
            if let Some(process) = &mut world.cluster[server].process {
                process.hosted = Hosted::Own((service.machine)());
            }
        }
        world.own = Some(Box::new(Hosting::new(&world.script, service)));
        Ok(world)
    }

    /// The operations of all clients, by number, in a world that hosts a state machine of its own,
    /// except for the oldest of a long run ([`Service::operations_kept`]); none in another world.
    pub fn own_operations(&self) -> impl DoubleEndedIterator<Item = &OwnOperation> {
        self.own.iter().flat_map(|own| own.operations().iter())
    }

    /// How often the run has asked of its state machines what they are there for, in a world that
    /// hosts its own.
    pub fn own_counts(&self) -> Option<OwnCounts> {
        self.own.as_ref().map(|own| own.counts())
    }

    /// The call of a state machine of the world's own that has not returned: where it panicked, for
    /// who has caught that; none if it was in what makes the clients' commands, or where a server
    /// took a snapshot for its log. After a panic the world is good for nothing else than to be
    /// looked at.
    pub fn own_call(&self) -> Option<OwnCall> {
        self.own.as_ref().and_then(|own| own.call())
    }

    /// Compares the states of all servers that have applied the same entries and run, where they
    /// host a state machine of the world's own. A difference is a violation, and stops the run.
    pub fn compare_states(&mut self) {
        self.own_takes(OwnEvent::Compare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::Rules;
    use crate::sim::{Action, Profile, Timeline, hunt};
    use crate::state_machine::RestoreError;
    use crate::time::Duration;
    use alloc::string::{String, ToString};

    /// All commands, each with a line of its own.
    #[derive(Clone, Debug, Default)]
    struct Lines(String);

    impl StateMachine for Lines {
        fn apply(&mut self, _: u64, command: &[u8]) -> Vec<u8> {
            self.0 += core::str::from_utf8(command).unwrap_or("?");
            self.0.push('\n');
            self.0.lines().count().to_string().into_bytes()
        }

        fn snapshot(&self) -> Vec<u8> {
            self.0.clone().into_bytes()
        }

        fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
            self.0 = String::from_utf8(snapshot.to_vec()).map_err(RestoreError::new)?;
            Ok(())
        }
    }

    fn service() -> Service {
        Service::new(Lines::default, |ask, luck| {
            alloc::format!("{} of {} wants {}", ask.number, ask.client, luck.below(1_000)).into_bytes()
        })
    }

    fn storm(seed: u64) -> Scenario {
        hunt(seed, Some(3), Duration::from_secs(30), Profile::Full, Rules::ALL)
    }

    fn applied(world: &Simulation) -> Vec<String> {
        let machine = world.machines().iter().max_by_key(|machine| machine.raft().map(|raft| raft.applied_index()));
        let machine = machine.and_then(|machine| machine.state_machine()).expect("somebody runs");
        let lines: &Lines = (machine as &dyn core::any::Any).downcast_ref().expect("it is what is hosted");
        lines.0.lines().map(ToString::to_string).collect()
    }

    #[test]
    fn clients_ask_again_until_they_are_answered_and_commands_may_come_twice() {
        let mut twice = 0;
        for seed in 0..12 {
            let mut world = Simulation::hosting(storm(seed), &service()).unwrap();
            world.run_until(Time::from_secs(30));
            assert_eq!(world.violation(), None, "seed {seed}");
            let lines = applied(&world);
            let mut once = lines.clone();
            once.sort();
            once.dedup();
            twice += lines.len() - once.len();
            let mut answered = 0;
            for operation in world.own_operations() {
                let command = core::str::from_utf8(&operation.command).unwrap().to_string();
                match &operation.end {
                    Some((at, OwnEnd::Answered(answer))) => {
                        assert!(operation.began <= *at && operation.point.is_some());
                        let count: usize = core::str::from_utf8(answer).unwrap().parse().unwrap();
                        assert_eq!(lines[count - 1], command, "seed {seed}: what it was told of is its own");
                        answered += 1;
                    }
                    Some((_, OwnEnd::Failed(_))) => {
                        assert!(!lines.contains(&command), "seed {seed}: “{command}” was certainly not done");
                    }
                    _ => {}
                }
            }
            assert!(answered > 5, "seed {seed}: {answered} answers");
            assert!(world.operations().next().is_none(), "the store’s clients ask for nothing");
            assert!(world.machines().iter().all(|machine| machine.store().is_none()));
        }
        assert!(twice > 0, "no storm made anybody ask twice for the same");
    }

    #[test]
    fn a_run_is_its_seed_and_a_clone_goes_on_as_its_original() {
        let play = |until| {
            let mut world = Simulation::hosting(storm(5), &service()).unwrap();
            world.run_until(Time::from_secs(until));
            world
        };
        let (mut early, whole) = (play(9).clone(), play(30));
        early.run_until(Time::from_secs(30));
        assert_eq!(early.trace_hash(), whole.trace_hash());
        assert!(early.own_operations().eq(whole.own_operations()));
        assert_eq!(applied(&early), applied(&whole));
        // Neither does a timeline play anything else.
        let mut run = Timeline::of(Simulation::hosting(storm(5), &service()).unwrap());
        run.play_until(Time::from_secs(30));
        run.seek(Time::from_secs(4));
        run.seek(Time::from_secs(30));
        assert_eq!(run.world().trace_hash(), whole.trace_hash());
    }

    #[test]
    fn what_clients_ask_for_depends_on_nothing_else_that_happens() {
        let asked = |loss| {
            let mut scenario = Scenario::new(7, 3);
            scenario.parameters.network.loss = loss;
            let mut world = Simulation::hosting(scenario, &service()).unwrap();
            world.run_until(Time::from_secs(20));
            let of_one = |operation: &&OwnOperation| operation.client == ClientId(2);
            world.own_operations().filter(of_one).take(5).map(|operation| operation.command.clone()).collect::<Vec<_>>()
        };
        assert_eq!(asked(0).len(), 5);
        assert_eq!(asked(0), asked(200_000));
    }

    #[test]
    fn the_person_asks_for_one_more_by_each_line() {
        let mut scenario = Scenario::new(7, 3);
        scenario.parameters.clients.count = 0;
        let mut world = Simulation::hosting(scenario, &service()).unwrap();
        world.run_until(Time::from_secs(2));
        for _ in 0..3 {
            world.act(Action::Submit("get x".into())).unwrap();
        }
        world.run_until(Time::from_secs(4));
        let ends: Vec<_> =
            world.own_operations().map(|operation| operation.end.as_ref().unwrap().1.to_string()).collect();
        assert_eq!(ends, ["1", "2", "3"]);
        assert!(world.own_operations().all(|operation| operation.client == ClientId::PERSON));
    }

    #[test]
    fn states_that_are_compared_seldom_are_compared_when_asked_for() {
        /// Counts, and has a number of its own that it isn't given by any command.
        #[derive(Clone, Debug)]
        struct Different(u8);

        impl StateMachine for Different {
            fn apply(&mut self, _: u64, _: &[u8]) -> Vec<u8> {
                Vec::new()
            }
            fn snapshot(&self) -> Vec<u8> {
                alloc::vec![self.0]
            }
            fn restore(&mut self, _: &[u8]) -> Result<(), RestoreError> {
                Ok(())
            }
        }

        let made = core::sync::atomic::AtomicU8::new(0);
        let different = move || Different(made.fetch_add(1, core::sync::atomic::Ordering::Relaxed));
        let service = Service::new(different, |_, _| alloc::vec![1]).compared_every(1_000_000);
        let mut world = Simulation::hosting(Scenario::new(7, 3), &service).unwrap();
        world.run_until(Time::from_secs(3));
        assert_eq!(world.violation(), None);
        // Wait for a moment at which two have applied the same.
        for _ in 0..100 {
            world.compare_states();
            world.run_until(world.now() + Duration::from_millis(10));
        }
        let sentence = world.violation().expect("they differ").to_string();
        assert!(sentence.starts_with("State Machine Contract is violated at 3."), "{sentence}");
        assert!(sentence.contains("but their state machines’ snapshots differ: 1 and 1 bytes"), "{sentence}");
        assert!(sentence.ends_with("two that have applied nothing have different snapshots"), "{sentence}");
    }
}
