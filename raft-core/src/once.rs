//! Request keys: a layer around any state machine that carries out a retried command only once.
//!
//! A client that heard nothing doesn't know whether its command was carried out, and asks again;
//! the log may then hold the command twice ([`state_machine`](crate::state_machine), Raft §8). The
//! store's sessions answer that for clients that open a session and number what they ask for. A
//! *request key* needs neither: it is any bytes that the client made up for one request, such as
//! the `Idempotency-Key` of HTTP. [`Once`] remembers the keys that it has seen, and the answers.
//!
//! # Envelopes
//! A command comes in an [`Envelope`]: a version, the request key if there is one, and the command
//! of the state machine inside. The [`Answer`] says what became of it:
//! * [`Answer::Applied`]: the state machine has carried it out, and this is what it answers;
//! * [`Answer::Repeated`]: the same key came with the same command before. The command was not
//!   carried out again; this is what was answered then, as far as it is
//!   [remembered](StateMachine::remembered);
//! * [`Answer::KeyReused`]: the key came with *another* command before. Nothing was carried out;
//! * [`Answer::NoEnvelope`]: the bytes are no envelope. Nothing was carried out.
//!
//! A command without a key is carried out each time that it is in the log.
//!
//! # Expiry
//! Keys expire by the log alone, never by a clock, so that all servers forget the same ones at the
//! same entry. [`Settings`] say how many keys are kept, how many bytes of keys and answers
//! together, and for how many log indexes; the oldest go first. What [`Once`] keeps is therefore
//! bounded.
//!
//! **A retry after its key has expired is a new request**, and its command is carried out again. So
//! the limits must be larger than what a cluster can take in while a client still retries: a client
//! that retries for a minute, in a cluster that applies 10,000 entries a second, needs
//! [`entries_max`](Settings::entries_max) and [`keys_max`](Settings::keys_max) of 600,000 at least.
//! An answer that alone has more bytes than all may have isn't remembered at all.
//!
//! # Snapshots
//! The keys, digests and answers are part of the snapshot, before the snapshot of the state machine
//! inside: a server that restored one without them would carry out a retry that all others
//! recognise. The settings aren't; all servers must have the same.
//!
//! # Caveats
//! Commands are told apart by a digest of 64 bits, which isn't cryptographic: it finds the
//! accidental use of a key for two commands, but not one that somebody has constructed. Who does
//! that only gets the answer to his own other command. Keys are the same for all clients: where
//! clients mustn't learn each other's answers, whoever makes the envelopes puts the client's name
//! into the key.

use crate::bytes::Bytes;
use crate::codec::{DecodeError, Problem, Read, Reader, put_bytes, put_number};
use crate::hash::{Digest, checksum};
use crate::shared_map::{SearchedBy, SharedMap};
use crate::state_machine::{RestoreError, StateMachine};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

// ---------------------------------------------------------------- keys and envelopes

/// What a client names its request: 1 to 128 bytes of any kind, the same in every retry and in no
/// other request. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey(Bytes);

impl RequestKey {
    /// The most bytes it may have. The fewest is 1.
    pub const BYTES_MAX: usize = 128;

    /// Checks the length and takes a copy of the bytes.
    ///
    /// # Errors
    /// When there are none, or more than [`BYTES_MAX`](Self::BYTES_MAX).
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<RequestKey, RequestKeyError> {
        let bytes = bytes.as_ref();
        match bytes.len() {
            1..=RequestKey::BYTES_MAX => Ok(RequestKey(bytes.into())),
            found => Err(RequestKeyError { bytes: found as u64 }),
        }
    }

    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialOrd for RequestKey {
    fn partial_cmp(&self, other: &RequestKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By its bytes.
impl Ord for RequestKey {
    fn cmp(&self, other: &RequestKey) -> Ordering {
        (*self.0).cmp(&*other.0)
    }
}

impl SearchedBy<[u8]> for RequestKey {
    fn order(&self, sought: &[u8]) -> Ordering {
        (*self.0).cmp(sought)
    }
}

/// Bytes that are too few or too many for a request key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestKeyError {
    /// How many there are.
    pub bytes: u64,
}

impl fmt::Display for RequestKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request key has {} bytes: it must have 1 to {}", self.bytes, RequestKey::BYTES_MAX)
    }
}

impl core::error::Error for RequestKeyError {}

const ENVELOPE_VERSION: u8 = 1;

/// A command of the state machine inside, and the key of the request.
///
/// As bytes: the version, 1; the number of the key's bytes, 0 if there is no key, and the bytes;
/// the command, up to the end. Every envelope has exactly one form.
///
/// ```
/// use raft_core::once::{Envelope, RequestKey};
/// let key = RequestKey::new("6f1ed002ab5595859014ebf0951522d9")?;
/// let envelope = Envelope { key: Some(key), command: b"pay 5".to_vec() };
/// assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
/// # Ok::<(), raft_core::once::RequestKeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Envelope {
    /// The request's key, if the client gave one.
    pub key: Option<RequestKey>,
    /// The command of the state machine inside.
    pub command: Vec<u8>,
}

impl Envelope {
    /// The envelope as bytes, to be proposed as a log entry.
    pub fn encode(&self) -> Vec<u8> {
        let key = self.key.as_ref().map_or(&[][..], RequestKey::as_bytes);
        let mut bytes = Vec::with_capacity(key.len() + self.command.len() + 3);
        bytes.push(ENVELOPE_VERSION);
        put_bytes(&mut bytes, key);
        bytes.extend_from_slice(&self.command);
        bytes
    }

    /// Reads an envelope back.
    ///
    /// # Errors
    /// When the bytes are none. Never panics, whatever the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Envelope, DecodeError> {
        let (key, command) = Envelope::open(bytes)?;
        Ok(Envelope { key: key.map(|key| RequestKey(key.into())), command: command.to_vec() })
    }

    /// The key's bytes, if there is a key, and the command, both where they lie: for a driver that
    /// looks into what it applies.
    ///
    /// # Errors
    /// When the bytes are no envelope. Never panics, whatever the bytes.
    pub fn open(bytes: &[u8]) -> Result<(Option<&[u8]>, &[u8]), DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.byte_within("envelope version 1", ENVELOPE_VERSION, ENVELOPE_VERSION)?;
        let key = reader.sized("a request key, or nothing", 0, RequestKey::BYTES_MAX as u64)?;
        Ok((Some(key).filter(|key| !key.is_empty()), reader.rest()))
    }
}

// ---------------------------------------------------------------- answers

const ANSWER_VERSION: u8 = 1;

// What comes after an answer's version. Never renumber one.
const APPLIED: u8 = 1;
const REPEATED: u8 = 2;
const KEY_REUSED: u8 = 3;
const NO_ENVELOPE: u8 = 4;

/// What became of an envelope.
///
/// As bytes: the version, 1; the kind (1 to 4, in the order in which they stand here); where the
/// kind has an index, the index as a number; where it has an answer, the answer up to the end.
/// Every answer has exactly one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The command was carried out now.
    Applied {
        /// What the state machine answers.
        answer: Vec<u8>,
    },
    /// The request had been carried out before; nothing was done now.
    Repeated {
        /// The index of the entry with which it was carried out.
        index: u64,
        /// What is remembered of what the state machine answered then.
        answer: Vec<u8>,
    },
    /// The key belongs to another request, which had another command; nothing was done.
    KeyReused {
        /// The index of the entry with which that other one was carried out.
        index: u64,
    },
    /// The entry is no envelope; nothing was done. [`Envelope::open`] says what is wrong with it.
    NoEnvelope,
}

impl Answer {
    /// The answer as bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Answer::Applied { answer } => encoded(APPLIED, None, answer),
            Answer::Repeated { index, answer } => encoded(REPEATED, Some(*index), answer),
            Answer::KeyReused { index } => encoded(KEY_REUSED, Some(*index), &[]),
            Answer::NoEnvelope => encoded(NO_ENVELOPE, None, &[]),
        }
    }

    /// Reads an answer back.
    ///
    /// # Errors
    /// When the bytes are none that [`Once`] gives. Never panics, whatever the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Answer, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.byte_within("answer version 1", ANSWER_VERSION, ANSWER_VERSION)?;
        let kind = reader.byte_within("an answer's kind, 1 to 4", APPLIED, NO_ENVELOPE)?;
        let index = |reader: &mut Reader<'_>| reader.positive("a log index, from 1");
        let answer = match kind {
            APPLIED => Answer::Applied { answer: reader.rest().to_vec() },
            REPEATED => Answer::Repeated { index: index(&mut reader)?, answer: reader.rest().to_vec() },
            KEY_REUSED => Answer::KeyReused { index: index(&mut reader)? },
            _ => Answer::NoEnvelope,
        };
        reader.end()?;
        Ok(answer)
    }
}

fn encoded(kind: u8, index: Option<u64>, answer: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(answer.len() + 12);
    bytes.extend_from_slice(&[ANSWER_VERSION, kind]);
    if let Some(index) = index {
        put_number(&mut bytes, index);
    }
    bytes.extend_from_slice(answer);
    bytes
}

// ---------------------------------------------------------------- the layer

/// How many requests are remembered, and for how long. All servers of a cluster must have the same
/// settings: they decide what a log entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// The most keys. 100,000 by default; with 0, none is remembered.
    pub keys_max: u32,
    /// The most bytes that keys and answers may have together. 16 MiB by default.
    pub bytes_max: u64,
    /// A key is forgotten when the entry that it came with is more than this many log indexes ago.
    /// 1,000,000 by default.
    pub entries_max: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { keys_max: 100_000, bytes_max: 16 << 20, entries_max: 1_000_000 }
    }
}

/// A state machine that carries out each request once. See the [module's essay](self).
///
/// ```
/// use raft_core::kv::{Applied, Command, Condition, Request, Store};
/// use raft_core::once::{Answer, Envelope, Once, RequestKey, Settings};
/// use raft_core::state_machine::StateMachine;
///
/// let mut machine = Once::new(Store::new(Default::default()), Settings::default());
/// let Ok(Request::Write(operation)) = "put x 1".parse() else { unreachable!() };
/// let command = Command::Direct { condition: Condition::Always, operation }.encode();
/// let envelope = Envelope { key: RequestKey::new("a key").ok(), command }.encode();
///
/// let Ok(Answer::Applied { answer }) = Answer::decode(&machine.apply(3, &envelope)) else { unreachable!() };
/// assert!(matches!(Applied::decode(&answer), Ok(Applied::Direct { revision: Some(3), .. })));
/// // The client heard nothing and tries again: answered, but not carried out, a second time.
/// assert_eq!(Answer::decode(&machine.apply(4, &envelope)), Ok(Answer::Repeated { index: 3, answer }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once<M> {
    settings: Settings,
    /// The index of the last entry applied; 0 if there is none.
    applied_index: u64,
    /// What is remembered of each key.
    requests: SharedMap<RequestKey, Request>,
    /// The keys by the index of the entry that they came with: the oldest first.
    by_age: SharedMap<u64, RequestKey>,
    /// How many bytes the keys and their answers have.
    bytes: u64,
    inner: M,
}

/// What is remembered of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Request {
    /// The entry that it came with.
    index: u64,
    /// The digest of its command.
    command: u64,
    answer: Bytes,
}

impl<M> Once<M> {
    /// A layer without any keys around a state machine that has applied nothing.
    pub fn new(inner: M, settings: Settings) -> Once<M> {
        let (requests, by_age) = (SharedMap::default(), SharedMap::default());
        Once { settings, applied_index: 0, requests, by_age, bytes: 0, inner }
    }

    /// The state machine inside.
    pub fn inner(&self) -> &M {
        &self.inner
    }

    /// The state machine inside, without the layer.
    pub fn into_inner(self) -> M {
        self.inner
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many keys are remembered.
    pub fn keys(&self) -> usize {
        self.requests.len()
    }

    /// How many bytes the remembered keys and their answers have together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn remember(&mut self, key: RequestKey, request: Request) {
        self.bytes += size(&key, &request);
        let before = self.by_age.insert(request.index, key.clone());
        assert!(before.is_none(), "an entry has one key");
        let before = self.requests.insert(key, request);
        assert!(before.is_none(), "a key that is remembered isn't remembered again");
    }

    /// Forgets the oldest keys, as the settings say, when the entry at `applied_index` has come.
    fn forget(&mut self) {
        while let Some((oldest, _)) = self.by_age.iter().next() {
            let Settings { keys_max, bytes_max, entries_max } = self.settings;
            let is_old = self.applied_index - oldest > entries_max;
            if !is_old && self.requests.len() as u64 <= u64::from(keys_max) && self.bytes <= bytes_max {
                break;
            }
            let oldest = *oldest;
            let key = self.by_age.remove(&oldest).unwrap_or_else(|| panic!("{oldest} was just found"));
            let request = self.requests.remove(&*key.0).unwrap_or_else(|| panic!("a key is in both maps"));
            self.bytes -= size(&key, &request);
        }
    }
}

fn size(key: &RequestKey, request: &Request) -> u64 {
    (key.0.len() + request.answer.len()) as u64
}

/// The digest that tells commands apart.
fn digest(command: &[u8]) -> u64 {
    Digest::new(1).bytes(command).finish()
}

const MAGIC: &[u8; 4] = b"ONCE";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = MAGIC.len() + 1;
const CHECKSUM_BYTES: usize = 8;

/// Commands are [`Envelope`]s, answers [`Answer`]s, both encoded.
///
/// A snapshot is, in order: the letters `ONCE`; the version, 1; the index of the last entry
/// applied; the number of keys, and for each, oldest first, the index of the entry that it came
/// with, the key, the digest of its command (eight bytes, lowest first) and the answer; the
/// snapshot of the state machine inside; and the checksum of everything before, eight bytes, lowest
/// first. Keys, answers and the inner snapshot have their lengths before them.
impl<M: StateMachine + Clone> StateMachine for Once<M> {
    /// # Panics
    /// When `index` is not above that of the entry before: entries are applied once, in log order.
    fn apply(&mut self, index: u64, command: &[u8]) -> Vec<u8> {
        assert!(index > self.applied_index, "entry {index} applied after entry {}", self.applied_index);
        self.applied_index = index;
        self.forget();
        let Ok((key, command)) = Envelope::open(command) else { return Answer::NoEnvelope.encode() };
        let Some(key) = key else { return encoded(APPLIED, None, &self.inner.apply(index, command)) };
        let digest = digest(command);
        if let Some(request) = self.requests.get(key) {
            return match request.command == digest {
                true => encoded(REPEATED, Some(request.index), &request.answer),
                false => Answer::KeyReused { index: request.index }.encode(),
            };
        }
        let answer = self.inner.apply(index, command);
        let told = encoded(APPLIED, None, &answer);
        let answer = M::remembered(answer).as_slice().into();
        self.remember(RequestKey(key.into()), Request { index, command: digest, answer });
        self.forget();
        told
    }

    fn snapshot(&self) -> Vec<u8> {
        let inner = self.inner.snapshot();
        let mut bytes = Vec::with_capacity(inner.len() + self.bytes as usize + 32 * self.keys() + 64);
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        put_number(&mut bytes, self.applied_index);
        put_number(&mut bytes, self.keys() as u64);
        for (index, key) in self.by_age.iter() {
            let request = self.requests.get(key).unwrap_or_else(|| panic!("a key is in both maps"));
            put_number(&mut bytes, *index);
            put_bytes(&mut bytes, key.as_bytes());
            bytes.extend_from_slice(&request.command.to_le_bytes());
            put_bytes(&mut bytes, &request.answer);
        }
        put_bytes(&mut bytes, &inner);
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let not_one = || RestoreError::new(format!("these {} bytes are no snapshot with request keys", snapshot.len()));
        let (body, stored) = snapshot.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(not_one)?;
        // The version comes before the checksum: a later version may have another checksum.
        match body.strip_prefix(MAGIC).and_then(|rest| rest.first()) {
            None => return Err(not_one()),
            Some(&VERSION) => {}
            Some(found) => {
                let why = format!("the request keys are of version {found}, and only version {VERSION} can be read");
                return Err(RestoreError::new(why));
            }
        }
        if checksum(body) != u64::from_le_bytes(*stored) {
            return Err(RestoreError::new("the snapshot with request keys is damaged: its checksum is another"));
        }
        let inner = self
            .read(Reader::new_at(body, HEADER_BYTES))
            .map_err(|error| RestoreError::new(format!("the request keys make no sense {error}")))?;
        self.inner.restore(inner)
    }

    fn check(&self) -> Result<(), String> {
        if self.requests.len() != self.by_age.len() {
            return Err(format!("{} keys are remembered, and {} by age", self.requests.len(), self.by_age.len()));
        }
        let bytes = self.requests.iter().map(|(key, request)| size(key, request)).sum::<u64>();
        if bytes != self.bytes {
            return Err(format!("the keys and answers have {bytes} bytes, not {}", self.bytes));
        }
        self.inner.check()
    }
}

impl<M: StateMachine> Once<M> {
    /// Takes the keys from a snapshot; gives the snapshot of the state machine inside.
    fn read<'a>(&mut self, mut reader: Reader<'a>) -> Read<&'a [u8]> {
        (self.requests, self.by_age, self.bytes) = (SharedMap::default(), SharedMap::default(), 0);
        self.applied_index = reader.number("the applied index")?;
        let mut before = 0;
        for _ in 0..reader.number("the number of keys")? {
            let start = reader.offset();
            let expected = "an index above the last key's, up to the applied index";
            let index = reader.number_within(expected, 1, self.applied_index)?;
            if index <= before {
                return Reader::error(start, expected, Problem::OutOfOrder);
            }
            before = index;
            let start = reader.offset();
            let key = reader.sized("a request key", 1, RequestKey::BYTES_MAX as u64)?;
            if self.requests.get(key).is_some() {
                return Reader::error(start, "a key that isn't there yet", Problem::OutOfOrder);
            }
            let command = reader.bytes(8, "the digest of a command")?;
            let command = u64::from_le_bytes(command.try_into().unwrap_or_else(|_| panic!("eight bytes were read")));
            // It may be from a version that remembered more of it. What is forgotten when depends
            // on how much is remembered, and must be the same on all servers.
            let answer = M::remembered(reader.sized("an answer", 0, u64::MAX)?.to_vec()).as_slice().into();
            self.remember(RequestKey(key.into()), Request { index, command, answer });
        }
        let inner = reader.sized("the snapshot of the state machine inside", 0, u64::MAX)?;
        reader.end()?;
        Ok(inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;
    use alloc::string::ToString;
    use alloc::vec;
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{Rng, RngExt, SeedableRng};

    /// Remembers every command, with the index at which it was carried out.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    struct Diary(Vec<u8>);

    impl StateMachine for Diary {
        fn apply(&mut self, index: u64, command: &[u8]) -> Vec<u8> {
            put_number(&mut self.0, index);
            put_bytes(&mut self.0, command);
            format!("{index}: {}", String::from_utf8_lossy(command)).into_bytes()
        }

        fn snapshot(&self) -> Vec<u8> {
            self.0.clone()
        }

        fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
            if snapshot.starts_with(b"\xff") {
                return Err(RestoreError::new("it is no diary"));
            }
            self.0 = snapshot.to_vec();
            Ok(())
        }
    }

    type Machine = Once<Diary>;

    fn machine(keys_max: u32, bytes_max: u64, entries_max: u64) -> Machine {
        Once::new(Diary::default(), Settings { keys_max, bytes_max, entries_max })
    }

    fn plenty() -> Machine {
        Once::new(Diary::default(), Settings::default())
    }

    fn envelope(key: &str, command: &str) -> Vec<u8> {
        Envelope { key: RequestKey::new(key).ok(), command: command.into() }.encode()
    }

    /// As the entry at `index`; an empty key is none.
    fn ask(machine: &mut Machine, index: u64, key: &str, command: &str) -> Answer {
        let answer = machine.apply(index, &envelope(key, command));
        assert_eq!(machine.check(), Ok(()));
        Answer::decode(&answer).unwrap()
    }

    fn applied(answer: &str) -> Answer {
        Answer::Applied { answer: answer.into() }
    }

    fn repeated(index: u64, answer: &str) -> Answer {
        Answer::Repeated { index, answer: answer.into() }
    }

    fn restored(snapshot: &[u8]) -> Result<Machine, String> {
        let mut machine = plenty();
        machine.restore(snapshot).map_err(|error| error.to_string())?;
        Ok(machine)
    }

    #[test]
    fn a_repeated_request_gets_the_first_answer_and_does_nothing() {
        let mut machine = plenty();
        assert_eq!(ask(&mut machine, 2, "k", "pay"), applied("2: pay"));
        let after = machine.inner().clone();
        assert_eq!(ask(&mut machine, 3, "k", "pay"), repeated(2, "2: pay"));
        assert_eq!(ask(&mut machine, 9, "k", "pay"), repeated(2, "2: pay"));
        assert_eq!(*machine.inner(), after);
        assert_eq!((machine.keys(), machine.bytes()), (1, 7));
        assert_eq!(ask(&mut machine, 10, "l", "pay"), applied("10: pay"));
    }

    #[test]
    fn a_key_of_another_command_is_refused() {
        let mut machine = plenty();
        ask(&mut machine, 2, "k", "pay 1");
        let after = machine.inner().clone();
        assert_eq!(ask(&mut machine, 3, "k", "pay 2"), Answer::KeyReused { index: 2 });
        assert_eq!(ask(&mut machine, 4, "k", ""), Answer::KeyReused { index: 2 });
        assert_eq!(*machine.inner(), after);
        assert_eq!(ask(&mut machine, 5, "k", "pay 1"), repeated(2, "2: pay 1"), "and the first is still known");
    }

    #[test]
    fn without_a_key_everything_is_carried_out() {
        let mut machine = plenty();
        assert_eq!(ask(&mut machine, 1, "", "pay"), applied("1: pay"));
        assert_eq!(ask(&mut machine, 2, "", "pay"), applied("2: pay"));
        assert_eq!((machine.keys(), machine.bytes()), (0, 0));
    }

    #[test]
    fn what_is_no_envelope_is_told_and_not_carried_out() {
        let mut machine = plenty();
        for (index, bytes) in (1..).zip([&b""[..], b"\x02\0x", b"pay", b"\x01", b"\x01\x05key", b"\x01\x81\x01"]) {
            assert_eq!(Answer::decode(&machine.apply(index, bytes)), Ok(Answer::NoEnvelope));
        }
        assert_eq!(*machine.inner(), Diary::default());
        assert_eq!(machine.applied_index, 6);
    }

    #[test]
    fn the_oldest_key_gives_way_to_one_too_many() {
        let mut machine = machine(2, 1_000, 1_000);
        for (index, key) in (1..).zip(["a", "b", "c"]) {
            ask(&mut machine, index, key, "x");
        }
        assert_eq!(machine.keys(), 2);
        // To be repeated makes a key no younger.
        assert_eq!(ask(&mut machine, 4, "b", "x"), repeated(2, "2: x"));
        assert_eq!(ask(&mut machine, 5, "a", "x"), applied("5: x"), "a new request");
        assert_eq!(ask(&mut machine, 6, "b", "x"), applied("6: x"));
        assert_eq!(ask(&mut machine, 7, "a", "x"), repeated(5, "5: x"));
        assert_eq!(ask(&mut machine, 8, "b", "y"), Answer::KeyReused { index: 6 });
    }

    #[test]
    fn keys_and_answers_have_room_for_so_many_bytes() {
        // A key of one byte, and an answer of six.
        let mut machine = machine(100, 20, 1_000);
        for (index, key) in (1..).zip(["a", "b"]) {
            ask(&mut machine, index, key, "xyz");
        }
        assert_eq!((machine.keys(), machine.bytes()), (2, 14));
        ask(&mut machine, 3, "long key", "xyz");
        assert_eq!((machine.keys(), machine.bytes()), (1, 14), "both others had to go");
        assert_eq!(ask(&mut machine, 4, "long key", "xyz"), repeated(3, "3: xyz"));
        ask(&mut machine, 5, "c", "sixteen bytes...");
        assert_eq!((machine.keys(), machine.bytes()), (1, 20), "exactly as many as may be");
        ask(&mut machine, 6, "d", "seventeen bytes..");
        assert_eq!((machine.keys(), machine.bytes()), (0, 0), "one too many for all");
        assert_eq!(ask(&mut machine, 7, "d", "seventeen bytes.."), applied("7: seventeen bytes.."));
    }

    #[test]
    fn keys_expire_by_log_indexes() {
        let mut machine = machine(100, 1_000, 5);
        ask(&mut machine, 1, "a", "x");
        ask(&mut machine, 4, "b", "x");
        assert_eq!(ask(&mut machine, 6, "a", "x"), repeated(1, "1: x"), "five later");
        // Any entry makes them expire, whatever it is.
        machine.apply(7, b"no envelope");
        assert_eq!(machine.keys(), 1);
        assert_eq!(ask(&mut machine, 8, "a", "x"), applied("8: x"));
        assert_eq!(ask(&mut machine, 10, "b", "x"), applied("10: x"));
    }

    #[test]
    fn limits_of_nothing_remember_nothing() {
        for mut machine in [machine(0, 1_000, 1_000), machine(100, 0, 1_000), machine(100, 1_000, 0)] {
            assert_eq!(ask(&mut machine, 1, "a", "x"), applied("1: x"));
            assert_eq!(ask(&mut machine, 2, "a", "x"), applied("2: x"));
        }
        let Settings { keys_max, bytes_max, entries_max } = *plenty().settings();
        assert_eq!((keys_max, bytes_max, entries_max), (100_000, 16 << 20, 1_000_000));
    }

    #[test]
    #[should_panic(expected = "entry 5 applied after entry 5")]
    fn an_entry_is_applied_once() {
        let mut machine = plenty();
        ask(&mut machine, 5, "a", "x");
        ask(&mut machine, 5, "b", "x");
    }

    /// Later builds must read what this one writes.
    #[test]
    fn the_encodings_are_pinned() {
        assert_eq!(envelope("key", "pay"), b"\x01\x03keypay");
        assert_eq!(envelope("", "pay"), b"\x01\0pay");
        assert_eq!(Envelope::open(b"\x01\x03keypay"), Ok((Some(&b"key"[..]), &b"pay"[..])));
        assert_eq!(Envelope::open(b"\x01\0"), Ok((None, &b""[..])));
        let table = [
            (applied("ok"), &b"\x01\x01ok"[..]),
            (repeated(128, "ok"), b"\x01\x02\x80\x01ok"),
            (Answer::KeyReused { index: 7 }, b"\x01\x03\x07"),
            (Answer::NoEnvelope, b"\x01\x04"),
        ];
        for (answer, bytes) in table {
            assert_eq!(answer.encode(), bytes);
            assert_eq!(Answer::decode(bytes), Ok(answer));
        }
        let mut machine = plenty();
        ask(&mut machine, 3, "key", "x");
        machine.apply(200, b"no envelope");
        let digest = digest(b"x").to_le_bytes();
        let content = [&b"\xc8\x01\x01\x03\x03key"[..], &digest, b"\x043: x", b"\x03\x03\x01x"].concat();
        assert_eq!(machine.snapshot(), sealed(&content));
        assert_eq!(restored(&sealed(&content)), Ok(machine));
    }

    #[test]
    fn a_request_key_has_1_to_128_bytes() {
        assert_eq!(RequestKey::new([0xff]).unwrap().as_bytes(), [0xff]);
        assert!(RequestKey::new([7; 128]).is_ok());
        assert_eq!(RequestKey::new([7; 129]), Err(RequestKeyError { bytes: 129 }));
        assert_eq!(RequestKey::new("").unwrap_err().to_string(), "the request key has 0 bytes: it must have 1 to 128");
        let long = Envelope { key: RequestKey::new([7; 128]).ok(), command: vec![1; 70_000] };
        assert_eq!(Envelope::decode(&long.encode()), Ok(long));
    }

    #[test]
    fn what_is_no_envelope_and_no_answer_is_named() {
        let why = |bytes: &[u8]| Envelope::decode(bytes).unwrap_err().to_string();
        assert_eq!(why(b""), "at byte 0: expected envelope version 1, but the bytes end");
        assert_eq!(why(b"\x02\0x"), "at byte 0: expected envelope version 1, but found 0x02");
        assert_eq!(why(b"\x01\x04key"), "at byte 1: expected a request key, or nothing, but the bytes end");
        assert_eq!(
            why(b"\x01\x81\x01"),
            "at byte 1: expected a request key, or nothing, but it has 129 bytes, and not 0 to 128"
        );
        for bytes in [&b""[..], b"\x02\x01", b"\x01", b"\x01\0", b"\x01\x05", b"\x01\x02\0", b"\x01\x03", b"\x01\x04x"]
        {
            assert!(Answer::decode(bytes).is_err(), "{bytes:?}");
        }
    }

    fn generator(seed: u64) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(seed)
    }

    #[test]
    fn no_bytes_make_it_panic_and_whatever_decodes_has_one_form() {
        let mut random = generator(1);
        for _ in 0..50_000 {
            let mut bytes = vec![0; random.random_range(0..12)];
            random.fill_bytes(&mut bytes);
            for (byte, most) in bytes.iter_mut().zip([2, 6, 10]) {
                *byte %= most;
            }
            if let Ok(envelope) = Envelope::decode(&bytes) {
                assert_eq!(envelope.encode(), bytes);
            }
            if let Ok(answer) = Answer::decode(&bytes) {
                assert_eq!(answer.encode(), bytes);
            }
        }
    }

    /// A machine after random requests, some of them repeated, some with a key of another.
    fn random_machine(seed: u64) -> (Machine, Xoshiro256PlusPlus) {
        let mut random = generator(seed);
        let mut machine = machine(random.random_range(0..8), random.random_range(0..80), random.random_range(0..30));
        for _ in 0..random.random_range(0..60) {
            random_request(&mut [&mut machine], &mut random);
        }
        (machine, random)
    }

    /// Gives all of them the same request, and sees that they do the same.
    fn random_request(machines: &mut [&mut Machine], random: &mut Xoshiro256PlusPlus) {
        let index = machines[0].applied_index + random.random_range(1..4);
        let key = random.random_range(0..12_u32);
        let key = if key == 0 { String::new() } else { "k".repeat(key as usize) };
        let mut bytes = envelope(&key, ["pay", "pay", "pay 2"][random.random_range(0..3)]);
        if random.random_range(0..10) == 0 {
            bytes.truncate(1);
        }
        let answers: Vec<Vec<u8>> = machines.iter_mut().map(|machine| machine.apply(index, &bytes)).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert!(machines.iter().all(|machine| **machine == *machines[0]));
        let settings = *machines[0].settings();
        assert!(machines[0].keys() as u64 <= u64::from(settings.keys_max));
        assert!(machines[0].bytes() <= settings.bytes_max);
        assert_eq!(machines[0].check(), Ok(()));
    }

    #[test]
    fn what_is_restored_is_the_same_and_goes_on_the_same() {
        let mut keys = 0;
        for seed in 0..200 {
            let (mut machine, mut random) = random_machine(seed);
            let bytes = machine.snapshot();
            let mut again = Once::new(Diary::default(), *machine.settings());
            // Whatever it was before.
            again.apply(9, &envelope("k", "other"));
            again.restore(&bytes).unwrap();
            assert_eq!(again, machine);
            assert_eq!(again.snapshot(), bytes);
            keys += machine.keys();
            for _ in 0..30 {
                random_request(&mut [&mut machine, &mut again], &mut random);
            }
        }
        assert!(keys > 200, "only {keys} keys were restored");
    }

    #[test]
    fn smaller_settings_take_effect_with_the_next_entry() {
        let mut machine = plenty();
        for (index, key) in (1..).zip(["a", "b", "c"]) {
            ask(&mut machine, index, key, "x");
        }
        let mut smaller = super::tests::machine(1, 1_000, 1_000);
        smaller.restore(&machine.snapshot()).unwrap();
        assert_eq!(smaller.keys(), 3);
        assert_eq!(ask(&mut smaller, 4, "b", "x"), applied("4: x"));
        assert_eq!(smaller.keys(), 1);
    }

    /// Appends the right checksum to any content.
    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut bytes = [MAGIC, &[VERSION][..], content].concat();
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_of_a_snapshot_is_refused() {
        let (machine, _) = (0..).map(random_machine).find(|(machine, _)| machine.keys() > 2).unwrap();
        let bytes = machine.snapshot();
        for length in 0..bytes.len() {
            assert!(restored(&bytes[..length]).is_err(), "cut to {length}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let why = restored(&flipped).unwrap_err();
            let right = match bit / 8 {
                0..4 => "no snapshot with request keys",
                4 => "only version 1 can be read",
                _ => "is damaged",
            };
            assert!(why.contains(right), "bit {bit}: {why}");
        }
    }

    #[test]
    fn nonsense_with_the_right_checksum_is_named() {
        let key = |index: u8, key: &[u8]| [&[index, key.len() as u8][..], key, &[0; 8], &[0]].concat();
        let content = |parts: &[&[u8]]| parts.concat();
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        let table = [
            (content(&[]), "at byte 5: expected the applied index, but the bytes end"),
            (content(&[&[9]]), "at byte 6: expected the number of keys, but the bytes end"),
            (
                content(&[&[9], &huge]),
                "at byte 16: expected an index above the last key's, up to the applied index, but the bytes end",
            ),
            (
                content(&[&[9, 1], &key(0, b"a"), &[0]]),
                "at byte 7: expected an index above the last key's, up to the applied index, but found 0",
            ),
            (content(&[&[9, 1], &key(10, b"a"), &[0]]), "but found 10"),
            (content(&[&[9, 2], &key(4, b"a"), &key(4, b"b"), &[0]]), "but it is not above the one before it"),
            (content(&[&[9, 2], &key(4, b"a"), &key(3, b"b"), &[0]]), "but it is not above the one before it"),
            (content(&[&[9, 2], &key(4, b"a"), &key(5, b"a"), &[0]]), "expected a key that isn't there yet"),
            (content(&[&[9, 1], &key(4, b""), &[0]]), "expected a request key, but it has 0 bytes, and not 1 to 128"),
            (content(&[&[9, 1, 4, 1, b'a', 0, 0]]), "expected the digest of a command, but the bytes end"),
            (content(&[&[9, 1, 4, 1, b'a'], &[0; 8], &huge]), "expected an answer, but the bytes end"),
            (content(&[&[9, 0], &huge]), "expected the snapshot of the state machine inside, but the bytes end"),
            (content(&[&[9, 0, 0, 0]]), "expected the end, but 1 byte is left over"),
            (content(&[&[9, 0, 1, 0xff]]), "it is no diary"),
            // The highest index of all, twice.
            (
                content(&[&huge, &[2], &huge, &key(0, b"a")[1..], &huge, &key(0, b"b")[1..], &[0]]),
                "it is not above the one before it",
            ),
        ];
        for (content, expected) in table {
            let why = restored(&sealed(&content)).unwrap_err();
            assert!(why.ends_with(expected) || why.contains(&format!("{expected},")), "{content:?}: {why}");
        }
        for content in [&[9, 0, 0][..], &content(&[&[9, 2], &key(1, b"b"), &key(9, b"a"), &[0]])] {
            assert_eq!(restored(&sealed(content)).unwrap().snapshot(), sealed(content));
        }
    }

    #[test]
    fn no_content_of_a_snapshot_makes_it_panic() {
        let mut random = generator(2);
        for seed in 0..3_000 {
            let bytes = random_machine(seed % 40).0.snapshot();
            let mut content = bytes[HEADER_BYTES..bytes.len() - CHECKSUM_BYTES].to_vec();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..content.len());
                content[at] = random.random();
            }
            if let Ok(machine) = restored(&sealed(&content)) {
                assert_eq!(machine.snapshot(), sealed(&content));
            }
            random.fill_bytes(&mut content);
            let _ = restored(&sealed(&content));
        }
    }

    #[test]
    fn it_can_be_driven_as_any_state_machine() {
        let mut boxed: Box<dyn StateMachine> = Box::new(plenty());
        let first = boxed.apply(1, &envelope("k", "pay"));
        let mut copy = boxed.clone();
        assert_eq!(Answer::decode(&first), Ok(applied("1: pay")));
        assert_eq!(Answer::decode(&copy.apply(2, &envelope("k", "pay"))), Ok(repeated(1, "1: pay")));
        assert_eq!(boxed.check(), Ok(()));
        assert_eq!(plenty().into_inner(), Diary::default());
    }
}
