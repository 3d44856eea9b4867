//! The bridge between `raft-core` and the page: one handle, [`Run`], and the views it hands out.
//!
//! Nothing about Raft is decided here. Times cross the border as virtual microseconds in a JavaScript number, a 64-bit seed and
//! the trace hash as text, servers by their numbers. What a view looks like stands in `view.d.ts`, which is part of the
//! generated package's types.
//!
//! An error that a person can act on is thrown as a JavaScript `Error` with a sentence. A panic is a bug of ours: it is
//! written to the console and to the global `raftariumPanic`, and the module is dead afterwards.

mod story;
mod view;

use raft_core::raft::ServerId;
use raft_core::sim::{Action, Scenario, ScenarioError, Simulation, Target};
use raft_core::time::Time;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use story::Story;

#[wasm_bindgen(typescript_custom_section)]
const VIEW_TYPES: &str = include_str!("../view.d.ts");

/// A cluster's run, played forward a stretch or an event at a time.
#[wasm_bindgen]
pub struct Run {
    world: Simulation,
    story: Story,
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
    /// A run of a cluster of `servers` (1 to 9), from a seed: a whole number of up to 64 bits in decimal, or "" for a
    /// fresh one.
    ///
    /// # Errors
    /// A sentence, where the seed is no such number or there can't be so many servers.
    #[wasm_bindgen(constructor)]
    pub fn new(seed: &str, servers: u32) -> Result<Run, JsValue> {
        Ok(Run::create(seed, servers)?)
    }

    /// The seed, in decimal.
    #[wasm_bindgen(getter)]
    pub fn seed(&self) -> String {
        self.world.scenario().seed.to_string()
    }

    /// How many servers there are.
    #[wasm_bindgen(getter)]
    pub fn servers(&self) -> u32 {
        self.world.machines().len() as u32
    }

    /// The world's clock, in microseconds.
    #[wasm_bindgen(getter)]
    pub fn now(&self) -> f64 {
        view::micros(self.world.now())
    }

    /// Plays every event up to `time` (microseconds) and lets the clock stand there; how many. Stops at a violation.
    #[wasm_bindgen(js_name = advanceTo)]
    pub fn advance_to(&mut self, time: f64) -> u32 {
        let played = self.world.run_until(Time::from_micros(time.max(0.0) as u64));
        self.hear();
        u32::try_from(played).unwrap_or(u32::MAX)
    }

    /// Plays the next event; false if there is none, for a violation has stopped the run.
    #[wasm_bindgen(js_name = stepEvent)]
    pub fn step_event(&mut self) -> bool {
        let played = self.world.step();
        self.hear();
        played
    }

    /// The cluster and its messages as they are now.
    ///
    /// # Errors
    /// None in practice: only if the view couldn't be made into JavaScript values.
    #[wasm_bindgen(unchecked_return_type = "Frame")]
    pub fn frame(&self) -> Result<JsValue, JsValue> {
        to_js(&view::frame(&self.world, self.story.told()))
    }

    /// The part of every server's log from index `first` on, at most `count` entries each.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "LogView[]")]
    pub fn logs(&self, first: f64, count: u32) -> Result<JsValue, JsValue> {
        to_js(&view::logs(&self.world, first.max(1.0) as u64, count as usize))
    }

    /// What every server's store holds.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "StoreView[]")]
    pub fn stores(&self) -> Result<JsValue, JsValue> {
        to_js(&view::stores(&self.world))
    }

    /// The newest `limit` operations of all clients, oldest first.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "OperationView[]")]
    pub fn operations(&self, limit: u32) -> Result<JsValue, JsValue> {
        to_js(&view::operations(&self.world, limit as usize))
    }

    /// The newest `limit` sentences with a number above `after`, oldest first.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "StoryLine[]")]
    pub fn story(&self, after: f64, limit: u32) -> Result<JsValue, JsValue> {
        to_js(&self.story.lines(after.max(0.0) as u64, limit as usize))
    }

    /// A server loses power.
    ///
    /// # Errors
    /// A sentence, if there is no such server.
    pub fn crash(&mut self, server: u32) -> Result<(), JsValue> {
        Ok(self.act(Action::Crash(Target::Server(self.server(server)?)))?)
    }

    /// A crashed server starts again.
    ///
    /// # Errors
    /// A sentence, if there is no such server.
    pub fn restart(&mut self, server: u32) -> Result<(), JsValue> {
        Ok(self.act(Action::Restart(self.server(server)?))?)
    }

    /// Cuts a link in one direction.
    ///
    /// # Errors
    /// A sentence, if there is no such link.
    pub fn cut(&mut self, from: u32, to: u32) -> Result<(), JsValue> {
        Ok(self.act(Action::Cut { from: self.server(from)?, to: self.server(to)? })?)
    }

    /// Heals a link in one direction.
    ///
    /// # Errors
    /// A sentence, if there is no such link.
    pub fn heal(&mut self, from: u32, to: u32) -> Result<(), JsValue> {
        Ok(self.act(Action::Heal { from: self.server(from)?, to: self.server(to)? })?)
    }

    /// Heals every link.
    ///
    /// # Errors
    /// None.
    #[wasm_bindgen(js_name = healAll)]
    pub fn heal_all(&mut self) -> Result<(), JsValue> {
        Ok(self.act(Action::HealAll)?)
    }

    /// Splits the network: servers reach each other only within their group.
    ///
    /// # Errors
    /// A sentence, if there isn't one group number for each server.
    pub fn partition(&mut self, groups: &[u8]) -> Result<(), JsValue> {
        Ok(self.act(Action::Partition(groups.to_vec()))?)
    }

    /// Enters a command as the person at the command line; the operation's number.
    ///
    /// # Errors
    /// A sentence, if the line can't be read.
    pub fn submit(&mut self, line: &str) -> Result<u32, JsValue> {
        Ok(self.enter(line)?)
    }

    /// Folded from every event so far, as 16 hexadecimal digits: equal hashes, equal runs.
    #[wasm_bindgen(js_name = traceHash)]
    pub fn trace_hash(&self) -> String {
        format!("{:016x}", self.world.trace_hash())
    }
}

impl Run {
    fn create(seed: &str, servers: u32) -> Result<Run, Refusal> {
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
        let mut world = Simulation::new(Scenario::new(seed, u8::try_from(servers).unwrap_or(u8::MAX)))?;
        world.listen(true);
        Ok(Run { world, story: Story::default() })
    }

    fn server(&self, number: u32) -> Result<ServerId, Refusal> {
        let server = u8::try_from(number).ok().and_then(ServerId::new);
        server.ok_or_else(|| Refusal(format!("there is no S{number} in this cluster")))
    }

    fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.world.act(action)?;
        self.hear();
        Ok(())
    }

    fn enter(&mut self, line: &str) -> Result<u32, Refusal> {
        self.act(Action::Submit(line.to_owned()))?;
        Ok(self.world.operations().next_back().map_or(0, |operation| operation.number))
    }

    fn hear(&mut self) {
        self.story.tell(self.world.take_news());
    }
}

fn to_js(view: &impl Serialize) -> Result<JsValue, JsValue> {
    Ok(view.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_number_of_64_bits_or_fresh() {
        assert_eq!(Run::create(" 18446744073709551615 ", 5).unwrap().seed(), "18446744073709551615");
        assert_ne!(Run::create("", 5).unwrap().seed(), Run::create("", 5).unwrap().seed());
        for bad in ["x", "-1", "1.5", "18446744073709551616"] {
            let refusal = Run::create(bad, 5).err().unwrap().0;
            assert!(refusal.starts_with(&format!("“{bad}” is no seed")), "{refusal}");
        }
    }

    #[test]
    fn a_cluster_has_one_to_nine_servers() {
        for bad in [0, 10, 256, u32::MAX] {
            let refusal = Run::create("1", bad).err().unwrap().0;
            assert!(refusal.starts_with("a cluster has 1 to 9 servers"), "{refusal}");
        }
        assert_eq!(Run::create("1", 9).unwrap().servers(), 9);
    }

    #[test]
    fn what_cannot_be_done_is_refused_in_a_sentence() {
        let mut run = Run::create("1", 3).unwrap();
        assert_eq!(run.server(0).unwrap_err().0, "there is no S0 in this cluster");
        assert_eq!(run.act(Action::Restart(run.server(4).unwrap())).unwrap_err().0, "there is no S4 in this cluster");
        assert_eq!(run.enter("put x").unwrap_err().0, "put needs a key and a value: put x 1");
        assert_eq!(run.enter("put x 1").unwrap(), 1);
    }
}
