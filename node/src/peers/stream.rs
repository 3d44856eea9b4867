//! Reading frames from a stream, TCP alone or with TLS.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::timeout;

use super::ended::Ended;
use super::frame::{Frame, Opener};
use super::peer::KEPT_BYTES;

/// What a connection is made of.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Room is made for so many bytes at a time, in bytes, whatever length a frame claims.
const STEP_BYTES: usize = 16 * 1024;

/// Reads the next frame. If the future is dropped, nothing that came is lost: it is in `buffer`.
pub(super) async fn read_frame<R: AsyncRead + Unpin>(
    reader: &mut R,
    buffer: &mut BytesMut,
    opener: &mut Opener,
    silence_max: Duration,
) -> Result<Frame, Ended> {
    loop {
        if let Some(frame) = opener.open(buffer)? {
            return Ok(frame);
        }
        if buffer.is_empty() && buffer.capacity() > KEPT_BYTES {
            *buffer = BytesMut::new();
        }
        // The buffer doubles as bytes come.
        buffer.reserve(STEP_BYTES);
        match timeout(silence_max, reader.read_buf(buffer)).await {
            Err(_) => return Err(Ended::Silent),
            // TLS calls it an error when the other side closes without a word.
            Ok(Err(error)) if error.kind() != ErrorKind::UnexpectedEof => return Err(Ended::of_stream(error)),
            Ok(Ok(0) | Err(_)) => return Err(Ended::Closed { halfway: !buffer.is_empty() }),
            Ok(Ok(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;
    use crate::peers::frame::Sealer;

    const MAX: u32 = 8 * 1024 * 1024;
    const LONG: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_claimed_length_makes_no_room() {
        let (mut near, mut far) = duplex(1000);
        far.write_all(&MAX.to_be_bytes()).await.unwrap();
        far.write_all(&[1; 100]).await.unwrap();
        drop(far);
        let mut buffer = BytesMut::new();
        let ended = read_frame(&mut near, &mut buffer, &mut Opener::new(&[7; 32], MAX), LONG).await;
        assert!(matches!(ended, Err(Ended::Closed { halfway: true })));
        assert!(buffer.capacity() <= 2 * STEP_BYTES, "{} bytes for 104", buffer.capacity());
    }

    #[tokio::test]
    async fn a_long_frame_is_read_whole_and_its_room_given_back() {
        let (mut near, mut far) = duplex(100_000);
        let mut sealed = Vec::new();
        let mut sealer = Sealer::new(&[7; 32]);
        sealer.message(1, &vec![3; 5_000_000], &mut sealed);
        sealer.keep_alive(&mut sealed);
        let writes = tokio::spawn(async move { far.write_all(&sealed).await });
        let (mut buffer, mut opener) = (BytesMut::new(), Opener::new(&[7; 32], MAX));
        let frame = read_frame(&mut near, &mut buffer, &mut opener, LONG).await.unwrap();
        assert!(matches!(frame, Frame::Message { number: 1, message } if message.len() == 5_000_000));
        assert_eq!(read_frame(&mut near, &mut buffer, &mut opener, LONG).await.unwrap(), Frame::KeepAlive);
        writes.await.unwrap().unwrap();
        let ended = read_frame(&mut near, &mut buffer, &mut opener, LONG).await;
        assert!(matches!(ended, Err(Ended::Closed { halfway: false })));
        assert!(buffer.capacity() <= KEPT_BYTES);
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_comes_slowly_is_no_silence() {
        let (mut near, mut far) = duplex(1000);
        let mut sealed = Vec::new();
        Sealer::new(&[7; 32]).message(1, b"slow", &mut sealed);
        tokio::spawn(async move {
            for byte in sealed {
                tokio::time::sleep(LONG - Duration::from_millis(1)).await;
                far.write_all(&[byte]).await.unwrap();
            }
            std::future::pending::<()>().await;
        });
        let (mut buffer, mut opener) = (BytesMut::new(), Opener::new(&[7; 32], MAX));
        assert!(read_frame(&mut near, &mut buffer, &mut opener, LONG).await.is_ok());
        let begin = tokio::time::Instant::now();
        let ended = read_frame(&mut near, &mut buffer, &mut opener, LONG).await;
        assert!(matches!(ended, Err(Ended::Silent)));
        assert_eq!(begin.elapsed().as_secs(), LONG.as_secs());
    }
}
