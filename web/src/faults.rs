//! Everything that can be done to a run by hand, a method each. Done in the past, it begins a new
//! branch.
//!
//! Each throws a sentence where what is asked makes no sense: there is no such server, a share is
//! above one, a shortest time is longer than the longest, or a violation has ended the run. Nothing
//! happens then. Shares are in parts per million.

use raft_core::raft::ServerId;
use raft_core::sim::{Action, Target};
use raft_core::time::Duration;
use wasm_bindgen::prelude::*;

use crate::{Refusal, Run};

type Done = Result<(), JsValue>;

/// Servers, their clocks and disks.
#[wasm_bindgen]
impl Run {
    /// A server loses power.
    ///
    /// # Errors
    /// A sentence, as all of these.
    pub fn crash(&mut self, server: u32) -> Done {
        self.aim(Action::Crash, server)
    }

    /// A server loses power and its disk; a new one is put in its place.
    pub fn wipe(&mut self, server: u32) -> Done {
        self.aim(Action::Wipe, server)
    }

    /// A crashed server starts again.
    pub fn restart(&mut self, server: u32) -> Done {
        self.about(Action::Restart, server)
    }

    /// Every crashed server starts again.
    #[wasm_bindgen(js_name = restartAll)]
    pub fn restart_all(&mut self) -> Done {
        self.done(Action::RestartAll)
    }

    /// A server stands still.
    pub fn pause(&mut self, server: u32) -> Done {
        self.aim(Action::Pause, server)
    }

    /// A paused server goes on.
    pub fn resume(&mut self, server: u32) -> Done {
        self.about(Action::Resume, server)
    }

    /// Every paused server goes on.
    #[wasm_bindgen(js_name = resumeAll)]
    pub fn resume_all(&mut self) -> Done {
        self.done(Action::ResumeAll)
    }

    /// A server's clock runs at this share of the true rate, in parts per million; 0 stops it.
    #[wasm_bindgen(js_name = setClockRate)]
    pub fn set_clock_rate(&mut self, server: u32, rate: u32) -> Done {
        self.about(|server| Action::SetClockRate { server, rate }, server)
    }

    /// A server's clock is set forward by so many microseconds, or back.
    #[wasm_bindgen(js_name = jumpClock)]
    pub fn jump_clock(&mut self, server: u32, micros: f64) -> Done {
        self.about(|server| Action::JumpClock { server, by: micros as i64 }, server)
    }

    /// A server's disk finishes no write, or does again.
    #[wasm_bindgen(js_name = stallDisk)]
    pub fn stall_disk(&mut self, server: u32, stalled: bool) -> Done {
        self.about(|server| Action::StallDisk { server, stalled }, server)
    }

    /// A server's disk has no room left, or has some again: terms and votes are still written,
    /// entries and snapshots wait.
    #[wasm_bindgen(js_name = fillDisk)]
    pub fn fill_disk(&mut self, server: u32, full: bool) -> Done {
        self.about(|server| Action::FillDisk { server, full }, server)
    }

    /// How long a server's disk takes for a write, in microseconds.
    #[wasm_bindgen(js_name = setFsync)]
    pub fn set_fsync(&mut self, server: u32, min: f64, max: f64) -> Done {
        self.about(|server| Action::SetFsync { server, min: length(min), max: length(max) }, server)
    }

    /// A server campaigns now.
    pub fn campaign(&mut self, server: u32) -> Done {
        self.about(Action::Campaign, server)
    }

    /// The leader hands over to a server.
    #[wasm_bindgen(js_name = transferLeadership)]
    pub fn transfer_leadership(&mut self, server: u32) -> Done {
        self.about(Action::TransferLeadership, server)
    }

    /// A new server joins, as a learner first.
    #[wasm_bindgen(js_name = addServer)]
    pub fn add_server(&mut self) -> Done {
        self.done(Action::AddServer)
    }

    /// A server leaves the cluster.
    #[wasm_bindgen(js_name = removeServer)]
    pub fn remove_server(&mut self, server: u32) -> Done {
        self.about(Action::RemoveServer, server)
    }
}

/// Links, the network, and single messages.
#[wasm_bindgen]
impl Run {
    /// Cuts a link in one direction.
    pub fn cut(&mut self, from: u32, to: u32) -> Done {
        self.between(|from, to| Action::Cut { from, to }, from, to)
    }

    /// Heals a link in one direction; what slows it goes too.
    pub fn heal(&mut self, from: u32, to: u32) -> Done {
        self.between(|from, to| Action::Heal { from, to }, from, to)
    }

    /// One direction of a link takes so much longer, in microseconds, and loses this share.
    pub fn impair(&mut self, from: u32, to: u32, delay: f64, loss: u32) -> Done {
        self.between(|from, to| Action::Impair { from, to, delay: length(delay), share: loss }, from, to)
    }

    /// Splits the network: servers reach each other only within their group, of which there is a
    /// number for each server.
    pub fn partition(&mut self, groups: &[u8]) -> Done {
        self.done(Action::Partition(groups.to_vec()))
    }

    /// A server reaches nobody, and nobody reaches it.
    pub fn isolate(&mut self, server: u32) -> Done {
        self.aim(Action::Isolate, server)
    }

    /// Heals every link.
    #[wasm_bindgen(js_name = healAll)]
    pub fn heal_all(&mut self) -> Done {
        self.done(Action::HealAll)
    }

    /// This share of all messages is lost.
    #[wasm_bindgen(js_name = setLoss)]
    pub fn set_loss(&mut self, share: u32) -> Done {
        self.done(Action::SetLoss(share))
    }

    /// This share of all messages arrives twice.
    #[wasm_bindgen(js_name = setDuplication)]
    pub fn set_duplication(&mut self, share: u32) -> Done {
        self.done(Action::SetDuplication(share))
    }

    /// How long all messages take, in microseconds.
    #[wasm_bindgen(js_name = setLatency)]
    pub fn set_latency(&mut self, min: f64, max: f64) -> Done {
        self.done(Action::SetLatency { min: length(min), max: length(max) })
    }

    /// A message is lost where it is.
    #[wasm_bindgen(js_name = dropMessage)]
    pub fn drop_message(&mut self, message: f64) -> Done {
        self.done(Action::DropMessage(message as u64))
    }

    /// A message is sent once more.
    #[wasm_bindgen(js_name = duplicateMessage)]
    pub fn duplicate_message(&mut self, message: f64) -> Done {
        self.done(Action::DuplicateMessage(message as u64))
    }

    /// A message waits until it is delivered by hand.
    #[wasm_bindgen(js_name = holdMessage)]
    pub fn hold_message(&mut self, message: f64) -> Done {
        self.done(Action::HoldMessage(message as u64))
    }

    /// A message arrives now.
    #[wasm_bindgen(js_name = deliverMessage)]
    pub fn deliver_message(&mut self, message: f64) -> Done {
        self.done(Action::DeliverMessage(message as u64))
    }

    /// Enters a command as the person at the command line; the operation's number.
    pub fn submit(&mut self, line: &str) -> Result<u32, JsValue> {
        Ok(self.enter(line)?)
    }
}

impl Run {
    pub(crate) fn enter(&mut self, line: &str) -> Result<u32, Refusal> {
        self.act(Action::Submit(line.into()))?;
        Ok(self.world().operations().next_back().map_or(0, |operation| operation.number))
    }

    fn done(&mut self, action: Action) -> Done {
        Ok(self.act(action)?)
    }

    fn about(&mut self, action: impl FnOnce(ServerId) -> Action, server: u32) -> Done {
        let server = self.server(server)?;
        self.done(action(server))
    }

    fn aim(&mut self, action: fn(Target) -> Action, server: u32) -> Done {
        self.about(|server| action(Target::Server(server)), server)
    }

    fn between(&mut self, action: impl FnOnce(ServerId, ServerId) -> Action, from: u32, to: u32) -> Done {
        let (from, to) = (self.server(from)?, self.server(to)?);
        self.done(action(from, to))
    }
}

fn length(micros: f64) -> Duration {
    Duration::from_micros(micros.max(0.0) as u64)
}
