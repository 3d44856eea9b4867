//! Any bytes as a hello and as frames between servers; and honest frames, altered on the way.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use raftarium_node::peers::frame::{Frame, FrameError, Opener, Sealer};
use raftarium_node::peers::handshake::{Hello, MAGIC, VERSION};

const KEY: [u8; 32] = [7; 32];
const FRAME_BYTES_MAX: u32 = 4096;

fuzz_target!(|bytes: &[u8]| {
    if let Some(said) = bytes.first_chunk::<{ Hello::BYTES }>() {
        hello(*said);
        // Most bytes fail at the first word. Here they don't.
        let mut ours = *said;
        ours[..8].copy_from_slice(&MAGIC);
        ours[8..10].copy_from_slice(&VERSION.to_be_bytes());
        hello(ours);
    }
    if let Some((step, rest)) = bytes.split_first() {
        let (frames, error) = open(rest, usize::from(*step) + 1);
        assert!(frames.is_empty(), "nobody guesses a code");
        assert!(error.is_none_or(|error| !error.to_string().is_empty()));
        altered(rest, usize::from(*step) + 1);
    }
});

fn hello(said: [u8; Hello::BYTES]) {
    match Hello::decode(&said) {
        Ok(read) => assert_eq!(read.encode(), said, "a hello has one form"),
        Err(ended) => assert!(!ended.to_string().is_empty()),
    }
}

/// Opens what comes, `step` bytes at a time.
fn open(bytes: &[u8], step: usize) -> (Vec<Frame>, Option<FrameError>) {
    let (mut opener, mut buffer, mut frames) = (Opener::new(&KEY, FRAME_BYTES_MAX), BytesMut::new(), Vec::new());
    for part in bytes.chunks(step) {
        buffer.extend_from_slice(part);
        loop {
            match opener.open(&mut buffer) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
        assert!(buffer.len() <= 4 + FRAME_BYTES_MAX as usize + step, "no more waits than a frame and a part");
    }
    (frames, None)
}

/// Seals frames, alters them as `recipe` says, and opens them: what comes out is the first of what
/// went in, and nothing else.
fn altered(recipe: &[u8], step: usize) {
    let (mut sealer, mut sealed, mut ends, mut sent) = (Sealer::new(&KEY), Vec::new(), Vec::new(), Vec::new());
    for (number, content) in (0..).zip(recipe.chunks(17).take(8)) {
        match content[0] % 4 {
            0 => sealer.keep_alive(&mut sealed),
            _ => sealer.message(number, content, &mut sealed),
        }
        sent.push(if content[0] % 4 == 0 {
            Frame::KeepAlive
        } else {
            Frame::Message { number, message: content.to_vec().into() }
        });
        ends.push(sealed.len());
    }
    assert_eq!(open(&sealed, step), (sent.clone(), None), "honest frames are opened");

    let honest = sealed.clone();
    for change in recipe.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]]));
        if let Some(byte) = sealed.get_mut(at) {
            *byte ^= change[2];
        }
    }
    let differs = sealed.iter().zip(&honest).position(|(altered, honest)| altered != honest);
    let first_altered = differs.unwrap_or(sealed.len());
    let whole = ends.iter().filter(|end| **end <= first_altered).count();
    let (opened, _) = open(&sealed, step);
    assert_eq!(opened, sent[..whole], "nothing that was altered gets through");
}
