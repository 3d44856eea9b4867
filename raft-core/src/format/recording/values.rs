//! What the fields of a recording can be, besides what messages consist of.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Value, json};

use crate::format::history;
use crate::format::json::{
    FieldError, Json, field, object_schema, put_field, put_list, quoted, read_list, without_counts,
};
use crate::format::trace::weight_name;
use crate::listed::listed;
use crate::raft::{self, Payload, Term, Weight};
use crate::sim;
use crate::text::joined;

listed! {
    /// The role of a server.
    Role {
        /// It follows a leader, or waits for one.
        Follower "follower";
        /// It asks the others whether they would vote for it.
        PreCandidate "pre-candidate";
        /// It asks for votes.
        Candidate "candidate";
        /// It leads.
        Leader "leader";
    }
}

impl Role {
    /// The role of a running server.
    pub const fn of(role: &raft::Role) -> Role {
        match role {
            raft::Role::Follower => Role::Follower,
            raft::Role::PreCandidate(_) => Role::PreCandidate,
            raft::Role::Candidate(_) => Role::Candidate,
            raft::Role::Leader(_) => Role::Leader,
        }
    }
}

listed! {
    /// The unit of time.
    Unit {
        /// A millionth of a second.
        Microsecond "us";
    }
}

listed! {
    /// What time counts from.
    Epoch {
        /// The beginning of the run.
        Run "run";
        /// The beginning of 1970, UTC, leap seconds not counted.
        Unix "unix";
    }
}

listed! {
    /// Why a message was lost.
    LossReason {
        /// The network, or its link, loses a share of messages.
        Chance "chance";
        /// Its link is cut, or was when it was sent.
        Cut "cut";
        /// Its receiver is down.
        ReceiverDown "receiver-down";
        /// Somebody dropped it.
        Dropped "dropped";
        /// There was no connection to its receiver, or that broke.
        NotConnected "not-connected";
        /// Too many messages waited for its receiver already.
        TooMany "too-many";
    }
}

impl From<sim::LossReason> for LossReason {
    fn from(why: sim::LossReason) -> LossReason {
        match why {
            sim::LossReason::Chance => LossReason::Chance,
            sim::LossReason::Cut => LossReason::Cut,
            sim::LossReason::ReceiverDown => LossReason::ReceiverDown,
            sim::LossReason::Dropped => LossReason::Dropped,
        }
    }
}

/// One of several things that have names.
fn read_name<T: Copy>(value: &Value, all: &[T], name: fn(T) -> &'static str) -> Result<T, FieldError> {
    let names = || joined(&all.iter().map(|of| name(*of)).collect::<Vec<_>>(), ", ");
    let Value::String(found) = value else { return FieldError::expected(&format!("one of {}", names()), value) };
    let named = all.iter().find(|of| name(**of) == found);
    named.copied().ok_or_else(|| FieldError::new(format!("{} is none of {}", quoted(found), names())))
}

macro_rules! named {
    ($($type:ty: $all:expr, $name:expr;)+) => {
        $(impl Json for $type {
            fn put(&self, to: &mut String, _: usize) {
                let name: fn($type) -> &'static str = $name;
                *to += "\"";
                *to += name(*self);
                *to += "\"";
            }

            fn read(value: &Value) -> Result<$type, FieldError> {
                read_name(value, $all, $name)
            }

            fn schema() -> Value {
                let name: fn($type) -> &'static str = $name;
                json!({ "enum": $all.iter().map(|of| name(*of)).collect::<Vec<_>>() })
            }
        })+
    };
}
named! {
    Role: &Role::ALL, Role::name;
    Unit: &Unit::ALL, Unit::name;
    Epoch: &Epoch::ALL, Epoch::name;
    LossReason: &LossReason::ALL, LossReason::name;
    Weight: &[Weight::Turning, Weight::Notable, Weight::Detail], weight_name;
}

impl Json for String {
    fn put(&self, to: &mut String, _: usize) {
        *to += &serde_json::to_string(self).expect("a text is JSON");
    }

    fn read(value: &Value) -> Result<String, FieldError> {
        value.as_str().map_or_else(|| FieldError::expected("a text", value), |text| Ok(text.to_owned()))
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

impl<T: Json> Json for Vec<T> {
    fn put(&self, to: &mut String, bytes_max: usize) {
        put_list::<T>(to, self.iter(), bytes_max);
    }

    fn read(value: &Value) -> Result<Vec<T>, FieldError> {
        read_list(value, "a list")?.collect()
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

/// An entry that a server appended to its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its term.
    pub term: Term,
    /// What is in it, if that is known.
    pub payload: Option<Carried>,
}

/// What is in an entry, as far as a recording says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// All of it.
    Whole(Payload),
    /// A command of this many bytes, which the recording leaves out.
    Command {
        /// How many.
        bytes: u64,
    },
}

impl Json for Carried {
    fn put(&self, to: &mut String, bytes_max: usize) {
        match self {
            Carried::Whole(payload) => payload.put(to, bytes_max),
            Carried::Command { bytes } => *to += &format!("{{\"is\":\"command\",\"command\":{bytes}}}"),
        }
    }

    fn read(value: &Value) -> Result<Carried, FieldError> {
        match without_counts(value) {
            None => Payload::read(value).map(Carried::Whole),
            Some(filled) => {
                Payload::read(&filled)?;
                let bytes = value.get("command").and_then(Value::as_u64).expect("only a command has bytes");
                Ok(Carried::Command { bytes })
            }
        }
    }

    fn schema() -> Value {
        Payload::schema()
    }
}

impl Json for Appended {
    fn put(&self, to: &mut String, bytes_max: usize) {
        *to += &format!("{{\"term\":{}", self.term.0);
        if let Some(payload) = &self.payload {
            put_field(to, "payload", payload, bytes_max);
        }
        to.push('}');
    }

    fn read(value: &Value) -> Result<Appended, FieldError> {
        let Value::Object(object) = value else { return FieldError::expected("an entry", value) };
        if let Some(stranger) = object.keys().find(|name| !["term", "payload"].contains(&name.as_str())) {
            return Err(FieldError::new(format!("an entry has no field {}", quoted(stranger))));
        }
        let payload = object.contains_key("payload").then(|| field(object, "payload")).transpose()?;
        Ok(Appended { term: field(object, "term")?, payload })
    }

    fn schema() -> Value {
        let mut schema = object_schema([("term", Term::schema()), ("payload", Carried::schema())]);
        schema["required"] = json!(["term"]);
        schema
    }
}

impl Json for history::Line {
    fn put(&self, to: &mut String, _: usize) {
        *to += &self.write();
    }

    fn read(value: &Value) -> Result<history::Line, FieldError> {
        let line: history::Line =
            serde_json::from_value(value.clone()).map_err(|error| FieldError::new(error.to_string()))?;
        match line.event().time {
            None => Ok(line),
            Some(_) => Err(FieldError::new("the time stands beside the request, not in it".to_owned())),
        }
    }

    fn schema() -> Value {
        let text = || json!({ "type": "string" });
        let fields = [
            ("client", u64::schema()),
            ("kind", json!({ "enum": history::Kind::ALL })),
            ("op", json!({ "enum": history::Op::ALL })),
            ("key", text()),
            ("expected", text()),
            ("found", bool::schema()),
            ("value", text()),
        ];
        let mut schema = object_schema(fields);
        schema["required"] = json!(["client", "kind", "op", "key"]);
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::Campaign;

    #[test]
    fn roles_have_the_names_that_people_read() {
        let campaign = Campaign::default();
        for role in [raft::Role::Follower, raft::Role::PreCandidate(campaign), raft::Role::Candidate(campaign)] {
            assert_eq!(Role::of(&role).name(), role.name());
        }
        assert_eq!(Role::ALL.map(Role::name), ["follower", "pre-candidate", "candidate", "leader"]);
    }
}
