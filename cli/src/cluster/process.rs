//! Processes of servers: which one it is, whether it lives, and signals to it.
//!
//! A number alone doesn't name a process: the system gives it to another one later. So a process is
//! its number and when it began, and a signal goes only to a process for which both are right. On
//! Linux it goes through a descriptor of the process, so that the number can't change hands between
//! the look and the signal.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

/// How often a process that is to end is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A process that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it began, in a form of the system's own.
    pub began: String,
}

/// How a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It runs.
    Running,
    /// It stands still, by SIGSTOP.
    Paused,
    /// It is gone.
    Gone,
}

impl Process {
    /// The process that has this number now; none if there is none.
    pub fn of(pid: u32) -> Option<Process> {
        let pid = i32::try_from(pid).ok()?;
        let (began, _) = look(pid)?;
        Some(Process { pid, began })
    }

    /// The process that has this number now, if it has this file open; none if it hasn't, or if
    /// this user may not know.
    pub fn with_file(pid: u32, file: &Path) -> Option<Process> {
        let process = Process::of(pid)?;
        has_open(pid, file).then_some(process)
    }

    /// The file that a process has locked instead of this one, if it is known to have another: the
    /// file of another folder. A process that has just begun hasn't opened any yet, and one whose
    /// file was deleted still has that one.
    pub fn holds_another(&self, lock: &Path) -> Option<PathBuf> {
        another_lock(self.pid, lock)
    }

    /// How it is.
    pub fn condition(&self) -> Condition {
        match look(self.pid) {
            Some((began, condition)) if began == self.began => condition,
            _ => Condition::Gone,
        }
    }

    /// Whether it is there.
    pub fn is_alive(&self) -> bool {
        self.condition() != Condition::Gone
    }

    /// Sends a signal. Nothing happens if the process is gone.
    ///
    /// # Errors
    /// The system refuses.
    pub fn signal(&self, signal: Signal) -> std::io::Result<()> {
        // Other numbers mean groups of processes.
        let Some(pid) = (self.pid > 0).then(|| Pid::from_raw(self.pid)).flatten() else { return Ok(()) };
        #[cfg(target_os = "linux")]
        let sent = {
            use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
            match pidfd_open(pid, PidfdFlags::empty()) {
                Ok(descriptor) if self.is_alive() => pidfd_send_signal(descriptor, signal),
                Ok(_) => Ok(()),
                // An old system, or one that forbids it.
                Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) if self.is_alive() => {
                    rustix::process::kill_process(pid, signal)
                }
                Err(error) => Err(error),
            }
        };
        #[cfg(not(target_os = "linux"))]
        let sent = if self.is_alive() { rustix::process::kill_process(pid, signal) } else { Ok(()) };
        match sent {
            Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until it is gone. Returns whether it is.
    pub fn wait(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }
}

/// When the process began, and how it is. One that has ended and wasn't waited for counts as gone.
#[cfg(target_os = "linux")]
fn look(pid: i32) -> Option<(String, Condition)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything: what matters is behind the last one.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let condition = match *fields.first()? {
        "Z" | "X" | "x" => return None,
        "T" | "t" => Condition::Paused,
        _ => Condition::Running,
    };
    // In ticks since the system began, and so only one system's.
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some((format!("{} {}", boot.trim(), fields.get(19)?), condition))
}

/// When the process began, and how it is. One that has ended and wasn't waited for counts as gone.
#[cfg(not(target_os = "linux"))]
fn look(pid: i32) -> Option<(String, Condition)> {
    let output = std::process::Command::new("ps")
        .args(["-o", "state=,lstart=", "-p", &pid.to_string()])
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let (state, began) = line.trim().split_once(' ')?;
    let condition = match state.chars().next()? {
        'Z' => return None,
        'T' => Condition::Paused,
        _ => Condition::Running,
    };
    Some((began.trim().to_owned(), condition))
}

/// The file of this name that a process has open, if it has one and it is another one.
#[cfg(target_os = "linux")]
fn another_lock(pid: i32, lock: &Path) -> Option<PathBuf> {
    let own = u32::try_from(pid).ok()?;
    if has_open(own, lock) {
        return None;
    }
    let name = lock.file_name()?.to_str()?;
    let folder = lock.parent().and_then(|folder| std::path::absolute(folder).ok())?;
    // The folder may be gone; what is above it is as the system names it.
    let existing = folder.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    let place = existing.and_then(|(part, real)| Some(real.join(folder.strip_prefix(part).ok()?).join(name)));
    let mut another = None;
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten() {
        let Ok(open) = std::fs::read_link(entry.path()) else { continue };
        let text = open.to_string_lossy().into_owned();
        let (path, is_gone) = text.strip_suffix(" (deleted)").map_or((text.as_str(), false), |path| (path, true));
        let path = Path::new(path);
        if path.file_name().is_none_or(|found| found != name) {
            continue;
        }
        if is_gone && place.as_deref() == Some(path) {
            return None;
        }
        another = Some(path.to_owned());
    }
    another
}

/// The file that a process has locked instead of this one: what its command line says can't be told
/// from this.
#[cfg(not(target_os = "linux"))]
fn another_lock(_: i32, _: &Path) -> Option<PathBuf> {
    None
}

/// Whether a process has a file open.
#[cfg(target_os = "linux")]
fn has_open(pid: u32, file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    // Nothing is opened for the look: this process must not be found to have the file open.
    let identity = |path: &Path| {
        let found = std::fs::metadata(path).ok()?;
        found.is_file().then(|| (found.dev(), found.ino()))
    };
    let Some(wanted) = identity(file) else { return false };
    let Ok(open) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten().any(|entry| identity(&entry.path()) == Some(wanted))
}

/// Whether a process has a file open: whether it was started with the file's folder, that is.
#[cfg(not(target_os = "linux"))]
fn has_open(pid: u32, file: &Path) -> bool {
    let listed = std::process::Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    let Some(folder) = file.parent() else { return false };
    listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains(&*folder.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    /// A process that waits until its input ends, which it does with this value.
    struct Waiting(Child);

    impl Waiting {
        fn start() -> Waiting {
            Waiting(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat runs"))
        }
    }

    impl Drop for Waiting {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_signal_reaches_the_process_that_was_started() {
        let mut waiting = Waiting::start();
        let process = Process::of(waiting.0.id()).expect("it runs");
        assert!(process.is_alive());
        process.signal(Signal::STOP).unwrap();
        while process.condition() != Condition::Paused {
            std::thread::yield_now();
        }
        process.signal(Signal::CONT).unwrap();
        process.signal(Signal::TERM).unwrap();
        // It is gone as soon as it has ended, although nobody has waited for it.
        assert!(process.wait(Duration::from_secs(60)));
        assert!(waiting.0.try_wait().unwrap().is_some_and(|status| !status.success()));
    }

    /// The number of a process that is gone may be another one's by now.
    #[test]
    fn a_process_that_has_only_the_number_is_left_alone() {
        let mut waiting = Waiting::start();
        let stale = Process { began: "long ago".into(), ..Process::of(waiting.0.id()).unwrap() };
        assert!(!stale.is_alive());
        stale.signal(Signal::KILL).unwrap();
        assert!(stale.wait(Duration::ZERO));
        assert!(waiting.0.try_wait().unwrap().is_none(), "it still runs");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_is_known_by_a_file_that_it_has_open() {
        let folder = tempfile::tempdir().unwrap();
        let (held, other) = (folder.path().join("held"), folder.path().join("other"));
        std::fs::write(&other, "").unwrap();
        let open = std::fs::File::create(&held).unwrap();
        let own = std::process::id();
        assert_eq!(Process::with_file(own, &held), Process::of(own));
        assert_eq!(Process::with_file(own, &other), None);
        assert_eq!(Process::with_file(own, &folder.path().join("none")), None);
        drop(open);
        assert_eq!(Process::with_file(own, &held), None);
        assert_eq!(Process::with_file(u32::MAX, &held), None);
    }

    /// A copy of a folder says of processes what the folder said, and they aren't the copy's.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_that_holds_another_folder_s_lock_is_that_folder_s() {
        let folder = tempfile::tempdir().unwrap();
        let lock = |name: &str| folder.path().join(name).join("1/data/lock-of-this-test");
        for name in ["own", "copy"] {
            std::fs::create_dir_all(lock(name).parent().unwrap()).unwrap();
        }
        let process = Process::of(std::process::id()).unwrap();
        assert_eq!(process.holds_another(&lock("own")), None, "it has just begun");
        let open = std::fs::File::create(lock("own")).unwrap();
        std::fs::write(lock("copy"), "").unwrap();
        assert_eq!(process.holds_another(&lock("own")), None);
        let found = process.holds_another(&lock("copy")).unwrap();
        assert_eq!(found, lock("own").canonicalize().unwrap());
        // Whoever deletes a server's folder hasn't given it to another one.
        std::fs::remove_dir_all(folder.path().join("own/1/data")).unwrap();
        assert_eq!(process.holds_another(&lock("own")), None);
        assert!(process.holds_another(&lock("copy")).is_some());
        drop(open);
    }

    #[test]
    fn there_is_no_process_zero() {
        for pid in [0, -1] {
            let nobody = Process { pid, began: String::new() };
            assert!(!nobody.is_alive());
            nobody.signal(Signal::KILL).unwrap();
        }
        assert_eq!(Process::of(u32::MAX), None);
    }
}
