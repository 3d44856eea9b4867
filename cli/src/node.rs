//! `node`: one server of a real cluster. The server itself is the crate `raftarium-node`; here are
//! its command line, its log and its signals.

use std::io::{IsTerminal, stderr};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use clap::{Args, ValueEnum};
use raft_core::raft::ServerId;
use raftarium_node::http::{HttpsFiles, Limits};
use raftarium_node::machine::{Address, check_address};
use raftarium_node::peers::{Tls, TlsFiles};
use raftarium_node::server::{NewFolder, Options as ServerOptions, Server};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

use crate::client::connection_timeout;
use crate::client::members::server_number;
use crate::log_file::LogFile;
use crate::output::named;
use crate::text::{NAME_MAX, SENTENCE_MAX, Text, escaped};
use crate::{Ending, Unusable, output};

const EXIT_STATUS: &str = "Signals:\n  \
    SIGTERM, Ctrl-C  it hands leadership over, answers what it can, and ends; a second one ends it at once\n  \
    SIGHUP           it reads secrets, tokens and certificates again\n\n\
    Exit status:\n  \
    0  it was stopped\n  \
    2  the command line is wrong\n  \
    3  it can't start, or can't go on; the sentence says why\n  \
    130  it was stopped twice";

/// Options of `node`.
#[derive(Args)]
#[command(after_help = EXIT_STATUS, after_long_help = format!(
    "When it serves, it prints a line that says where it is reached. Its log goes to the standard error.\n\n\
     Example: the first of three servers on one machine (`raftarium cluster` starts all three)\n  \
     raftarium node --id 1 --data data-1 --found --peer-listen 127.0.0.1:7101 --http-listen 127.0.0.1:8101 \\\n    \
     --member 1=127.0.0.1:7101/127.0.0.1:8101 --member 2=127.0.0.1:7102/127.0.0.1:8102 \\\n    \
     --member 3=127.0.0.1:7103/127.0.0.1:8103\n\n{EXIT_STATUS}"
))]
pub struct Options {
    /// The server's number
    #[arg(long, value_name = "NUMBER", value_parser = server_number)]
    id: u8,
    /// Its data folder
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The cluster's name
    #[arg(long, value_name = "NAME", default_value = "raftarium")]
    cluster: String,
    /// Where it listens for its peers
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7101")]
    peer_listen: SocketAddr,
    /// Where it listens for clients
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8101")]
    http_listen: SocketAddr,
    /// A member: its number, where its peers reach it, and where clients do. One option for each
    #[arg(long = "member", value_name = "NUMBER=PEER/HTTP", value_parser = member)]
    members: Vec<(u8, Address)>,
    /// If the data folder is new: found the cluster, together with the other members
    #[arg(long, conflicts_with = "join")]
    found: bool,
    /// If the data folder is new: wait until a cluster adds this server
    #[arg(long)]
    join: bool,
    /// A file with the secret that the servers share
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// A file with the tokens of clients, one a line
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file with the tokens of administrators, one a line
    #[arg(long, value_name = "FILE")]
    admin_token_file: Option<PathBuf>,
    /// This server's certificate: connections between servers are encrypted
    #[arg(long, value_name = "FILE", requires = "tls_key", requires = "tls_ca")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The authority that the servers' certificates come from
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_ca: Option<PathBuf>,
    /// The name that the servers' certificates are for
    #[arg(long, value_name = "NAME", default_value = Tls::SERVER_NAME, requires = "tls_cert")]
    tls_name: String,
    /// This server's certificate for clients, for the name or address in --member: they speak
    /// HTTPS. All servers of a cluster have one, or none has
    #[arg(long, value_name = "FILE", requires = "http_tls_key", requires = "http_tls_ca")]
    http_tls_cert: Option<PathBuf>,
    /// The private key of --http-tls-cert
    #[arg(long, value_name = "FILE", requires = "http_tls_cert")]
    http_tls_key: Option<PathBuf>,
    /// The authority that the servers' certificates for clients come from: requests are handed on
    /// to the leader
    #[arg(long, value_name = "FILE", requires = "http_tls_cert")]
    http_tls_ca: Option<PathBuf>,
    /// The least time without a leader before the server campaigns; the most is twice as long
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    election_timeout_ms: u64,
    /// How often a leader sends heartbeats
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    heartbeat_ms: u64,
    /// How long a request may take until it is answered with what is known by then
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = connection_timeout)]
    request_timeout: Duration,
    /// How many connections of clients are open at the same time; further ones wait
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().connections_max as u64,
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    connections: u64,
    /// Let requests cut links, and slow them down
    #[arg(long)]
    playground: bool,
    /// The log's form
    #[arg(long, value_name = "FORM", value_enum, default_value_t = LogForm::Text)]
    log: LogForm,
    /// What the log has
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Info)]
    log_level: LogLevel,
    /// Write the log into a file, which is begun anew when it is large; the one before is kept
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Print the line that says where it is reached as JSON
    #[arg(long)]
    json: bool,
}

/// The log's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogForm {
    /// Lines for people
    Text,
    /// A line of JSON for each event
    Json,
}

/// What the log has, each with what is more important.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogLevel {
    /// Nothing
    Off,
    /// What went wrong
    Error,
    /// What may go wrong
    Warn,
    /// What happens now and then
    Info,
    /// What helps to find a fault
    Debug,
    /// Everything
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> LevelFilter {
        match level {
            LogLevel::Off => LevelFilter::OFF,
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        }
    }
}

/// A member: `2=127.0.0.1:7102/127.0.0.1:8102`.
fn member(text: &str) -> Result<(u8, Address), String> {
    let parts = text.split_once('=').and_then(|(number, rest)| Some((number, rest.split_once('/')?)));
    let Some((number, (peer, http))) = parts else {
        let text = escaped(text, NAME_MAX);
        return Err(format!("“{text}” is no member: write it as in 2=127.0.0.1:7102/127.0.0.1:8102"));
    };
    let number = server_number(number)?;
    for address in [peer, http] {
        check_address(address)?;
    }
    Ok((number, Address { peer: peer.to_owned(), http: http.to_owned() }))
}

impl Options {
    /// What clap can't see.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        let mut numbers: Vec<u8> = self.members.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        if let Some(twice) = numbers.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("--member names S{} twice", twice[0]));
        }
        Ok(())
    }

    fn server_options(&self) -> ServerOptions {
        let tls = match (&self.tls_cert, &self.tls_key, &self.tls_ca) {
            (Some(certificate), Some(key), Some(authority)) => Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                authority: authority.clone(),
                server_name: self.tls_name.clone(),
            }),
            _ => None, // clap asks for all or none.
        };
        let https = match (&self.http_tls_cert, &self.http_tls_key, &self.http_tls_ca) {
            (Some(certificate), Some(key), Some(authority)) => {
                Some(HttpsFiles { certificate: certificate.clone(), key: key.clone(), authority: authority.clone() })
            }
            _ => None, // clap asks for all or none.
        };
        ServerOptions {
            server: ServerId::new(self.id).expect("the command line gives a number from 1 to 127"),
            cluster: self.cluster.clone(),
            folder: self.data.clone(),
            peer_listen: self.peer_listen,
            http_listen: self.http_listen,
            members: self.members.iter().cloned().collect(),
            founding: match (self.found, self.join) {
                (true, _) => Some(NewFolder::Found),
                (_, true) => Some(NewFolder::Join),
                (false, false) => None,
            },
            secret: self.secret_file.clone(),
            tls,
            https,
            client_tokens: self.token_file.clone(),
            administrator_tokens: self.admin_token_file.clone(),
            election_timeout: Duration::from_millis(self.election_timeout_ms),
            heartbeat: Duration::from_millis(self.heartbeat_ms),
            limits: Limits {
                request: self.request_timeout,
                connections_max: usize::try_from(self.connections).unwrap_or(usize::MAX),
                ..Limits::default()
            },
            playground: self.playground,
        }
    }

    /// From now on events are logged.
    fn log(&self) -> Result<(), Unusable> {
        let level = LevelFilter::from(self.log_level);
        let builder = tracing_subscriber::fmt().with_max_level(level);
        match &self.log_file {
            Some(path) => {
                let file = LogFile::open(path)
                    .map_err(|error| Unusable(format!("the log {} can't be written: {error}", named(path))))?;
                let builder = builder.with_writer(Mutex::new(file)).with_ansi(false);
                match self.log {
                    LogForm::Text => builder.init(),
                    LogForm::Json => builder.json().init(),
                }
            }
            None => {
                let choice = anstream::AutoStream::choice(&stderr());
                let has_colours = match choice {
                    anstream::ColorChoice::Never => false,
                    anstream::ColorChoice::Auto => stderr().is_terminal(),
                    anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => true,
                };
                let builder = builder.with_writer(stderr).with_ansi(has_colours);
                match self.log {
                    LogForm::Text => builder.init(),
                    LogForm::Json => builder.json().init(),
                }
            }
        }
        Ok(())
    }
}

/// `raftarium node`.
pub fn run(options: &Options) -> Result<Ending, Unusable> {
    options.log()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Unusable(format!("no threads can be started: {error}")))?;
    let ended = runtime.block_on(serve(options));
    // Connections of clients that are still open hold nothing up.
    runtime.shutdown_background();
    if let Err(Unusable(why)) = &ended
        && options.log_file.is_some()
    {
        tracing::error!("{}", escaped(why, SENTENCE_MAX));
    }
    ended
}

async fn serve(options: &Options) -> Result<Ending, Unusable> {
    // Before anything else, so that no signal is missed.
    let mut stops = Stops::new()?;
    let mut hangup = listen_for(SignalKind::hangup())?;
    let start = Server::start(options.server_options());
    let server = tokio::select! {
        started = start => started.map_err(|error| Unusable(error.to_string()))?,
        () = stops.next() => return Ok(Ending::Fine),
    };
    let reloader = server.reloader();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let useless = reloader.reload();
            if useless.is_empty() {
                tracing::info!("secrets, tokens and certificates are read again");
            }
            for error in useless {
                tracing::error!("what can't be read again stays as it was: {error}");
            }
        }
    });
    announce(options, &server)?;
    let stop = async move {
        stops.next().await;
        tokio::spawn(async move {
            stops.next().await;
            tracing::warn!("stopped twice: ending at once");
            std::process::exit(i32::from(crate::INTERRUPTED));
        });
    };
    server.run(stop).await.map_err(|error| Unusable(error.to_string()))?;
    Ok(Ending::Fine)
}

/// The signals that stop a server.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    fn new() -> Result<Stops, Unusable> {
        Ok(Stops { terminate: listen_for(SignalKind::terminate())?, interrupt: listen_for(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn listen_for(kind: SignalKind) -> Result<Signal, Unusable> {
    signal(kind).map_err(|error| Unusable(format!("signal handlers can't be installed: {error}")))
}

/// Says where the server is reached.
fn announce(options: &Options, server: &Server) -> Result<(), Unusable> {
    let (peer, http) = (server.peer_address().to_string(), server.http_address().to_string());
    let text = if options.json {
        let document = json!({ "server": options.id, "cluster": options.cluster, "peer": peer, "http": http });
        Text::of_json(&format!("{document}\n"))
    } else {
        let mut text = Text::new();
        let scheme = if options.http_tls_cert.is_some() { "https" } else { "http" };
        text.line(format_args!(
            "S{} of cluster {} serves: clients at {scheme}://{http}, peers at {peer}",
            options.id, options.cluster
        ));
        text
    };
    output::print(&text).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_a_number_and_two_addresses() {
        let address = Address { peer: "127.0.0.1:7102".into(), http: "kv-2:8102".into() };
        assert_eq!(member("2=127.0.0.1:7102/kv-2:8102"), Ok((2, address)));
        for (wrong, why) in [
            ("127.0.0.1:7102/127.0.0.1:8102", "is no member"),
            ("2=127.0.0.1:7102", "is no member"),
            ("0=127.0.0.1:7102/127.0.0.1:8102", "no server's number"),
            ("2=127.0.0.1/127.0.0.1:8102", "is no address"),
        ] {
            assert!(member(wrong).unwrap_err().contains(why), "{wrong}");
        }
    }
}
