//! The bridge between `raft-core` and the page: one handle, [`Run`], and the views it hands out. It
//! is the first of two modules, with all that a living cluster needs; files, logs, verdicts and
//! hunts are in the second (`lab/`).
//!
//! Nothing about Raft is decided here. Times cross the border as virtual microseconds in a
//! JavaScript number, a 64-bit seed and the trace hash as text, servers by their numbers. What a
//! view looks like stands in `view.d.ts`, which is part of the generated package's types.
//!
//! An error that a person can act on is thrown as a JavaScript `Error` with a sentence. A panic is
//! a bug of ours: it is written to the console and to the global `raftariumPanic`, and the module
//! is dead afterwards.
//!
//! There is one file for each subject. `run` has the handle itself: playing, and doing something to
//! the run. `settings` has what a run is built with, `view` what the page draws, `travel` time and
//! branches, `reading` what a person looks at closely, `story` the sentences, `sharing` links.
//! Below them all are `js`, how values and refusals cross the border, `json`, how views do, and
//! `start`, what happens when the module is loaded. No file uses something of a file that uses it
//! (a test of `xtask` holds that).

mod js;
mod json;
mod messages;
mod reading;
mod run;
mod settings;
mod sharing;
mod start;
mod story;
mod travel;
mod view;

pub use run::Run;
