//! Interaction scripts: a text file that drives a cluster by hand, with what happens printed under
//! each command.
//!
//! ```text
//! # What the script shows, in prose, with the paper's section.
//!
//! > cluster nodes=3 leader=1
//!   S1@1 leader, log to 1@1, commit 1, voted for S1
//!   ...
//! > propose 1 x=1
//!   S1 appended 2@1 to its own log.
//!   S1@1 ⇢ S2  AppendEntries after 1@1: 2@1 x=1; commit 1
//! ```
//!
//! A line is a command (`>`), a comment (`#`), empty, or, indented by two spaces, what the command
//! above it prints. `→` is a message that arrives, with what follows from it indented below; `⇢`
//! one that is on its way when the command ends; `↛` one that is lost on a cut link or at a server
//! that is down. `S1@2 → S3` says that S1 sent it in term 2. Heartbeats and acknowledgements that
//! lead to nothing further are only counted, unless delivered one by one.
//!
//! # Commands
//! Before `cluster`: `config NAME=VALUE...` (parameters, see [`configure`]), `without RULE`, and
//! `disk S term=T [vote=S] [log=T,T,...]` (a server that starts with a log of entries of these
//! terms).
//!
//! | command | does |
//! | --- | --- |
//! | `cluster nodes=N [leader=S] [learners=S,S]` | starts S1 to SN, and elects a leader without printing how |
//! | `propose S COMMAND...` | hands the server commands, several as one batch |
//! | `fill S N` | hands it N commands, one by one |
//! | `read S`, `lease-read S` | a linearizable read |
//! | `campaign S`, `timeout S` | tells it to campaign; moves its clock alone to its next deadline |
//! | `sleep D`, `advance D`, `run D` | time passes: without timers, with timers, with timers and messages |
//! | `clock S +D`, `stop-clock S`, `start-clock S` | moves (`-D`: back), stops or starts one clock |
//! | `settle` | everything on its way arrives, until nothing moves |
//! | `deliver FROM TO [KIND] [all]` | the oldest message (of that kind) arrives, or all; `*` is any server |
//! | `drop FROM TO [KIND] [all]` | it is lost |
//! | `duplicate FROM TO [KIND]`, `reverse FROM TO` | sends a copy after it; turns the order around |
//! | `cut`, `mend`, `hold`, `let-go` `A -> B` or `A B` | one direction of a link, or both |
//! | `isolate S`, `partition 1 2 \| 3 4 5`, `links 1-2 2-3`, `heal` | the whole network |
//! | `hold-disk S`, `fsync S [one]`, `release-disk S` | writes wait; become durable; don't wait any more |
//! | `crash S [keep=N]`, `restart S`, `wipe S`, `join S` | keep: that many parts of the pending writes survive |
//! | `voters S... [learners S...] [at S]`, `add-learner S`, `remove S` | asks the leader (or `at`) for a membership |
//! | `transfer A -> B`, `snapshot S` | hands leadership over; compacts a log |
//! | `status`, `log [S...]`, `progress S`, `in-flight`, `store [S...]` | prints |
//! | `briefly COMMAND`, `quietly COMMAND` | prints only what turns the tide; prints nothing |

mod diff;
mod print;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use raft_core::raft::{Config, HardState, RequestId, Rule, ServerId, ServerSet};
use raft_core::time::Duration;

use crate::support::{Cluster, SNAPSHOT, Setup, image};
pub use diff::difference;
use print::{Detail, Printer};

/// A line that can't be played.
#[derive(Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// Plays a script; the same script with what was really printed.
pub fn play(script: &str) -> Result<String, ScriptError> {
    let mut without = script.lines().filter_map(|line| line.strip_prefix("> without "));
    if !cfg!(feature = "switchable-rules") && without.any(|name| Rule::named(name.trim()).is_some()) {
        return Ok(script.to_owned()); // There is nothing to switch off.
    }
    let mut player = Player::default();
    let mut played = String::new();
    let mut after_command = false;
    for (position, line) in script.lines().enumerate() {
        let error = |what: String| ScriptError { line: position + 1, what };
        if let Some(command) = line.strip_prefix("> ") {
            played += &format!("{line}\n");
            for printed in player.play(command).map_err(|what| error(format!("`{command}`: {what}")))? {
                played += &format!("  {printed}\n");
            }
            after_command = true;
        } else if line.starts_with("  ") && after_command {
            // What it printed the last time.
        } else if line.is_empty() || line.starts_with('#') {
            played += &format!("{line}\n");
            after_command = false;
        } else {
            let what = "neither a command (`> `), a comment (`#`), nor printed by a command (two spaces)";
            return Err(error(format!("`{line}`: {what}")));
        }
    }
    Ok(played)
}

#[derive(Default)]
struct Player {
    setup: Vec<Box<dyn FnOnce(Setup) -> Setup>>,
    rules_off: bool,
    cluster: Option<Cluster>,
    /// What requests are called.
    names: BTreeMap<RequestId, String>,
}

type Played = Result<Vec<String>, String>;

impl Player {
    fn play(&mut self, line: &str) -> Played {
        let (detail, line) = match line.split_once(' ') {
            Some(("briefly", rest)) => (Detail::Turning, rest),
            Some(("quietly", rest)) => (Detail::Nothing, rest),
            _ => (Detail::Everything, line),
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, arguments) = words.split_first().ok_or("no command")?;
        match *name {
            "config" | "without" | "disk" | "cluster" => self.prepare(name, arguments),
            _ => {
                // What a server can't be asked for panics in the harness: say where.
                let played = catch_unwind(AssertUnwindSafe(|| self.drive(name, arguments, detail)));
                played.unwrap_or_else(|panic| Err(panic_text(&*panic)))
            }
        }
    }

    /// What comes before the cluster, and the cluster.
    fn prepare(&mut self, name: &str, arguments: &[&str]) -> Played {
        if self.cluster.is_some() {
            return Err("the cluster has started already: move this line before it".to_owned());
        }
        match name {
            "config" => {
                for argument in arguments {
                    let change = configure(argument)?;
                    self.setup.push(Box::new(move |setup| setup.config(change)));
                }
            }
            "without" => {
                for argument in arguments {
                    let rule = Rule::named(argument).ok_or_else(|| format!("there is no rule `{argument}`"))?;
                    self.setup.push(Box::new(move |setup| setup.without(rule)));
                    self.rules_off = true;
                }
            }
            "disk" => {
                let [who, rest @ ..] = arguments else { return Err("whose disk? `disk 2 term=3 log=1,1,3`".into()) };
                let server = server(who)?;
                let named = named(rest, &["term", "vote", "log"])?;
                let term = number(named.get("term").ok_or("term=T is missing")?)?;
                let list = named.get("log").copied().unwrap_or_default();
                let terms =
                    list.split(',').filter(|t| !t.is_empty()).map(number).collect::<Result<Vec<u64>, String>>()?;
                let voted_for = named.get("vote").map(|vote| self::server(vote)).transpose()?;
                let mut durable = image(term, &terms);
                durable.hard_state = HardState { voted_for, ..durable.hard_state };
                self.setup.push(Box::new(move |setup| setup.disk(server, durable)));
            }
            _ => return self.start(arguments),
        }
        Ok(Vec::new())
    }

    fn start(&mut self, arguments: &[&str]) -> Played {
        let named = named(arguments, &["nodes", "leader", "learners"])?;
        let nodes = number(named.get("nodes").ok_or("nodes=N is missing")?)?;
        let nodes = u8::try_from(nodes).ok().filter(|n| (1..=9).contains(n)).ok_or("nodes=N must be 1 to 9")?;
        let learners = named.get("learners").map_or(Ok(ServerSet::EMPTY), |list| servers(list.split(',')))?;
        let mut setup = Cluster::with(nodes).learners(learners);
        for change in std::mem::take(&mut self.setup) {
            setup = change(setup);
        }
        let mut cluster = setup.start();
        if self.rules_off {
            cluster.tolerate();
        }
        if let Some(leader) = named.get("leader") {
            cluster.elect(server(leader)?);
            // One heartbeat, so that everybody knows what is committed.
            cluster.run(Duration::from_millis(50));
        }
        cluster.take_events();
        let status = cluster.status().lines().map(str::to_owned).collect();
        self.cluster = Some(cluster);
        Ok(status)
    }

    fn drive(&mut self, name: &str, arguments: &[&str], detail: Detail) -> Played {
        let cluster = self.cluster.as_mut().ok_or("there is no cluster yet: begin with `cluster nodes=3`")?;
        let (mut one_by_one, mut printed) = (false, Vec::new());
        match (name, arguments) {
            ("propose", [at, commands @ ..]) if !commands.is_empty() => {
                let at = server(at)?;
                if let [command] = commands {
                    self.names.insert(cluster.propose(at, command), (*command).to_owned());
                } else {
                    let ids = cluster.propose_batch(at, commands);
                    self.names.extend(ids.into_iter().zip(commands.iter().map(|command| (*command).to_owned())));
                }
            }
            ("fill", [at, count]) => {
                for position in 1..=number(count)? {
                    let command = format!("c{position}");
                    self.names.insert(cluster.propose(server(at)?, &command), command);
                }
            }
            ("read", [at]) => {
                let at = server(at)?;
                self.names.insert(cluster.read(at), format!("The read at {at}"));
            }
            ("lease-read", [at]) => {
                let at = server(at)?;
                self.names.insert(cluster.lease_read(at), format!("The lease read at {at}"));
            }
            ("campaign", [who]) => cluster.campaign(server(who)?),
            ("timeout", [who]) => cluster.time_out(server(who)?),
            ("sleep", [length]) => cluster.sleep(duration(length)?),
            ("advance", [length]) => cluster.advance(duration(length)?),
            ("run", [length]) => cluster.run(duration(length)?),
            ("clock", [who, shift]) => {
                let (sign, length) = match shift.split_at_checked(1) {
                    Some(("+", length)) => (1, length),
                    Some(("-", length)) => (-1, length),
                    _ => return Err("by how much? `clock 2 +100ms` or `clock 2 -100ms`".into()),
                };
                let millis = duration(length)?.as_micros() / 1_000;
                cluster.shift_clock(server(who)?, sign * i64::try_from(millis).map_err(|_| "too far")?);
            }
            ("stop-clock", [who]) => cluster.stop_clock(server(who)?),
            ("start-clock", [who]) => cluster.start_clock(server(who)?),
            ("settle", []) => cluster.settle(),
            ("deliver" | "drop" | "duplicate", [from, to, rest @ ..]) => {
                one_by_one = true;
                self.move_messages(name, (from, to), rest)?;
            }
            ("reverse", [from, to]) => cluster.reverse(server(from)?, server(to)?),
            ("cut" | "mend" | "hold" | "let-go", link) => {
                for (from, to) in links(link)? {
                    match name {
                        "cut" => cluster.cut(from, to),
                        "mend" => cluster.mend(from, to),
                        "hold" => cluster.hold(from, to),
                        _ => cluster.let_go(from, to),
                    }
                }
            }
            ("isolate", [who]) => cluster.isolate(server(who)?),
            ("partition", groups) if !groups.is_empty() => {
                let groups = groups
                    .split(|word| *word == "|")
                    .map(|group| group.iter().map(|who| Ok(server(who)?.number())).collect())
                    .collect::<Result<Vec<Vec<u8>>, String>>()?;
                cluster.partition(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>());
            }
            ("links", pairs) if !pairs.is_empty() => {
                let pair = |pair: &&str| {
                    let (one, other) = pair.split_once('-').ok_or_else(|| format!("`{pair}` is no pair: `1-2`"))?;
                    Ok((server(one)?.number(), server(other)?.number()))
                };
                cluster.connect_only(&pairs.iter().map(pair).collect::<Result<Vec<_>, String>>()?);
            }
            ("heal", []) => cluster.heal(),
            ("hold-disk", [who]) => cluster.hold_disk(server(who)?),
            ("fsync", [who]) => {
                cluster.fsync(server(who)?);
            }
            ("fsync", [who, "one"]) => cluster.fsync_one(server(who)?),
            ("release-disk", [who]) => cluster.release_disk(server(who)?),
            ("crash", [who]) => cluster.crash(server(who)?),
            ("crash", [who, keep]) => {
                let named = named(&[keep], &["keep"])?;
                cluster.crash_keeping(server(who)?, number(named["keep"])? as usize);
            }
            ("restart", [who]) => cluster.restart(server(who)?),
            ("wipe", [who]) => cluster.restart_wiped(server(who)?),
            ("join", [who]) => cluster.join(server(who)?),
            ("voters" | "add-learner" | "remove", wanted) if !wanted.is_empty() => self.change(name, wanted)?,
            ("transfer", [from, "->", to]) => {
                let to = server(to)?;
                self.names.insert(cluster.transfer(server(from)?, to), format!("The transfer to {to}"));
            }
            ("snapshot", [who]) => {
                self.names.insert(SNAPSHOT, "The snapshot".to_owned());
                cluster.snapshot(server(who)?);
            }
            ("status", []) => printed.extend(cluster.status().lines().map(str::to_owned)),
            ("log", who) => printed.extend(each(cluster, who)?.into_iter().map(|who| print::log(cluster, who))),
            ("store", who) => printed.extend(each(cluster, who)?.into_iter().map(|who| print::store(cluster, who))),
            ("progress", [who]) => printed.extend(print::progress(cluster, server(who)?)),
            ("in-flight", []) => printed.extend(print::in_flight(cluster)),
            _ => {
                return Err("no such command, or not with these arguments: runner/mod.rs lists them".to_owned());
            }
        }
        let cluster = self.cluster.as_mut().ok_or("the cluster is gone")?;
        let events = cluster.take_events();
        let timed = matches!(name, "advance" | "run");
        let printer = Printer { cluster, names: &self.names, detail, one_by_one, timed };
        let mut lines = printer.print(&events);
        lines.extend(printed);
        Ok(lines)
    }

    /// `deliver`, `drop` and `duplicate`.
    fn move_messages(&mut self, name: &str, (from, to): (&str, &str), rest: &[&str]) -> Result<(), String> {
        let cluster = self.cluster.as_mut().ok_or("there is no cluster yet")?;
        let (kind, all) = match rest {
            [] => (None, false),
            ["all"] => (None, true),
            [kind] => (Some(*kind), false),
            [kind, "all"] => (Some(*kind), true),
            _ => return Err("which messages? `deliver 1 2`, `deliver 1 2 RequestVote`, `deliver * 2 all`".into()),
        };
        let any = |pattern: &str, server: ServerId| pattern == "*" || self::server(pattern) == Ok(server);
        // The messages there are now; what follows from them stays on its way.
        let mut found = 0;
        for (link, count) in cluster.busy_links() {
            if !any(from, link.0) || !any(to, link.1) {
                continue;
            }
            let mut place = 0;
            for _ in 0..count {
                let messages = cluster.on_the_way(link.0, link.1);
                if kind.is_some_and(|kind| !print::is_kind(&messages[place], kind)) {
                    place += 1;
                    continue;
                }
                found += 1;
                match name {
                    "deliver" => drop(cluster.deliver_nth(link.0, link.1, place)),
                    "drop" => drop(cluster.take(link.0, link.1, place)),
                    _ => {
                        cluster.put(link.0, link.1, messages[place].clone());
                        place += 1;
                    }
                }
                if !all {
                    break;
                }
            }
        }
        if found == 0 {
            Err(format!("no such message is on its way; there are:\n{}", cluster.status()))
        } else {
            Ok(())
        }
    }

    /// `voters`, `add-learner` and `remove`.
    fn change(&mut self, name: &str, wanted: &[&str]) -> Result<(), String> {
        let cluster = self.cluster.as_mut().ok_or("there is no cluster yet")?;
        let (wanted, at) = match wanted {
            [wanted @ .., "at", at] => (wanted, server(at)?),
            _ => (wanted, cluster.leader().ok_or("nobody leads: say whom to ask, `at 2`")?),
        };
        let now = *cluster.raft(at).configuration();
        let (voters, learners) = match name {
            "voters" => {
                let mut parts = wanted.split(|word| *word == "learners");
                let voters = servers(parts.next().unwrap_or_default().iter().copied())?;
                (voters, parts.next().map_or(Ok(ServerSet::EMPTY), |list| servers(list.iter().copied()))?)
            }
            "add-learner" => (now.voters, now.learners.union(servers(wanted.iter().copied())?)),
            _ => {
                let gone = servers(wanted.iter().copied())?;
                (now.voters.difference(gone), now.learners.difference(gone))
            }
        };
        let id = cluster.change(at, voters, learners);
        let also = if learners.is_empty() { String::new() } else { format!(" with learners {learners}") };
        self.names.insert(id, format!("The change to voters {voters}{also}"));
        Ok(())
    }
}

// -------------------------------------------------------------------- words

fn server(word: &str) -> Result<ServerId, String> {
    let number = word.parse().ok().and_then(ServerId::new);
    number.ok_or_else(|| format!("`{word}` is no server: they are numbered from 1"))
}

fn servers<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<ServerSet, String> {
    words.into_iter().map(server).collect()
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("`{word}` is no number"))
}

/// `150ms`, `2s`, `700us`.
fn duration(word: &str) -> Result<Duration, String> {
    let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (count, unit) = word.split_at(digits);
    match (count.parse(), unit) {
        (Ok(count), "us") => Ok(Duration::from_micros(count)),
        (Ok(count), "ms") => Ok(Duration::from_millis(count)),
        (Ok(count), "s") => Ok(Duration::from_secs(count)),
        _ => Err(format!("`{word}` is no length of time: 150ms, 2s, 700us")),
    }
}

/// `NAME=VALUE` words, each name known.
fn named<'a>(words: &[&'a str], known: &[&str]) -> Result<BTreeMap<&'a str, &'a str>, String> {
    let pair = |word: &&'a str| {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("`{word}` should be NAME=VALUE"))?;
        if known.contains(&name) { Ok((name, value)) } else { Err(format!("`{name}` is none of {}", known.join(", "))) }
    };
    words.iter().map(pair).collect()
}

/// `A -> B`, or `A B` for both directions.
fn links(words: &[&str]) -> Result<Vec<(ServerId, ServerId)>, String> {
    match words {
        [from, "->", to] => Ok(vec![(server(from)?, server(to)?)]),
        [one, other] => Ok(vec![(server(one)?, server(other)?), (server(other)?, server(one)?)]),
        _ => Err("which link? `1 -> 2`, or `1 2` for both directions".to_owned()),
    }
}

/// The servers named, or all.
fn each(cluster: &Cluster, words: &[&str]) -> Result<Vec<ServerId>, String> {
    if words.is_empty() {
        return Ok(cluster.servers());
    }
    let wanted = servers(words.iter().copied())?;
    wanted.iter().map(|who| if cluster.has(who) { Ok(who) } else { Err(format!("there is no {who}")) }).collect()
}

/// A change of every server's parameters: `pre-vote=off`, `window=2`, `2:snapshot-after=5` (S2's
/// alone).
fn configure(argument: &str) -> Result<impl Fn(&mut Config) + Clone + 'static, String> {
    let (who, argument) = match argument.split_once(':') {
        Some((who, argument)) => (Some(server(who)?), argument),
        None => (None, argument),
    };
    let (name, value) = argument.split_once('=').ok_or_else(|| format!("`{argument}` should be NAME=VALUE"))?;
    enum To {
        Switch(fn(&mut Config, bool), bool),
        Number(fn(&mut Config, u64), u64),
        Length(fn(&mut Config, Duration), Duration),
    }
    let switch = |set| match value {
        "on" => Ok(To::Switch(set, true)),
        "off" => Ok(To::Switch(set, false)),
        _ => Err(format!("`{name}` is on or off, not `{value}`")),
    };
    let count = |set| number(value).map(|value| To::Number(set, value));
    let length = |set| duration(value).map(|value| To::Length(set, value));
    let change = match name {
        "pre-vote" => switch(|c, on| c.pre_vote = on)?,
        "check-quorum" => switch(|c, on| c.check_quorum = on)?,
        "append-entries" => count(|c, n| c.append_entries_max = n as usize)?,
        "window" => count(|c, n| c.window_appends_max = n as usize)?,
        "uncommitted-bytes" => count(|c, n| c.uncommitted_bytes_max = n)?,
        "snapshot-piece" => count(|c, n| c.snapshot_piece_max = n)?,
        "snapshot-after" => count(|c, n| c.snapshot_after_entries = n)?,
        "entries-kept" => count(|c, n| c.entries_kept = n)?,
        "learner-lag" => count(|c, n| c.learner_lag_max = n)?,
        "clock-drift" => count(|c, n| c.clock_drift_max = n)?,
        "seed" => count(|c, n| c.seed = n)?,
        "disk-stall" => length(|c, d| c.disk_stall_max = d)?,
        "heartbeat" => length(|c, d| c.heartbeat_interval = d)?,
        "election-min" => length(|c, d| c.election_timeout_min = d)?,
        "election-max" => length(|c, d| c.election_timeout_max = d)?,
        _ => return Err(format!("there is no parameter `{name}` to set")),
    };
    let change = std::rc::Rc::new(change);
    Ok(move |config: &mut Config| {
        if who.is_none_or(|who| who == config.id) {
            match &*change {
                To::Switch(set, on) => set(config, *on),
                To::Number(set, value) => set(config, *value),
                To::Length(set, value) => set(config, *value),
            }
        }
    })
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}
