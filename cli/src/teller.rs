//! What a replay prints and writes while it plays: the story and the logs. It keeps nothing that
//! has been printed, so that a long run needs little memory.

use std::time::Instant;

use indicatif::ProgressBar;
use raft_core::format::recording::{BYTES_ALL, Recorder};
use raft_core::format::{history, shiviz, trace};
use raft_core::raft::Weight;
use raft_core::sim::{Listening, News, Simulation};
use raft_core::time::Time;
use raft_core::trial::{Finding, Watcher};

use crate::interrupt::Interrupt;
use crate::output::{BOLD, DIM, Log, PLAIN, roughly};
use crate::replay::Options;
use crate::text::{SENTENCE_MAX, Text, shortened};
use crate::{Unusable, output};

/// Watches a run while it is played.
pub struct Teller<'a> {
    interrupt: &'a Interrupt,
    bar: ProgressBar,
    until: Time,
    began: Instant,
    /// Whether the story goes to the standard output: no log and no JSON does, and somebody still
    /// reads it.
    tells: bool,
    /// Whether all news is printed.
    all: bool,
    /// Whether the end goes to the standard error, because a log has the standard output.
    aside: bool,
    trace: Option<(Log, trace::Recorder)>,
    history: Option<Log>,
    /// Up to when the history has been written.
    written: Time,
    shiviz: Option<(Log, shiviz::Recorder)>,
    recording: Option<(Log, Recorder)>,
    /// The news that the recording has heard already, and that are still to be told.
    heard: Vec<News>,
    trouble: Option<Unusable>,
}

impl Teller<'_> {
    /// Creates all files at once, so that one that can't be written is reported at the beginning.
    pub fn new<'a>(options: &Options, interrupt: &'a Interrupt, until: Time) -> Result<Teller<'a>, Unusable> {
        let logs = [&options.trace, &options.history, &options.shiviz, &options.recording];
        let aside = logs.into_iter().flatten().any(|path| output::is_standard(path));
        let [trace, history, shiviz, recording] = logs.map(|path| path.as_deref().map(Log::create).transpose());
        Ok(Teller {
            interrupt,
            bar: output::progress(until.as_micros(), "{wide_bar}  {msg}  {eta} left"),
            until,
            began: Instant::now(),
            tells: !aside && !options.json,
            all: options.all,
            aside,
            trace: trace?.map(|log| (log, trace::Recorder::new())),
            history: history?,
            written: Time::ZERO,
            shiviz: shiviz?.map(|log| (log, shiviz::Recorder::new())),
            recording: recording?.map(|log| (log, Recorder::default())),
            heard: Vec::new(),
            trouble: None,
        })
    }

    /// Call this before anything is played.
    pub fn begin(&mut self, world: &mut Simulation) -> Result<(), Unusable> {
        world.listen(if self.shiviz.is_some() || self.recording.is_some() || self.trace.is_some() {
            Listening::Messages
        } else if self.tells {
            Listening::News
        } else {
            Listening::Off
        });
        let Some((log, recorder)) = &mut self.recording else { return Ok(()) };
        let by = concat!("raftarium ", env!("CARGO_PKG_VERSION"), " replay");
        let (begun, header) = Recorder::begin(world, by);
        *recorder = begun;
        log.write(&Text::of_json(&(header.line() + "\n")))
    }

    /// Call this when everything has been played.
    pub fn end(&mut self, world: &mut Simulation) -> Result<(), Unusable> {
        if let Some(trouble) = self.trouble.take() {
            self.clear();
            return Err(trouble);
        }
        self.tell(world, Time::NEVER)?;
        world.listen(Listening::Off);
        let trace = self.trace.as_mut().map(|(log, _)| log);
        let shiviz = self.shiviz.as_mut().map(|(log, _)| log);
        let recording = self.recording.as_mut().map(|(log, _)| log);
        for log in [trace, self.history.as_mut(), shiviz, recording].into_iter().flatten() {
            log.finish()?;
        }
        if let Some((log, _)) = &self.shiviz {
            let words = format!("ShiViz reads {} with the expression {}", log.name(), shiviz::EXPRESSION);
            self.bar.suspend(|| output::remark(words));
        }
        Ok(())
    }

    /// Writes what was found wrong with the run as the last line of the trace and of the recording.
    pub fn conclude(&mut self, finding: &Finding) -> Result<(), Unusable> {
        if let Some((log, recorder)) = &mut self.recording {
            recorder.conclude(&finding.found(), &finding.to_string());
            log.write(&lines_of(recorder))?;
            log.finish()?;
        }
        let Some((log, _)) = &mut self.trace else { return Ok(()) };
        let line = trace::last_line(&finding.found(), &finding.to_string()) + "\n";
        log.write(&Text::of_json(&line))?;
        log.finish()
    }

    /// Prints a part of the story.
    pub fn print(&mut self, text: &Text) -> Result<(), Unusable> {
        if self.tells && !text.as_str().is_empty() {
            self.tells = self.bar.suspend(|| output::print(text))?;
        }
        Ok(())
    }

    /// Prints how the story ends.
    pub fn print_end(&mut self, text: &Text) -> Result<(), Unusable> {
        if self.aside {
            output::print_aside(text);
        }
        self.print(text)
    }

    /// Shows how far it has come.
    pub fn show_progress(&self, now: Time) {
        let length = |time: Time| time.since(Time::ZERO);
        let times = length(now).as_micros() as f64 / 1e6 / self.began.elapsed().as_secs_f64().max(0.001);
        let (played, whole) = (roughly(length(now)), roughly(length(self.until)));
        self.bar.set_message(format!("{played} of {whole}, {times:.0}× real time"));
        self.bar.set_position(length(now).min(length(self.until)).as_micros());
    }

    /// Removes the progress bar from the terminal.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Prints and writes the news, and the history before a moment.
    fn tell(&mut self, world: &mut Simulation, before: Time) -> Result<(), Unusable> {
        self.see(world);
        let mut news = std::mem::take(&mut self.heard);
        news.append(&mut world.take_news());
        if let Some((log, recorder)) = &mut self.recording {
            log.write(&lines_of(recorder))?;
        }
        if let Some((log, recorder)) = &mut self.shiviz {
            news.iter().for_each(|news| recorder.hear(news));
            log.write(&Text::of_lines(&recorder.take_text()))?;
        }
        news.retain(|news| !news.is_of_traffic());
        if let Some((log, recorder)) = &mut self.trace {
            log.write(&Text::of_json(&recorder.take_text()))?;
        }
        if let Some(log) = &mut self.history {
            log.write(&Text::of_json(&history::write_part(world.operations(), self.written, before)))?;
            self.written = before;
        }
        if self.tells {
            self.print(&story(&news, self.all))?;
        }
        Ok(())
    }
}

impl Watcher for Teller<'_> {
    fn look(&mut self, world: &mut Simulation) -> bool {
        let now = world.now();
        self.trouble = self.tell(world, now).err();
        self.show_progress(now);
        self.trouble.is_none() && !self.interrupt.came()
    }

    fn see(&mut self, world: &mut Simulation) {
        if self.recording.is_none() && self.trace.is_none() {
            return;
        }
        let mut news = world.take_news();
        if let Some((_, recorder)) = &mut self.recording {
            recorder.hear(world, &news);
        }
        if let Some((_, recorder)) = &mut self.trace {
            recorder.hear(world, &news);
        }
        // Traffic is for the recorders only.
        if self.shiviz.is_none() {
            news.retain(|news| !news.is_of_traffic());
        }
        self.heard.append(&mut news);
    }
}

/// What has been recorded since the last time.
fn lines_of(recorder: &mut Recorder) -> Text {
    Text::of_json(&recorder.take().iter().map(|recorded| recorded.line(BYTES_ALL) + "\n").collect::<String>())
}

fn story(news: &[News], all: bool) -> Text {
    let mut text = Text::new();
    for news in news {
        let style = match news.weight() {
            Weight::Detail if !all => continue,
            Weight::Detail => DIM,
            Weight::Notable => PLAIN,
            Weight::Turning => BOLD,
        };
        let sentence = news.sentence();
        text.styled(DIM, format_args!("{:>12}", news.at.to_string())).add("  ");
        text.styled(style, shortened(&sentence.text, SENTENCE_MAX));
        if !sentence.section.is_empty() {
            text.styled(DIM, format_args!(" [{}]", sentence.section));
        }
        text.end_line();
    }
    text
}

/// How many lines of a note are shown.
const NOTE_LINES_MAX: usize = 12;

/// A run's note, and an empty line after it. Its further lines begin with a bar, so that nobody
/// takes them for the story.
pub fn quoted(note: &str) -> Text {
    let mut text = Text::new();
    let lines: Vec<&str> = note.trim_end().lines().collect();
    for (place, line) in lines.iter().take(NOTE_LINES_MAX).enumerate() {
        text.add(if place == 0 { "" } else { "| " }).styled(BOLD, shortened(line, SENTENCE_MAX)).end_line();
    }
    if lines.len() > NOTE_LINES_MAX {
        text.line(format_args!("| and {} lines more", lines.len() - NOTE_LINES_MAX));
    }
    if !lines.is_empty() {
        text.end_line();
    }
    text
}
