//! What happened in a run, as text for other programs.

use raft_core::format::{Found, Run, history as histories, shiviz as diagrams, trace as traces};
use raft_core::sim::{Listening, News, Simulation};
use raft_core::trial::Finding;
use wasm_bindgen::prelude::*;

use crate::found::claimed;
use crate::js::{Refusal, run_of};

/// How many events are played before what they brought is written down: so few that little of it is
/// held at the same time.
const EVENTS_AT_ONCE: usize = 1_024;

/// What happened up to the run's moment, an event a line, as JSON. What is wrong with the run
/// stands last: a violation, or what is said to have been found in it, if `what` names something.
///
/// # Errors
/// A sentence, if the bytes are no run that can be played, or that can't be found in any.
#[wasm_bindgen]
pub fn trace(bytes: &[u8], what: Option<String>, at: f64, first: String, second: String) -> Result<String, JsValue> {
    Ok(traced(&run_of(bytes)?, claimed(what, at, first, second)?)?)
}

/// Who sent what to whom, with vector clocks, for ShiViz.
///
/// # Errors
/// A sentence, if the bytes are no run that can be played.
#[wasm_bindgen]
pub fn shiviz(bytes: &[u8]) -> Result<String, JsValue> {
    Ok(drawn(&run_of(bytes)?)?)
}

/// What clients asked and were answered up to the run's moment, as JSON lines.
///
/// # Errors
/// A sentence, if the bytes are no run that can be played.
#[wasm_bindgen]
pub fn history(bytes: &[u8]) -> Result<String, JsValue> {
    let world = played(&run_of(bytes)?, Listening::Off, &mut |_| {}).map_err(JsValue::from)?;
    Ok(histories::write(world.operations()))
}

/// Plays a run to its moment, and hands on its news.
fn played(run: &Run, listening: Listening, hear: &mut dyn FnMut(Vec<News>)) -> Result<Simulation, Refusal> {
    let mut world = Simulation::new(run.scenario.clone())?;
    world.listen(listening);
    while (0..EVENTS_AT_ONCE).all(|_| world.step_until(run.until)) {
        hear(world.take_news());
    }
    world.run_until(run.until);
    hear(world.take_news());
    Ok(world)
}

fn traced(run: &Run, said: Option<Found>) -> Result<String, Refusal> {
    let mut world = Simulation::new(run.scenario.clone())?;
    world.listen(Listening::Messages);
    let mut recorder = traces::Recorder::new();
    // After each event, for a state is what it was then.
    while world.step_until(run.until) {
        let news = world.take_news();
        recorder.hear(&world, &news);
    }
    world.run_until(run.until);
    let news = world.take_news();
    recorder.hear(&world, &news);
    let mut text = recorder.take_text();
    let last = match (world.violation(), said) {
        (Some(violation), _) => {
            let finding = Finding::Violation(violation.clone());
            Some(traces::last_line(&finding.found(), &finding.to_string()))
        }
        (None, Some(found)) => Some(traces::last_line(&found, &found.to_string())),
        (None, None) => None,
    };
    if let Some(line) = last {
        text += &line;
        text.push('\n');
    }
    Ok(text)
}

fn drawn(run: &Run) -> Result<String, Refusal> {
    let mut recorder = diagrams::Recorder::new();
    played(run, Listening::Messages, &mut |news| news.iter().for_each(|news| recorder.hear(news)))?;
    Ok(recorder.take_text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_core::format::{history, link};
    use raft_core::raft::{Rule, Rules};
    use raft_core::sim::Scenario;
    use raft_core::time::Time;

    fn run() -> Run {
        Run { scenario: Scenario::new(31, 3), until: Time::from_secs(60), hash: None }
    }

    fn lines(text: &str) -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_trace_has_every_piece_of_news_up_to_the_moment_and_what_was_found_last() {
        let run = run();
        let mut world = Simulation::new(run.scenario.clone()).unwrap();
        world.listen(Listening::News);
        world.run_until(run.until);
        let text = traced(&run, None).unwrap();
        let all = lines(&text);
        let told = world.take_news();
        let news = |line: &&serde_json::Value| line["kind"] != "state" && line["message"].is_null();
        assert_eq!(all.iter().filter(news).count(), told.iter().filter(|news| !news.is_of_traffic()).count());
        let count = |kind: &str| all.iter().filter(|line| line["kind"] == kind).count();
        assert!(count("message-sent") > 100 && count("message-arrived") > 100 && count("state") > 20, "{text}");
        assert!(world.events() > 2 * EVENTS_AT_ONCE as u64, "it isn’t played in one go");
        let said = claimed(Some("Liveness".into()), 5e6, "it is calm".into(), "nobody leads".into()).unwrap();
        let told = traced(&run, said).unwrap();
        assert!(told.starts_with(&text));
        let last = lines(&told).pop().unwrap();
        assert_eq!(
            (&last["kind"], &last["what"], &last["time"]),
            (&"found".into(), &"Liveness".into(), &5_000_000.into())
        );
        assert_eq!(last["text"], "Liveness is violated at 5.000 s: it is calm, but nobody leads");
    }

    #[test]
    fn a_violation_ends_the_trace_whatever_is_said() {
        // The page's example of the first rule (www/run/counterexamples.js).
        let link = "ARDO_B0BUnb_tWUYc_uBwKsCAgDAuAIBoI0GAaD3NgYAF-gHuBeUsQodkbIIEwMAHgOqLwEAABRsSB71";
        let run = link::read(link).unwrap();
        assert_eq!(run.scenario.parameters.rules, Rules::ALL.without(Rule::CompareLogsBeforeVoting));
        let said = claimed(Some("Liveness".into()), 0.0, String::new(), String::new()).unwrap();
        let last = lines(&traced(&run, said).unwrap()).pop().unwrap();
        assert_eq!(last["what"], "Leader Completeness");
        assert!(last["text"].as_str().unwrap().starts_with("Leader Completeness is violated at "), "{last}");
    }

    #[test]
    fn a_log_for_shiviz_is_the_same_however_it_is_played() {
        let run = run();
        let mut world = Simulation::new(run.scenario.clone()).unwrap();
        world.listen(Listening::Messages);
        let mut recorder = diagrams::Recorder::new();
        while world.step_until(run.until) {
            world.take_news().iter().for_each(|news| recorder.hear(news));
        }
        let text = drawn(&run).unwrap();
        assert!(text == recorder.take_text() && text.contains("sends AppendEntries of term 1 to S"));
    }

    #[test]
    fn a_history_can_be_read_and_judged() {
        let world = played(&run(), Listening::Off, &mut |_| {}).unwrap();
        let text = histories::write(world.operations());
        assert!(text.lines().count() > 20);
        let verdict = history::read(&text).unwrap().check();
        assert!(matches!(verdict, raft_core::check::linearizable::Verdict::Linearizable(_)), "{verdict:?}");
    }
}
