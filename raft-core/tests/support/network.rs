//! A network driven by hand: one queue per direction of each pair of servers. Nothing moves by
//! itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use raft_core::raft::{Message, ServerId};

/// A direction between two servers.
pub type Link = (ServerId, ServerId);

/// All messages in flight, and the links that are cut or held.
#[derive(Clone, Debug, Default)]
pub struct Network {
    queues: BTreeMap<Link, VecDeque<Message>>,
    cut: BTreeSet<Link>,
    held: BTreeSet<Link>,
}

impl Network {
    /// Puts a message on its link. Returns `false` if the link is cut.
    pub fn send(&mut self, link: Link, message: Message) -> bool {
        if self.cut.contains(&link) {
            return false;
        }
        self.queues.entry(link).or_default().push_back(message);
        true
    }

    /// The messages in flight on a link, oldest first.
    pub fn on_the_way(&self, link: Link) -> Vec<Message> {
        self.queues.get(&link).map(|queue| queue.iter().cloned().collect()).unwrap_or_default()
    }

    /// Takes the message at `position` off a link; 0 is the oldest.
    pub fn take(&mut self, link: Link, position: usize) -> Option<Message> {
        self.queues.get_mut(&link)?.remove(position)
    }

    /// Reverses the order of the messages in flight.
    pub fn reverse(&mut self, link: Link) {
        if let Some(queue) = self.queues.get_mut(&link) {
            queue.make_contiguous().reverse();
        }
    }

    /// The next link after `after` that has messages and isn't held. Links take turns, so that each
    /// gets its share.
    pub fn next_busy(&self, after: Option<Link>) -> Option<Link> {
        let free = |(link, queue): (&Link, &VecDeque<Message>)| {
            (!queue.is_empty() && !self.held.contains(link)).then_some(*link)
        };
        let later = self.queues.iter().filter(|(link, _)| after.is_some_and(|after| **link > after)).find_map(free);
        later.or_else(|| self.queues.iter().find_map(free))
    }

    /// The links that have messages in flight.
    pub fn busy(&self) -> Vec<(Link, usize)> {
        self.queues.iter().filter(|(_, queue)| !queue.is_empty()).map(|(link, queue)| (*link, queue.len())).collect()
    }

    /// Cuts a link: its messages are lost, and so are later ones. Returns how many were lost.
    pub fn cut(&mut self, link: Link) -> usize {
        self.cut.insert(link);
        self.queues.remove(&link).map_or(0, |queue| queue.len())
    }

    /// Mends a link that was cut.
    pub fn mend(&mut self, link: Link) {
        self.cut.remove(&link);
    }

    /// Mends all links, and releases held ones.
    pub fn mend_all(&mut self) {
        self.cut.clear();
        self.held.clear();
    }

    /// Whether a link is cut.
    pub fn is_cut(&self, link: Link) -> bool {
        self.cut.contains(&link)
    }

    /// Holds a link: its messages wait until they are taken, or the link is released.
    pub fn hold(&mut self, link: Link) {
        self.held.insert(link);
    }

    /// Releases a held link.
    pub fn let_go(&mut self, link: Link) {
        self.held.remove(&link);
    }
}
