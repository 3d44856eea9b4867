//! Starting a server, new or again, from what its disk holds.

use alloc::vec::Vec;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::Raft;
use super::config::{Config, ConfigError};
use super::durability::Disk;
use super::entry::Payload;
use super::guards;
use super::io::{Durable, DurableError, HardState, Standing, Start};
use super::log::Log;
use super::membership::{ChangeError, Configuration, MembershipLog};
use super::reads::LocalReads;
use super::role::Role;
use super::server::Server;
use super::types::{DiskId, EntryId, LogIndex, Term};
use crate::time::{Duration, Time};

impl Raft {
    /// Starts a server at `now`, a reading of its own clock.
    ///
    /// # Errors
    /// Parameters that make no sense together, or a disk image that can't be a server's.
    pub fn new(config: Config, start: Start, now: Time) -> Result<Raft, StartError> {
        config.check().map_err(StartError::Config)?;
        guards::check_start(&start)?;
        let (durable, bootstrap) = match start {
            Start::Bootstrap(configuration) => (Durable::default(), configuration),
            Start::Restart(durable, configuration) => (durable, configuration),
            Start::Join { disk } => {
                if disk == DiskId::default() {
                    return Err(StartError::DiskUnnamed);
                }
                let hard_state = HardState { standing: Standing::Joining, disk, ..HardState::default() };
                (Durable { hard_state, ..Durable::default() }, Configuration::default())
            }
        };
        let (base, mut membership) = match &durable.snapshot {
            None => (EntryId::ZERO, MembershipLog::new(LogIndex::ZERO, bootstrap)),
            Some(snapshot) => {
                let meta = &snapshot.meta;
                (meta.last, MembershipLog::new(meta.configuration_index, meta.configuration))
            }
        };
        let mut log = Log::after(base);
        let mut admissions = Vec::new();
        for entry in durable.entries {
            let index = log.last().index.next();
            match &entry.payload {
                Payload::Membership(configuration) => membership.append(index, **configuration),
                Payload::Admission { server, disk } if *server == config.id => admissions.push((index, *disk)),
                _ => {}
            }
            log.append(entry);
        }
        let mut random = Xoshiro256PlusPlus::seed_from_u64(config.seed ^ (u64::from(config.id.number()) << 56));
        // The first number is drawn but not used. An earlier version used it; so a seed's election
        // timeouts stay the same and old runs replay.
        let _: u64 = random.random();
        let mut server = Server {
            now,
            hard_state: durable.hard_state,
            disk: Disk::holding(log.last().index),
            log,
            snapshot: durable.snapshot,
            membership,
            commit: base.index,
            applied: base.index,
            leader: None,
            election_deadline: Time::ZERO,
            election_timeout: Duration::ZERO,
            // It may have acknowledged a leader just before it crashed. That leader's lease depends
            // on this server's patience.
            patient_until: now + config.election_timeout_min,
            slow_campaigns: 0,
            slow_vote: false,
            campaigns: 0,
            vote_needed: false,
            admissions,
            incoming: None,
            snapshot_asked: false,
            snapshot_tried: LogIndex::ZERO,
            applied_bytes: 0,
            reads: LocalReads::default(),
            handed_over: None,
            agreed: (Term::ZERO, LogIndex::ZERO),
            slice: None,
            random,
            config,
        };
        // The lost entries may have come back before the disk recorded that.
        if server.log.last() >= server.hard_state.lost {
            server.hard_state.lost = EntryId::ZERO;
        }
        server.disk.begin_with(&server.hard_state);
        server.arm_election_timer();
        Ok(Raft { server, role: Role::Follower })
    }
}

/// Why a server can't start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// Its parameters make no sense together.
    Config(ConfigError),
    /// It joins on a disk without a number of its own ([`Start::Join`]).
    DiskUnnamed,
    /// It starts again as a server that joined once, but its disk holds nothing ([`Start::Join`]).
    Blank,
    /// The membership that the cluster was founded with makes no sense.
    Bootstrap(ChangeError),
    /// Its disk holds something that can't be a server's state.
    Durable(DurableError),
}

impl core::fmt::Display for StartError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            StartError::Config(error) => error.fmt(f),
            StartError::DiskUnnamed => f.write_str("the disk’s number is zero: give each new disk a number of its own"),
            StartError::Blank => f.write_str("its disk holds nothing to start from: let the server join"),
            StartError::Bootstrap(error) => write!(f, "the membership to begin with can’t be: {error}"),
            StartError::Durable(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for StartError {}
