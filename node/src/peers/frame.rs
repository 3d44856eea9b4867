//! What travels on a connection after its handshake: frames, each with a counter and an
//! authentication code. `docs/peers.md` has them byte by byte.

use bytes::{Buf, Bytes, BytesMut};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::secrets::{Tag, keyed};

/// The bytes of a frame's length, which doesn't count itself.
pub const LENGTH_BYTES: usize = 4;
/// The bytes of every frame after its length that aren't its content: counter, kind, code.
pub const OVERHEAD: usize = 8 + 1 + CODE_BYTES;
/// The bytes of a message's number, before the message.
pub const NUMBER_BYTES: usize = 8;

const CODE_BYTES: usize = 32;
const KEEP_ALIVE: u8 = 0;
const MESSAGE: u8 = 1;

/// What came in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Nothing, but the other side is there.
    KeepAlive,
    /// A message.
    Message {
        /// Its number within its sender's life.
        number: u64,
        /// Its bytes, as [`Message::encode`](raft_core::raft::Message::encode) made them; whether
        /// they are a message, nobody has looked yet.
        message: Bytes,
    },
}

/// Why bytes aren't the next frame. After this, nothing on the connection can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Its length is above the limit.
    #[error("a frame claims {length} bytes; the limit is {max}")]
    TooLong {
        /// What it claims, in bytes.
        length: u32,
        /// The limit, in bytes.
        max: u32,
    },
    /// Its length is less than every frame has.
    #[error("a frame claims {length} bytes, fewer than any has")]
    TooShort {
        /// What it claims, in bytes.
        length: u32,
    },
    /// Its authentication code is wrong.
    #[error("a frame was altered, or comes from somebody else")]
    Altered,
    /// It isn't the one after the last: frames were repeated, left out or put in another order.
    #[error("frame {found} came where frame {expected} should be")]
    OutOfOrder {
        /// The counter in the frame.
        found: u64,
        /// The next one.
        expected: u64,
    },
    /// It is of a kind that this version doesn't know, or has the wrong length for its kind.
    #[error("a frame of kind {0} isn't one of this version")]
    UnknownKind(u8),
}

/// Makes the frames of one direction of a connection.
#[derive(Debug)]
pub struct Sealer {
    key: Hmac<Sha256>,
    counter: u64,
}

impl Sealer {
    /// Begins a direction with its key.
    pub fn new(key: &[u8; 32]) -> Sealer {
        Sealer { key: keyed(key), counter: 0 }
    }

    /// Appends a frame with a message to `bytes`.
    ///
    /// # Panics
    /// If the frame would have 2^32 bytes or more. Callers keep to a limit.
    pub fn message(&mut self, number: u64, message: &[u8], bytes: &mut Vec<u8>) {
        self.seal(MESSAGE, &[&number.to_be_bytes(), message], bytes);
    }

    /// Appends a frame that says that this side is there.
    pub fn keep_alive(&mut self, bytes: &mut Vec<u8>) {
        self.seal(KEEP_ALIVE, &[], bytes);
    }

    fn seal(&mut self, kind: u8, content: &[&[u8]], bytes: &mut Vec<u8>) {
        let start = bytes.len();
        let length = OVERHEAD + content.iter().map(|part| part.len()).sum::<usize>();
        let length = u32::try_from(length).expect("a frame is within the limit");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.counter.to_be_bytes());
        bytes.push(kind);
        content.iter().for_each(|part| bytes.extend_from_slice(part));
        let code = self.key.clone().chain_update(&bytes[start..]).finalize().into_bytes();
        bytes.extend_from_slice(&code);
        self.counter += 1;
    }
}

/// The length of the frame with a message of so many bytes, its own length included; `None` if that
/// is above the limit.
pub(super) fn frame_bytes(message_bytes: usize, frame_bytes_max: u32) -> Option<usize> {
    let length = message_bytes.checked_add(OVERHEAD + NUMBER_BYTES)?;
    (length <= frame_bytes_max as usize).then_some(LENGTH_BYTES + length)
}

/// Reads the frames of one direction of a connection.
#[derive(Debug)]
pub struct Opener {
    key: Hmac<Sha256>,
    counter: u64,
    frame_bytes_max: u32,
}

impl Opener {
    /// Begins a direction with its key, and the limit of the length that a frame may claim.
    pub fn new(key: &[u8; 32], frame_bytes_max: u32) -> Opener {
        Opener { key: keyed(key), counter: 0, frame_bytes_max }
    }

    /// Takes the next frame off the front of `buffer`, or says that more bytes must come first.
    /// Allocates nothing.
    ///
    /// # Errors
    /// When the bytes aren't the next frame that the other side sealed. The connection is of no use
    /// any more then.
    pub fn open(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some((length, rest)) = buffer.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length);
        if length > self.frame_bytes_max {
            return Err(FrameError::TooLong { length, max: self.frame_bytes_max });
        }
        if (length as usize) < OVERHEAD {
            return Err(FrameError::TooShort { length });
        }
        if rest.len() < length as usize {
            return Ok(None);
        }

        let mut frame = buffer.split_to(LENGTH_BYTES + length as usize).freeze();
        let code = frame.split_off(frame.len() - CODE_BYTES);
        let right: Tag = self.key.clone().chain_update(&frame).finalize().into_bytes().into();
        if !bool::from(right.ct_eq(&code)) {
            return Err(FrameError::Altered);
        }
        frame.advance(LENGTH_BYTES);
        let counter = frame.get_u64();
        if counter != self.counter {
            return Err(FrameError::OutOfOrder { found: counter, expected: self.counter });
        }
        self.counter += 1;
        match frame.get_u8() {
            KEEP_ALIVE if frame.is_empty() => Ok(Some(Frame::KeepAlive)),
            MESSAGE if frame.len() >= NUMBER_BYTES => {
                Ok(Some(Frame::Message { number: frame.get_u64(), message: frame }))
            }
            kind => Err(FrameError::UnknownKind(kind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn open_all(bytes: &[u8], max: u32) -> Result<Vec<Frame>, FrameError> {
        let (mut opener, mut buffer) = (Opener::new(&KEY, max), BytesMut::from(bytes));
        std::iter::from_fn(|| opener.open(&mut buffer).transpose()).collect()
    }

    fn message(number: u64, message: &[u8]) -> Frame {
        Frame::Message { number, message: Bytes::copy_from_slice(message) }
    }

    fn three_frames() -> (Vec<u8>, [usize; 3]) {
        let (mut sealer, mut bytes) = (Sealer::new(&KEY), Vec::new());
        sealer.message(5, b"first", &mut bytes);
        let first = bytes.len();
        sealer.keep_alive(&mut bytes);
        let second = bytes.len();
        sealer.message(9, b"", &mut bytes);
        let third = bytes.len();
        (bytes, [first, second, third])
    }

    #[test]
    fn what_was_sealed_is_opened_however_the_bytes_come() {
        let (bytes, _) = three_frames();
        let frames = [message(5, b"first"), Frame::KeepAlive, message(9, b"")];
        assert_eq!(open_all(&bytes, 1000).unwrap(), frames);
        let (mut opener, mut buffer, mut opened) = (Opener::new(&KEY, 1000), BytesMut::new(), Vec::new());
        for byte in bytes {
            buffer.extend_from_slice(&[byte]);
            opened.extend(opener.open(&mut buffer).unwrap());
        }
        assert_eq!(opened, frames);
        assert!(buffer.is_empty());
    }

    #[test]
    fn the_bytes_of_a_frame_are_these() {
        let mut bytes = Vec::new();
        Sealer::new(&KEY).message(0x0102, b"m", &mut bytes);
        let (front, code) = bytes.split_at(bytes.len() - 32);
        assert_eq!(front, b"\0\0\0\x32\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x01\x02m");
        assert_eq!(code, &*keyed(&KEY).chain_update(front).finalize().into_bytes());
    }

    #[test]
    fn a_length_is_judged_before_its_bytes_have_come() {
        let max = (OVERHEAD + 100) as u32;
        let claim = |length: u32| open_all(&length.to_be_bytes(), max);
        assert_eq!(claim(max), Ok(vec![]));
        assert_eq!(claim(max + 1), Err(FrameError::TooLong { length: max + 1, max }));
        assert_eq!(claim(u32::MAX), Err(FrameError::TooLong { length: u32::MAX, max }));
        assert_eq!(claim(OVERHEAD as u32), Ok(vec![]));
        assert_eq!(claim(OVERHEAD as u32 - 1), Err(FrameError::TooShort { length: OVERHEAD as u32 - 1 }));
    }

    #[test]
    fn a_message_just_within_the_limit_can_be_sealed_and_opened() {
        let max = (OVERHEAD + NUMBER_BYTES + 100) as u32;
        for bytes in [99, 100] {
            let mut sealed = Vec::new();
            Sealer::new(&KEY).message(1, &vec![3; bytes], &mut sealed);
            assert_eq!(frame_bytes(bytes, max), Some(sealed.len()));
            assert_eq!(open_all(&sealed, max).unwrap(), [message(1, &vec![3; bytes])]);
        }
        assert_eq!(frame_bytes(101, max), None);
        assert_eq!(frame_bytes(usize::MAX, u32::MAX), None);
        let mut sealed = Vec::new();
        Sealer::new(&KEY).message(1, &[3; 101], &mut sealed);
        assert_eq!(open_all(&sealed, max), Err(FrameError::TooLong { length: max + 1, max }));
    }

    #[test]
    fn no_altered_bit_gets_through() {
        let (bytes, [first, ..]) = three_frames();
        for bit in 0..first * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            // A longer frame isn't there yet. Nothing comes out of it, either.
            assert!(matches!(open_all(&altered, 1000).as_deref(), Err(_) | Ok([])), "bit {bit}");
        }
    }

    #[test]
    fn frames_are_not_repeated_left_out_reordered_or_taken_from_another_direction() {
        let (bytes, [first, second, _]) = three_frames();
        let out_of_order = |found, expected| Err(FrameError::OutOfOrder { found, expected });
        assert_eq!(open_all(&[&bytes[..first], &bytes[..first]].concat(), 1000), out_of_order(0, 1));
        assert_eq!(open_all(&bytes[first..], 1000), out_of_order(1, 0));
        assert_eq!(open_all(&[&bytes[..first], &bytes[second..]].concat(), 1000), out_of_order(2, 1));
        let mut other = Vec::new();
        Sealer::new(&[8; 32]).message(5, b"first", &mut other);
        assert_eq!(open_all(&other, 1000), Err(FrameError::Altered));
    }

    #[test]
    fn a_kind_that_is_not_known_or_has_the_wrong_length_is_an_error() {
        for (kind, content) in [(2, &b""[..]), (KEEP_ALIVE, b"x"), (MESSAGE, b"1234567")] {
            let mut bytes = Vec::new();
            Sealer::new(&KEY).seal(kind, &[content], &mut bytes);
            assert_eq!(open_all(&bytes, 1000), Err(FrameError::UnknownKind(kind)));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_waited_for(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            // Nobody guesses a code.
            prop_assert!(matches!(open_all(&bytes, 100).as_deref(), Ok([]) | Err(_)));
        }
    }
}
