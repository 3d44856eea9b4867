//! The facts of a message that people see: [`Message::facts`]. The table of messages says which
//! fields these are, and their labels; this file says how each reads.

use core::fmt::Display;

use super::entry::Entries;
use super::message::{
    AppendEntriesResponse, AppendOutcome, InstallSnapshot, InstallSnapshotResponse, Message, SnapshotProgress, messages,
};
use super::types::{EntryId, LogIndex};

/// Takes a message's facts: the label of each, and its value.
pub trait FactTaker {
    /// A fact in words.
    fn text(&mut self, label: &'static str, text: &dyn Display);

    /// Entries, at least one. Only callers that understand commands can say what they mean.
    fn entries(&mut self, label: &'static str, entries: &Entries);
}

macro_rules! define_facts {
    ($(
        $(#[$doc:meta])+
        $number:literal $message:ident $(in $box:ident)? $sign:literal,
        $turn:ident $(($yes:ident))? from $sender:ident, $kind:ident, $weight:ident {
            $($(#[$of_field:meta])+ $field:ident: $type:ty $(=> $($label:literal)? $(by $said:ident)?)?,)+
        }
    )+) => {
        impl Message {
            /// Gives the message's facts one by one, its term first.
            pub fn facts(&self, taker: &mut dyn FactTaker) {
                taker.text("term", &self.term());
                match self {
                    $(Message::$message(_m) => {
                        $($($(_m.$field.tell($label, taker);)? $($said(_m, taker);)?)?)+
                    })+
                }
            }
        }
    };
}
messages!(define_facts);

/// A value that can be a fact by itself.
trait Told {
    fn tell(&self, label: &'static str, taker: &mut dyn FactTaker);
}

macro_rules! as_written {
    ($($type:ident)+) => {
        $(impl Told for $type {
            fn tell(&self, label: &'static str, taker: &mut dyn FactTaker) {
                taker.text(label, self);
            }
        })+
    };
}
as_written!(LogIndex EntryId u64);

impl Told for bool {
    fn tell(&self, label: &'static str, taker: &mut dyn FactTaker) {
        taker.text(label, if *self { &"yes" } else { &"no" });
    }
}

impl Told for Option<LogIndex> {
    fn tell(&self, label: &'static str, taker: &mut dyn FactTaker) {
        taker.text(label, self.as_ref().map_or(&"none", |index| index as &dyn Display));
    }
}

/// A heartbeat needn't say that it has none.
impl Told for Entries {
    fn tell(&self, label: &'static str, taker: &mut dyn FactTaker) {
        if !self.is_empty() {
            taker.entries(label, self);
        }
    }
}

fn outcome(m: &AppendEntriesResponse, taker: &mut dyn FactTaker) {
    match &m.outcome {
        AppendOutcome::Matched(index) => taker.text("matches up to", index),
        AppendOutcome::Conflict { previous, hint } => {
            refused(&format_args!("lacks the entry at {previous}; the logs may agree up to {hint}"), taker);
        }
        AppendOutcome::Joining { matched, .. } => taker.text("matches on a new disk, up to", matched),
        AppendOutcome::Damaged { last, .. } => refused(&format_args!("its disk lost what comes after {last}"), taker),
        AppendOutcome::StaleTerm => refused(TERM_IS_OVER, taker),
    }
}

fn stands_for(m: &InstallSnapshot, taker: &mut dyn FactTaker) {
    all_up_to("stands for", &m.meta.last, taker);
}

fn piece(m: &InstallSnapshot, taker: &mut dyn FactTaker) {
    taker.text("piece", &format_args!("from byte {} of {}", m.offset, m.size));
}

fn progress(m: &InstallSnapshotResponse, taker: &mut dyn FactTaker) {
    match &m.progress {
        SnapshotProgress::Received(bytes) => taker.text("has received", &format_args!("{bytes} bytes")),
        SnapshotProgress::Installed(index) => all_up_to("has installed", index, taker),
        SnapshotProgress::StaleTerm => refused(TERM_IS_OVER, taker),
    }
}

fn all_up_to(label: &'static str, last: &dyn Display, taker: &mut dyn FactTaker) {
    taker.text(label, &format_args!("everything up to {last}"));
}

const TERM_IS_OVER: &dyn Display = &"the term is over";

fn refused(why: &dyn Display, taker: &mut dyn FactTaker) {
    taker.text("refused", why);
}
