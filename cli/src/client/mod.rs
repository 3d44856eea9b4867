//! Clients of a real cluster.
//!
//! `connection` says where the servers are and asks them until one answers; `exchange` is one
//! request to one server, and what can become of it. `store` has the commands for keys, `watching`
//! the one that follows changes, `members` those for the membership.
//!
//! # When a call is made again
//! Any server takes any request, so a server that can't be reached is passed over. Whether a
//! request may be made twice depends on what it does ([`Safety`]). A read may. A write carries an
//! idempotency key, and the servers do it once however often it arrives. A change of the membership
//! has none: once it may have arrived, it isn't made again.

mod connection;
pub mod exchange;
pub mod members;
pub mod store;
pub mod watching;

pub use connection::{Client, Connection, timeout as connection_timeout};
pub use exchange::{Answer, Failure, Request, Safety};

use serde_json::{Value, json};

use crate::text::Text;
use crate::{Ending, Unusable, output};

/// The exit status of the commands that ask a cluster, for their help.
pub const EXIT_STATUS: &str = "Exit status:\n  \
    0  done\n  \
    1  the answer is no: no such key, a condition that doesn't hold, another value\n  \
    2  the command line is wrong\n  \
    3  no server could be reached, or they refused\n  \
    4  whether it was done isn't known: read, or make the same call with the same --key";

/// Prints a failure: the sentence for people, and the same as JSON if that is wanted.
fn told(failure: &Failure, is_json: bool) -> Result<Ending, Unusable> {
    if is_json {
        output::print(&Text::of_json(&format!("{}\n", json!({ "error": failure.document() }))))?;
    }
    match failure {
        Failure::No(problem) => {
            output::print_aside(&no(problem));
            Ok(Ending::No)
        }
        Failure::Refused(why) | Failure::Unreachable(why) => Err(Unusable(why.clone())),
        Failure::Unknown { .. } => {
            output::complain(&failure.to_string());
            Ok(Ending::Unknown)
        }
    }
}

/// A no, for people, with the value that is there instead of the expected one.
fn no(problem: &exchange::Problem) -> Text {
    let mut text = Text::new();
    text.add(problem.sentence());
    if problem.kind == exchange::VALUE_DIFFERS {
        let document = Value::Object(problem.document.clone());
        // If there is none, the sentence says so.
        if let Some(value) = store::value_in(&document) {
            text.add(": it is “").append(&store::shown_in_short(&value)).add("”, of revision ");
            text.add(&document["revision"]);
        }
    }
    text.end_line();
    text
}

/// The answer's document, or the sentence that it has none.
fn document(answer: &Answer) -> Result<Value, Failure> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        Failure::Refused(format!("{}'s answer isn't the JSON that was expected: {error}", answer.from))
    })
}
