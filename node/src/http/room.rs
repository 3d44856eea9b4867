//! How much memory answers and bodies of requests may take that are under way.
//!
//! A client that doesn't read keeps its answer in memory until it is let go, and one that sends
//! slowly what it has sent. A thousand of them must not need a thousand times the largest.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::BODY_BYTES_MAX;
use super::problem::{Kind, Problem};

/// Room is given in pieces of so many bytes.
const UNIT: usize = 1 << 10;

/// How much of a body comes at once, at most, in bytes: as much as is read of a connection.
const PIECE_BYTES: usize = super::serve::HEAD_BYTES_MAX;

/// Room for answers of one kind, or for bodies.
#[derive(Clone, Debug)]
pub struct Room {
    free: Arc<Semaphore>,
    /// What is wrong if there is none in time.
    full: &'static str,
}

/// A part of the room, until it is dropped.
pub(super) struct Taken {
    permit: OwnedSemaphorePermit,
}

/// An answer or a body, and the room that it takes.
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
    /// Room for answers with so many bytes in all.
    pub fn for_answers(bytes: usize) -> Room {
        let full = "too many answers wait here until their clients read them";
        Room { free: Arc::new(Semaphore::new(bytes / UNIT)), full }
    }

    /// Room for bodies of requests with so many bytes in all.
    pub fn for_bodies(bytes: usize) -> Room {
        let full = "too many requests with large bodies are under way here";
        Room { free: Arc::new(Semaphore::new(bytes / UNIT)), full }
    }

    /// Waits for room for at most so many bytes.
    ///
    /// # Errors
    /// The response that is given if there is none in time.
    pub(super) async fn take(&self, bytes: usize, time_max: Duration) -> Result<Taken, Problem> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let taken = Arc::clone(&self.free).acquire_many_owned(units);
        match tokio::time::timeout(time_max, taken).await {
            Ok(Ok(permit)) => Ok(Taken { permit }),
            Ok(Err(_)) | Err(_) => Err(Problem::new(Kind::Busy, self.full)),
        }
    }

    /// Reads a whole body, each piece when there is room for it; it may wait so long for room. It
    /// keeps the room as long as anybody keeps the body.
    ///
    /// # Errors
    /// The response that says why it can't be read.
    pub(super) async fn gather(&self, body: Body, time_max: Duration) -> Result<Bytes, Problem> {
        let mut body = Limited::new(body, BODY_BYTES_MAX);
        let mut bytes = Vec::new();
        let mut taken = self.take(0, time_max).await?;
        while !body.is_end_stream() {
            let piece = body.size_hint().upper().map_or(PIECE_BYTES, |left| PIECE_BYTES.min(left as usize));
            self.grow(&mut taken, bytes.len() + piece, time_max).await?;
            match body.frame().await {
                None => break,
                // Trailers say nothing here.
                Some(Ok(frame)) => bytes.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Some(Err(error)) if error.is::<LengthLimitError>() => {
                    return Err(Problem::new(Kind::TooLarge, format!("a body has at most {BODY_BYTES_MAX} bytes")));
                }
                Some(Err(error)) => {
                    return Err(Problem::new(Kind::BadRequest, format!("the body can't be read: {error}")));
                }
            }
        }
        // A piece may be larger than expected.
        self.grow(&mut taken, bytes.len(), time_max).await?;
        Ok(taken.hold(bytes))
    }

    /// Waits until what is taken is enough for so many bytes.
    async fn grow(&self, taken: &mut Taken, bytes: usize, time_max: Duration) -> Result<(), Problem> {
        let more = bytes.div_ceil(UNIT).saturating_sub(taken.permit.num_permits());
        if more > 0 {
            taken.permit.merge(self.take(more * UNIT, time_max).await?.permit);
        }
        Ok(())
    }
}

impl Taken {
    /// The answer or the body, which keeps the room that it needs until it is gone, and no more.
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
        let room = Room::for_answers(4 * UNIT);
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

    /// A body of so many bytes of which only a part ever comes.
    fn half(bytes: usize) -> Body {
        let part = futures_util::stream::once(async move { Ok::<_, std::io::Error>(Bytes::from(vec![1; bytes])) });
        Body::from_stream(futures_util::StreamExt::chain(part, futures_util::stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_that_do_not_arrive_leave_no_room_until_they_are_given_up() {
        let room = Room::for_bodies(4 * PIECE_BYTES);
        let limit = Duration::from_secs(5);
        assert_eq!(room.gather(Body::from("whole"), limit).await.unwrap(), "whole");
        assert_eq!(room.gather(Body::empty(), limit).await.unwrap(), "");
        // One piece has come of each, and there is room for another one.
        let slow: Vec<_> = (0..2)
            .map(|_| {
                tokio::spawn({
                    let room = room.clone();
                    async move { room.gather(half(PIECE_BYTES), limit).await.map(|body| body.len()) }
                })
            })
            .collect();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(room.free.available_permits(), 0);
        let refused = room.gather(Body::from("small"), limit).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Busy);
        for slow in slow {
            slow.abort();
        }
        // Whoever keeps a body keeps its room, and no more.
        let kept = room.gather(Body::from(vec![1; 3 * PIECE_BYTES]), limit).await.unwrap();
        assert_eq!(room.free.available_permits() * UNIT, PIECE_BYTES);
        let refused = room.gather(half(PIECE_BYTES), limit).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Busy);
        drop(kept);
        assert_eq!(room.free.available_permits() * UNIT, 4 * PIECE_BYTES);
        let long = room.gather(Body::from(vec![1; BODY_BYTES_MAX + 1]), limit).await.unwrap_err();
        assert_eq!(long.kind, Kind::TooLarge);
    }
}
