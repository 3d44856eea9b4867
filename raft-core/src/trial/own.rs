//! Hunting in worlds that host a state machine of one's own.
//!
//! Whoever has written one ([`StateMachine`](crate::state_machine::StateMachine)) says what clients
//! ask of it ([`Service`]) and hunts from a test:
//! ```no_run
//! # use raft_core::sim::Service;
//! use raft_core::trial::{Hunt, own};
//!
//! # fn service() -> Service { unimplemented!() }
//! #[test]
//! fn it_survives_a_hundred_storms() {
//!     let hunted = own::hunt(&service(), &Hunt::default(), 0..100).unwrap();
//!     assert!(hunted.found.is_none() && hunted.gaps().is_empty(), "{hunted}");
//! }
//! ```
//! `examples/bank.rs` is a whole one, with bugs to be found. The guide goes through all of it, with
//! a state machine that panics and with answers that one judges oneself.
//!
//! # What is judged
//! What is checked while it goes on ([`sim::own`](crate::sim::Service)), and liveness after the
//! storm as for the store: within the same bounds somebody leads, a command of the person's has
//! been answered, and all members that nothing is wrong with and that the leader reaches have
//! applied it. At the end, all states are compared once more.
//!
//! # What was tested
//! A hunt that finds nothing says something only about what happened in it. [`Hunted`] counts
//! that, and [`Hunted::gaps`] says what never happened.
//!
//! # Caveats
//! **A file or a link of such a run has no state machine in it.** [`Found::run`] can be written as
//! any [`Run`], and read again; but only [`play`], with the same service, plays it. The page and
//! `raftarium replay` would play the store in its place, and see nothing.
//!
//! **What clients were answered isn't judged**: a command that is carried out twice on all servers
//! is found only if the state machine's `check` sees it, or whoever looks at
//! [`Simulation::own_operations`].
//!
//! A state machine that panics ends the test, unless that is caught.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{
    CALM_AFTER, Failure, Finding, Hunt, HuntError, Played, Playing, Stuck, committed_itself, shrink, too_slow_to_ask,
    who_has_it,
};
use crate::check::linearizable::WORK_DEFAULT;
use crate::format::{Run, link, units};
use crate::raft::{Rules, ServerId};
use crate::sim::{
    Action, ClientId, MessageKind, OwnCounts, OwnEnd, OwnOperation, ScenarioError, Service, Simulation, Target,
    action_fields, actions,
};
use crate::time::{Duration, Time};

/// What came of a hunt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Hunted {
    /// How many storms were played.
    pub storms: u64,
    /// What happened in all of them together.
    pub counts: OwnCounts,
    /// The first failure. No storm was played after it.
    pub found: Option<Found>,
}

/// The first run that fails, and how it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The run. Its seed is in its scenario.
    pub run: Run,
    /// What must not be.
    pub finding: Finding,
    /// The hunt that has this run for that seed; none once the run is made small.
    pub hunt: Option<Hunt>,
    /// Whether it failed in the same way, at the same time, when it was played once more. If not,
    /// the state machine isn't deterministic, or it or the service depends on something outside
    /// the run.
    pub repeats: bool,
}

/// Plays the storm of each seed with that service, one after the other, until one fails. One that
/// fails is played once more, to see whether it does so again.
///
/// # Errors
/// A hunt that can't be.
pub fn hunt(service: &Service, hunt: &Hunt, seeds: impl IntoIterator<Item = u64>) -> Result<Hunted, HuntError> {
    hunt.check()?;
    let mut hunted = Hunted::default();
    for seed in seeds {
        let run = hunt.run(seed)?;
        let played = play(&run, service)?;
        hunted.storms += 1;
        hunted.counts.add(&played.world.own_counts().unwrap_or_default());
        if let Some(finding) = played.finding {
            let again = play(&run, service)?.finding;
            let repeats = again.is_some_and(|again| (again.what(), again.at()) == (finding.what(), finding.at()));
            hunted.found = Some(Found { run, finding, hunt: Some(*hunt), repeats });
            break;
        }
    }
    Ok(hunted)
}

/// Plays a run with that service up to its moment, and judges it: [`trial::play`](super::play) for
/// a state machine of one's own.
///
/// # Errors
/// A run that can't be played.
pub fn play(run: &Run, service: &Service) -> Result<Played, ScenarioError> {
    let world = Simulation::hosting(run.scenario.clone(), service)?;
    let mut playing = Playing::of(world, run, what_is_missing);
    let mut unwatched = |_: &mut Simulation| true;
    playing.play(&mut unwatched);
    let judged = playing.judge(WORK_DEFAULT, &mut unwatched);
    let mut played = judged.unwrap_or_else(|| unreachable!("nobody breaks it off"));
    if played.finding.is_none() {
        played.world.compare_states();
        played.finding = played.world.violation().cloned().map(Finding::Violation);
    }
    Ok(played)
}

impl Hunted {
    /// What never happened, each as a sentence: of that the hunt says nothing, whatever it found.
    pub fn gaps(&self) -> Vec<&'static str> {
        if self.storms == 0 {
            return Vec::from(["no storm was played: there was no seed"]);
        }
        self.counts.gaps()
    }
}

/// How many storms, what happened in them, and what was found; or, if nothing was, what never
/// happened.
impl fmt::Display for Hunted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = if self.found.is_none() { ", and none found anything" } else { ", and the last found something" };
        write!(f, "{}{none}\n{}", counted(self.storms, "storm"), self.counts)?;
        match &self.found {
            Some(found) => write!(f, "\n{found}"),
            None => self.gaps().iter().try_for_each(|gap| write!(f, "\nATTENTION: {gap}")),
        }
    }
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

impl Found {
    /// Its seed.
    pub fn seed(&self) -> u64 {
        self.run.scenario.seed
    }

    /// The same failure in a run made small, with at most `tries_max` tries: fewer faults, a
    /// shorter time, a simpler world. With the same service, of course. What doesn't
    /// [repeat](Found::repeats) can't be made small, and stays as it is.
    #[must_use]
    pub fn shrink(&self, service: &Service, tries_max: u32) -> Found {
        let found = |run: &Run| play(run, service).ok()?.finding;
        let failure = |finding: Finding| Failure { kind: finding.name(), at: finding.at() };
        let is_same = |finding: &Finding| finding.what() == self.finding.what();
        let unsteady = || Found { repeats: false, ..self.clone() };
        if !found(&self.run).is_some_and(|finding| is_same(&finding)) {
            return unsteady();
        }
        let shrunk = shrink(&self.run, &failure(self.finding.clone()), tries_max, |run| found(run).map(failure));
        match found(&shrunk.run).filter(is_same) {
            Some(finding) => Found { run: shrunk.run, finding, hunt: None, repeats: self.repeats },
            None => unsteady(),
        }
    }
}

/// The most actions that are listed.
const LISTED_MAX: usize = 40;

/// What was found, and how to see it again.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seed, servers) = (self.seed(), self.run.scenario.parameters.servers);
        writeln!(f, "seed {seed}, {}: {}", counted(u64::from(servers), "server"), self.finding)?;
        if !self.repeats {
            writeln!(
                f,
                "ATTENTION: played once more it didn’t fail so. The state machine isn’t deterministic, or it, or what \
                 makes its clients’ commands, depends on something outside the run (a clock, a static, what another \
                 run left behind)"
            )?;
        }
        if let Some(hunt) = &self.hunt {
            return write!(
                f,
                "to play it again, with the same service: `own::hunt(&service, &{}, [{seed}])`",
                in_rust(hunt)
            );
        }
        if self.run.scenario.actions.len() <= LISTED_MAX {
            writeln!(f, "what is done to it:\n{}", Actions(&self.run))?;
        }
        match link::write(&self.run) {
            Ok(link) => write!(
                f,
                "to play it again, with the same service: `own::play(&format::link::read(\"{link}\")?, &service)`"
            ),
            Err(error) => {
                write!(f, "to play it again, `own::play` its run with the same service; no link holds it: {error}")
            }
        }
    }
}

impl core::error::Error for Found {}

/// A hunt as an expression of Rust.
fn in_rust(hunt: &Hunt) -> String {
    let Hunt { servers, length, profile, rules, only_harm } = *hunt;
    let usual = Hunt::default();
    let mut fields = String::new();
    if servers != usual.servers {
        fields += &format!("servers: {servers:?}, ");
    }
    if length != usual.length {
        let micros = length.as_micros();
        fields += &match micros % 1_000_000 {
            0 => format!("length: Duration::from_secs({}), ", micros / 1_000_000),
            _ => format!("length: Duration::from_micros({micros}), "),
        };
    }
    if profile != usual.profile {
        fields += &format!("profile: Profile::{profile:?}, ");
    }
    if rules != Rules::ALL {
        let without: String = rules.switched_off().map(|rule| format!(".without(Rule::{rule:?})")).collect();
        fields += &format!("rules: Rules::ALL{without}, ");
    }
    if only_harm {
        fields += "only_harm: true, ";
    }
    if fields.is_empty() { "Hunt::default()".to_string() } else { format!("Hunt {{ {fields}..Hunt::default() }}") }
}

/// What is done in a run, an action a line, in words.
///
/// ```
/// use raft_core::format::Run;
/// use raft_core::sim::{Action, Scenario, Target, TimedAction};
/// use raft_core::time::Time;
/// use raft_core::trial::own::Actions;
///
/// let mut scenario = Scenario::new(7, 3);
/// for (second, action) in [(2, Action::Crash(Target::Leader)), (3, Action::Submit("put x 1".into()))] {
///     scenario.actions.push(TimedAction { at: Time::from_secs(second), action });
/// }
/// let run = Run { scenario, until: Time::from_secs(9), hash: None };
/// assert_eq!(Actions(&run).to_string(), "  2.000 s  crash: server leader\n  3.000 s  the person asks for something");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Actions<'a>(pub &'a Run);

impl fmt::Display for Actions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, timed) in self.0.scenario.actions.iter().enumerate() {
            let line = if place == 0 { "" } else { "\n" };
            write!(f, "{line}  {}  {}", timed.at, action_in_words(&timed.action))?;
        }
        Ok(())
    }
}

/// An action as a file has it, its name and its fields. What the person's line says is left out: it
/// is for the store, and where another state machine is, only asks for a command more.
fn action_in_words(action: &Action) -> String {
    macro_rules! words {
        ($(
            $(#[$doc:meta])+
            $number:literal $name:literal $action:ident $(($($only:ident),+))? $({ $($field:ident),+ })?;
        )+) => {
            match action {
                Action::Submit(_) => return "the person asks for something".to_string(),
                $(Action::$action $(($($only),+))? $({ $($field),+ })? => {
                    let fields: &[String] = &[$($(by_field::$only($only)),+)? $($(by_field::$field($field)),+)?];
                    (fields.join(", "), $name)
                })+
            }
        };
    }
    #[allow(unreachable_patterns, reason = "the table has it, too")]
    let (fields, name) = actions!(words);
    if fields.is_empty() { name.to_string() } else { format!("{name}: {fields}") }
}

/// Each field in words, by its name.
mod by_field {
    use super::*;
    use crate::kv::CommandLine;
    use crate::sim::Ppm;

    macro_rules! define {
        ($($field:ident: $type:ty, $may_be:ident, $name:literal $form:ident, $example:literal;)+) => {
            $(
                #[allow(clippy::ptr_arg, reason = "the table has the types that fields are of")]
                pub(super) fn $field(value: &$type) -> String {
                    format!("{} {}", $name, form::$form(value))
                }
            )+
        };
    }
    action_fields!(define);

    /// The forms of fields in files, for people.
    #[allow(non_snake_case, clippy::trivially_copy_pass_by_ref, reason = "named and called by a table")]
    mod form {
        use super::*;

        pub(super) fn Aim(target: &Target) -> String {
            match target {
                Target::Server(server) => server.to_string(),
                Target::Leader => "leader".to_string(),
                Target::Writer => "writer".to_string(),
            }
        }

        pub(super) fn Server(server: &ServerId) -> String {
            server.to_string()
        }

        pub(super) fn Share(share: &Ppm) -> String {
            units::write_share(*share)
        }

        pub(super) fn Jump(micros: &i64) -> String {
            let sign = if *micros < 0 { "-" } else { "" };
            format!("{sign}{}", units::write_duration(Duration::from_micros(micros.unsigned_abs())))
        }

        pub(super) fn Flag(flag: &bool) -> String {
            flag.to_string()
        }

        pub(super) fn Length(length: &Duration) -> String {
            units::write_duration(*length)
        }

        pub(super) fn Groups(groups: &[u8]) -> String {
            format!("{groups:?}")
        }

        pub(super) fn Number(number: &u64) -> String {
            number.to_string()
        }

        pub(super) fn Text(line: &CommandLine) -> String {
            format!("“{}”", line.text().escape_debug())
        }

        pub(super) fn Kind(kind: &MessageKind) -> String {
            kind.name().to_string()
        }
    }
}

/// What the cluster lacks to be back at work since `calm`.
fn what_is_missing(world: &Simulation, calm: Time) -> Option<Stuck> {
    let Some(leader) = world.leader() else { return Some(Stuck::NoLeader) };
    match index_asked_for(world, calm, leader) {
        Ok(index) => who_has_it(world, leader, index).err(),
        Err(stuck) => Some(stuck),
    }
}

/// Where the first command that the person asked for since then, and was answered, is in the log; 0
/// if it didn't ask for one in time.
fn index_asked_for(world: &Simulation, calm: Time, leader: ServerId) -> Result<u64, Stuck> {
    let asked = || {
        let of_person = |operation: &&OwnOperation| operation.client == ClientId::PERSON && operation.began >= calm;
        world.own_operations().filter(of_person)
    };
    let is_answered = |operation: &OwnOperation| matches!(operation.end, Some((_, OwnEnd::Answered(_))));
    let answered = |operation: &OwnOperation| is_answered(operation).then_some(operation.point?);
    let timeout = world.scenario().parameters.clients.operation_timeout;
    let in_time = |operation: &&OwnOperation| operation.began + timeout <= calm + CALM_AFTER;
    if let Some(index) = asked().find_map(answered) {
        return Ok(index);
    }
    let Some(last) = asked().rfind(in_time) else { return Ok(0) };
    if too_slow_to_ask(world, calm)
        && let Some(index) = committed_itself(world, leader)
    {
        return Ok(index);
    }
    let why = last.end.as_ref().map_or_else(|| "none yet".to_string(), |(_, end)| end.to_string());
    Err(Stuck::NoAnswer { asked: alloc::format!("command {}", last.number), why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::Rule;
    use crate::sim::Profile;
    use crate::state_machine::{RestoreError, StateMachine};
    use alloc::sync::Arc;
    use core::sync::atomic::AtomicU64;
    use core::sync::atomic::Ordering::SeqCst;

    /// Adds up what it is given; where it is `forgetful`, it isn't what it was after a restart.
    #[derive(Clone, Debug, Default)]
    struct Sum {
        sum: u64,
        forgetful: bool,
    }

    impl StateMachine for Sum {
        fn apply(&mut self, index: u64, command: &[u8]) -> Vec<u8> {
            self.sum += index * command.len() as u64;
            self.snapshot()
        }

        fn snapshot(&self) -> Vec<u8> {
            self.sum.to_le_bytes().to_vec()
        }

        fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
            let sum = u64::from_le_bytes(snapshot.try_into().map_err(RestoreError::new)?);
            self.sum = if self.forgetful { sum / 2 } else { sum };
            Ok(())
        }

        fn check(&self) -> Result<(), String> {
            Ok(())
        }
    }

    fn service(forgetful: bool) -> Service {
        Service::new(move || Sum { forgetful, ..Sum::default() }, |ask, _| alloc::vec![7; ask.number as usize % 9])
    }

    fn short() -> Hunt {
        Hunt { length: Duration::from_secs(20), ..Hunt::default() }
    }

    #[test]
    fn a_state_machine_that_is_right_survives() {
        let hunted = hunt(&service(false), &short(), 0..20).unwrap();
        assert_eq!((hunted.storms, &hunted.found, hunted.gaps()), (20, &None, Vec::new()), "{hunted}");
        let sentence = hunted.to_string();
        assert!(sentence.starts_with("20 storms, and none found anything\ncommands committed: "), "{sentence}");
        assert!(!sentence.contains("ATTENTION"), "{sentence}");
        let played = play(&short().run(3).unwrap(), &service(false)).unwrap();
        let answered = |operation: &&OwnOperation| matches!(operation.end, Some((_, OwnEnd::Answered(_))));
        let person = |operation: &&OwnOperation| operation.client == ClientId::PERSON;
        assert!(played.world.own_operations().filter(person).filter(answered).count() > 3);
    }

    #[test]
    fn a_hunt_says_what_never_happened_in_it() {
        let calm = Hunt { profile: Profile::Calm, servers: Some(1), length: Duration::from_secs(11), ..short() };
        let hunted = hunt(&service(false), &calm, [1]).unwrap();
        let gaps = hunted.gaps();
        for part in ["no answer was compared", "no two snapshots", "was restored at a restart", "while it ran"] {
            assert!(gaps.iter().any(|gap| gap.contains(part)), "{part}: {gaps:?}");
        }
        assert!(!gaps.iter().any(|gap| gap.contains("no command")), "{gaps:?}");
        assert!(hunted.to_string().starts_with("1 storm, and "), "{hunted}");
        assert!(hunted.to_string().contains("\nATTENTION: no answer was compared"), "{hunted}");
        let nothing = hunt(&service(false), &calm, []).unwrap();
        assert!(nothing.to_string().contains("ATTENTION: no storm was played"), "{nothing}");
    }

    #[test]
    fn a_hunt_that_cannot_be_is_refused() {
        for servers in [0, 10, 16, 17, u8::MAX] {
            let wrong = Hunt { servers: Some(servers), ..short() };
            assert_eq!(hunt(&service(false), &wrong, 0..1), Err(HuntError::Servers { given: servers }));
        }
        let wrong = Hunt { length: CALM_AFTER, ..short() };
        assert_eq!(hunt(&service(false), &wrong, []), Err(HuntError::TooShort { given: CALM_AFTER }));
    }

    /// The run in the advice that a finding prints.
    fn advised(found: &Found) -> Run {
        let sentence = found.to_string();
        let (_, advice) = sentence.split_once("`own::play(&format::link::read(\"").expect("it advises that");
        let (link, rest) = advice.split_once('"').expect("the link ends");
        assert_eq!(rest, ")?, &service)`");
        link::read(link).expect("a link")
    }

    #[test]
    fn what_is_found_can_be_played_again_and_made_small() {
        let wrong = service(true);
        let found = hunt(&wrong, &short(), 0..20).unwrap().found.expect("it is forgetful");
        let sentence = found.to_string();
        let begins = format!("seed {}, ", found.seed());
        assert!(sentence.starts_with(&begins), "{sentence}");
        assert!(sentence.contains("restored from it, makes another of the same"), "{sentence}");
        assert!(sentence.contains("8 and 8 bytes, the first difference at byte "), "{sentence}");
        let call = format!(
            "`own::hunt(&service, &Hunt {{ length: Duration::from_secs(20), ..Hunt::default() }}, [{}])`",
            found.seed()
        );
        assert!(sentence.ends_with(&call) && !sentence.contains("ATTENTION"), "{sentence}");
        let again = hunt(&wrong, &short(), [found.seed()]).unwrap().found;
        assert_eq!(again.as_ref(), Some(&found));
        let small = found.shrink(&wrong, 60);
        assert_eq!((small.finding.name(), small.repeats, small.hunt), ("State Machine Contract", true, None));
        assert!(small.run.scenario.actions.len() * 2 < found.run.scenario.actions.len(), "{small}");
        assert_eq!(advised(&small), small.run);
        assert_eq!(play(&advised(&small), &wrong).unwrap().finding, Some(small.finding));
        assert_eq!(play(&found.run, &service(false)).unwrap().finding, None, "it is not the world's fault");
    }

    #[test]
    fn what_does_not_fail_again_is_said_not_to() {
        // The first so many that are made in this process are forgetful.
        let (made, first) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(u64::MAX)));
        let unsteady = {
            let (made, first) = (Arc::clone(&made), Arc::clone(&first));
            let forgetful = move || made.fetch_add(1, SeqCst) < first.load(SeqCst);
            Service::new(
                move || Sum { sum: 0, forgetful: forgetful() },
                |ask, _| alloc::vec![7; ask.number as usize % 9],
            )
        };
        let found = hunt(&unsteady, &short(), 0..20).unwrap().found.expect("all are forgetful");
        assert!(found.repeats, "{found}");
        made.store(0, SeqCst);
        let again = play(&found.run, &unsteady).unwrap().finding;
        assert_eq!(again.as_ref(), Some(&found.finding));
        // From now on no more are forgetful than are made when the run is played for the first
        // time.
        first.store(made.swap(0, SeqCst), SeqCst);
        let once = hunt(&unsteady, &short(), [found.seed()]).unwrap().found.expect("the first time they are forgetful");
        assert_eq!((once.repeats, &once.finding), (false, &found.finding));
        assert!(once.to_string().contains("\nATTENTION: played once more it didn’t fail so."), "{once}");
        let small = found.shrink(&unsteady, 60);
        assert_eq!((small.repeats, &small.run), (false, &found.run), "it isn’t made smaller by chance");
    }

    #[test]
    fn a_hunt_is_told_as_it_was() {
        assert_eq!(in_rust(&Hunt::default()), "Hunt::default()");
        let hunt = Hunt {
            servers: Some(3),
            length: Duration::from_millis(20_500),
            profile: Profile::Crashes,
            rules: Rules::ALL.without(Rule::VoteOncePerTerm),
            only_harm: true,
        };
        assert_eq!(
            in_rust(&hunt),
            "Hunt { servers: Some(3), length: Duration::from_micros(20500000), profile: Profile::Crashes, \
             rules: Rules::ALL.without(Rule::VoteOncePerTerm), only_harm: true, ..Hunt::default() }"
        );
        let mut run = Hunt { servers: Some(1), ..short() }.run(1).unwrap();
        run.scenario.actions.clear();
        let (why, at, healed) = (Stuck::NoLeader, Time::ZERO, crate::raft::ServerSet::EMPTY);
        let finding = Finding::Stuck { why, at, calm: at, healed, leader: None };
        let found = Found { run, finding, hunt: None, repeats: true };
        assert!(found.to_string().starts_with("seed 1, 1 server: Liveness is violated"), "{found}");
    }

    #[test]
    fn every_action_is_told_in_words() {
        let mut told = 0;
        for seed in 0..40 {
            let run = Hunt::default().run(seed).unwrap();
            for line in Actions(&run).to_string().lines() {
                assert!(!line.contains(['{', '(']) && line.contains(" s  "), "{line}");
                told += 1;
            }
        }
        assert!(told > 1_000, "{told} actions");
        let server = ServerId::new(2).unwrap();
        let told = [
            (Action::JumpClock { server, by: -1_500_000 }, "jump-clock: server S2, by -1.5s"),
            (Action::SetLoss(25_000), "set-loss: share 2.5%"),
            (Action::HealAll, "heal-all"),
            (Action::Partition(alloc::vec![0, 1, 1]), "partition: groups [0, 1, 1]"),
            (Action::Submit("put x 1".into()), "the person asks for something"),
        ];
        for (action, words) in told {
            assert_eq!(action_in_words(&action), words);
        }
    }

    #[test]
    fn a_cluster_that_does_not_come_back_to_work_is_found() {
        let mut run = Hunt { profile: Profile::Calm, ..short() }.run(1).unwrap();
        assert_eq!(play(&run, &service(false)).unwrap().finding, None);
        // No answer comes within a millisecond.
        run.scenario.parameters.clients.operation_timeout = Duration::from_millis(1);
        let finding = play(&run, &service(false)).unwrap().finding.expect("a finding");
        let sentence = finding.to_string();
        assert!(sentence.contains("after a storm, no write has been answered"), "{sentence}");
    }

    #[test]
    fn a_scenario_that_makes_no_world_is_refused() {
        let mut run = short().run(1).unwrap();
        run.scenario.parameters.servers = 0;
        assert!(play(&run, &service(false)).is_err());
    }
}
