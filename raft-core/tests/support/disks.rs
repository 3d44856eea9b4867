//! Disks, crashes and restarts.

use raft_core::raft::{Configuration, Durable, EntryId, Input, ServerId, Start};
use raft_core::sim::Disk;

use super::Cluster;

impl Cluster {
    /// From now on `server`'s writes wait for [`Cluster::fsync`].
    pub fn hold_disk(&mut self, server: ServerId) {
        self.stall_disk(server, true);
    }

    fn stall_disk(&mut self, server: ServerId, stalled: bool) {
        let now = self.now;
        self.server_mut(server).disk.set_stalled(now, stalled);
    }

    /// `server`'s disk is instant again; what waits becomes durable.
    pub fn release_disk(&mut self, server: ServerId) {
        self.fsync(server);
        self.stall_disk(server, false);
        self.fsync(server);
    }

    /// Everything handed to `server`'s disk so far becomes durable, one write after the other; how
    /// many that was.
    pub fn fsync(&mut self, server: ServerId) -> usize {
        let mut count = 0;
        // What the server writes because of the first is handed in later, unless the disk is
        // instant again.
        for _ in 0..self.disk(server).unsynced() {
            if self.disk(server).unsynced() > 0 {
                self.fsync_one(server);
                count += 1;
            }
        }
        count
    }

    /// The oldest write handed to `server`'s disk becomes durable.
    #[track_caller]
    pub fn fsync_one(&mut self, server: ServerId) {
        let receipt = self.server_mut(server).disk.sync_one();
        let receipt = receipt.unwrap_or_else(|| panic!("{server} has no write on its way"));
        self.step(server, Input::Durable(receipt));
    }

    /// `server` stops at once, and loses what isn't durable.
    pub fn crash(&mut self, server: ServerId) {
        self.crash_keeping(server, 0);
    }

    /// `server` stops at once; of what isn't durable, the first `parts` parts (see [`Write`]) have
    /// reached the disk.
    pub fn crash_keeping(&mut self, server: ServerId, parts: usize) {
        assert!(self.is_up(server), "{server} is down already");
        let place = self.server_mut(server);
        place.disk.lose_power_after(parts);
        place.raft = None;
    }

    /// `server` starts again with what is durable. Its clock has gone on meanwhile.
    pub fn restart(&mut self, server: ServerId) {
        assert!(!self.is_up(server), "{server} is up: crash it first");
        let place = self.server(server);
        let (durable, bootstrap) = (place.disk.image().durable(), place.bootstrap);
        if durable == Durable::default() && bootstrap == Configuration::default() {
            return self.start_joining(server);
        }
        self.start_server(server, Start::Restart(durable, bootstrap));
    }

    /// `server` starts again with this on its disk instead.
    pub fn restart_from(&mut self, server: ServerId, durable: Durable) {
        self.server_mut(server).disk = Disk::holding(&durable);
        self.restart(server);
    }

    /// `server` crashes, loses all but the first `kept` entries, and starts again, knowing that;
    /// how its log ended before.
    pub fn restart_damaged(&mut self, server: ServerId, kept: usize) -> EntryId {
        self.crash(server);
        let mut durable = self.disk(server).image().durable();
        let lost = self.disk(server).image().log().last();
        durable.hard_state.lost = lost;
        durable.entries.truncate(kept);
        self.restart_from(server, durable);
        lost
    }

    /// `server` has lost its disk and starts under its old name ([`Start::Join`]).
    pub fn restart_wiped(&mut self, server: ServerId) {
        assert!(!self.is_up(server), "{server} is up: crash it first");
        let place = self.server_mut(server);
        place.disk = Disk::holding(&Durable::default());
        place.bootstrap = Configuration::default();
        self.start_joining(server);
    }
}
