//! Properties of the small pure parts, on random input: majorities, membership changes, the log.

use proptest::collection::vec;
use proptest::prelude::*;

use raft_core::raft::{
    ChangeError, Configuration, Entries, Entry, EntryId, EntryRun, Log, LogIndex, MembershipChange, MembershipLog,
    Payload, ServerId, ServerSet, Term, is_majority, majority_of, reached_by_majority,
};

/// Any set of servers.
fn any_set() -> impl Strategy<Value = ServerSet> {
    vec(1..=ServerId::MAX, 0..12).prop_map(|numbers| servers(&numbers))
}

/// A set of a few servers, so that two of them overlap often.
fn small_set() -> impl Strategy<Value = ServerSet> {
    vec(1..=9_u8, 0..7).prop_map(|numbers| servers(&numbers))
}

fn servers(numbers: &[u8]) -> ServerSet {
    numbers.iter().filter_map(|number| ServerId::new(*number)).collect()
}

/// All subsets of a set of at most nine servers.
fn subsets(set: ServerSet) -> impl Iterator<Item = ServerSet> {
    let all: Vec<ServerId> = set.iter().collect();
    (0..1_u32 << all.len())
        .map(move |code| all.iter().enumerate().filter(|(bit, _)| code >> bit & 1 == 1).map(|(_, s)| *s).collect())
}

/// The index that each of 127 servers has reached.
fn any_progress() -> impl Strategy<Value = Vec<u64>> {
    vec(prop_oneof![0..6_u64, any::<u64>()], usize::from(ServerId::MAX))
}

/// The slow way: sort, and pick the index that more than half have reached.
fn sorted_and_picked(voters: ServerSet, reached: &[u64]) -> u64 {
    let mut values: Vec<u64> = voters.iter().map(|server| reached[server.slot()]).collect();
    values.sort_unstable_by(|a, b| b.cmp(a));
    if values.is_empty() { 0 } else { values[values.len() / 2] }
}

fn configuration() -> impl Strategy<Value = Configuration> {
    (small_set(), small_set(), small_set()).prop_map(|(voters, outgoing, learners)| {
        let voters = if voters.is_empty() { ServerSet::first(3) } else { voters };
        Configuration { voters, outgoing, learners: learners.difference(voters) }
    })
}

proptest! {
    #[test]
    fn what_a_majority_has_reached_is_found_by_sorting(voters in any_set(), reached in any_progress()) {
        let fast = reached_by_majority(voters, |server| reached[server.slot()]);
        prop_assert_eq!(fast, sorted_and_picked(voters, &reached));
    }

    #[test]
    fn a_value_is_reached_by_a_majority_exactly_if_a_majority_has_reached_it(
        voters in any_set(),
        reached in any_progress(),
    ) {
        let highest = reached_by_majority(voters, |server| reached[server.slot()]);
        let with = |at_least: u64| voters.iter().filter(|s| reached[s.slot()] >= at_least).collect::<ServerSet>();
        prop_assert!(voters.is_empty() || is_majority(voters, with(highest)));
        prop_assert!(highest == u64::MAX || !is_majority(voters, with(highest + 1)));
    }

    #[test]
    fn a_majority_is_more_than_half_and_strangers_do_not_count(voters in any_set(), others in any_set()) {
        let present = voters.iter().filter(|server| others.contains(*server)).count();
        prop_assert_eq!(is_majority(voters, others), 2 * present > voters.len());
        prop_assert_eq!(2 * majority_of(voters.len()) > voters.len(), true);
        prop_assert!(2 * (majority_of(voters.len()) - 1) <= voters.len());
    }

    #[test]
    fn two_majorities_of_the_same_voters_share_a_server(voters in small_set()) {
        let majorities: Vec<ServerSet> = subsets(voters).filter(|some| is_majority(voters, *some)).collect();
        for one in &majorities {
            for other in &majorities {
                prop_assert!(!one.intersection(*other).is_empty(), "{:?} and {:?} of {:?}", one, other, voters);
            }
        }
    }

    #[test]
    fn a_quorum_of_a_joint_membership_is_one_of_each(config in configuration(), present in small_set()) {
        let both = is_majority(config.voters, present)
            && (config.outgoing.is_empty() || is_majority(config.outgoing, present));
        prop_assert_eq!(config.has_quorum(present), both);
        prop_assert_eq!(config.can_still_win(present), config.has_quorum(config.all_voters().difference(present)));
    }

    #[test]
    fn what_a_quorum_has_reached_is_the_lower_of_both_sets(config in configuration(), reached in any_progress()) {
        let slow = match config.is_joint() {
            false => sorted_and_picked(config.voters, &reached),
            true => sorted_and_picked(config.voters, &reached).min(sorted_and_picked(config.outgoing, &reached)),
        };
        prop_assert_eq!(config.reached_by_quorum(|server| reached[server.slot()]), slow);
    }
}

// -------------------------------------------------------------------- membership

/// Random wishes: which members and which other servers should vote, and which should be learners.
fn wishes() -> impl Strategy<Value = Vec<(u16, ServerSet, ServerSet)>> {
    vec(wish(), 1..12)
}

fn wish() -> impl Strategy<Value = (u16, ServerSet, ServerSet)> {
    let strangers = prop_oneof![9 => Just(ServerSet::EMPTY), 1 => small_set()];
    (any::<u16>(), strangers, small_set())
}

/// A change from `now`, mostly a valid one.
fn change_of(now: &Configuration, (chosen, strangers, learners): (u16, ServerSet, ServerSet)) -> MembershipChange {
    let members = now.voters.union(now.learners);
    let voters = members.iter().filter(|server| chosen >> server.number() & 1 == 1).collect::<ServerSet>();
    let voters = voters.union(strangers);
    MembershipChange { voters, learners: if chosen & 1 == 1 { learners } else { learners.difference(voters) } }
}

/// Whether every quorum of `one` shares a server with every quorum of `other`.
fn overlap(one: &Configuration, other: &Configuration) -> bool {
    // Minimal quorums would be enough, but they aren't cheap to recognise, so all quorums are
    // tried.
    let everybody = one.all_voters().union(other.all_voters());
    subsets(everybody).all(|some| !(one.has_quorum(some) && other.has_quorum(everybody.difference(some))))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_two_quorums_around_a_step_overlap(wishes in wishes()) {
        let mut now = Configuration::of_voters(ServerSet::first(3));
        for wish in wishes {
            let change = change_of(&now, wish);
            let MembershipChange { voters, learners } = change;
            let Ok(next) = now.enter(change) else { continue };
            prop_assert!(overlap(&now, &next), "{:?} → {:?}", now, next);
            prop_assert_eq!(next.is_joint(), voters != now.voters);
            let left = next.leave();
            prop_assert!(overlap(&next, &left), "{:?} → {:?}", next, left);
            prop_assert_eq!((left.voters, left.learners, left.is_joint()), (voters, learners, false));
            now = left;
        }
    }

    #[test]
    fn a_change_is_refused_exactly_if_it_makes_no_sense(
        config in configuration(),
        wish in wish(),
    ) {
        let now = config.leave();
        let change = change_of(&now, wish);
        let MembershipChange { voters, learners } = change;
        let entered = now.enter(change);
        let strangers = voters.difference(now.voters).difference(now.learners);
        match entered {
            Ok(next) => {
                prop_assert!(!next.voters.is_empty() && next.voters.intersection(next.learners).is_empty());
                prop_assert!(strangers.is_empty());
                prop_assert!((next.voters, next.learners) != (now.voters, now.learners));
                // Every voter gets the log.
                prop_assert!(next.all_voters().is_subset_of(next.members()));
            }
            Err(ChangeError::NoVoters) => prop_assert!(voters.is_empty()),
            Err(ChangeError::VoterAndLearner(who)) => prop_assert!(voters.contains(who) && learners.contains(who)),
            Err(ChangeError::Unchanged) => prop_assert_eq!((voters, learners), (now.voters, now.learners)),
            Err(ChangeError::NotALearnerYet(who)) => prop_assert!(strangers.contains(who)),
        }
    }

    /// Compares the memberships of a log with a model: a list of all entries, searched for the last
    /// membership up to an index.
    #[test]
    fn the_membership_in_force_is_always_the_last_one_in_the_log(steps in vec((0..4_u8, 0..30_u64, configuration()), 1..40)) {
        let first = Configuration::of_voters(ServerSet::first(3));
        let mut memberships = MembershipLog::new(LogIndex::ZERO, first);
        // The model: the membership at each index, from the base on, and where the log was
        // compacted.
        let mut entries: Vec<Option<Configuration>> = vec![Some(first)];
        let mut base = 0_usize;
        for (what, place, configuration) in steps {
            match what {
                0 => entries.push(None),
                1 => {
                    memberships.append(LogIndex(entries.len() as u64), configuration);
                    entries.push(Some(configuration));
                }
                2 => {
                    let kept = (place as usize).clamp(base, entries.len() - 1);
                    let before = last_of(&entries, entries.len() - 1);
                    entries.truncate(kept + 1);
                    let changed = memberships.truncate_after(LogIndex(kept as u64));
                    prop_assert_eq!(changed, last_of(&entries, kept) != before);
                }
                _ => {
                    base = base.max((place as usize).min(entries.len() - 1));
                    memberships.compact_to(LogIndex(base as u64));
                }
            }
            let (index, in_force) = last_of(&entries, entries.len() - 1);
            prop_assert_eq!((memberships.current_index(), *memberships.current()), (index, in_force));
            for at in base..entries.len() {
                prop_assert_eq!(memberships.entry_at(LogIndex(at as u64)), last_of(&entries, at));
                prop_assert_eq!(*memberships.at(LogIndex(at as u64)), last_of(&entries, at).1);
            }
        }
    }
}

fn last_of(entries: &[Option<Configuration>], at: usize) -> (LogIndex, Configuration) {
    let found = entries[..=at].iter().enumerate().rev().find_map(|(index, entry)| entry.map(|it| (index, it)));
    found
        .map(|(index, configuration)| (LogIndex(index as u64), configuration))
        .expect("the first entry is a membership")
}

// -------------------------------------------------------------------- the log

/// An operation on a log; indexes are taken modulo its length.
#[derive(Clone, Debug)]
enum Act {
    /// Append this many entries, in a term that is later by this much.
    Append(u64, u64),
    /// Append this many at once: the last entries of a longer run.
    AppendRun(u64, u64, u64),
    Truncate(u64),
    Compact(u64),
    /// Replace the log by a snapshot that ends with an entry it doesn't have.
    Replace(u64, u64),
    /// Append to a clone, which must not change this log.
    Fork,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (1..90_u64, 0..3_u64).prop_map(|(count, later)| Act::Append(count, later)),
        4 => (0..90_u64, 0..3_u64, 0..9_u64).prop_map(|(count, later, more)| Act::AppendRun(count, later, more)),
        2 => any::<u64>().prop_map(Act::Truncate),
        2 => any::<u64>().prop_map(Act::Compact),
        1 => (0..5_u64, 0..3_u64).prop_map(|(beyond, later)| Act::Replace(beyond, later)),
        1 => Just(Act::Fork),
    ];
    vec(act, 1..25)
}

/// The model of a log: a plain list.
#[derive(Clone, Debug)]
struct Model {
    base: EntryId,
    entries: Vec<Entry>,
}

impl Model {
    fn last(&self) -> EntryId {
        let index = self.base.index.plus(self.entries.len() as u64);
        self.entries.last().map_or(self.base, |entry| EntryId::new(index, entry.term))
    }

    fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == self.base.index { Some(self.base.term) } else { self.get(index).map(|entry| entry.term) }
    }

    fn get(&self, index: LogIndex) -> Option<&Entry> {
        let place = index.0.checked_sub(self.base.index.0 + 1)?;
        self.entries.get(usize::try_from(place).ok()?)
    }
}

fn entry(term: Term, number: u64) -> Entry {
    let payload = if number.is_multiple_of(3) {
        Payload::NoOp
    } else {
        Payload::Command(vec![b'x'; (number % 40) as usize].into())
    };
    Entry { term, payload }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_log_behaves_as_a_plain_vector_would(acts in acts(), probes in vec((any::<u64>(), 0..9_u64, 0..200_u64), 8)) {
        let mut log = Log::after(EntryId::ZERO);
        let mut model = Model { base: EntryId::ZERO, entries: Vec::new() };
        for (number, act) in (0_u64..).zip(acts) {
            let length = model.entries.len() as u64;
            match act {
                Act::Append(count, later) => {
                    let term = Term(model.last().term.0 + later);
                    for position in 0..count {
                        let new = entry(term, number + position);
                        model.entries.push(new.clone());
                        prop_assert_eq!(log.append(new), model.last());
                    }
                }
                Act::AppendRun(count, later, more) => {
                    let term = Term(model.last().term.0 + later);
                    let whole: EntryRun = (0..more + count).map(|position| entry(term, number + position)).collect();
                    let run = whole.part(more as usize..whole.len());
                    prop_assert_eq!(&*run, &whole[more as usize..]);
                    model.entries.extend_from_slice(&run);
                    prop_assert_eq!(log.append_run(&run), model.last());
                }
                Act::Truncate(place) => {
                    let kept = place % (length + 1);
                    log.truncate_after(model.base.index.plus(kept));
                    model.entries.truncate(kept as usize);
                }
                Act::Compact(place) => {
                    let gone = place % (length + 1);
                    let index = model.base.index.plus(gone);
                    let base = EntryId::new(index, model.term_at(index).expect("it is held"));
                    log.compact_to(base);
                    model.base = base;
                    model.entries.drain(..gone as usize);
                }
                Act::Replace(beyond, later) => {
                    let last = model.last();
                    let base = EntryId::new(last.index.plus(beyond), Term(last.term.0 + 1 + later));
                    log.compact_to(base);
                    // Replacing at the base itself would do nothing.
                    if base.index > model.base.index {
                        model = Model { base, entries: Vec::new() };
                    }
                }
                Act::Fork => {
                    let mut fork = log.clone();
                    fork.truncate_after(fork.base().index);
                    fork.append(entry(Term(u64::MAX), 1));
                }
            }
            same(&log, &model, &probes)?;
        }
    }
}

fn same(log: &Log, model: &Model, probes: &[(u64, u64, u64)]) -> Result<(), TestCaseError> {
    prop_assert_eq!((log.base(), log.last()), (model.base, model.last()));
    prop_assert_eq!((log.len(), log.is_empty()), (model.entries.len() as u64, model.entries.is_empty()));
    prop_assert_eq!(log.first_index(), model.base.index.next());
    prop_assert_eq!(log.bytes(), model.entries.iter().map(|entry| entry.payload.size()).sum::<u64>());
    prop_assert!(log.iter_from(LogIndex::ZERO).eq(model.entries.iter()));
    for (place, term, bytes) in probes {
        // Indexes from before the base to beyond the end.
        let index = LogIndex((model.base.index.0 + place % (log.len() + 4)).saturating_sub(1));
        prop_assert_eq!(log.get(index), model.get(index));
        prop_assert_eq!(log.term_at(index), model.term_at(index));
        prop_assert_eq!(log.id_at(index), model.term_at(index).map(|term| EntryId::new(index, term)));
        let id = EntryId::new(index, Term(*term));
        prop_assert_eq!(log.contains(id), model.term_at(index) == Some(id.term));
        prop_assert_eq!(log.last_not_after(index, id.term), last_not_after(model, index, id.term));
        let rest = model.entries.iter().skip(index.next().distance_from(model.base.index.next()) as usize);
        prop_assert!(log.iter_from(index.next()).eq(rest), "from {}", index.next());
        prop_assert_eq!(log.slice(index, *term as usize, *bytes), slice(model, index, *term as usize, *bytes));
    }
    Ok(())
}

/// From the end, entry by entry.
fn last_not_after(model: &Model, index: LogIndex, term: Term) -> EntryId {
    let mut at = index.min(model.last().index);
    while at > model.base.index && model.term_at(at).is_some_and(|found| found > term) {
        at = at.previous();
    }
    if at <= model.base.index { model.base } else { EntryId::new(at, model.term_at(at).expect("it is held")) }
}

fn slice(model: &Model, from: LogIndex, count: usize, bytes: u64) -> Entries {
    let mut taken: Vec<Entry> = Vec::new();
    let mut size = 0;
    let mut index = from;
    while taken.len() < count
        && from > model.base.index
        && let Some(entry) = model.get(index)
    {
        size += entry.payload.size();
        if !taken.is_empty() && size > bytes {
            break;
        }
        taken.push(entry.clone());
        index = index.next();
    }
    taken.into()
}
