//! What people are told: commands to type, a server's last words, and what to do about one that
//! doesn't start.
//!
//! A command that is shown can be followed as it stands: it names the cluster's folder if that
//! isn't the usual one, and its paths are whole and quoted.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::ExitStatus;

use raftarium_node::storage::REPLACE;

use super::file::{self, LocalServer, State};
use crate::Unusable;
use crate::output::named;
use crate::text::{SENTENCE_MAX, Text, shortened};

/// How many lines of a log are shown.
const LOG_LINES: usize = 5;

/// How much of what a server said last is repeated in a sentence.
const QUOTE_MAX: usize = 300;

/// How a person calls this program here: by its name if that finds it, and otherwise by its path,
/// as after `cargo run`.
pub fn program() -> String {
    let name = "raftarium";
    let Ok(own) = std::env::current_exe() else { return name.into() };
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| same_file::is_same_file(folder.join(name), &own).unwrap_or(false)) {
        return name.into();
    }
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let short = here.ok().and_then(|here| own.strip_prefix(here).ok().map(Path::to_owned));
    word(&short.map_or(own, |short| Path::new(".").join(short)))
}

/// A path as one word of a shell's command line.
pub fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@%,:=".contains(c);
    let begins_plain = text.chars().next().is_some_and(|c| c != '-');
    if begins_plain && text.chars().all(is_plain) {
        return text.into_owned();
    }
    let dash = if text.starts_with('-') { "./" } else { "" };
    format!("'{dash}{}'", text.replace('\'', r"'\''"))
}

/// A command line of this program for a cluster's folder, to be shown.
pub fn command(task: &str, folder: &Path) -> String {
    format!("`{} {task}{}`", program(), folder_option(folder))
}

/// The option that names a folder, if it isn't the usual one.
fn folder_option(folder: &Path) -> String {
    if folder == Path::new(file::FOLDER) { String::new() } else { format!(" --data {}", word(folder)) }
}

/// Servers by name: `S1, S3`.
pub fn names(servers: impl IntoIterator<Item = u8>) -> String {
    servers.into_iter().map(|server| format!("S{server}")).collect::<Vec<_>>().join(", ")
}

/// A server that doesn't start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Its number.
    pub server: u8,
    /// Why not: a sentence without its full stop, which may come from the server itself.
    pub why: String,
    /// What helps.
    pub remedy: Remedy,
}

/// What helps a server that doesn't start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Something outside of its folder is in the way.
    ClearTheWay,
    /// Its data folder is gone.
    PutFolderBack,
    /// What is in its data folder can't be used.
    MendFolder,
}

/// The commands by which the others give a server their data anew, while they are a majority. What
/// it has is put aside if there is anything.
pub fn anew(server: &LocalServer, folder: &Path, has_data: bool) -> String {
    let number = server.server;
    let mut steps = vec![command(&format!("members remove {number}"), folder)];
    if has_data && server.running().is_some() {
        steps.push(command(&format!("cluster stop {number}"), folder));
    }
    if has_data {
        let data = server.data(folder);
        let unused = |place: &u32| !data.with_extension(format!("old-{place}")).exists();
        let place = (1..).find(unused).unwrap_or(0);
        steps.push(format!("`mv {} {}`", word(&data), word(&data.with_extension(format!("old-{place}")))));
    }
    steps.push(command(&format!("cluster restart {number} --join"), folder));
    steps.push(command(&format!("members add {number} {} {}", server.peer, server.http), folder));
    let last = command(&format!("members promote {number}"), folder);
    format!("{}, and, when it has all, {last}", steps.join(", "))
}

impl Obstacle {
    /// What is the matter and what to do, while the others are a majority.
    pub fn beside_a_majority(&self, state: &State, folder: &Path) -> Result<String, Unusable> {
        let number = self.server;
        let server = state.server(number)?;
        let start = command(&format!("cluster start {number}"), folder);
        let first = match self.remedy {
            Remedy::ClearTheWay => {
                return Ok(format!("S{number} doesn't start: {}. When the way is clear, use {start}", self.why));
            }
            Remedy::PutFolderBack => format!("Put the folder back and use {start}"),
            Remedy::MendFolder => format!("Mend that and use {start}"),
        };
        let steps = anew(server, folder, self.remedy == Remedy::MendFolder);
        Ok(format!("S{number} doesn't start: {}. {first}; or let the others give it their data: {steps}", self.why))
    }

    /// The same while the others are none: nobody could take the server out of the membership.
    /// `start` is the command to use then.
    pub fn without_a_majority(&self, start: &str) -> String {
        let number = self.server;
        let what = self.remedy.in_short();
        format!("S{number} doesn't start: {}. Without it there is no majority: {what}, and use {start}", self.why)
    }
}

impl Remedy {
    /// What to do without the others' help.
    pub fn in_short(self) -> &'static str {
        match self {
            Remedy::ClearTheWay => "clear the way",
            Remedy::PutFolderBack => "put the folder back",
            Remedy::MendFolder => "mend the folder, or put back the one that belongs there",
        }
    }
}

/// How a server ended, and what it said last.
pub struct LastWords {
    /// How it ended.
    pub sentence: String,
    /// Its last lines, the latest last.
    pub lines: Vec<String>,
    /// Whether they say why it ended.
    is_complaint: bool,
}

impl LastWords {
    /// Those of a server that has ended, with this status if it is known.
    pub fn of(folder: &Path, server: &LocalServer, status: Option<ExitStatus>) -> LastWords {
        let mut source = server.errors(folder);
        let mut lines = tail(&source);
        let is_complaint = !lines.is_empty();
        if !is_complaint {
            source = server.log(folder);
            lines = tail(&source);
        }
        let how = status.map_or_else(String::new, |status| format!(" ({status})"));
        let and = if lines.is_empty() { "without a word" } else { "its last words are in" };
        let place = if lines.is_empty() { String::new() } else { format!(" {}", named(&source)) };
        LastWords { sentence: format!("S{} has ended{how}; {and}{place}", server.server), lines, is_complaint }
    }

    /// Why it ended, if it said so itself. What it says about replacing its data is left out:
    /// whether that can be done depends on the others.
    pub fn why(&self) -> Option<String> {
        let last = self.lines.last().filter(|_| self.is_complaint)?;
        // It says `error: …`, as all commands do.
        let last = last.strip_prefix("error: ").unwrap_or(last);
        let last = last.strip_suffix(REPLACE).map_or(last, |last| last.trim_end_matches([':', ' ']));
        Some(shortened(last, QUOTE_MAX).into_owned())
    }

    /// Why it ended, or that it did.
    pub fn quoted(&self) -> String {
        self.why().unwrap_or_else(|| self.sentence.clone())
    }
}

/// The last lines of a file; none if it can't be read.
fn tail(path: &Path) -> Vec<String> {
    const BYTES_MAX: u64 = 4 << 10;
    let read = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(BYTES_MAX)))?;
        let mut bytes = Vec::new();
        file.take(BYTES_MAX).read_to_end(&mut bytes)?;
        std::io::Result::Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    // The first line may have lost its beginning.
    let whole =
        if bytes.len() as u64 == BYTES_MAX { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    let lines: Vec<&str> = whole.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].iter().map(|line| (*line).to_owned()).collect()
}

/// Several sentences as one, each shortened so that all are heard.
pub fn together(sentences: &[String]) -> String {
    let share = SENTENCE_MAX / sentences.len().max(1) - 3;
    sentences.iter().map(|sentence| shortened(sentence, share)).collect::<Vec<_>>().join("; ")
}

/// How to talk to a cluster of which so many servers run.
pub fn introduction(state: &State, running: usize, folder: &Path) -> Text {
    let mut text = Text::new();
    let first = state.servers.iter().find(|server| server.running().is_some()).unwrap_or(&state.servers[0]);
    let all: Vec<_> = state.servers.iter().map(|server| server.http.as_str()).collect();
    let (program, data) = (program(), folder_option(folder));
    let count = state.servers.len();
    let so_many = if running < count { format!("{running} of {count}") } else { count.to_string() };
    text.line(format_args!(
        "{so_many} {} of cluster {}, data in {}.",
        if count == 1 { "server" } else { "servers" },
        state.cluster,
        named(folder)
    ));
    text.line("").line("Talk to it from another terminal:");
    text.line(format_args!("  {program} put colour blue{data}"));
    text.line(format_args!("  {program} get colour{data}"));
    text.line(format_args!("  curl -X PUT --data blue http://{}/kv/colour", first.http));
    text.line(format_args!("  curl http://{}/kv/colour", first.http));
    if count > 1 {
        text.line(format_args!("Any of its servers takes any request: {}.", all.join(", ")));
    }
    if state.playground {
        text.line(format_args!("Break it: {program} cluster crash 1{data}, restart, pause, resume, cut, slow, heal."));
    }
    text.line("");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_command_line() {
        for (path, as_word) in [
            ("raftarium-data/1", "raftarium-data/1"),
            ("/tmp/my data", "'/tmp/my data'"),
            ("it's", r"'it'\''s'"),
            ("-x", "'./-x'"),
            ("$HOME;ls", "'$HOME;ls'"),
            ("", "''"),
        ] {
            assert_eq!(word(Path::new(path)), as_word);
        }
    }

    #[test]
    fn a_server_s_last_words_are_quoted_without_the_advice_that_may_not_suit() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new("local-1".into(), 1, 8_101);
        let server = state.server(1).unwrap();
        std::fs::create_dir(server.folder(folder.path())).unwrap();
        assert_eq!(LastWords::of(folder.path(), server, None).quoted(), "S1 has ended; without a word");
        // A log doesn't say why.
        std::fs::write(server.log(folder.path()), "this server leads\n").unwrap();
        let quoted = LastWords::of(folder.path(), server, None).quoted();
        assert!(quoted.ends_with("/1/log") && !quoted.contains("leads"), "{quoted}");
        std::fs::write(server.errors(folder.path()), format!("one\nerror: x/folder.json: cut off: {REPLACE}\n"))
            .unwrap();
        assert_eq!(LastWords::of(folder.path(), server, None).quoted(), "x/folder.json: cut off");
    }

    /// What is cut off can't be followed.
    #[test]
    fn advice_fits_into_a_sentence() {
        let folder = Path::new("/srv/a/folder/whose/name/is/rather/long/but/not/beyond/reason");
        let state = State::new("local-12345678".into(), 9, 8_101);
        let obstacle = Obstacle { server: 3, why: "x".repeat(QUOTE_MAX), remedy: Remedy::MendFolder };
        let sentence = obstacle.beside_a_majority(&state, folder).unwrap();
        let rest = sentence.len() - QUOTE_MAX - 6 * program().len();
        assert!(rest <= SENTENCE_MAX, "{rest}: {sentence}");
        assert!(sentence.contains(&format!("`mv {0}/3/data {0}/3/data.old-1`", folder.display())), "{sentence}");
    }
}
