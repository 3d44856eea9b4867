//! `check`: is a client history linearizable?

use std::path::PathBuf;

use clap::Args;
use raft_core::check::linearizable::{History, Verdict, WORK_DEFAULT};
use raft_core::format::history;
use serde_json::json;

use crate::output::{BAD, BOLD, GOOD, ODD, grouped, styled};
use crate::{Ending, Unusable, input, output};

#[derive(Args)]
#[command(after_help = "One JSON object a line, in the order of real time:\n  \
                  {\"client\":1,\"kind\":\"invoke\",\"op\":\"put\",\"key\":\"x\",\"value\":\"1\",\"time\":100}\n  \
                  {\"client\":1,\"kind\":\"ok\",\"op\":\"put\",\"key\":\"x\",\"time\":300}\n\
                  kind: invoke, ok (done), fail (certainly not done), info (nobody knows); \
                  op: get, put, delete, cas (with “expected”). docs/formats.md has all of it.\n\n\
                  Exit status: 0 linearizable, 1 not, 2 undecided, 3 the history can't be read.\n\n\
                  Example:\n  raftarium replay failure.json --history history.jsonl && raftarium check history.jsonl")]
pub struct Options {
    /// The history (`-` for the standard input)
    #[arg(value_name = "HISTORY.jsonl")]
    history: PathBuf,
    /// How often to look at an operation before giving up
    #[arg(long, value_name = "STEPS", default_value_t = WORK_DEFAULT)]
    work: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let text = input::text(&options.history, history::BYTES_MAX)?;
    let history = history::read(&text).map_err(|error| Unusable(format!("{}: {error}", options.history.display())))?;
    let verdict = history.check_within(options.work);
    output::print(&if options.json { as_json(&history, &verdict) } else { in_words(&history, &verdict) })?;
    Ok(match verdict {
        Verdict::Linearizable(_) => Ending::Fine,
        Verdict::NotLinearizable(_) => Ending::Found,
        Verdict::Undecided { .. } => Ending::Undecided,
    })
}

fn in_words(history: &History, verdict: &Verdict) -> String {
    let (operations, keys) = (history.operations().len() as u64, history.keys().len() as u64);
    let of = |count: u64, what: &str| format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" });
    let scope = format!("{} on {}", of(operations, "operation"), of(keys, "key"));
    match verdict {
        Verdict::Linearizable(_) => format!("{}: {scope}\n", styled(GOOD, "linearizable")),
        Verdict::Undecided { work, keys } => {
            let names: Vec<&str> = keys.iter().map(|key| &**history.key(*key)).collect();
            format!(
                "{}: {scope}; gave up on {} after {} steps: raise --work, or record fewer concurrent operations\n",
                styled(ODD, "undecided"),
                names.join(", "),
                grouped(*work),
            )
        }
        Verdict::NotLinearizable(why) => {
            let mut text = format!("{}: {scope}\n\n{why}\n", styled(BAD, "not linearizable"));
            text += &format!("\n{}\n", styled(BOLD, "These answers contradict each other:"));
            for id in &why.conflicting {
                text += &format!("  {}\n", history.describe(*id));
            }
            if !why.supporting.is_empty() {
                text += &format!("\n{}\n", styled(BOLD, "These set the values that they found:"));
                for id in &why.supporting {
                    text += &format!("  {}\n", history.describe(*id));
                }
            }
            text
        }
    }
}

fn as_json(history: &History, verdict: &Verdict) -> String {
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
    format!("{value:#}\n")
}
