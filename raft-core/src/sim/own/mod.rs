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
//! * servers that have applied the same entries have equal snapshots; compared after every entry,
//!   or more seldom ([`Service::compared_every`]), and by [`Simulation::compare_states`];
//! * a snapshot can be restored, and what was restored from it makes the same one again;
//! * [`StateMachine::check`] holds after every command, and after each restoring.
//!
//! # Caveats
//! What clients see isn't judged: only the state machine knows which answers are right. Clients
//! don't read beside the log. Whoever listens to the world hears of servers and messages, and not
//! of these operations; [`Simulation::own_operations`] has them. A state machine that isn't
//! deterministic makes a run that isn't.

mod client;
mod hosting;

use alloc::boxed::Box;
use alloc::string::String;
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
use crate::shared::Shared;
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
}

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
        Service { machine: Arc::new(move || Box::new(machine())), command: Arc::new(command), compared_every: 1 }
    }

    /// Servers' snapshots are compared at every entry whose index is a multiple of that, and not at
    /// every one: for a state machine whose snapshot is large.
    #[must_use]
    pub fn compared_every(self, entries: u64) -> Service {
        Service { compared_every: entries.max(1), ..self }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("compared_every", &self.compared_every).finish_non_exhaustive()
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

    /// Something happens that would concern the store or its clients.
    fn take(&mut self, world: &mut Simulation, event: OwnEvent<'_>);

    fn operations(&self) -> &Shared<OwnOperation>;
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

    /// The operations of all clients, by number, in a world that hosts a state machine of its own;
    /// none in another.
    pub fn own_operations(&self) -> impl DoubleEndedIterator<Item = &OwnOperation> {
        self.own.iter().flat_map(|own| own.operations().iter())
    }

    /// Compares the states of all servers that have applied the same entries and run, where they
    /// host a state machine of the world's own. A difference is a violation, and stops the run.
    pub fn compare_states(&mut self) {
        let Simulation { cluster, observers, now, .. } = self;
        let mut states: Vec<(u64, ServerId, Vec<u8>)> = Vec::new();
        for machine in cluster.machines() {
            if let Some(process) = &machine.process
                && let Hosted::Own(hosted) = &process.hosted
            {
                states.push((process.applied.0, machine.id(), hosted.snapshot()));
            }
        }
        states.sort();
        for pair in states.windows(2) {
            if pair[0].0 == pair[1].0 && pair[0].2 != pair[1].2 {
                differ(observers, *now, pair[0].1, pair[1].1, pair[0].0);
            }
        }
    }
}

/// Two servers have applied the same entries, and their states aren't the same.
fn differ(observers: &mut Observers, now: Time, one: ServerId, other: ServerId, index: u64) {
    let first = format_args!("{one} and {other} have both applied everything up to {index}");
    let second = format_args!("their state machines’ snapshots differ");
    observers.judge(|checker| checker.broke_contract(now, first, second));
}

/// What a state machine says must hold of it doesn't.
fn is_wrong(observers: &mut Observers, now: Time, server: ServerId, index: u64, why: &String) {
    let first = format_args!("{server} has applied everything up to {index}");
    observers.judge(|checker| checker.broke_contract(now, first, format_args!("{why}")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::Rules;
    use crate::sim::{Action, Profile, Timeline, hunt};
    use crate::state_machine::RestoreError;
    use crate::time::Duration;
    use alloc::string::ToString;

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
        assert!(sentence.ends_with("but their state machines’ snapshots differ"), "{sentence}");
    }
}
