//! What clients and administrators ask for, over HTTP/1.1.
//!
//! One table, `routes`, says what there is, who may ask for it, and which methods it takes; the
//! document for tools (`openapi.json`) is held against it by a test. `kv` are the clients' own
//! requests, `cluster` what is said of the servers and done with them, `stream` what is told as it
//! happens. Errors are problem details, from one table ([`problem`]).
//!
//! # Who does it
//! Any server takes any request. It answers reads itself, at an index that the leader confirms. It
//! hands writes to the leader (`forward`) if it doesn't lead. If there is no leader, or it
//! changes, the request waits for the next one, within its time limit, as long as it is certain
//! that nothing was done. A write whose outcome isn't known is never made again here: it is
//! answered *unknown*.

pub mod access;
pub(crate) mod cluster;
mod forward;
mod kv;
mod left;
mod places;
pub mod problem;
mod proof;
mod room;
mod serve;
mod stream;
mod surroundings;
mod target;
mod tls;
mod trouble;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get};
use http::{HeaderMap, Method};
use raft_core::raft::{Refusal, ServerId};
use tokio::sync::watch;

use access::{Access, Bearer, Need};
pub use forward::Forwarder;
use forward::Hindrance;
pub use places::Places;
use problem::{Kind, Problem};
use proof::Claims;
pub use room::Room;
pub use serve::{Serving, serve};
pub use tls::{Https, HttpsFiles};
pub(crate) use trouble::look_around;
pub use trouble::{Listening, Troubles};

use crate::changes::Changes;
use crate::driver::{Doubt, Failure, Handle, Status};
use crate::machine::Addresses;
use crate::metrics::Metrics;
use crate::peers::Peers;
use crate::store::Hosted;

/// The largest body, in bytes: the largest value, and room for a form around it.
pub const BODY_BYTES_MAX: usize = 256 << 10;

/// The most bytes of lists that are under way, in all answers together.
pub const LISTS_BYTES_MAX: usize = 64 << 20;

/// The most bytes of single values that are under way, in all answers together.
pub const VALUES_BYTES_MAX: usize = 256 << 20;

/// The most bytes of requests' bodies that are under way, all together.
pub const BODIES_BYTES_MAX: usize = 128 << 20;

/// Limits of the API.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a request may take until it is answered: with what is known by then.
    pub request: Duration,
    /// How long a client may read nothing of what it is sent until its connection is closed.
    pub stall: Duration,
    /// How long a request may take to arrive.
    pub arrival: Duration,
    /// How long the beginning of a request may take to arrive once the server stops. Nobody can
    /// know whether one is on its way, and who brings none must not hold up the server's end.
    pub last_request: Duration,
    /// How many connections are open at the same time; further ones wait.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        let (request, arrival) = (Duration::from_secs(5), Duration::from_secs(20));
        let last_request = Duration::from_millis(500);
        Limits { request, stall: Duration::from_secs(30), arrival, last_request, connections_max: 16_384 }
    }
}

/// What the requests' handlers need.
pub struct App {
    /// The server behind this API.
    pub server: ServerId,
    /// The cluster's name.
    pub cluster: String,
    /// Its driver.
    pub handle: Handle<Hosted>,
    /// The latest changes.
    pub changes: Arc<Changes>,
    /// The connections to its peers.
    pub peers: Peers,
    /// Where the servers are reached, as far as this one knows.
    pub addresses: Arc<RwLock<Addresses>>,
    /// Who may ask for what.
    pub access: Access,
    /// Limits.
    pub limits: Limits,
    /// Counters and gauges.
    pub metrics: Metrics,
    /// What the server observes, for those who follow it.
    pub events: Arc<crate::events::Events>,
    /// Whether this server has been current since it started, so that what it has applied is some
    /// state of the cluster, and not only what it knew for certain when it started.
    pub was_current: Arc<AtomicBool>,
    /// Whether links may be disturbed by requests.
    pub playground: bool,
    /// Becomes true when the server begins to stop: streams end then.
    pub stopping: watch::Receiver<bool>,
    /// Where it listens.
    pub listening: Listening,
    /// Its data folder.
    pub folder: PathBuf,
    /// What it speaks HTTPS by, if it does.
    pub https: Option<Https>,
    /// What is wrong around it.
    pub troubles: Troubles,
    /// Hands requests to other servers.
    pub forwarder: forward::Forwarder,
    /// Room for lists that are under way.
    pub lists: Room,
    /// Places for connections.
    pub places: Arc<Places>,
    /// Room for values that are under way.
    pub values: Room,
    /// Room for bodies of requests that are under way.
    pub bodies: Room,
}

type Shared = State<Arc<App>>;

/// What a path names: a key, a server.
type Named = Result<Path<String>, PathRejection>;

fn named(path: Named) -> Result<String, Problem> {
    match path {
        Ok(Path(text)) => Ok(text),
        Err(error) => Err(Problem::new(Kind::BadRequest, format!("the address makes no sense: {}", error.body_text()))),
    }
}

/// A route: its path, what its requests need, and its handlers.
struct Route {
    path: &'static str,
    read: Need,
    write: Need,
    /// The methods that take parameters (what follows the ?). From all others they are refused: a
    /// condition that is overlooked would be worse.
    parameters: &'static [&'static str],
    methods: MethodRouter<Arc<App>>,
}

/// All routes.
fn routes() -> Vec<Route> {
    use Need::{Administrator, Client, Nothing};
    let route = |path, read, write, methods| Route { path, read, write, parameters: &[], methods };
    let with = |parameters, route| Route { parameters, ..route };
    vec![
        with(&["GET"], route("/kv", Client, Client, get(kv::list))),
        with(&["GET", "PUT"], route("/kv/{*key}", Client, Client, get(kv::get).put(kv::put).delete(kv::delete))),
        with(&["GET"], route("/watch", Client, Client, get(stream::watch_changes))),
        route("/status", Client, Client, get(cluster::status)),
        route("/members", Client, Administrator, get(cluster::members).post(cluster::add)),
        with(
            &["DELETE"],
            route(
                "/members/{server}",
                Client,
                Administrator,
                axum::routing::delete(cluster::remove).patch(cluster::move_to),
            ),
        ),
        route("/members/{server}/promote", Client, Administrator, axum::routing::post(cluster::promote)),
        route("/members/{server}/transfer", Client, Administrator, axum::routing::post(cluster::transfer)),
        route("/links", Client, Administrator, get(cluster::links)),
        route("/links/{server}", Client, Administrator, axum::routing::put(cluster::set_link)),
        with(&["GET"], route("/events", Administrator, Administrator, get(stream::events))),
        route("/metrics", Client, Client, get(cluster::metrics)),
        route("/healthz", Nothing, Nothing, get(cluster::healthz)),
        route("/readyz", Nothing, Nothing, get(cluster::readyz)),
        route("/openapi.json", Nothing, Nothing, get(openapi)),
    ]
}

/// The paths of all routes.
pub fn paths() -> impl Iterator<Item = &'static str> {
    routes().into_iter().map(|route| route.path)
}

/// The document that describes this API to tools.
pub const OPENAPI: &str = include_str!("openapi.json");

async fn openapi() -> Response {
    ([(http::header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// The whole API.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for Route { path, read, write, parameters, methods } in routes() {
        let app = Arc::clone(&app);
        let check = move |request: Request, next: Next| {
            let app = Arc::clone(&app);
            async move {
                let reads = matches!(*request.method(), Method::GET | Method::HEAD);
                let need = if reads { read } else { write };
                let method = if reads { "GET" } else { request.method().as_str() };
                let asked = Asked { need, takes_parameters: parameters.contains(&method) };
                let checked = access::check_host(request.version(), request.uri(), request.headers())
                    .and_then(|host| access::check_origin(app.access.is_open(), reads, host, request.headers()))
                    .and_then(|()| target::check_body(request.headers()));
                if checked.is_ok() && request.headers().contains_key(forward::FORWARDED) {
                    return handed_on(&app, asked, request, next).await.unwrap_or_else(Problem::into_response);
                }
                match checked.and_then(|()| app.access.check(need, request.headers())) {
                    Ok(bearer) => run(asked, bearer, request, next).await,
                    Err(problem) => problem.into_response(),
                }
            }
        };
        let methods = methods.fallback(any(wrong_method)).layer(middleware::from_fn(check));
        router = router.route(path, methods);
    }
    router.fallback(nothing_here).layer(middleware::from_fn_with_state(Arc::clone(&app), measure)).with_state(app)
}

/// What is asked for, as the table of routes has it.
#[derive(Clone, Copy)]
struct Asked {
    need: Need,
    takes_parameters: bool,
}

/// Has a request answered that may be asked.
async fn run(asked: Asked, bearer: Bearer, mut request: Request, next: Next) -> Response {
    if let Err(problem) = target::check(request.uri(), asked.takes_parameters) {
        return problem.into_response();
    }
    request.extensions_mut().insert(bearer);
    next.run(request).await
}

/// Answers a request that another server hands on, if that server proves itself, and proves to it
/// that this is the server it meant.
async fn handed_on(app: &App, asked: Asked, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let secrets = &app.forwarder.secrets;
    let need = asked.need;
    let (claims, proof) = Claims::read(secrets, &parts.method, &parts.uri, &parts.headers)?;
    let body = whole_body(app, body).await?;
    claims.are_of(&body)?;
    let admitted = claims.are_for(app.server, &app.cluster).map_err(Problem::not_done).and_then(|()| {
        if secrets.are_secret() {
            app.access.admit(need, claims.bearer)
        } else {
            app.access.check(need, &parts.headers)
        }
    });
    let answer = match admitted {
        Ok(bearer) => {
            parts.extensions.insert(Arrived(body.clone()));
            run(asked, bearer, Request::from_parts(parts, Body::from(body)), next).await
        }
        Err(problem) => problem.into_response(),
    };
    Ok(proof.prove(secrets, answer).await)
}

/// The whole body of a request that another server hands on: it isn't read a second time.
#[derive(Clone)]
struct Arrived(bytes::Bytes);

async fn wrong_method(request: Request) -> Problem {
    let path = request.uri().path();
    Problem::new(Kind::MethodNotAllowed, format!("{} doesn't work on {}", request.method(), shortened(path)))
}

async fn nothing_here(request: Request) -> Problem {
    let path = shortened(request.uri().path());
    Problem::new(Kind::NoSuchResource, format!("there is no {path}; /openapi.json lists what there is"))
}

/// Counts requests and their durations.
async fn measure(State(app): Shared, request: Request, next: Next) -> Response {
    let began = std::time::Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("other".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    let response = next.run(request).await;
    app.metrics.answered(&method, &route, response.status(), began.elapsed());
    response
}

/// Text from outside, short enough for a sentence.
fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    if text.chars().nth(CHARS_MAX).is_none() {
        text.to_owned()
    } else {
        text.chars().take(CHARS_MAX).chain(['…']).collect()
    }
}

/// Reads a whole body.
async fn whole_body(app: &App, body: Body) -> Result<bytes::Bytes, Problem> {
    let gathered = app.bodies.gather(body, app.limits.request);
    tokio::time::timeout(app.limits.arrival, gathered).await.unwrap_or_else(|_| {
        let seconds = app.limits.arrival.as_secs();
        Err(Problem::new(Kind::RequestTimedOut, format!("the body didn't arrive within {seconds} s")))
    })
}

/// The problem that a failure is to the client.
fn problem_of(app: &App, failure: Failure) -> Problem {
    let kind = match failure {
        Failure::NotLeader { .. } => Kind::NoLeader,
        Failure::Unknown(_) | Failure::Refused(Refusal::LeadershipLost) => Kind::UnknownOutcome,
        Failure::Overwritten => Kind::LeaderChanged,
        Failure::DiskFull => Kind::DiskFull,
        Failure::Busy => Kind::Busy,
        Failure::Stopping => Kind::Stopping,
        Failure::Refused(reason) => match reason {
            Refusal::NotLeader { .. } | Refusal::Transferring { .. } => Kind::LeaderChanged,
            Refusal::TooMuchUncommitted { .. } => Kind::Busy,
            Refusal::ReadTimedOut => Kind::NotConfirmed,
            Refusal::NoOwnCommitYet
            | Refusal::ChangeInProgress { .. }
            | Refusal::Senseless(_)
            | Refusal::NotAdmitted { .. }
            | Refusal::LearnerBehind { .. }
            | Refusal::CannotLead { .. }
            | Refusal::TransferTimedOut { .. } => Kind::MembershipRefused,
            Refusal::LeadershipLost => Kind::UnknownOutcome,
            Refusal::SnapshotUseless | Refusal::SnapshotTooLarge { .. } | Refusal::LogFull => Kind::Internal,
        },
    };
    let why = match failure {
        Failure::NotLeader { leader: None } => no_leader(app, &app.handle.status()),
        _ => failure.to_string(),
    };
    with_leader(app, Problem::new(kind, why))
}

/// That no leader is known, and how many voters answer: without a majority there can't be one.
fn no_leader(app: &App, status: &Status) -> String {
    match Voters::of(app, status) {
        Voters { all: 0, .. } => NO_LEADER.to_owned(),
        voters => format!("{NO_LEADER}: {voters}"),
    }
}

/// That this server can't serve a request, as it is no member, and nobody tells it what it needs.
fn no_member(app: &App) -> Problem {
    let why = "this server is no member of the cluster (any more, or yet); ask one that is";
    with_leader(app, Problem::new(Kind::NoLeader, why))
}

/// Whether this server is a member, as far as it knows.
fn is_member(status: &Status) -> bool {
    status.configuration.members().contains(status.server)
}

/// Why a request can't be done without a leader.
pub(crate) const NO_LEADER: &str = "no leader is known";

/// The voters, and how many of them a server is connected with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Voters {
    all: usize,
    /// Those that the server is connected with in both directions, and itself if it is a voter.
    answering: usize,
}

impl Voters {
    /// As this server sees them now.
    fn of(app: &App, status: &Status) -> Voters {
        let voters = status.configuration.voters;
        let connected = app.peers.report().into_iter().filter(|peer| peer.connected && peer.heard);
        let answering = connected.map(|peer| peer.id).chain([status.server]).filter(|id| voters.contains(*id));
        Voters { all: voters.len(), answering: answering.count() }
    }
}

impl std::fmt::Display for Voters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Voters { all, answering } = self;
        let verb = if *answering == 1 { "answers" } else { "answer" };
        write!(f, "{answering} of {all} {} {verb} this server", if *all == 1 { "voter" } else { "voters" })?;
        if answering * 2 > *all { Ok(()) } else { f.write_str(", and a majority is needed") }
    }
}

/// Adds which server leads, if one is known, and where it is reached.
fn with_leader(app: &App, problem: Problem) -> Problem {
    let Some(leader) = app.handle.status().leader else { return problem };
    let address = app.address_of(leader);
    problem.with("leader", serde_json::json!({ "server": leader.number(), "http": address }))
}

impl App {
    /// Where the servers are reached, as far as this one knows now.
    fn addresses(&self) -> RwLockReadGuard<'_, Addresses> {
        self.addresses.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where clients reach a server, if that is known.
    fn address_of(&self, server: ServerId) -> Option<String> {
        self.addresses().get(&server.number()).map(|address| address.http.clone())
    }
}

/// Whether the same request may be made once more, because nothing was done and what hindered it
/// passes.
fn passes(failure: &Failure) -> bool {
    match failure {
        Failure::NotLeader { .. } | Failure::Overwritten => true,
        Failure::Refused(reason) => matches!(
            reason,
            Refusal::NotLeader { .. }
                | Refusal::Transferring { .. }
                | Refusal::ReadTimedOut
                | Refusal::NoOwnCommitYet
                | Refusal::NotAdmitted { .. }
                | Refusal::LearnerBehind { .. }
        ),
        Failure::Unknown(_) | Failure::DiskFull | Failure::Busy | Failure::Stopping => false,
    }
}

/// How long to wait before a request is made again, if nothing is heard of a change before.
const PAUSE: Duration = Duration::from_millis(100);

/// How long requests that are under way may go on when the server has begun to stop. Then they are
/// answered with what is known, before their connections are closed.
const LAST_MOMENT: Duration = Duration::from_millis(2_500);

/// Makes a read until it is answered, or its time is over.
async fn read_until_answered<R: Send + 'static>(
    app: &App,
    consistency: crate::driver::Consistency,
    look: impl Fn(&Hosted, u64) -> R + Clone + Send + 'static,
) -> Result<R, Problem> {
    if consistency == crate::driver::Consistency::Local && !app.was_current.load(Ordering::Relaxed) {
        let why = "since it started, this server hasn't heard from a leader how far its log is committed: \
                   it has nothing yet that it could answer with";
        let status = app.handle.status();
        let why = if status.leader.is_some() { why.to_owned() } else { format!("{why}; {}", no_leader(app, &status)) };
        return Err(Problem::new(Kind::NotConfirmed, why));
    }
    let mut last = None;
    let answered = async {
        loop {
            let mut status = app.handle.watch();
            status.mark_unchanged();
            match app.handle.read(consistency, look.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Refused(Refusal::LeadershipLost)) => last = Some(Failure::Refused(Refusal::ReadTimedOut)),
                Err(failure) if passes(&failure) => last = Some(failure),
                Err(failure) => return Err(problem_of(app, failure)),
            }
            if !is_member(&status.borrow()) {
                // It may never hear of a leader again.
                return Err(no_member(app));
            }
            let _ = tokio::time::timeout(PAUSE, status.changed()).await;
        }
    };
    match tokio::time::timeout(app.limits.request, answered).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(problem)) => Err(problem),
        Err(_) => Err(match last {
            Some(failure @ Failure::NotLeader { .. }) => problem_of(app, failure),
            _ => problem_of(app, Failure::Refused(Refusal::ReadTimedOut)),
        }),
    }
}

/// Something that only the leader can do, and how to do it here.
trait LeadersTask {
    /// What it gives.
    type Done;

    /// Tries it on this server.
    async fn attempt(&self, app: &App) -> Result<Self::Done, Failure>;
}

/// Whether the request was done here, or is answered by the leader.
enum Led<T> {
    Here(T),
    There(Response),
}

/// Does a task here if this server leads, and otherwise has the leader do it. Waits for a leader
/// while it is certain that nothing was done.
async fn lead<T: LeadersTask>(app: &App, request: &forward::Whole, task: &T) -> Result<Led<T::Done>, Problem> {
    let is_handed_on = request.headers.contains_key(forward::FORWARDED);
    let nobody = || Hindrance::Failure(Failure::NotLeader { leader: None });
    let mut hindered = nobody();
    let mut is_under_way = false;
    let led = async {
        loop {
            let mut status = app.handle.watch();
            let leader = status.borrow_and_update().leader;
            match leader {
                Some(leader) if leader != app.server => match app.forwarder.forward(app, leader, request).await {
                    Ok(response) => return Ok(Led::There(response)),
                    Err(Hindrance::Failure(failure)) if !passes(&failure) => return Err(Hindrance::Failure(failure)),
                    Err(hindrance) => hindered = hindrance,
                },
                Some(_) => {
                    is_under_way = true;
                    let attempted = task.attempt(app).await;
                    is_under_way = false;
                    match attempted {
                        Ok(done) => return Ok(Led::Here(done)),
                        // Its successor may lead in a moment.
                        Err(failure) if passes(&failure) || failure == Failure::Stopping => {
                            hindered = Hindrance::Failure(failure);
                        }
                        Err(failure) => return Err(Hindrance::Failure(failure)),
                    }
                }
                None => {}
            }
            if is_handed_on {
                return Err(std::mem::replace(&mut hindered, nobody()));
            }
            if !is_member(&status.borrow()) {
                // It may never hear of a leader again.
                return Err(Hindrance::Answer(no_member(app).into_response()));
            }
            if app.handle.has_ended() && status.borrow().leader.is_none_or(|leader| leader == app.server) {
                // Nobody else will be heard here.
                return Err(Hindrance::Failure(Failure::Stopping));
            }
            if let Ok(Err(_)) = tokio::time::timeout(PAUSE, status.changed()).await {
                // The driver has ended: nothing changes here any more.
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    let in_time = async {
        tokio::select! {
            led = led => Ok(led),
            () = tokio::time::sleep(app.limits.request) => Err(Doubt::TimedOut),
            () = last_moment(app) => Err(Doubt::Stopped),
        }
    };
    match in_time.await {
        Ok(Ok(led)) => return Ok(led),
        // The server that handed the request on looks for the leader again.
        Ok(Err(Hindrance::Failure(failure))) if is_handed_on && (passes(&failure) || failure == Failure::Stopping) => {
            return Err(problem_of(app, failure).not_done());
        }
        Ok(Err(hindrance)) => hindered = hindrance,
        Err(doubt) if is_under_way => hindered = Hindrance::Failure(Failure::Unknown(doubt)),
        Err(doubt) if app.forwarder.has_left(request) => {
            let doubt = if doubt == Doubt::TimedOut { Doubt::LeaderSilent } else { doubt };
            hindered = Hindrance::Failure(Failure::Unknown(doubt));
        }
        Err(Doubt::Stopped) => hindered = Hindrance::Failure(Failure::Stopping),
        Err(_) => {}
    }
    match hindered {
        Hindrance::Failure(failure) => Err(problem_of(app, failure)),
        Hindrance::Answer(response) => Ok(Led::There(response)),
    }
}

/// Waits until what is under way must be answered, since the server ends.
async fn last_moment(app: &App) {
    // If nobody can say it any more, the server has ended.
    let _ = app.stopping.clone().wait_for(|is_stopping| *is_stopping).await;
    tokio::time::sleep(LAST_MOMENT).await;
}

/// A header's text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::new(Kind::BadRequest, format!("the header {name} came twice")));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(Problem::new(Kind::BadRequest, format!("the header {name} isn't printable ASCII"))),
    }
}
