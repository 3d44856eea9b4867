//! Servers in one process: disks in memory, a network of channels, the real clock. Every wait is
//! for an event.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use raft_core::raft::{Bytes, Image, LogIndex, ServerSet, Write};
use raft_core::state_machine::StateMachine;

use super::start::*;
use super::*;
use crate::storage::{Damaged, Loaded};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Remembers what it is given.
#[derive(Clone, Debug, Default)]
struct Words(Vec<String>);

impl StateMachine for Words {
    fn apply(&mut self, _: u64, command: &[u8]) -> Vec<u8> {
        self.0.push(String::from_utf8_lossy(command).into_owned());
        self.0.len().to_string().into_bytes()
    }

    fn snapshot(&self) -> Vec<u8> {
        self.0.join("\n").into_bytes()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let text = String::from_utf8(snapshot.to_vec()).map_err(RestoreError::new)?;
        self.0 = text.lines().map(str::to_owned).collect();
        Ok(())
    }
}

/// A disk that outlives the server, and does what a test wants.
#[derive(Clone, Default)]
struct Memory {
    image: Arc<Mutex<Image>>,
    is_full: Arc<AtomicBool>,
    /// The next call stores one write only, and fails.
    fails: Arc<AtomicBool>,
}

impl Storage for Memory {
    fn load(&mut self) -> Result<Loaded, StorageError> {
        let image = self.image.lock().unwrap();
        Ok(Loaded { durable: image.durable(), is_new: image.is_blank(), damaged: None::<Damaged> })
    }

    fn store(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StorageError::Full);
        }
        let fails = self.fails.swap(false, Ordering::SeqCst);
        let mut image = self.image.lock().unwrap();
        for write in &writes[..if fails { 1 } else { writes.len() }] {
            image.take(write, write.parts());
        }
        if fails {
            let source = std::io::Error::other("as the test wanted");
            return Err(StorageError::Failed { what: "the sync".into(), source });
        }
        Ok(())
    }
}

/// Carries messages to the servers that are connected.
#[derive(Clone, Default)]
struct Wires(Arc<Mutex<BTreeMap<ServerId, mpsc::Sender<Incoming>>>>);

struct Wire {
    from: ServerId,
    wires: Wires,
}

impl Network for Wire {
    fn send(&self, to: ServerId, message: &Message) -> Option<u64> {
        let wires = self.wires.0.lock().unwrap();
        // Who is cut off hears nothing, and is heard by nobody.
        wires.get(&self.from)?;
        let incoming = Incoming { from: self.from, life: 1, number: 1, message: message.clone(), bytes: 0 };
        wires.get(&to)?.try_send(incoming).ok().map(|()| 1)
    }
}

/// Remembers the terms in which it was told that its server leads.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<Term>>>);

impl<M> Audience<M> for Ear {
    fn admitted(&mut self, _: LogIndex, _: ServerId, _: DiskId) {}

    fn applied(&mut self, _: LogIndex, _: &[u8], _: &[u8]) {}
    fn restored(&mut self, _: LogIndex, _: &M) {}
    fn leads(&mut self, term: Term, _: &M) {
        self.0.lock().unwrap().push(term);
    }
    fn listens(&mut self) -> bool {
        false
    }
    fn stepped(&mut self, _: Time, _: &Raft, _: &[Observation]) {}
    fn received(&mut self, _: Time, _: &Incoming) {}
    fn sent(&mut self, _: Time, _: ServerId, _: &Message, _: Option<u64>) {}
}

struct Cluster {
    wires: Wires,
    ways: BTreeMap<ServerId, mpsc::Sender<Incoming>>,
    disks: BTreeMap<ServerId, Memory>,
    handles: BTreeMap<ServerId, Handle<Words>>,
    running: BTreeMap<ServerId, Running>,
    /// Hears all servers.
    ear: Ear,
}

impl Cluster {
    fn of(count: u8) -> Cluster {
        Self::with(count, |_| {})
    }

    fn with(count: u8, configure: impl Fn(&mut Config)) -> Cluster {
        let mut cluster = Cluster {
            wires: Wires::default(),
            ways: BTreeMap::new(),
            disks: BTreeMap::new(),
            handles: BTreeMap::new(),
            running: BTreeMap::new(),
            ear: Ear::default(),
        };
        for server in ServerSet::first(count).iter() {
            let (way, incoming) = mpsc::channel(1_000);
            cluster.ways.insert(server, way.clone());
            cluster.wires.0.lock().unwrap().insert(server, way);
            let disk = Memory::default();
            cluster.disks.insert(server, disk.clone());
            let mut config = Config::new(server, 7);
            configure(&mut config);
            let (handle, running) = start(Setup {
                config,
                founding: Founding::Founder(Configuration::of_voters(ServerSet::first(count))),
                known_to_founders: None,
                disk: DiskId(1),
                open: Box::new(move || Ok(Box::new(disk.clone()) as Box<dyn Storage>)),
                machine: Words::default(),
                network: Box::new(Wire { from: server, wires: cluster.wires.clone() }),
                audience: Box::new(cluster.ear.clone()),
                incoming,
                requests_max: 100,
            })
            .unwrap();
            cluster.handles.insert(server, handle);
            cluster.running.insert(server, running);
        }
        cluster
    }

    async fn leader_but(&self, not: Option<ServerId>) -> ServerId {
        let waits = self.handles.iter().filter(|(server, _)| Some(**server) != not).map(|(server, handle)| {
            let mut watch = handle.watch();
            Box::pin(async move {
                let _ = watch.wait_for(|status| status.leads()).await;
                *server
            })
        });
        let (leader, _, _) =
            tokio::time::timeout(PATIENCE, futures_util::future::select_all(waits)).await.expect("a leader");
        leader
    }

    fn cut(&self, server: ServerId) {
        self.wires.0.lock().unwrap().remove(&server);
    }

    fn heal(&self, server: ServerId) {
        self.wires.0.lock().unwrap().insert(server, self.ways[&server].clone());
    }

    async fn propose(&self, server: ServerId, word: &str) -> Result<Applied, Failure> {
        let proposed = self.handles[&server].propose(Bytes::from(word.as_bytes()));
        tokio::time::timeout(PATIENCE, proposed).await.expect("every request ends")
    }

    async fn words(&self, server: ServerId, consistency: Consistency) -> Result<Vec<String>, Failure> {
        let read = self.handles[&server].read(consistency, |words, _| words.0.clone());
        tokio::time::timeout(PATIENCE, read).await.expect("every request ends")
    }

    async fn stop(mut self) {
        for handle in self.handles.values() {
            handle.stop().await;
        }
        for running in self.running.values_mut() {
            tokio::time::timeout(PATIENCE, running.ended()).await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn commands_are_applied_on_all_and_read_from_any() {
    let cluster = Cluster::of(3);
    let leader = cluster.leader_but(None).await;
    let applied = cluster.propose(leader, "one").await.unwrap();
    assert_eq!(applied.answer, b"1");
    assert_eq!(applied.entry.term, cluster.handles[&leader].status().term);
    for server in ServerSet::first(3).iter() {
        assert_eq!(cluster.words(server, Consistency::Linearizable).await.unwrap(), ["one"]);
    }
    let other = ServerSet::first(3).iter().find(|server| *server != leader).unwrap();
    assert_eq!(cluster.propose(other, "two").await, Err(Failure::NotLeader { leader: Some(leader) }));
    cluster.stop().await;
}

#[tokio::test]
async fn many_at_once_are_all_answered_once_and_in_the_order_of_the_log() {
    let cluster = Cluster::of(3);
    let leader = cluster.leader_but(None).await;
    let words: Vec<String> = (0..90).map(|number| number.to_string()).collect();
    let answers = futures_util::future::join_all(words.iter().map(|word| cluster.propose(leader, word))).await;
    let mut answers: Vec<_> = answers.into_iter().map(Result::unwrap).zip(words).collect();
    answers.sort_by_key(|(applied, _)| applied.entry.index);
    let order: Vec<String> = answers.iter().map(|(_, word)| word.clone()).collect();
    for (place, (applied, _)) in answers.iter().enumerate() {
        assert_eq!(applied.answer, (place + 1).to_string().into_bytes());
    }
    assert_eq!(cluster.words(leader, Consistency::Linearizable).await.unwrap(), order);
    cluster.stop().await;
}

#[tokio::test]
async fn a_command_that_another_leader_replaced_was_certainly_not_done() {
    let cluster = Cluster::of(3);
    let old = cluster.leader_but(None).await;
    cluster.propose(old, "before").await.unwrap();
    cluster.cut(old);
    let lost = cluster.handles[&old].clone();
    let lost = tokio::spawn(async move { lost.propose(Bytes::from(b"lost".as_slice())).await });
    let new = cluster.leader_but(Some(old)).await;
    cluster.propose(new, "after").await.unwrap();
    cluster.heal(old);
    let failure = tokio::time::timeout(PATIENCE, lost).await.unwrap().unwrap().unwrap_err();
    // It either entered the old leader's log, or came when that had stepped down already.
    assert!(failure.is_certain(), "{failure:?}");
    assert_eq!(cluster.words(old, Consistency::Linearizable).await.unwrap(), ["before", "after"]);
    cluster.stop().await;
}

/// The server leads again, and puts another command where that one was.
#[tokio::test]
async fn a_command_that_the_same_server_replaced_later_was_certainly_not_done() {
    let cluster = Cluster::of(3);
    let old = cluster.leader_but(None).await;
    cluster.propose(old, "before").await.unwrap();
    cluster.cut(old);
    // Three, since the first entries of two terms come before the other command.
    let handle = cluster.handles[&old].clone();
    let lost = (0..3).map(|number: u32| {
        let (reply, answer) = oneshot::channel();
        let command = Bytes::from(format!("lost {number}").as_bytes());
        handle.hand_in(Request::Propose { command, reply }).unwrap();
        answer
    });
    let lost: Vec<_> = lost.collect();
    let new = cluster.leader_but(Some(old)).await;
    cluster.heal(old);
    let mut watch = handle.watch();
    let follows = watch.wait_for(|status| status.leader == Some(new) && status.applied == status.last.index);
    tokio::time::timeout(PATIENCE, follows).await.unwrap().unwrap();
    tokio::time::timeout(PATIENCE, cluster.handles[&new].transfer(old)).await.unwrap().unwrap();
    cluster.propose(old, "after").await.unwrap();
    for answer in lost {
        let failure = tokio::time::timeout(PATIENCE, answer).await.expect("it is known").unwrap().unwrap_err();
        assert!(failure.is_certain(), "{failure:?}");
    }
    assert_eq!(cluster.words(old, Consistency::Linearizable).await.unwrap(), ["before", "after"]);
    cluster.stop().await;
}

#[tokio::test]
async fn a_leader_is_greeted_once_a_term() {
    let cluster = Cluster::of(1);
    let only = cluster.leader_but(None).await;
    for number in 0..5 {
        cluster.propose(only, &number.to_string()).await.unwrap();
    }
    let ear = cluster.ear.clone();
    cluster.stop().await;
    assert_eq!(ear.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_that_stops_doesnt_know_what_becomes_of_its_commands() {
    let cluster = Cluster::of(2);
    let leader = cluster.leader_but(None).await;
    let other = ServerSet::first(2).iter().find(|server| *server != leader).unwrap();
    cluster.cut(other);
    let handle = cluster.handles[&leader].clone();
    let last = handle.status().last;
    let waits = tokio::spawn(async move { handle.propose(Bytes::from(b"perhaps".as_slice())).await });
    // It is in the log, and no majority has it.
    let mut watch = cluster.handles[&leader].watch();
    let grown = watch.wait_for(|status| status.last > last);
    tokio::time::timeout(PATIENCE, grown).await.unwrap().unwrap();
    cluster.stop().await;
    let failure = waits.await.unwrap().unwrap_err();
    assert_eq!(failure, Failure::Unknown(Doubt::Stopped));
    assert!(!failure.is_certain());
}

#[tokio::test]
async fn a_full_disk_loses_nothing_refuses_writes_and_goes_on_when_there_is_room() {
    let cluster = Cluster::of(1);
    let only = cluster.leader_but(None).await;
    cluster.propose(only, "before").await.unwrap();
    cluster.disks[&only].is_full.store(true, Ordering::SeqCst);
    let handle = cluster.handles[&only].clone();
    let waits = tokio::spawn(async move { handle.propose(Bytes::from(b"waits".as_slice())).await });
    let mut watch = cluster.handles[&only].watch();
    let full = watch.wait_for(|status| status.disk == DiskState::Full);
    tokio::time::timeout(PATIENCE, full).await.unwrap().unwrap();
    assert_eq!(cluster.propose(only, "refused").await, Err(Failure::DiskFull));
    assert_eq!(cluster.words(only, Consistency::Local).await.unwrap(), ["before"]);
    cluster.disks[&only].is_full.store(false, Ordering::SeqCst);
    let mut watch = cluster.handles[&only].watch();
    let fine = watch.wait_for(|status| status.disk == DiskState::Fine && status.leads());
    tokio::time::timeout(PATIENCE, fine).await.unwrap().unwrap();
    assert_eq!(tokio::time::timeout(PATIENCE, waits).await.unwrap().unwrap().unwrap().answer, b"2");
    cluster.propose(only, "after").await.unwrap();
    assert_eq!(cluster.words(only, Consistency::Linearizable).await.unwrap(), ["before", "waits", "after"]);
    cluster.stop().await;
}

#[tokio::test]
async fn after_a_failed_sync_a_server_goes_by_what_is_really_on_its_disk() {
    let cluster = Cluster::of(1);
    let only = cluster.leader_but(None).await;
    cluster.propose(only, "before").await.unwrap();
    cluster.disks[&only].fails.store(true, Ordering::SeqCst);
    // The write is on the disk, though its sync failed: nobody may say that it was not done.
    let failure = cluster.propose(only, "perhaps").await.unwrap_err();
    assert!(!failure.is_certain(), "{failure:?}");
    let mut watch = cluster.handles[&only].watch();
    let again = watch.wait_for(|status| status.leads() && status.applied == status.last.index);
    tokio::time::timeout(PATIENCE, again).await.unwrap().unwrap();
    cluster.propose(only, "after").await.unwrap();
    assert_eq!(cluster.words(only, Consistency::Linearizable).await.unwrap(), ["before", "perhaps", "after"]);
    cluster.stop().await;
}

#[tokio::test]
async fn a_member_that_was_away_is_sent_a_snapshot_and_its_commands_there_are_in_doubt() {
    let cluster = Cluster::with(3, |config| {
        config.snapshot_after_entries = 20;
        config.entries_kept = 2;
        config.snapshot_after_bytes = 200;
    });
    let leader = cluster.leader_but(None).await;
    let away = ServerSet::first(3).iter().find(|server| *server != leader).unwrap();
    cluster.propose(leader, "first").await.unwrap();
    cluster.cut(away);
    let mut number = 0;
    // A member that answered a moment ago is kept the log for.
    while cluster.handles[&leader].status().first_index <= cluster.handles[&away].status().last.index.next() {
        cluster.propose(leader, &number.to_string()).await.unwrap();
        number += 1;
    }
    cluster.heal(away);
    let words = cluster.words(leader, Consistency::Linearizable).await.unwrap();
    let last = cluster.handles[&leader].status().applied;
    let mut watch = cluster.handles[&away].watch();
    let caught_up = watch.wait_for(|status| status.applied >= last);
    let status = tokio::time::timeout(PATIENCE, caught_up).await.unwrap().unwrap().clone();
    assert!(status.snapshot.is_some(), "it came by a snapshot");
    assert_eq!(cluster.words(away, Consistency::Local).await.unwrap(), words);
    cluster.stop().await;
}

/// The other servers have gone on, and the log of the time in which it was asked for is gone.
#[tokio::test]
async fn a_command_whose_outcome_is_inside_a_snapshot_is_in_doubt() {
    let cluster = Cluster::with(3, |config| {
        config.snapshot_after_entries = 20;
        config.entries_kept = 2;
        config.snapshot_after_bytes = 200;
    });
    let old = cluster.leader_but(None).await;
    cluster.propose(old, "before").await.unwrap();
    let last = cluster.handles[&old].status().last.index;
    cluster.cut(old);
    let (reply, mut answer) = oneshot::channel();
    cluster.handles[&old].hand_in(Request::Propose { command: Bytes::from(b"perhaps".as_slice()), reply }).unwrap();
    let mut watch = cluster.handles[&old].watch();
    let stepped_down = watch.wait_for(|status| !status.leads());
    let has_entered = tokio::time::timeout(PATIENCE, stepped_down).await.unwrap().unwrap().last.index > last;
    let new = cluster.leader_but(Some(old)).await;
    let mut number = 0;
    while cluster.handles[&new].status().first_index <= last.next() {
        cluster.propose(new, &number.to_string()).await.unwrap();
        number += 1;
    }
    // It may have stepped down before it took the command; then it refused that.
    assert_eq!(has_entered, answer.try_recv().is_err());
    cluster.heal(old);
    if has_entered {
        let failure = tokio::time::timeout(PATIENCE, answer).await.expect("every request ends").unwrap().unwrap_err();
        assert_eq!(failure, Failure::Unknown(Doubt::InSnapshot));
    }
    cluster.stop().await;
}

#[tokio::test]
async fn a_server_begins_with_what_its_snapshot_has() {
    let config = |config: &mut Config| (config.snapshot_after_entries, config.entries_kept) = (5, 0);
    let cluster = Cluster::with(1, |of| config(of));
    let only = cluster.leader_but(None).await;
    for number in 0..20 {
        cluster.propose(only, &number.to_string()).await.unwrap();
    }
    let mut watch = cluster.handles[&only].watch();
    let taken = watch.wait_for(|status| status.snapshot.is_some());
    tokio::time::timeout(PATIENCE, taken).await.unwrap().unwrap();
    let disk = cluster.disks[&only].clone();
    cluster.stop().await;
    let snapshot = disk.image.lock().unwrap().durable().snapshot.expect("it was stored");
    let mut own = Config::new(only, 7);
    config(&mut own);
    let (_way, incoming) = mpsc::channel(1);
    let (handle, mut running) = start(Setup {
        config: own,
        founding: Founding::Founder(Configuration::of_voters(ServerSet::first(1))),
        known_to_founders: None,
        disk: DiskId(1),
        open: Box::new(move || Ok(Box::new(disk.clone()) as Box<dyn Storage>)),
        machine: Words::default(),
        network: Box::new(Wire { from: only, wires: Wires::default() }),
        audience: Box::new(Ear::default()),
        incoming,
        requests_max: 100,
    })
    .unwrap();
    let first = handle.read(Consistency::Local, |words, index| (words.0.len() as u64, index)).await.unwrap();
    // The first entry of a term has no word.
    let covered = snapshot.meta.last.index.0;
    assert!(first.1 >= covered && first.0 >= covered - 1, "{first:?}, and the snapshot is up to {covered}");
    handle.stop().await;
    tokio::time::timeout(PATIENCE, running.ended()).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_asked_of_a_server_that_stops_is_certainly_not_done() {
    let cluster = Cluster::of(1);
    let only = cluster.leader_but(None).await;
    let handle = cluster.handles[&only].clone();
    // The driver finds both requests waiting, one after the other.
    let (held, hold) = std::sync::mpsc::channel::<()>();
    let busy: Look<Words> = Box::new(move |_| {
        let _ = hold.recv();
    });
    handle.hand_in(Request::Read { consistency: Consistency::Local, look: busy }).unwrap();
    handle.hand_in(Request::Stop).unwrap();
    let (reply, answer) = oneshot::channel();
    handle.hand_in(Request::Propose { command: Bytes::from(b"late".as_slice()), reply }).unwrap();
    held.send(()).unwrap();
    assert_eq!(tokio::time::timeout(PATIENCE, answer).await.unwrap().unwrap(), Err(Failure::Stopping));
    cluster.stop().await;
}

/// Both have the whole log; one of them is gone.
#[tokio::test]
async fn leadership_is_handed_to_a_server_that_answers() {
    let mut cluster = Cluster::of(3);
    let leader = cluster.leader_but(None).await;
    cluster.propose(leader, "one").await.unwrap();
    let silent = ServerSet::first(3).iter().filter(|server| *server != leader).max().unwrap();
    let mut watch = cluster.handles[&leader].watch();
    let have_all =
        watch.wait_for(|status| status.followers.iter().all(|follower| follower.matched == status.last.index));
    tokio::time::timeout(PATIENCE, have_all).await.unwrap().unwrap();
    cluster.cut(silent);
    let of_silent = |status: &Arc<Status>| status.followers.iter().any(|of| of.server == silent && !of.answers);
    tokio::time::timeout(PATIENCE, watch.wait_for(of_silent)).await.unwrap().unwrap();
    cluster.handles[&leader].stop().await;
    let mut running = cluster.running.remove(&leader).unwrap();
    tokio::time::timeout(PATIENCE, running.ended()).await.unwrap().unwrap();
    assert!(!cluster.handles[&leader].status().leads(), "it waited for one that answers");
    cluster.handles.remove(&leader);
    cluster.stop().await;
}

#[tokio::test]
async fn a_leader_that_stops_hands_its_leadership_over() {
    let mut cluster = Cluster::of(3);
    let leader = cluster.leader_but(None).await;
    let term = cluster.handles[&leader].status().term;
    cluster.propose(leader, "one").await.unwrap();
    cluster.handles[&leader].stop().await;
    let mut running = cluster.running.remove(&leader).unwrap();
    tokio::time::timeout(PATIENCE, running.ended()).await.unwrap().unwrap();
    cluster.cut(leader);
    let heir = cluster.leader_but(Some(leader)).await;
    // Nobody had to wait for an election timeout: it is the very next term, and the heir was told.
    assert_eq!(cluster.handles[&heir].status().term, term.next());
    assert_eq!(cluster.propose(leader, "two").await, Err(Failure::Stopping));
    assert_eq!(cluster.propose(heir, "two").await.unwrap().answer, b"2");
    cluster.handles.remove(&leader);
    cluster.stop().await;
}

/// Of two voters, the heir can't be elected without the vote of the server that stops, which is
/// given only when it is on the disk. And who waits for that server must find its successor there.
#[tokio::test]
async fn a_leader_that_stops_votes_for_its_heir_and_hears_it_lead() {
    let mut cluster = Cluster::of(2);
    let leader = cluster.leader_but(None).await;
    let heir = ServerSet::first(2).iter().find(|server| *server != leader).unwrap();
    cluster.propose(leader, "one").await.unwrap();
    let term = cluster.handles[&leader].status().term;
    cluster.handles[&leader].stop().await;
    let mut running = cluster.running.remove(&leader).unwrap();
    tokio::time::timeout(PATIENCE, running.ended()).await.unwrap().unwrap();
    let last = cluster.handles[&leader].status();
    assert_eq!((last.leader, last.term), (Some(heir), term.next()));
    cluster.handles.remove(&leader);
    cluster.stop().await;
}

/// Of two voters, none commits anything alone.
#[tokio::test]
async fn a_leader_that_has_left_keeps_what_its_heir_is_asked_for() {
    let cluster = Cluster::of(2);
    let leader = cluster.leader_but(None).await;
    let heir = ServerSet::first(2).iter().find(|server| *server != leader).unwrap();
    tokio::time::timeout(PATIENCE, cluster.handles[&leader].leave()).await.unwrap();
    assert_eq!(cluster.leader_but(Some(leader)).await, heir);
    assert_eq!(cluster.propose(leader, "late").await, Err(Failure::Stopping));
    assert_eq!(cluster.propose(heir, "one").await.unwrap().answer, b"1");
    cluster.stop().await;
}

/// It answered a moment ago, so that it is the first one to be asked.
#[tokio::test]
async fn leadership_is_handed_to_another_server_if_the_first_heir_is_gone() {
    let mut cluster = Cluster::of(3);
    let leader = cluster.leader_but(None).await;
    cluster.propose(leader, "one").await.unwrap();
    let mut others = ServerSet::first(3).iter().filter(|server| *server != leader);
    let (heir, gone) = (others.next().unwrap(), others.next().unwrap());
    let mut watch = cluster.handles[&leader].watch();
    let is_ahead = |status: &Arc<Status>| {
        let of = |server| status.followers.iter().find(|of| of.server == server);
        of(gone).is_some_and(|of| of.answers && of.matched == status.last.index)
            && of(heir).is_some_and(|of| of.answers)
    };
    tokio::time::timeout(PATIENCE, watch.wait_for(is_ahead)).await.unwrap().unwrap();
    cluster.cut(gone);
    cluster.handles[&leader].stop().await;
    let mut running = cluster.running.remove(&leader).unwrap();
    tokio::time::timeout(PATIENCE, running.ended()).await.unwrap().unwrap();
    assert_eq!(cluster.handles[&leader].status().leader, Some(heir));
    cluster.handles.remove(&leader);
    cluster.stop().await;
}

#[tokio::test]
async fn more_requests_than_fit_are_refused_at_once() {
    let cluster = Cluster::of(1);
    let only = cluster.leader_but(None).await;
    let handle = &cluster.handles[&only];
    // The driver is kept busy while the queue fills.
    let (held, hold) = std::sync::mpsc::channel::<()>();
    let (begun, began) = oneshot::channel();
    let reader = handle.clone();
    let look = tokio::spawn(async move {
        let busy = move |_: &Words, _| {
            let _ = begun.send(());
            let _ = hold.recv();
        };
        reader.read(Consistency::Local, busy).await
    });
    began.await.unwrap();
    let waiting: Vec<_> = (0..101)
        .map(|_| {
            let (reply, answer) = oneshot::channel();
            (handle.hand_in(Request::Propose { command: Bytes::from(b"x".as_slice()), reply }), answer)
        })
        .collect();
    assert_eq!(waiting.iter().filter(|(handed_in, _)| *handed_in == Err(Failure::Busy)).count(), 1);
    held.send(()).unwrap();
    look.await.unwrap().unwrap();
    for (handed_in, answer) in waiting {
        if handed_in.is_ok() {
            tokio::time::timeout(PATIENCE, answer).await.unwrap().unwrap().unwrap();
        }
    }
    cluster.stop().await;
}
