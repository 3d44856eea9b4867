//! How the servers of a cluster are: once, as a table, or all the time, as a picture that is
//! renewed in place.
//!
//! `poll` asks the servers, each on a thread of its own, so that one that stands still doesn't hold
//! up the others. `table` makes lines of what they say, `screen` puts lines over those before. On
//! what isn't a terminal, a line is printed each time something changes that isn't mere progress.

mod poll;
mod screen;
mod table;

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

#[cfg(test)]
pub use poll::{EntryId, Leader, LostLog, Member};
pub use poll::{Expected, Status};
use poll::{Poll, Seen, Silence};
use screen::Screen;
pub use table::lacking;

use crate::client::{Client, Connection, EXIT_STATUS};
use crate::text::Text;
use crate::{Ending, Unusable, output};

/// What is known of a server besides what it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where clients reach it.
    pub address: String,
    /// Its number.
    pub server: u8,
    /// In a few words; empty if there is nothing to say.
    pub words: String,
}

/// How often a picture is renewed.
const RENEWAL: Duration = Duration::from_millis(250);

/// Over how long the rate of writes is measured.
const RATE_SPAN: Duration = Duration::from_secs(3);

/// Options of `status`.
#[derive(Args)]
#[command(after_help = EXIT_STATUS, after_long_help = format!(
    "With --watch, the table is renewed in place until Ctrl-C; where there is no terminal, a line is printed each time \
     a role, a term, a member or a disk changes, or a server comes or goes. With --json, that is a line of JSON, each \
     time anything changes.\n\n\
     Examples:\n  raftarium status\n  raftarium status --watch\n  raftarium status --json | jq .writes_per_second\n\n{EXIT_STATUS}"
))]
pub struct Options {
    /// Go on until Ctrl-C
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    connection: Connection,
}

/// `raftarium status`.
pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let connection = &options.connection;
    let client = connection.client()?;
    let expected = client.expected().cloned();
    if !options.watch {
        return show(client, expected, &[], connection.json);
    }
    let mut view = LiveView::of(client, expected, connection.json);
    loop {
        if !view.renew(&[])? {
            return Ok(Ending::Fine);
        }
        view.wait(RENEWAL);
    }
}

/// Shows once how these servers are.
pub fn once(expected: Expected, notes: &[Note], is_json: bool) -> Result<Ending, Unusable> {
    let addresses = expected.servers.keys().cloned().collect();
    show(Client::of(addresses, Duration::from_secs(2)), Some(expected), notes, is_json)
}

fn show(client: Client, expected: Option<Expected>, notes: &[Note], is_json: bool) -> Result<Ending, Unusable> {
    let timeout = client.timeout();
    let poll = Poll::start(client, expected);
    poll.wait_for_all(timeout + Duration::from_secs(1));
    let seen = poll.seen();
    let text = if is_json {
        Text::of_json(&format!("{}\n", document(&seen, notes, None)))
    } else {
        let width = if io::stdout().is_terminal() { screen::size().0 } else { usize::MAX };
        let mut lines = table::lines(&seen, notes, None, width);
        lines.extend(table::troubles(&seen));
        lines_of(&lines)
    };
    output::print(&text)?;
    if seen.iter().any(|seen| seen.status().is_some()) || !notes.is_empty() {
        return Ok(Ending::Fine);
    }
    // The table says why, for each.
    Err(Unusable("no server answers: name them with --servers".into()))
}

fn lines_of(lines: &[Text]) -> Text {
    let mut text = Text::new();
    for line in lines {
        text.append(line).end_line();
    }
    text
}

/// All that is known, as JSON.
fn document(seen: &[Seen], notes: &[Note], rate: Option<u64>) -> Value {
    let server = |seen: &Seen| {
        let mut document = json!({ "http": seen.address, "reachable": seen.status().is_some() });
        match &seen.answer {
            Some(Ok((_, status))) => document["status"] = status.clone(),
            Some(Err(silence)) => {
                document["why"] = silence.why().into();
                document["stranger"] = matches!(silence, Silence::Stranger(_)).into();
            }
            None => {}
        }
        if let Some(note) = notes.iter().find(|note| note.address == seen.address) {
            document["process"] = if note.words.is_empty() { "running".into() } else { note.words.clone().into() };
        }
        document
    };
    let servers: Vec<Value> = seen.iter().map(server).collect();
    json!({ "servers": servers, "writes_per_second": rate })
}

/// A view that is renewed.
pub struct LiveView {
    poll: Poll,
    began: Instant,
    form: Form,
    /// The highest commit index at a time, the oldest first.
    commits: Vec<(Instant, u64)>,
}

enum Form {
    /// A table on a terminal.
    Table(Screen),
    /// A line for each change.
    Lines { last: String },
    /// The same in JSON.
    Json { last: String },
}

impl LiveView {
    /// Of these servers.
    pub fn new(expected: Expected, is_json: bool) -> LiveView {
        let addresses = expected.servers.keys().cloned().collect();
        LiveView::of(Client::of(addresses, Duration::from_secs(1)), Some(expected), is_json)
    }

    fn of(client: Client, expected: Option<Expected>, is_json: bool) -> LiveView {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let form = if is_json {
            Form::Json { last: String::new() }
        } else if io::stdout().is_terminal() && !is_dumb {
            Form::Table(Screen::default())
        } else {
            Form::Lines { last: String::new() }
        };
        LiveView { poll: Poll::start(client, expected), began: Instant::now(), form, commits: Vec::new() }
    }

    /// Shows how the servers are now. Returns whether anybody still looks.
    pub fn renew(&mut self, notes: &[Note]) -> Result<bool, Unusable> {
        let seen = self.poll.seen();
        let rate = self.rate(&seen, Instant::now());
        // Before everybody has been asked once, those that haven't would look as if they were gone.
        if seen.iter().any(|seen| seen.answer.is_none()) {
            return Ok(true);
        }
        match &mut self.form {
            Form::Table(screen) => {
                let (width, height) = screen::size();
                let mut lines = table::lines(&seen, notes, rate, width);
                lines.truncate(height.saturating_sub(1));
                screen.draw(&lines, width)
            }
            Form::Lines { last } => {
                let now = table::summary(&seen, notes);
                if *last == now {
                    return Ok(true);
                }
                last.clone_from(&now);
                let seconds = self.began.elapsed().as_secs_f64();
                output::print(Text::new().line(format_args!("{seconds:8.1} s  {now}")))
            }
            Form::Json { last } => {
                let now = document(&seen, notes, rate);
                // A rate alone is no news.
                let news = now["servers"].to_string();
                if *last == news {
                    return Ok(true);
                }
                *last = news;
                output::print(&Text::of_json(&format!("{now}\n")))
            }
        }
    }

    /// Prints something above the picture.
    pub fn say(&mut self, text: &Text) -> Result<(), Unusable> {
        if let Form::Table(screen) = &mut self.form {
            screen.clear()?;
        }
        output::print(text).map(|_| ())
    }

    /// Waits until a server is as it wasn't before, or so long.
    pub fn wait(&self, limit: Duration) {
        self.poll.wait(limit);
    }

    /// How many entries are committed a second.
    fn rate(&mut self, seen: &[Seen], now: Instant) -> Option<u64> {
        let commit = seen.iter().filter_map(Seen::status).map(|status| status.commit_index).max()?;
        if self.commits.last().is_some_and(|(_, last)| *last > commit) {
            // Those that knew more can't be asked any more.
            return None;
        }
        self.commits.push((now, commit));
        let is_recent = |(at, _): &(Instant, u64)| now.duration_since(*at) <= RATE_SPAN;
        self.commits.retain(is_recent);
        let (first_at, first) = self.commits.first()?;
        let millis = now.duration_since(*first_at).as_millis();
        if millis < 500 {
            return None;
        }
        u64::try_from(u128::from(commit - first) * 1_000 / millis).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_counted_by_commit_indices() {
        let client = Client::of(Vec::new(), Duration::from_secs(1));
        let mut view = LiveView::of(client, None, true);
        let at = |commit_index| vec![Seen::of("x", &Status { commit_index, ..Status::default() })];
        let began = Instant::now();
        assert_eq!(view.rate(&at(100), began), None, "one look says nothing");
        assert_eq!(view.rate(&at(300), began + Duration::from_secs(2)), Some(100));
        assert_eq!(view.rate(&at(250), began + Duration::from_secs(3)), None, "it knows less than another did");
        assert_eq!(view.rate(&at(300), began + Duration::from_secs(5)), Some(0), "what is long ago doesn't count");
        assert_eq!(view.rate(&[], began), None);
    }
}
