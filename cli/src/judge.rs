//! `check`: is a client history linearizable?

use std::borrow::Cow;
use std::path::PathBuf;

use clap::Args;
use raft_core::check::linearizable::{History, KeyId, OperationId, Verdict, WORK_DEFAULT};
use raft_core::format::history;
use serde_json::json;

use crate::output::{BAD, BOLD, GOOD, ODD, grouped};
use crate::text::{NAME_MAX, Text, shortened};
use crate::{Ending, Unusable, input, output};

#[derive(Args)]
#[command(after_help = "One JSON object a line, in the order of real time:\n  \
                  {\"client\":1,\"kind\":\"invoke\",\"op\":\"put\",\"key\":\"x\",\"value\":\"1\",\"time\":100}\n  \
                  {\"client\":1,\"kind\":\"ok\",\"op\":\"put\",\"key\":\"x\",\"time\":300}\n\
                  kind: invoke, ok (done), fail (certainly not done), info (unknown); \
                  op: get, put, delete, cas (with “expected”). docs/formats.md describes all of it.\n\n\
                  Exit status: 0 linearizable, 1 not, 2 undecided, 3 the history can't be read.\n\n\
                  Example:\n  raftarium replay failure.json --history history.jsonl && raftarium check history.jsonl")]
pub struct Options {
    /// The history (`-` for the standard input)
    #[arg(value_name = "HISTORY.jsonl")]
    history: PathBuf,
    /// How many steps the search may take for each key before it gives up
    #[arg(long, value_name = "STEPS", default_value_t = WORK_DEFAULT)]
    work: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How many keys and operations are listed.
const LISTED_MAX: usize = 100;

pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let text = input::text(&options.history, history::BYTES_MAX)?;
    let history =
        history::read(&text).map_err(|error| Unusable(format!("{}: {error}", output::named(&options.history))))?;
    let verdict = history.check_within(options.work);
    output::print(&if options.json { as_json(&history, &verdict) } else { in_words(&history, &verdict) })?;
    Ok(match verdict {
        Verdict::Linearizable(_) => Ending::Fine,
        Verdict::NotLinearizable(_) => Ending::Found,
        Verdict::Undecided { .. } => Ending::Undecided,
    })
}

fn in_words(history: &History, verdict: &Verdict) -> Text {
    let (operations, keys) = (history.operations().len() as u64, history.keys().len() as u64);
    let of = |count: u64, what: &str| format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" });
    let scope = format!("{} on {}", of(operations, "operation"), of(keys, "key"));
    let mut text = Text::new();
    match verdict {
        Verdict::Linearizable(_) => {
            text.styled(GOOD, "linearizable").line(format_args!(": {scope}"));
        }
        Verdict::Undecided { work, keys } => {
            let name = |key: &KeyId| shortened(history.key(*key), NAME_MAX);
            let mut names: Vec<Cow<'_, str>> = keys.iter().take(LISTED_MAX).map(name).collect();
            if keys.len() > LISTED_MAX {
                names.push(format!("{} more", keys.len() - LISTED_MAX).into());
            }
            text.styled(ODD, "undecided").line(format_args!(
                ": {scope}; gave up on {} after {} steps: raise --work, or record fewer concurrent operations",
                names.join(", "),
                grouped(*work),
            ));
        }
        Verdict::NotLinearizable(why) => {
            text.styled(BAD, "not linearizable").line(format_args!(": {scope}")).end_line().line(why);
            text.end_line().styled(BOLD, "These answers contradict each other:").end_line();
            list(&mut text, history, &why.conflicting);
            if !why.supporting.is_empty() {
                text.end_line().styled(BOLD, "These wrote the values that they found:").end_line();
                list(&mut text, history, &why.supporting);
            }
        }
    }
    text
}

fn list(text: &mut Text, history: &History, ids: &[OperationId]) {
    for id in ids.iter().take(LISTED_MAX) {
        text.line(format_args!("  {}", history.describe(*id)));
    }
    if ids.len() > LISTED_MAX {
        text.line(format_args!("  and {} more, which --json lists", ids.len() - LISTED_MAX));
    }
}

fn as_json(history: &History, verdict: &Verdict) -> Text {
    let described = |ids: &[_]| ids.iter().map(|id| history.describe(*id)).collect::<Vec<_>>();
    let mut value = match verdict {
        Verdict::Linearizable(_) => json!({ "verdict": "linearizable" }),
        Verdict::Undecided { work, keys } => {
            let names: Vec<&str> = keys.iter().map(|key| &**history.key(*key)).collect();
            json!({ "verdict": "undecided", "work": work, "keys": names })
        }
        Verdict::NotLinearizable(why) => json!({
            "verdict": "not linearizable",
            "key": &*why.key,
            "event": why.event + 1,
            "time": why.at.map(|at| at.as_micros()),
            "sentence": why.to_string(),
            "conflicting": described(&why.conflicting),
            "supporting": described(&why.supporting),
        }),
    };
    value["operations"] = json!(history.operations().len());
    Text::json(&value)
}
