//! What a server is asked for.

use raft_core::raft::{Input, MembershipChange, Proposal, ReadMode, RequestId, ServerId, ServerSet};

use super::{Cluster, write_snapshot};

impl Cluster {
    /// A client hands `server` a command.
    pub fn propose(&mut self, server: ServerId, command: &str) -> RequestId {
        self.ask(server, |id| Input::Propose(Proposal { id, command: command.as_bytes().into() }))
    }

    /// A client hands `server` several commands at once.
    pub fn propose_batch(&mut self, server: ServerId, commands: &[&str]) -> Vec<RequestId> {
        let proposals: Vec<Proposal> = commands
            .iter()
            .map(|command| Proposal { id: self.request(), command: command.as_bytes().into() })
            .collect();
        let ids = proposals.iter().map(|proposal| proposal.id).collect();
        self.step(server, Input::ProposeBatch(proposals));
        ids
    }

    /// A read, confirmed by heartbeats.
    pub fn read(&mut self, server: ServerId) -> RequestId {
        self.ask(server, |id| Input::Read { id, mode: ReadMode::Confirmed })
    }

    /// A read under a lease.
    pub fn lease_read(&mut self, server: ServerId) -> RequestId {
        self.ask(server, |id| Input::Read { id, mode: ReadMode::Lease })
    }

    /// An operator asks `server` for this membership.
    pub fn change(&mut self, server: ServerId, voters: ServerSet, learners: ServerSet) -> RequestId {
        self.ask(server, |id| Input::ChangeMembership { id, change: MembershipChange { voters, learners } })
    }

    /// An operator asks `server` to hand leadership over to `to`.
    pub fn transfer(&mut self, server: ServerId, to: ServerId) -> RequestId {
        self.ask(server, |id| Input::TransferLeadership { id, to })
    }

    /// `server` takes a snapshot of everything it has applied.
    pub fn snapshot(&mut self, server: ServerId) {
        let place = self.server(server);
        let (index, data) = (place.applied_index, write_snapshot(&place.applied));
        self.step(server, Input::SnapshotTaken { index, data });
    }

    /// `server` is told to campaign.
    pub fn campaign(&mut self, server: ServerId) {
        self.step(server, Input::Campaign);
    }

    /// Makes `server` the leader the regular way: everybody's patience passes, it campaigns,
    /// everything arrives.
    ///
    /// # Panics
    /// If it doesn't win. A living leader votes for nobody: without it, there must be a quorum
    /// still.
    #[track_caller]
    pub fn elect(&mut self, server: ServerId) {
        let patience = self.raft(server).config().election_timeout_min;
        self.sleep(patience);
        self.campaign(server);
        self.settle();
        assert!(self.leads(server), "{server} was to lead and doesn't:\n{}", self.status());
    }

    /// Gives `server` a request with a number of its own.
    fn ask(&mut self, server: ServerId, input: impl FnOnce(RequestId) -> Input) -> RequestId {
        let id = self.request();
        self.step(server, input(id));
        id
    }

    fn request(&mut self) -> RequestId {
        self.next_request += 1;
        self.next_request
    }
}
