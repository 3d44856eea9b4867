//! Hunting: storms, one for each seed, are played and judged.

use raft_core::check::linearizable::WORK_DEFAULT;
use raft_core::format::Run;
use raft_core::raft::{Rule, Rules};
use raft_core::sim::{Profile, Simulation};
use raft_core::time::Duration;
use raft_core::trial::{self, Playing};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::found::FindingView;
use crate::js::{Bytes, Refusal, bytes_of, micros, to_js};

/// How often a trial looks up before it pauses: some hundredths of a second of work.
const LOOKS: u32 = 16;

/// See `TrialView` in `lab.d.ts`.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct TrialView {
    events: f64,
    played: f64,
    finding: Option<FindingView>,
    /// The run that ends with it.
    bytes: Option<Bytes>,
}

/// A hunt, and the trial that is under way in it.
#[wasm_bindgen]
pub struct Hunt {
    hunt: trial::Hunt,
    trial: Option<(Run, Playing)>,
}

#[wasm_bindgen]
impl Hunt {
    /// A hunt in clusters of so many servers (0: drawn from the seed), each run of so many virtual
    /// microseconds, with the faults of a profile, and without the rules that are named, with
    /// commas between them.
    ///
    /// # Errors
    /// A sentence, if there can't be such a hunt.
    #[wasm_bindgen(constructor)]
    pub fn new(servers: u8, length: f64, faults: &str, without: &str) -> Result<Hunt, JsValue> {
        Ok(Hunt::of(servers, length, faults, without)?)
    }

    /// Begins the trial of a seed.
    ///
    /// # Errors
    /// A sentence, if that is no seed.
    pub fn begin(&mut self, seed: &str) -> Result<(), JsValue> {
        Ok(self.begun(seed)?)
    }

    /// Plays on for some hundredths of a second. Nothing as long as the trial isn't over.
    ///
    /// # Errors
    /// A sentence, if no trial has begun, or a failing run can't be handed on.
    #[wasm_bindgen(js_name = playOn, unchecked_return_type = "TrialView | undefined")]
    pub fn play_on(&mut self) -> Result<JsValue, JsValue> {
        self.played_on()?.map_or(Ok(JsValue::UNDEFINED), |trial| to_js(&trial))
    }
}

impl Hunt {
    fn of(servers: u8, length: f64, faults: &str, without: &str) -> Result<Hunt, Refusal> {
        let named = |profile: &Profile| profile.name() == faults;
        let profile = Profile::ALL.into_iter().find(named).ok_or_else(|| {
            let names = Profile::ALL.map(Profile::name).join(", ");
            Refusal(format!("“{faults}” are no faults of a hunt: there are {names}"))
        })?;
        let mut rules = Rules::ALL;
        for name in without.split(',').filter(|name| !name.is_empty()) {
            let rule = Rule::named(name).ok_or_else(|| Refusal(format!("there is no rule “{name}”")))?;
            rules = rules.without(rule);
        }
        let length = Duration::from_micros(length.max(0.0) as u64);
        let hunt = trial::Hunt { servers: (servers > 0).then_some(servers), length, profile, rules, only_harm: false };
        hunt.check()?;
        Ok(Hunt { hunt, trial: None })
    }

    fn begun(&mut self, seed: &str) -> Result<(), Refusal> {
        let none = || Refusal(format!("“{seed}” is no seed: give a whole number from 0 to {}", u64::MAX));
        let run = self.hunt.run(seed.parse().map_err(|_| none())?)?;
        let playing = Playing::new(&run)?;
        self.trial = Some((run, playing));
        Ok(())
    }

    fn played_on(&mut self) -> Result<Option<TrialView>, Refusal> {
        let Some((mut run, mut playing)) = self.trial.take() else {
            return Err(Refusal("no trial has begun: give it a seed first".into()));
        };
        let mut looks = 0;
        let mut some = |_: &mut Simulation| {
            looks += 1;
            looks < LOOKS
        };
        if !playing.play(&mut some) {
            self.trial = Some((run, playing));
            return Ok(None);
        }
        let Some(played) = playing.judge(WORK_DEFAULT, &mut |_: &mut Simulation| true) else {
            unreachable!("nobody breaks it off")
        };
        let finding = played.finding.as_ref().map(FindingView::from);
        let bytes = played.finding.map(|finding| {
            finding.end(&mut run);
            bytes_of(&run)
        });
        let (events, now) = (played.world.events() as f64, micros(played.world.now()));
        Ok(Some(TrialView { events, played: now, finding, bytes: bytes.transpose()? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::js::run_of;

    fn tried(hunt: &mut Hunt, seed: u64) -> (TrialView, u32) {
        hunt.begun(&seed.to_string()).unwrap();
        for pauses in 0.. {
            if let Some(trial) = hunt.played_on().unwrap() {
                return (trial, pauses);
            }
        }
        unreachable!()
    }

    #[test]
    fn a_hunt_finds_what_a_hunt_of_the_library_finds() {
        let rule = Rule::VoteOncePerTerm;
        let mut hunt = Hunt::of(3, 20e6, "full", rule.name()).unwrap();
        let same = trial::Hunt {
            servers: Some(3),
            length: Duration::from_secs(20),
            profile: Profile::Full,
            rules: Rules::ALL.without(rule),
            only_harm: false,
        };
        let (mut found, mut most) = (0, 0);
        for seed in 0..20 {
            let (view, pauses) = tried(&mut hunt, seed);
            let mut run = same.run(seed).unwrap();
            let played = trial::play(&run).unwrap();
            assert_eq!(view.events, played.world.events() as f64, "seed {seed}");
            assert_eq!(view.finding, played.finding.as_ref().map(FindingView::from), "seed {seed}");
            if let Some(finding) = played.finding {
                found += 1;
                finding.end(&mut run);
                let again = run_of(&view.bytes.expect("a run").0).unwrap();
                assert_eq!(again, run);
                assert_eq!(trial::play(&again).unwrap().finding, Some(finding), "seed {seed}");
            }
            most = most.max(pauses);
        }
        assert!(found > 3, "only {found} were found");
        assert!(most > 0, "no trial paused");
    }

    #[test]
    fn a_hunt_that_cannot_be_is_refused_in_a_sentence() {
        let refused = |servers, length, faults, without| Hunt::of(servers, length, faults, without).err().unwrap().0;
        assert!(refused(10, 60e6, "full", "").starts_with("a hunt’s clusters have 1 to 9 servers, not 10"));
        assert!(refused(0, 5e6, "full", "").contains("has no storm"));
        assert!(refused(0, -1.0, "full", "").contains("has no storm"));
        assert!(refused(0, 60e6, "fire", "").starts_with("“fire” are no faults of a hunt: there are "));
        assert_eq!(refused(0, 60e6, "full", "be-kind"), "there is no rule “be-kind”");
        let mut hunt = Hunt::of(0, 60e6, "full", "").unwrap();
        assert!(hunt.played_on().unwrap_err().0.starts_with("no trial has begun"));
        assert!(hunt.begun("soon").unwrap_err().0.starts_with("“soon” is no seed"));
    }
}
