//! What happened: servers' observations, the world's own events and what becomes of messages, as
//! one stream of data, and as sentences.
//!
//! `news` is the table of what can happen. From it come the type, the names in files, the server
//! that a piece of news is about, the kind of moment that it is, the section that describes it, and
//! its words.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use super::action::MessageKind;
use super::client::{ClientId, End, OperationRecord};
use super::flight::{Flight, Loss, LossReason};
use super::parameters::{OwnTiming, Ppm};
use crate::listed::listed;
use crate::raft::{Observation, Sentence, ServerId, ServerSet, Weight};
use crate::time::{Duration, Time};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// When, on the world's clock.
    pub at: Time,
    /// What.
    pub what: What,
}

listed! {
    /// The kinds of moments that a person can jump to.
    MomentKind {
        /// A server raised its term and asks for votes.
        Campaign "campaign";
        /// A server won.
        Election "election";
        /// A leader's commit index rose.
        Commit "commit";
        /// A client began a write.
        WriteBegan "write-began";
        /// A client's write ended, with or without an answer.
        WriteEnded "write-ended";
        /// A server lost power.
        Crash "crash";
        /// A server started again.
        Restart "restart";
        /// A server was paused.
        Pause "pause";
        /// A paused server runs again.
        Resume "resume";
        /// A server's clock was set, or runs at another rate.
        Clock "clock";
        /// A disk was lost, stalled, full, slower or faster, or well again; a record became
        /// corrupt, or a write failed.
        Disk "disk";
        /// A link was cut, the network split, or a server cut off.
        Cut "cut";
        /// A link was healed, or all links, or those of a quorum.
        Heal "heal";
        /// The latency, the loss or the duplication of one link, or of all, is different from now
        /// on.
        Network "network";
        /// A leader put a membership into force, or a server went back to an older one.
        Membership "membership";
        /// A property was violated; the run ends here.
        Violation "violation";
    }
}

/// The table. A row has what happened, with what is known of it; its name in files; the kind of
/// moment that it always is, if it is one; the section that describes it; and its words. The server
/// that it is about comes first, under the name `server`.
macro_rules! news {
    ($then:ident) => {
        $then! {
            /// A server lost power, while this many writes were on their way to its disk.
            Crashed(server: ServerId, unsynced: usize) "crashed" [Crash] "Raft §5.5" => match unsynced {
                0 => format!("{server} crashed: it forgot all but what is on its disk."),
                _ => format!("{server} crashed while it was writing: what wasn’t synced may be gone."),
            };
            /// A server started, in its nth life.
            Started(server: ServerId, life: u32) "started" [] "Raft §5.5" => match life {
                1 => format!("{server} started."),
                _ => format!("{server} restarted with what was on its disk; it forgot everything else."),
            };
            /// A server was paused.
            Paused(server: ServerId) "paused" [Pause] "" => format!("{server} is paused; messages wait for it.");
            /// A paused server runs again.
            Resumed(server: ServerId) "resumed" [Resume] "" => format!("{server} runs again.");
            /// A server's clock runs at another rate.
            ClockRate(server: ServerId, rate: u32) "clock-rate" [Clock] "" => match rate {
                0 => format!("{server}’s clock has stopped."),
                _ => format!("{server}’s clock runs at {} of the true rate from now on.", percent(*rate)),
            };
            /// A server's clock was set by this many microseconds.
            ClockJumped(server: ServerId, by: i64) "clock-jumped" [Clock] "" => {
                let way = if *by < 0 { "back" } else { "forward" };
                let by = Duration::from_micros(by.unsigned_abs()).rounded();
                format!("{server}’s clock was set {way} by {by}.")
            };
            /// A server crashed and lost its disk. This new server, if there is one, takes its
            /// place in the cluster.
            Wiped(server: ServerId, heir: Option<ServerId>) "wiped" [Disk] "" => match heir {
                None => format!("{server}’s disk is lost: a new one, empty, takes its place."),
                Some(heir) => format!("{server}’s disk is lost: {heir} takes its place."),
            };
            /// A server crashed, and a record of its log is corrupt.
            Rotted(server: ServerId) "rotted" [Disk] "" => {
                format!("A record of the log on {server}’s disk can’t be read any more.")
            };
            /// A server's write failed, and it crashed.
            WriteFailed(server: ServerId) "write-failed" [Disk] "" => {
                format!("A write to {server}’s disk failed: the server crashed rather than guess what is on it.")
            };
            /// A server's disk stalls, or works again.
            DiskStalled(server: ServerId, stalled: bool) "disk-stalled" [Disk] "" => match stalled {
                true => format!("{server}’s disk has stalled: it finishes no write."),
                false => format!("{server}’s disk works again."),
            };
            /// A server's disk is full, or has room again.
            DiskFull(server: ServerId, full: bool) "disk-full" [Disk] "" => match full {
                true => format!("{server}’s disk is full: entries and snapshots wait for room."),
                false => format!("{server}’s disk has room again."),
            };
            /// A server's disk is slower or faster from now on.
            DiskSpeed(server: ServerId, min: Duration, max: Duration) "disk-speed" [Disk] "" => {
                format!("{server}’s disk takes {min} to {max} for a write from now on.")
            };
            /// From now on one direction of a link is slower or loses messages, or it is no longer
            /// so.
            Impaired(from: ServerId, to: ServerId, delay: Duration, loss: Ppm) "impaired" [Network] "" => {
                match (*delay, *loss) {
                    (Duration::ZERO, 0) => format!("The link from {from} to {to} is as good as the others again."),
                    (delay, 0) => format!("The link from {from} to {to} takes {delay} longer."),
                    (Duration::ZERO, loss) => {
                        format!("The link from {from} to {to} loses {} of its messages.", percent(loss))
                    }
                    (delay, loss) => format!(
                        "The link from {from} to {to} takes {delay} longer and loses {} of its messages.",
                        percent(loss)
                    ),
                }
            };
            /// A server was cut off from all others.
            Isolated(server: ServerId) "isolated" [Cut] "" => format!("{server} is cut off from all others.");
            /// No other server hears a server any more.
            Muted(server: ServerId) "muted" [Cut] "" => {
                format!("No other server hears {server}; it still hears them.")
            };
            /// A server hears no other server any more.
            Deafened(server: ServerId) "deafened" [Cut] "" => {
                format!("{server} hears no other server; they still hear it.")
            };
            /// From now on another share of messages is held up, for at most this long.
            StragglingSet(share: Ppm, delay: Duration) "straggling-set" [Network] "" => match share {
                0 => String::from("No message is held up any more."),
                _ => format!("From now on {} of messages are held up, for at most {delay}.", percent(*share)),
            };
            /// From now on another share of messages of a kind is late, by at most this delay, or a
            /// copy of each is late.
            LatenessSet(of: MessageKind, share: Ppm, delay: Duration, copies: bool) "lateness-set" [Network] "" => {
                let (some, all) = (percent(*share), of_all(*of));
                match copies {
                    _ if *share == 0 => format!("No {} late any more.", are(*of)),
                    false => format!("From now on {some} of {all} are late, by at most {delay}."),
                    true => format!("From now on {some} of {all} arrive a second time, at most {delay} later."),
                }
            };
            /// From now on messages take this long.
            LatencySet(min: Duration, max: Duration) "latency-set" [Network] "" => {
                format!("Messages take {min} to {max} from now on.")
            };
            /// Another share of messages is duplicated from now on.
            DuplicationSet(share: Ppm) "duplication-set" [Network] "" => {
                format!("From now on {} of messages arrive twice.", percent(*share))
            };
            /// A server is to join.
            Joining(server: ServerId) "joining" [] "" => {
                format!("{server} is to join the cluster, as a learner first.")
            };
            /// A server is to join as a learner.
            JoiningToLearn(server: ServerId) "joining-to-learn" [] "" => {
                format!("{server} is to join the cluster, as a learner for good.")
            };
            /// A server is to be a member again.
            ComingBack(server: ServerId) "coming-back" [] "" => {
                format!("{server} is to join the cluster again, as a learner first.")
            };
            /// A server is to leave.
            Leaving(server: ServerId) "leaving" [] "" => format!("{server} is to leave the cluster.");
            /// A server starts with parameters of its own from now on.
            Configured(server: ServerId, with: OwnTiming) "configured" [] "" => {
                let (min, max) = (with.election_timeout_min, with.election_timeout_max);
                let asks = if with.pre_vote { "asks before it campaigns" } else { "campaigns without asking" };
                let checks = if with.check_quorum { "checks its quorum" } else { "checks no quorum" };
                format!("From its next start on, {server} waits {min} to {max} for a leader, {asks}, and {checks}.")
            };
            /// These servers reach each other and no others.
            IsolatedTogether(servers: ServerSet) "isolated-together" [Cut] "" => {
                let are = if servers.len() == 1 { "is" } else { "are" };
                format!("{servers} {are} cut off from all others.")
            };
            /// Clients send their reads to this server first.
            ReadsAt(server: ServerId) "reads-at" [] "" => {
                format!("From now on clients send their reads to {server} first.")
            };
            /// Clients choose by themselves which server they send reads to.
            ReadsAnywhere "reads-anywhere" [] "" => {
                String::from("Clients choose by themselves again which server they send reads to.")
            };
            /// The storm is over for these servers.
            QuorumHealed(servers: ServerSet) "quorum-healed" [Heal] "" => {
                format!("{servers} work again and reach each other; everything else stays broken.")
            };
            /// A link was cut in one direction.
            Cut(from: ServerId, to: ServerId) "cut" [Cut] "Raft §5.1" => {
                format!("The link from {from} to {to} is cut.")
            };
            /// A link was healed in one direction.
            Healed(from: ServerId, to: ServerId) "healed" [Heal] "" => {
                format!("The link from {from} to {to} works again.")
            };
            /// The network was split into groups.
            Partitioned(groups: String) "partitioned" [Cut] "Raft §5.1" => {
                let is = if groups.bytes().any(|byte| byte == b'|') { "split" } else { "in one piece" };
                format!("The network is {is}: {groups}.")
            };
            /// Every link works again.
            AllHealed "all-healed" [Heal] "" => String::from("Every link works again.");
            /// Another share of messages is lost from now on.
            LossSet(share: Ppm) "loss-set" [Network] "" => {
                format!("From now on {} of messages are lost.", percent(*share))
            };
            /// A client began an operation.
            Began(operation: Arc<OperationRecord>) "began" [] "Raft §8" => {
                format!("{} asks: {}.", capital(operation.client), operation.request)
            };
            /// A client's operation ended.
            Ended(operation: Arc<OperationRecord>) "ended" [] "Raft §8" => {
                let how = match operation.end {
                    Some((_, End::Answered(_))) => "has an answer to",
                    _ => "gave up on",
                };
                format!("{} {how} {}: {}.", capital(operation.client), operation.request, operation.answer())
            };
        }
    };
}

macro_rules! define_what {
    ($(
        $(#[$doc:meta])+
        $what:ident $(($($field:ident: $type:ty),+))? $kind:literal [$($moment:ident)?] $section:literal => $words:expr;
    )+) => {
        /// What happened.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum What {
            /// A server noticed something.
            Observed(ServerId, Observation),
            /// What becomes of a message. Only what a person does to one is told to listeners that
            /// don't listen to messages.
            Message(MessageEvent),
            $($(#[$doc])+ $what $(($($type),+))?,)+
        }
    };
}
news!(define_what);

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageEvent {
    /// It was sent. This is the first news of it.
    Sent(Arc<Flight>),
    /// A copy of it was sent, too, under its own number.
    Duplicated {
        /// The message.
        message: u64,
        /// The copy.
        copy: u64,
        /// Whether a person did it.
        by_hand: bool,
    },
    /// A person holds it where it is.
    Held(u64),
    /// A person lets it arrive now.
    Released(u64),
    /// It came to its receiver.
    Arrived(u64),
    /// It is lost. This is told once, as soon as it is certain, and the moment of the loss may
    /// still be ahead.
    Lost(u64, Loss),
}

impl MessageEvent {
    /// The number of the message.
    pub fn message(&self) -> u64 {
        match self {
            MessageEvent::Sent(flight) => flight.number,
            MessageEvent::Duplicated { message, .. }
            | MessageEvent::Held(message)
            | MessageEvent::Released(message)
            | MessageEvent::Arrived(message)
            | MessageEvent::Lost(message, _) => *message,
        }
    }

    /// Whether a person did it.
    pub const fn is_by_hand(&self) -> bool {
        match self {
            MessageEvent::Held(_) | MessageEvent::Released(_) => true,
            MessageEvent::Duplicated { by_hand, .. } => *by_hand,
            MessageEvent::Lost(_, loss) => matches!(loss.why, LossReason::Dropped),
            MessageEvent::Sent(_) | MessageEvent::Arrived(_) => false,
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            MessageEvent::Sent(_) => "message-sent",
            MessageEvent::Duplicated { .. } => "message-duplicated",
            MessageEvent::Held(_) => "message-held",
            MessageEvent::Released(_) => "message-released",
            MessageEvent::Arrived(_) => "message-arrived",
            MessageEvent::Lost(..) => "message-lost",
        }
    }

    fn words(&self) -> String {
        let done = match self {
            MessageEvent::Sent(_) => "is sent",
            MessageEvent::Duplicated { by_hand: true, .. } => "is sent once more",
            MessageEvent::Duplicated { .. } => "is duplicated",
            MessageEvent::Held(_) => "is held where it is",
            MessageEvent::Released(_) => "arrives now",
            MessageEvent::Arrived(_) => "arrives",
            MessageEvent::Lost(_, loss) => match loss.why {
                LossReason::Dropped | LossReason::Chance => "is lost",
                LossReason::Cut => "is lost: its link is cut",
                LossReason::ReceiverDown => "is lost: its receiver is down",
            },
        };
        format!("Message {} {done}.", self.message())
    }
}

/// The server that a piece of news is about. The names come twice: once to be compared, and once to
/// be used.
macro_rules! about {
    ((server $($rest:ident)*) ($server:ident $($more:ident)*)) => {
        Some(*$server)
    };
    (($($any:ident)*) ($($same:ident)*)) => {
        None
    };
}

macro_rules! always {
    () => {
        None
    };
    ($moment:ident) => {
        Some(MomentKind::$moment)
    };
}

macro_rules! list_kinds {
    ($(
        $(#[$doc:meta])+
        $what:ident $(($($field:ident: $type:ty),+))? $kind:literal [$($moment:ident)?] $section:literal => $words:expr;
    )+) => {
        &[$($kind),+]
    };
}

impl News {
    /// The names of what happens to the world, besides what servers observe
    /// ([`Observation::NAMES`]) and what becomes of messages.
    pub const KINDS: &[&str] = news!(list_kinds);

    /// The name of what happened in files: that of the observation, or of the row of the table.
    pub const fn kind(&self) -> &'static str {
        macro_rules! kind {
            ($(
                $(#[$doc:meta])+
                $what:ident $(($($field:ident: $type:ty),+))? $kind:literal [$($moment:ident)?] $section:literal => $words:expr;
            )+) => {
                match &self.what {
                    What::Observed(_, observation) => observation.name(),
                    What::Message(event) => event.kind(),
                    $(What::$what { .. } => $kind,)+
                }
            };
        }
        news!(kind)
    }

    /// The server it is about, if it is about one.
    #[allow(unused_variables)] // Fields that aren't the server are named, too.
    pub fn server(&self) -> Option<ServerId> {
        macro_rules! server {
            ($(
                $(#[$doc:meta])+
                $what:ident $(($($field:ident: $type:ty),+))? $kind:literal [$($moment:ident)?] $section:literal => $words:expr;
            )+) => {
                match &self.what {
                    What::Observed(server, _) => Some(*server),
                    What::Message(_) => None,
                    $(What::$what $(($($field),+))? => about!(($($($field)+)?) ($($($field)+)?)),)+
                }
            };
        }
        news!(server)
    }

    /// The kind of moment that it always is, if it is one.
    pub(super) fn moment(&self) -> Option<MomentKind> {
        macro_rules! moment {
            ($(
                $(#[$doc:meta])+
                $what:ident $(($($field:ident: $type:ty),+))? $kind:literal [$($moment:ident)?] $section:literal => $words:expr;
            )+) => {
                match &self.what {
                    What::Observed(..) | What::Message(_) => None,
                    $(What::$what { .. } => always!($($moment)?),)+
                }
            };
        }
        news!(moment)
    }

    /// Whether only listeners to messages ([`Listening::Messages`](super::Listening)) are told of
    /// it.
    pub const fn is_of_traffic(&self) -> bool {
        matches!(&self.what, What::Message(event) if !event.is_by_hand())
    }

    /// How much it matters. This makes no sentence, so it is cheap.
    pub fn weight(&self) -> Weight {
        match &self.what {
            What::Observed(_, observation) => observation.weight(),
            What::Message(event) if event.is_by_hand() => Weight::Notable,
            What::Message(_) | What::Started(_, 1) | What::Began(..) => Weight::Detail,
            What::Ended(operation) if operation.client != ClientId::PERSON => Weight::Detail,
            What::Ended(..) => Weight::Notable,
            // What is done to the world.
            _ => Weight::Turning,
        }
    }

    /// In words.
    #[allow(unused_variables)] // Not every sentence says all that is known.
    pub fn sentence(&self) -> Sentence {
        macro_rules! sentence {
            ($(
                $(#[$doc:meta])+
                $what:ident $(($($field:ident: $type:ty),+))? $kind:literal [$($moment:ident)?] $section:literal => $words:expr;
            )+) => {
                match &self.what {
                    What::Observed(server, observation) => return observation.sentence(*server),
                    What::Message(event) => (event.words(), ""),
                    $(What::$what $(($($field),+))? => ($words, $section),)+
                }
            };
        }
        let (text, section) = news!(sentence);
        Sentence { text, weight: self.weight(), section }
    }
}

fn capital(client: ClientId) -> String {
    if client == ClientId::PERSON { String::from("Client 1 (you)") } else { format!("Client {}", client.0) }
}

/// All messages of a kind, in a sentence.
fn of_all(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Everything => "the messages between servers",
        MessageKind::Votes => "the vote requests and responses",
        MessageKind::Appends => "the appends",
        MessageKind::Acknowledgements => "the responses to appends and snapshots",
        MessageKind::Snapshots => "the pieces of snapshots",
        MessageKind::Transfers => "the orders to take over",
        MessageKind::Reads => "the read index requests and responses",
        MessageKind::Requests => "the clients’ requests",
    }
}

/// Messages of a kind, with a verb, for a sentence that says they are late no more.
fn are(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Everything => "messages are",
        MessageKind::Votes => "vote requests or responses are",
        MessageKind::Appends => "appends are",
        MessageKind::Acknowledgements => "responses to appends or snapshots are",
        MessageKind::Snapshots => "pieces of snapshots are",
        MessageKind::Transfers => "orders to take over are",
        MessageKind::Reads => "read index requests or responses are",
        MessageKind::Requests => "clients’ requests are",
    }
}

/// `12.5 %`.
fn percent(ppm: u32) -> String {
    let (whole, rest) = (ppm / 10_000, ppm % 10_000);
    if rest == 0 {
        return format!("{whole} %");
    }
    let rest = format!("{rest:04}");
    format!("{whole}.{} %", rest.trim_end_matches('0'))
}
