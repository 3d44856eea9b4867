//! Runs with their recorded trace hashes. They are played natively, with and without the feature
//! `switchable-rules`, in Node and in a browser. A change of a hash changes every shared link, so
//! the commit must say why.

use raft_core::raft::{Rules, ServerId};
use raft_core::sim::{Action, Profile, Scenario, Simulation, Target, hunt};
use raft_core::time::{Duration, Time};

/// Seed, number of servers, and the trace hash of half a minute of a busy cluster in a storm that
/// uses everything which draws random numbers.
pub const STORMS: [(u64, u8, u64); 3] = [
    (1, 5, 3_662_478_571_764_422_395),
    (2, 3, 11_127_321_260_586_775_712),
    (18_446_744_073_709_551_615, 9, 6_714_484_703_512_718_202),
];

/// The trace hash of [`by_hand`].
pub const BY_HAND: u64 = 5_602_038_516_437_742_222;

/// The result of [`thousand`].
pub const THOUSAND: [u64; 10] = [
    16_739_511_871_911_130_770,
    15_343_444_134_157_839_368,
    7_561_145_686_112_869_630,
    594_859_068_838_957_526,
    17_391_582_314_416_908_546,
    6_888_014_597_360_463_314,
    8_962_502_441_400_366_135,
    17_680_930_706_313_246_304,
    6_319_519_775_287_782_335,
    1_479_343_655_393_770_587,
];

/// How long each of the [`thousand`] would be with its whole calm.
const SHORT: Duration = Duration::from_secs(16);

/// The trace hashes of a thousand short storms of every kind, a hundred of them folded into each
/// number.
pub fn thousand() -> [u64; 10] {
    core::array::from_fn(|hundred| {
        let first = hundred as u64 * 100;
        (first..first + 100).map(short_storm).fold(0, |sum: u64, hash| {
            // The order counts, and equal hashes don't cancel each other out.
            (sum.rotate_left(5) ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        })
    })
}

/// Six seconds of a storm and two of the calm after it.
fn short_storm(seed: u64) -> u64 {
    let scenario = hunt(seed, None, SHORT, Profile::Full, Rules::ALL);
    let mut world = Simulation::new(scenario).expect("the parameters make a world");
    world.run_until(Time::from_secs(8));
    assert_eq!(world.violation(), None, "seed {seed}");
    world.trace_hash()
}

/// [`STORMS`], as they play now.
pub fn storms() -> [(u64, u8, u64); 3] {
    STORMS.map(|(seed, servers, _)| {
        let scenario = hunt(seed, Some(servers), Duration::from_secs(30), Profile::Full, Rules::ALL);
        let mut world = Simulation::new(scenario).expect("the parameters make a world");
        world.run_until(Time::from_secs(30));
        assert_eq!(world.violation(), None);
        (seed, servers, world.trace_hash())
    })
}

/// A run with a few actions done by hand.
pub fn by_hand() -> u64 {
    let mut world = Simulation::new(Scenario::new(7, 5)).expect("the parameters make a world");
    world.run_until(Time::from_millis(900));
    let s = |number| ServerId::new(number).expect("servers are numbered from 1");
    let actions = [
        Action::Submit("put greeting \"good morning\"".into()),
        Action::Cut { from: s(1), to: s(2) },
        Action::Crash(Target::Leader),
        Action::Partition(vec![0, 0, 1, 1, 1]),
        Action::HealAll,
    ];
    for action in actions {
        world.act(action).expect("the actions make sense");
        world.run_until(world.now() + Duration::from_micros(123_457));
    }
    world.run_until(Time::from_secs(5));
    assert_eq!(world.violation(), None);
    world.trace_hash()
}
