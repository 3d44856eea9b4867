//! The bridge between `raft-core` and the page: one handle, [`Run`], and the views it hands out.
//!
//! Nothing about Raft is decided here. Times cross the border as virtual microseconds in a
//! JavaScript number, a 64-bit seed and the trace hash as text, servers by their numbers. What a
//! view looks like stands in `view.d.ts`, which is part of the generated package's types.
//!
//! An error that a person can act on is thrown as a JavaScript `Error` with a sentence. A panic is
//! a bug of ours: it is written to the console and to the global `raftariumPanic`, and the module
//! is dead afterwards.
//!
//! One file a subject: playing and looking here, `settings` for what a run is built with, `travel`
//! for time and branches, `faults` for everything that can be done to a run, `reading` for what is
//! looked at closely, `verdict` for what clients were told, `sharing` for links and files.

mod faults;
mod messages;
mod reading;
mod settings;
mod sharing;
mod story;
mod travel;
mod verdict;
mod view;

use raft_core::check::Property;
use raft_core::raft::ServerId;
use raft_core::sim::timeline::{Acted, BranchError};
use raft_core::sim::{Action, Parameters, Scenario, ScenarioError, Timeline};
use raft_core::time::Time;
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[wasm_bindgen(typescript_custom_section)]
const VIEW_TYPES: &str = include_str!("../view.d.ts");

/// A cluster's run: its past, its present, and its other futures.
#[wasm_bindgen]
pub struct Run {
    timeline: Timeline,
    /// How often something else than playing on has changed what is shown.
    journeys: u64,
    /// Whether it came with a trace hash that it doesn't have here.
    differs: bool,
}

/// What can't be done, as a sentence for a person.
#[derive(Debug)]
struct Refusal(String);

impl From<Refusal> for JsValue {
    fn from(refusal: Refusal) -> JsValue {
        JsError::new(&refusal.0).into()
    }
}

impl From<ScenarioError> for Refusal {
    fn from(error: ScenarioError) -> Refusal {
        Refusal(error.to_string())
    }
}

impl From<BranchError> for Refusal {
    fn from(error: BranchError) -> Refusal {
        Refusal(error.to_string())
    }
}

#[wasm_bindgen(start)]
fn start() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.to_string();
        web_sys::console::error_1(&message.as_str().into());
        // After this the module is dead and can't be asked: the page finds the message here.
        let _ = js_sys::Reflect::set(&js_sys::global(), &"raftariumPanic".into(), &message.into());
    }));
}

#[wasm_bindgen]
impl Run {
    /// A run of a cluster of `servers` (1 to 9), from a seed: a whole number of up to 64 bits in
    /// decimal, or "" for a fresh one. The rules named in `without`, with commas between them, are
    /// switched off; `settings` are as the getter of that name gives them, or none for the usual
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

    /// The names of the properties that are checked after every event, a line each. The page hosts
    /// the store alone.
    pub fn properties() -> String {
        let names = Property::ALL.map(Property::name);
        raft_core::text::joined(&names[..Property::OF_EVERY_RUN], "\n")
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

    /// The world's clock, in microseconds.
    #[wasm_bindgen(getter)]
    pub fn now(&self) -> f64 {
        view::micros(self.world().now())
    }

    /// Plays every event up to `time` (microseconds) and lets the clock stand there; how many.
    /// Stops at a violation.
    #[wasm_bindgen(js_name = advanceTo)]
    pub fn advance_to(&mut self, time: f64) -> u32 {
        let played = self.timeline.play_until(moment(time));
        u32::try_from(played).unwrap_or(u32::MAX)
    }

    /// Plays the next event; false if there is none, for a violation has stopped the run.
    #[wasm_bindgen(js_name = stepEvent)]
    pub fn step_event(&mut self) -> bool {
        self.timeline.step()
    }

    /// The cluster and its messages as they are now.
    ///
    /// # Errors
    /// None in practice: only if the view couldn't be made into JavaScript values.
    #[wasm_bindgen(unchecked_return_type = "Packed<Frame>")]
    pub fn frame(&self) -> Result<JsValue, JsValue> {
        to_js(&view::frame(self.world(), self.standing()))
    }

    /// The part of every server's log from index `first` on, at most `count` entries each.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "LogView[]")]
    pub fn logs(&self, first: f64, count: u32) -> Result<JsValue, JsValue> {
        to_js(&view::logs(self.world(), first.max(1.0) as u64, count as usize))
    }

    /// What every server's store holds.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "StoreView[]")]
    pub fn stores(&self) -> Result<JsValue, JsValue> {
        to_js(&view::stores(self.world()))
    }

    /// The newest `limit` operations of all clients, oldest first.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "OperationView[]")]
    pub fn operations(&self, limit: u32) -> Result<JsValue, JsValue> {
        to_js(&view::operations(self.world(), limit as usize))
    }

    /// The newest `limit` sentences with a number above `after`, oldest first.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "StoryLine[]")]
    pub fn story(&mut self, after: f64, limit: u32) -> Result<JsValue, JsValue> {
        let told = self.timeline.story(after.max(0.0) as u64, limit as usize);
        to_js(&told.iter().map(story::line).collect::<Vec<_>>())
    }

    /// Folded from every event so far, as 16 hexadecimal digits: equal hashes, equal runs.
    #[wasm_bindgen(js_name = traceHash)]
    pub fn trace_hash(&self) -> String {
        format!("{:016x}", self.world().trace_hash())
    }
}

impl Run {
    #[cfg(test)]
    fn create(seed: &str, servers: u32, without: &str) -> Result<Run, Refusal> {
        Run::build(seed, servers, without, "")
    }

    fn build(seed: &str, servers: u32, without: &str, settings: &str) -> Result<Run, Refusal> {
        let seed = match seed.trim() {
            "" => getrandom::u64()
                .map_err(|error| Refusal(format!("no fresh seed could be drawn ({error}): give one")))?,
            text => text.parse().map_err(|_| {
                Refusal(format!(
                    "“{text}” is no seed: give a whole number from 0 to {}, or none for a fresh one",
                    u64::MAX
                ))
            })?,
        };
        let servers = u8::try_from(servers).unwrap_or(u8::MAX);
        let rules = settings::rules_without(without)?;
        let mut parameters = Parameters { servers, rules, ..Parameters::default() };
        settings::apply(settings, &mut parameters)?;
        Ok(Run::of(Timeline::new(Scenario { seed, parameters, actions: Vec::new() })?))
    }

    fn of(timeline: Timeline) -> Run {
        Run { timeline, journeys: 0, differs: false }
    }

    fn world(&self) -> &raft_core::sim::Simulation {
        self.timeline.world()
    }

    fn server(&self, number: u32) -> Result<ServerId, Refusal> {
        let server = u8::try_from(number).ok().and_then(ServerId::new);
        let server = server.filter(|server| self.world().machine(*server).is_some());
        server.ok_or_else(|| Refusal(format!("there is no S{number} in this cluster")))
    }

    fn act(&mut self, action: Action) -> Result<(), Refusal> {
        match self.timeline.act(action)? {
            Acted::Extended => Ok(()),
            Acted::Branched(_) => {
                self.journeys += 1;
                Ok(())
            }
            Acted::RunIsOver => {
                Err(Refusal("a violation has ended this run: go back on the tape to do something before it".into()))
            }
        }
    }

    fn standing(&self) -> view::Standing {
        let playing = self.timeline.playing();
        view::Standing {
            journeys: self.journeys,
            told: self.timeline.told(),
            branch: playing.id().0,
            branches: self.timeline.branches().len() as u32,
            end: playing.end().time,
        }
    }
}

/// A moment as the page counts; what lies before the beginning is the beginning.
fn moment(micros: f64) -> Time {
    Time::from_micros(micros.max(0.0) as u64)
}

fn to_js(view: &impl Serialize) -> Result<JsValue, JsValue> {
    Ok(view.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
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
    fn what_cannot_be_done_is_refused_in_a_sentence() {
        let mut run = Run::create("1", 3, "").unwrap();
        assert_eq!(run.server(0).unwrap_err().0, "there is no S0 in this cluster");
        assert_eq!(run.server(4).unwrap_err().0, "there is no S4 in this cluster");
        assert_eq!(run.enter("put x").unwrap_err().0, "put needs a key and a value: put x 1");
        assert_eq!(run.enter("put x 1").unwrap(), 1);
    }
}
