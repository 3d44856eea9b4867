//! `rules` lists the rules that can be switched off, what each prevents, and what a hunt without it
//! finds.

use clap::Args;
use raft_core::raft::Rule;
use serde_json::json;

use crate::output::{BOLD, DIM};
use crate::seeds::Seeds;
use crate::text::Text;
use crate::{Ending, Unusable, hunt, output};

#[derive(Args)]
#[command(after_help = "Examples:\n  raftarium hunt --without vote-once-per-term\n  \
                  raftarium rules --hunt 0..600 > docs/rules.md")]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Hunt in these seeds without each rule, and print the results as a Markdown table
    #[arg(long, value_name = "A..B", value_parser = Seeds::read, conflicts_with = "json")]
    hunt: Option<Seeds>,
    /// How many candidates to try when shrinking the first failure of each rule
    #[arg(long, value_name = "N", default_value_t = 400, requires = "hunt")]
    shrink_tries: u32,
}

/// The text above the table.
fn heading(seeds: Seeds, shrink_tries: u32) -> String {
    format!(
        "<!-- Made by `raftarium rules --hunt {seeds} --shrink-tries {shrink_tries}`. Don't edit it by hand. -->\n\n\
         # What each rule is good for\n\n\
         For each rule, a hunt without it: seeds {seeds}, a minute each, with every fault. `raftarium hunt --without RULE --seeds SEED` plays and shrinks \
         the first seed that failed. What is behind `#` opens it in the page, and `raftarium replay '#run=…'` plays it.\n\n\
         {COLUMNS}"
    )
}

const COLUMNS: &str = "| without | which prevents | seeds that fail | the first | shrunk to | finding | link |\n\
                       | --- | --- | --- | --- | --- | --- | --- |\n";

/// The text above the table of those rules without which a promise is broken first.
fn heading_of_harm() -> String {
    format!(
        "\n## Harm and promises\n\n\
         Two leaders in a term, logs or stores that differ, an entry that is lost, a client that is told something wrong: \
         these are *harm*. What else is checked are *promises*, which servers keep so that no harm is done. A hunt ends a run at the first that is \
         broken. With `--only-harm` the run goes on: these rules once more, with what comes of the broken promise. (A cluster \
         that stands still is no harm either.)\n\n{COLUMNS}"
    )
}

pub fn run(options: &Options) -> Result<Ending, Unusable> {
    if let Some(seeds) = options.hunt {
        output::print(&Text::of_lines(&heading(seeds, options.shrink_tries)))?;
        let mut promises = Vec::new();
        for rule in Rule::ALL {
            let (row, promise) = hunt::row_without(rule, seeds, false, options.shrink_tries)?;
            output::print(Text::new().line(row))?;
            promises.extend(promise.then_some(rule));
        }
        output::print(&Text::of_lines(&heading_of_harm()))?;
        for rule in promises {
            output::print(Text::new().line(hunt::row_without(rule, seeds, true, options.shrink_tries)?.0))?;
        }
        return Ok(Ending::Fine);
    }
    let mut text = Text::new();
    if options.json {
        let rules =
            Rule::ALL.map(|rule| json!({ "name": rule.name(), "prevents": rule.prevents(), "source": rule.source() }));
        text = Text::json(&json!(rules));
    } else {
        for rule in Rule::ALL {
            text.styled(BOLD, rule.name()).end_line();
            text.add(format_args!("    prevents {} (", rule.prevents())).styled(DIM, rule.source()).line(")");
        }
    }
    output::print(&text)?;
    Ok(Ending::Fine)
}
