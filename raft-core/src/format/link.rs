//! A run as a link: a short text for the part of an address after the `#`, which no server ever
//! sees.
//!
//! # Form
//! base64url without padding, of
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the version, at present 1 |
//! | number | the seed |
//! | number | until when, in microseconds |
//! | 1 or 9 | 0, or 1 and the trace hash there, lowest byte first |
//! | number | which parameters differ from the defaults, a bit each, and |
//! | numbers | those parameters, in the order of their bits |
//! | number | how many actions there are, and |
//! | … | each of them: microseconds since the one before, a byte for its kind, what it is about |
//! | 4 | a checksum of everything before it, lowest byte first |
//!
//! A number has seven bits a byte, lowest first, the top bit set on all but the last. A server is a
//! byte; a target is a server, 0 for the leader or 255 for a writer.
//!
//! # Never to be changed
//! The last four bytes are the checksum and the first is the version, in all versions, so that a
//! damaged link can be told from one that comes from a later version. Within a version, kinds,
//! positions of bits and the defaults keep their meaning; new ones get new numbers.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::hash::Hasher;

use super::base64::{self, TextError};
use super::{ACTIONS_MAX, Run, RunError};
use crate::hash::ThoroughHasher;
use crate::kv::codec::{Reader, put_number};
use crate::kv::{DecodeError, Problem};
use crate::raft::{Rule, Rules, ServerId};
use crate::sim::{
    Action, ClientParameters, DiskParameters, LimitParameters, MACHINES_MAX, MessageKind, NetworkParameters, OwnTiming,
    Parameters, Scenario, Target, TimedAction, TimingParameters,
};
use crate::time::{Duration, Time};

/// The version that is written, and the only one there is so far.
pub const VERSION: u8 = 1;

/// The most characters a link has: about 8,000 actions. Beyond that, a run is a file.
pub const CHARACTERS_MAX: usize = 65_536;

/// The name of the link among what is after the `#` of an address: `#run=…`.
pub const NAME: &str = "run";

/// A link that can't be read, or a run that can't be made one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// There is nothing after the `#`.
    Empty,
    /// More than [`CHARACTERS_MAX`] characters.
    TooLong {
        /// How many there are.
        characters: usize,
    },
    /// A character that no link has.
    Character {
        /// Its position, from 0.
        position: usize,
        /// The character.
        found: char,
    },
    /// It ends in the middle of a byte.
    CutShort,
    /// The checksum doesn't fit.
    Damaged,
    /// A version that this one doesn't know.
    Version {
        /// The version.
        found: u8,
    },
    /// The bytes make no sense.
    Bytes(DecodeError),
    /// What it says is no run.
    Run(RunError),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Empty => f.write_str("the link names no run: there is nothing after its #run="),
            LinkError::TooLong { characters } => {
                write!(
                    f,
                    "{characters} characters are too many for a link, which has at most {CHARACTERS_MAX}: use a file"
                )
            }
            LinkError::Character { position, found } => {
                write!(f, "character {} of the link is “{found}”, which no link has: copy it again", position + 1)
            }
            LinkError::CutShort => f.write_str("the link ends too early: copy the whole of it"),
            LinkError::Damaged => f.write_str("the link is damaged or incomplete: copy the whole of it again"),
            LinkError::Version { found } => {
                write!(
                    f,
                    "the link was made by another version of Raftarium: it has format {found}, this version reads {VERSION}"
                )
            }
            LinkError::Bytes(error) => write!(f, "the link makes no sense: {error}"),
            LinkError::Run(error) => write!(f, "the link makes no run: {error}"),
        }
    }
}

impl core::error::Error for LinkError {}

impl From<DecodeError> for LinkError {
    fn from(error: DecodeError) -> LinkError {
        LinkError::Bytes(error)
    }
}

/// The run as a link, without an address before it.
///
/// ```
/// use raft_core::format::{Run, link};
/// use raft_core::sim::Scenario;
///
/// let run = Run { scenario: Scenario::new(7, 3), ..Run::default() };
/// let text = link::write(&run)?;
/// assert!(text.len() < 20);
/// assert_eq!(link::read(&text)?, run);
/// # Ok::<(), link::LinkError>(())
/// ```
///
/// # Errors
/// A run that can't be played, or is too long for a link.
pub fn write(run: &Run) -> Result<String, LinkError> {
    let text = seal(encode(run).map_err(LinkError::Run)?);
    if text.len() > CHARACTERS_MAX { Err(LinkError::TooLong { characters: text.len() }) } else { Ok(text) }
}

/// The run as the bytes within a link, of whatever length: for programs that take the form for
/// their own, as the page does when it makes a file of them.
///
/// # Errors
/// A run that can't be played.
pub fn encode(run: &Run) -> Result<Vec<u8>, RunError> {
    run.check()?;
    let mut bytes = Vec::with_capacity(64 + 8 * run.scenario.actions.len());
    bytes.push(VERSION);
    put_number(&mut bytes, run.scenario.seed);
    put_number(&mut bytes, run.until.as_micros());
    bytes.push(u8::from(run.hash.is_some()));
    if let Some(hash) = run.hash {
        bytes.extend_from_slice(&hash.to_le_bytes());
    }
    put_parameters(&mut bytes, &run.scenario.parameters);
    put_number(&mut bytes, run.scenario.actions.len() as u64);
    let mut before = Time::ZERO;
    for timed in &run.scenario.actions {
        put_number(&mut bytes, timed.at.since(before).as_micros());
        before = timed.at;
        put_action(&mut bytes, &timed.action);
    }
    Ok(bytes)
}

/// The run as an address: `base` with the link after a `#`.
///
/// # Errors
/// Like [`write()`].
pub fn write_address(base: &str, run: &Run) -> Result<String, LinkError> {
    let base = base.split('#').next().unwrap_or(base);
    Ok(format!("{base}#{NAME}={}", write(run)?))
}

/// Reads a link: an address with the link after its `#`, or the link alone.
///
/// # Errors
/// Whatever is wrong with it.
pub fn read(text: &str) -> Result<Run, LinkError> {
    let text = text.trim();
    let text = text.rsplit('#').next().unwrap_or(text);
    let named = text.split('&').find_map(|part| part.strip_prefix(NAME)?.strip_prefix('='));
    let text = named.unwrap_or(text);
    if text.is_empty() {
        return Err(LinkError::Empty);
    }
    if text.len() > CHARACTERS_MAX {
        return Err(LinkError::TooLong { characters: text.len() });
    }
    decode(&unseal(text)?)
}

/// The run of the bytes within a link: what [`encode`] made.
///
/// # Errors
/// Whatever is wrong with it.
pub fn decode(bytes: &[u8]) -> Result<Run, LinkError> {
    let mut reader = Reader::new(bytes);
    let version = reader.byte("a version")?;
    if version != VERSION {
        return Err(LinkError::Version { found: version });
    }
    let seed = reader.number("the seed")?;
    let until = Time::from_micros(reader.number("the end of the run")?);
    let known = read_number(&mut reader, "whether there is a trace hash", 1)? != 0;
    let hash = if known { Some(read_hash(&mut reader)?) } else { None };
    let parameters = read_parameters(&mut reader)?;
    let actions = read_actions(&mut reader)?;
    reader.end()?;
    let run = Run { scenario: Scenario { seed, parameters, actions }, until, hash };
    run.check().map_err(LinkError::Run)?;
    Ok(run)
}

fn read_hash(reader: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let bytes = reader.bytes(8, "the trace hash")?;
    Ok(bytes.iter().rev().fold(0, |hash, byte| hash << 8 | u64::from(*byte)))
}

/// A link's outer form: the bytes with their checksum, in base64url.
pub fn seal(mut bytes: Vec<u8>) -> String {
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    base64::encode(&bytes)
}

/// The bytes within a link's outer form.
///
/// # Errors
/// A text that isn't of that form, or was damaged.
pub fn unseal(text: &str) -> Result<Vec<u8>, LinkError> {
    let mut bytes = base64::decode(text).map_err(|error| match error {
        TextError::Character(position, found) => LinkError::Character { position, found },
        TextError::End => LinkError::CutShort,
    })?;
    let (content, sum) = bytes.split_last_chunk::<4>().ok_or(LinkError::CutShort)?;
    if checksum(content) != *sum {
        return Err(LinkError::Damaged);
    }
    bytes.truncate(bytes.len() - 4);
    Ok(bytes)
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut hasher = ThoroughHasher::new(u64::from(VERSION));
    hasher.write(bytes);
    (hasher.finish() as u32).to_le_bytes()
}

// ---------------------------------------------------------------- parameters

/// How many parameters there are. More may follow, none may go or move.
const FIELDS: usize = 29;

/// What a parameter is when it isn't named: the defaults when version 1 was made. They stay, even
/// if the world's defaults change.
const DEFAULTS: [u64; FIELDS] = [
    5, 6_000, 14_000, 0, 0, 1_000, 3_000, 150_000, 300_000, 50_000, 1, 1, 4_096, 1, 250_000, 4, 0, 250_000, 2_000_000,
    0, 256, 65_536, 0, 1_048_576, 64, 16_777_216, 67_108_864, 16_777_216, 256,
];

/// A bit for each rule that is switched off. New rules come last, whatever their place in
/// [`Rule::ALL`].
const RULES: [Rule; 27] = [
    Rule::CompareLogsBeforeVoting,
    Rule::VoteOncePerTerm,
    Rule::PersistBeforeVoting,
    Rule::WinByMajority,
    Rule::StepDownOnHigherTerm,
    Rule::RefuseStaleTerms,
    Rule::PersistBeforeAcknowledging,
    Rule::PersistBeforeCounting,
    Rule::MatchWritesByTerm,
    Rule::CheckPreviousEntry,
    Rule::TruncateOnlyOnConflict,
    Rule::CommitOnlyVerified,
    Rule::CommitByMajority,
    Rule::CommitOnlyOwnTerm,
    Rule::IgnoreOldSnapshots,
    Rule::ChangeThroughJoint,
    Rule::OneChangeAtATime,
    Rule::OwnCommitBeforeChange,
    Rule::MembershipFollowsLog,
    Rule::BarAmnesiacVoters,
    Rule::ConfirmBeforeReading,
    Rule::OwnCommitBeforeReading,
    Rule::ApplyBeforeReading,
    Rule::LeaseFromSending,
    Rule::GiveUpLeaseOnTransfer,
    Rule::IgnoreCampaignsUnderLeader,
    Rule::DeduplicateRetries,
];

fn numbers(parameters: &Parameters) -> [u64; FIELDS] {
    let Parameters { servers, network, disk, timing, limits, clients, rules } = parameters;
    let off = |rule: &Rule| rules.switched_off().any(|off| off == *rule);
    let rules = RULES.iter().enumerate().filter(|(_, rule)| off(rule)).fold(0, |bits, (bit, _)| bits | 1 << bit);
    [
        u64::from(*servers),
        network.latency_min.as_micros(),
        network.latency_max.as_micros(),
        u64::from(network.loss),
        u64::from(network.duplication),
        disk.fsync_min.as_micros(),
        disk.fsync_max.as_micros(),
        timing.election_timeout_min.as_micros(),
        timing.election_timeout_max.as_micros(),
        timing.heartbeat_interval.as_micros(),
        u64::from(timing.pre_vote),
        u64::from(timing.check_quorum),
        timing.snapshot_after_entries,
        u64::from(clients.count),
        clients.think_time.as_micros(),
        u64::from(clients.keys),
        u64::from(clients.lease_reads),
        clients.attempt_timeout.as_micros(),
        clients.operation_timeout.as_micros(),
        rules,
        timing.append_entries_max,
        timing.snapshot_piece_max,
        u64::from(clients.extra_reads),
        limits.append_bytes_max,
        limits.window_appends_max,
        limits.window_bytes_max,
        limits.uncommitted_bytes_max,
        limits.snapshot_after_bytes,
        limits.entries_kept,
    ]
}

fn put_parameters(bytes: &mut Vec<u8>, parameters: &Parameters) {
    let numbers = numbers(parameters);
    let differs = |field: &usize| numbers[*field] != DEFAULTS[*field];
    put_number(bytes, (0..FIELDS).filter(differs).fold(0, |bits, field| bits | 1 << field));
    for field in (0..FIELDS).filter(differs) {
        put_number(bytes, numbers[field]);
    }
}

fn read_parameters(reader: &mut Reader<'_>) -> Result<Parameters, DecodeError> {
    let start = reader.offset();
    let named = reader.number("the parameters")?;
    if named >> FIELDS != 0 {
        return Reader::error(start, "parameters that this version knows", Problem::OutOfRange { found: named });
    }
    let mut numbers = DEFAULTS;
    for (field, number) in numbers.iter_mut().enumerate().filter(|(field, _)| named & 1 << field != 0) {
        let most = match field {
            0 | 13 | 15 => u64::from(u8::MAX),
            3 | 4 | 22 => u64::from(u32::MAX),
            10 | 11 | 16 => 1,
            19 => (1 << RULES.len()) - 1,
            _ => u64::MAX,
        };
        *number = read_number(reader, "a parameter", most)?;
    }
    let flag = |field: usize| numbers[field] != 0;
    let length = |field: usize| Duration::from_micros(numbers[field]);
    let off = RULES.iter().enumerate().filter(|(bit, _)| numbers[19] & 1 << bit != 0);
    Ok(Parameters {
        servers: numbers[0] as u8,
        network: NetworkParameters {
            latency_min: length(1),
            latency_max: length(2),
            loss: numbers[3] as u32,
            duplication: numbers[4] as u32,
        },
        disk: DiskParameters { fsync_min: length(5), fsync_max: length(6) },
        timing: TimingParameters {
            election_timeout_min: length(7),
            election_timeout_max: length(8),
            heartbeat_interval: length(9),
            pre_vote: flag(10),
            check_quorum: flag(11),
            snapshot_after_entries: numbers[12],
            append_entries_max: numbers[20],
            snapshot_piece_max: numbers[21],
        },
        limits: LimitParameters {
            append_bytes_max: numbers[23],
            window_appends_max: numbers[24],
            window_bytes_max: numbers[25],
            uncommitted_bytes_max: numbers[26],
            snapshot_after_bytes: numbers[27],
            entries_kept: numbers[28],
        },
        clients: ClientParameters {
            count: numbers[13] as u8,
            think_time: length(14),
            keys: numbers[15] as u8,
            extra_reads: numbers[22] as u32,
            lease_reads: flag(16),
            attempt_timeout: length(17),
            operation_timeout: length(18),
        },
        rules: off.fold(Rules::ALL, |rules, (_, rule)| rules.without(*rule)),
    })
}

// ---------------------------------------------------------------- actions

// The kinds of actions. Links live on: never renumber one.
const CRASH: u8 = 1;
const RESTART: u8 = 2;
const RESTART_ALL: u8 = 3;
const PAUSE: u8 = 4;
const RESUME: u8 = 5;
const RESUME_ALL: u8 = 6;
const CAMPAIGN: u8 = 7;
const SET_CLOCK_RATE: u8 = 8;
const JUMP_CLOCK: u8 = 9;
const WIPE: u8 = 10;
const ROT: u8 = 11;
const FAIL_WRITE: u8 = 12;
const STALL_DISK: u8 = 13;
const SET_FSYNC: u8 = 14;
const CUT: u8 = 15;
const HEAL: u8 = 16;
const IMPAIR: u8 = 17;
const PARTITION: u8 = 18;
const ISOLATE: u8 = 19;
const HEAL_ALL: u8 = 20;
const SET_LOSS: u8 = 21;
const SET_DUPLICATION: u8 = 22;
const SET_LATENCY: u8 = 23;
const DROP_MESSAGE: u8 = 24;
const DUPLICATE_MESSAGE: u8 = 25;
const HOLD_MESSAGE: u8 = 26;
const DELIVER_MESSAGE: u8 = 27;
const TRANSFER_LEADERSHIP: u8 = 28;
const ADD_SERVER: u8 = 29;
const REMOVE_SERVER: u8 = 30;
const SUBMIT: u8 = 31;
const HEAL_QUORUM: u8 = 32;
const TEAR_WRITE: u8 = 33;
const FILL_DISK: u8 = 34;
const MUTE: u8 = 35;
const DEAFEN: u8 = 36;
const SET_STRAGGLING: u8 = 37;
const SET_LATE: u8 = 38;
const ISOLATE_WITH_NEWCOMERS: u8 = 39;
const ADD_LEARNER: u8 = 40;
const ADD_BACK: u8 = 41;
const RENEW_DISK: u8 = 42;
const SHIFT_CLOCK: u8 = 43;
const CONFIGURE: u8 = 44;
const READ_AT: u8 = 45;
const READ_ANYWHERE: u8 = 46;

const LEADER: u8 = 0;
const WRITER: u8 = 255;

/// The kinds of messages that can be late, by their numbers. New ones come last.
const MESSAGE_KINDS: [MessageKind; 8] = [
    MessageKind::Everything,
    MessageKind::Votes,
    MessageKind::Appends,
    MessageKind::Acknowledgements,
    MessageKind::Snapshots,
    MessageKind::Transfers,
    MessageKind::Reads,
    MessageKind::Requests,
];

/// No action takes less: a time and a kind.
const ACTION_BYTES_MIN: u64 = 2;

/// An action is a kind, some bytes (servers, switches) and some numbers, and in two cases bytes of
/// which a number says how many.
fn put_action(out: &mut Vec<u8>, action: &Action) {
    let mut put = |kind, bytes: &[u8], numbers: &[u64]| {
        out.push(kind);
        out.extend_from_slice(bytes);
        numbers.iter().for_each(|number| put_number(out, *number));
    };
    match action {
        Action::Crash(target) => put(CRASH, &[aim(*target)], &[]),
        Action::Restart(server) => put(RESTART, &[server.number()], &[]),
        Action::RestartAll => put(RESTART_ALL, &[], &[]),
        Action::Pause(target) => put(PAUSE, &[aim(*target)], &[]),
        Action::Resume(server) => put(RESUME, &[server.number()], &[]),
        Action::ResumeAll => put(RESUME_ALL, &[], &[]),
        Action::Campaign(server) => put(CAMPAIGN, &[server.number()], &[]),
        Action::SetClockRate { server, rate } => put(SET_CLOCK_RATE, &[server.number()], &[u64::from(*rate)]),
        Action::JumpClock { server, micros } => put(JUMP_CLOCK, &[server.number()], &[zigzag(*micros)]),
        Action::Wipe(target) => put(WIPE, &[aim(*target)], &[]),
        Action::Rot(target) => put(ROT, &[aim(*target)], &[]),
        Action::FailWrite(target) => put(FAIL_WRITE, &[aim(*target)], &[]),
        Action::StallDisk { server, stalled } => put(STALL_DISK, &[server.number(), u8::from(*stalled)], &[]),
        Action::SetFsync { server, min, max } => {
            put(SET_FSYNC, &[server.number()], &[min.as_micros(), max.as_micros()])
        }
        Action::Cut { from, to } => put(CUT, &[from.number(), to.number()], &[]),
        Action::Heal { from, to } => put(HEAL, &[from.number(), to.number()], &[]),
        Action::Impair { from, to, delay, loss } => {
            put(IMPAIR, &[from.number(), to.number()], &[delay.as_micros(), u64::from(*loss)])
        }
        Action::Partition(groups) => {
            put(PARTITION, &[groups.len() as u8], &[]);
            out.extend_from_slice(groups);
        }
        Action::Isolate(target) => put(ISOLATE, &[aim(*target)], &[]),
        Action::HealAll => put(HEAL_ALL, &[], &[]),
        Action::SetLoss(loss) => put(SET_LOSS, &[], &[u64::from(*loss)]),
        Action::SetDuplication(share) => put(SET_DUPLICATION, &[], &[u64::from(*share)]),
        Action::SetLatency { min, max } => put(SET_LATENCY, &[], &[min.as_micros(), max.as_micros()]),
        Action::DropMessage(number) => put(DROP_MESSAGE, &[], &[*number]),
        Action::DuplicateMessage(number) => put(DUPLICATE_MESSAGE, &[], &[*number]),
        Action::HoldMessage(number) => put(HOLD_MESSAGE, &[], &[*number]),
        Action::DeliverMessage(number) => put(DELIVER_MESSAGE, &[], &[*number]),
        Action::TransferLeadership(server) => put(TRANSFER_LEADERSHIP, &[server.number()], &[]),
        Action::AddServer => put(ADD_SERVER, &[], &[]),
        Action::RemoveServer(server) => put(REMOVE_SERVER, &[server.number()], &[]),
        Action::Submit(line) => {
            put(SUBMIT, &[], &[line.len() as u64]);
            out.extend_from_slice(line.as_bytes());
        }
        Action::HealQuorum(draw) => put(HEAL_QUORUM, &[], &[*draw]),
        Action::TearWrite(target) => put(TEAR_WRITE, &[aim(*target)], &[]),
        Action::FillDisk { server, full } => put(FILL_DISK, &[server.number(), u8::from(*full)], &[]),
        Action::Mute(target) => put(MUTE, &[aim(*target)], &[]),
        Action::Deafen(target) => put(DEAFEN, &[aim(*target)], &[]),
        Action::SetStraggling { share, delay } => put(SET_STRAGGLING, &[], &[u64::from(*share), delay.as_micros()]),
        Action::SetLate { of, share, delay, copies } => {
            let kind = MESSAGE_KINDS.iter().position(|kind| kind == of).unwrap_or(0) as u8;
            put(SET_LATE, &[kind, u8::from(*copies)], &[u64::from(*share), delay.as_micros()])
        }
        Action::IsolateWithNewcomers(target) => put(ISOLATE_WITH_NEWCOMERS, &[aim(*target)], &[]),
        Action::AddLearner => put(ADD_LEARNER, &[], &[]),
        Action::AddBack(server) => put(ADD_BACK, &[server.number()], &[]),
        Action::RenewDisk(target) => put(RENEW_DISK, &[aim(*target)], &[]),
        Action::ReadAt(target) => put(READ_AT, &[aim(*target)], &[]),
        Action::ReadAnywhere => put(READ_ANYWHERE, &[], &[]),
        Action::ShiftClock { target, micros } => put(SHIFT_CLOCK, &[aim(*target)], &[zigzag(*micros)]),
        Action::Configure { server, with } => {
            let OwnTiming { election_timeout_min: min, election_timeout_max: max, pre_vote, check_quorum } = with;
            let flags = [server.number(), u8::from(*pre_vote), u8::from(*check_quorum)];
            put(CONFIGURE, &flags, &[min.as_micros(), max.as_micros()])
        }
    }
}

fn read_actions(reader: &mut Reader<'_>) -> Result<Vec<TimedAction>, LinkError> {
    let start = reader.offset();
    let count = reader.number("the number of actions")?;
    if count > ACTIONS_MAX as u64 {
        return Err(LinkError::Run(RunError::TooManyActions { found: count }));
    }
    if count > reader.left() as u64 / ACTION_BYTES_MIN {
        Reader::error(start, "no more actions than fit", Problem::OutOfRange { found: count })?;
    }
    let mut actions = Vec::with_capacity(count as usize);
    let mut at = Time::ZERO;
    for _ in 0..count {
        at += Duration::from_micros(reader.number("the time of an action")?);
        actions.push(TimedAction { at, action: read_action(reader)? });
    }
    Ok(actions)
}

fn read_action(reader: &mut Reader<'_>) -> Result<Action, DecodeError> {
    let start = reader.offset();
    let kind = reader.byte("an action")?;
    let mut fields = Fields { reader, failed: None };
    let read = &mut fields;
    let action = match kind {
        CRASH => Action::Crash(read.target()),
        RESTART => Action::Restart(read.server()),
        RESTART_ALL => Action::RestartAll,
        PAUSE => Action::Pause(read.target()),
        RESUME => Action::Resume(read.server()),
        RESUME_ALL => Action::ResumeAll,
        CAMPAIGN => Action::Campaign(read.server()),
        SET_CLOCK_RATE => Action::SetClockRate { server: read.server(), rate: read.ppm("a clock rate") },
        JUMP_CLOCK => Action::JumpClock { server: read.server(), micros: unzigzag(read.number("a jump")) },
        WIPE => Action::Wipe(read.target()),
        ROT => Action::Rot(read.target()),
        FAIL_WRITE => Action::FailWrite(read.target()),
        STALL_DISK => Action::StallDisk { server: read.server(), stalled: read.flag("whether a disk stalls") },
        SET_FSYNC => Action::SetFsync { server: read.server(), min: read.length(), max: read.length() },
        CUT => Action::Cut { from: read.server(), to: read.server() },
        HEAL => Action::Heal { from: read.server(), to: read.server() },
        IMPAIR => Action::Impair {
            from: read.server(),
            to: read.server(),
            delay: read.length(),
            loss: read.ppm("a share of messages"),
        },
        PARTITION => {
            let reader = &mut *read.reader;
            let start = reader.offset();
            let count = reader.byte("the number of groups")?;
            if count > MACHINES_MAX {
                let found = u64::from(count);
                return Reader::error(start, "a group for each server", Problem::OutOfRange { found });
            }
            Action::Partition(reader.bytes(u64::from(count), "groups")?.to_vec())
        }
        ISOLATE => Action::Isolate(read.target()),
        HEAL_ALL => Action::HealAll,
        SET_LOSS => Action::SetLoss(read.ppm("a share of messages")),
        SET_DUPLICATION => Action::SetDuplication(read.ppm("a share of messages")),
        SET_LATENCY => Action::SetLatency { min: read.length(), max: read.length() },
        DROP_MESSAGE => Action::DropMessage(read.number("the number of a message")),
        DUPLICATE_MESSAGE => Action::DuplicateMessage(read.number("the number of a message")),
        HOLD_MESSAGE => Action::HoldMessage(read.number("the number of a message")),
        DELIVER_MESSAGE => Action::DeliverMessage(read.number("the number of a message")),
        TRANSFER_LEADERSHIP => Action::TransferLeadership(read.server()),
        ADD_SERVER => Action::AddServer,
        REMOVE_SERVER => Action::RemoveServer(read.server()),
        SUBMIT => {
            let reader = &mut *read.reader;
            let length = reader.number("the length of a command")?;
            let start = reader.offset();
            match core::str::from_utf8(reader.bytes(length, "a command")?) {
                Ok(line) => Action::Submit(line.to_string()),
                Err(_) => return Reader::error(start, "a command", Problem::NotUtf8),
            }
        }
        HEAL_QUORUM => Action::HealQuorum(read.number("a draw")),
        TEAR_WRITE => Action::TearWrite(read.target()),
        FILL_DISK => Action::FillDisk { server: read.server(), full: read.flag("whether a disk is full") },
        MUTE => Action::Mute(read.target()),
        DEAFEN => Action::Deafen(read.target()),
        SET_STRAGGLING => Action::SetStraggling { share: read.ppm("a share of messages"), delay: read.length() },
        SET_LATE => {
            let (of, copies) = (read.message_kind(), read.flag("whether copies are late"));
            Action::SetLate { of, copies, share: read.ppm("a share of messages"), delay: read.length() }
        }
        ISOLATE_WITH_NEWCOMERS => Action::IsolateWithNewcomers(read.target()),
        ADD_LEARNER => Action::AddLearner,
        ADD_BACK => Action::AddBack(read.server()),
        RENEW_DISK => Action::RenewDisk(read.target()),
        READ_AT => Action::ReadAt(read.target()),
        READ_ANYWHERE => Action::ReadAnywhere,
        SHIFT_CLOCK => Action::ShiftClock { target: read.target(), micros: unzigzag(read.number("a jump")) },
        CONFIGURE => {
            let server = read.server();
            let pre_vote = read.flag("whether a server asks before it campaigns");
            let check_quorum = read.flag("whether a server checks its quorum");
            let (election_timeout_min, election_timeout_max) = (read.length(), read.length());
            let with = OwnTiming { election_timeout_min, election_timeout_max, pre_vote, check_quorum };
            Action::Configure { server, with }
        }
        found => return Reader::error(start, "an action that this version knows", Problem::UnknownByte { found }),
    };
    fields.failed.map_or(Ok(action), Err)
}

/// Reads an action's fields one after the other, and is asked once, after the last, whether one of
/// them wasn't there: after the first that isn't, all are as if they were nothing.
struct Fields<'reader, 'bytes> {
    reader: &'reader mut Reader<'bytes>,
    failed: Option<DecodeError>,
}

impl Fields<'_, '_> {
    /// What `read` reads; `nothing` where it or a field before fails.
    fn take<T>(&mut self, nothing: T, read: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>) -> T {
        if self.failed.is_some() {
            return nothing;
        }
        read(self.reader).unwrap_or_else(|error| {
            self.failed = Some(error);
            nothing
        })
    }

    #[inline(never)]
    fn number_up_to(&mut self, expected: &'static str, most: u64) -> u64 {
        self.take(0, |reader| read_number(reader, expected, most))
    }

    fn number(&mut self, expected: &'static str) -> u64 {
        self.number_up_to(expected, u64::MAX)
    }

    fn length(&mut self) -> Duration {
        Duration::from_micros(self.number("a length of time"))
    }

    fn ppm(&mut self, expected: &'static str) -> u32 {
        self.number_up_to(expected, u64::from(u32::MAX)) as u32
    }

    fn flag(&mut self, expected: &'static str) -> bool {
        self.number_up_to(expected, 1) != 0
    }

    #[inline(never)]
    fn target(&mut self) -> Target {
        self.take(Target::Leader, read_target)
    }

    #[inline(never)]
    fn server(&mut self) -> ServerId {
        self.take(ServerId::FIRST, read_server)
    }

    fn message_kind(&mut self) -> MessageKind {
        self.take(MessageKind::Everything, read_message_kind)
    }
}

fn aim(target: Target) -> u8 {
    match target {
        Target::Server(server) => server.number(),
        Target::Leader => LEADER,
        Target::Writer => WRITER,
    }
}

fn read_target(reader: &mut Reader<'_>) -> Result<Target, DecodeError> {
    let start = reader.offset();
    let found = reader.byte("a target")?;
    match (found, ServerId::new(found)) {
        (LEADER, _) => Ok(Target::Leader),
        (WRITER, _) => Ok(Target::Writer),
        (_, Some(server)) => Ok(Target::Server(server)),
        _ => Reader::error(start, "a target", Problem::UnknownByte { found }),
    }
}

fn read_server(reader: &mut Reader<'_>) -> Result<ServerId, DecodeError> {
    let start = reader.offset();
    let found = reader.byte("a server")?;
    match ServerId::new(found) {
        Some(server) => Ok(server),
        None => Reader::error(start, "a server", Problem::UnknownByte { found }),
    }
}

fn read_message_kind(reader: &mut Reader<'_>) -> Result<MessageKind, DecodeError> {
    let start = reader.offset();
    let found = reader.byte("a kind of messages")?;
    match MESSAGE_KINDS.get(usize::from(found)) {
        Some(kind) => Ok(*kind),
        None => Reader::error(start, "a kind of messages that this version knows", Problem::UnknownByte { found }),
    }
}

fn read_number(reader: &mut Reader<'_>, expected: &'static str, most: u64) -> Result<u64, DecodeError> {
    let start = reader.offset();
    match reader.number(expected)? {
        number if number <= most => Ok(number),
        found => Reader::error(start, expected, Problem::OutOfRange { found }),
    }
}

/// Small numbers of either sign are small numbers.
const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_version_1_are_pinned() {
        // If the world's defaults change, this test goes, and the numbers stay: links name what
        // differs from the numbers.
        assert_eq!(numbers(&Parameters::default()), DEFAULTS);
        let all = |rule: &Rule| RULES.contains(rule);
        assert!(Rule::ALL.iter().all(all), "a new rule comes last in the links' own list");
        let listed = |kind: &MessageKind| MESSAGE_KINDS.contains(kind);
        assert!(MessageKind::ALL.iter().all(listed), "a new kind of messages comes last in the links' own list");
    }

    #[test]
    fn a_link_is_pinned_to_the_letter() {
        let mut scenario = Scenario::new(7, 3);
        let at = Time::from_millis(1_250);
        scenario.actions.push(TimedAction { at, action: Action::Crash(Target::Leader) });
        let run = Run { scenario, until: Time::from_secs(2), hash: Some(0x0123_4567_89ab_cdef) };
        let text = "AQeAiXoB782riWdFIwEBAwHQpUwBANUYPT4";
        assert_eq!(write(&run).unwrap(), text);
        assert_eq!(read(text), Ok(run));
    }

    #[test]
    fn small_jumps_of_either_sign_are_small_numbers() {
        for (number, folded) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MAX, u64::MAX - 1), (i64::MIN, u64::MAX)] {
            assert_eq!(zigzag(number), folded);
            assert_eq!(unzigzag(folded), number);
        }
    }
}
