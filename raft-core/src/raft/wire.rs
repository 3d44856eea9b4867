//! A message as bytes between servers, and back: [`Message::encode`] and [`Message::decode`].
//!
//! In order: the version, 1; the message's number; its fields, as the table of messages lists them.
//! [`codec`](crate::codec) says how numbers are written. A second table, below, says what the
//! fields consist of. `docs/formats.md` has both tables, for people who write another reader. Equal
//! messages have equal bytes, and no other bytes mean the same message.
//!
//! What a disk holds besides is encoded in the same way: [`Entry`], [`HardState`] and
//! [`SnapshotMeta`] by themselves. A third table says what a hard state consists of.
//!
//! # What comes from a peer is not trusted
//! Whatever the bytes are, the result is a message, or an error that says where and why. Nothing is
//! allocated because the bytes claim a length, and a decoded message takes no more memory than a
//! fixed multiple of its bytes. This file only finds out what the bytes *say*. Whether a correct
//! server could have said it is decided by the guards, which look at every message anyway.
//!
//! # Caveats
//! The bytes say neither where they end nor which server sent them, and aren't protected against
//! damage or malice. That is the task of the connection they travel on, which also limits how many
//! bytes it takes in for one message.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::entry::{Entries, Entry, Payload};
use super::io::{HardState, Standing};
use super::membership::Configuration;
use super::message::{self, AppendOutcome, Message, Piece, SnapshotMeta, SnapshotProgress, messages};
use super::types::{DiskId, EntryId, LogIndex, ServerId, ServerSet, Term};
use crate::bytes::Bytes;
use crate::codec::{DecodeError, Problem, Read, Reader, put_number};
use crate::time::{Duration, Time};

/// The version that is written, and the only one that is read.
const VERSION: u8 = 1;

/// The fewest bytes an entry has: its term and what it says.
const ENTRY_BYTES_MIN: u64 = 2;

/// Hands to a macro what the fields of messages consist of, except lists and simple values:
/// numbers; structures, which are several values in a row; and choices between several cases, each
/// with its number on the wire, its name in JSON, and its content, with a type for the document.
/// Servers of different releases talk to each other, so a case's number is never given to another
/// case.
macro_rules! values {
    ($then:ident) => {
        $then! {
            numbers {
                u64: |number| *number, |number| number;
                Term: |term| term.0, Term;
                LogIndex: |index| index.0, LogIndex;
                DiskId: |disk| disk.0, DiskId;
                Time: |time| time.as_micros(), Time::from_micros;
                Duration: |length| length.as_micros(), Duration::from_micros;
            }
            structs {
                EntryId { index: LogIndex, term: Term }
                Entry { term: Term, payload: Payload }
                Configuration { voters: ServerSet, outgoing: ServerSet, learners: ServerSet }
                SnapshotMeta { last: EntryId, configuration: Configuration, configuration_index: LogIndex }
            }
            choices {
                Payload {
                    1 "no-op" NoOp;
                    2 "command" Command(command: Bytes);
                    3 "membership" Membership(configuration: Configuration);
                    4 "admission" Admission { server: ServerId, disk: DiskId };
                }
                AppendOutcome {
                    1 "matched" Matched(index: LogIndex);
                    2 "joining" Joining { matched: LogIndex, disk: DiskId };
                    3 "conflict" Conflict { previous: LogIndex, hint: EntryId };
                    4 "damaged" Damaged { previous: LogIndex, last: EntryId };
                    5 "stale-term" StaleTerm;
                }
                SnapshotProgress {
                    1 "received" Received(bytes: u64);
                    2 "installed" Installed(index: LogIndex);
                    3 "stale-term" StaleTerm;
                }
            }
        }
    };
}
#[cfg(feature = "serde")]
pub(crate) use values;

/// A value that can be in a message.
trait Wire: Sized {
    fn put(&self, to: &mut Vec<u8>);

    /// `expected` names the value and its message, for errors.
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<Self>;
}

macro_rules! define_codec {
    ($(
        $(#[$doc:meta])+
        $number:literal $message:ident $(in $box:ident)? $sign:literal,
        $turn:ident $(($yes:ident))? from $sender:ident, $kind:ident, $weight:ident {
            $($(#[$of_field:meta])+ $field:ident: $type:ty $(=> $($label:literal)? $(by $said:ident)?)?,)+
        }
    )+) => {
        impl Message {
            /// Appends its bytes.
            pub fn encode(&self, bytes: &mut Vec<u8>) {
                bytes.push(VERSION);
                match self {
                    $(Message::$message(m) => {
                        bytes.push($number);
                        $(m.$field.put(bytes);)+
                    })+
                }
            }

            /// Decodes the message that is all of these bytes.
            ///
            /// # Errors
            /// Where the bytes aren't a message, and why.
            pub fn decode(bytes: &[u8]) -> Result<Message, DecodeError> {
                let mut reader = Reader::new(bytes);
                match reader.byte("version 1")? {
                    VERSION => {}
                    found => Reader::error(0, "version 1", Problem::UnknownByte { found })?,
                }
                let start = reader.offset();
                let read = match reader.byte("the number of a message")? {
                    $($number => {
                        $(let $field = <$type>::read(
                            &mut reader,
                            concat!("`", stringify!($field), "` of ", stringify!($message)),
                        )?;)+
                        Message::$message(message::$message { $($field),+ }.into())
                    })+
                    found => Reader::error(start, "the number of a message", Problem::UnknownByte { found })?,
                };
                reader.end()?;
                Ok(read)
            }
        }
    };
}
messages!(define_codec);

/// The error for a byte at `start` that has no meaning there.
fn unknown<T>(start: usize, expected: &'static str, found: u8) -> Read<T> {
    Reader::error(start, expected, Problem::UnknownByte { found })
}

macro_rules! define_values {
    (
        numbers { $($number:ty: $get:expr, $of:expr;)* }
        structs { $($struct:ident { $($field:ident: $type:ty),+ })+ }
        choices { $($choice:ident { $(
            $tag:literal $name:literal $variant:ident
            $(($only:ident: $of_only:ident))? $({ $($part:ident: $of_part:ident),+ })?;
        )+ })+ }
    ) => {
        $(impl Wire for $number {
            fn put(&self, to: &mut Vec<u8>) {
                let get: fn(&$number) -> u64 = $get;
                put_number(to, get(self));
            }

            fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<$number> {
                let of: fn(u64) -> $number = $of;
                reader.number(expected).map(of)
            }
        })*

        $(impl Wire for $struct {
            fn put(&self, to: &mut Vec<u8>) {
                let $struct { $($field),+ } = self;
                $($field.put(to);)+
            }

            fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<$struct> {
                $(let $field = Wire::read(reader, expected)?;)+
                Ok($struct { $($field),+ })
            }
        })+

        $(impl Wire for $choice {
            fn put(&self, to: &mut Vec<u8>) {
                match self {
                    $($choice::$variant $(($only))? $({ $($part),+ })? => {
                        to.push($tag);
                        $($only.put(to);)?
                        $($($part.put(to);)+)?
                    })+
                }
            }

            fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<$choice> {
                let start = reader.offset();
                Ok(match reader.byte(expected)? {
                    $($tag => {
                        $(let $only = Wire::read(reader, expected)?;)?
                        $($(let $part = Wire::read(reader, expected)?;)+)?
                        $choice::$variant $(($only))? $({ $($part),+ })?
                    })+
                    found => return unknown(start, expected, found),
                })
            }
        })+
    };
}
values!(define_values);

// What only disks hold. A number here is never given to another case either: a server of a later
// release reads the disk of an earlier one.
define_values! {
    numbers {}
    structs {
        HardState {
            term: Term,
            voted_for: Option<ServerId>,
            standing: Standing,
            decided_at: LogIndex,
            lost: EntryId,
            disk: DiskId,
            asking_life: u32
        }
    }
    choices {
        Standing {
            1 "member" Member;
            2 "joining" Joining;
            3 "barred" Barred;
        }
    }
}

/// Gives a value bytes of its own, for disks.
macro_rules! define_stored {
    ($($stored:ident, $what:literal;)+) => {
        $(impl $stored {
            /// Appends its bytes: what a disk keeps of it. They don't say where they end, and
            /// aren't protected against damage.
            pub fn encode(&self, bytes: &mut Vec<u8>) {
                self.put(bytes);
            }

            /// Decodes what all of these bytes mean. Nothing is allocated because they claim a
            /// length.
            ///
            /// # Errors
            /// Where the bytes aren't what [`encode`](Self::encode) writes, and why.
            pub fn decode(bytes: &[u8]) -> Result<$stored, DecodeError> {
                let mut reader = Reader::new(bytes);
                let read = Wire::read(&mut reader, $what)?;
                reader.end()?;
                Ok(read)
            }
        })+
    };
}
define_stored! {
    Entry, "an entry";
    HardState, "a hard state";
    SnapshotMeta, "what a snapshot stands for";
}

impl Wire for u32 {
    fn put(&self, to: &mut Vec<u8>) {
        put_number(to, u64::from(*self));
    }

    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<u32> {
        let start = reader.offset();
        let found = reader.number(expected)?;
        u32::try_from(found).or_else(|_| Reader::error(start, expected, Problem::OutOfRange { found }))
    }
}

/// No or yes.
impl Wire for bool {
    fn put(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }

    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<bool> {
        let start = reader.offset();
        match reader.byte(expected)? {
            0 => Ok(false),
            1 => Ok(true),
            found => unknown(start, expected, found),
        }
    }
}

/// Whether there is a value, then the value.
impl<T: Wire> Wire for Option<T> {
    fn put(&self, to: &mut Vec<u8>) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<Option<T>> {
        Ok(if bool::read(reader, expected)? { Some(T::read(reader, expected)?) } else { None })
    }
}

/// Its number.
impl Wire for ServerId {
    fn put(&self, to: &mut Vec<u8>) {
        to.push(self.number());
    }

    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<ServerId> {
        let start = reader.offset();
        let number = reader.byte(expected)?;
        ServerId::new(number).map_or_else(|| unknown(start, expected, number), Ok)
    }
}

/// How many, and the number of each, ascending.
impl Wire for ServerSet {
    fn put(&self, to: &mut Vec<u8>) {
        to.push(self.len() as u8);
        for server in self.iter() {
            server.put(to);
        }
    }

    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<ServerSet> {
        let start = reader.offset();
        let count = reader.byte(expected)?;
        if count > ServerId::MAX {
            return unknown(start, expected, count);
        }
        let mut servers = ServerSet::EMPTY;
        let mut last = 0;
        for _ in 0..count {
            let start = reader.offset();
            let server = ServerId::read(reader, expected)?;
            if server.number() <= last {
                return Reader::error(start, expected, Problem::OutOfOrder);
            }
            last = server.number();
            servers.insert(server);
        }
        Ok(servers)
    }
}

/// How many, and the bytes.
fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_number(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

/// Reads what [`put_bytes`] has written.
fn read_bytes<'a>(reader: &mut Reader<'a>, expected: &'static str) -> Read<&'a [u8]> {
    let count = reader.number(expected)?;
    reader.bytes(count, expected)
}

impl Wire for Bytes {
    fn put(&self, to: &mut Vec<u8>) {
        put_bytes(to, self);
    }

    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<Bytes> {
        read_bytes(reader, expected).map(Bytes::from)
    }
}

impl Wire for Piece {
    fn put(&self, to: &mut Vec<u8>) {
        put_bytes(to, self.bytes());
    }

    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<Piece> {
        let bytes: Arc<[u8]> = read_bytes(reader, expected)?.into();
        Ok(Piece::of(&bytes, 0, bytes.len() as u64))
    }
}

impl<T: Wire> Wire for Arc<T> {
    fn put(&self, to: &mut Vec<u8>) {
        (**self).put(to);
    }

    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<Arc<T>> {
        T::read(reader, expected).map(Arc::new)
    }
}

/// How many, and each.
impl Wire for Entries {
    fn put(&self, to: &mut Vec<u8>) {
        put_number(to, self.len() as u64);
        for entry in self.as_slice() {
            entry.put(to);
        }
    }

    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Read<Entries> {
        let start = reader.offset();
        let count = reader.number(expected)?;
        // So many entries can't be in the bytes that are left: this is known before memory is taken
        // for them.
        if count > reader.left() as u64 / ENTRY_BYTES_MIN {
            return Reader::error(start, expected, Problem::Ended);
        }
        if count > u64::from(u32::MAX) {
            return Reader::error(start, expected, Problem::OutOfRange { found: count });
        }
        (0..count).map(|_| Entry::read(reader, expected)).collect()
    }
}
