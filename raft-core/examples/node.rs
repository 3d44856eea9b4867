//! How to drive [`Raft`] in a real node: what to do with each field of [`Output`], and in which
//! order, with a file for a disk, a thread for each node and the real clock. Three nodes elect a
//! leader, store some hundred pairs, lose the leader, go on without it, and take it back from what
//! is in its file. The network is channels here; sockets would take their place.
//!
//! `cargo run -p raftarium-core --example node`
//!
//! # The loop
//! A node waits for whatever comes first: a message, a client's request, a write that has become
//! durable, or the deadline that Raft has named. It reads its clock, hands that one thing to
//! [`Raft::step`], and does what the output says. The disk, the network and the store could be
//! others; [`Node::run`] and [`Node::act`] could not.

#![allow(clippy::disallowed_types, clippy::disallowed_methods)] // A real node has a real clock, and waits in real time.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use raft_core::raft::{
    Config, Configuration, DiskId, Durable, Entries, Entry, EntryId, HardState, Input, LogIndex, LogWrite, Message,
    Output, Payload, Proposal, Raft, ReadMode, Receipt, RequestId, ServerId, ServerSet, Snapshot, SnapshotMeta,
    Standing, Start, Term, Write,
};
use raft_core::time::Time;

type Failure = Box<dyn Error + Send + Sync>;

// -------------------------------------------------------------------- what arrives at a node

/// Whatever wakes a node up.
enum Event {
    /// From another node.
    Message { from: ServerId, message: Message },
    /// From the node's own disk: everything up to this write is there for good.
    Durable(Receipt),
    /// From a client, with where to answer.
    Put { key: String, value: String, answer: Sender<Answer> },
    /// From a client, with where to answer.
    Get { key: String, answer: Sender<Answer> },
    /// The power fails.
    Stop,
}

/// What a client hears.
#[derive(Debug)]
enum Answer {
    /// The command is committed and applied.
    Stored,
    /// The value, as it was at some moment after the question.
    Found(Option<String>),
    /// It was not done, as far as this node knows. Why.
    NotDone(String),
}

/// Where everybody is to be found. What is sent to somebody who isn't there is lost, as on any
/// network.
#[derive(Clone, Default)]
struct Network(Arc<Mutex<BTreeMap<ServerId, Sender<Event>>>>);

impl Network {
    /// Gives `id` a new address; what arrives there.
    fn join(&self, id: ServerId) -> Receiver<Event> {
        let (address, events) = mpsc::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, address);
        events
    }

    fn send(&self, to: ServerId, event: Event) {
        if let Some(address) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&to) {
            let _ = address.send(event);
        }
    }
}

// -------------------------------------------------------------------- the node

struct Node {
    raft: Raft,
    /// Where this node's clock began. `Instant` never goes back, and Raft could live with a clock
    /// that does.
    began: Instant,
    disk: Sender<Write>,
    network: Network,
    /// The state machine, and the last entry applied to it.
    store: BTreeMap<String, String>,
    applied: LogIndex,
    next_request: RequestId,
    /// Commands handed to Raft and not yet in the log, with who waits for them.
    proposing: BTreeMap<RequestId, Sender<Answer>>,
    /// Commands in the log and not yet committed: their terms tell whether what is applied there is
    /// still the same entry.
    waiting: BTreeMap<LogIndex, (Term, Sender<Answer>)>,
    /// Reads under way.
    reading: BTreeMap<RequestId, (String, Sender<Answer>)>,
}

impl Node {
    /// The reading of this node's clock that Raft is given.
    fn now(&self) -> Time {
        Time::from_micros(self.began.elapsed().as_micros() as u64)
    }

    /// Runs until it is told to stop.
    fn run(mut self, events: &Receiver<Event>) -> Result<(), Failure> {
        // One output, used again and again: nothing is allocated in the steady state.
        let mut out = Output::default();
        loop {
            let wait = Duration::from_micros(self.raft.deadline().since(self.now()).as_micros());
            let input = match events.recv_timeout(wait) {
                Ok(Event::Message { from, message }) => Input::Message { from, message },
                Ok(Event::Durable(receipt)) => Input::Durable(receipt),
                Ok(Event::Put { key, value, answer }) => {
                    let id = self.new_request();
                    self.proposing.insert(id, answer);
                    Input::Propose(Proposal { id, command: format!("{key}={value}").into_bytes().into() })
                }
                Ok(Event::Get { key, answer }) => {
                    let id = self.new_request();
                    self.reading.insert(id, (key, answer));
                    Input::Read { id, mode: ReadMode::Confirmed }
                }
                Err(RecvTimeoutError::Timeout) => Input::TimerDue,
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let mut next = Some(input);
            while let Some(input) = next.take() {
                self.raft.step(self.now(), input, &mut out);
                next = self.act(&mut out)?;
            }
        }
    }

    fn new_request(&mut self) -> RequestId {
        self.next_request += 1;
        self.next_request
    }

    /// Does what a step has decided, in the order in which the fields are declared. What to tell
    /// Raft next, if anything.
    fn act(&mut self, out: &mut Output) -> Result<Option<Input>, Failure> {
        // 1. Writes go to the disk, in order. Nobody waits for them here: the disk reports them
        //    when they are durable.
        for write in out.writes.drain(..) {
            self.disk.send(write)?;
        }
        // 2. Messages leave at once. Raft itself holds back what promises something that isn't
        //    durable yet, so that nothing depends on how fast the disk is.
        for envelope in out.messages.drain(..) {
            self.network.send(envelope.to, Event::Message { from: self.raft.id(), message: envelope.message });
        }
        // 3. A snapshot from the leader replaces the state machine, before anything is applied to
        //    it.
        if let Some(snapshot) = out.restore.take() {
            self.store = read_store(snapshot.data());
            self.applied = snapshot.meta.last.index;
            // The entries it covers are not applied one by one: what became of those waited for,
            // nobody here will know.
            let later = self.waiting.split_off(&self.applied.next());
            for (_, client) in std::mem::replace(&mut self.waiting, later).into_values() {
                tell(&client, Answer::NotDone("it may have been done".into()));
            }
        }
        // 4. Committed entries are applied, in order.
        for (index, entry) in out.committed_entries() {
            self.applied = index;
            if let Payload::Command(bytes) = &entry.payload
                && let Some((key, value)) = String::from_utf8_lossy(bytes).split_once('=')
            {
                self.store.insert(key.to_owned(), value.to_owned());
            }
            if let Some((term, client)) = self.waiting.remove(&index) {
                let ours = term == entry.term;
                tell(&client, if ours { Answer::Stored } else { Answer::NotDone("it was overwritten".into()) });
            }
        }
        // 5. These reads may be answered, now that what was committed is applied.
        for id in out.reads.drain(..) {
            if let Some((key, client)) = self.reading.remove(&id) {
                tell(&client, Answer::Found(self.store.get(&key).cloned()));
            }
        }
        // 6. These commands are in the log and wait there to be committed.
        for (id, entry) in out.accepted.drain(..) {
            if let Some(client) = self.proposing.remove(&id) {
                self.waiting.insert(entry.index, (entry.term, client));
            }
        }
        // 7. `out.transferred`: nobody asks this node to hand its leadership over.
        // 8. These requests were refused; the reason often says whom to ask instead.
        for refused in out.refused.drain(..) {
            let reader = self.reading.remove(&refused.id).map(|(_, client)| client);
            if let Some(client) = self.proposing.remove(&refused.id).or(reader) {
                tell(&client, Answer::NotDone(format!("{:?}", refused.reason)));
            }
        }
        // 9. `out.snapshot_refused`: the snapshot just handed in was not taken. It is asked for
        //    again when there is more to put into it.
        // 10. The log has outgrown its bound: here is a snapshot of the state machine as it is now.
        let snapshot = || Input::SnapshotTaken { index: self.applied, data: write_store(&self.store).into() };
        let next = out.snapshot_wanted.then(snapshot);
        // 11. `out.observations` is empty, for nobody has set `out.listen`.
        Ok(next)
    }
}

/// A client that has gone away meanwhile is no concern of the node's.
fn tell(client: &Sender<Answer>, answer: Answer) {
    let _ = client.send(answer);
}

fn write_store(store: &BTreeMap<String, String>) -> Vec<u8> {
    store.iter().map(|(key, value)| format!("{key}={value}\n")).collect::<String>().into_bytes()
}

fn read_store(data: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(data);
    text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// Starts a node from what its file holds; the thread that runs it.
fn start(id: ServerId, directory: &Path, network: &Network) -> Result<JoinHandle<Result<(), Failure>>, Failure> {
    let events = network.join(id);
    let disk = Disk::open(directory.join(format!("{id}.raft")))?;
    // A snapshot every hundred entries is too many for a real node, but shows some.
    let config = Config { snapshot_after_entries: 100, entries_kept: 20, ..Config::new(id, 1) };
    // The file of a first start is empty, and so is a file that was lost. Where that can happen,
    // note elsewhere that there was a first start, and come back from a lost file with
    // `Start::Join` and a new random number for the disk: what this name voted for is forgotten,
    // and it votes again once it has been taken out of the membership and added anew.
    let voters = Configuration::of_voters(ServerSet::first(3));
    let raft = Raft::new(config, Start::Restart(disk.image.clone(), voters), Time::ZERO)?;
    // The state machine begins with the snapshot. What follows it is applied again, once it is
    // known to be committed.
    let (store, applied) = match raft.snapshot() {
        Some(snapshot) => (read_store(snapshot.data()), snapshot.meta.last.index),
        None => (BTreeMap::new(), LogIndex::ZERO),
    };
    let (writes, pending) = mpsc::channel();
    let node = Node {
        raft,
        began: Instant::now(),
        disk: writes,
        network: network.clone(),
        store,
        applied,
        next_request: 0,
        proposing: BTreeMap::new(),
        waiting: BTreeMap::new(),
        reading: BTreeMap::new(),
    };
    let network = network.clone();
    Ok(thread::spawn(move || {
        let disk = thread::spawn(move || disk.serve(&pending, |receipt| network.send(id, Event::Durable(receipt))));
        node.run(&events)?;
        // The node is gone, and with it the channel to the disk: that ends as well.
        disk.join().map_err(|_| "the disk's thread panicked")?
    }))
}

// -------------------------------------------------------------------- the disk

/// A file of records, each a [`Write`] with its length and a checksum. With a snapshot a new file
/// begins, which takes the old one's place.
struct Disk {
    path: PathBuf,
    file: File,
    /// What a restart would find.
    image: Durable,
}

impl Disk {
    /// Reads what is there. A record cut short at the end was never reported durable, and is
    /// dropped.
    fn open(path: PathBuf) -> Result<Disk, Failure> {
        let mut image = Durable::default();
        let mut bytes = Vec::new();
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        file.read_to_end(&mut bytes)?;
        sync_name(&path)?;
        let mut reader = Reader { bytes: &bytes };
        while let Some(body) = reader.record() {
            let write = Reader { bytes: body }.write().ok_or("a record with a good checksum makes no sense")?;
            take(&mut image, &write);
        }
        // A bad record in the *middle* is another matter, for what follows it was promised to
        // others. There `hard_state.lost` must say how the log once ended, so that the server
        // neither votes nor leads as if those entries had never been.
        file.set_len((bytes.len() - reader.bytes.len()) as u64)?;
        Ok(Disk { path, file, image })
    }

    /// Takes writes until nobody sends any. One fsync serves all that wait for it.
    fn serve(mut self, writes: &Receiver<Write>, durable: impl Fn(Receipt)) -> Result<(), Failure> {
        while let Ok(first) = writes.recv() {
            let mut receipt = first.receipt;
            self.append(&first)?;
            for write in writes.try_iter() {
                receipt = write.receipt;
                self.append(&write)?;
            }
            self.file.sync_data()?;
            // A receipt stands for its own write and for every one before it.
            durable(receipt);
        }
        Ok(())
    }

    fn append(&mut self, write: &Write) -> io::Result<()> {
        take(&mut self.image, write);
        if write.snapshot.is_none() {
            return self.file.write_all(&record(write));
        }
        // All there is now, in a file of its own, which counts from the moment it has the old one's
        // name.
        let Durable { hard_state, snapshot, entries } = self.image.clone();
        let after = base(&self.image);
        let log = Some(LogWrite { after, entries: Entries::from(entries) });
        let all = Write { hard_state: Some(hard_state), snapshot, log, receipt: write.receipt };
        let new = self.path.with_extension("new");
        self.file = File::create(&new)?;
        self.file.write_all(&record(&all))?;
        self.file.sync_data()?;
        fs::rename(&new, &self.path)?;
        sync_name(&self.path)
    }
}

/// Makes durable that there is a file of this name: without it a power failure may take a new file
/// away, whatever was synced into it.
fn sync_name(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

/// Index of the last entry that the snapshot covers.
fn base(image: &Durable) -> LogIndex {
    image.snapshot.as_ref().map_or(LogIndex::ZERO, |snapshot| snapshot.meta.last.index)
}

/// What a write makes of what was there: hard state, then snapshot, then log.
fn take(image: &mut Durable, write: &Write) {
    if let Some(hard_state) = write.hard_state {
        image.hard_state = hard_state;
    }
    if let Some(snapshot) = &write.snapshot {
        // What follows the snapshot stays only where the log has the snapshot's last entry.
        let covered = snapshot.meta.last.index.distance_from(base(image)) as usize;
        let last = covered.checked_sub(1).and_then(|place| image.entries.get(place));
        let stays = last.is_some_and(|entry| entry.term == snapshot.meta.last.term);
        image.entries.drain(..if stays { covered } else { image.entries.len() });
        image.snapshot = Some(Arc::clone(snapshot));
    }
    if let Some(log) = &write.log {
        // To cut and to append is one step: a record is there whole or not at all.
        image.entries.truncate(log.after.distance_from(base(image)) as usize);
        image.entries.extend_from_slice(log.entries.as_slice());
    }
}

// -------------------------------------------------------------------- records

/// Length, checksum, body.
fn record(write: &Write) -> Vec<u8> {
    let mut body = Vec::new();
    put_number(&mut body, u64::from(write.hard_state.is_some()));
    if let Some(hard_state) = &write.hard_state {
        put_number(&mut body, hard_state.term.0);
        put_number(&mut body, hard_state.voted_for.map_or(0, |server| u64::from(server.number())));
        put_number(&mut body, hard_state.standing as u64);
        put_id(&mut body, hard_state.lost);
        put_number(&mut body, hard_state.disk.0);
        put_number(&mut body, u64::from(hard_state.asking_life));
        put_number(&mut body, hard_state.decided_at.0);
    }
    put_number(&mut body, u64::from(write.snapshot.is_some()));
    if let Some(snapshot) = &write.snapshot {
        put_id(&mut body, snapshot.meta.last);
        put_configuration(&mut body, &snapshot.meta.configuration);
        put_number(&mut body, snapshot.meta.configuration_index.0);
        put_bytes(&mut body, snapshot.data());
    }
    put_number(&mut body, u64::from(write.log.is_some()));
    if let Some(log) = &write.log {
        put_number(&mut body, log.after.0);
        put_number(&mut body, log.entries.len() as u64);
        for entry in log.entries.as_slice() {
            put_number(&mut body, entry.term.0);
            match &entry.payload {
                Payload::NoOp => put_number(&mut body, 0),
                Payload::Command(bytes) => {
                    put_number(&mut body, 1);
                    put_bytes(&mut body, bytes);
                }
                Payload::Membership(configuration) => {
                    put_number(&mut body, 2);
                    put_configuration(&mut body, configuration);
                }
                Payload::Admission { server, disk } => {
                    put_number(&mut body, 3);
                    put_number(&mut body, u64::from(server.number()));
                    put_number(&mut body, disk.0);
                }
            }
        }
    }
    let mut record = Vec::with_capacity(body.len() + 16);
    put_number(&mut record, body.len() as u64);
    put_number(&mut record, checksum(&body));
    record.extend_from_slice(&body);
    record
}

fn put_number(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn put_bytes(bytes: &mut Vec<u8>, data: &[u8]) {
    put_number(bytes, data.len() as u64);
    bytes.extend_from_slice(data);
}

fn put_id(bytes: &mut Vec<u8>, id: EntryId) {
    put_number(bytes, id.index.0);
    put_number(bytes, id.term.0);
}

fn put_configuration(bytes: &mut Vec<u8>, configuration: &Configuration) {
    for set in [configuration.voters, configuration.outgoing, configuration.learners] {
        put_bytes(bytes, &set.iter().map(ServerId::number).collect::<Vec<u8>>());
    }
}

/// FNV-1a: against accidents, not against malice.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Reads what [`record`] wrote; `None` where it isn't there whole.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next record's body, if all of it is there.
    fn record(&mut self) -> Option<&'a [u8]> {
        let mut ahead = Reader { bytes: self.bytes };
        let (length, sum) = (ahead.number()?, ahead.number()?);
        let body = ahead.bytes.get(..usize::try_from(length).ok()?).filter(|body| checksum(body) == sum)?;
        self.bytes = &ahead.bytes[body.len()..];
        Some(body)
    }

    fn write(&mut self) -> Option<Write> {
        let hard_state = if self.number()? == 1 { Some(self.hard_state()?) } else { None };
        let snapshot = if self.number()? == 1 { Some(Arc::new(self.snapshot()?)) } else { None };
        let log = if self.number()? == 1 { Some(self.log()?) } else { None };
        Some(Write { hard_state, snapshot, log, receipt: Receipt { sequence: 0, last: EntryId::ZERO } })
    }

    fn hard_state(&mut self) -> Option<HardState> {
        let term = Term(self.number()?);
        let voted_for = ServerId::new(u8::try_from(self.number()?).ok()?);
        let number = self.number()?;
        let standings = [Standing::Member, Standing::Joining, Standing::Barred];
        let standing = standings.into_iter().find(|standing| *standing as u64 == number)?;
        let (lost, disk) = (self.id()?, DiskId(self.number()?));
        let asking_life = u32::try_from(self.number()?).ok()?;
        let decided_at = LogIndex(self.number()?);
        Some(HardState { term, voted_for, standing, decided_at, lost, disk, asking_life })
    }

    fn snapshot(&mut self) -> Option<Snapshot> {
        let (last, configuration) = (self.id()?, self.configuration()?);
        let configuration_index = LogIndex(self.number()?);
        Some(Snapshot::new(SnapshotMeta { last, configuration, configuration_index }, self.data()?.into()))
    }

    fn log(&mut self) -> Option<LogWrite> {
        let (after, count) = (LogIndex(self.number()?), self.number()?);
        let entries = (0..count).map(|_| self.entry()).collect::<Option<Vec<Entry>>>()?;
        Some(LogWrite { after, entries: entries.into() })
    }

    fn entry(&mut self) -> Option<Entry> {
        let term = Term(self.number()?);
        let payload = match self.number()? {
            0 => Payload::NoOp,
            1 => Payload::Command(self.data()?.into()),
            2 => Payload::Membership(Arc::new(self.configuration()?)),
            3 => {
                let server = ServerId::new(u8::try_from(self.number()?).ok()?)?;
                Payload::Admission { server, disk: DiskId(self.number()?) }
            }
            _ => return None,
        };
        Some(Entry { term, payload })
    }

    fn configuration(&mut self) -> Option<Configuration> {
        Some(Configuration { voters: self.set()?, outgoing: self.set()?, learners: self.set()? })
    }

    fn set(&mut self) -> Option<ServerSet> {
        self.data()?.iter().map(|number| ServerId::new(*number)).collect()
    }

    fn id(&mut self) -> Option<EntryId> {
        Some(EntryId::new(LogIndex(self.number()?), Term(self.number()?)))
    }

    fn data(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (data, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(data)
    }

    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(u64::from_le_bytes(*number))
    }
}

// -------------------------------------------------------------------- three of them

/// A client that asks `nodes` in turn until one does what it is asked. After a time-out it can't
/// know whether its command was done: a real client would number its commands, so that a retry is
/// recognised (see [`raft_core::kv`]).
fn ask(
    network: &Network,
    nodes: &[ServerId],
    event: impl Fn(Sender<Answer>) -> Event,
) -> Result<(ServerId, Answer), Failure> {
    let mut reason = "no answer".to_owned();
    for _ in 0..200 {
        for id in nodes {
            let (sender, answers) = mpsc::channel();
            network.send(*id, event(sender));
            match answers.recv_timeout(Duration::from_millis(400)) {
                Ok(Answer::NotDone(why)) => reason = why,
                Ok(answer) => return Ok((*id, answer)),
                Err(_) => {} // It is gone, or too slow.
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(format!("nobody has done it: {reason}").into())
}

/// Stores a pair; who did it.
fn put(network: &Network, nodes: &[ServerId], key: &str, value: &str) -> Result<ServerId, Failure> {
    let event = |answer| Event::Put { key: key.to_owned(), value: value.to_owned(), answer };
    ask(network, nodes, event).map(|(leader, _)| leader)
}

fn main() -> Result<(), Failure> {
    let directory = std::env::temp_dir().join(format!("raft-core-node-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let nodes: Vec<ServerId> = ServerSet::first(3).iter().collect();
    let network = Network::default();
    let mut threads = BTreeMap::new();
    for id in &nodes {
        threads.insert(*id, start(*id, &directory, &network)?);
    }

    let leader = put(&network, &nodes, "greeting", "hello")?;
    println!("{leader} leads, and has stored the first pair");
    for n in 0..300 {
        put(&network, &[leader], &format!("key {n}"), &n.to_string())?;
    }
    println!("and 300 more");

    let mut stop = |id: ServerId| -> Result<(), Failure> {
        network.send(id, Event::Stop);
        threads.remove(&id).map_or(Ok(()), |thread| thread.join().map_err(|_| "a node's thread panicked")?)
    };
    stop(leader)?;
    let others: Vec<ServerId> = nodes.iter().copied().filter(|id| *id != leader).collect();
    let next = put(&network, &others, "greeting", "hello again")?;
    println!("{leader} is gone; {next} leads, and has stored another");

    threads.insert(leader, start(leader, &directory, &network)?);
    for (key, expected) in [("greeting", "hello again"), ("key 299", "299")] {
        // Anybody answers: a follower asks its leader up to where it must have applied before it
        // does.
        match ask(&network, &[leader], |answer| Event::Get { key: key.to_owned(), answer })? {
            (id, Answer::Found(Some(value))) if value == expected => println!("{id} is back: {key} = {value}"),
            (id, other) => return Err(format!("{id} says {other:?} about {key}").into()),
        }
    }

    for id in nodes {
        network.send(id, Event::Stop);
    }
    for thread in threads.into_values() {
        thread.join().map_err(|_| "a node's thread panicked")??;
    }
    fs::remove_dir_all(&directory)?;
    Ok(())
}
