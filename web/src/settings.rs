//! What a run is built with: its seed, servers, rules, timing and clients.

use raft_core::raft::{Rule, Rules};
use raft_core::sim::{Parameters, Scenario, Timeline};
use raft_core::text::joined;
use raft_core::time::Duration;
use wasm_bindgen::prelude::*;

use crate::js::PageError;
use crate::run::Run;

/// How many numbers [`Run::settings`] has.
const COUNT: usize = 8;

#[wasm_bindgen]
impl Run {
    /// A run of a cluster of `servers` (1 to 9). The seed is a whole number of up to 64 bits in
    /// decimal, or "" for a fresh one. `without` names the rules that are switched off, with commas
    /// between them. `settings` are as the getter of that name gives them, or none for the usual
    /// ones.
    ///
    /// # Errors
    /// A sentence, where the seed is no such number, there can't be so many servers, there is no
    /// such rule, or the settings make no run.
    #[wasm_bindgen(constructor)]
    pub fn new(seed: &str, servers: u32, without: Option<String>, settings: Option<String>) -> Result<Run, JsValue> {
        let text = |given: Option<String>| given.unwrap_or_default();
        Ok(Run::build(seed, servers, &text(without), &text(settings))?)
    }

    /// The seed, in decimal.
    #[wasm_bindgen(getter)]
    pub fn seed(&self) -> String {
        self.world().scenario().seed.to_string()
    }

    /// How many servers there are.
    #[wasm_bindgen(getter)]
    pub fn servers(&self) -> u32 {
        self.world().machines().len() as u32
    }

    /// The names of the rules that are switched off, with commas between them.
    #[wasm_bindgen(getter)]
    pub fn without(&self) -> String {
        let off = self.world().scenario().parameters.rules.switched_off().map(Rule::name);
        joined(&off.collect::<Vec<_>>(), ",")
    }

    /// Whole numbers with commas between them. In microseconds: the shortest and the longest
    /// election timeout, and the heartbeat interval. As 1 or 0: whether servers ask before they
    /// campaign (pre-vote), and whether leaders that hear no quorum step down (check-quorum). After
    /// how many entries a server takes a snapshot (0: never). How many clients there are besides
    /// the person at the command line, and how long each pauses between two commands, on average,
    /// in microseconds.
    #[wasm_bindgen(getter)]
    pub fn settings(&self) -> String {
        text(&self.world().scenario().parameters)
    }

    /// The settings of a run that was given none.
    #[wasm_bindgen(js_name = usualSettings)]
    pub fn usual_settings() -> String {
        text(&Parameters::default())
    }
}

impl Run {
    #[cfg(test)]
    pub(crate) fn create(seed: &str, servers: u32, without: &str) -> Result<Run, PageError> {
        Run::build(seed, servers, without, "")
    }

    fn build(seed: &str, servers: u32, without: &str, settings: &str) -> Result<Run, PageError> {
        let seed = match seed.trim() {
            "" => getrandom::u64().map_err(|_| PageError("no fresh seed could be drawn here: give one".into()))?,
            text => text.parse().map_err(|_| {
                PageError(format!(
                    "“{text}” is no seed: give a whole number from 0 to {}, or none for a fresh one",
                    u64::MAX
                ))
            })?,
        };
        let servers = u8::try_from(servers).unwrap_or(u8::MAX);
        let rules = rules_without(without)?;
        let mut parameters = Parameters { servers, rules, ..Parameters::default() };
        apply(settings, &mut parameters)?;
        Ok(Run::of(Timeline::new(Scenario { seed, parameters, actions: Vec::new() })?))
    }
}

fn text(parameters: &Parameters) -> String {
    joined(&numbers(parameters).map(|number| number.to_string()), ",")
}

fn numbers(parameters: &Parameters) -> [u64; COUNT] {
    let (timing, clients) = (&parameters.timing, &parameters.clients);
    [
        timing.election_timeout_min.as_micros(),
        timing.election_timeout_max.as_micros(),
        timing.heartbeat_interval.as_micros(),
        u64::from(timing.pre_vote),
        u64::from(timing.check_quorum),
        timing.snapshot_after_entries,
        u64::from(clients.count),
        clients.think_time.as_micros(),
    ]
}

/// All rules but those named, with commas between them.
fn rules_without(names: &str) -> Result<Rules, PageError> {
    let mut rules = Rules::ALL;
    for name in names.split(',').filter(|name| !name.is_empty()) {
        let rule = Rule::named(name).ok_or_else(|| PageError(format!("there is no rule “{name}”")))?;
        rules = rules.without(rule);
    }
    Ok(rules)
}

/// Sets the parameters that [`Run::settings`] lists; an empty text leaves the defaults.
fn apply(settings: &str, parameters: &mut Parameters) -> Result<(), PageError> {
    if settings.is_empty() {
        return Ok(());
    }
    let given: Option<Vec<u64>> = settings.split(',').map(|text| text.parse().ok()).collect();
    let given = given.unwrap_or_default();
    let [election_min, election_max, heartbeat, pre_vote, check_quorum, snapshot, clients, think_time] = given[..]
    else {
        return Err(PageError(format!(
            "“{settings}” are no settings: those are {COUNT} whole numbers with commas between them"
        )));
    };
    let timing = &mut parameters.timing;
    timing.election_timeout_min = Duration::from_micros(election_min);
    timing.election_timeout_max = Duration::from_micros(election_max);
    timing.heartbeat_interval = Duration::from_micros(heartbeat);
    timing.pre_vote = pre_vote > 0;
    timing.check_quorum = check_quorum > 0;
    timing.snapshot_after_entries = snapshot;
    parameters.clients.count = u8::try_from(clients).unwrap_or(u8::MAX);
    parameters.clients.think_time = Duration::from_micros(think_time);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_number_of_64_bits_or_fresh() {
        assert_eq!(Run::create(" 18446744073709551615 ", 5, "").unwrap().seed(), "18446744073709551615");
        assert_ne!(Run::create("", 5, "").unwrap().seed(), Run::create("", 5, "").unwrap().seed());
        for bad in ["x", "-1", "1.5", "18446744073709551616"] {
            let refusal = Run::create(bad, 5, "").err().unwrap().0;
            assert!(refusal.starts_with(&format!("“{bad}” is no seed")), "{refusal}");
        }
    }

    #[test]
    fn a_cluster_has_one_to_nine_servers() {
        for bad in [0, 10, 256, u32::MAX] {
            let refusal = Run::create("1", bad, "").err().unwrap().0;
            assert!(refusal.starts_with("a cluster has 1 to 9 servers"), "{refusal}");
        }
        assert_eq!(Run::create("1", 9, "").unwrap().servers(), 9);
    }

    #[test]
    fn rules_are_switched_off_by_name() {
        let run = Run::create("1", 3, "vote-once-per-term,commit-by-majority").unwrap();
        assert_eq!(run.without(), "vote-once-per-term,commit-by-majority");
        assert_eq!(Run::create("1", 3, "be-kind").err().unwrap().0, "there is no rule “be-kind”");
    }

    #[test]
    fn settings_are_the_numbers_of_a_run() {
        let usual = Run::usual_settings();
        assert_eq!(usual, "150000,300000,50000,1,1,4096,1,250000");
        assert_eq!(Run::create("1", 3, "").unwrap().settings(), usual);
        assert_eq!(Run::build("1", 3, "", &usual).unwrap().settings(), usual);
        let other = "400000,900000,100000,0,0,0,3,9000";
        let run = Run::build("1", 3, "", other).unwrap();
        assert_eq!(run.settings(), other);
        let parameters = &run.world().scenario().parameters;
        assert_eq!(parameters.timing.heartbeat_interval, Duration::from_millis(100));
        assert!(!parameters.timing.pre_vote && !parameters.timing.check_quorum);
        assert_eq!((parameters.clients.count, parameters.timing.snapshot_after_entries), (3, 0));
    }

    #[test]
    fn settings_that_make_no_run_are_refused() {
        for bad in ["1", "x", "1,2,3,4,5,6,7,x", "1,2,3,4,5,6,7,8,9", "-1,2,3,4,5,6,7,8"] {
            let refusal = Run::build("1", 3, "", bad).err().unwrap().0;
            assert!(refusal.starts_with(&format!("“{bad}” are no settings")), "{refusal}");
        }
        let refusal = Run::build("1", 3, "", "150000,300000,150000,1,1,0,1,1").err().unwrap().0;
        assert!(refusal.contains("followers campaign against a living leader"), "{refusal}");
    }
}
