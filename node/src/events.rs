//! What this server observes, told as a recording to those who follow it.
//!
//! Nothing is recorded while nobody follows. Once somebody does, it goes on for a while after the
//! last one has gone, so that who lost the connection can go on where it was. The latest lines are
//! kept in memory; who asks for older ones, or is new, begins with the server's whole state.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use raft_core::check::linearizable::{Event, EventKind, OperationKind};
use raft_core::format::recording::{Epoch, Header, Recorded, Unit, Watcher};
use raft_core::raft::{Message, Observation, Raft, ServerId, ServerSet};
use raft_core::time::Time;
use tokio::sync::{oneshot, watch};

use crate::peers::Incoming;

/// The most bytes of lines that are kept.
const BYTES_MAX: usize = 16 << 20;

/// The most bytes that are handed out at once.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// The most bytes of a command or of a snapshot's piece in a line; of longer ones the line has the
/// length.
const CONTENT_BYTES_MAX: usize = 256;

/// How many seconds to go on recording after the last follower has gone.
const LINGER_SECONDS: u64 = 60;

/// The latest lines, and those who follow them.
pub struct Events {
    header: Mutex<Header>,
    kept: Mutex<Kept>,
    /// The number of the last line.
    last: watch::Sender<u64>,
    followers: AtomicUsize,
    /// Seconds, by the system's clock, until when to record although nobody follows.
    until: AtomicU64,
    /// New followers, who wait for the server's state.
    newcomers: Mutex<Vec<oneshot::Sender<(Bytes, u64)>>>,
    /// Clients' requests that have begun or ended, not yet among the lines.
    requests: Mutex<Vec<RequestEvent>>,
    next_client: AtomicU64,
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<Bytes>,
    bytes: usize,
    /// The number of the first line kept.
    first: u64,
}

/// A client's request begins or ends.
#[derive(Clone, Debug)]
pub struct RequestEvent {
    /// A number that no other request has.
    pub client: u64,
    /// What happens to it.
    pub kind: EventKind,
    /// What kind of operation it is.
    pub operation: OperationKind,
    /// The key.
    pub key: String,
    /// The value to write, or the value found.
    pub value: Option<String>,
    /// The value that a compare-and-set expects.
    pub expected: Option<String>,
    /// At an end: whether there was a value, or it was swapped.
    pub found: Option<bool>,
}

impl Events {
    /// Of a server in a cluster of this name and these members.
    pub fn new(cluster: &str, servers: ServerSet) -> Events {
        let header = Header {
            by: Some(concat!("raftarium-node ", env!("CARGO_PKG_VERSION")).to_owned()),
            cluster: Some(cluster.to_owned()),
            servers: Some(servers),
            unit: Some(Unit::Microsecond),
            epoch: Some(Epoch::Unix),
            ..Header::default()
        };
        Events {
            header: Mutex::new(header),
            kept: Mutex::new(Kept { first: 1, ..Kept::default() }),
            last: watch::Sender::new(0),
            followers: AtomicUsize::new(0),
            until: AtomicU64::new(0),
            newcomers: Mutex::default(),
            requests: Mutex::default(),
            next_client: AtomicU64::new(1),
        }
    }

    /// Whether to record.
    pub fn is_followed(&self) -> bool {
        self.followers.load(Ordering::Relaxed) > 0 || seconds() < self.until.load(Ordering::Relaxed)
    }

    /// A number for a request.
    pub fn new_client(&self) -> u64 {
        self.next_client.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes in that a request began or ended.
    pub fn request(&self, event: RequestEvent) {
        if self.is_followed() {
            lock(&self.requests).push(event);
        }
    }

    /// Follows the lines: those after the one with this number, or from now on.
    ///
    /// # Errors
    /// The sentence says that some of the lines aren't kept any more, or never were.
    pub fn follow(self: &Arc<Self>, after: Option<u64>) -> Result<Follower, String> {
        let last = self.last.subscribe();
        let mut beginning = BytesMut::from(lock(&self.header).line().as_bytes());
        beginning.extend_from_slice(b"\n");
        let mut state = None;
        let mut next = 0;
        match after {
            Some(after) => {
                let first = lock(&self.kept).first;
                let newest = *last.borrow();
                if after + 1 < first || after > newest {
                    return Err(format!(
                        "the lines after {after} aren't kept (there are {first} to {newest}): follow without `after`, \
                         and begin with the state"
                    ));
                }
                next = after + 1;
            }
            None => {
                let (tell, told) = oneshot::channel();
                lock(&self.newcomers).push(tell);
                state = Some(told);
            }
        }
        self.followers.fetch_add(1, Ordering::Relaxed);
        Ok(Follower { events: Arc::clone(self), last, beginning: Some(beginning.freeze()), state, next })
    }

    fn add(&self, sequence: u64, line: Bytes) {
        let mut kept = lock(&self.kept);
        kept.bytes += line.len();
        kept.lines.push_back(line);
        while kept.bytes > BYTES_MAX
            && let Some(oldest) = kept.lines.pop_front()
        {
            kept.bytes -= oldest.len();
            kept.first += 1;
        }
        drop(kept);
        self.last.send_replace(sequence);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// One who follows the lines.
pub struct Follower {
    events: Arc<Events>,
    last: watch::Receiver<u64>,
    beginning: Option<Bytes>,
    state: Option<oneshot::Receiver<(Bytes, u64)>>,
    /// The number of the next line to hand out.
    next: u64,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.events.until.store(seconds() + LINGER_SECONDS, Ordering::Relaxed);
        self.events.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Follower {
    /// The next lines, each with its line feed; after `heartbeat` without any, an empty line. None
    /// when the server stops, or when this follower was too slow, so that lines it should have are
    /// gone.
    pub async fn next(&mut self, heartbeat: Duration) -> Option<Bytes> {
        if let Some(beginning) = self.beginning.take() {
            return Some(beginning);
        }
        if let Some(state) = self.state.take() {
            let (line, sequence) = state.await.ok()?;
            self.next = sequence + 1;
            return Some(line);
        }
        loop {
            self.last.mark_unchanged();
            {
                let kept = lock(&self.events.kept);
                let place = usize::try_from(self.next.checked_sub(kept.first)?).ok()?;
                let mut piece = BytesMut::new();
                for line in kept.lines.iter().skip(place) {
                    if !piece.is_empty() && piece.len() + line.len() > PIECE_BYTES_MAX {
                        break;
                    }
                    piece.extend_from_slice(line);
                    self.next += 1;
                }
                if !piece.is_empty() {
                    return Some(piece.freeze());
                }
            }
            match tokio::time::timeout(heartbeat, self.last.changed()).await {
                Err(_) => return Some(Bytes::from_static(b"\n")),
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
            }
        }
    }
}

/// Makes the lines, in the driver's thread.
pub struct Recorder {
    events: Arc<Events>,
    watcher: Watcher,
    is_recording: bool,
    /// What the server's clock shows at the beginning of 1970, if it went back so far.
    zero: u64,
}

impl Recorder {
    /// For a server in this life, whose clock shows zero about now.
    pub fn new(events: Arc<Events>, server: ServerId, life: u64) -> Recorder {
        let zero = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
        Recorder { events, watcher: Watcher::new(server, life), is_recording: false, zero }
    }

    /// Whether to record the next step.
    pub fn listens(&mut self) -> bool {
        let is_recording = self.events.is_followed();
        if is_recording && !self.is_recording {
            self.watcher.forget();
        }
        self.is_recording = is_recording;
        is_recording
    }

    /// After a step.
    pub fn stepped(&mut self, now: Time, raft: &Raft, observations: &[Observation]) {
        let now = self.unix(now);
        for observation in observations {
            let line = self.watcher.observed(now, observation);
            self.add(&line);
        }
        if let Some(line) = self.watcher.stepped(now, raft) {
            self.add(&line);
        }
        self.tell_newcomers(now, raft);
        self.take_requests(now);
    }

    fn tell_newcomers(&self, now: Time, raft: &Raft) {
        let newcomers = std::mem::take(&mut *lock(&self.events.newcomers));
        if newcomers.is_empty() {
            return;
        }
        let state = bytes_of(&self.watcher.state(now, raft));
        for newcomer in newcomers {
            let _ = newcomer.send((state.clone(), self.watcher.sequence()));
        }
    }

    fn take_requests(&mut self, now: Time) {
        for event in std::mem::take(&mut *lock(&self.events.requests)) {
            let RequestEvent { client, kind, operation, key, value, expected, found } = &event;
            let event = Event {
                client: *client,
                kind: *kind,
                operation: *operation,
                key,
                value: value.as_deref(),
                expected: expected.as_deref(),
                found: *found,
                time: None,
            };
            let line = self.watcher.request(now, &event);
            self.add(&line);
        }
    }

    /// A message came in.
    pub fn received(&mut self, now: Time, incoming: &Incoming) {
        if self.is_recording {
            let Incoming { from, life, number, message, .. } = incoming;
            let line = self.watcher.received(self.unix(now), *from, Some(*life), *number, message);
            self.add(&line);
        }
    }

    /// A message went out under this number, or was dropped.
    pub fn sent(&mut self, now: Time, to: ServerId, message: &Message, number: Option<u64>) {
        // What was dropped here before it had a number was never a message to anybody.
        if self.is_recording
            && let Some(number) = number
        {
            let line = self.watcher.sent(self.unix(now), to, number, message);
            self.add(&line);
        }
    }

    fn unix(&self, now: Time) -> Time {
        Time::from_micros(self.zero.saturating_add(now.as_micros()))
    }

    fn add(&self, line: &Recorded) {
        self.events.add(self.watcher.sequence(), bytes_of(line));
    }
}

fn bytes_of(line: &Recorded) -> Bytes {
    let mut text = line.line(CONTENT_BYTES_MAX);
    text.push('\n');
    text.into()
}
