//! `raftarium cluster` in the foreground: starts the servers, shows them, stops them.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::advice::{self, LastWords};
use super::file::Ending::Stopped;
use super::file::{LocalServer, Locked, State};
use super::process::Condition;
use super::start::{self, Scope, Started};
use super::{StartOptions, expected, known, known_as_written, lifecycle, notes, signals};
use crate::output::BAD;
use crate::text::{SENTENCE_MAX, Text, shortened};
use crate::view::LiveView;
use crate::{Ending, Unusable, output};

/// How often the picture is renewed.
const RENEWAL: Duration = Duration::from_millis(250);

/// Runs a cluster until Ctrl-C.
pub fn run(options: &StartOptions) -> Result<Ending, Unusable> {
    let stop = signals()?;
    let has_come = || stop.load(Ordering::Relaxed);
    let folder = &options.place.data;
    let started = start::start(options, Scope::All, &has_come)?;
    // Whatever happens to the picture, the servers are stopped.
    let shown = show(started, options, &has_come);
    stop.store(false, Ordering::Relaxed);
    let locked = Locked::take(folder)?;
    let mut state = known(folder)?;
    // A second signal stops them at once.
    let killed = lifecycle::stop_servers(&locked, &mut state, |_| true, &has_come)?;
    shown?;
    output::print(Text::new().line(lifecycle::stopped(&killed))).map(|_| Ending::Fine)
}

/// Shows the cluster until a signal comes, or other commands have stopped it.
fn show(mut started: Started, options: &StartOptions, has_come: &dyn Fn() -> bool) -> Result<(), Unusable> {
    let folder = &options.place.data;
    let running = started.state.servers.len() - started.missing.len();
    let mut text = advice::introduction(&started.state, running, folder);
    text.line("Ctrl-C stops it.").line("");
    output::print(&text)?;
    let mut view = LiveView::new(expected(&started.state), false);
    let mut deaths = Deaths::default();
    // Those that didn't start have been told of.
    for server in started.state.servers.iter().filter(|server| started.missing.contains(&server.server)) {
        deaths.0.extend(server.process.as_ref().map(|process| (server.server, process.pid)));
    }
    while !has_come() {
        // Other commands change it meanwhile.
        let state = known_as_written(folder)?;
        let mut ended = Vec::new();
        for (number, child) in &mut started.children {
            if let Ok(Some(status)) = child.try_wait() {
                ended.push((*number, child.id(), status));
            }
        }
        for server in deaths.not_told(&state, || known_as_written(folder))? {
            let pid = server.process.as_ref().map(|process| process.pid.cast_unsigned());
            let status = ended.iter().find(|(number, id, _)| *number == server.server && Some(*id) == pid);
            let mut text = Text::new();
            let words = LastWords::of(folder, &server, status.map(|(.., status)| *status));
            text.styled(BAD, words.sentence).end_line();
            for line in &words.lines {
                text.add("  ").line(shortened(line, SENTENCE_MAX));
            }
            text.line(format_args!(
                "Start it again with {}",
                advice::command(&format!("cluster restart {}", server.server), folder)
            ));
            view.say(&text)?;
        }
        let is_stopped = |server: &LocalServer| server.running().is_none() && server.ending == Some(Stopped);
        if state.servers.iter().all(is_stopped) {
            return view.say(Text::new().line("Another command has stopped the cluster."));
        }
        if !view.renew(&notes(&state, folder))? {
            return Ok(());
        }
        view.wait(RENEWAL);
    }
    Ok(())
}

/// The servers that have ended by themselves, each told once.
#[derive(Default)]
struct Deaths(BTreeSet<(u8, i32)>);

impl Deaths {
    /// Those that are new in `state`, as `look_again` still shows them: a command may have ended a
    /// server just after `state` was read.
    fn not_told(
        &mut self,
        state: &State,
        look_again: impl FnOnce() -> Result<State, Unusable>,
    ) -> Result<Vec<LocalServer>, Unusable> {
        let has_died = |server: &LocalServer| {
            server.ending.is_none()
                && server.process.as_ref().is_some_and(|process| process.condition() == Condition::Gone)
        };
        let is_new = |server: &LocalServer| match &server.process {
            Some(process) => !self.0.contains(&(server.server, process.pid)),
            None => false,
        };
        if !state.servers.iter().any(|server| is_new(server) && has_died(server)) {
            return Ok(Vec::new());
        }
        let mut state = look_again()?;
        state.servers.retain(|server| is_new(server) && has_died(server));
        for server in &state.servers {
            self.0.extend(server.process.as_ref().map(|process| (server.server, process.pid)));
        }
        Ok(state.servers)
    }
}
