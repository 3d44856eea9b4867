//! What takes long, or is needed seldom. The page loads it when something asks for it, in a worker
//! of its own (`www/lab/`). It becomes two modules: the lab, with the feature `trials`, is built
//! for speed; the one with the feature `lessons` is built to be small.
//!
//! A run comes and goes as the bytes within a link ([`raft_core::format::link`]), which the first
//! module (`web/`) makes and reads. Whatever stands in a file, a log or a verdict is read, written
//! and said by `raft-core`; nothing is decided here.
//!
//! There is one file for each subject: `files` reads and writes scenario files, `logs` writes what
//! happened, `verdict` says whether clients were told the truth, `hunt` plays storms, `shrinking`
//! makes a failing run small, and `lessons` judges tasks. Work of any length is done in pieces, so
//! that the worker can answer something else in between, or stop. Below them all are `js`, how
//! values and refusals cross the border, `found`, what is wrong with a run, and `start`, what
//! happens when the module is loaded.
//!
//! As in the first module, times are virtual microseconds in a JavaScript number, a 64-bit seed is
//! text, and an error that a person can act on is thrown as a JavaScript `Error` with a sentence.
//! After a panic the module is dead: the worker says so, and is begun anew.

#[cfg(feature = "trials")]
mod files;
#[cfg(feature = "trials")]
mod found;
#[cfg(feature = "trials")]
mod hunt;
mod js;
#[cfg(feature = "lessons")]
mod lessons;
#[cfg(feature = "trials")]
mod logs;
#[cfg(feature = "trials")]
mod shrinking;
mod start;
#[cfg(feature = "trials")]
mod verdict;

#[cfg(feature = "trials")]
pub use files::{check_size, read_file, write_file};
#[cfg(feature = "trials")]
pub use hunt::Hunt;
#[cfg(feature = "lessons")]
pub use lessons::Lessons;
#[cfg(feature = "trials")]
pub use logs::{history, shiviz, trace};
#[cfg(feature = "trials")]
pub use shrinking::Shrinking;
#[cfg(feature = "trials")]
pub use verdict::Judge;
