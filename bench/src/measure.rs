//! Measures contenders in turn.
//!
//! A [`Contest`] is one piece of work, and its contenders are the programs that do it, ours first.
//! All of them are measured once, then all of them again, and so on, so that other load on the
//! machine affects all of them alike. A sample is a figure per second of *CPU time* of the working
//! thread, so that waiting for a processor isn't counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result};
use cpu_time::{ProcessTime, ThreadTime};

/// One measurement of one contender.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// The result, in the contest's unit.
    pub figure: f64,
    /// Heap allocations for each unit of work, if they are counted.
    pub allocations: Option<f64>,
    /// Messages delivered for each unit of work, if they are counted.
    pub messages: Option<f64>,
}

/// A program or library that does the work.
pub struct Contender {
    pub name: &'static str,
    measure: Box<dyn FnMut() -> Result<Sample>>,
}

/// A piece of work, and its contenders.
pub struct Contest {
    /// The row of the table to which it belongs.
    pub row: &'static str,
    pub name: String,
    pub unit: &'static str,
    /// Whether lower figures are better.
    pub less_is_better: bool,
    /// Its position on the x axis of a curve.
    pub at: Option<u64>,
    pub contenders: Vec<Contender>,
}

/// The summary of all measurements of one contender.
#[derive(Clone, Debug)]
pub struct Summary {
    pub name: &'static str,
    pub median: f64,
    pub lowest: f64,
    pub highest: f64,
    pub allocations: Option<f64>,
    pub messages: Option<f64>,
}

/// A finished contest.
pub struct Outcome {
    pub row: &'static str,
    pub name: String,
    pub unit: &'static str,
    pub less_is_better: bool,
    pub at: Option<u64>,
    pub summaries: Vec<Summary>,
}

impl Contest {
    /// A contest in which more is better.
    pub fn new(row: &'static str, name: impl Into<String>, unit: &'static str) -> Contest {
        Contest { row, name: name.into(), unit, less_is_better: false, at: None, contenders: Vec::new() }
    }

    /// A contest in which less is better.
    pub fn less(row: &'static str, name: impl Into<String>, unit: &'static str) -> Contest {
        Contest { less_is_better: true, ..Contest::new(row, name, unit) }
    }

    /// Adds a contender.
    #[must_use]
    pub fn with(self, name: &'static str, mut measure: impl FnMut() -> Sample + 'static) -> Contest {
        self.with_fallible(name, move || Ok(measure()))
    }

    /// Adds a contender that can fail, such as another program.
    #[must_use]
    pub fn with_fallible(mut self, name: &'static str, measure: impl FnMut() -> Result<Sample> + 'static) -> Contest {
        self.contenders.push(Contender { name, measure: Box::new(measure) });
        self
    }
}

impl Outcome {
    /// The summary of that contender.
    pub fn of(&self, name: &str) -> Option<&Summary> {
        self.summaries.iter().find(|summary| summary.name == name)
    }

    /// Ours.
    pub fn ours(&self) -> &Summary {
        &self.summaries[0]
    }

    /// How many times better ours is than that one, by the medians.
    pub fn ratio(&self, peer: &Summary) -> f64 {
        let (ours, theirs) = (self.ours().median, peer.median);
        if self.less_is_better { theirs / ours } else { ours / theirs }
    }
}

/// For the terminal.
impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.row, self.name)?;
        for summary in &self.summaries {
            let Summary { name, allocations, messages, .. } = summary;
            let [median, lowest, highest] = [summary.median, summary.lowest, summary.highest].map(figure);
            write!(f, "\n  {name:<32}{median:>14} {} ({lowest} to {highest})", self.unit)?;
            if let Some(allocations) = allocations {
                write!(f, ", {allocations:.2} allocations each")?;
            }
            if let Some(messages) = messages {
                write!(f, ", {messages:.2} messages each")?;
            }
            if summary.name != self.ours().name {
                write!(f, ", ours is {:.2} times as good", self.ratio(summary))?;
            }
        }
        Ok(())
    }
}

/// A figure for people: three significant digits, and commas between thousands.
pub fn figure(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = value.abs().log10().floor() as i32;
    if digits < 3 {
        return format!("{value:.*}", (2 - digits).max(0) as usize);
    }
    let unit = 10_f64.powi(digits - 2);
    whole(((value / unit).round() * unit).round() as u64)
}

/// A whole number for people, with commas between thousands.
pub fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How often a point of a curve is measured: a slope over decades doesn't need more.
pub const POINT_REPETITIONS: usize = 3;

/// Measures every contender of every contest this many times (points of curves at most
/// [`POINT_REPETITIONS`] times), interleaved.
pub fn run(contests: Vec<Contest>, repetitions: usize) -> Result<Vec<Outcome>> {
    let mut contests = contests;
    let mut samples: Vec<Vec<Vec<Sample>>> =
        contests.iter().map(|contest| vec![Vec::new(); contest.contenders.len()]).collect();
    for repetition in 1..=repetitions {
        for (contest, samples) in contests.iter_mut().zip(&mut samples) {
            if contest.at.is_some() && repetition > POINT_REPETITIONS {
                continue;
            }
            eprintln!("{repetition}/{repetitions} {}", contest.name);
            for (contender, samples) in contest.contenders.iter_mut().zip(samples) {
                let sample = (contender.measure)().with_context(|| format!("{}: {}", contest.name, contender.name))?;
                samples.push(sample);
            }
        }
    }
    let outcomes = contests.into_iter().zip(samples).map(|(contest, samples)| {
        let names = contest.contenders.iter().map(|contender| contender.name);
        let summaries = names.zip(samples).map(|(name, samples)| summary(name, samples)).collect();
        let Contest { row, name, unit, less_is_better, at, .. } = contest;
        Outcome { row, name, unit, less_is_better, at, summaries }
    });
    Ok(outcomes.collect())
}

fn summary(name: &'static str, mut samples: Vec<Sample>) -> Summary {
    samples.sort_by(|a, b| a.figure.total_cmp(&b.figure));
    let middle = samples[samples.len() / 2];
    Summary {
        name,
        median: middle.figure,
        lowest: samples[0].figure,
        highest: samples[samples.len() - 1].figure,
        allocations: middle.allocations,
        messages: middle.messages,
    }
}

/// The cost of some work.
pub struct Cost {
    pub seconds: f64,
    pub allocations: u64,
}

/// Does some work on this thread, and returns this thread's CPU time.
pub fn cost_of(work: impl FnOnce()) -> Cost {
    let (allocations, start) = (allocations(), ThreadTime::now());
    work();
    Cost { seconds: in_seconds(start.elapsed()), allocations: self::allocations() - allocations }
}

/// The same for work that starts threads: the whole process's CPU time.
pub fn cost_in_threads(work: impl FnOnce()) -> Cost {
    let (allocations, start) = (allocations(), ProcessTime::now());
    work();
    Cost { seconds: in_seconds(start.elapsed()), allocations: self::allocations() - allocations }
}

/// The clocks' resolution is far below this minimum, which only prevents a division by zero.
fn in_seconds(time: Duration) -> f64 {
    time.as_secs_f64().max(1e-9)
}

// ---------------------------------------------------------------- allocations

/// The system's allocator, with a count of allocations.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

fn allocations() -> u64 {
    ALLOCATIONS.load(Relaxed)
}

#[allow(unsafe_code, reason = "an allocator can be counted only from within")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
