//! Runs with their recorded trace hashes. They are played natively, with and without the feature
//! `switchable-rules`, in Node and in a browser. A change of a hash changes every shared link, so
//! the commit must say why.

use raft_core::raft::{Rules, ServerId};
use raft_core::sim::{Action, Profile, Scenario, Simulation, Target, hunt};
use raft_core::time::{Duration, Time};

/// Seed, number of servers, and the trace hash of half a minute of a busy cluster in a storm that
/// uses everything which draws random numbers.
pub const STORMS: [(u64, u8, u64); 3] = [
    (1, 5, 10_730_980_917_018_514_502),
    (2, 3, 340_386_830_083_881_167),
    (18_446_744_073_709_551_615, 9, 4_592_733_449_037_204_705),
];

/// The trace hash of [`by_hand`].
pub const BY_HAND: u64 = 5_602_038_516_437_742_222;

/// The result of [`thousand`].
pub const THOUSAND: [u64; 10] = [
    17_239_967_114_241_922_384,
    1_905_648_270_028_832_071,
    9_899_198_366_173_894_949,
    17_534_914_459_519_514_579,
    14_912_697_428_202_970_761,
    15_749_841_219_378_173_085,
    16_425_770_601_696_053,
    14_783_989_759_846_580_102,
    3_144_267_989_902_598_853,
    9_575_364_994_425_121_115,
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
