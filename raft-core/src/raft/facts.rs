//! What people are told of a message: [`Message::facts`]. Which of its fields that is, and what it
//! is called, stands in the table of messages; how it reads, here.

use alloc::format;
use alloc::string::{String, ToString};

use super::entry::Entries;
use super::message::{
    AppendEntriesResponse, AppendOutcome, InstallSnapshot, InstallSnapshotResponse, Message, SnapshotProgress, messages,
};
use super::types::{EntryId, LogIndex, Term};

/// Something that a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<'a> {
    /// In words.
    Text(String),
    /// Entries, of which there are some: what they say is for those to tell who understand
    /// commands.
    Entries(&'a Entries),
}

/// Takes a message's facts: what each is called, and what it is.
type Tell<'t> = &'t mut dyn FnMut(&'static str, Fact<'_>);

macro_rules! define_facts {
    ($(
        $(#[$doc:meta])+
        $number:literal $message:ident $(in $box:ident)? $sign:literal,
        $turn:ident $(($yes:ident))? from $sender:ident, $kind:ident, $weight:ident {
            $($(#[$of_field:meta])+ $field:ident: $type:ty $(=> $($label:literal)? $(by $said:ident)?)?,)+
        }
    )+) => {
        impl Message {
            /// Tells what it says, fact by fact: what each is called, and what it is.
            pub fn facts(&self, tell: &mut dyn FnMut(&'static str, Fact<'_>)) {
                match self {
                    $(Message::$message(m) => {
                        $($($(m.$field.tell($label, tell);)? $(say($said(m), tell);)?)?)+
                    })+
                }
            }
        }
    };
}
messages!(define_facts);

/// What can be a fact by itself.
trait Told {
    fn tell(&self, label: &'static str, tell: Tell<'_>);
}

macro_rules! as_written {
    ($($type:ident)+) => {
        $(impl Told for $type {
            fn tell(&self, label: &'static str, tell: Tell<'_>) {
                tell(label, Fact::Text(self.to_string()));
            }
        })+
    };
}
as_written!(Term LogIndex EntryId u64);

impl Told for bool {
    fn tell(&self, label: &'static str, tell: Tell<'_>) {
        tell(label, Fact::Text(String::from(if *self { "yes" } else { "no" })));
    }
}

impl Told for Option<LogIndex> {
    fn tell(&self, label: &'static str, tell: Tell<'_>) {
        tell(label, Fact::Text(self.map_or_else(|| String::from("none"), |index| index.to_string())));
    }
}

/// A heartbeat needn't say that it has none.
impl Told for Entries {
    fn tell(&self, label: &'static str, tell: Tell<'_>) {
        if !self.is_empty() {
            tell(label, Fact::Entries(self));
        }
    }
}

fn say((label, text): (&'static str, String), tell: Tell<'_>) {
    tell(label, Fact::Text(text));
}

fn outcome(m: &AppendEntriesResponse) -> (&'static str, String) {
    match &m.outcome {
        AppendOutcome::Matched(index) => ("matches up to", index.to_string()),
        AppendOutcome::Conflict { previous, hint } => {
            ("refused", format!("lacks the entry at {previous}; the logs may agree up to {hint}"))
        }
        AppendOutcome::Joining { matched, .. } => ("matches on a new disk, up to", matched.to_string()),
        AppendOutcome::Damaged { last, .. } => ("refused", format!("its disk lost what comes after {last}")),
        AppendOutcome::StaleTerm => term_is_over(),
    }
}

fn stands_for(m: &InstallSnapshot) -> (&'static str, String) {
    ("stands for", format!("everything up to {}", m.meta.last))
}

fn piece(m: &InstallSnapshot) -> (&'static str, String) {
    ("piece", format!("from byte {} of {}", m.offset, m.size))
}

fn progress(m: &InstallSnapshotResponse) -> (&'static str, String) {
    match m.progress {
        SnapshotProgress::Received(bytes) => ("has received", format!("{bytes} bytes")),
        SnapshotProgress::Installed(index) => ("has installed", format!("everything up to {index}")),
        SnapshotProgress::StaleTerm => term_is_over(),
    }
}

fn term_is_over() -> (&'static str, String) {
    ("refused", String::from("the term is over"))
}
