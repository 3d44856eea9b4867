//! `members`: who belongs to the cluster, and changes of it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exchange::is_address;
use super::{Connection, EXIT_STATUS, Failure, Request, Safety, document, told};
use crate::output::BOLD;
use crate::text::{NAME_MAX, Text, escaped};
use crate::{Ending, Unusable, output};

/// The highest number of a server.
const SERVER_MAX: u8 = 127;

/// A server's number: `4`, or `S4` as it is shown.
pub fn server_number(text: &str) -> Result<u8, String> {
    let digits = text.strip_prefix(['S', 's']).unwrap_or(text);
    match digits.parse() {
        Ok(number @ 1..=SERVER_MAX) => Ok(number),
        _ => Err(format!("“{}” is no server's number: they are 1 to {SERVER_MAX}", escaped(text, NAME_MAX))),
    }
}

fn address(text: &str) -> Result<String, String> {
    if is_address(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("“{}” is no address: write host:port, as in 127.0.0.1:7104", escaped(text, NAME_MAX)))
    }
}

/// Options of `members`.
#[derive(Args)]
#[command(after_help = EXIT_STATUS, after_long_help = format!(
    "A new server is added as a learner, gets the log, and is promoted to a voter when it has it.\n\n\
     Examples:\n  raftarium members\n  raftarium members add 4 127.0.0.1:7104 127.0.0.1:8104\n  \
     raftarium members promote 4\n  raftarium members remove 2\n  raftarium members move 2 --peer 127.0.0.1:7112 --http 127.0.0.1:8112\n  \
     raftarium members transfer 3    S3 leads next\n\n{EXIT_STATUS}"
))]
pub struct Options {
    #[command(subcommand)]
    change: Option<Change>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Subcommand)]
enum Change {
    /// Add a server as a learner
    Add {
        /// Its number
        #[arg(value_parser = server_number)]
        server: u8,
        /// Where its peers reach it: host:port
        #[arg(value_parser = address)]
        peer: String,
        /// Where clients reach it: host:port
        #[arg(value_parser = address)]
        http: String,
    },
    /// Say where a member is reached from now on (one address or both); start it there first
    Move {
        /// Its number
        #[arg(value_parser = server_number)]
        server: u8,
        /// Where its peers reach it: host:port
        #[arg(long, value_name = "HOST:PORT", value_parser = address, required_unless_present = "http")]
        peer: Option<String>,
        /// Where clients reach it: host:port
        #[arg(long, value_name = "HOST:PORT", value_parser = address)]
        http: Option<String>,
        /// Don't look first whether it answers there. If it doesn't, the cluster goes on without
        /// it, and without a majority if it needs it
        #[arg(long)]
        unseen: bool,
    },
    /// Make a learner a voter
    Promote {
        /// Its number
        #[arg(value_parser = server_number)]
        server: u8,
    },
    /// Take a server out
    Remove {
        /// Its number
        #[arg(value_parser = server_number)]
        server: u8,
        /// Don't look first whether those that are left are a majority that answers. If they are
        /// none, nothing can be read, written or changed any more
        #[arg(long)]
        unseen: bool,
    },
    /// Hand leadership over to a server
    Transfer {
        /// Its number
        #[arg(value_parser = server_number)]
        server: u8,
    },
}

/// `raftarium members`.
pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let connection = &options.connection;
    let client = connection.client()?;
    let ask = |request: &Request<'_>| client.call(request).and_then(|answer| document(&answer));
    let outcome = match &options.change {
        None => ask(&Request::get("/members".into())).map(|document| (None, document)),
        Some(change) => {
            let (method, path, body) = change.request();
            let body = body.map(|body| body.to_string().into_bytes());
            let headers = vec![("content-type", "application/json".to_owned())];
            let headers = if body.is_some() { headers } else { Vec::new() };
            let body = body.as_deref().or((method == "POST").then_some(&[]));
            ask(&Request { method, path, headers, body, safety: Safety::Once })
                .map(|done| (Some(change.done(&done)), done))
        }
    };
    match outcome {
        Err(failure) => told(&failure, connection.json),
        Ok((_, document)) if connection.json => {
            output::print(&Text::of_json(&format!("{document}\n"))).map(|_| Ending::Fine)
        }
        Ok((Some(done), _)) => output::print(Text::new().line(done)).map(|_| Ending::Fine),
        Ok((None, document)) => match table(&document) {
            Some(table) => output::print(&table).map(|_| Ending::Fine),
            None => told(&Failure::Refused("the answer has no members".into()), false),
        },
    }
}

impl Change {
    fn request(&self) -> (&'static str, String, Option<Value>) {
        match self {
            Change::Add { server, peer, http } => {
                let member = json!({ "server": server, "peer": peer, "http": http });
                ("POST", "/members".into(), Some(member))
            }
            Change::Move { server, peer, http, unseen } => {
                let mut place = serde_json::Map::new();
                for (name, address) in [("peer", peer), ("http", http)] {
                    if let Some(address) = address {
                        place.insert(name.to_owned(), address.clone().into());
                    }
                }
                if *unseen {
                    place.insert("unseen".to_owned(), true.into());
                }
                ("PATCH", format!("/members/{server}"), Some(place.into()))
            }
            Change::Promote { server } => ("POST", format!("/members/{server}/promote"), None),
            Change::Remove { server, unseen } => {
                let look = if *unseen { "?unseen=true" } else { "" };
                ("DELETE", format!("/members/{server}{look}"), None)
            }
            Change::Transfer { server } => ("POST", format!("/members/{server}/transfer"), None),
        }
    }

    /// What is known once it is done, in a sentence. `answer` is the server's.
    fn done(&self, answer: &Value) -> String {
        match self {
            Change::Add { server, .. } => {
                format!(
                    "S{server} is a learner now; promote it when it has the log: raftarium members promote {server}"
                )
            }
            Change::Move { server, .. } => {
                let unaware = answer["unaware"].as_array().map_or(&[][..], Vec::as_slice);
                let unaware: Vec<_> =
                    unaware.iter().filter_map(Value::as_u64).map(|other| format!("S{other}")).collect();
                let known = if unaware.is_empty() {
                    "the members know it".to_owned()
                } else {
                    let verb = if unaware.len() == 1 { "doesn't" } else { "don't" };
                    format!(
                        "{} {verb} know it yet, and learn it from a leader alone: let a majority run until then",
                        unaware.join(", ")
                    )
                };
                if answer["seen"] == true {
                    format!("S{server} answers at its new place, and {known}")
                } else {
                    format!(
                        "The new place of S{server} is written down, and {known}. Whether it answers there wasn't \
                         looked at: see raftarium status"
                    )
                }
            }
            Change::Promote { server } => format!("S{server} is a voter now"),
            Change::Remove { server, .. } => format!("S{server} is no member any more"),
            Change::Transfer { server } => format!("S{server} leads now"),
        }
    }
}

fn table(document: &Value) -> Option<Text> {
    let leader = document["leader"]["server"].as_u64();
    let mut text = Text::new();
    for member in document["members"].as_array()? {
        let number = member["server"].as_u64()?;
        let word = |name: &str| member[name].as_str().unwrap_or("?").to_owned();
        text.styled(BOLD, format_args!("S{number}")).add(format_args!(
            "  {:<8} peers {}  clients {}",
            word("kind"),
            word("peer"),
            word("http")
        ));
        text.add(if leader == Some(number) { "  leads" } else { "" }).end_line();
    }
    if document["is_changing"] == true {
        text.line("The membership is changing.");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_number() {
        assert_eq!((server_number("4"), server_number("S12")), (Ok(4), Ok(12)));
        for wrong in ["0", "128", "four", "", "SS1", "-1"] {
            assert!(server_number(wrong).is_err(), "{wrong}");
        }
    }
}
