//! Messages on their way, and the links that carry them. The network is the simulated one, in which
//! nothing moves by itself here.

use std::collections::BTreeMap;

use raft_core::raft::{Input, Message, ServerId};
use raft_core::sim::{Body, Endpoint};

use super::{Cluster, Event, ms};

/// A direction between two servers.
pub type Link = (ServerId, ServerId);

impl Cluster {
    /// What is on its way, by link and number: the lower, the older.
    fn flights(&self) -> BTreeMap<Link, BTreeMap<u64, &Message>> {
        let mut links: BTreeMap<Link, BTreeMap<u64, &Message>> = BTreeMap::new();
        for flight in self.network.flights() {
            match (flight.from, flight.to, &flight.body) {
                (Endpoint::Server(from), Endpoint::Server(to), Body::Raft(message)) => {
                    links.entry((from, to)).or_default().insert(flight.number, message);
                }
                _ => unreachable!("there are no clients"),
            }
        }
        links
    }

    /// The messages on their way from one server to another, oldest first.
    pub fn on_the_way(&self, from: ServerId, to: ServerId) -> Vec<Message> {
        self.flights().remove(&(from, to)).into_iter().flat_map(BTreeMap::into_values).cloned().collect()
    }

    /// The links with something on its way, and how much that is.
    pub fn busy_links(&self) -> Vec<(Link, usize)> {
        self.flights().into_iter().map(|(link, messages)| (link, messages.len())).collect()
    }

    /// The link, among those that carry messages by themselves, with something on its way: the
    /// first after `after`, in turn, so that every link gets its share.
    pub fn next_busy_link(&self, after: Option<Link>) -> Option<Link> {
        let mut free: Vec<Link> = self.flights().into_keys().collect();
        free.retain(|link| !self.held_links.contains(link));
        free.iter().find(|link| after.is_none_or(|after| **link > after)).or(free.first()).copied()
    }

    /// The oldest message from one server to another arrives.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn deliver(&mut self, from: ServerId, to: ServerId) -> Message {
        self.deliver_nth(from, to, 0)
    }

    /// The message with `older` older ones before it arrives, and overtakes those.
    #[track_caller]
    pub fn deliver_nth(&mut self, from: ServerId, to: ServerId, older: usize) -> Message {
        let message = self.take(from, to, older);
        self.arrive(from, to, message.clone());
        message
    }

    /// Everything that is on its way from one server to another now arrives; how many messages that
    /// was.
    pub fn deliver_all(&mut self, from: ServerId, to: ServerId) -> usize {
        let count = self.on_the_way(from, to).len();
        for _ in 0..count {
            self.deliver(from, to);
        }
        count
    }

    /// Everything on its way from one server to another is lost.
    pub fn drop_all(&mut self, from: ServerId, to: ServerId) -> usize {
        let count = self.on_the_way(from, to).len();
        for _ in 0..count {
            self.take(from, to, 0);
        }
        count
    }

    /// Everything on its way is lost.
    pub fn drop_everything(&mut self) -> usize {
        self.busy_links().into_iter().map(|((from, to), _)| self.drop_all(from, to)).sum()
    }

    /// Takes a message off its link, to be given back later with [`Cluster::put`] or
    /// [`Cluster::arrive`], or never.
    #[track_caller]
    pub fn take(&mut self, from: ServerId, to: ServerId, older: usize) -> Message {
        let number = self.flights().get(&(from, to)).and_then(|link| link.keys().nth(older).copied());
        match number.and_then(|number| self.network.take(number)) {
            Some(Body::Raft(message)) => message,
            _ => panic!("nothing is on its way from {from} to {to}:\n{}", self.status()),
        }
    }

    /// Puts a message on a link, after everything else there: a late one, a copy, or a forgery.
    /// Whether it is on its way: a cut link carries nothing.
    pub fn put(&mut self, from: ServerId, to: ServerId, message: Message) -> bool {
        self.network.put(self.now, Endpoint::Server(from), Endpoint::Server(to), Body::Raft(message)).is_some()
    }

    /// The oldest message from one server to another will arrive twice: the copy comes after
    /// everything else there.
    #[track_caller]
    pub fn duplicate(&mut self, from: ServerId, to: ServerId) {
        let message = self.on_the_way(from, to).into_iter().next();
        let message = message.unwrap_or_else(|| panic!("nothing is on its way from {from} to {to}"));
        self.put(from, to, message);
    }

    /// Turns the order of what is on its way around.
    pub fn reverse(&mut self, from: ServerId, to: ServerId) {
        let messages = self.on_the_way(from, to);
        self.drop_all(from, to);
        for message in messages.into_iter().rev() {
            self.put(from, to, message);
        }
    }

    /// A message arrives at once, whatever the network.
    pub fn arrive(&mut self, from: ServerId, to: ServerId, message: Message) {
        if !self.is_up(to) {
            self.events.push(Event::Missed(from, to, message));
            return;
        }
        self.events.push(Event::Arrived(from, to, message.clone()));
        self.step(to, Input::Message { from, message });
    }

    /// Everything on its way arrives, and everything that is sent because of it, until nothing
    /// moves. No time passes.
    pub fn settle(&mut self) {
        let mut after = None;
        for _ in 0..100_000 {
            let Some((from, to)) = self.next_busy_link(after) else { return };
            after = Some((from, to));
            self.deliver(from, to);
        }
        panic!("the servers never stop talking");
    }

    /// Cuts the link from one server to another, this direction only. What it carries is lost, and
    /// what is sent over it later, too.
    pub fn cut(&mut self, from: ServerId, to: ServerId) {
        self.network.set_cut(from, to, true, self.now);
        self.drop_all(from, to);
    }

    /// Cuts both directions between two servers.
    pub fn cut_both(&mut self, one: ServerId, other: ServerId) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// Mends one direction.
    pub fn mend(&mut self, from: ServerId, to: ServerId) {
        self.network.set_cut(from, to, false, self.now);
    }

    /// Cuts `server` off from everybody.
    pub fn isolate(&mut self, server: ServerId) {
        for other in self.servers().into_iter().filter(|other| *other != server) {
            self.cut_both(server, other);
        }
    }

    /// Cuts `server` off from everybody, for so long that a leader keeps no log for its sake any
    /// more.
    pub fn lose_sight_of(&mut self, server: ServerId) {
        self.isolate(server);
        let patience = self.raft(server).config().election_timeout_max;
        self.run(patience + ms(50));
    }

    /// Splits the network: servers of different groups can't reach each other, those of one group
    /// can. A server that no group names is alone.
    pub fn partition(&mut self, groups: &[&[u8]]) {
        self.connect_where(|from, to| groups.iter().any(|group| group.contains(&from) && group.contains(&to)));
    }

    /// Leaves only the links between these pairs, both ways: chains, rings, stars, bridges.
    pub fn connect_only(&mut self, pairs: &[(u8, u8)]) {
        self.connect_where(|from, to| pairs.contains(&(from, to)) || pairs.contains(&(to, from)));
    }

    /// Mends every link, and lets the held ones go.
    pub fn heal(&mut self) {
        self.connect_where(|_, _| true);
        self.held_links.clear();
    }

    /// Mends the links between servers for whose numbers this holds, and cuts the others.
    fn connect_where(&mut self, connected: impl Fn(u8, u8) -> bool) {
        let servers = self.servers();
        let links = servers.iter().flat_map(|from| servers.iter().map(move |to| (*from, *to)));
        for (from, to) in links.filter(|(from, to)| from != to) {
            if connected(from.number(), to.number()) { self.mend(from, to) } else { self.cut(from, to) }
        }
    }

    /// Holds a link: what is sent over it waits to be delivered by hand.
    pub fn hold(&mut self, from: ServerId, to: ServerId) {
        self.held_links.insert((from, to));
    }

    /// Lets a held link go.
    pub fn let_go(&mut self, from: ServerId, to: ServerId) {
        self.held_links.remove(&(from, to));
    }
}
