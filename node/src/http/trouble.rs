//! What a server sees to be wrong around it that doesn't pass by itself: a person has to do
//! something. It stands in the log, in `/status`, and, where it keeps requests from being served,
//! in `/readyz`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use raft_core::raft::ServerId;
use tokio::time::{Instant, sleep};

use super::{App, surroundings};
use crate::driver::Status;
use crate::machine::Address;

/// How often a server looks around. What it sees must be so at two looks to be believed: while it
/// starts, addresses of earlier times pass through it, and its peers haven't connected yet.
pub(super) const LOOK: Duration = Duration::from_secs(2);

/// How often the log says again what is still wrong.
const TOLD_AGAIN: Duration = Duration::from_secs(600);

/// What a trouble is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The members know another address of this server than where it listens.
    Address,
    /// Peers are reached, and don't reach this server.
    Unreached,
    /// The leader speaks HTTPS and this server plain HTTP, or the reverse.
    Scheme,
    /// Peers aren't connected, and that doesn't pass by itself.
    Refused,
    /// Peers reach this server, and it doesn't know where they are.
    Unknown,
    /// This server's certificate isn't believed.
    Certificate,
    /// The data folder is gone.
    Folder,
    /// The disk has lost a part of the log.
    Lost,
}

/// What is wrong now.
#[derive(Debug, Default)]
pub struct Troubles {
    all: Mutex<BTreeMap<Subject, Trouble>>,
}

/// Something that may be wrong for a while.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    found: Option<Found>,
}

#[derive(Debug)]
struct Found {
    sentence: String,
    told: Instant,
}

impl Trouble {
    /// Says what is wrong now, if anything is. The log hears of it when it is new, from time to
    /// time as long as it lasts, and when it is over.
    pub(super) fn set(&mut self, sentence: Option<String>) {
        let now = Instant::now();
        let Some(sentence) = sentence else {
            if let Some(before) = self.found.take() {
                tracing::info!("this is over: {}", before.sentence);
            }
            return;
        };
        let is_told = |found: &Found| found.sentence == sentence && now.duration_since(found.told) < TOLD_AGAIN;
        if !self.found.as_ref().is_some_and(is_told) {
            tracing::warn!("{sentence}");
            self.found = Some(Found { sentence, told: now });
        }
    }
}

impl Troubles {
    /// Says what is wrong with this now, if anything is.
    pub(super) fn set(&self, subject: Subject, sentence: Option<String>) {
        self.lock().entry(subject).or_default().set(sentence);
    }

    /// All that is wrong, in sentences without their full stops.
    pub fn sentences(&self) -> Vec<String> {
        let all = self.lock();
        all.values().filter_map(|trouble| trouble.found.as_ref()).map(|found| found.sentence.clone()).collect()
    }

    /// What is wrong with this.
    pub(super) fn of(&self, subject: Subject) -> Option<String> {
        self.lock().get(&subject)?.found.as_ref().map(|found| found.sentence.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Subject, Trouble>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a server listens, and where it was told that it is reached.
#[derive(Clone, Debug)]
pub struct Listening {
    /// For its peers.
    pub peer: SocketAddr,
    /// For clients.
    pub http: SocketAddr,
    /// Where it is reached, as it was told at its start. That is another address if something
    /// stands between (a port that is forwarded, say).
    pub own: Option<Address>,
}

impl Listening {
    /// Whether peers that dial this address may well reach this server.
    pub(super) fn has_peer(&self, address: &str) -> bool {
        is_at(address, self.own.as_ref().map(|own| own.peer.as_str()), self.peer)
    }

    /// Whether clients that connect to this address may well reach this server.
    pub(super) fn has_http(&self, address: &str) -> bool {
        is_at(address, self.own.as_ref().map(|own| own.http.as_str()), self.http)
    }

    /// What is wrong if the members know this server there.
    pub(super) fn contradicts(&self, server: ServerId, known: &Address) -> Option<String> {
        let mut parts = Vec::new();
        let mut options = String::new();
        if !self.has_peer(&known.peer) {
            parts.push(format!("{} for its peers, and it listens at {}", known.peer, self.peer));
            options += &format!(" --peer {}", to_type(self.peer));
        }
        if !self.has_http(&known.http) {
            parts.push(format!("{} for clients, and it listens at {}", known.http, self.http));
            options += &format!(" --http {}", to_type(self.http));
        }
        (!parts.is_empty()).then(|| {
            format!(
                "the members know this server at {}: tell them where it is (raftarium members move {}{options}), or \
                 start it there",
                parts.join("; and at "),
                server.number(),
            )
        })
    }
}

/// Whether an address leads to where a server listens, as far as can be told without a look.
fn is_at(address: &str, own: Option<&str>, listens: SocketAddr) -> bool {
    if own == Some(address) {
        return true;
    }
    match address.parse::<SocketAddr>() {
        Ok(address) => {
            address.port() == listens.port() && (listens.ip().is_unspecified() || address.ip() == listens.ip())
        }
        // A name may stand for any machine.
        Err(_) => address.rsplit_once(':').is_some_and(|(_, port)| port == listens.port().to_string()),
    }
}

/// The address of a listener, as others would have to type it.
fn to_type(listens: SocketAddr) -> String {
    if listens.ip().is_unspecified() { format!("HOST:{}", listens.port()) } else { listens.to_string() }
}

/// Looks around until the server stops.
pub(crate) async fn look_around(app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    tokio::select! {
        () = look(&app) => {}
        () = surroundings::look(&app) => {}
        _ = stopping.wait_for(|is_stopping| *is_stopping) => {}
    }
}

async fn look(app: &App) {
    let mut status = app.handle.watch();
    let mut before = [None, None];
    loop {
        let now = status.borrow_and_update().clone();
        let known = app.addresses().get(&app.server.number()).cloned();
        let found = [known.and_then(|known| app.listening.contradicts(app.server, &known)), unreached(app, &now)];
        for (place, subject) in [Subject::Address, Subject::Unreached].into_iter().enumerate() {
            // Gone at once, and believed at the second look.
            let sentence = if found[place] == before[place] { found[place].clone() } else { None };
            app.troubles.set(subject, sentence);
        }
        before = found;
        let leader = now.leader.filter(|leader| *leader != app.server);
        let address = leader.and_then(|leader| app.address_of(leader));
        if now.leader == Some(app.server) {
            app.troubles.set(Subject::Scheme, None);
        } else if let (Some(leader), Some(address)) = (leader, address)
            && !app.forwarder.has_met(&address)
        {
            // If it isn't met, it is greeted again at the next look.
            let _ = app.forwarder.greet(app, leader, &address).await;
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            changed = status.wait_for(|status| status.leader != now.leader) => {
                if changed.is_err() {
                    return;
                }
                // What is to be so at two looks, must be so for a while.
                before = [None, None];
            }
        }
    }
}

/// That peers are reached from here, and don't reach this server.
fn unreached(app: &App, status: &Status) -> Option<String> {
    let members = status.configuration.members();
    if status.leader.is_some() || !members.contains(app.server) {
        return None;
    }
    let reached: Vec<_> =
        app.peers.report().into_iter().filter(|peer| peer.connected && members.contains(peer.id)).collect();
    if reached.is_empty() || reached.iter().any(|peer| peer.heard) {
        return None;
    }
    let names: Vec<_> = reached.iter().map(|peer| peer.id.to_string()).collect();
    Some(format!(
        "this server reaches {}, and none of them reaches it: see where they look for it (raftarium members); it \
         listens at {} for its peers. If they look elsewhere, start it there, or, if they have a leader, tell them \
         (raftarium members move {} --peer {})",
        names.join(", "),
        app.listening.peer,
        app.server.number(),
        to_type(app.listening.peer),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(peer: &str, own: Option<&str>) -> Listening {
        let own = own.map(|peer| Address { peer: peer.into(), http: "a:1".into() });
        Listening { peer: peer.parse().unwrap(), http: "127.0.0.1:8101".parse().unwrap(), own }
    }

    #[test]
    fn an_address_leads_to_a_server_or_not() {
        for (listens, own, known, leads) in [
            ("10.0.0.2:7102", None, "10.0.0.2:7102", true),
            ("10.0.0.2:7102", None, "10.0.0.2:7202", false),
            ("10.0.0.2:7102", None, "10.0.0.3:7102", false),
            ("0.0.0.0:7102", None, "10.0.0.3:7102", true),
            ("0.0.0.0:7102", None, "10.0.0.3:7202", false),
            ("10.0.0.2:7102", None, "s2.example:7102", true),
            ("10.0.0.2:7102", None, "s2.example:7202", false),
            // A port that is forwarded.
            ("10.0.0.2:7102", Some("192.0.2.1:9102"), "192.0.2.1:9102", true),
            ("10.0.0.2:7102", Some("10.0.0.2:7102"), "10.0.0.2:7202", false),
        ] {
            assert_eq!(listening(listens, own).has_peer(known), leads, "{listens} {own:?} {known}");
        }
    }

    #[test]
    fn a_server_says_where_it_listens_if_the_members_know_another_address() {
        let server = ServerId::new(2).unwrap();
        let known = |peer: &str, http: &str| Address { peer: peer.into(), http: http.into() };
        let listening = listening("127.0.0.1:7102", None);
        assert_eq!(listening.contradicts(server, &known("127.0.0.1:7102", "127.0.0.1:8101")), None);
        assert_eq!(
            listening.contradicts(server, &known("127.0.0.1:7202", "127.0.0.1:8101")).unwrap(),
            "the members know this server at 127.0.0.1:7202 for its peers, and it listens at 127.0.0.1:7102: tell \
             them where it is (raftarium members move 2 --peer 127.0.0.1:7102), or start it there"
        );
        let both = listening.contradicts(server, &known("127.0.0.1:7202", "127.0.0.1:8201")).unwrap();
        assert!(both.contains("--peer 127.0.0.1:7102 --http 127.0.0.1:8101"), "{both}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_trouble_is_there_until_it_is_over() {
        let troubles = Troubles::default();
        troubles.set(Subject::Scheme, Some("x".into()));
        troubles.set(Subject::Address, Some("y".into()));
        assert_eq!(troubles.sentences(), ["y", "x"]);
        troubles.set(Subject::Address, None);
        assert_eq!((troubles.of(Subject::Address), troubles.of(Subject::Scheme)), (None, Some("x".into())));
        let told = |troubles: &Troubles| troubles.lock()[&Subject::Scheme].found.as_ref().unwrap().told;
        let first = told(&troubles);
        tokio::time::advance(TOLD_AGAIN / 2).await;
        troubles.set(Subject::Scheme, Some("x".into()));
        assert_eq!(told(&troubles), first, "not again so soon");
        tokio::time::advance(TOLD_AGAIN).await;
        troubles.set(Subject::Scheme, Some("x".into()));
        assert_ne!(told(&troubles), first);
    }
}
