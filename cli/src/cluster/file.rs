//! What a local cluster remembers of itself: `cluster.json` in its folder.
//!
//! ```text
//! DIR/cluster.json   the cluster's name, its servers, their ports and processes
//! DIR/cluster.json.copy   the same once more, in case the file is lost or damaged
//! DIR/lock           locked by a command that starts or stops processes or changes the file
//! DIR/secret         what the servers know each other by
//! DIR/N/data         the data folder of server N
//! DIR/N/log          what server N says; DIR/N/log.1 is what it said before
//! DIR/N/errors       its last words, if it failed
//! ```
//!
//! The file is replaced as a whole, so that a reader never sees half of it. What is in it isn't
//! believed if it is damaged, and the copy isn't taken in its place without a person's knowledge:
//! the sentence says how.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::advice::{self, word};
use super::process::Process;
use crate::Unusable;
use crate::output::named;

/// The folder of a cluster for which none is named.
pub const FOLDER: &str = "raftarium-data";

/// The version of the file's format.
const FORMAT: u32 = 1;

/// The file's name.
pub const NAME: &str = "cluster.json";

/// The copy's name.
const COPY: &str = "cluster.json.copy";

/// What either is called until it is whole.
const NEW: &str = "cluster.json.new";

/// What a cluster has in its folder besides its servers' folders.
pub const OWN_NAMES: [&str; 6] = ["lock", "secret", "secret.new", NAME, COPY, NEW];

/// The largest file that is read, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// A local cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The version of the format.
    pub format: u32,
    /// The cluster's name.
    pub cluster: String,
    /// Whether links may be disturbed, and servers crashed and paused.
    pub playground: bool,
    /// Its servers.
    pub servers: Vec<LocalServer>,
}

/// One server of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalServer {
    /// Its number.
    pub server: u8,
    /// Where its peers reach it.
    pub peer: String,
    /// Where clients reach it.
    pub http: String,
    /// Whether it has had a data folder. If the folder is gone then, the server has forgotten its
    /// votes, and must not found the cluster once more.
    pub has_begun: bool,
    /// The process that was started last.
    pub process: Option<Process>,
    /// How a command has ended that process, or is about to. None if it runs, or ended by itself.
    pub ending: Option<Ending>,
    /// A process that the file names, and that belongs to another folder: this one is a copy.
    #[serde(skip)]
    pub elsewhere: Option<Elsewhere>,
}

/// A process of another folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The process.
    pub process: Process,
    /// That cluster's folder.
    pub folder: PathBuf,
}

/// How a command ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// By SIGTERM.
    Stopped,
    /// By SIGKILL.
    Crashed,
}

impl State {
    /// A new cluster.
    pub fn new(cluster: String, servers: u8, first_port: u16) -> State {
        let server = |number: u8| {
            let port = first_port + u16::from(number) - 1;
            LocalServer {
                server: number,
                peer: format!("127.0.0.1:{}", port - super::PEER_PORT_DISTANCE),
                http: format!("127.0.0.1:{port}"),
                has_begun: false,
                process: None,
                ending: None,
                elsewhere: None,
            }
        };
        State { format: FORMAT, cluster, playground: false, servers: (1..=servers).map(server).collect() }
    }

    /// A cluster of these servers.
    ///
    /// # Errors
    /// It can't be one; why not.
    pub fn of(cluster: String, servers: Vec<LocalServer>) -> Result<State, String> {
        let state = State { format: FORMAT, cluster, playground: false, servers };
        state.check().map(|()| state)
    }

    /// A server of it.
    ///
    /// # Errors
    /// It has none of that number.
    pub fn server(&self, number: u8) -> Result<&LocalServer, Unusable> {
        self.servers.iter().find(|server| server.server == number).ok_or_else(|| {
            let all: Vec<_> = self.servers.iter().map(|server| format!("S{}", server.server)).collect();
            Unusable(format!("there is no S{number}: the cluster has {}", all.join(", ")))
        })
    }

    /// The same, to change it.
    ///
    /// # Errors
    /// It has none of that number.
    pub fn server_mut(&mut self, number: u8) -> Result<&mut LocalServer, Unusable> {
        self.server(number)?;
        Ok(self.servers.iter_mut().find(|server| server.server == number).expect("it was found just now"))
    }

    /// Finds servers that run, although the processes that are remembered are gone: the file is
    /// older than their start. Returns their numbers.
    pub fn find_running(&mut self, folder: &Path) -> Vec<u8> {
        let mut found = Vec::new();
        for server in self.servers.iter_mut().filter(|server| server.running().is_none()) {
            if let Some(process) = server.holder(folder) {
                (server.process, server.ending) = (Some(process), None);
                found.push(server.server);
            }
        }
        found
    }

    /// Takes away the processes that are another folder's: a process is the server's whose lock it
    /// has.
    fn disown(&mut self, folder: &Path) {
        for server in &mut self.servers {
            let lock = server.data(folder).join("lock");
            let Some(process) = server.running() else { continue };
            // A data folder may be put aside within the cluster's folder while its server runs.
            let is_aside = |other: &PathBuf| folder.canonicalize().is_ok_and(|folder| other.starts_with(folder));
            if let Some(other) = process.holds_another(&lock).filter(|other| !is_aside(other)) {
                let folder = other.ancestors().nth(3).unwrap_or(&other).to_owned();
                server.elsewhere = server.process.take().map(|process| Elsewhere { process, folder });
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        let numbers: BTreeSet<u8> = self.servers.iter().map(|server| server.server).collect();
        if self.servers.is_empty() || numbers.len() != self.servers.len() {
            return Err("its servers aren't one or more, each with a number of its own".into());
        }
        for server in &self.servers {
            for address in [&server.peer, &server.http] {
                if address.parse::<std::net::SocketAddrV4>().is_err() {
                    return Err(format!("{address:?} is no address"));
                }
            }
        }
        Ok(())
    }
}

impl LocalServer {
    /// Its folder.
    pub fn folder(&self, cluster: &Path) -> PathBuf {
        cluster.join(self.server.to_string())
    }

    /// Its data folder.
    pub fn data(&self, cluster: &Path) -> PathBuf {
        self.folder(cluster).join("data")
    }

    /// Its log.
    pub fn log(&self, cluster: &Path) -> PathBuf {
        self.folder(cluster).join("log")
    }

    /// Its last words.
    pub fn errors(&self, cluster: &Path) -> PathBuf {
        self.folder(cluster).join("errors")
    }

    /// What is in its data folder, at a look from outside.
    pub fn found_data(&self, cluster: &Path) -> Data {
        let folder = self.data(cluster);
        // What can't be looked at, or is in the way, is for the server to name.
        let names: Vec<_> = match fs::read_dir(&folder) {
            Ok(entries) => entries.flatten().map(|entry| entry.file_name()).collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Data::None,
            Err(_) => return Data::Whole,
        };
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        if has("folder.json") {
            Data::Whole
        } else if has("folder.json.new") || names.iter().all(|name| name == "lock" || name == "lost+found") {
            // A creation that ended early begins again; nothing was stored.
            Data::None
        } else {
            Data::Nameless
        }
    }

    /// The process that has its data folder locked, whoever has started it. The number stands in
    /// the lock, and may be an old one.
    fn holder(&self, cluster: &Path) -> Option<Process> {
        let lock = self.data(cluster).join("lock");
        let mut said = String::new();
        std::io::Read::read_to_string(&mut std::io::Read::take(File::open(&lock).ok()?, 20), &mut said).ok()?;
        Process::with_file(said.trim().parse().ok()?, &lock)
    }

    /// Its process, if it runs.
    pub fn running(&self) -> Option<&Process> {
        self.process.as_ref().filter(|process| process.is_alive())
    }
}

/// What a server's data folder is, at a look from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// It isn't there, or nothing is in it.
    None,
    /// It says whose it is.
    Whole,
    /// There is something in it, and the file is missing that says whose.
    Nameless,
}

/// Why there is no state of a cluster to be had from a file.
enum Unread {
    Damaged(String),
    /// It is fine, and yet can't be used.
    Other(Unusable),
}

/// Reads the file in a cluster's folder; none if there is none.
///
/// # Errors
/// It can't be read, is damaged or lost, or of a later version.
pub fn read(folder: &Path) -> Result<Option<State>, Unusable> {
    let path = folder.join(NAME);
    let copy = folder.join(COPY);
    let has_copy = || matches!(read_one(&copy), Ok(Some(_)));
    let restore = || {
        let servers = advice::command("cluster status", folder);
        format!("a copy is there: `cp {} {}` puts it in its place; then look at {servers}", word(&copy), word(&path))
    };
    match read_one(&path) {
        Ok(None) if !has_copy() => {
            let servers = server_folders(folder);
            if servers.is_empty() {
                return Ok(None);
            }
            Err(Unusable(format!(
                "{0} is the folder of a cluster: it holds the data of {1}. But {2}, which says what belongs to it, is \
                 gone, and {4}. {3}",
                named(folder),
                advice::names(servers),
                named(&path),
                without_file(folder),
                if copy.exists() { "its copy is damaged" } else { "so is its copy" },
            )))
        }
        Ok(None) => Err(Unusable(format!("{} is gone, but {}", named(&path), restore()))),
        Ok(Some(mut state)) => {
            if let Some(other) = owner(folder).filter(|other| *other != state.cluster) {
                return Err(Unusable(format!(
                    "{} is of the cluster {}, and the data in {} are of the cluster {}: another cluster's file is in \
                     its place. {}",
                    named(&path),
                    shown(&state.cluster),
                    named(folder),
                    shown(&other),
                    without_file(folder)
                )));
            }
            state.disown(folder);
            Ok(Some(state))
        }
        Err(Unread::Other(unusable)) => Err(unusable),
        Err(Unread::Damaged(why)) if has_copy() => {
            Err(Unusable(format!("{} is damaged: {why}; {}", named(&path), restore())))
        }
        Err(Unread::Damaged(why)) => {
            let fate = if copy.exists() { "and so is its copy" } else { "and its copy is gone" };
            Err(Unusable(format!("{} is damaged: {why}; {fate}. {}", named(&path), without_file(folder))))
        }
    }
}

/// What to do if there is neither the file nor its copy.
fn without_file(folder: &Path) -> String {
    format!(
        "The servers' own data, in {0}/N/data, is not in this file, and stays: {1} writes the file anew by what is \
         there. Or put {0}/{NAME} back from a backup: an old one will do, since servers that run are found by their \
         folders",
        named(folder),
        advice::command("cluster rebuild", folder)
    )
}

/// The servers that have a data folder there, by number.
pub fn server_folders(folder: &Path) -> Vec<u8> {
    let has_data = |number: &u8| data_of(folder, *number).is_dir();
    (1..=u8::MAX).filter(has_data).collect()
}

/// A name that may come from anybody, in a sentence.
fn shown(name: &str) -> String {
    crate::text::escaped(name, crate::text::NAME_MAX)
}

/// The name of the cluster that a data folder belongs to, as it says itself; none if it doesn't.
pub fn owner_of(data: &Path) -> Option<String> {
    let document: serde_json::Value = serde_json::from_slice(&small(&data.join("folder.json"))?).ok()?;
    document["cluster"].as_str().map(str::to_owned)
}

/// A file's content, if it can be read and isn't large.
pub fn small(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(File::open(path).ok()?, BYTES_MAX), &mut bytes).ok()?;
    Some(bytes)
}

/// The one cluster that all data in a folder belong to, as far as they say; none if they don't, or
/// contradict each other.
fn owner(folder: &Path) -> Option<String> {
    let names = server_folders(folder).into_iter().filter_map(|number| owner_of(&data_of(folder, number)));
    let names: BTreeSet<String> = names.collect();
    if names.len() == 1 { names.into_iter().next() } else { None }
}

/// The copy of the file, if it is whole.
pub fn read_copy(folder: &Path) -> Option<State> {
    read_one(&folder.join(COPY)).ok().flatten()
}

/// The place of a server's data folder in a cluster's folder.
pub fn data_of(folder: &Path, number: u8) -> PathBuf {
    folder.join(number.to_string()).join("data")
}

/// Whether the file in a folder is one of a later version, or can't be read for now: it mustn't be
/// written anew then.
///
/// # Errors
/// Why not.
pub fn may_be_replaced(folder: &Path) -> Result<(), Unusable> {
    match read_one(&folder.join(NAME)) {
        Err(Unread::Other(unusable)) => Err(unusable),
        _ => Ok(()),
    }
}

/// Reads one of the two files.
fn read_one(path: &Path) -> Result<Option<State>, Unread> {
    let shown = named(path);
    let unreadable =
        |error: std::io::Error| Unread::Other(Unusable(format!("{shown} can't be read: {error}; mend that first")));
    let bytes = match File::open(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        Ok(file) => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::Read::take(file, BYTES_MAX), &mut bytes).map_err(unreadable)?;
            bytes
        }
    };
    let document: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| Unread::Damaged(error.to_string()))?;
    match document["format"].as_u64() {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => {
            return Err(Unread::Other(Unusable(format!(
                "{shown} has format {format}, and this version of Raftarium reads {FORMAT}: \
                 use the version that the cluster was made with, or another folder (--data)"
            ))));
        }
        None => return Err(Unread::Damaged("it doesn't say its format".into())),
    }
    let state: State = serde_json::from_value(document).map_err(|error| Unread::Damaged(error.to_string()))?;
    state.check().map_err(Unread::Damaged)?;
    Ok(Some(state))
}

/// The folder of a local cluster while a command changes it: nobody else does meanwhile.
#[derive(Debug)]
pub struct Locked {
    folder: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits until no other command changes the cluster. The folder must exist.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn take(folder: &Path) -> Result<Locked, Unusable> {
        let path = folder.join("lock");
        let take = || loop {
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            file.lock()?;
            // A first start that failed has removed it meanwhile: a lock on what nobody else can
            // find keeps nobody out.
            let held = same_file::Handle::from_file(file.try_clone()?)?;
            if same_file::Handle::from_path(&path).is_ok_and(|there| there == held) {
                return std::io::Result::Ok(file);
            }
        };
        let lock = take().map_err(|error| Unusable(format!("{} can't be written: {error}", named(&path))))?;
        Ok(Locked { folder: folder.to_owned(), _lock: lock })
    }

    /// Removes all that a first start has made: the folders of these servers, and the cluster's own
    /// files. Nothing may run any more, and nothing may have been in the folder before.
    pub fn remove_all(&self, servers: &[LocalServer]) {
        // What can't be removed is found by the next start, which then says so.
        for server in servers {
            let _ = fs::remove_dir_all(server.folder(&self.folder));
        }
        for name in OWN_NAMES {
            let _ = fs::remove_file(self.folder.join(name));
        }
    }

    /// Replaces the file. Servers that have a data folder by now are noted.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, state: &mut State) -> Result<(), Unusable> {
        for server in &mut state.servers {
            server.has_begun |= server.data(&self.folder).join("folder.json").exists();
        }
        let new = self.folder.join(NEW);
        for name in [COPY, NAME] {
            let path = self.folder.join(name);
            let write = || {
                let mut file = File::create(&new)?;
                serde_json::to_writer_pretty(&mut file, state)?;
                file.write_all(b"\n")?;
                file.sync_all()?;
                fs::rename(&new, &path)?;
                File::open(&self.folder)?.sync_all()
            };
            write().map_err(|error| Unusable(format!("{} can't be written: {error}", named(&path))))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        let mut state = State::new("local-1".into(), 3, 8_101);
        state.server_mut(2).unwrap().has_begun = true;
        Locked::take(folder.path()).unwrap().write(&mut state).unwrap();
        assert_eq!(read(folder.path()).unwrap().as_ref(), Some(&state));
        assert_eq!(state.server(3).unwrap().peer, "127.0.0.1:7103");
        assert!(state.server(4).unwrap_err().0.contains("the cluster has S1, S2, S3"));
    }

    #[test]
    fn what_is_no_cluster_s_file_is_refused_in_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        for (text, why) in [
            (r#"{"format": 2}"#, "has format 2, and this version"),
            (r"{}", "doesn't say its format"),
            ("", "is damaged: EOF"),
            (r#"{"format":1,"cluster":"x","playground":false,"servers":[]}"#, "aren't one or more"),
            (
                r#"{"format":1,"cluster":"x","playground":false,"servers":[{"server":1,"peer":"x","http":"y",
                    "has_begun":false,"process":null,"ending":null}]}"#,
                "is no address",
            ),
        ] {
            fs::write(folder.path().join("cluster.json"), text).unwrap();
            let error = read(folder.path()).unwrap_err().0;
            assert!(error.contains(why), "{error}");
        }
    }
}
