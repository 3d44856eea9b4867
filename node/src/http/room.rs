//! How much memory answers may take that are under way.
//!
//! A client that doesn't read keeps its answer in memory until it is let go. A thousand of them
//! must not need a thousand times the largest answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{Kind, Problem};

/// Room is given in pieces of so many bytes.
const UNIT: usize = 1 << 10;

/// Room for answers of one kind.
#[derive(Clone, Debug)]
pub struct Room {
    free: Arc<Semaphore>,
}

/// A part of the room, until it is dropped.
pub(super) struct Taken {
    permit: OwnedSemaphorePermit,
}

/// An answer, and the room that it takes.
struct Held {
    bytes: Vec<u8>,
    _taken: Taken,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Room {
    /// Room for so many bytes.
    pub fn of(bytes: usize) -> Room {
        Room { free: Arc::new(Semaphore::new(bytes / UNIT)) }
    }

    /// Waits for room for an answer of at most so many bytes.
    ///
    /// # Errors
    /// The response that is given if there is none in time.
    pub(super) async fn take(&self, bytes: usize, time_max: Duration) -> Result<Taken, Problem> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let taken = Arc::clone(&self.free).acquire_many_owned(units);
        match tokio::time::timeout(time_max, taken).await {
            Ok(Ok(permit)) => Ok(Taken { permit }),
            Ok(Err(_)) | Err(_) => {
                Err(Problem::new(Kind::Busy, "too many answers wait here until their clients read them"))
            }
        }
    }
}

impl Taken {
    /// The answer, which keeps the room that it needs until it is sent, and no more of it.
    pub(super) fn hold(mut self, bytes: Vec<u8>) -> Bytes {
        let kept = self.permit.split(bytes.len().div_ceil(UNIT));
        // It is larger than was said only by a fault of ours; then it keeps all that there is.
        self.permit = kept.unwrap_or(self.permit);
        Bytes::from_owner(Held { bytes, _taken: self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn answers_that_nobody_reads_leave_no_room_until_they_are_gone() {
        let room = Room::of(4 * UNIT);
        let limit = Duration::from_secs(5);
        let first = room.take(4 * UNIT, limit).await.unwrap().hold(vec![1; UNIT + 1]);
        // It took two units in the end, and a part of it is still to be sent.
        let part = first.slice(7..9);
        drop(first);
        let second = room.take(2 * UNIT, limit).await.unwrap();
        assert_eq!(room.take(1, limit).await.err().map(|problem| problem.kind), Some(Kind::Busy));
        let waits = room.take(2 * UNIT, limit);
        let reads = async move {
            tokio::time::sleep(limit / 2).await;
            assert_eq!(&part[..], [1, 1]);
            drop(part);
        };
        let (third, ()) = tokio::join!(waits, reads);
        let third = third.unwrap();
        assert!(room.take(1, limit).await.is_err());
        drop((second, third));
        assert!(room.take(4 * UNIT, limit).await.is_ok());
        assert!(room.take(5 * UNIT, limit).await.is_err(), "it never fits");
    }
}
