//! What a person, a script or a storm can do to the world. Everything a person does is one of
//! these, so that a run is its seed and its actions.

use alloc::string::String;
use alloc::vec::Vec;

use super::parameters::Ppm;
use crate::raft::{Message, ServerId};
use crate::time::{Duration, Time};

/// Something done to the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A server loses power: everything volatile is gone, and of what wasn't durable, perhaps a
    /// beginning is left.
    Crash(Target),
    /// A crashed server starts again from its disk. One that runs is left alone.
    Restart(ServerId),
    /// Every crashed server starts again.
    RestartAll,
    /// A server stands still (a long garbage collection, say): messages wait for it, its clock goes
    /// on.
    Pause(Target),
    /// A paused server goes on.
    Resume(ServerId),
    /// Every paused server goes on.
    ResumeAll,
    /// A server campaigns now, as if its election timeout had passed.
    Campaign(ServerId),
    /// A server's clock runs at so many parts per million of the world's time from now on; 0 stops
    /// it.
    SetClockRate {
        /// The server.
        server: ServerId,
        /// The rate.
        rate: u32,
    },
    /// A server's clock is set forward, or back.
    JumpClock {
        /// The server.
        server: ServerId,
        /// By so many microseconds.
        micros: i64,
    },

    /// A server crashes and its disk is gone; the operator puts a new server in its place. Left
    /// out, like every fault of a disk, where no correct cluster could recover: the server then
    /// only crashes.
    Wipe(Target),
    /// A server crashes, and a record of its log turns out to be unreadable when it starts again.
    Rot(Target),
    /// The write under way to a server's disk fails: the server crashes, and finds out at its
    /// restart what is really there.
    FailWrite(Target),
    /// A server's disk finishes no write (it is full, or hangs), or does again.
    StallDisk {
        /// The server.
        server: ServerId,
        /// Whether it stalls.
        stalled: bool,
    },
    /// How long a server's disk takes for a write from now on.
    SetFsync {
        /// The server.
        server: ServerId,
        /// At least.
        min: Duration,
        /// At most.
        max: Duration,
    },

    /// Nothing gets from one server to another any more; the other direction is left alone.
    Cut {
        /// The sender.
        from: ServerId,
        /// The receiver.
        to: ServerId,
    },
    /// Messages get from one server to another again, as they should.
    Heal {
        /// The sender.
        from: ServerId,
        /// The receiver.
        to: ServerId,
    },
    /// One direction of a link is slower and loses messages, besides what the whole network does.
    Impair {
        /// The sender.
        from: ServerId,
        /// The receiver.
        to: ServerId,
        /// How much longer each message takes.
        delay: Duration,
        /// How many are lost.
        loss: Ppm,
    },
    /// Servers reach each other only within their group: a group number for each server, in order.
    Partition(Vec<u8>),
    /// A server reaches nobody, and nobody reaches it.
    Isolate(Target),
    /// Every link works again, in both directions.
    HealAll,
    /// From now on so many messages are lost.
    SetLoss(Ppm),
    /// From now on so many messages arrive twice.
    SetDuplication(Ppm),
    /// From now on messages take so long.
    SetLatency {
        /// At least.
        min: Duration,
        /// At most.
        max: Duration,
    },
    /// The message of that number is lost where it is.
    DropMessage(u64),
    /// The message of that number is sent once more.
    DuplicateMessage(u64),
    /// The message of that number waits until it is delivered by hand.
    HoldMessage(u64),
    /// The message of that number arrives now.
    DeliverMessage(u64),

    /// The leader hands over to a server.
    TransferLeadership(ServerId),
    /// A new server joins the cluster: as a learner, and as a voter once it has caught up.
    AddServer,
    /// A server leaves the cluster.
    RemoveServer(ServerId),

    /// The person at the command line enters a command.
    Submit(String),
    /// The storm is over for a bare quorum, drawn with this number: its servers and the links
    /// between them work again, and every other fault stays as it is for good. If the number is
    /// odd, all other servers are down.
    HealQuorum(u64),

    // Kinds are numbered in the trace hash by their order here: new ones come last.
    /// A server loses power in the middle of a write: all that was on its way to the disk is there,
    /// but for the end of the last write.
    TearWrite(Target),
    /// A server's disk is full, or has room again: entries and snapshots wait for room, terms and
    /// votes are written in place.
    FillDisk {
        /// The server.
        server: ServerId,
        /// Whether it is full.
        full: bool,
    },
    /// Nothing that a server sends reaches another server any more; it still hears them.
    Mute(Target),
    /// Nothing that other servers send reaches this one any more; they still hear it.
    Deafen(Target),
    /// From now on so many messages between servers are held up on their way, and arrive long after
    /// those sent later.
    SetStraggling {
        /// How many.
        share: Ppm,
        /// For how long at most, besides what every message takes.
        delay: Duration,
    },
    /// From now on so many messages of a kind are late: by half of the delay at least, and long
    /// after the crash, the lost disk or the removal of whoever sent them, if the delay is long.
    /// Links that are cut meanwhile don't lose them.
    SetLate {
        /// Which messages. Of each, and of all, there is one setting.
        of: MessageKind,
        /// How many.
        share: Ppm,
        /// By how much at most, besides what every message takes.
        delay: Duration,
        /// Whether the message itself is in time, and only a copy of it is late.
        copies: bool,
    },
    /// A server and the newcomers (learners and, while the membership is a joint one, those that
    /// are new in it) reach each other and nobody else.
    IsolateWithNewcomers(Target),
    /// A new server joins the cluster as a learner, and stays one.
    AddLearner,
    /// A server that was removed is switched on, if it is off, and joins again under its number,
    /// with whatever is on its disk.
    AddBack(ServerId),
    /// A server crashes and its disk is gone, as with [`Action::Wipe`]. The operator takes its vote
    /// away and puts it back in, with an empty disk and under the same number.
    RenewDisk(Target),
    /// As [`Action::JumpClock`], for whoever leads or writes when the time comes. It looks at its
    /// clock at once; a paused server, which couldn't, is left alone.
    ShiftClock {
        /// The server.
        target: Target,
        /// By so many microseconds.
        micros: i64,
    },
    /// From its next start on, a server runs with parameters of its own.
    Configure {
        /// The server.
        server: ServerId,
        /// Its own parameters.
        with: OwnTiming,
    },
    /// From now on all that clients read they ask of this server first, whoever leads.
    ReadAt(Target),
    /// Clients ask whom they please again.
    ReadAnywhere,
}

/// Parameters that servers may differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnTiming {
    /// The shortest election timeout.
    pub election_timeout_min: Duration,
    /// The longest election timeout.
    pub election_timeout_max: Duration,
    /// Whether it asks before it campaigns.
    pub pre_vote: bool,
    /// Whether it steps down, as a leader, when it hears no quorum, and ignores campaigns while it
    /// hears a leader.
    pub check_quorum: bool,
}

/// Kinds of messages that a fault can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// All between servers.
    Everything,
    /// Questions for votes and pre-votes, and the answers.
    Votes,
    /// What leaders append, heartbeats among it.
    Appends,
    /// What followers answer to appends and to pieces of snapshots.
    Acknowledgements,
    /// Pieces of snapshots.
    Snapshots,
    /// A leader's word to its successor.
    Transfers,
    /// Followers' questions where to read, and the answers.
    Reads,
    /// What clients ask of servers. A request comes once at most: there are no copies.
    Requests,
}

impl MessageKind {
    /// All of them.
    pub const ALL: [MessageKind; 8] = [
        MessageKind::Everything,
        MessageKind::Votes,
        MessageKind::Appends,
        MessageKind::Acknowledgements,
        MessageKind::Snapshots,
        MessageKind::Transfers,
        MessageKind::Reads,
        MessageKind::Requests,
    ];

    /// The kind of a message between servers, besides [`MessageKind::Everything`].
    pub const fn of(message: &Message) -> MessageKind {
        match message {
            Message::PreVote(_)
            | Message::PreVoteResponse(_)
            | Message::RequestVote(_)
            | Message::RequestVoteResponse(_) => MessageKind::Votes,
            Message::AppendEntries(_) => MessageKind::Appends,
            Message::AppendEntriesResponse(_) | Message::InstallSnapshotResponse(_) => MessageKind::Acknowledgements,
            Message::InstallSnapshot(_) => MessageKind::Snapshots,
            Message::TimeoutNow(_) => MessageKind::Transfers,
            Message::ReadIndex(_) | Message::ReadIndexResponse(_) => MessageKind::Reads,
        }
    }

    /// Its name, in files and for people.
    pub const fn name(self) -> &'static str {
        match self {
            MessageKind::Everything => "everything",
            MessageKind::Votes => "votes",
            MessageKind::Appends => "appends",
            MessageKind::Acknowledgements => "acknowledgements",
            MessageKind::Snapshots => "snapshots",
            MessageKind::Transfers => "transfers",
            MessageKind::Reads => "reads",
            MessageKind::Requests => "requests",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<MessageKind> {
        MessageKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Whom an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// This server.
    Server(ServerId),
    /// The leader of the highest term, if there is one when the time comes.
    Leader,
    /// A server with a write on its way to its disk, if there is one when the time comes: faults
    /// find more there.
    Writer,
}

/// An action and when it is done: after everything else of that instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimedAction {
    /// When, on the world's clock.
    pub at: Time,
    /// What.
    pub action: Action,
}

impl From<ServerId> for Target {
    fn from(server: ServerId) -> Target {
        Target::Server(server)
    }
}
