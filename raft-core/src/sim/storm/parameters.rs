//! The parameters of a storm's world: how fast its network and disks are, how busy its clients, how
//! small its limits. All are drawn from the seed.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use super::pick;
use crate::sim::client::ClientId;
use crate::sim::{DiskParameters, LimitParameters, NetworkParameters, Parameters};
use crate::time::Duration;

/// With writes at least this long, a storm lets entries travel together and adds no load.
pub(super) const SLOW_DISK: Duration = Duration::from_millis(100);

/// The longest that a write takes on a slow disk, in milliseconds: a little less than what counts
/// as a stall in a world with election timeouts of 150 to 300 ms.
pub(super) const SLOW_DISK_MAX: u64 = 590;

/// Draws the parameters of a world.
pub(super) fn draw(random: &mut Xoshiro256PlusPlus, parameters: &mut Parameters) {
    let millis = Duration::from_millis;
    let (min, max) = pick(random, &[(1, 3), (1, 20), (5, 15), (10, 40)]);
    parameters.network =
        NetworkParameters { latency_min: millis(min), latency_max: millis(max), loss: 0, duplication: 0 };
    // The first list has disks as slow as possible: even the slowest still counts as working.
    let disks: &[(u64, u64)] = match random.random_range(0..6_u32) {
        0 => &[(50, 150), (200, SLOW_DISK_MAX / 2), (SLOW_DISK_MAX * 3 / 4, SLOW_DISK_MAX)],
        _ => &[(0, 0), (0, 1), (1, 5), (2, 30)],
    };
    let (min, max) = pick(random, disks);
    parameters.disk = DiskParameters { fsync_min: millis(min), fsync_max: millis(max) };
    parameters.timing.snapshot_after_entries = pick(random, &[0, 5, 20, 100]);
    parameters.timing.append_entries_max = pick(random, &[1, 2, 8, 256]);
    parameters.timing.snapshot_piece_max = pick(random, &[16, 64, 64 << 10]);
    let slow = parameters.disk.fsync_max >= SLOW_DISK;
    parameters.timing.pre_vote = random.random_range(0..4_u32) > 0;
    parameters.clients.count = pick(random, &[1, 2, 4, 8]);
    parameters.clients.think_time = millis(pick(random, &[15, 40, 120]));
    draw_limits(random, &mut parameters.limits);
    fit_load(parameters, slow);
    parameters.clients.extra_reads = pick(random, &[0, 500_000, 900_000]);
    // Many keys make a large snapshot of many pieces.
    parameters.clients.keys = pick(random, &[1, 2, 5, 60]);
    if !slow && random.random_range(0..8_u32) == 0 {
        draw_many_writes(random, parameters);
    }
    parameters.clients.lease_reads = random.random_range(0..3_u32) == 0;
    parameters.clients.attempt_timeout = millis(pick(random, &[100, 250, 600]));
    // An answer takes a round trip from the client to the leader and one from there to a follower,
    // with a write on each. An operation may need a session first, and a few tries.
    let answer = parameters.network.latency_max.times(4) + parameters.disk.fsync_max.times(2);
    parameters.clients.operation_timeout = parameters.clients.operation_timeout.max(answer.times(3));
}

/// Adjusts the load to what the world can carry. Draws nothing.
fn fit_load(parameters: &mut Parameters, slow: bool) {
    let millis = Duration::from_millis;
    if slow {
        // With one entry at a time, and a slow write for each, a server that lags would take
        // minutes to catch up.
        parameters.timing.append_entries_max = parameters.timing.append_entries_max.max(8);
        parameters.limits = Parameters::default().limits;
    }
    if parameters.timing.append_entries_max < 8 || parameters.limits.append_bytes_max < 1_000 {
        // Single entries that overtake each other are slow, a few a second, so clients ask for no
        // more than that.
        parameters.clients.count = parameters.clients.count.min(2);
        parameters.clients.think_time = parameters.clients.think_time.max(millis(40));
    }
    if parameters.timing.append_entries_max == 1 || parameters.limits.append_bytes_max < 1_000 {
        // Each entry takes a round trip, and a server that joins must still catch up with a log
        // that grows meanwhile.
        parameters.clients.think_time = parameters.clients.think_time.max(millis(80));
        if parameters.network.latency_max > millis(20) {
            (parameters.network.latency_min, parameters.network.latency_max) = (millis(5), millis(15));
        }
    }
    if parameters.clients.count >= ClientId::SLACK.0 && parameters.limits.snapshot_after_bytes > 0 {
        // Some clients write long values. A snapshot comes after as many of those as of short ones.
        parameters.limits.snapshot_after_bytes = parameters.limits.snapshot_after_bytes.max(1_200);
    }
}

/// Makes many clients write, so that entries are on their way all the time: a server that lags
/// behind at all never has all of them.
fn draw_many_writes(random: &mut Xoshiro256PlusPlus, parameters: &mut Parameters) {
    parameters.clients.count = 8;
    parameters.clients.think_time = Duration::from_millis(15);
    parameters.clients.extra_reads = 0;
    parameters.timing.append_entries_max = 256;
    parameters.limits = LimitParameters { entries_kept: pick(random, &[0, 3]), ..Parameters::default().limits };
}

/// Small limits are reached with little data.
fn draw_limits(random: &mut Xoshiro256PlusPlus, limits: &mut LimitParameters) {
    if random.random_range(0..3_u32) > 0 {
        return;
    }
    limits.append_bytes_max = pick(random, &[1, 100, 1 << 20]);
    limits.window_appends_max = pick(random, &[1, 2, 64]);
    limits.window_bytes_max = pick(random, &[1, 200, 16 << 20]);
    limits.uncommitted_bytes_max = pick(random, &[1, 200, 64 << 20]);
    limits.snapshot_after_bytes = pick(random, &[0, 300, 2_000, 16 << 20]);
    limits.entries_kept = pick(random, &[0, 3, 256]);
}
