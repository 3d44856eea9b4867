//! What is said of the servers, and done with them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, Uri, header};
use raft_core::raft::{
    Bytes, ChangeError, Configuration, LogIndex, MembershipChange, Refusal, ServerId, ServerSet, Standing,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::Bearer;
use super::forward::Whole;
use super::problem::{Kind, Problem};
use super::trouble::Subject;
use super::{
    App, Arrived, LeadersTask, Led, NO_LEADER, Named, Shared, Voters, lead, left, named, no_leader, shortened,
    whole_body,
};
use crate::driver::{DiskState, Failure, OTHER_DISK, Status};
use crate::machine::{Address, AddressChange, check_address};
use crate::peers::{LinkFault, PeerReport};

pub async fn status(State(app): Shared) -> Json<Value> {
    Json(status_document(&app))
}

/// The document of `/status`.
pub(super) fn status_document(app: &App) -> Value {
    let (status, peers) = (app.handle.status(), app.peers.report());
    let id = |id: raft_core::raft::EntryId| json!({ "index": id.index.0, "term": id.term.0 });
    let mut document = json!({
        "server": status.server.number(),
        "cluster": app.cluster,
        "version": env!("CARGO_PKG_VERSION"),
        "role": status.role,
        "term": status.term.0,
        "voted_for": status.voted_for.map(ServerId::number),
        "leader": leader_document(app, &status),
        "log": {
            "first_index": status.first_index.0,
            "last": id(status.last),
            "durable_index": status.durable.0,
        },
        "commit_index": status.commit.0,
        "applied_index": status.applied.0,
        "snapshot": status.snapshot.map(id),
        "disk": disk_name(status.disk),
        "may_vote": status.may_vote(&peers),
        "voters_answering": Voters::of(app, &status).answering,
        "members": members_of(app, &status),
        "is_ready": is_served(app, &status, &peers).is_ok(),
        "listens": { "peer": app.listening.peer.to_string(), "http": app.listening.http.to_string() },
        "troubles": app.troubles.sentences(),
    });
    if let Some(why) = status.why_no_vote(&peers) {
        document["no_vote_because"] = why.into();
    }
    if let Some(loss) = &status.loss {
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        document["lost_log"] = json!({
            "from_index": loss.first.0,
            "up_to": id(loss.last),
            "found_at": seconds(loss.found),
            "repaired_at": loss.repaired.map(seconds),
        });
    }
    if status.leads() {
        let followers = status.followers.iter().map(|follower| {
            json!({
                "server": follower.server.number(),
                "matched_index": follower.matched.0,
                "state": follower.state,
                "answers": follower.answers,
            })
        });
        document["followers"] = followers.collect();
    }
    document
}

const fn disk_name(state: DiskState) -> &'static str {
    match state {
        DiskState::Fine => "fine",
        DiskState::Full => "full",
    }
}

fn leader_document(app: &App, status: &Status) -> Value {
    match status.leader {
        None => Value::Null,
        Some(leader) => json!({ "server": leader.number(), "http": app.address_of(leader) }),
    }
}

fn members_of(app: &App, status: &Status) -> Value {
    let Configuration { voters, outgoing, learners } = status.configuration;
    let addresses = app.addresses();
    let member = |server: ServerId| {
        let address = addresses.get(&server.number());
        // While voters change, a server may be in both sets, or only in the old one.
        let kind = match (voters.contains(server), learners.contains(server), outgoing.contains(server)) {
            (true, ..) => "voter",
            (false, true, _) => "learner",
            (false, false, _) => "leaving",
        };
        json!({
            "server": server.number(),
            "kind": kind,
            "peer": address.map(|address| &address.peer),
            "http": address.map(|address| &address.http),
        })
    };
    status.configuration.members().iter().map(member).collect()
}

pub async fn members(State(app): Shared) -> Json<Value> {
    let status = app.handle.status();
    Json(json!({
        "members": members_of(&app, &status),
        "is_changing": status.configuration.is_joint() || status.configuration_index > status.commit,
        "configuration_index": status.configuration_index.0,
        "leader": leader_document(&app, &status),
    }))
}

/// What a membership request wants.
enum Wish {
    /// A server, and where it is.
    Add(ServerId, Address),
    /// A member, and its new addresses; what is left out stays. The header by which its server may
    /// be asked.
    Move(ServerId, NewPlace, Option<HeaderValue>),
    Promote(ServerId),
    /// A member; and whether nobody looks first what would be left without it.
    Remove(ServerId, bool),
    /// To a server, which may be asked by this header.
    Transfer(ServerId, Option<HeaderValue>),
}

/// What became of a membership request that the leader has looked at.
enum Done {
    Yes(Value),
    /// Nothing was done; the sentence says why.
    Refused(String),
}

impl LeadersTask for Wish {
    type Done = Done;

    async fn attempt(&self, app: &App) -> Result<Done, Failure> {
        let status = app.handle.status();
        let configuration = status.configuration;
        let Configuration { voters, learners, .. } = configuration;
        let one = |server| std::iter::once(server).collect::<ServerSet>();
        let refused = |why: String| Ok(Done::Refused(why));
        let change = match self {
            // Whoever asks twice gets what they want.
            Wish::Transfer(to, _) if *to == app.server && status.leads() => {
                return Ok(Done::Yes(json!({ "leader": to.number() })));
            }
            Wish::Transfer(to, _) if learners.contains(*to) => {
                return refused(format!("{to} is a learner, and can't lead: promote it first"));
            }
            Wish::Transfer(to, _) if !configuration.is_voter(*to) => return refused(format!("{to} is no voter")),
            Wish::Transfer(to, authorization) => {
                match app.handle.transfer(*to).await {
                    Err(failure @ Failure::Refused(Refusal::TransferTimedOut { .. })) => {
                        let hint = hindrance(app, *to, authorization.as_ref()).await;
                        return refused(format!("{failure}: {hint}"));
                    }
                    done => done?,
                }
                return Ok(Done::Yes(json!({ "leader": to.number() })));
            }
            Wish::Move(server, place, authorization) => {
                if !configuration.members().contains(*server) {
                    return refused(format!("{server} is no member"));
                }
                let before = app.addresses().get(&server.number()).cloned();
                let Some(address) = place.after(before.as_ref()) else {
                    return refused(format!("nobody knows where {server} is reached now: name both addresses"));
                };
                if let Some(why) = taken(app, *server, &address) {
                    return refused(why);
                }
                if !place.unseen
                    && let Err(why) = see(app, *server, before.as_ref(), &address, authorization.as_ref()).await
                {
                    return refused(format!(
                        "{why}. Nothing was changed: start {server} there first; or say that it needn't be seen there \
                         (members move --unseen, \"unseen\": true)"
                    ));
                }
                let applied = app.handle.propose(change_of_address(*server, &address)).await?;
                let mut done = json!({ "index": applied.entry.index.0, "term": applied.entry.term.0 });
                done["seen"] = (!place.unseen).into();
                done["unaware"] = unaware(app, *server, applied.entry.index, authorization.as_ref()).await;
                return Ok(Done::Yes(done));
            }
            Wish::Add(server, address) => {
                // Nothing is written before it is known that it can be done: a member's address
                // must not be changed by a request that is refused.
                if configuration.is_voter(*server) {
                    return refused(format!("{server} is a voter already. {}", anew(app, *server)));
                }
                if learners.contains(*server) {
                    return Err(Failure::Refused(Refusal::Senseless(ChangeError::Unchanged)));
                }
                if configuration.is_joint() || status.configuration_index > status.commit {
                    return Err(Failure::Refused(Refusal::ChangeInProgress { index: status.configuration_index }));
                }
                if let Some(why) = taken_by_any_name(app, *server, address).await {
                    return refused(why);
                }
                app.handle.propose(change_of_address(*server, address)).await?;
                MembershipChange { voters, learners: learners.union(one(*server)) }
            }
            Wish::Promote(server) if configuration.is_voter(*server) => {
                return refused(format!("{server} is a voter already. {}", anew(app, *server)));
            }
            Wish::Promote(server) if app.peers.report().iter().any(|peer| peer.id == *server && peer.denied) => {
                return refused(format!("{server} can't become a voter as it is: {OTHER_DISK}"));
            }
            Wish::Promote(server) => {
                MembershipChange { voters: voters.union(one(*server)), learners: learners.difference(one(*server)) }
            }
            Wish::Remove(server, _) if !configuration.members().contains(*server) => {
                return refused(format!("{server} isn't a member: there is nothing to remove"));
            }
            Wish::Remove(server, unseen) => {
                if !unseen && let Some(why) = left::hindrance(app, *server).await {
                    return refused(why);
                }
                MembershipChange {
                    voters: voters.difference(one(*server)),
                    learners: learners.difference(one(*server)),
                }
            }
        };
        let entry = app.handle.change_membership(change).await?;
        Ok(Done::Yes(json!({ "index": entry.index.0, "term": entry.term.0 })))
    }
}

/// What to do about a voter that may not vote.
fn anew(app: &App, server: ServerId) -> String {
    let number = server.number();
    let place = app.addresses().get(&number).map(|address| format!("{} {}", address.peer, address.http));
    let place = place.unwrap_or_else(|| "PEER HTTP".to_owned());
    format!(
        "If it has lost its disk, and may not vote, remove it first (raftarium members remove {number}); then add it \
         again (raftarium members add {number} {place}), and promote it"
    )
}

/// The other members' addresses, as far as the leader has applied them.
fn addresses_of_others(app: &App, server: ServerId) -> Vec<(u8, Address)> {
    let members = app.handle.status().configuration.members();
    let is_other =
        |number: u8| number != server.number() && ServerId::new(number).is_some_and(|other| members.contains(other));
    app.addresses().clone().into_iter().filter(|(number, _)| is_other(*number)).collect()
}

fn is_taken_by(other: u8) -> String {
    format!("S{other} is reached at one of these addresses already")
}

/// Which other member has one of these addresses, in a sentence, if one has.
fn taken(app: &App, server: ServerId, address: &Address) -> Option<String> {
    let others = addresses_of_others(app, server);
    let is_taken = |other: &Address| other.peer == address.peer || other.http == address.http;
    others.iter().find(|(_, other)| is_taken(other)).map(|(number, _)| is_taken_by(*number))
}

/// The same, whether the addresses are for peers or for clients, and by whatever name: nobody looks
/// whether the server itself answers there.
async fn taken_by_any_name(app: &App, server: ServerId, address: &Address) -> Option<String> {
    let others = addresses_of_others(app, server);
    let (peer, http) = tokio::join!(Place::of(&address.peer), Place::of(&address.http));
    if peer.is(&http) {
        return Some(format!("{server} can't be reached at the same address by its peers and by clients"));
    }
    let others = others.iter().map(async |(number, other)| {
        let (other_peer, other_http) = tokio::join!(Place::of(&other.peer), Place::of(&other.http));
        let is_taken = [&other_peer, &other_http].into_iter().any(|place| place.is(&peer) || place.is(&http));
        is_taken.then(|| is_taken_by(*number))
    });
    futures_util::future::join_all(others).await.into_iter().flatten().next()
}

/// An address, and where it leads from here.
struct Place<'a> {
    address: &'a str,
    leads_to: Vec<SocketAddr>,
}

/// How long names may take to be looked up. Names that aren't found lead nowhere.
const LOOKED_UP_MAX: Duration = Duration::from_millis(500);

impl Place<'_> {
    async fn of(address: &str) -> Place<'_> {
        let found = tokio::time::timeout(LOOKED_UP_MAX, tokio::net::lookup_host(address)).await;
        Place { address, leads_to: found.ok().and_then(Result::ok).into_iter().flatten().collect() }
    }

    /// Whether both are one.
    fn is(&self, other: &Place<'_>) -> bool {
        self.address == other.address || self.leads_to.iter().any(|place| other.leads_to.contains(place))
    }
}

/// How long a server may take to be seen, at a new address say. Two such waits, and the change
/// itself, fit into a request's time.
pub(super) const SEEN_MAX: Duration = Duration::from_millis(1_500);

/// Looks whether a server is where it is said to be from now on: nobody would reach it otherwise,
/// and the way back needs a majority. What stays as it was isn't looked at.
///
/// # Errors
/// Why it isn't known to be there, in a sentence without its full stop.
async fn see(
    app: &App,
    server: ServerId,
    before: Option<&Address>,
    after: &Address,
    authorization: Option<&HeaderValue>,
) -> Result<(), String> {
    let (peer, http) = (&after.peer, &after.http);
    let is_new = |part: fn(&Address) -> &String| before.map(part) != Some(part(after));
    if is_new(|address| &address.peer) {
        if server != app.server {
            let met = app.peers.meet(server, peer, SEEN_MAX).await;
            met.map_err(|why| format!("{server} doesn't answer its peers at {peer}: {why}"))?;
        } else if !app.listening.has_peer(peer) {
            return Err(format!("{server} listens for its peers at {}, and not at {peer}", app.listening.peer));
        }
    }
    if is_new(|address| &address.http) {
        if server != app.server {
            let met = app.forwarder.status(app, server, http, authorization, SEEN_MAX).await;
            met.map_err(|why| format!("{server} doesn't answer clients at {http}: {why}"))?;
        } else if !app.listening.has_http(http) {
            return Err(format!("{server} listens for clients at {}, and not at {http}", app.listening.http));
        }
    }
    Ok(())
}

/// The members that haven't applied the entry that says where a server is reached now, as far as
/// they tell. Until they have, they look for it where it was, also after they were started again.
/// Those that don't answer the leader aren't waited for.
async fn unaware(app: &App, moved: ServerId, index: LogIndex, authorization: Option<&HeaderValue>) -> Value {
    let status = app.handle.status();
    let others = status.followers.iter().filter(|follower| follower.server != moved);
    let (mut waiting, mut silent) = (ServerSet::EMPTY, ServerSet::EMPTY);
    for follower in others {
        let set = if follower.answers { &mut waiting } else { &mut silent };
        set.insert(follower.server);
    }
    let learn = async {
        while !waiting.is_empty() {
            for server in waiting.iter() {
                let Some(address) = app.address_of(server) else { continue };
                let said = app.forwarder.status(app, server, &address, authorization, SEEN_MAX).await;
                if said.is_ok_and(|said| said["applied_index"].as_u64() >= Some(index.0)) {
                    waiting.remove(server);
                }
            }
            tokio::time::sleep(UNAWARE_LOOK).await;
        }
    };
    // The move is done: it must not become unknown because the answer took too long.
    let _ = tokio::time::timeout(SEEN_MAX.min(app.limits.request / 5), learn).await;
    waiting.union(silent).iter().map(ServerId::number).collect()
}

/// How often is looked whether all know a new address.
const UNAWARE_LOOK: Duration = Duration::from_millis(10);

/// Why a server may not have taken over, as it says itself, in a sentence without its full stop.
async fn hindrance(app: &App, server: ServerId, authorization: Option<&HeaderValue>) -> String {
    let Some(address) = app.address_of(server) else { return "nobody knows where it is reached".into() };
    match app.forwarder.status(app, server, &address, authorization, SEEN_MAX).await {
        Ok(status) => hindrance_in(&status).into(),
        Err(why) => format!("it doesn't answer clients at {address}: {why}"),
    }
}

/// The same from what its `/status` says.
fn hindrance_in(status: &Value) -> &'static str {
    if status["disk"] != disk_name(DiskState::Fine) {
        "its disk is full"
    } else if status["may_vote"] == false {
        "it may not vote"
    } else {
        "see its log, and whether its disk or its links are slow"
    }
}

/// The command that tells all servers where one is reached.
///
/// # Panics
/// The address must have been checked.
fn change_of_address(server: ServerId, address: &Address) -> Bytes {
    let change = AddressChange::new(server, address.clone());
    change.command().unwrap_or_else(|why| panic!("an address that was checked makes no command: {why}"))
}

fn checked(address: &str) -> Result<(), Problem> {
    check_address(address).map_err(|why| Problem::new(Kind::BadRequest, why))
}

async fn wish(app: &Arc<App>, request: Whole, wish: Wish) -> Result<Response, Problem> {
    match lead(app, &request, &wish).await? {
        Led::Here(Done::Yes(done)) => Ok(Json(done).into_response()),
        Led::Here(Done::Refused(why)) => Err(Problem::new(Kind::MembershipRefused, why)),
        Led::There(response) => Ok(response),
    }
}

/// Reads an object of JSON. The library takes an array for one, too, by the order of the fields.
fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    if body.trim_ascii_start().starts_with(b"[") {
        return Err("it is an array, and must be an object".into());
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMember {
    server: u8,
    peer: String,
    http: String,
}

pub async fn add(State(app): Shared, request: Request) -> Result<Response, Problem> {
    let request = whole(&app, request).await?;
    let member: NewMember = object(&request.body).map_err(|error| {
        let form = r#"{"server": 4, "peer": "127.0.0.1:7104", "http": "127.0.0.1:8104"}"#;
        Problem::new(Kind::BadRequest, format!("the body isn't a new member, such as {form}: {error}"))
    })?;
    let server = server_of(member.server)?;
    checked(&member.peer)?;
    checked(&member.http)?;
    wish(&app, request, Wish::Add(server, Address { peer: member.peer, http: member.http })).await
}

/// Where a member is reached from now on, as a request says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPlace {
    peer: Option<String>,
    http: Option<String>,
    /// Whether it is believed without a look at whether the server is there.
    #[serde(default)]
    unseen: bool,
}

impl NewPlace {
    /// The whole address, if it was this one before; none if a part of it isn't known.
    fn after(&self, before: Option<&Address>) -> Option<Address> {
        let peer = self.peer.as_ref().or(before.map(|before| &before.peer))?.clone();
        let http = self.http.as_ref().or(before.map(|before| &before.http))?.clone();
        Some(Address { peer, http })
    }
}

pub async fn move_to(State(app): Shared, server: Named, request: Request) -> Result<Response, Problem> {
    let server = server_named(&named(server)?)?;
    let request = whole(&app, request).await?;
    let form = r#"{"peer": "127.0.0.1:7104", "http": "127.0.0.1:8104"} (or one of the two)"#;
    let place: NewPlace = object(&request.body).map_err(|error| {
        Problem::new(Kind::BadRequest, format!("the body doesn't say where the member is, such as {form}: {error}"))
    })?;
    let given: Vec<&String> = place.peer.iter().chain(&place.http).collect();
    if given.is_empty() {
        return Err(Problem::new(Kind::BadRequest, format!("the body has no new address: write {form}")));
    }
    for address in given {
        checked(address)?;
    }
    let authorization = request.headers.get(header::AUTHORIZATION).cloned();
    wish(&app, request, Wish::Move(server, place, authorization)).await
}

pub async fn remove(State(app): Shared, server: Named, request: Request) -> Result<Response, Problem> {
    let server = server_named(&named(server)?)?;
    let unseen = is_unseen(request.uri())?;
    wish(&app, whole(&app, request).await?, Wish::Remove(server, unseen)).await
}

pub async fn promote(State(app): Shared, server: Named, request: Request) -> Result<Response, Problem> {
    let server = server_named(&named(server)?)?;
    wish(&app, whole(&app, request).await?, Wish::Promote(server)).await
}

pub async fn transfer(State(app): Shared, server: Named, request: Request) -> Result<Response, Problem> {
    let server = server_named(&named(server)?)?;
    let request = whole(&app, request).await?;
    let authorization = request.headers.get(header::AUTHORIZATION).cloned();
    wish(&app, request, Wish::Transfer(server, authorization)).await
}

/// Whether the parameters of a request say that nobody is to look first.
fn is_unseen(uri: &Uri) -> Result<bool, Problem> {
    match uri.query() {
        None | Some("" | "unseen=false") => Ok(false),
        Some("unseen=true") => Ok(true),
        Some(_) => Err(Problem::new(Kind::BadRequest, "a removal takes one parameter: unseen=true, or unseen=false")),
    }
}

/// The whole request, as it can be handed on.
pub(super) async fn whole(app: &App, request: Request) -> Result<Whole, Problem> {
    let (parts, body) = request.into_parts();
    let body = match parts.extensions.get::<Arrived>() {
        Some(Arrived(body)) => body.clone(),
        None => whole_body(app, body).await?,
    };
    let bearer = parts.extensions.get::<Bearer>().copied();
    Ok(Whole::new(parts.method, parts.uri, parts.headers, body).of(bearer))
}

fn server_named(text: &str) -> Result<ServerId, Problem> {
    text.parse().ok().and_then(ServerId::new).ok_or_else(|| {
        Problem::new(
            Kind::BadRequest,
            format!("{} is no server's number: they are 1 to {}", shortened(text), ServerId::MAX),
        )
    })
}

fn server_of(number: u8) -> Result<ServerId, Problem> {
    server_named(&number.to_string())
}

/// How the link to a peer is disturbed, as a request says it. What is left out is undisturbed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Disturbance {
    cut: bool,
    delay_ms: u64,
    loss_percent: u8,
}

/// The longest delay of a link.
const DELAY_MAX: Duration = Duration::from_secs(60);

pub async fn set_link(State(app): Shared, server: Named, body: Body) -> Result<Json<Value>, Problem> {
    if !app.playground {
        let why = "links are disturbed only in a playground: start the server with --playground";
        return Err(Problem::new(Kind::NoPlayground, why));
    }
    let server = server_named(&named(server)?)?;
    let body = whole_body(&app, body).await?;
    let disturbance: Disturbance = object(&body).map_err(|error| {
        let form = r#"{"cut": false, "delay_ms": 200, "loss_percent": 10}"#;
        Problem::new(Kind::BadRequest, format!("the body doesn't say how to disturb a link, such as {form}: {error}"))
    })?;
    let delay = Duration::from_millis(disturbance.delay_ms);
    if delay > DELAY_MAX || disturbance.loss_percent > 100 {
        let why = format!("a delay is at most {} ms, a loss at most 100 percent", DELAY_MAX.as_millis());
        return Err(Problem::new(Kind::BadRequest, why));
    }
    if server == app.server {
        return Err(Problem::new(Kind::BadRequest, format!("this is {server} itself: links go to other servers")));
    }
    if app.peers.report().iter().all(|peer| peer.id != server) {
        let why = format!("there is no link to {server}; GET /links lists what there is");
        return Err(Problem::new(Kind::NoSuchResource, why));
    }
    let loss_ppm = u32::from(disturbance.loss_percent) * 10_000;
    let fault = LinkFault { cut: disturbance.cut, delay, loss_ppm };
    app.peers.set_link(server, fault);
    app.peers.set_link_in(server, fault);
    Ok(links(State(app)).await)
}

pub async fn links(State(app): Shared) -> Json<Value> {
    let fault = |fault: &LinkFault| {
        json!({
            "cut": fault.cut,
            "delay_ms": fault.delay.as_millis() as u64,
            "loss_percent": f64::from(fault.loss_ppm) / 10_000.0,
        })
    };
    let link = |peer: &PeerReport| {
        json!({
            "server": peer.id.number(),
            "address": peer.address,
            "connected": peer.connected,
            "heard": peer.heard,
            "problem": peer.problem,
            "messages_sent": peer.messages_out,
            "messages_received": peer.messages_in,
            "messages_dropped": peer.dropped_out + peer.dropped_in,
            "reconnects": peer.reconnects,
            "waiting": peer.queue_messages,
            "sending": fault(&peer.fault_out),
            "receiving": fault(&peer.fault_in),
        })
    };
    Json(app.peers.report().iter().map(link).collect())
}

/// Whether the server can be given requests. A learner can: it has the log, answers reads, and
/// hands writes to the leader. Who isn't a member can't, though it may still know a leader. A voter
/// that may not vote can't either, so that whoever restarts servers one by one doesn't take this
/// one for one of the majority.
pub(crate) fn is_ready(status: &Status, peers: &[PeerReport]) -> Result<(), &'static str> {
    if !status.configuration.members().contains(status.server) {
        Err("it is no member of the cluster")
    } else if status.is_founding {
        Err("the cluster isn't founded yet: it begins when all servers that found it have met; the log says who lacks")
    } else if let Some(why) = status.why_no_vote(peers) {
        Err(why)
    } else if status.configuration.is_voter(status.server) && status.standing != Standing::Member {
        Err("it is a voter, and doesn't know yet whether it may vote")
    } else {
        is_current(status)
    }
}

/// Whether what the server has applied is as new as what its leader has committed.
pub(crate) fn is_current(status: &Status) -> Result<(), &'static str> {
    if status.leader.is_none() {
        Err(NO_LEADER)
    } else if status.agreed.0 == 0 && !status.leads() {
        Err("it hasn't compared its log with the leader's yet")
    } else if status.disk == DiskState::Full {
        Err("the disk is full")
    } else if status.applied < status.commit {
        Err("it is still applying what is committed")
    } else {
        Ok(())
    }
}

/// The same, with what this server sees to be wrong around it.
fn is_served(app: &App, status: &Status, peers: &[PeerReport]) -> Result<(), String> {
    // Its clients' writes can't be handed on, nobody gets through to it, or what it does is lost.
    let trouble = [Subject::Scheme, Subject::Certificate, Subject::Folder]
        .into_iter()
        .find_map(|subject| app.troubles.of(subject));
    match is_ready(status, peers) {
        Ok(()) => trouble.map_or(Ok(()), Err),
        Err(why) => {
            let why = if why == NO_LEADER { no_leader(app, status) } else { why.to_owned() };
            Err(std::iter::once(why).chain(app.troubles.sentences()).collect::<Vec<_>>().join("; "))
        }
    }
}

pub async fn healthz() -> &'static str {
    "alive\n"
}

pub async fn readyz(State(app): Shared) -> Response {
    match is_served(&app, &app.handle.status(), &app.peers.report()) {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response(),
    }
}

pub async fn metrics(State(app): Shared) -> Response {
    let text = app.metrics.text(&app.handle.status(), &app.peers.report(), app.places.connections());
    ([(header::CONTENT_TYPE, crate::metrics::MEDIA_TYPE)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_does_not_take_over_says_why() {
        for (status, why) in [
            (json!({ "disk": disk_name(DiskState::Full), "may_vote": true }), "its disk is full"),
            (json!({ "disk": disk_name(DiskState::Fine), "may_vote": false }), "it may not vote"),
            (json!({ "disk": disk_name(DiskState::Fine), "may_vote": true }), "see its log"),
        ] {
            assert!(hindrance_in(&status).starts_with(why), "{status}");
        }
    }
}
