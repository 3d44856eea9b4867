//! Where the servers are, and asking them until one answers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::exchange::{self, Agent, Outcome, Problem, VALUE_DIFFERS, is_address};
use super::{Answer, Failure, Request, Safety};
use crate::cluster::{expected, file};
use crate::text::{NAME_MAX, escaped};
use crate::view::{self, Expected};
use crate::{Unusable, input, output};

/// The servers that are asked if nothing else is known.
const USUAL: [&str; 3] = ["127.0.0.1:8101", "127.0.0.1:8102", "127.0.0.1:8103"];

/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// The pause before a server is asked again if nothing says how long to wait.
const PAUSE: Duration = Duration::from_millis(100);

/// The least time that a server gets to answer.
const TRY_MIN: Duration = Duration::from_secs(1);

/// The most, unless the whole time is long: servers answer within five seconds, unless told
/// otherwise.
const TRY_MAX: Duration = Duration::from_secs(6);

/// The environment's variable with the servers' addresses.
const SERVERS: &str = "RAFTARIUM_SERVERS";

/// Where the servers are, and how they are asked.
#[derive(Args, Clone, Debug)]
pub struct Connection {
    /// The servers, any of them: host:port or https://host:port, separated by commas. Without it,
    /// those of the local cluster in --data, those in the environment's RAFTARIUM_SERVERS, those of
    /// the local cluster in raftarium-data, or 127.0.0.1:8101 to 8103
    #[arg(long, global = true, value_name = "HOST:PORT,…", value_delimiter = ',', value_parser = server)]
    servers: Vec<Server>,
    /// The folder of a local cluster
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A file with the token that the servers ask for
    #[arg(long, global = true, env = "RAFTARIUM_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The authority that the servers' certificates come from, as PEM, for https:// servers
    #[arg(long, global = true, env = "RAFTARIUM_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// How long to try
    #[arg(long, global = true, value_name = "TIME", default_value = "10s", value_parser = timeout)]
    timeout: Duration,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// A server, as somebody names it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    /// `host:port`.
    address: String,
    is_https: bool,
    /// Whether a person has named it, rather than that it was found.
    is_named: bool,
}

fn server(text: &str) -> Result<Server, String> {
    let text = text.trim();
    let (is_https, address) = match text.strip_prefix("https://") {
        Some(address) => (true, address),
        None => (false, text.strip_prefix("http://").unwrap_or(text)),
    };
    let address = address.trim_end_matches('/');
    if is_address(address) {
        Ok(Server { address: address.to_owned(), is_https, is_named: true })
    } else {
        Err(format!("“{}” is no address: write host:port, as in 127.0.0.1:8101", escaped(text, NAME_MAX)))
    }
}

/// A length of time as the standard library has it.
pub fn timeout(text: &str) -> Result<Duration, String> {
    let duration = Duration::from_micros(input::time(text)?.as_micros());
    if duration.is_zero() { Err("it must be longer than nothing".into()) } else { Ok(duration) }
}

/// Where the servers are said to be.
enum Place {
    /// At these addresses.
    Addresses(Vec<Server>),
    /// In this local cluster.
    Local(file::State),
}

fn plain(address: &str) -> Server {
    Server { address: address.to_owned(), is_https: false, is_named: false }
}

impl Connection {
    /// Where the servers are. What is said on the command line counts more than what the
    /// environment says, lest somebody write to another cluster than the one that they named.
    ///
    /// # Errors
    /// The local cluster's file can't be read, or isn't there; the environment's addresses are
    /// none.
    fn place(&self) -> Result<Place, Unusable> {
        if !self.servers.is_empty() {
            return Ok(Place::Addresses(self.servers.clone()));
        }
        if let Some(folder) = &self.data {
            let missing = || {
                Unusable(format!(
                    "{} holds no cluster: start one there, or name another folder",
                    escaped(&folder.to_string_lossy(), NAME_MAX)
                ))
            };
            return file::read(folder)?.map(Place::Local).ok_or_else(missing);
        }
        let said = std::env::var(SERVERS).unwrap_or_default();
        let said = said.split(',').filter(|text| !text.trim().is_empty()).map(server);
        let said = said.collect::<Result<Vec<_>, _>>().map_err(|why| Unusable(format!("{SERVERS}: {why}")))?;
        if !said.is_empty() {
            return Ok(Place::Addresses(said));
        }
        let usual = || Place::Addresses(USUAL.map(plain).to_vec());
        Ok(file::read(Path::new(file::FOLDER))?.map_or_else(usual, Place::Local))
    }

    /// What asks them.
    ///
    /// # Errors
    /// A file can't be read, or names no servers.
    pub fn client(&self) -> Result<Client, Unusable> {
        let token = self.token_file.as_deref().map(token).transpose()?;
        let (servers, expected) = match self.place()? {
            Place::Addresses(servers) => (servers, None),
            Place::Local(state) => {
                (state.servers.iter().map(|server| plain(&server.http)).collect(), Some(expected(&state)))
            }
        };
        let agent = self.agent(&servers)?;
        let servers = servers.into_iter().map(|server| server.address).collect();
        Ok(Client { servers, expected, agent, token, timeout: self.timeout })
    }

    /// What speaks with these servers. All of a cluster's servers speak HTTPS, or none does: a
    /// token must not leave as it is because one address was written otherwise.
    fn agent(&self, servers: &[Server]) -> Result<Agent, Unusable> {
        const BYTES_MAX: usize = 4 << 20;
        let https = servers.iter().filter(|server| server.is_https).count();
        if https == 0 {
            // A cluster that was found on this machine speaks plain HTTP, whatever the environment
            // says.
            let is_named = servers.iter().any(|server| server.is_named);
            if self.ca.is_some() && is_named {
                let why = "--ca is for servers that speak HTTPS: write https:// before each address";
                return Err(Unusable(why.into()));
            }
            return Ok(Agent::plain());
        }
        if https < servers.len() {
            return Err(Unusable("some of the servers are https://, and some aren't: write all of them alike".into()));
        }
        let Some(path) = &self.ca else {
            let why = "https:// servers need --ca FILE, with the authority that their certificates come from";
            return Err(Unusable(why.into()));
        };
        let text = input::text(path, BYTES_MAX)?;
        Agent::https(text.as_bytes()).map_err(|why| Unusable(format!("{} {why}", output::named(path))))
    }
}

/// The first token in a file: while tokens are replaced, it may hold several.
fn token(path: &Path) -> Result<String, Unusable> {
    const BYTES_MAX: usize = 64 << 10;
    let text = input::text(path, BYTES_MAX)?;
    let token = text.lines().map(str::trim).find(|line| !line.is_empty());
    match token {
        Some(token) if token.chars().all(|c| c.is_ascii_graphic()) => Ok(token.to_owned()),
        Some(_) => Err(Unusable(format!("the token in {} has characters that no token has", output::named(path)))),
        None => Err(Unusable(format!("{} holds no token", output::named(path)))),
    }
}

/// Asks the servers.
#[derive(Clone, Debug)]
pub struct Client {
    servers: Vec<String>,
    /// Who they are, if that is known. Nobody else is given a request.
    expected: Option<Expected>,
    agent: Agent,
    token: Option<String>,
    timeout: Duration,
}

/// What a problem means for a call.
enum Meaning {
    /// It is the answer.
    Final,
    /// Nothing was done, and a later try may succeed.
    Passing,
    /// It may have been done.
    Doubt,
}

fn meaning(problem: &Problem) -> Meaning {
    match (problem.kind.as_str(), problem.status) {
        ("unknown-outcome" | "internal", _) => Meaning::Doubt,
        (
            "busy" | "no-leader" | "leader-changed" | "not-confirmed" | "stopping" | "request-timed-out" | "disk-full",
            _,
        ) => Meaning::Passing,
        // It says itself that nothing was done, and that a later try, or another server, may do it.
        (kind, 421) if !kind.is_empty() => Meaning::Passing,
        (kind, 503) if !kind.is_empty() && problem.document.contains_key("retry_after") => Meaning::Passing,
        // Something in between answers for a server, and nobody knows how far the request came.
        ("", 500..) => Meaning::Doubt,
        _ => Meaning::Final,
    }
}

/// Why the server at an address isn't given a request.
enum Unrecognized {
    /// It isn't there, or another one is.
    Absent(String),
    /// It doesn't answer now.
    Silent(String),
}

/// Whether a problem is the answer to what was asked, and not a refusal to do it.
fn is_a_no(problem: &Problem) -> bool {
    matches!(problem.kind.as_str(), "no-such-key" | VALUE_DIFFERS | "precondition-failed" | "revision-gone")
}

impl Client {
    /// What asks these servers, without a token.
    pub fn of(servers: Vec<String>, timeout: Duration) -> Client {
        Client { servers, expected: None, agent: Agent::plain(), token: None, timeout }
    }

    /// The servers' addresses.
    pub fn servers(&self) -> &[String] {
        &self.servers
    }

    /// Who the servers are, if that is known.
    pub fn expected(&self) -> Option<&Expected> {
        self.expected.as_ref()
    }

    /// How long a call may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long one server may take: one that stands still must not use up the time of the others,
    /// and one that waits for a leader should come to its own answer, which says more than silence.
    fn share(&self) -> Duration {
        (self.timeout * 3 / 5).clamp(TRY_MIN, TRY_MAX.max(self.timeout / 5))
    }

    /// Makes one request to one server.
    pub fn ask(&self, address: &str, request: &Request<'_>, limit: Duration) -> Outcome {
        exchange::exchange(&self.agent, address, self.token.as_deref(), request, limit)
    }

    /// Checks that the server at an address is the one that is expected there, if one is; and, by
    /// HTTPS, that it speaks it. When the request itself fails while TLS begins, nobody can tell
    /// that from a connection that breaks off later.
    ///
    /// # Errors
    /// It isn't, or doesn't say.
    fn recognize(&self, address: &str, safety: Safety, limit: Duration) -> Result<(), Unrecognized> {
        let is_enough = self.expected.is_none() && (!self.agent.is_https() || safety == Safety::Read);
        if is_enough {
            return Ok(());
        }
        let stranger = |why: &str| Unrecognized::Absent(format!("{address}: {why}"));
        let limit = if self.expected.is_some() { TRY_MIN } else { self.share() }.min(limit);
        match self.ask(address, &Request::get("/status".into()), limit) {
            Outcome::Done(answer) => match (view::Status::read(&answer.body), &self.expected) {
                (_, None) => Ok(()),
                (Some(status), Some(expected)) => {
                    expected.check(address, &status).map_err(|silence| stranger(silence.why()))
                }
                (None, Some(_)) => Err(stranger("its status can't be read")),
            },
            Outcome::Problem(problem) if problem.kind.is_empty() => Err(Unrecognized::Absent(problem.sentence())),
            // What it says to the request itself is more to the point.
            Outcome::Problem(_) => Ok(()),
            Outcome::NotSent(why) => Err(Unrecognized::Absent(why)),
            Outcome::NoAnswer(why) => Err(Unrecognized::Silent(why)),
        }
    }

    /// Begins to read an answer that may have no end.
    ///
    /// # Errors
    /// What became of the request instead.
    pub fn follow(
        &self,
        address: &str,
        request: &Request<'_>,
        silence: Duration,
    ) -> Result<ureq::http::Response<ureq::Body>, Outcome> {
        if let Err(Unrecognized::Absent(why) | Unrecognized::Silent(why)) =
            self.recognize(address, request.safety, self.share())
        {
            return Err(Outcome::NotSent(why));
        }
        let limit = exchange::Limit::Endless { beginning: self.share(), silence };
        exchange::open(&self.agent, address, self.token.as_deref(), request, limit)
    }

    /// A server that says that it could do something now; none if none does.
    fn hopeful(&self, deadline: Instant) -> Option<String> {
        let is_hopeful = |address: &&String| {
            let remaining = deadline.saturating_duration_since(Instant::now());
            !remaining.is_zero()
                && matches!(
                    self.ask(address, &Request::get("/status".into()), TRY_MIN.min(remaining)),
                    Outcome::Done(answer) if is_hopeful(&answer.body)
                )
        };
        self.servers.iter().find(is_hopeful).cloned()
    }

    /// Waits until a server says that it could do something now, and returns it; none if the time
    /// is over before one does.
    fn sees_hope(&self, deadline: Instant) -> Option<String> {
        while Instant::now() < deadline {
            if let Some(address) = self.hopeful(deadline) {
                return Some(address);
            }
            std::thread::sleep(PAUSE.min(deadline.saturating_duration_since(Instant::now())));
        }
        None
    }

    /// Asks the servers one after the other until one answers, or the time is over.
    ///
    /// # Errors
    /// [`Failure`]: a no, a refusal, nobody there, or a doubt.
    pub fn call(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let deadline = Instant::now() + self.timeout;
        let mut course = Course::new(&self.servers);
        let mut recognized = BTreeSet::new();
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                return Err(course.given_up(request));
            }
            // A try that is cut short would only cast doubt on a clear answer: it is made if there
            // is reason to hope, and otherwise the time is waited out.
            if course.doubt.is_none() && course.answered_within.is_some_and(|time| time > remaining) {
                let Some(hopeful) = self.sees_hope(deadline) else { return Err(course.given_up(request)) };
                course.leader = Some(hopeful);
                course.answered_within = None;
                continue;
            }
            let address = course.next();
            let recognition = if recognized.contains(&address) {
                Ok(())
            } else {
                self.recognize(&address, request.safety, remaining)
            };
            let began = Instant::now();
            let remaining = deadline.saturating_duration_since(began);
            let limit = if request.safety == Safety::Once { remaining } else { self.share().min(remaining) };
            let outcome = match recognition {
                // The time went by with it, and nothing was sent.
                _ if limit.is_zero() => continue,
                Ok(()) => {
                    recognized.insert(address.clone());
                    self.ask(&address, request, limit)
                }
                Err(Unrecognized::Absent(why)) => Outcome::NotSent(why),
                Err(Unrecognized::Silent(why)) => {
                    course.silent(why);
                    let pause = if course.round_is_over() { PAUSE } else { Duration::ZERO };
                    std::thread::sleep(pause.min(deadline.saturating_duration_since(Instant::now())));
                    continue;
                }
            };
            let pause = match outcome {
                Outcome::Done(answer) => return Ok(answer),
                Outcome::NotSent(why) => {
                    course.unreachable(why);
                    if course.nobody_is_there() {
                        return Err(course.given_up(request));
                    }
                    Duration::ZERO
                }
                Outcome::NoAnswer(why) => {
                    course.doubtful(why);
                    if request.safety == Safety::Once {
                        return Err(course.given_up(request));
                    }
                    Duration::ZERO
                }
                Outcome::Problem(problem) => match meaning(&problem) {
                    Meaning::Final if is_a_no(&problem) => return Err(Failure::No(problem)),
                    Meaning::Final => {
                        course.refused(problem.sentence());
                        return Err(course.given_up(request));
                    }
                    Meaning::Passing => {
                        course.answered_within = Some(began.elapsed());
                        let pause = course.passing(&address, &problem);
                        // One that was taken out of the cluster, or cut off, takes long to say so.
                        // The others would have to wait for that as often as there are such.
                        if self.servers.len() > 1
                            && course.leader.is_none()
                            && !course.followed
                            && problem.leader().is_none()
                            && let Some(other) = self.hopeful(deadline).filter(|other| *other != address)
                        {
                            course.followed = true;
                            course.leader = Some(other);
                            Duration::ZERO
                        } else {
                            pause
                        }
                    }
                    Meaning::Doubt => {
                        course.doubtful(problem.sentence());
                        if request.safety == Safety::Once {
                            return Err(course.given_up(request));
                        }
                        PAUSE
                    }
                },
            };
            let pause = if course.round_is_over() { pause.max(PAUSE) } else { pause };
            std::thread::sleep(pause.min(deadline.saturating_duration_since(Instant::now())));
        }
    }
}

/// Whether a status says that its server can do something now.
fn is_hopeful(status: &[u8]) -> bool {
    view::Status::read(status).is_some_and(|status| status.is_ready == Some(true))
}

/// How a call has gone so far.
struct Course<'a> {
    servers: &'a [String],
    /// The place of the server that is asked next.
    turn: usize,
    /// A leader that was named, to be asked before.
    leader: Option<String>,
    /// Whether a leader's address has been followed in this round.
    followed: bool,
    /// Servers that couldn't be reached in a row.
    unreachable: usize,
    last: String,
    has_answer: bool,
    /// How long the last answer took that said that nothing was done.
    answered_within: Option<Duration>,
    /// Why it may have been done.
    doubt: Option<String>,
}

impl Course<'_> {
    fn new(servers: &[String]) -> Course<'_> {
        Course {
            servers,
            turn: 0,
            leader: None,
            followed: false,
            unreachable: 0,
            last: String::new(),
            has_answer: false,
            answered_within: None,
            doubt: None,
        }
    }

    fn next(&mut self) -> String {
        if let Some(leader) = self.leader.take() {
            return leader;
        }
        let address = &self.servers[self.turn % self.servers.len()];
        self.turn += 1;
        if self.turn.is_multiple_of(self.servers.len()) {
            self.followed = false;
        }
        address.clone()
    }

    /// Whether every server has been asked as often as every other.
    fn round_is_over(&self) -> bool {
        self.leader.is_none() && self.turn.is_multiple_of(self.servers.len())
    }

    fn unreachable(&mut self, why: String) {
        self.unreachable += 1;
        if !self.has_answer {
            self.last = why;
        }
    }

    fn silent(&mut self, why: String) {
        self.unreachable = 0;
        if !self.has_answer {
            self.last = why;
        }
    }

    /// Whether a whole round found nobody, and nothing is known that makes waiting worthwhile.
    fn nobody_is_there(&self) -> bool {
        self.unreachable >= self.servers.len() && !self.has_answer && self.doubt.is_none()
    }

    fn doubtful(&mut self, why: String) {
        self.unreachable = 0;
        self.last.clone_from(&why);
        self.doubt = Some(why);
    }

    fn refused(&mut self, why: String) {
        self.has_answer = true;
        self.last = why;
    }

    /// Returns how long to wait.
    fn passing(&mut self, address: &str, problem: &Problem) -> Duration {
        self.unreachable = 0;
        self.refused(problem.sentence());
        match problem.leader() {
            Some(leader) if leader != address && !self.followed => {
                self.followed = true;
                self.leader = Some(leader.to_owned());
                Duration::ZERO
            }
            _ if self.round_is_over() => problem.retry_after().clamp(PAUSE, PAUSE_MAX),
            _ => Duration::ZERO,
        }
    }

    fn given_up(&self, request: &Request<'_>) -> Failure {
        if let (Some(doubt), true) = (&self.doubt, request.safety != Safety::Read) {
            let key = request.headers.iter().find(|(name, _)| *name == super::store::KEY_HEADER);
            return Failure::Unknown { why: doubt.clone(), key: key.map(|(_, key)| key.clone()) };
        }
        let why = if self.last.is_empty() { "the time was over" } else { &self.last };
        if self.has_answer {
            return Failure::Refused(why.to_owned());
        }
        let all = self.servers.join(", ");
        Failure::Unreachable(if self.doubt.is_some() {
            format!("no server answers at {all} ({why})")
        } else {
            format!("no server could be reached at {all} ({why}): name them with --servers")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_scheme() {
        let named = |address: &str, is_https| Server { address: address.into(), is_https, is_named: true };
        assert_eq!(server("127.0.0.1:8101"), Ok(named("127.0.0.1:8101", false)));
        assert_eq!(server("http://kv.example.org:80/"), Ok(named("kv.example.org:80", false)));
        assert_eq!(server("https://kv.example.org:443/"), Ok(named("kv.example.org:443", true)));
        assert!(server("ftp://kv.example.org:443").unwrap_err().contains("host:port"));
        assert!(server("8101").unwrap_err().contains("host:port"));
    }

    #[test]
    fn a_time_limit_is_a_length_of_time() {
        assert_eq!(timeout("1.5s"), Ok(Duration::from_millis(1_500)));
        assert!(timeout("0s").is_err() && timeout("soon").is_err());
    }
}
