//! The page's second module: what takes long, or is needed seldom. It is loaded when something asks
//! for it, runs in a worker of its own (`www/lab/`), and is built for speed.
//!
//! A run comes and goes as the bytes within a link ([`raft_core::format::link`]), which the first
//! module (`web/`) makes and reads. Whatever stands in a file, a log or a verdict is read, written
//! and said by `raft-core`; nothing is decided here.
//!
//! There is one file for each subject: `files` reads and writes scenario files, `logs` writes what
//! happened, `verdict` says whether clients were told the truth, `hunt` plays storms, and
//! `shrinking` makes a failing run small. Work of any length is done in pieces, so that the worker
//! can answer something else in between, or stop. Below them all are `js`, how values and refusals
//! cross the border, `found`, what is wrong with a run, and `start`, what happens when the module
//! is loaded.
//!
//! As in the first module, times are virtual microseconds in a JavaScript number, a 64-bit seed is
//! text, and an error that a person can act on is thrown as a JavaScript `Error` with a sentence.
//! After a panic the module is dead: the worker says so, and is begun anew.

mod files;
mod found;
mod hunt;
mod js;
mod logs;
mod shrinking;
mod start;
mod verdict;

pub use files::{check_size, read_file, write_file};
pub use hunt::Hunt;
pub use logs::{history, shiviz, trace};
pub use shrinking::Shrinking;
pub use verdict::Judge;
