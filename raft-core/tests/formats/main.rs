//! Runs as links and files, and what comes of runs as logs: whatever is written is read again, and nothing else is.

#[cfg(feature = "serde")]
mod files;
#[cfg(feature = "serde")]
mod histories;
mod links;
#[cfg(feature = "serde")]
mod pairs;
mod runs;
#[cfg(feature = "serde")]
mod schema;
#[cfg(feature = "serde")]
mod traces;
