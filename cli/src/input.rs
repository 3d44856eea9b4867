//! Reading input from outside: runs, histories and arguments.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use raft_core::format::{Found, Run, file, found, link, units};
use raft_core::time::{Duration, Time};

use crate::text::{NAME_MAX, SENTENCE_MAX, escaped, shortened};
use crate::{Unusable, output};

/// A run, with its note if it comes from a file that has one.
pub struct Source {
    pub run: Run,
    pub note: String,
    /// Whether the file doesn't say how far to play. A link always names a moment; the very
    /// beginning stands for the whole run, as in the page.
    pub open_ended: bool,
    /// What whoever made it says was found in it.
    pub found: Option<Found>,
}

impl Source {
    fn of_link(text: &str) -> Result<Source, String> {
        // It may stand alone, with what was found behind it.
        let address = if text.contains('#') { text.to_owned() } else { format!("#{}={}", link::NAME, text.trim()) };
        let run = link::read(&address).map_err(|error| error.to_string())?;
        let found = found::read(&address, &run).map_err(|error| error.to_string())?;
        Ok(Source { open_ended: run.until == Time::ZERO, run, note: String::new(), found })
    }
}

/// Reads a run from a file (`-` for the standard input) or a link.
pub fn run(name: &str) -> Result<Source, Unusable> {
    let path = Path::new(name);
    if !output::is_standard(path) && !path.exists() {
        if looks_like_link(name) {
            return Source::of_link(name).map_err(Unusable);
        }
        let name = shortened(name, NAME_MAX);
        return Err(Unusable(format!("there is no file “{name}”, and it doesn’t look like a link either")));
    }
    let text = text(path, file::BYTES_MAX)?;
    // A file can also hold a link.
    if !text.trim_start().starts_with('{') && looks_like_link(text.trim()) {
        return Source::of_link(&text).map_err(|error| Unusable(format!("{}: {error}", output::named(path))));
    }
    let file::File { run, note, open_ended, found } =
        file::read(&text).map_err(|error| Unusable(format!("{}: {error}", output::named(path))))?;
    Ok(Source { run, note, open_ended, found })
}

fn looks_like_link(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let alone = text.split('&').next().unwrap_or(text);
    text.contains('#') || alone.len() >= 8 && alone.chars().all(plain)
}

/// Reads a text of at most `bytes_max` bytes.
pub fn text(path: &Path, bytes_max: usize) -> Result<String, Unusable> {
    let unreadable = |error: io::Error| Unusable(format!("{} can't be read: {error}", output::named(path)));
    let mut bytes = Vec::new();
    let limit = bytes_max as u64 + 1;
    if output::is_standard(path) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;
    }
    if bytes.len() > bytes_max {
        return Err(Unusable(format!("{} is too large: at most {bytes_max} bytes are allowed", output::named(path))));
    }
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Unusable(format!("{} is not a text: byte {place} is not UTF-8", output::named(path)))
    })
}

/// A length of time on the command line.
pub fn time(text: &str) -> Result<Duration, String> {
    units::duration(text).map_err(|error| escaped(&error.to_string(), SENTENCE_MAX))
}
