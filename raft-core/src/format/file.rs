//! A run as a file: JSON, to be read, edited and kept under version control.
//!
//! ```json
//! {
//!   "raftarium": 1,
//!   "note": "The leader loses power while a write is on its way.",
//!   "seed": "7",
//!   "until": "5s",
//!   "servers": 3,
//!   "without": ["persist-before-acknowledging"],
//!   "actions": [
//!     { "at": "1s", "do": "submit", "command": "put x 1" },
//!     { "at": "1.005s", "do": "crash", "server": "leader" }
//!   ]
//! }
//! ```
//!
//! Only `raftarium`, the version, and `seed` must be there; whatever else is left out is as in the
//! default world. Lengths of time and shares are texts with units ([`units`]); a seed is a text,
//! too, for not every program keeps all the digits of a large number. A field that isn't known is
//! refused by its name: a slip of the pen must not turn into a default.
//!
//! `docs/scenario.schema.json` says the same for editors and other programs.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::units::{self, UnitError, quote};
use super::{Run, RunError};
use crate::raft::{Rule, Rules, ServerId};
use crate::sim::{
    Action, ClientParameters, DiskParameters, LimitParameters, MessageKind, NetworkParameters, OwnTiming, Parameters,
    Ppm, Scenario, Target, TimedAction, TimingParameters,
};
use crate::time::{Duration, Time};

/// The version that is written, and the only one there is so far.
pub const VERSION: u64 = 1;

/// The most bytes of a file.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a file has in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// What it is about, for people; empty if nobody said.
    pub note: String,
    /// The run.
    pub run: Run,
    /// Whether it doesn't say how far to play. [`Run::until`] is zero then, which is also a moment
    /// that a file may name.
    pub open_ended: bool,
}

/// A file that can't be read, or a run that can't be made one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// More than [`BYTES_MAX`] bytes.
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// A version that this one doesn't know.
    Version {
        /// The version.
        found: u64,
    },
    /// It isn't JSON, or not of this form.
    Json {
        /// The line, from 1; 0 if it is about no line.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        why: String,
    },
    /// What it says is no run.
    Run(RunError),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::TooLarge { bytes } => {
                write!(f, "{bytes} bytes are too many for a scenario file, which has at most {BYTES_MAX}")
            }
            FileError::Version { found } => write!(
                f,
                "the file was made by another version of Raftarium: it has format {found}, this version reads {VERSION}"
            ),
            FileError::Json { line: 0, why, .. } => f.write_str(why),
            FileError::Json { line, column, why } => write!(f, "line {line}, column {column}: {why}"),
            FileError::Run(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FileError {}

/// Reads a file.
///
/// # Errors
/// Whatever is wrong with it.
pub fn read(text: &str) -> Result<File, FileError> {
    if text.len() > BYTES_MAX {
        return Err(FileError::TooLarge { bytes: text.len() });
    }
    // The version first: a later one may have fields that this one doesn't know.
    let Version { raftarium } = serde_json::from_str(text).map_err(|error| json(&error))?;
    if raftarium != VERSION {
        return Err(FileError::Version { found: raftarium });
    }
    let form: Form = serde_json::from_str(text).map_err(|error| json(&error))?;
    let (scenario, open_ended) = (form.scenario(), form.until.is_none());
    let until = Time::ZERO + form.until.map_or(Duration::ZERO, |until| until.0);
    let run = Run { scenario, until, hash: form.hash.map(|hash| hash.0) };
    run.check().map_err(FileError::Run)?;
    Ok(File { note: form.note, run, open_ended })
}

/// The run as a file.
///
/// # Errors
/// A run that can't be played.
pub fn write(file: &File) -> Result<String, FileError> {
    file.run.check().map_err(FileError::Run)?;
    let mut text = serde_json::to_string_pretty(&Form::of(file)).map_err(|error| json(&error))?;
    text = one_line_each(&text);
    text.push('\n');
    Ok(text)
}

fn json(error: &serde_json::Error) -> FileError {
    let (line, column) = (error.line(), error.column());
    let sentence = error.to_string();
    // The place is said once, and before the rest.
    let why = sentence.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&sentence).to_owned();
    FileError::Json { line, column, why }
}

/// Pretty-printed JSON with each action, and each list without objects, on a line of its own: what
/// belongs together is seen together.
fn one_line_each(pretty: &str) -> String {
    let mut text = String::with_capacity(pretty.len());
    let mut joining = None;
    for line in pretty.lines() {
        let bare = line.trim_start();
        let depth = line.len() - bare.len();
        match joining {
            Some(opened) => {
                let closes = depth == opened;
                if !(bare.starts_with(']') || text.ends_with('[')) {
                    text.push(' ');
                }
                text.push_str(bare);
                joining = (!closes).then_some(opened);
            }
            None => {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(line);
                let list = bare.ends_with('[') && !bare.starts_with("\"actions\"");
                joining = (bare == "{" && depth > 0 || list).then_some(depth);
            }
        }
    }
    text
}

// ---------------------------------------------------------------- the form

/// What tells one version from another.
#[derive(Deserialize)]
struct Version {
    raftarium: u64,
}

/// The file, field by field. What is as in the default world isn't written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Form {
    raftarium: u64,
    /// The address of the schema, which editors look for.
    #[serde(default, rename = "$schema", skip_serializing)]
    _schema: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
    seed: Seed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<Hash>,
    #[serde(default = "default_servers")]
    servers: u8,
    #[serde(default, skip_serializing_if = "is_default")]
    network: Network,
    #[serde(default, skip_serializing_if = "is_default")]
    disk: Disk,
    #[serde(default, skip_serializing_if = "is_default")]
    timing: Timing,
    #[serde(default, skip_serializing_if = "is_default")]
    limits: Limits,
    #[serde(default, skip_serializing_if = "is_default")]
    clients: Clients,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    without: Vec<RuleName>,
    #[serde(default)]
    actions: Vec<Deed>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn default_servers() -> u8 {
    Parameters::default().servers
}

impl Form {
    fn of(file: &File) -> Form {
        let Scenario { seed, parameters, actions } = &file.run.scenario;
        let until = file.run.until.since(Time::ZERO);
        Form {
            raftarium: VERSION,
            _schema: String::new(),
            note: file.note.clone(),
            seed: Seed(*seed),
            until: (!file.open_ended || until > Duration::ZERO).then_some(Length(until)),
            hash: file.run.hash.map(Hash),
            servers: parameters.servers,
            network: Network::of(&parameters.network),
            disk: Disk::of(&parameters.disk),
            timing: Timing::of(&parameters.timing),
            limits: Limits::of(&parameters.limits),
            clients: Clients::of(&parameters.clients),
            without: parameters.rules.switched_off().map(RuleName).collect(),
            actions: actions.iter().map(|timed| Deed(timed.clone())).collect(),
        }
    }

    fn scenario(&self) -> Scenario {
        let parameters = Parameters {
            servers: self.servers,
            network: self.network.parameters(),
            disk: self.disk.parameters(),
            timing: self.timing.parameters(),
            limits: self.limits.parameters(),
            clients: self.clients.parameters(),
            rules: self.without.iter().fold(Rules::ALL, |rules, rule| rules.without(rule.0)),
        };
        let actions = self.actions.iter().map(|deed| deed.0.clone()).collect();
        Scenario { seed: self.seed.0, parameters, actions }
    }
}

/// A part of the parameters, with its fields in the file's own types.
macro_rules! part {
    ($name:ident, $parameters:ident, $of:ident, { $($field:ident: $type:ident),+ $(,)? }) => {
        #[derive(Clone, PartialEq, Deserialize, Serialize)]
        #[serde(default, deny_unknown_fields)]
        struct $name {
            $($field: $type,)+
        }

        impl $name {
            fn of(parameters: &$parameters) -> $name {
                $name { $($field: parameters.$field.into(),)+ }
            }

            fn parameters(&self) -> $parameters {
                $parameters { $($field: self.$field.clone().into(),)+ }
            }
        }

        impl Default for $name {
            fn default() -> $name {
                $name::of(&Parameters::default().$of)
            }
        }
    };
}

part!(Network, NetworkParameters, network, {
    latency_min: Length,
    latency_max: Length,
    loss: Share,
    duplication: Share,
});

part!(Disk, DiskParameters, disk, {
    fsync_min: Length,
    fsync_max: Length,
});

part!(Timing, TimingParameters, timing, {
    election_timeout_min: Length,
    election_timeout_max: Length,
    heartbeat_interval: Length,
    pre_vote: bool,
    check_quorum: bool,
    snapshot_after_entries: u64,
    append_entries_max: u64,
    snapshot_piece_max: u64,
});

part!(Limits, LimitParameters, limits, {
    append_bytes_max: u64,
    window_appends_max: u64,
    window_bytes_max: u64,
    uncommitted_bytes_max: u64,
    snapshot_after_bytes: u64,
    entries_kept: u64,
});

part!(Clients, ClientParameters, clients, {
    count: u8,
    think_time: Length,
    keys: u8,
    extra_reads: Share,
    lease_reads: bool,
    attempt_timeout: Length,
    operation_timeout: Length,
});

// ---------------------------------------------------------------- values as texts

/// A value that is a text in the file.
macro_rules! as_text {
    ($(#[$doc:meta])* $name:ident($inner:ty), $read:expr, $write:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        struct $name($inner);

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<$name, String> {
                let read: fn(&str) -> Result<$inner, String> = $read;
                read(&text).map($name)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                let write: fn($inner) -> String = $write;
                write(value.0)
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> $name {
                $name(value)
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> $inner {
                value.0
            }
        }
    };
}

as_text!(Length(Duration), |text| units::duration(text).map_err(said), units::write_duration);
as_text!(Share(Ppm), |text| units::share(text).map_err(said), units::write_share);
as_text!(Seed(u64), read_seed, |seed| seed.to_string());
as_text!(Hash(u64), read_hash, |hash| format!("{hash:016x}"));
as_text!(Server(ServerId), read_server, |server| server.to_string());
as_text!(Aim(Target), read_target, write_target);
as_text!(Kind(MessageKind), read_kind, |kind| kind.name().to_owned());
as_text!(RuleName(Rule), read_rule, |rule| rule.name().to_owned());
as_text!(
    /// A length of time forwards or backwards.
    Jump(i64),
    read_jump,
    write_jump
);

impl Default for Length {
    fn default() -> Length {
        Length(Duration::ZERO)
    }
}

fn said(error: UnitError) -> String {
    error.to_string()
}

fn read_seed(text: &str) -> Result<u64, String> {
    let whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seed = if whole { text.parse().ok() } else { None };
    seed.ok_or_else(|| format!("“{}” is no seed: a seed is a whole number from 0 to {}", quote(text), u64::MAX))
}

fn read_hash(text: &str) -> Result<u64, String> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hash = if digits { u64::from_str_radix(text, 16).ok() } else { None };
    hash.ok_or_else(|| format!("“{}” is no trace hash: a trace hash has 16 hexadecimal digits", quote(text)))
}

fn read_server(text: &str) -> Result<ServerId, String> {
    let number = text.strip_prefix('S').filter(|number| !number.starts_with(['0', '+']));
    let server = number.and_then(|number| ServerId::new(number.parse().ok()?));
    server.ok_or_else(|| format!("“{}” is no server: servers are called S1, S2 and so on", quote(text)))
}

fn read_target(text: &str) -> Result<Target, String> {
    match text {
        "leader" => Ok(Target::Leader),
        "writer" => Ok(Target::Writer),
        _ => read_server(text)
            .map(Target::Server)
            .map_err(|_| format!("“{}” is nobody: name a server like S1, or “leader” or “writer”", quote(text))),
    }
}

fn write_target(target: Target) -> String {
    match target {
        Target::Server(server) => server.to_string(),
        Target::Leader => "leader".to_owned(),
        Target::Writer => "writer".to_owned(),
    }
}

fn read_rule(text: &str) -> Result<Rule, String> {
    Rule::named(text).ok_or_else(|| format!("“{}” is no rule: `raftarium rules` lists them", quote(text)))
}

fn read_kind(text: &str) -> Result<MessageKind, String> {
    MessageKind::named(text).ok_or_else(|| {
        let names = MessageKind::ALL.map(MessageKind::name).join(", ");
        format!("“{}” is no kind of messages: there are {names}", quote(text))
    })
}

fn read_jump(text: &str) -> Result<i64, String> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text),
    };
    let micros = units::duration(length).map_err(said)?.as_micros();
    let micros = i64::try_from(micros).map_err(|_| said(UnitError::TooLarge(quote(text))))?;
    Ok(sign * micros)
}

fn write_jump(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    sign.to_owned() + &units::write_duration(Duration::from_micros(micros.unsigned_abs()))
}

// ---------------------------------------------------------------- actions

/// An action in the file: read and written through [`Fields`].
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "Fields", into = "Fields")]
struct Deed(TimedAction);

/// All fields that an action can have. Which of them it must have, and may not, depends on what is
/// done.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    at: Length,
    #[serde(rename = "do")]
    what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<Aim>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Server>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Server>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate: Option<Share>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Jump>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stalled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    full: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<Share>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    draw: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copies: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pre_vote: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check_quorum: Option<bool>,
}

impl From<Deed> for Fields {
    fn from(Deed(timed): Deed) -> Fields {
        let named = |what: &str| Fields { what: what.to_owned(), ..Fields::default() };
        let aimed = |what, target: Target| Fields { server: Some(Aim(target)), ..named(what) };
        let on = |what, server: ServerId| aimed(what, Target::Server(server));
        let link = |what, from, to| Fields { from: Some(Server(from)), to: Some(Server(to)), ..named(what) };
        let share = |what, share| Fields { share: Some(Share(share)), ..named(what) };
        let message = |what, number| Fields { message: Some(number), ..named(what) };
        let between = |min, max, fields| Fields { min: Some(Length(min)), max: Some(Length(max)), ..fields };
        let fields = match timed.action {
            Action::Crash(target) => aimed("crash", target),
            Action::Restart(server) => on("restart", server),
            Action::RestartAll => named("restart-all"),
            Action::Pause(target) => aimed("pause", target),
            Action::Resume(server) => on("resume", server),
            Action::ResumeAll => named("resume-all"),
            Action::Campaign(server) => on("campaign", server),
            Action::SetClockRate { server, rate } => Fields { rate: Some(Share(rate)), ..on("set-clock-rate", server) },
            Action::JumpClock { server, micros } => Fields { by: Some(Jump(micros)), ..on("jump-clock", server) },
            Action::Wipe(target) => aimed("wipe", target),
            Action::Rot(target) => aimed("rot", target),
            Action::FailWrite(target) => aimed("fail-write", target),
            Action::StallDisk { server, stalled } => Fields { stalled: Some(stalled), ..on("stall-disk", server) },
            Action::SetFsync { server, min, max } => between(min, max, on("set-fsync", server)),
            Action::Cut { from, to } => link("cut", from, to),
            Action::Heal { from, to } => link("heal", from, to),
            Action::Impair { from, to, delay, loss } => {
                Fields { delay: Some(Length(delay)), share: Some(Share(loss)), ..link("impair", from, to) }
            }
            Action::Partition(groups) => Fields { groups: Some(groups), ..named("partition") },
            Action::Isolate(target) => aimed("isolate", target),
            Action::HealAll => named("heal-all"),
            Action::SetLoss(loss) => share("set-loss", loss),
            Action::SetDuplication(duplication) => share("set-duplication", duplication),
            Action::SetLatency { min, max } => between(min, max, named("set-latency")),
            Action::DropMessage(number) => message("drop-message", number),
            Action::DuplicateMessage(number) => message("duplicate-message", number),
            Action::HoldMessage(number) => message("hold-message", number),
            Action::DeliverMessage(number) => message("deliver-message", number),
            Action::TransferLeadership(server) => on("transfer-leadership", server),
            Action::AddServer => named("add-server"),
            Action::RemoveServer(server) => on("remove-server", server),
            Action::Submit(line) => Fields { command: Some(line), ..named("submit") },
            Action::HealQuorum(draw) => Fields { draw: Some(draw), ..named("heal-quorum") },
            Action::TearWrite(target) => aimed("tear-write", target),
            Action::FillDisk { server, full } => Fields { full: Some(full), ..on("fill-disk", server) },
            Action::Mute(target) => aimed("mute", target),
            Action::Deafen(target) => aimed("deafen", target),
            Action::SetStraggling { share: stragglers, delay } => {
                Fields { delay: Some(Length(delay)), ..share("set-straggling", stragglers) }
            }
            Action::SetLate { of, share: late, delay, copies } => Fields {
                of: Some(Kind(of)),
                delay: Some(Length(delay)),
                copies: Some(copies),
                ..share("set-late", late)
            },
            Action::IsolateWithNewcomers(target) => aimed("isolate-with-newcomers", target),
            Action::AddLearner => named("add-learner"),
            Action::AddBack(server) => on("add-back", server),
            Action::RenewDisk(target) => aimed("renew-disk", target),
            Action::ReadAt(target) => aimed("read-at", target),
            Action::ReadAnywhere => named("read-anywhere"),
            Action::ShiftClock { target, micros } => Fields { by: Some(Jump(micros)), ..aimed("shift-clock", target) },
            Action::Configure { server, with } => {
                let OwnTiming { election_timeout_min, election_timeout_max, pre_vote, check_quorum } = with;
                Fields {
                    pre_vote: Some(pre_vote),
                    check_quorum: Some(check_quorum),
                    ..between(election_timeout_min, election_timeout_max, on("configure", server))
                }
            }
        };
        Fields { at: Length(timed.at.since(Time::ZERO)), ..fields }
    }
}

impl TryFrom<Fields> for Deed {
    type Error = String;
    fn try_from(mut fields: Fields) -> Result<Deed, String> {
        let at = Time::ZERO + fields.at.0;
        let what = core::mem::take(&mut fields.what);
        let action = fields.action(&what)?;
        match fields.left_over() {
            None => Ok(Deed(TimedAction { at, action })),
            Some(field) => Err(format!("“{what}” has no field `{field}`: leave it out")),
        }
    }
}

/// Takes a field that must be there.
fn must<T>(field: Option<T>, what: &str, name: &str, example: &str) -> Result<T, String> {
    field.ok_or_else(|| format!("“{what}” needs a field `{name}`, like {example}"))
}

impl Fields {
    /// The action of that name, of the fields it takes.
    fn action(&mut self, what: &str) -> Result<Action, String> {
        Ok(match what {
            "crash" => Action::Crash(self.target(what)?),
            "restart" => Action::Restart(self.server(what)?),
            "restart-all" => Action::RestartAll,
            "pause" => Action::Pause(self.target(what)?),
            "resume" => Action::Resume(self.server(what)?),
            "resume-all" => Action::ResumeAll,
            "campaign" => Action::Campaign(self.server(what)?),
            "set-clock-rate" => Action::SetClockRate {
                server: self.server(what)?,
                rate: must(self.rate.take(), what, "rate", "\"96%\"")?.0,
            },
            "jump-clock" => Action::JumpClock {
                server: self.server(what)?,
                micros: must(self.by.take(), what, "by", "\"-100ms\"")?.0,
            },
            "wipe" => Action::Wipe(self.target(what)?),
            "rot" => Action::Rot(self.target(what)?),
            "fail-write" => Action::FailWrite(self.target(what)?),
            "stall-disk" => Action::StallDisk {
                server: self.server(what)?,
                stalled: must(self.stalled.take(), what, "stalled", "true")?,
            },
            "set-fsync" => {
                let (server, (min, max)) = (self.server(what)?, self.range(what)?);
                Action::SetFsync { server, min, max }
            }
            "cut" => {
                let (from, to) = self.link(what)?;
                Action::Cut { from, to }
            }
            "heal" => {
                let (from, to) = self.link(what)?;
                Action::Heal { from, to }
            }
            "impair" => {
                let (from, to) = self.link(what)?;
                let delay = must(self.delay.take(), what, "delay", "\"30ms\"")?.0;
                Action::Impair { from, to, delay, loss: self.share(what)? }
            }
            "partition" => Action::Partition(must(self.groups.take(), what, "groups", "[0, 0, 1, 1, 1]")?),
            "isolate" => Action::Isolate(self.target(what)?),
            "heal-all" => Action::HealAll,
            "set-loss" => Action::SetLoss(self.share(what)?),
            "set-duplication" => Action::SetDuplication(self.share(what)?),
            "set-latency" => {
                let (min, max) = self.range(what)?;
                Action::SetLatency { min, max }
            }
            "drop-message" => Action::DropMessage(self.message(what)?),
            "duplicate-message" => Action::DuplicateMessage(self.message(what)?),
            "hold-message" => Action::HoldMessage(self.message(what)?),
            "deliver-message" => Action::DeliverMessage(self.message(what)?),
            "transfer-leadership" => Action::TransferLeadership(self.server(what)?),
            "add-server" => Action::AddServer,
            "remove-server" => Action::RemoveServer(self.server(what)?),
            "submit" => Action::Submit(must(self.command.take(), what, "command", "\"put x 1\"")?),
            "tear-write" => Action::TearWrite(self.target(what)?),
            "fill-disk" => {
                Action::FillDisk { server: self.server(what)?, full: must(self.full.take(), what, "full", "true")? }
            }
            "mute" => Action::Mute(self.target(what)?),
            "deafen" => Action::Deafen(self.target(what)?),
            "set-straggling" => {
                let delay = must(self.delay.take(), what, "delay", "\"500ms\"")?.0;
                Action::SetStraggling { share: self.share(what)?, delay }
            }
            "set-late" => Action::SetLate {
                of: must(self.of.take(), what, "of", "\"votes\"")?.0,
                share: self.share(what)?,
                delay: must(self.delay.take(), what, "delay", "\"1min\"")?.0,
                copies: must(self.copies.take(), what, "copies", "true")?,
            },
            "isolate-with-newcomers" => Action::IsolateWithNewcomers(self.target(what)?),
            "add-learner" => Action::AddLearner,
            "add-back" => Action::AddBack(self.server(what)?),
            "renew-disk" => Action::RenewDisk(self.target(what)?),
            "read-at" => Action::ReadAt(self.target(what)?),
            "read-anywhere" => Action::ReadAnywhere,
            "shift-clock" => Action::ShiftClock {
                target: self.target(what)?,
                micros: must(self.by.take(), what, "by", "\"-2s\"")?.0,
            },
            "configure" => {
                let (server, (election_timeout_min, election_timeout_max)) = (self.server(what)?, self.range(what)?);
                let pre_vote = must(self.pre_vote.take(), what, "pre_vote", "true")?;
                let check_quorum = must(self.check_quorum.take(), what, "check_quorum", "true")?;
                let with = OwnTiming { election_timeout_min, election_timeout_max, pre_vote, check_quorum };
                Action::Configure { server, with }
            }
            "heal-quorum" => Action::HealQuorum(must(self.draw.take(), what, "draw", "0")?),
            _ => return Err(format!("“{}” is nothing that can be done: docs/formats.md lists what can", quote(what))),
        })
    }

    fn target(&mut self, what: &str) -> Result<Target, String> {
        must(self.server.take(), what, "server", "\"S1\" or \"leader\"").map(|aim| aim.0)
    }

    fn server(&mut self, what: &str) -> Result<ServerId, String> {
        match must(self.server.take(), what, "server", "\"S1\"")?.0 {
            Target::Server(server) => Ok(server),
            target => Err(format!("“{what}” needs a server by its name, not “{}”", write_target(target))),
        }
    }

    fn link(&mut self, what: &str) -> Result<(ServerId, ServerId), String> {
        let from = must(self.from.take(), what, "from", "\"S1\"")?.0;
        Ok((from, must(self.to.take(), what, "to", "\"S2\"")?.0))
    }

    fn range(&mut self, what: &str) -> Result<(Duration, Duration), String> {
        let min = must(self.min.take(), what, "min", "\"1ms\"")?.0;
        Ok((min, must(self.max.take(), what, "max", "\"5ms\"")?.0))
    }

    fn share(&mut self, what: &str) -> Result<Ppm, String> {
        must(self.share.take(), what, "share", "\"2.5%\"").map(|share| share.0)
    }

    fn message(&mut self, what: &str) -> Result<u64, String> {
        must(self.message.take(), what, "message", "17")
    }

    /// A field that the action hasn't taken.
    fn left_over(&self) -> Option<&'static str> {
        let Fields { at: _, what: _, server, from, to, rate, by, stalled, min, max, delay, share, groups, .. } = self;
        [
            ("server", server.is_some()),
            ("from", from.is_some()),
            ("to", to.is_some()),
            ("rate", rate.is_some()),
            ("by", by.is_some()),
            ("stalled", stalled.is_some()),
            ("full", self.full.is_some()),
            ("min", min.is_some()),
            ("max", max.is_some()),
            ("delay", delay.is_some()),
            ("share", share.is_some()),
            ("groups", groups.is_some()),
            ("message", self.message.is_some()),
            ("command", self.command.is_some()),
            ("draw", self.draw.is_some()),
            ("of", self.of.is_some()),
            ("copies", self.copies.is_some()),
            ("pre_vote", self.pre_vote.is_some()),
            ("check_quorum", self.check_quorum.is_some()),
        ]
        .into_iter()
        .find_map(|(name, there)| there.then_some(name))
    }
}
