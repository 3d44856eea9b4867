//! What happened, for those who watch: servers' observations and the world's own events, as data
//! and as sentences.

use alloc::format;
use alloc::string::String;

use super::action::{MessageKind, OwnTiming};
use super::client::ClientId;
use super::parameters::Ppm;
use crate::raft::{Observation, Sentence, ServerId, ServerSet, Weight};
use crate::time::{Duration, Time};

/// What is told of a message that somebody dropped.
pub(super) const DROPPED: &str = "is lost";

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// When, on the world's clock.
    pub at: Time,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A server noticed something.
    Observed(ServerId, Observation),
    /// A server lost power; so many writes were on their way to its disk.
    Crashed(ServerId, usize),
    /// A server started, in its nth life.
    Started(ServerId, u32),
    /// A server stands still.
    Paused(ServerId),
    /// A server goes on.
    Resumed(ServerId),
    /// A server's clock runs at another rate.
    ClockRate(ServerId, u32),
    /// A server's clock was set.
    ClockJumped(ServerId, i64),
    /// A server crashed and lost its disk.
    Wiped(ServerId),
    /// A server crashed, and a record of its log is unreadable.
    Rotted(ServerId),
    /// A server's write failed, and it crashed.
    WriteFailed(ServerId),
    /// A server's disk stalls, or goes on.
    DiskStalled(ServerId, bool),
    /// A server's disk is full, or has room again.
    DiskFull(ServerId, bool),
    /// A server's disk is slower or faster from now on.
    DiskSpeed(ServerId, Duration, Duration),
    /// One direction of a link is slower or loses messages from now on, or no longer.
    Impaired(ServerId, ServerId, Duration, Ppm),
    /// A server was cut off from everybody.
    Isolated(ServerId),
    /// Nobody hears a server any more.
    Muted(ServerId),
    /// A server hears nobody any more.
    Deafened(ServerId),
    /// Another share of messages is held up from now on, for so long at most.
    StragglingSet(Ppm, Duration),
    /// Another share of messages of a kind is late from now on, by so much at most, or a copy of
    /// each is.
    LatenessSet(MessageKind, Ppm, Duration, bool),
    /// Messages take longer or shorter from now on.
    LatencySet(Duration, Duration),
    /// Another share of messages is duplicated from now on.
    DuplicationSet(Ppm),
    /// Something was done to the message of that number.
    MessageTouched(u64, &'static str),
    /// A server is to join.
    Joining(ServerId),
    /// A server is to join as a learner.
    JoiningToLearn(ServerId),
    /// A server is to be a member again.
    ComingBack(ServerId),
    /// A server is to leave.
    Leaving(ServerId),
    /// A server starts with parameters of its own from now on.
    Configured(ServerId, OwnTiming),
    /// These servers reach each other and nobody else.
    IsolatedTogether(ServerSet),
    /// Clients ask this server first for what they read.
    ReadsAt(ServerId),
    /// Clients ask whom they please for what they read.
    ReadsAnywhere,
    /// The storm is over for these servers.
    QuorumHealed(ServerSet),
    /// A link was cut in one direction.
    Cut(ServerId, ServerId),
    /// A link was healed in one direction.
    Healed(ServerId, ServerId),
    /// The network was split into groups.
    Partitioned(String),
    /// Every link works again.
    AllHealed,
    /// Another share of messages is lost from now on.
    LossSet(Ppm),
    /// A client began an operation.
    Began(ClientId, String),
    /// A client's operation ended.
    Ended(ClientId, String, String),
}

impl News {
    /// The name of what happened in files: that of the observation, or of the variant of [`What`],
    /// in small letters.
    pub const fn kind(&self) -> &'static str {
        match &self.what {
            What::Observed(_, observation) => observation.name(),
            What::Crashed(..) => "crashed",
            What::Started(..) => "started",
            What::Paused(..) => "paused",
            What::Resumed(..) => "resumed",
            What::ClockRate(..) => "clock-rate",
            What::ClockJumped(..) => "clock-jumped",
            What::Wiped(..) => "wiped",
            What::Rotted(..) => "rotted",
            What::WriteFailed(..) => "write-failed",
            What::DiskStalled(..) => "disk-stalled",
            What::DiskFull(..) => "disk-full",
            What::DiskSpeed(..) => "disk-speed",
            What::Impaired(..) => "impaired",
            What::Isolated(..) => "isolated",
            What::Muted(..) => "muted",
            What::Deafened(..) => "deafened",
            What::StragglingSet(..) => "straggling-set",
            What::LatenessSet(..) => "lateness-set",
            What::LatencySet(..) => "latency-set",
            What::DuplicationSet(..) => "duplication-set",
            What::MessageTouched(..) => "message-touched",
            What::Joining(..) => "joining",
            What::JoiningToLearn(..) => "joining-to-learn",
            What::ComingBack(..) => "coming-back",
            What::Leaving(..) => "leaving",
            What::Configured(..) => "configured",
            What::IsolatedTogether(..) => "isolated-together",
            What::ReadsAt(..) => "reads-at",
            What::ReadsAnywhere => "reads-anywhere",
            What::QuorumHealed(..) => "quorum-healed",
            What::Cut(..) => "cut",
            What::Healed(..) => "healed",
            What::Partitioned(..) => "partitioned",
            What::AllHealed => "all-healed",
            What::LossSet(..) => "loss-set",
            What::Began(..) => "began",
            What::Ended(..) => "ended",
        }
    }

    /// The server it is about, if it is about one.
    pub fn server(&self) -> Option<ServerId> {
        match self.what {
            What::Observed(server, _)
            | What::Crashed(server, _)
            | What::Started(server, _)
            | What::Paused(server)
            | What::Resumed(server)
            | What::ClockRate(server, _)
            | What::ClockJumped(server, _)
            | What::Wiped(server)
            | What::Rotted(server)
            | What::WriteFailed(server)
            | What::DiskStalled(server, _)
            | What::DiskFull(server, _)
            | What::DiskSpeed(server, ..)
            | What::Isolated(server)
            | What::Muted(server)
            | What::Deafened(server)
            | What::Joining(server)
            | What::JoiningToLearn(server)
            | What::ComingBack(server)
            | What::Configured(server, _)
            | What::ReadsAt(server)
            | What::Leaving(server) => Some(server),
            _ => None,
        }
    }

    /// How much it matters; nothing is put into words for that.
    pub fn weight(&self) -> Weight {
        match &self.what {
            What::Observed(_, observation) => observation.weight(),
            What::Started(_, 1) | What::Began(..) => Weight::Detail,
            What::Ended(client, ..) if *client != ClientId::PERSON => Weight::Detail,
            What::Ended(..) | What::MessageTouched(..) => Weight::Notable,
            // What is done to the world.
            _ => Weight::Turning,
        }
    }

    /// In words.
    pub fn sentence(&self) -> Sentence {
        let text = match &self.what {
            What::Observed(server, observation) => return observation.sentence(*server),
            What::Crashed(server, 0) => format!("{server} crashed. All it knew is on its disk."),
            What::Crashed(server, _) => {
                format!("{server} crashed while it was writing: what wasn’t synced may be gone.")
            }
            What::Started(server, 1) => format!("{server} started."),
            What::Started(server, _) => {
                format!("{server} restarted with what was on its disk; all else it forgot.")
            }
            What::Cut(from, to) => format!("The link from {from} to {to} is cut."),
            What::Healed(from, to) => format!("The link from {from} to {to} works again."),
            What::Partitioned(groups) => format!("The network is split: {groups}."),
            What::AllHealed => String::from("Every link works again."),
            What::Paused(server) => format!("{server} stands still; messages wait for it."),
            What::Resumed(server) => format!("{server} goes on."),
            What::ClockRate(server, 0) => format!("{server}’s clock has stopped."),
            What::ClockRate(server, rate) => {
                format!("{server}’s clock runs at {} of the true rate from now on.", percent(*rate))
            }
            What::ClockJumped(server, micros) => {
                let by = Duration::from_micros(micros.unsigned_abs()).rounded();
                let way = if *micros < 0 { "back" } else { "forward" };
                format!("{server}’s clock was set {way} by {by}.")
            }
            What::Wiped(server) => {
                format!("{server} crashed and lost its disk: all it knew is gone.")
            }
            What::Rotted(server) => {
                format!("{server} crashed, and a record of its log can’t be read any more.")
            }
            What::WriteFailed(server) => {
                format!("A write to {server}’s disk failed: it crashed rather than guess what is there.")
            }
            What::DiskStalled(server, true) => {
                format!("{server}’s disk finishes no write any more.")
            }
            What::DiskStalled(server, false) => format!("{server}’s disk works again."),
            What::DiskFull(server, true) => {
                format!("{server}’s disk is full: nothing that takes room is written any more.")
            }
            What::DiskFull(server, false) => format!("{server}’s disk has room again."),
            What::DiskSpeed(server, min, max) => {
                format!("{server}’s disk takes {min} to {max} for a write from now on.")
            }
            What::Impaired(from, to, Duration::ZERO, 0) => {
                format!("The link from {from} to {to} is as good as the others again.")
            }
            What::Impaired(from, to, delay, loss) => format!(
                "The link from {from} to {to} takes {delay} longer and loses {} of its messages.",
                percent(*loss)
            ),
            What::Isolated(server) => format!("{server} is cut off from everybody."),
            What::Muted(server) => format!("No other server hears {server}; it still hears them."),
            What::Deafened(server) => format!("{server} hears no other server; they still hear it."),
            What::StragglingSet(0, _) => String::from("No message is held up any more."),
            What::StragglingSet(share, delay) => {
                format!("From now on {} of messages are held up, for {delay} at most.", percent(*share))
            }
            What::LatenessSet(of, 0, ..) => format!("No {} late any more.", are(*of)),
            What::LatenessSet(of, share, delay, false) => {
                format!("From now on {} of {} come late, by {delay} at most.", percent(*share), of_all(*of))
            }
            What::LatenessSet(of, share, delay, true) => format!(
                "From now on {} of {} arrive once more, by {delay} later at most.",
                percent(*share),
                of_all(*of)
            ),
            What::LatencySet(min, max) => format!("Messages take {min} to {max} from now on."),
            What::LossSet(ppm) => format!("From now on {} of messages are lost.", percent(*ppm)),
            What::DuplicationSet(ppm) => {
                format!("From now on {} of messages arrive twice.", percent(*ppm))
            }
            What::MessageTouched(number, done) => format!("Message {number} {done}."),
            What::Joining(server) => format!("{server} is to join the cluster, as a learner first."),
            What::JoiningToLearn(server) => {
                format!("{server} is to join the cluster, as a learner for good.")
            }
            What::ComingBack(server) => {
                format!("{server} is to be a voter again, under its old number: as a learner first.")
            }
            What::Configured(server, with) => {
                let (min, max) = (with.election_timeout_min, with.election_timeout_max);
                let asks = if with.pre_vote { "asks before it campaigns" } else { "campaigns without asking" };
                let checks = if with.check_quorum { "checks its quorum" } else { "checks no quorum" };
                let text = format!(
                    "From its next start on, {server} waits {min} to {max} for a leader, {asks}, and {checks}."
                );
                text
            }
            What::IsolatedTogether(servers) => format!("{servers} are cut off from everybody else."),
            What::ReadsAt(server) => {
                format!("From now on clients ask {server} first for what they read.")
            }
            What::ReadsAnywhere => String::from("Clients ask whom they please again for what they read."),
            What::Leaving(server) => format!("{server} is to leave the cluster."),
            What::QuorumHealed(servers) => {
                format!("{servers} work again and reach each other; everything else stays broken.")
            }
            What::Began(client, request) => format!("{} asks: {request}.", capital(*client)),
            What::Ended(client, request, answer) => {
                format!("{} has an answer to {request}: {answer}.", capital(*client))
            }
        };
        let section = match &self.what {
            What::Crashed(..) | What::Started(..) => "Raft §5.5",
            What::Cut(..) | What::Partitioned(_) => "Raft §5.1",
            What::Began(..) | What::Ended(..) => "Raft §8",
            _ => "",
        };
        Sentence { text, weight: self.weight(), section }
    }
}

fn capital(client: ClientId) -> String {
    if client == ClientId::PERSON { String::from("Client 1 (you)") } else { format!("Client {}", client.0) }
}

/// Messages of a kind, in a sentence.
fn of_all(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Everything => "the messages between servers",
        MessageKind::Votes => "the questions for votes and the answers",
        MessageKind::Appends => "the appends",
        MessageKind::Acknowledgements => "the answers to appends and snapshots",
        MessageKind::Snapshots => "the pieces of snapshots",
        MessageKind::Transfers => "the orders to take over",
        MessageKind::Reads => "the questions where to read and the answers",
        MessageKind::Requests => "what clients ask for",
    }
}

/// What is late no more.
fn are(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Everything => "messages are",
        MessageKind::Votes => "questions for votes or answers are",
        MessageKind::Appends => "appends are",
        MessageKind::Acknowledgements => "answers to appends or snapshots are",
        MessageKind::Snapshots => "pieces of snapshots are",
        MessageKind::Transfers => "orders to take over are",
        MessageKind::Reads => "questions where to read or answers are",
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
