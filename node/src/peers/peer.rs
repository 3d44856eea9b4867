//! What a server knows about one of its peers: what waits to be sent to it, who may deliver from
//! it, faults that somebody plays with, and counts.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use raft_core::raft::{Message, ServerId};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::ended::{Ended, Refusal};
use super::frame::{Sealer, frame_bytes};
use super::{LinkFault, PeerReport, Settings};

/// Frames are written together up to about this size, in bytes.
const BATCH_BYTES: usize = 256 * 1024;
/// A buffer larger than this isn't kept when it is empty again, in bytes.
pub(super) const KEPT_BYTES: usize = 1024 * 1024;

pub(super) struct Peer {
    pub(super) id: ServerId,
    pub(super) address: watch::Sender<Option<String>>,
    /// Told when something waits in the queue that was empty, or may be sent now.
    pub(super) wake: Notify,
    outgoing: Mutex<Outgoing>,
    incoming: Mutex<Incoming>,
}

/// The connection that this server dials.
#[derive(Default)]
struct Outgoing {
    queue: VecDeque<Waiting>,
    /// The size of the messages in the queue.
    queue_bytes: usize,
    fault: LinkFault,
    connected: bool,
    /// Why there is no connection.
    problem: Option<String>,
    /// What a person has to do about it, if it doesn't pass by itself.
    remedy: Option<&'static str>,
    /// The peer's refusal, if that is why.
    refusal: Option<Refusal>,
    /// The life of the process that was connected last.
    life: Option<u64>,
    connections: u64,
    messages: u64,
    bytes: u64,
    dropped: u64,
}

/// A message that waits to be sent.
struct Waiting {
    number: u64,
    message: Vec<u8>,
    /// Not before then: the link is slow. Messages keep their order all the same.
    due: Option<Instant>,
}

/// The connection that the peer dials.
#[derive(Default)]
struct Incoming {
    /// The number of the connection that may deliver. Later connections have higher numbers.
    ticket: u64,
    /// Ends that connection when it is dropped.
    current: Option<oneshot::Sender<()>>,
    /// Whether its latest connection was refused for its disk.
    denied: bool,
    fault: LinkFault,
    messages: u64,
    bytes: u64,
    dropped: u64,
}

/// What there is to write now.
pub(super) enum Next {
    /// These bytes are in the batch.
    Batch,
    /// Nothing before then.
    NotBefore(Instant),
    /// Nothing.
    Nothing,
}

impl Peer {
    pub(super) fn new(id: ServerId) -> Peer {
        Peer {
            id,
            address: watch::Sender::new(None),
            wake: Notify::new(),
            outgoing: Mutex::default(),
            incoming: Mutex::default(),
        }
    }

    /// The peer is at this address from now on, or at none.
    pub(super) fn set_address(&self, address: Option<&str>) {
        let changed = self.address.send_if_modified(|current| {
            let differs = current.as_deref() != address;
            *current = address.map(str::to_owned);
            differs
        });
        if changed && address.is_none() {
            self.outgoing().drop_all();
        }
    }

    fn outgoing(&self) -> std::sync::MutexGuard<'_, Outgoing> {
        self.outgoing.lock().expect("no holder panics")
    }

    fn incoming(&self) -> std::sync::MutexGuard<'_, Incoming> {
        self.incoming.lock().expect("no holder panics")
    }

    /// Puts a message into the queue, under the next of `numbers`; `None` if it is dropped.
    pub(super) fn enqueue(&self, message: &Message, numbers: &AtomicU64, settings: &Settings) -> Option<u64> {
        {
            let mut outgoing = self.outgoing();
            let no_way = outgoing.fault.cut || self.address.borrow().is_none();
            if no_way || outgoing.queue.len() >= settings.queue_messages_max {
                outgoing.dropped += 1;
                return None;
            }
        }
        let mut encoded = Vec::new();
        message.encode(&mut encoded);
        let too_long = frame_bytes(encoded.len(), settings.frame_bytes_max).is_none();
        if too_long {
            tracing::error!(to = %self.id, bytes = encoded.len(), "a message is longer than a frame may be");
        }

        let mut outgoing = self.outgoing();
        // A message that is larger than the whole queue may wait alone.
        let no_room = !outgoing.queue.is_empty() && outgoing.queue_bytes + encoded.len() > settings.queue_bytes_max;
        if too_long || no_room || outgoing.queue.len() >= settings.queue_messages_max {
            outgoing.dropped += 1;
            return None;
        }
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        if outgoing.fault.loses_one() {
            outgoing.dropped += 1;
            return Some(number);
        }
        let due = outgoing.fault.due();
        outgoing.queue_bytes += encoded.len();
        outgoing.queue.push_back(Waiting { number, message: encoded, due });
        drop(outgoing);
        self.wake.notify_one();
        Some(number)
    }

    /// Seals what may be sent now, as much as is written at once, into `batch`, which is empty.
    pub(super) fn seal(&self, sealer: &mut Sealer, batch: &mut Vec<u8>, now: Instant) -> Next {
        debug_assert!(batch.is_empty(), "a batch is written before the next one");
        while batch.len() < BATCH_BYTES {
            // To seal a long message takes a while: whoever sends mustn't wait for it.
            let next = self.outgoing().take(now);
            match next {
                Ok(Waiting { number, message, .. }) => sealer.message(number, &message, batch),
                Err(_) if !batch.is_empty() => break,
                Err(nothing) => return nothing,
            }
        }
        Next::Batch
    }

    /// A connection has been made, to the process with this life. What waited for an earlier
    /// process isn't for this one.
    pub(super) fn connected(&self, life: u64) {
        let mut outgoing = self.outgoing();
        if outgoing.life.is_some_and(|before| before != life) {
            outgoing.drop_all();
        }
        outgoing.life = Some(life);
        outgoing.connections += 1;
        (outgoing.connected, outgoing.problem) = (true, None);
        (outgoing.remedy, outgoing.refusal) = (None, None);
    }

    /// There is no connection. `was_connected` says that there was one: what waits may go over the
    /// next one, which may be there in a moment. Else it is old by the time that there is one.
    /// Returns whether the reason is news.
    pub(super) fn disconnected(&self, ended: &Ended, was_connected: bool) -> bool {
        let mut outgoing = self.outgoing();
        if !was_connected {
            outgoing.drop_all();
        }
        let problem = Some(ended.to_string());
        let news = outgoing.problem != problem;
        (outgoing.connected, outgoing.problem, outgoing.remedy) = (false, problem, ended.remedy());
        outgoing.refusal = match ended {
            Ended::Refused(refusal) => Some(*refusal),
            _ => None,
        };
        news
    }

    /// A connection of the peer has proved itself. It is the one that delivers from now on, unless
    /// a later one does so already. Returns what tells it that it has been superseded.
    pub(super) fn admit(&self, ticket: u64) -> Option<oneshot::Receiver<()>> {
        let mut incoming = self.incoming();
        assert_ne!(incoming.ticket, ticket, "every connection has a number of its own");
        if incoming.ticket > ticket {
            return None;
        }
        let (current, superseded) = oneshot::channel();
        incoming.ticket = ticket;
        incoming.current = Some(current);
        incoming.denied = false;
        Some(superseded)
    }

    /// A connection of the peer was refused: it has another disk than it is known by.
    pub(super) fn deny(&self) {
        self.incoming().denied = true;
    }

    /// The connection with this number has ended.
    pub(super) fn dismiss(&self, ticket: u64) {
        let mut incoming = self.incoming();
        if incoming.ticket == ticket {
            incoming.current = None;
        }
    }

    /// Hands a message on with `deliver`, which doesn't block. Returns false, and does nothing, if
    /// another connection than this one delivers by now.
    pub(super) fn deliver(&self, ticket: u64, deliver: impl FnOnce()) -> bool {
        let mut incoming = self.incoming();
        if incoming.ticket != ticket {
            return false;
        }
        if incoming.fault.cut {
            incoming.dropped += 1;
        } else {
            deliver();
        }
        true
    }

    /// Counts a message that came, with the size of its frame. Returns when it may be delivered;
    /// `None` if it is lost on the way.
    pub(super) fn arrived(&self, bytes: usize) -> Option<Instant> {
        let mut incoming = self.incoming();
        incoming.messages += 1;
        incoming.bytes += bytes as u64;
        if incoming.fault.cut || incoming.fault.loses_one() {
            incoming.dropped += 1;
            return None;
        }
        Some(incoming.fault.due().unwrap_or_else(Instant::now))
    }

    /// Counts a message that came and can't be used.
    pub(super) fn unusable(&self) {
        self.incoming().dropped += 1;
    }

    pub(super) fn set_fault_out(&self, fault: LinkFault) {
        let mut outgoing = self.outgoing();
        outgoing.fault = fault;
        if fault.cut {
            outgoing.drop_all();
        }
    }

    pub(super) fn set_fault_in(&self, fault: LinkFault) {
        self.incoming().fault = fault;
    }

    pub(super) fn report(&self) -> PeerReport {
        let outgoing = self.outgoing();
        let incoming = self.incoming();
        PeerReport {
            id: self.id,
            address: self.address.borrow().clone(),
            connected: outgoing.connected,
            problem: outgoing.problem.clone(),
            remedy: outgoing.remedy,
            refusal: outgoing.refusal,
            life: outgoing.life,
            heard: incoming.current.is_some(),
            denied: incoming.denied,
            messages_out: outgoing.messages,
            bytes_out: outgoing.bytes,
            dropped_out: outgoing.dropped,
            messages_in: incoming.messages,
            bytes_in: incoming.bytes,
            dropped_in: incoming.dropped,
            reconnects: outgoing.connections.saturating_sub(1),
            queue_messages: outgoing.queue.len(),
            queue_bytes: outgoing.queue_bytes,
            fault_out: outgoing.fault,
            fault_in: incoming.fault,
        }
    }
}

impl Outgoing {
    /// Takes the first message that may be sent now out of the queue, and counts it as sent.
    fn take(&mut self, now: Instant) -> Result<Waiting, Next> {
        let first = self.queue.front().ok_or(Next::Nothing)?;
        if let Some(due) = first.due.filter(|due| *due > now) {
            return Err(Next::NotBefore(due));
        }
        let first = self.queue.pop_front().expect("it has a front");
        self.queue_bytes -= first.message.len();
        self.messages += 1;
        self.bytes += frame_bytes(first.message.len(), u32::MAX).expect("it was short enough to wait") as u64;
        Ok(first)
    }

    fn drop_all(&mut self) {
        self.dropped += self.queue.len() as u64;
        self.queue = VecDeque::new();
        self.queue_bytes = 0;
    }
}

impl LinkFault {
    /// When a message that is sent now arrives; `None` if the link takes no time of its own.
    fn due(&self) -> Option<Instant> {
        // A delay that the clock can't express is as good as one of a century.
        let longest = Duration::from_secs(100 * 365 * 86_400);
        (!self.delay.is_zero()).then(|| Instant::now() + self.delay.min(longest))
    }

    /// Draws whether a message is lost.
    fn loses_one(&self) -> bool {
        if self.loss_ppm == 0 {
            return false;
        }
        // Without randomness from the operating system nothing is lost: it is a game, after all.
        let ppm = getrandom::u32().map_or(u64::MAX, |drawn| (u64::from(drawn) * 1_000_000) >> 32);
        ppm < u64::from(self.loss_ppm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> Peer {
        Peer::new(ServerId::FIRST)
    }

    /// A connection learns late that it was superseded, if it runs at the same time.
    #[test]
    fn a_superseded_connection_delivers_nothing_even_before_it_knows() {
        let peer = peer();
        let mut delivered = Vec::new();
        let mut first = peer.admit(1).unwrap();
        assert!(peer.deliver(1, || delivered.push("first")));
        let _second = peer.admit(2).unwrap();
        assert!(!peer.deliver(1, || delivered.push("late")));
        assert!(peer.deliver(2, || delivered.push("second")));
        assert_eq!(delivered, ["first", "second"]);
        assert!(first.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed), "it is told");
        assert!(peer.admit(1).is_none(), "an earlier connection comes too late");
        peer.dismiss(1);
        assert!(peer.report().heard, "the end of the older one isn't that of the newer one");
        peer.dismiss(2);
        assert!(!peer.report().heard);
    }

    #[test]
    fn what_is_on_a_link_when_it_is_cut_is_lost() {
        let peer = peer();
        let _current = peer.admit(1).unwrap();
        assert!(peer.arrived(50).is_some());
        peer.set_fault_in(LinkFault { cut: true, ..LinkFault::default() });
        let mut delivered = false;
        assert!(peer.deliver(1, || delivered = true), "the connection stays");
        assert!(!delivered);
        assert!(peer.arrived(50).is_none());
        let report = peer.report();
        assert_eq!((report.messages_in, report.bytes_in, report.dropped_in), (2, 100, 2));
    }
}
