//! The small worlds that are explored.

use raft_core::raft::{MembershipChange, Rule, Rules, ServerId, ServerSet};

use crate::marks::Mark;
use crate::world::{Bounds, Clocks, World};

fn set(numbers: &[u8]) -> ServerSet {
    numbers.iter().filter_map(|number| ServerId::new(*number)).collect()
}

fn voters(numbers: &[u8]) -> MembershipChange {
    MembershipChange { voters: set(numbers), learners: ServerSet::EMPTY }
}

/// A world of `servers` servers with instant disks, in which only timers fire and messages arrive
/// or don't.
fn plain(name: &'static str, servers: u8) -> World {
    World {
        name,
        about: "",
        servers,
        founders: servers,
        clocks: Clocks::Apart,
        slow_disks: false,
        torn_writes: false,
        pre_vote: false,
        append_entries_max: 256,
        snapshot_after_entries: 0,
        begins_led: false,
        retries: false,
        rules: Rules::ALL,
        bounds: Bounds {
            term_max: 2,
            election_timers: 2,
            link_max: usize::MAX,
            campaigners: ServerSet::first(servers),
            first_first: true,
            ..Bounds::default()
        },
        weight: 1,
        keeps_everything: false,
        expected: &[],
    }
}

fn learners(voters: &[u8], learners: &[u8]) -> MembershipChange {
    MembershipChange { voters: set(voters), learners: set(learners) }
}

/// The worlds in which every rule is on. Those that are small enough to be explored completely come
/// first.
pub fn all() -> Vec<World> {
    let mut worlds = Vec::new();
    let mut add = |name, about, servers, change: &dyn Fn(&mut World, &mut Bounds)| {
        let mut world = World { about, ..plain(name, servers) };
        let mut bounds = Bounds { link_max: 1, ..world.bounds.clone() };
        change(&mut world, &mut bounds);
        worlds.push(World { bounds, ..world });
    };
    add("elections", "three servers with slow disks vote, crash and vote again", 3, &|world, bounds| {
        (world.slow_disks, world.torn_writes) = (true, true);
        bounds.crashes = 1;
        world.expected = &[Mark::Elected, Mark::Deposed, Mark::Committed, Mark::LeaderCrashed, Mark::WriteTorn];
    });
    add("pre-votes", "three servers use pre-vote", 3, &|world, bounds| {
        world.pre_vote = true;
        bounds.election_timers = 3;
        world.expected = &[Mark::Elected, Mark::Deposed, Mark::Committed];
    });
    add("retries", "a client opens a session and tries a write twice, whichever server leads", 3, &|world, bounds| {
        (world.begins_led, world.retries) = (true, true);
        bounds.proposals = 3;
        world.expected = &[Mark::Committed, Mark::Deposed, Mark::Followed];
    });
    add("restarts", "three servers take a command, and one starts again", 3, &|world, bounds| {
        world.begins_led = true;
        (bounds.proposals, bounds.crashes, bounds.heartbeats) = (1, 1, 1);
        world.expected = &[Mark::Committed, Mark::Deposed, Mark::LeaderCrashed, Mark::Truncated];
    });
    add("terms", "two of three servers take turns in leading, and send one entry at a time", 3, &|world, bounds| {
        world.append_entries_max = 1;
        (bounds.term_max, bounds.election_timers) = (4, 6);
        bounds.campaigners = set(&[1, 2]);
        world.expected = &[Mark::Committed, Mark::Deposed, Mark::Truncated];
        world.weight = 4;
    });
    add("reads", "three servers are read in any role", 3, &|world, bounds| {
        bounds.reads = 1;
        world.expected = &[Mark::ReadAnswered, Mark::ReadAtFollower, Mark::Deposed, Mark::Followed];
        world.weight = 2;
    });
    add("leases", "three servers with a common clock give leases", 3, &|world, bounds| {
        (world.clocks, world.begins_led) = (Clocks::Together, true);
        (bounds.reads, bounds.heartbeats, bounds.passes) = (1, 1, 3);
        world.expected = &[Mark::LeaseRead, Mark::Deposed];
    });
    add(
        "handovers",
        "a leader with a lease hands over, and another server is asked to campaign",
        3,
        &|world, bounds| {
            (world.clocks, world.begins_led) = (Clocks::Together, true);
            (bounds.reads, bounds.campaigns, bounds.passes) = (1, 1, 1);
            bounds.transfers = set(&[2]);
            world.expected = &[Mark::LeaseRead, Mark::Deposed];
        },
    );
    add("snapshots", "three servers compact their logs, and one lags behind", 3, &|world, bounds| {
        world.snapshot_after_entries = 1;
        (bounds.proposals, bounds.heartbeats, bounds.election_timers) = (1, 4, 1);
        world.expected = &[Mark::SnapshotInstalled, Mark::Followed];
        world.weight = 2;
    });
    add(
        "changes",
        "three servers become two and one, and can elect another leader at any time",
        3,
        &|world, bounds| {
            world.begins_led = true;
            bounds.changes = vec![voters(&[1, 2]), voters(&[1])];
            (bounds.heartbeats, bounds.proposals) = (1, 1);
            world.expected = &[Mark::MembershipCommitted, Mark::Deposed, Mark::Truncated];
        },
    );
    add("removals", "the leader of three is asked to remove itself", 3, &|world, bounds| {
        world.begins_led = true;
        bounds.changes = vec![voters(&[2, 3])];
        (bounds.crashes, bounds.term_max) = (1, 3);
        world.expected = &[Mark::MembershipCommitted, Mark::Deposed, Mark::LeaderCrashed];
    });
    add("joins", "a new server becomes a learner, and then a voter", 3, &|world, bounds| {
        (world.founders, world.begins_led) = (2, true);
        bounds.changes = vec![learners(&[1, 2], &[3]), voters(&[1, 2, 3])];
        (bounds.crashes, bounds.heartbeats) = (1, 1);
        world.expected = &[Mark::MembershipCommitted, Mark::DiskAdmitted];
    });
    add("renewals", "a server loses its disk and its vote, and gets the vote back", 3, &|world, bounds| {
        world.begins_led = true;
        bounds.changes = vec![learners(&[1, 2], &[3]), voters(&[1, 2, 3])];
        (bounds.wipes, bounds.election_timers) = (set(&[3]), 1);
        world.expected = &[Mark::MembershipCommitted, Mark::DiskAdmitted, Mark::Deposed];
        world.weight = 2;
    });
    add("writes", "three servers with slow disks take commands, and lose power", 3, &|world, bounds| {
        world.begins_led = true;
        (world.slow_disks, world.torn_writes) = (true, true);
        (bounds.proposals, bounds.crashes, bounds.heartbeats) = (2, 1, 1);
        world.expected = &[Mark::Committed, Mark::Followed, Mark::LeaderCrashed, Mark::WriteTorn, Mark::Deposed];
    });
    let everything = |world: &mut World, bounds: &mut Bounds| {
        (world.slow_disks, world.torn_writes) = (true, true);
        (bounds.term_max, bounds.election_timers, bounds.heartbeats) = (3, 3, 2);
        (bounds.crashes, bounds.duplicates, bounds.proposals, bounds.reads) = (1, 1, 2, 1);
        bounds.changes = vec![voters(&[1])];
        bounds.link_max = usize::MAX;
        world.weight = 2;
    };
    add("two", "two servers, and everything at once", 2, &|world, bounds| {
        everything(world, bounds);
        world.pre_vote = true;
        world.expected = &[Mark::Elected, Mark::Committed, Mark::LeaderCrashed, Mark::WriteTorn];
    });
    add("three", "three servers, and everything at once", 3, &|world, bounds| {
        everything(world, bounds);
        world.begins_led = true;
        world.expected = &[Mark::Committed, Mark::Deposed, Mark::ReadAnswered, Mark::LeaderCrashed, Mark::WriteTorn];
    });
    worlds
}

/// The world of a rule's counterexample, with the rule: nothing may be wrong there.
pub fn with(rule: Rule) -> Option<World> {
    Some(World { about: "a rule’s world, with the rule", rules: Rules::ALL, ..without(rule)? })
}

/// The world of a rule's counterexample, without the rule.
pub fn without(rule: Rule) -> Option<World> {
    let name = rule.name();
    let mut world = plain(name, 3);
    let bounds = &mut world.bounds;
    match rule {
        Rule::CompareLogsBeforeVoting | Rule::RefuseStaleTerms | Rule::CheckPreviousEntry | Rule::CommitByMajority => {}
        Rule::VoteOncePerTerm => world = plain(name, 2),
        Rule::PersistBeforeVoting | Rule::PersistBeforeAcknowledging | Rule::PersistBeforeCounting => {
            world = World { slow_disks: true, ..plain(name, 2) };
        }
        Rule::WinByMajority => world = plain(name, 4),
        // It costs no safety: the others ignore a leader of an older term.
        Rule::StepDownOnHigherTerm => return None,
        Rule::DeduplicateRetries => {
            world = World { retries: true, ..plain(name, 1) };
            world.bounds.proposals = 3;
        }
        Rule::MatchWritesByTerm => {
            bounds.heartbeats = 1;
            bounds.link_max = 1;
            world.slow_disks = true;
        }
        Rule::TruncateOnlyOnConflict => {
            world = plain(name, 2);
            let bounds = &mut world.bounds;
            bounds.proposals = 1;
            bounds.duplicates = 1;
            bounds.heartbeats = 1;
            bounds.election_timers = 1;
        }
        Rule::CommitOnlyVerified => {
            bounds.link_max = 1;
            bounds.proposals = 1;
            bounds.heartbeats = 1;
            bounds.crashes = 1;
            bounds.election_timers = 1;
        }
        Rule::CommitOnlyOwnTerm => {
            world.append_entries_max = 1;
            bounds.link_max = 1;
            bounds.term_max = 4;
            bounds.election_timers = 6;
            bounds.campaigners = set(&[1, 2]);
        }
        Rule::IgnoreOldSnapshots => {
            world.snapshot_after_entries = 1;
            (bounds.proposals, bounds.heartbeats, bounds.election_timers) = (1, 3, 1);
            bounds.link_max = 2;
        }
        Rule::ChangeThroughJoint | Rule::MembershipFollowsLog => bounds.changes = vec![voters(&[1])],
        Rule::OneChangeAtATime => bounds.changes = vec![voters(&[1, 2]), voters(&[1])],
        Rule::OwnCommitBeforeChange => bounds.changes = vec![voters(&[1, 2])],
        Rule::BarAmnesiacVoters => bounds.wipes = ServerSet::first(3),
        Rule::ConfirmBeforeReading | Rule::OwnCommitBeforeReading | Rule::ApplyBeforeReading => bounds.reads = 1,
        Rule::LeaseFromSending => {
            world.clocks = Clocks::Together;
            bounds.link_max = 1;
            bounds.reads = 1;
            bounds.passes = 3;
            bounds.heartbeats = 1;
        }
        Rule::GiveUpLeaseOnTransfer => {
            world.clocks = Clocks::Together;
            bounds.reads = 1;
            bounds.passes = 1;
            bounds.transfers = set(&[2]);
        }
        Rule::IgnoreCampaignsUnderLeader => {
            world.clocks = Clocks::Together;
            bounds.reads = 1;
            bounds.passes = 1;
            bounds.campaigns = 1;
        }
    }
    world.rules = Rules::ALL.without(rule);
    Some(world)
}
