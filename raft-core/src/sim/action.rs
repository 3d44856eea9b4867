//! What a person, a script or a storm can do to the world. Everything a person does is one of
//! these, so that a run is its seed and its actions.
//!
//! `actions` is the table of them, and `action_fields` that of what they are about. From these two
//! come the type, what is checked, the codec of links, the fields of files and their schema, the
//! list in `docs/formats.md`, and what the page knows of files.

use alloc::vec::Vec;

use super::parameters::{OwnTiming, Ppm};
use crate::kv::CommandLine;
use crate::listed::listed;
use crate::raft::{Message, ServerId, messages};
use crate::time::{Duration, Time};

/// Hands the fields that actions can have to a macro: the name of each, its type, what it may be,
/// its name in files and its form there, and an example of that. In a file they come in this order.
macro_rules! action_fields {
    ($then:ident) => {
        $then! {
            target: Target, aimed, "server" Aim, "\"S1\" or \"leader\"";
            server: ServerId, existing, "server" Server, "\"S1\"";
            from: ServerId, existing, "from" Server, "\"S1\"";
            to: ServerId, existing, "to" Server, "\"S2\"";
            rate: u32, clock_rate, "rate" Share, "\"96%\"";
            by: i64, jump, "by" Jump, "\"-100ms\"";
            stalled: bool, free, "stalled" Flag, "true";
            full: bool, free, "full" Flag, "true";
            min: Duration, length, "min" Length, "\"1ms\"";
            max: Duration, length, "max" Length, "\"5ms\"";
            delay: Duration, length, "delay" Length, "\"30ms\"";
            share: Ppm, share, "share" Share, "\"2.5%\"";
            groups: Vec<u8>, free, "groups" Groups, "[0, 0, 1, 1, 1]";
            message: u64, free, "message" Number, "17";
            command: CommandLine, free, "command" Text, "\"put x 1\"";
            draw: u64, free, "draw" Number, "0";
            of: MessageKind, free, "of" Kind, "\"votes\"";
            copies: bool, free, "copies" Flag, "true";
            pre_vote: bool, free, "pre_vote" Flag, "true";
            check_quorum: bool, free, "check_quorum" Flag, "true";
        }
    };
}
pub(crate) use action_fields;

/// Hands all actions to a macro: the number of each in links, its name in files, and the fields
/// that it has, in the order in which links have them. Links live on: a number is never given to
/// another action, nor its fields changed. New actions come last, for the trace hash tells them
/// apart by their order.
macro_rules! actions {
    ($then:ident) => {
        $then! {
            /// A server loses power: everything volatile is gone, and of what wasn't durable,
            /// perhaps a beginning is left.
            1 "crash" Crash(target);
            /// A crashed server starts again from its disk. One that runs is left alone.
            2 "restart" Restart(server);
            /// Every crashed server starts again.
            3 "restart-all" RestartAll;
            /// A server stands still (a long garbage collection, say): messages wait for it, its
            /// clock goes on.
            4 "pause" Pause(target);
            /// A paused server goes on.
            5 "resume" Resume(server);
            /// Every paused server goes on.
            6 "resume-all" ResumeAll;
            /// A server campaigns now, as if its election timeout had passed.
            7 "campaign" Campaign(server);
            /// A server's clock runs at this share of the true rate from now on; at nothing, it
            /// stands still.
            8 "set-clock-rate" SetClockRate { server, rate };
            /// A server's clock is set forward, or back.
            9 "jump-clock" JumpClock { server, by };
            /// A server crashes and its disk is gone; the operator puts a new server in its place.
            /// Left out, like every fault of a disk, where no correct cluster could recover: the
            /// server then only crashes.
            10 "wipe" Wipe(target);
            /// A server crashes, and a record of its log turns out to be unreadable when it starts
            /// again.
            11 "rot" Rot(target);
            /// The write under way to a server's disk fails: the server crashes, and finds out at
            /// its restart what is really there.
            12 "fail-write" FailWrite(target);
            /// A server's disk finishes no write (it hangs), or does again.
            13 "stall-disk" StallDisk { server, stalled };
            /// How long a server's disk takes for a write from now on.
            14 "set-fsync" SetFsync { server, min, max };
            /// Nothing gets from one server to another any more; the other direction is left alone.
            15 "cut" Cut { from, to };
            /// Messages get from one server to another again, as they should.
            16 "heal" Heal { from, to };
            /// One direction of a link is slower by this delay, and loses this share of its
            /// messages, besides what the whole network does.
            17 "impair" Impair { from, to, delay, share };
            /// Servers reach each other only within their group: a group number for each server, in
            /// order.
            18 "partition" Partition(groups);
            /// A server reaches nobody, and nobody reaches it.
            19 "isolate" Isolate(target);
            /// Every link works again, in both directions.
            20 "heal-all" HealAll;
            /// From now on this share of messages is lost.
            21 "set-loss" SetLoss(share);
            /// From now on this share of messages arrives twice.
            22 "set-duplication" SetDuplication(share);
            /// From now on messages take between so long and so long.
            23 "set-latency" SetLatency { min, max };
            /// The message of that number is lost where it is.
            24 "drop-message" DropMessage(message);
            /// The message of that number is sent once more.
            25 "duplicate-message" DuplicateMessage(message);
            /// The message of that number waits until it is delivered by hand.
            26 "hold-message" HoldMessage(message);
            /// The message of that number arrives now.
            27 "deliver-message" DeliverMessage(message);
            /// The leader hands over to a server.
            28 "transfer-leadership" TransferLeadership(server);
            /// A new server joins the cluster: as a learner, and as a voter once it has caught up.
            29 "add-server" AddServer;
            /// A server leaves the cluster.
            30 "remove-server" RemoveServer(server);
            /// The person at the command line enters a command: `put x 1`, `get x`, `delete x`,
            /// `cas x 1 2`.
            31 "submit" Submit(command);
            /// The storm is over for a bare quorum, drawn with this number: its servers and the
            /// links between them work again, and every other fault stays as it is for good. If the
            /// number is odd, all other servers are down.
            32 "heal-quorum" HealQuorum(draw);
            /// A server loses power in the middle of a write: all that was on its way to the disk
            /// is there, but for the end of the last write.
            33 "tear-write" TearWrite(target);
            /// A server's disk is full, or has room again: entries and snapshots wait for room,
            /// terms and votes are written in place.
            34 "fill-disk" FillDisk { server, full };
            /// Nothing that a server sends reaches another server any more; it still hears them.
            35 "mute" Mute(target);
            /// Nothing that other servers send reaches this one any more; they still hear it.
            36 "deafen" Deafen(target);
            /// From now on this share of messages between servers is held up on the way, for so
            /// long at most, and arrives long after those sent later.
            37 "set-straggling" SetStraggling { share, delay };
            /// From now on this share of messages of a kind is late, by half of the delay at least.
            /// With copies, the message itself is in time and a copy of it is late (but for a
            /// client's request, which comes once). What is late outlives the crash, the lost disk
            /// and the removal of whoever sent it, and is lost only if its link is cut when it
            /// arrives. Of each kind, and of all, there is one setting.
            38 "set-late" SetLate { of, copies, share, delay };
            /// A server and the newcomers (learners and, while the membership is a joint one, those
            /// that are new in it) reach each other and nobody else.
            39 "isolate-with-newcomers" IsolateWithNewcomers(target);
            /// A new server joins the cluster as a learner, and stays one.
            40 "add-learner" AddLearner;
            /// A server that was removed is switched on, if it is off, and joins again under its
            /// number, with whatever is on its disk.
            41 "add-back" AddBack(server);
            /// A server crashes and its disk is gone, as with [`Action::Wipe`]. The operator takes
            /// its vote away and puts it back in, with an empty disk and under the same number.
            42 "renew-disk" RenewDisk(target);
            /// As [`Action::JumpClock`], for whoever leads or writes when the time comes. It looks
            /// at its clock at once; a paused server, which couldn't, is left alone.
            43 "shift-clock" ShiftClock { target, by };
            /// From its next start on, a server has an election timeout of its own, asks or doesn't
            /// before it campaigns, and checks or doesn't whether it hears a quorum: as a leader it
            /// steps down if it doesn't, and as a follower it ignores campaigns while it hears a
            /// leader.
            44 "configure" Configure { server, pre_vote, check_quorum, min, max };
            /// From now on all that clients read they ask of this server first, whoever leads.
            45 "read-at" ReadAt(target);
            /// Clients ask whom they please again.
            46 "read-anywhere" ReadAnywhere;
        }
    };
}
pub(crate) use actions;

macro_rules! define_field_types {
    ($($field:ident: $type:ty, $may_be:ident, $name:literal $form:ident, $example:literal;)+) => {
        /// The type of a field of that name.
        macro_rules! field_type {
            $(($field) => { $type };)+
        }
    };
}
action_fields!(define_field_types);

macro_rules! define_action {
    ($(
        $(#[$doc:meta])+
        $number:literal $name:literal $action:ident $(($($only:ident),+))? $({ $($field:ident),+ })?;
    )+) => {
        /// Something done to the world.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Action {
            $(
                $(#[$doc])+
                $action $(($(field_type!($only)),+))? $({ $($field: field_type!($field)),+ })?,
            )+
        }
    };
}
actions!(define_action);

impl Action {
    /// Its name, in files and for people.
    pub const fn name(&self) -> &'static str {
        macro_rules! name {
            ($(
                $(#[$doc:meta])+
                $number:literal $name:literal $action:ident $(($($only:ident),+))? $({ $($field:ident),+ })?;
            )+) => {
                match self {
                    $(Action::$action { .. } => $name,)+
                }
            };
        }
        actions!(name)
    }

    /// What it configures a server with, if it does.
    pub const fn own_timing(&self) -> Option<OwnTiming> {
        match *self {
            Action::Configure { pre_vote, check_quorum, min, max, .. } => {
                Some(OwnTiming { election_timeout_min: min, election_timeout_max: max, pre_vote, check_quorum })
            }
            _ => None,
        }
    }
}

impl OwnTiming {
    /// A server runs with it from its next start on.
    pub const fn action(self, server: ServerId) -> Action {
        let OwnTiming { election_timeout_min: min, election_timeout_max: max, pre_vote, check_quorum } = self;
        Action::Configure { server, pre_vote, check_quorum, min, max }
    }
}

listed! {
    /// Kinds of messages that a fault can choose. Links number them in this order, from 0: new ones
    /// come last.
    MessageKind {
        /// All between servers.
        Everything "everything";
        /// Questions for votes and pre-votes, and the answers.
        Votes "votes";
        /// What leaders append, heartbeats among it.
        Appends "appends";
        /// What followers answer to appends and to pieces of snapshots.
        Acknowledgements "acknowledgements";
        /// Pieces of snapshots.
        Snapshots "snapshots";
        /// A leader's word to its successor.
        Transfers "transfers";
        /// Followers' questions where to read, and the answers.
        Reads "reads";
        /// What clients ask of servers. A request comes once at most: there are no copies.
        Requests "requests";
    }
}

impl MessageKind {
    /// The kind of a message between servers, besides [`MessageKind::Everything`].
    pub const fn of(message: &Message) -> MessageKind {
        macro_rules! kind {
            ($(
                $(#[$doc:meta])+
                $number:literal $message:ident $(in $box:ident)? $sign:literal,
                $turn:ident $(($yes:ident))? from $sender:ident, $kind:ident, $weight:ident { $($fields:tt)+ }
            )+) => {
                match message {
                    $(Message::$message(_) => MessageKind::$kind,)+
                }
            };
        }
        messages!(kind)
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
