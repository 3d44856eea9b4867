//! `rules`: what can be switched off, and what it is good for.

use clap::Args;
use raft_core::raft::Rule;
use serde_json::json;

use crate::output::{BOLD, DIM, styled};
use crate::{Ending, Unusable, output};

#[derive(Args)]
#[command(after_help = "Example:\n  raftarium hunt --without vote-once-per-term")]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let mut text = String::new();
    if options.json {
        let rules =
            Rule::ALL.map(|rule| json!({ "name": rule.name(), "prevents": rule.prevents(), "source": rule.source() }));
        text = format!("{:#}\n", json!(rules));
    } else {
        for rule in Rule::ALL {
            let source = styled(DIM, rule.source());
            text += &format!("{}\n    prevents {} ({source})\n", styled(BOLD, rule.name()), rule.prevents());
        }
    }
    output::print(&text)?;
    Ok(Ending::Fine)
}
