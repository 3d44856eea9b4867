//! The kinds of faults that a storm can have.

use super::Profile;
use crate::time::Duration;

/// A kind of fault. [`Storm::put_fault`](super::Storm::put_fault) says what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Crash,
    CrashWriting,
    Pause,
    Cut,
    Impair,
    Partition,
    Isolate,
    Bridge,
    Loss,
    Duplication,
    Latency,
    SetFsync,
    StallDisk,
    FailWrite,
    Rot,
    Wipe,
    ClockRate,
    ClockJump,
    Campaign,
    Transfer,
    AddServer,
    RemoveServer,
    CrashAll,
    Flap,
    Swizzle,
    Ring,
    RollingRestart,
    CutOneWay,
    Stragglers,
    FillDisk,
    TearWrite,
    DeposeIsolated,
    SlowAnswers,
    IsolateEachLeader,
    ChangeWhileIsolated,
    RemoveIsolated,
    LateMessages,
    OldMessages,
    OverdueTransfer,
    IsolateWithNewcomers,
    ReplaceVoters,
    ShrinkMembership,
    LoseDiskAndLeader,
    AddLearner,
    AddBack,
    RenewDisk,
    SetClockBack,
    UseLeaseToTheEnd,
    SlowDisks,
    ChangeTimeouts,
    RemoveJoinedLeader,
    DistantNewcomer,
    RotIsolatedLeader,
}

/// All kinds, with the profiles that have them besides [`Profile::Full`]. In this order each draws
/// whether a storm has it.
pub(super) const KINDS: &[(Kind, &[Profile])] = {
    use Profile::{Clocks, Crashes, Disks, Membership, Network};
    &[
        (Kind::Crash, &[Crashes, Disks, Membership]),
        (Kind::CrashWriting, &[Crashes, Disks]),
        (Kind::CrashAll, &[Crashes, Disks]),
        (Kind::RollingRestart, &[Crashes]),
        (Kind::Pause, &[Clocks]),
        (Kind::Cut, &[Network]),
        (Kind::Impair, &[Network]),
        (Kind::Partition, &[Network]),
        (Kind::Isolate, &[Network, Membership]),
        (Kind::Bridge, &[Network]),
        (Kind::Ring, &[Network]),
        (Kind::Flap, &[Network]),
        (Kind::Swizzle, &[Network]),
        (Kind::Loss, &[Network]),
        (Kind::Duplication, &[Network]),
        (Kind::Latency, &[Network]),
        (Kind::SetFsync, &[Disks]),
        (Kind::StallDisk, &[Disks]),
        (Kind::FailWrite, &[Disks]),
        (Kind::Rot, &[Disks]),
        (Kind::Wipe, &[Disks]),
        (Kind::ClockRate, &[Clocks]),
        (Kind::ClockJump, &[Clocks]),
        (Kind::Campaign, &[Clocks, Membership]),
        (Kind::Transfer, &[Membership]),
        (Kind::AddServer, &[Membership]),
        (Kind::RemoveServer, &[Membership]),
        (Kind::CutOneWay, &[Network]),
        (Kind::Stragglers, &[Network]),
        (Kind::FillDisk, &[Disks]),
        (Kind::TearWrite, &[Crashes, Disks]),
        (Kind::DeposeIsolated, &[Network, Membership]),
        (Kind::SlowAnswers, &[Network]),
        (Kind::IsolateEachLeader, &[Network]),
        (Kind::ChangeWhileIsolated, &[Membership]),
        (Kind::RemoveIsolated, &[Membership]),
        (Kind::LateMessages, &[Network]),
        (Kind::OldMessages, &[Crashes, Disks, Network, Membership]),
        (Kind::OverdueTransfer, &[Network, Membership]),
        (Kind::IsolateWithNewcomers, &[Membership]),
        (Kind::ReplaceVoters, &[Membership]),
        (Kind::ShrinkMembership, &[Membership]),
        (Kind::LoseDiskAndLeader, &[Disks, Membership]),
        (Kind::AddLearner, &[Membership]),
        (Kind::AddBack, &[Membership]),
        (Kind::RenewDisk, &[Disks, Membership]),
        (Kind::SetClockBack, &[Clocks]),
        (Kind::UseLeaseToTheEnd, &[Clocks]),
        (Kind::SlowDisks, &[Disks]),
        (Kind::ChangeTimeouts, &[Crashes, Clocks, Membership]),
        (Kind::RemoveJoinedLeader, &[Membership]),
        (Kind::DistantNewcomer, &[Membership]),
        (Kind::RotIsolatedLeader, &[Disks]),
    ]
};

impl Kind {
    /// Roughly how long it lasts. It comes no more often than that.
    pub(super) const fn length(self) -> Duration {
        match self {
            Kind::Swizzle | Kind::ChangeWhileIsolated | Kind::RemoveIsolated => Duration::from_millis(1_500),
            Kind::OldMessages
            | Kind::OverdueTransfer
            | Kind::IsolateWithNewcomers
            | Kind::ReplaceVoters
            | Kind::RotIsolatedLeader => Duration::from_millis(1_500),
            Kind::DistantNewcomer => Duration::from_millis(4_000),
            Kind::IsolateEachLeader
            | Kind::UseLeaseToTheEnd
            | Kind::ShrinkMembership
            | Kind::LoseDiskAndLeader
            | Kind::SlowDisks
            | Kind::ChangeTimeouts => Duration::from_millis(3_000),
            _ => Duration::ZERO,
        }
    }
}
