//! What a person, a script or a storm can do to the world. Everything a person does is one of
//! these, so that a run is its seed and its actions.
//!
//! Two tables declare them: `actions` lists the actions, and `action_fields` the fields that they
//! can have. The type, the checks, the codec of links, the fields of files and their schema, the
//! list in `docs/formats.md` and the page's own tables are made from these two.

use alloc::vec::Vec;

use super::parameters::{OwnTiming, Ppm};
use crate::kv::CommandLine;
use crate::listed::listed;
use crate::raft::{Message, ServerId, messages};
use crate::time::{Duration, Time};

/// Hands the fields that actions can have to a macro. A row has the field's name, its type, its
/// check, its name in files, its form in files, and an example. Files have the fields in this
/// order.
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

/// Hands all actions to a macro. A row has the action's number in links, its name in files, and its
/// fields in the order in which links encode them. Old links must stay readable: the number and the
/// fields of an action never change, and no number is used twice. New actions come last, because
/// the trace hash tells actions apart by their order.
macro_rules! actions {
    ($then:ident) => {
        $then! {
            /// A server loses power. It loses everything in memory and the writes that aren't
            /// durable yet, except perhaps for the first of them.
            1 "crash" Crash(target);
            /// A crashed server starts again from its disk. Nothing happens to a server that runs.
            2 "restart" Restart(server);
            /// Every crashed server starts again.
            3 "restart-all" RestartAll;
            /// A server is paused, as by a long garbage collection: messages wait for it, and its
            /// clock keeps running.
            4 "pause" Pause(target);
            /// A paused server runs again.
            5 "resume" Resume(server);
            /// Every paused server runs again.
            6 "resume-all" ResumeAll;
            /// A server campaigns now, as if its election timeout had passed.
            7 "campaign" Campaign(server);
            /// From now on a server's clock runs at this share of the true rate; at 0% it stands
            /// still.
            8 "set-clock-rate" SetClockRate { server, rate };
            /// A server's clock is set forward or back.
            9 "jump-clock" JumpClock { server, by };
            /// A server crashes and loses its disk; the operator puts a new server in its place.
            /// Where no correct cluster could recover from the loss, the server only crashes. The
            /// same holds for [`Action::Rot`] and [`Action::RenewDisk`].
            10 "wipe" Wipe(target);
            /// A server crashes, and a record of its log turns out to be corrupt when it starts
            /// again.
            11 "rot" Rot(target);
            /// The write under way to a server's disk fails. The server crashes, and finds out at
            /// its restart what is really on the disk.
            12 "fail-write" FailWrite(target);
            /// A server's disk stalls, so that it finishes no write, or it works again.
            13 "stall-disk" StallDisk { server, stalled };
            /// From now on a server's disk takes between `min` and `max` for a write.
            14 "set-fsync" SetFsync { server, min, max };
            /// The link from one server to another is cut. The other direction stays as it is.
            15 "cut" Cut { from, to };
            /// The link from one server to another works again, without a delay or loss of its own.
            16 "heal" Heal { from, to };
            /// One direction of a link is slower by this delay and loses this share of its
            /// messages, in addition to what the whole network does.
            17 "impair" Impair { from, to, delay, share };
            /// The network is partitioned: servers reach each other only within their group.
            /// `groups` has a group number for each server, in order.
            18 "partition" Partition(groups);
            /// A server is cut off: it reaches no other server, and no other server reaches it.
            19 "isolate" Isolate(target);
            /// Every link works again, in both directions.
            20 "heal-all" HealAll;
            /// From now on this share of messages is lost.
            21 "set-loss" SetLoss(share);
            /// From now on this share of messages arrives twice.
            22 "set-duplication" SetDuplication(share);
            /// From now on a message takes between `min` and `max`.
            23 "set-latency" SetLatency { min, max };
            /// The message with this number is lost where it is.
            24 "drop-message" DropMessage(message);
            /// The message with this number is sent once more.
            25 "duplicate-message" DuplicateMessage(message);
            /// The message with this number waits until it is delivered by hand.
            26 "hold-message" HoldMessage(message);
            /// The message with this number arrives now.
            27 "deliver-message" DeliverMessage(message);
            /// The leader transfers its leadership to a server.
            28 "transfer-leadership" TransferLeadership(server);
            /// A new server joins the cluster: first as a learner, then as a voter once it has
            /// caught up.
            29 "add-server" AddServer;
            /// A server leaves the cluster.
            30 "remove-server" RemoveServer(server);
            /// The person at the command line enters a command: `put x 1`, `get x`, `delete x`,
            /// `cas x 1 2`.
            31 "submit" Submit(command);
            /// The storm is over for a bare quorum, which is drawn with this number: its servers
            /// and the links between them work again, and every other fault stays for good. If the
            /// number is odd, all other servers are down.
            32 "heal-quorum" HealQuorum(draw);
            /// A server loses power in the middle of a write: its last write is torn, and all
            /// writes before it are durable.
            33 "tear-write" TearWrite(target);
            /// A server's disk is full, or has room again. While it is full, entries and snapshots
            /// wait for room; terms and votes are written in place.
            34 "fill-disk" FillDisk { server, full };
            /// A server's messages reach no other server any more. It still receives theirs.
            35 "mute" Mute(target);
            /// A server receives no message of another server any more. The others still receive
            /// its messages.
            36 "deafen" Deafen(target);
            /// From now on this share of messages between servers is held up on the way, by at most
            /// this delay, and arrives after messages that were sent later.
            37 "set-straggling" SetStraggling { share, delay };
            /// From now on this share of messages of a kind is late, by at least half of this delay
            /// and at most all of it. With `copies`, the message itself is in time and a copy of it
            /// is late (except for a client's request, which is never copied). A late message
            /// survives the crash, the lost disk and the removal of its sender; it is lost only if
            /// its link is cut when it arrives. Each kind has one setting, and `everything` has its
            /// own.
            38 "set-late" SetLate { of, copies, share, delay };
            /// A server and the newcomers reach each other and no other server. Newcomers are the
            /// learners and, in a joint membership, the voters that only the new half has.
            39 "isolate-with-newcomers" IsolateWithNewcomers(target);
            /// A new server joins the cluster as a learner, and stays one.
            40 "add-learner" AddLearner;
            /// A removed server is started, if it is down, and joins again under its old number,
            /// with what is on its disk.
            41 "add-back" AddBack(server);
            /// A server crashes and loses its disk, as with [`Action::Wipe`]. The operator takes
            /// its vote away and then adds it back, with an empty disk and under the same number.
            42 "renew-disk" RenewDisk(target);
            /// Like [`Action::JumpClock`], but the target can also be the leader or the writer of
            /// that moment. The server reads its clock at once. Nothing happens to a paused server,
            /// because it couldn't do that.
            43 "shift-clock" ShiftClock { target, by };
            /// From its next start on, a server has its own election timeout and its own settings
            /// of pre-vote and check-quorum. With check-quorum, a leader steps down when it hears
            /// from no quorum, and a follower ignores campaigns while it hears from a leader.
            44 "configure" Configure { server, pre_vote, check_quorum, min, max };
            /// From now on clients send all reads to this server first, whether it leads or not.
            45 "read-at" ReadAt(target);
            /// Clients choose by themselves again which server they send reads to.
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
    /// The names of all actions, in the order of their numbers in links.
    pub const NAMES: &'static [&'static str] = {
        macro_rules! names {
            ($(
                $(#[$doc:meta])+
                $number:literal $name:literal $action:ident $(($($only:ident),+))? $({ $($field:ident),+ })?;
            )+) => {
                &[$($name),+]
            };
        }
        actions!(names)
    };

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

    /// The timing that it gives a server, if it is [`Action::Configure`].
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
    /// The action that gives a server this timing, from its next start on.
    pub const fn action(self, server: ServerId) -> Action {
        let OwnTiming { election_timeout_min: min, election_timeout_max: max, pre_vote, check_quorum } = self;
        Action::Configure { server, pre_vote, check_quorum, min, max }
    }
}

listed! {
    /// Kinds of messages that a fault can choose. Links number them in this order, from 0: new ones
    /// come last.
    MessageKind {
        /// All messages between servers.
        Everything "everything";
        /// Requests for votes and pre-votes, and the responses.
        Votes "votes";
        /// The appends of leaders, heartbeats included.
        Appends "appends";
        /// The responses to appends and to pieces of snapshots.
        Acknowledgements "acknowledgements";
        /// Pieces of snapshots.
        Snapshots "snapshots";
        /// A leader's order to its successor to campaign at once.
        Transfers "transfers";
        /// Followers' requests for a read index, and the responses.
        Reads "reads";
        /// Clients' requests. They are never copied: a request arrives at most once.
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

    /// The kind with this name.
    pub fn named(name: &str) -> Option<MessageKind> {
        MessageKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The server that an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// This server.
    Server(ServerId),
    /// The leader of the highest term, if there is one when the time comes.
    Leader,
    /// A server with a write on its way to its disk, if there is one when the time comes. Faults
    /// have more to destroy there.
    Writer,
}

/// An action and its time. It is done after all other events of that instant.
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
