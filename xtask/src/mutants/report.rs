//! Writes the results of all mutants as a page for people: `docs/mutants.md`.

use super::catalogue::{CONCERNS, Mutant};
use super::trials::{How, Hunt, Tests};
use std::fmt::{self, Write as _};

/// The results of one mutant: `None` for what wasn't run.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    pub mutant: &'a Mutant,
    pub tests: Option<Tests>,
    pub hunt: Option<Hunt>,
}

impl Trial<'_> {
    /// If it isn't counted, why.
    fn not_counted(&self) -> Option<String> {
        if let Some(why) = &self.mutant.equivalent {
            return Some(format!("equivalent: {why}"));
        }
        let easy = matches!(self.hunt, Some(Hunt::Found { too_easy: true, .. }));
        easy.then(|| "too easy: half of all seeds find it within a virtual second".into())
    }

    fn missed_by_tests(&self) -> bool {
        self.tests == Some(Tests::Passed)
    }

    fn missed_by_hunts(&self) -> bool {
        self.hunt == Some(Hunt::Nothing)
    }

    /// Whether it counts, and tests or hunts have missed it.
    pub fn is_missed(&self) -> bool {
        self.not_counted().is_none() && (self.missed_by_tests() || self.missed_by_hunts())
    }

    /// Its results in a line, for progress output.
    pub fn line(&self) -> String {
        let mut line = self.mutant.name.clone();
        if let Some(tests) = &self.tests {
            let _ = write!(line, "  tests: {}", tests_in_words(tests));
        }
        if let Some(hunt) = &self.hunt {
            let _ = write!(line, "  hunts: {}", hunt_in_words(hunt));
        }
        if let Some(why) = self.not_counted() {
            let _ = write!(line, "  (not counted, {why})");
        }
        line
    }
}

/// How many mutants were found, of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    pub found: usize,
    pub of: usize,
}

impl Share {
    fn count(&mut self, missed: bool) {
        self.of += 1;
        self.found += usize::from(!missed);
    }

    /// In percent, rounded down, so that a goal which is just missed isn't shown as met.
    pub fn percent(self) -> usize {
        (100 * self.found).checked_div(self.of).unwrap_or(100)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}, {} %", self.found, self.of, self.percent())
    }
}

/// The goals, in percent.
pub const TESTS_GOAL: usize = 97;
pub const HUNTS_GOAL: usize = 90;

/// How many of the mutants that count tests and hunts find.
pub fn shares(trials: &[Trial<'_>]) -> (Share, Share) {
    let (mut tests, mut hunts) = (Share::default(), Share::default());
    for trial in trials.iter().filter(|trial| trial.not_counted().is_none()) {
        if trial.tests.is_some() {
            tests.count(trial.missed_by_tests());
        }
        if trial.hunt.is_some() {
            hunts.count(trial.missed_by_hunts());
        }
    }
    (tests, hunts)
}

/// How many of all mutants that count hunts find, including those that can't change anything in
/// hunts.
fn of_all(trials: &[Trial<'_>]) -> Share {
    let mut all = Share::default();
    for trial in trials.iter().filter(|trial| trial.not_counted().is_none()) {
        all.count(trial.hunt.is_none() || trial.missed_by_hunts());
    }
    all
}

/// Differences between what the catalogue says and what the run shows.
pub fn complaints(trials: &[Trial<'_>]) -> Vec<String> {
    let mut complaints = Vec::new();
    for trial in trials {
        let name = &trial.mutant.name;
        let both = [
            ("tests", trial.tests.is_some(), trial.missed_by_tests(), &trial.mutant.survives_tests),
            ("hunts", trial.hunt.is_some(), trial.missed_by_hunts(), &trial.mutant.survives_hunts),
        ];
        for (who, ran, missed, why) in both {
            let why = why.as_ref().or(trial.mutant.outside_hunts.as_ref().filter(|_| who == "hunts" && missed));
            if missed && trial.mutant.equivalent.is_none() && why.is_none() {
                complaints.push(format!("{name} survives the {who}, and nothing says why: `survives_{who}`"));
            }
            if who == "hunts" && ran && !missed && trial.mutant.outside_hunts.is_some() {
                complaints.push(format!("{name} isn't `outside_hunts`: hunts find it"));
            }
            if ran && !missed && why.is_some() {
                complaints.push(format!("{name} doesn't survive the {who} any more: remove `survives_{who}`"));
            }
            if ran && !missed && trial.mutant.equivalent.is_some() {
                complaints.push(format!("{name} is said to be equivalent, but the {who} find it"));
            }
        }
    }
    complaints
}

/// The whole page.
pub fn page(trials: &[Trial<'_>], seeds: u64) -> String {
    let (tests, hunts) = shares(trials);
    let mut text = format!(
        "<!-- Made by `cargo xtask mutants`. Don't edit it by hand. -->\n\n\
         # Which planted bugs tests and hunts find\n\n\
         Each mutant is a small bug, planted by hand in a copy of the library: `mutants/*.toml` says what each one replaces. The tests are those of \
         `raft-core`, except the test of the trace hashes, which notices every change. A hunt plays seeds 0..{seeds} as `raftarium hunt` does by default, \
         a minute each, until one fails.\n\n\
         Mutants that nothing can tell from the original, and those that half of all seeds find within a virtual second, are not counted. Some can't \
         change anything in the world that hunts play (no server there lies, for example): only the tests are judged by these. They are listed below.\n\n\
         **Tests find {tests} (goal: {TESTS_GOAL} %). Hunts find {hunts}, of those that can matter in their world (goal: {HUNTS_GOAL} %); {all} of all.**\n\n",
        all = of_all(trials),
    );
    text += "| concern | mutants that count | found by tests | by hunts |\n| --- | --- | --- | --- |\n";
    for concern in CONCERNS {
        let of: Vec<Trial<'_>> = of_concern(trials, concern).cloned().collect();
        let (tests, hunts) = shares(&of);
        let _ = writeln!(text, "| {concern} | {} | {} | {} |", tests.of.max(hunts.of), tests.found, hunts.found);
    }
    for concern in CONCERNS {
        let _ = write!(
            text,
            "\n## {}\n\n| mutant | where | what it breaks | tests | hunts |\n| --- | --- | --- | --- | --- |\n",
            capital(concern)
        );
        for trial in of_concern(trials, concern).filter(|trial| trial.not_counted().is_none()) {
            let mutant = trial.mutant;
            let (tests, hunt) = (trial.tests.as_ref().map(tests_in_words), trial.hunt.as_ref().map(hunt_in_words));
            let hunt = hunt.or(mutant.outside_hunts.as_ref().map(|_| "outside".into()));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                mutant.name,
                places(mutant),
                cell(&mutant.what),
                cell(&tests.unwrap_or_default()),
                cell(&hunt.unwrap_or_default()),
            );
        }
    }
    text += "\n## What survives\n\n";
    let mut survivors = 0;
    for trial in trials.iter().filter(|trial| trial.not_counted().is_none()) {
        let both = [
            ("tests", trial.missed_by_tests(), &trial.mutant.survives_tests),
            ("hunts", trial.missed_by_hunts(), &trial.mutant.survives_hunts),
        ];
        for (who, _, why) in both.into_iter().filter(|(_, missed, _)| *missed) {
            let why = why.as_deref().unwrap_or("not explained yet");
            let _ = writeln!(text, "* **{}**, the {who}: {}", trial.mutant.name, cell(why));
            survivors += 1;
        }
    }
    if survivors == 0 {
        text += "Nothing.\n";
    }
    text += "\n## What can’t happen in the world of hunts\n\n";
    let mut outside = 0;
    for trial in trials.iter().filter(|trial| trial.not_counted().is_none()) {
        if let Some(why) = &trial.mutant.outside_hunts {
            let _ = writeln!(text, "* **{}**: {}", trial.mutant.name, cell(why));
            outside += 1;
        }
    }
    if outside == 0 {
        text += "Nothing.\n";
    }
    text += "\n## Not counted\n\n";
    let mut others = 0;
    for trial in trials {
        if let Some(why) = trial.not_counted() {
            let what = cell(&trial.mutant.what);
            let _ =
                writeln!(text, "* **{}** ({}): {what} It is {}", trial.mutant.name, places(trial.mutant), cell(&why));
            others += 1;
        }
    }
    if others == 0 {
        text += "None.\n";
    }
    text
}

fn of_concern<'t, 'm>(trials: &'t [Trial<'m>], concern: &'static str) -> impl Iterator<Item = &'t Trial<'m>> {
    trials.iter().filter(move |trial| trial.mutant.concern == concern)
}

/// The files that a mutant changes.
fn places(mutant: &Mutant) -> String {
    let mut files: Vec<String> = mutant.edits.iter().map(|edit| format!("`{}`", edit.file)).collect();
    files.dedup();
    files.join(", ")
}

/// The text in one line, with `|` escaped.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

fn tests_in_words(tests: &Tests) -> String {
    match tests {
        Tests::Passed => "**missed**".into(),
        Tests::Failed { program, test, how: How::Fails } => format!("{program}: {}", readable(test)),
        Tests::Failed { program, test, how } => format!("{program}: {} ({})", readable(test), how.in_words()),
    }
}

/// A test's name as a sentence.
fn readable(test: &str) -> String {
    let (path, name) = test.rsplit_once("::").unwrap_or(("", test));
    let name = name.replace('_', " ");
    if path.is_empty() { name } else { format!("{path}: {name}") }
}

fn hunt_in_words(hunt: &Hunt) -> String {
    match hunt {
        Hunt::Nothing => "**missed**".into(),
        Hunt::Found { property, seed, at, .. } => format!("{property}, seed {seed}, at {:.2} s", at.as_secs_f64()),
        Hunt::Broken(how) => format!("it {}", how.in_words()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::catalogue::{Edit, Form};
    use std::time::Duration;

    fn mutant(name: &str) -> Mutant {
        let edit = Edit {
            file: "raft/log.rs".into(),
            within: None,
            find: "a".into(),
            replace: "b".into(),
            form: Form::Expression,
        };
        Mutant {
            name: name.into(),
            what: "It breaks a | b.".into(),
            concern: "log".into(),
            edits: vec![edit],
            equivalent: None,
            survives_tests: None,
            survives_hunts: None,
            outside_hunts: None,
        }
    }

    fn found(too_easy: bool) -> Option<Hunt> {
        Some(Hunt::Found { property: "Log Matching".into(), seed: 7, at: Duration::from_millis(1_500), too_easy })
    }

    fn failed() -> Option<Tests> {
        Some(Tests::Failed { program: "paper".into(), test: "log::a_gap_is_refused".into(), how: How::Fails })
    }

    #[test]
    fn what_is_easy_or_equivalent_is_not_counted() {
        let (one, two, mut three) = (mutant("one"), mutant("two"), mutant("three"));
        three.equivalent = Some("it is the same".into());
        let trials = [
            Trial { mutant: &one, tests: failed(), hunt: Some(Hunt::Nothing) },
            Trial { mutant: &two, tests: failed(), hunt: found(true) },
            Trial { mutant: &three, tests: Some(Tests::Passed), hunt: Some(Hunt::Nothing) },
        ];
        let (tests, hunts) = shares(&trials);
        assert_eq!((tests, hunts), (Share { found: 1, of: 1 }, Share { found: 0, of: 1 }));
        let page = page(&trials, 2_000);
        assert!(page.contains("Tests find 1 of 1, 100 %"), "{page}");
        assert!(
            page.contains("| one | `raft/log.rs` | It breaks a \\| b. | paper: log: a gap is refused | **missed** |")
        );
        assert!(page.contains("* **two** (`raft/log.rs`): It breaks a \\| b. It is too easy"), "{page}");
        assert!(page.contains("It is equivalent: it is the same"), "{page}");
    }

    #[test]
    fn what_lies_outside_of_what_hunts_play_counts_for_tests_alone() {
        let (one, mut two) = (mutant("one"), mutant("two"));
        two.outside_hunts = Some("Nobody lies there.".into());
        let trials = [
            Trial { mutant: &one, tests: failed(), hunt: found(false) },
            Trial { mutant: &two, tests: failed(), hunt: None },
        ];
        let (tests, hunts) = shares(&trials);
        assert_eq!((tests, hunts), (Share { found: 2, of: 2 }, Share { found: 1, of: 1 }));
        assert_eq!(of_all(&trials), Share { found: 1, of: 2 });
        let page = page(&trials, 2_000);
        assert!(page.contains("* **two**: Nobody lies there."), "{page}");
        assert!(page.contains("1 of 2, 50 % of all"), "{page}");
        let sought = [Trial { mutant: &two, tests: failed(), hunt: found(false) }];
        assert!(complaints(&sought)[0].contains("isn't `outside_hunts`"), "{:?}", complaints(&sought));
    }

    #[test]
    fn a_survivor_is_explained_and_only_a_survivor() {
        let (mut one, two) = (mutant("one"), mutant("two"));
        one.survives_tests = Some("Nobody looks.".into());
        let trials = [
            Trial { mutant: &one, tests: failed(), hunt: found(false) },
            Trial { mutant: &two, tests: failed(), hunt: Some(Hunt::Nothing) },
        ];
        let complaints = complaints(&trials);
        assert_eq!(complaints.len(), 2);
        assert!(complaints[0].starts_with("one doesn't survive the tests any more"), "{complaints:?}");
        assert!(complaints[1].starts_with("two survives the hunts, and nothing says why"), "{complaints:?}");
        assert!(page(&trials, 9).contains("* **two**, the hunts: not explained yet"));
    }
}
