//! What this server observes, told as a recording to those who follow it.
//!
//! Nothing is recorded while nobody follows. Once somebody does, it goes on for a while after the
//! last one has gone, so that who lost the connection can go on where it was. The latest lines are
//! kept in memory, once for all followers; nobody waits for a follower. Who is new begins with the
//! server's whole state; so does who was so slow that its next lines are gone, after a note of
//! which they were.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use raft_core::check::linearizable::{Event, EventKind, OperationKind};
use raft_core::format::recording::{Epoch, Header, Note, Recorded, Requested, Unit, Watcher, What};
use raft_core::raft::{Message, Observation, Raft, ServerId, ServerSet, Weight};
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

/// The most bytes of requests that wait until the driver takes its next step.
const REQUEST_BYTES_MAX: usize = 4 << 20;

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
    /// Followers who wait for the server's state.
    newcomers: Mutex<Vec<Newcomer>>,
    /// Clients' requests that have begun or ended, not yet among the lines.
    requests: Mutex<Waiting>,
    next_client: AtomicU64,
    /// Which life of the server it is.
    life: u64,
}

/// A follower who begins with the server's state.
struct Newcomer {
    /// The number of the line that it wanted next, if that isn't kept any more.
    wanted: Option<u64>,
    /// Gets the first lines for it, and the number of the last line that they take into account.
    tell: oneshot::Sender<(Bytes, u64)>,
}

#[derive(Default)]
struct Waiting {
    events: Vec<RequestEvent>,
    bytes: usize,
    /// How many requests aren't told of, since too much waited already.
    untold: u64,
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
    /// The revision that the key must have for a write to be done; `Some(None)` if it must have no
    /// value.
    pub revision_expected: Option<Option<u64>>,
    /// The key by which a repetition is recognized.
    pub request_key: Option<String>,
    /// At an end: it is a repetition, and was answered as the request before it.
    pub repeated: bool,
}

impl RequestEvent {
    /// The beginning of an operation on a key. It has no client's number yet.
    pub fn new(operation: OperationKind, key: &str) -> RequestEvent {
        RequestEvent {
            client: 0,
            kind: EventKind::Invoke,
            operation,
            key: key.to_owned(),
            value: None,
            expected: None,
            found: None,
            revision_expected: None,
            request_key: None,
            repeated: false,
        }
    }

    fn bytes(&self) -> usize {
        let texts = [&self.value, &self.expected, &self.request_key].into_iter().flatten();
        size_of::<RequestEvent>() + self.key.len() + texts.map(String::len).sum::<usize>()
    }

    fn requested(&self) -> Requested {
        let event = Event {
            client: self.client,
            kind: self.kind,
            operation: self.operation,
            key: &self.key,
            value: self.value.as_deref(),
            expected: self.expected.as_deref(),
            found: self.found,
            time: None,
        };
        Requested {
            revision_expected: self.revision_expected,
            request_key: self.request_key.clone(),
            repeated: self.repeated.then_some(true),
            ..Requested::of(&event)
        }
    }
}

impl Events {
    /// Of a server in this life, in a cluster of this name and these members.
    pub fn new(cluster: &str, servers: ServerSet, life: u64) -> Events {
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
            life,
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

    /// Takes in that a request began or ended. Returns whether it is told of: a beginning isn't
    /// while nobody follows, or when too much waits to be told.
    pub fn request(&self, event: RequestEvent) -> bool {
        if !self.is_followed() {
            return false;
        }
        let mut waiting = lock(&self.requests);
        // What has begun must end; there are only so many requests at a time.
        if event.kind == EventKind::Invoke && waiting.bytes + event.bytes() > REQUEST_BYTES_MAX {
            waiting.untold += 1;
            return false;
        }
        waiting.bytes += event.bytes();
        waiting.events.push(event);
        true
    }

    /// Follows the lines: those after the one with this number, or from now on. `life` is the life
    /// of the server that gave the line that number, if it is known.
    ///
    /// # Errors
    /// The sentence says that some of the lines aren't kept any more, or never were.
    pub fn follow(self: &Arc<Self>, after: Option<u64>, life: Option<u64>) -> Result<Follower, String> {
        let last = self.last.subscribe();
        let mut beginning = BytesMut::from(lock(&self.header).line().as_bytes());
        beginning.extend_from_slice(b"\n");
        let mut state = None;
        let mut next = 0;
        match after {
            Some(_) if life.is_some_and(|life| life != self.life) => {
                return Err(format!(
                    "the server has been started anew: this is its life {}; follow without `after` and `life`, and \
                     begin with the state",
                    self.life
                ));
            }
            Some(after) => {
                let first = lock(&self.kept).first;
                let newest = *last.borrow();
                if after.saturating_add(1) < first || after > newest {
                    return Err(format!(
                        "the lines after {after} aren't kept (there are {first} to {newest}): follow without `after`, \
                         and begin with the state"
                    ));
                }
                next = after + 1;
            }
            None => state = Some(self.introduce(None)),
        }
        self.followers.fetch_add(1, Ordering::Relaxed);
        Ok(Follower { events: Arc::clone(self), last, beginning: Some(beginning.freeze()), state, next })
    }

    /// Has the driver make a state for a follower.
    fn introduce(&self, wanted: Option<u64>) -> oneshot::Receiver<(Bytes, u64)> {
        let (tell, told) = oneshot::channel();
        lock(&self.newcomers).push(Newcomer { wanted, tell });
        told
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
    /// when the server stops. If the next lines aren't kept any more, because this follower was too
    /// slow, it gets a note that says which they were, and the server's state.
    pub async fn next(&mut self, heartbeat: Duration) -> Option<Bytes> {
        if let Some(beginning) = self.beginning.take() {
            return Some(beginning);
        }
        loop {
            if let Some(state) = self.state.take() {
                let (lines, sequence) = state.await.ok()?;
                self.next = sequence + 1;
                return Some(lines);
            }
            self.last.mark_unchanged();
            match self.kept() {
                None => {
                    self.state = Some(self.events.introduce(Some(self.next)));
                    continue;
                }
                Some(piece) if !piece.is_empty() => return Some(piece),
                Some(_) => {}
            }
            match tokio::time::timeout(heartbeat, self.last.changed()).await {
                Err(_) => return Some(Bytes::from_static(b"\n")),
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
            }
        }
    }
}

impl Follower {
    /// The next lines of those that are kept, some of them; none if there is no news. `None` if the
    /// next one is gone.
    fn kept(&mut self) -> Option<Bytes> {
        let kept = lock(&self.events.kept);
        let place = usize::try_from(self.next.checked_sub(kept.first)?).ok()?;
        let mut piece = BytesMut::new();
        for line in kept.lines.range(place.min(kept.lines.len())..) {
            if !piece.is_empty() && piece.len() + line.len() > PIECE_BYTES_MAX {
                break;
            }
            piece.extend_from_slice(line);
            self.next += 1;
        }
        Some(piece.freeze())
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
        let (state, sequence) = (bytes_of(&self.watcher.state(now, raft)), self.watcher.sequence());
        for Newcomer { wanted, tell } in newcomers {
            let mut lines = BytesMut::new();
            if let Some(wanted) = wanted {
                lines.extend_from_slice(&bytes_of(&self.missing(now, wanted, sequence)));
            }
            lines.extend_from_slice(&state);
            let _ = tell.send((lines.freeze(), sequence));
        }
    }

    /// Says to a follower who was too slow what it has missed. The line has no number: other
    /// followers don't get it.
    fn missing(&self, now: Time, first: u64, last: u64) -> Recorded {
        let text = format!("The lines {first} to {last} are missing here: they came faster than they were read.");
        let note = note("lines-missing", text);
        let (server, life) = (Some(self.watcher.server()), Some(self.watcher.life()));
        Recorded { time: now, server, life, sequence: None, what: What::Note(Box::new(note)) }
    }

    fn take_requests(&mut self, now: Time) {
        let Waiting { events, untold, .. } = std::mem::take(&mut *lock(&self.events.requests));
        for event in events {
            let line = self.watcher.request(now, event.requested());
            self.add(&line);
        }
        if untold > 0 {
            let text = format!("{untold} requests that began here aren't told of: too many came at once.");
            let line = self.watcher.noticed(now, note("requests-untold", text));
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

fn note(kind: &str, text: String) -> Note {
    Note { kind: kind.to_owned(), weight: Some(Weight::Notable), text, section: None }
}

fn bytes_of(line: &Recorded) -> Bytes {
    let mut text = line.line(CONTENT_BYTES_MAX);
    text.push('\n');
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_core::format::recording::{Known, Reader};
    use raft_core::raft::{Config, Configuration, Input, Output, Start};

    /// A server that is watched, without a disk or peers.
    struct Watched {
        events: Arc<Events>,
        recorder: Recorder,
        raft: Raft,
    }

    impl Watched {
        fn new() -> Watched {
            let servers = ServerSet::first(1);
            let config = Config::new(ServerId::FIRST, 7);
            let raft = Raft::new(config, Start::Bootstrap(Configuration::of_voters(servers)), Time::ZERO).unwrap();
            let events = Arc::new(Events::new("test", servers, 5));
            let recorder = Recorder::new(Arc::clone(&events), ServerId::FIRST, 5);
            Watched { events, recorder, raft }
        }

        fn step(&mut self) {
            let (now, mut out) = (self.raft.deadline(), Output::default());
            out.listen = self.recorder.listens();
            self.raft.step(now, Input::TimerDue, &mut out);
            if out.listen {
                self.recorder.stepped(now, &self.raft, &out.observations);
            }
        }

        /// As many lines as a request takes to tell of `count` requests, one a step.
        fn tell_requests(&mut self, count: usize, value: &str) {
            for _ in 0..count {
                let event = RequestEvent::new(OperationKind::Put, "x");
                let client = self.events.new_client();
                assert!(self.events.request(RequestEvent { client, value: Some(value.to_owned()), ..event }));
                self.step();
            }
        }

        fn follow(&self, after: Option<u64>) -> Follower {
            self.events.follow(after, None).unwrap()
        }
    }

    /// What a follower is told until there is no news.
    async fn read(follower: &mut Follower, reader: &mut Reader, known: &mut Known) -> Vec<Recorded> {
        let mut all = Vec::new();
        loop {
            let piece = follower.next(Duration::from_millis(1)).await.expect("the server runs");
            if &piece[..] == b"\n" {
                return all;
            }
            for line in std::str::from_utf8(&piece).unwrap().lines() {
                if let Some(recorded) = reader.read_line(line).unwrap() {
                    known.take(&recorded);
                    all.push(recorded);
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_follower_is_told_what_it_has_missed_and_goes_on() {
        let mut watched = Watched::new();
        let (mut reader, mut known) = (Reader::new(), Known::new());
        let mut slow = watched.follow(None);
        assert!(slow.next(Duration::ZERO).await.unwrap().starts_with(b"{\"raftarium-recording\":1"));
        reader.read_line(&lock(&watched.events.header).line()).unwrap();
        watched.step();
        let first = read(&mut slow, &mut reader, &mut known).await;
        let read_up_to = first.last().unwrap().sequence.unwrap();
        assert_eq!(read_up_to, *watched.events.last.borrow());
        // It reads nothing while three times as much comes as is kept. Nobody waits for it.
        let value = "v".repeat(60_000);
        watched.tell_requests(3 * BYTES_MAX / value.len(), &value);
        let (oldest, bytes, lines) = {
            let kept = lock(&watched.events.kept);
            (kept.first, kept.bytes, kept.lines.iter().map(Bytes::len).sum::<usize>())
        };
        assert!(bytes <= BYTES_MAX && lines == bytes, "{bytes} {lines}");
        assert!(oldest > read_up_to + 1, "some are gone");
        // It asks, and the next step answers.
        let mut next = Box::pin(read(&mut slow, &mut reader, &mut known));
        assert!(tokio::time::timeout(Duration::ZERO, &mut next).await.is_err(), "it waits for the server's state");
        watched.step();
        let told = next.await;
        let newest = told[1].sequence.unwrap();
        let What::Note(note) = &told[0].what else { panic!("{:?}", told[0]) };
        assert_eq!((note.kind.as_str(), told[0].sequence, told[0].life), ("lines-missing", None, Some(5)));
        assert!(note.text.contains(&format!("lines {} to {newest} are", read_up_to + 1)), "{}", note.text);
        assert!(matches!(told[1].what, What::State(_)));
        assert!(known.server(ServerId::FIRST).unwrap().state.role.is_some(), "its state is known again");
        // From there on it misses nothing, though it doesn't read each line at once.
        watched.tell_requests(10, "1");
        let more = read(&mut slow, &mut reader, &mut known).await;
        let numbers: Vec<u64> = more.iter().filter_map(|recorded| recorded.sequence).collect();
        assert_eq!(numbers, (newest + 1..=*watched.events.last.borrow()).collect::<Vec<_>>());
        assert!(more.iter().filter(|recorded| matches!(recorded.what, What::Requested(_))).count() == 10);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_back_goes_on_or_hears_why_not() {
        let mut watched = Watched::new();
        let (mut reader, mut known) = (Reader::new(), Known::new());
        let mut follower = watched.follow(None);
        watched.step();
        read(&mut follower, &mut reader, &mut known).await;
        drop(follower);
        let left_at = *watched.events.last.borrow();
        watched.tell_requests(3, "1");
        let told = read(&mut watched.follow(Some(left_at)), &mut reader, &mut known).await;
        assert_eq!(told.iter().map(|recorded| recorded.sequence.unwrap()).min(), Some(left_at + 1));
        assert_eq!(told.iter().filter(|recorded| matches!(recorded.what, What::Requested(_))).count(), 3);
        let newest = *watched.events.last.borrow();
        assert!(watched.events.follow(Some(newest), Some(5)).is_ok());
        let refused = |after, life| watched.events.follow(Some(after), life).err().expect("it is refused");
        assert!(refused(newest, Some(4)).contains("started anew: this is its life 5"));
        assert!(refused(newest + 1, None).contains(&format!("(there are 1 to {newest})")));
        assert!(refused(u64::MAX, None).contains("aren't kept"));
        let line = Bytes::from(vec![b'x'; BYTES_MAX / 2 + 1]);
        watched.events.add(newest + 1, line.clone());
        watched.events.add(newest + 2, line);
        assert!(watched.events.follow(Some(newest + 1), None).is_ok(), "only the last line is kept");
        let why = watched.events.follow(Some(newest), None).err().expect("the next line is gone");
        assert!(why.contains(&format!("(there are {0} to {0})", newest + 2)), "{why}");
    }

    /// While the driver takes no step, requests may come and be refused at once, without end.
    #[tokio::test(start_paused = true)]
    async fn requests_that_wait_to_be_told_of_take_only_so_much_room() {
        let mut watched = Watched::new();
        let event =
            |kind| RequestEvent { kind, value: Some("v".repeat(60_000)), ..RequestEvent::new(OperationKind::Put, "x") };
        assert!(!watched.events.request(event(EventKind::Invoke)), "nobody follows");
        let (mut reader, mut known) = (Reader::new(), Known::new());
        let mut follower = watched.follow(None);
        let count = 2 * REQUEST_BYTES_MAX / 60_000;
        let begun = (0..count).filter(|_| watched.events.request(event(EventKind::Invoke))).count();
        assert!(begun > 0 && begun < count, "{begun} of {count}");
        assert!(lock(&watched.events.requests).bytes <= REQUEST_BYTES_MAX);
        assert!(watched.events.request(event(EventKind::Fail)), "what has begun ends");
        watched.step();
        let told = read(&mut follower, &mut reader, &mut known).await;
        // Nobody was told of them before the server's state, which counts them already.
        assert!(matches!(told[0].what, What::State(_)));
        drop(follower);
        let all = read(&mut watched.follow(Some(0)), &mut reader, &mut known).await;
        let requests = all.iter().filter(|recorded| matches!(recorded.what, What::Requested(_))).count();
        assert_eq!(requests, begun + 1);
        let untold = all.iter().find_map(|recorded| match &recorded.what {
            What::Note(note) if note.kind == "requests-untold" => Some(note.text.clone()),
            _ => None,
        });
        assert!(untold.unwrap().starts_with(&format!("{} requests", count - begun)));
        assert!(watched.events.request(event(EventKind::Invoke)), "there is room again");
    }
}
