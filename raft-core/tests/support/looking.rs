//! What can be seen of a cluster from outside.

use raft_core::raft::{EntryId, LogIndex, Observation, Raft, Refusal, RequestId, Role, ServerId};
use raft_core::sim::Disk;
use raft_core::time::Time;

use super::{Answer, Cluster, Event, Server, last_text};

impl Cluster {
    #[track_caller]
    pub(super) fn server(&self, server: ServerId) -> &Server {
        self.servers.get(&server).unwrap_or_else(|| panic!("there is no {server} in this cluster"))
    }

    #[track_caller]
    pub(super) fn server_mut(&mut self, server: ServerId) -> &mut Server {
        self.servers.get_mut(&server).unwrap_or_else(|| panic!("there is no {server} in this cluster"))
    }

    /// All servers, up or down.
    pub fn servers(&self) -> Vec<ServerId> {
        self.servers.keys().copied().collect()
    }

    /// Whether there is such a server.
    pub fn has(&self, server: ServerId) -> bool {
        self.servers.contains_key(&server)
    }

    /// Whether a server is up.
    pub fn is_up(&self, server: ServerId) -> bool {
        self.server(server).raft.is_some()
    }

    /// A server's core.
    #[track_caller]
    pub fn raft(&self, server: ServerId) -> &Raft {
        self.server(server).raft.as_ref().unwrap_or_else(|| panic!("{server} is down"))
    }

    /// A server's disk.
    pub fn disk(&self, server: ServerId) -> &Disk {
        &self.server(server).disk
    }

    /// How much time has passed.
    pub fn now(&self) -> Time {
        self.now
    }

    /// A server's own clock.
    pub fn clock(&self, server: ServerId) -> Time {
        self.server(server).clock.read(self.now)
    }

    /// The leader of the highest term, among those up.
    pub fn leader(&self) -> Option<ServerId> {
        self.leaders_now().into_iter().max_by_key(|leader| self.raft(*leader).term())
    }

    /// All servers that believe they lead.
    pub fn leaders_now(&self) -> Vec<ServerId> {
        let leads = |(id, server): (&ServerId, &Server)| server.raft.as_ref().filter(|r| r.is_leader()).map(|_| *id);
        self.servers.iter().filter_map(leads).collect()
    }

    /// Whether a server leads.
    pub fn leads(&self, server: ServerId) -> bool {
        self.is_up(server) && self.raft(server).is_leader()
    }

    /// A server's term.
    #[track_caller]
    pub fn term(&self, server: ServerId) -> u64 {
        self.raft(server).term().0
    }

    /// A server's commit index.
    #[track_caller]
    pub fn commit(&self, server: ServerId) -> u64 {
        self.raft(server).commit_index().0
    }

    /// The commands a server has applied, or had when it crashed.
    #[track_caller]
    pub fn applied(&self, server: ServerId) -> &[String] {
        &self.server(server).applied
    }

    /// The terms of a server's log, from the first entry it holds.
    #[track_caller]
    pub fn terms(&self, server: ServerId) -> Vec<u64> {
        self.raft(server).log().iter_from(LogIndex::ZERO).map(|entry| entry.term.0).collect()
    }

    /// The last entry of a server's log.
    #[track_caller]
    pub fn last(&self, server: ServerId) -> EntryId {
        self.raft(server).log().last()
    }

    /// What `leader` knows to be on `member`'s disk.
    #[track_caller]
    pub fn matched(&self, leader: ServerId, member: ServerId) -> u64 {
        let Role::Leader(role) = self.raft(leader).role() else { panic!("{leader} doesn't lead") };
        role.progress(member).unwrap_or_else(|| panic!("{leader} doesn't know {member}")).matched.0
    }

    /// What became of a request so far.
    pub fn answer(&self, request: RequestId) -> Option<&Answer> {
        self.answers.get(&request)
    }

    /// Why a request was refused.
    #[track_caller]
    pub fn refusal(&self, request: RequestId) -> Refusal {
        match self.answer(request) {
            Some(Answer::Refused(reason)) => *reason,
            other => panic!("request {request} wasn't refused: {other:?}"),
        }
    }

    /// What has happened since this was last asked.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Whether `server` has noticed such a thing since [`Cluster::take_events`].
    pub fn observed(&self, server: ServerId, is_it: impl Fn(&Observation) -> bool) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Observed(by, it) if *by == server && is_it(it)))
    }

    /// What must always hold and didn't, with [`Cluster::tolerate`].
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// A line a server: role, term, log, commit and vote, and what is on its way.
    pub fn status(&self) -> String {
        let mut lines = String::new();
        for (id, server) in &self.servers {
            lines += &match &server.raft {
                None => format!("{id} is down, with {} on its disk\n", last_text(server.disk.image().log().last())),
                Some(raft) => {
                    let voted = raft.hard_state().voted_for.map(|to| format!(", voted for {to}")).unwrap_or_default();
                    let leader = match raft.leader().filter(|leader| leader != id) {
                        Some(leader) => format!(" of {leader}"),
                        None => String::new(),
                    };
                    let (role, last) = (raft.role().name(), last_text(raft.log().last()));
                    let (term, commit) = (raft.term(), raft.commit_index());
                    format!("{id}@{term} {role}{leader}, log to {last}, commit {commit}{voted}\n")
                }
            };
        }
        for ((from, to), count) in self.busy_links() {
            lines += &format!("{from} → {to}: {count} on the way\n");
        }
        lines
    }
}
