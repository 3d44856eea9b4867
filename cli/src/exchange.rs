//! `show` and `link` convert a run from one form into the other.

use clap::Args;
use raft_core::format::{Run, file, found};
use raft_core::sim::Simulation;

use crate::input::{self, Source};
use crate::text::{Text, escaped, is_harmless};
use crate::{Ending, Unusable, output, panics};

#[derive(Args)]
#[command(after_help = "Example:\n  raftarium show 'http://127.0.0.1:8080/#run=AQcA…' > scenario.json")]
pub struct ShowOptions {
    /// A link, with or without an address before it; or a file
    #[arg(value_name = "LINK")]
    run: String,
}

/// The address at which `cargo xtask serve` serves the page.
pub const BASE_URL: &str = "http://127.0.0.1:8080/";

#[derive(Args)]
#[command(after_help = "Example:\n  raftarium link scenario.json --base-url https://example.org/raftarium/")]
pub struct LinkOptions {
    /// The scenario file (`-` for the standard input)
    #[arg(value_name = "FILE")]
    run: String,
    /// The address of the page that the link opens
    #[arg(long, value_name = "URL", default_value = BASE_URL, value_parser = address)]
    base_url: String,
}

/// Accepts an address to which a link can be appended: nothing in it needs to be escaped.
pub fn address(text: &str) -> Result<String, String> {
    let odd = |c: &char| *c == ' ' || !is_harmless(*c);
    match text.chars().find(odd) {
        Some(odd) => Err(format!("it contains “{}”, which an address can’t", escaped(&odd.to_string(), 1))),
        None => Ok(text.to_owned()),
    }
}

pub fn show(options: &ShowOptions) -> Result<Ending, Unusable> {
    let source = input::run(&options.run)?;
    output::print(&file_of(source)?)?;
    Ok(Ending::Fine)
}

pub fn link(options: &LinkOptions) -> Result<Ending, Unusable> {
    let Source { mut run, found, .. } = input::run(&options.run)?;
    if run.hash.is_none() {
        run.hash = hash_of(&run);
    }
    let link = found::write_address(&options.base_url, &run, found.as_ref());
    let link = link.map_err(|error| Unusable(error.to_string()))?;
    output::print(Text::new().line(link))?;
    Ok(Ending::Fine)
}

/// A run as the text of a file.
pub fn file_of(source: Source) -> Result<Text, Unusable> {
    let Source { run, note, open_ended, found } = source;
    let json =
        file::write(&file::File { run, note, open_ended, found }).map_err(|error| Unusable(error.to_string()))?;
    Ok(Text::of_json(&json))
}

/// The trace hash of a run at its moment; `None` if playing it panics.
pub fn hash_of(run: &Run) -> Option<u64> {
    let played = panics::catch(|| {
        let mut world = Simulation::new(run.scenario.clone()).ok()?;
        world.run_until(run.until);
        Some(world.trace_hash())
    });
    played.ok().flatten()
}
