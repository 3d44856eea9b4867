//! Processes of `raftarium node`, and a client of theirs.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use raft_core::check::linearizable::Request;
use serde_json::Value;
use tempfile::TempDir;

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a client waits for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(8);

/// A small generator, so that a seed gives the same choices again.
pub struct Luck(u64);

impl Luck {
    pub fn new(seed: u64) -> Luck {
        Luck(seed | 1)
    }

    /// A number below `limit` (xorshift64*).
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit.max(1)
    }
}

/// An answer of a server.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub json: Value,
}

pub struct Cluster {
    folder: TempDir,
    ports: Vec<(u16, u16)>,
    processes: Vec<Mutex<Option<Child>>>,
    agent: ureq::Agent,
}

impl Cluster {
    /// Founds a cluster of so many servers.
    pub fn start(count: u64) -> Cluster {
        let free: Vec<TcpListener> = (0..count * 2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = free.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let ports = ports.chunks(2).map(|pair| (pair[0], pair[1])).collect();
        drop(free);
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_MAX));
        let cluster = Cluster {
            folder: tempfile::tempdir().unwrap(),
            ports,
            processes: (0..count).map(|_| Mutex::new(None)).collect(),
            agent: config.build().into(),
        };
        for server in 0..count {
            cluster.restart(server);
        }
        cluster
    }

    pub fn count(&self) -> u64 {
        self.processes.len() as u64
    }

    /// Starts a server, on whatever its disk holds.
    pub fn restart(&self, server: u64) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_raftarium"));
        let number = server + 1;
        let data = self.folder.path().join(number.to_string());
        let (peer, http) = self.ports[server as usize];
        command.args(["node", "--id", &number.to_string(), "--cluster", "torture", "--found"]);
        command.arg("--data").arg(data);
        command.args(["--peer-listen", &format!("127.0.0.1:{peer}"), "--http-listen", &format!("127.0.0.1:{http}")]);
        for (place, (peer, http)) in self.ports.iter().enumerate() {
            command.args(["--member", &format!("{}=127.0.0.1:{peer}/127.0.0.1:{http}", place + 1)]);
        }
        command.args(["--log-level", "warn"]);
        let log = self.folder.path().join(format!("{number}.log"));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let former = self.processes[server as usize].lock().unwrap().replace(child);
        assert!(former.is_none(), "server {number} runs already");
    }

    /// Kills a server, without a word.
    pub fn kill(&self, server: u64) {
        let mut process = self.processes[server as usize].lock().unwrap();
        let mut child = process.take().expect("it runs");
        if let Some(status) = child.try_wait().unwrap() {
            let log = std::fs::read_to_string(self.folder.path().join(format!("{}.log", server + 1))).unwrap();
            panic!("server {} had ended by itself, with {status}:\n{log}", server + 1);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The server that leads, as far as the servers know.
    pub fn leader(&self) -> Option<u64> {
        (0..self.count()).find(|server| self.status(*server).is_some_and(|status| status["role"] == "leader"))
    }

    pub fn status(&self, server: u64) -> Option<Value> {
        let answer = self.get(&self.url(server, "/status"))?;
        (answer.status == 200).then_some(answer.json)
    }

    /// Waits until a server leads and says that it is ready.
    pub fn wait_until_one_leads(&self) {
        let until = Instant::now() + PATIENCE;
        loop {
            let leads = |server| {
                self.status(server).is_some_and(|status| status["role"] == "leader" && status["is_ready"] == true)
            };
            if (0..self.count()).any(leads) {
                return;
            }
            assert!(Instant::now() < until, "nobody leads within {} s: {}", PATIENCE.as_secs(), self.logs());
            thread::yield_now();
        }
    }

    /// Where clients reach a server.
    pub fn address(&self, server: u64) -> (&'static str, u16) {
        ("127.0.0.1", self.ports[server as usize].1)
    }

    /// Where its peers reach it.
    pub fn peer_address(&self, server: u64) -> (&'static str, u16) {
        ("127.0.0.1", self.ports[server as usize].0)
    }

    /// The most memory that a server has taken so far, in KiB.
    pub fn peak_memory(&self, server: u64) -> u64 {
        let id = self.processes[server as usize].lock().unwrap().as_ref().expect("it runs").id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn logs(&self) -> String {
        let log = |number: u64| std::fs::read_to_string(self.folder.path().join(format!("{number}.log")));
        (1..=self.count()).map(|number| format!("\n{number}: {}", log(number).unwrap_or_default())).collect()
    }

    fn url(&self, server: u64, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports[server as usize].1)
    }

    /// Makes a request. No answer means that the connection wasn't made, or broke.
    pub fn ask(&self, server: u64, key: &str, request: &Request<&str>, idempotency: Option<&str>) -> Option<Answer> {
        let url = self.url(server, &format!("/kv/{key}"));
        let write = |builder: ureq::http::request::Builder, body: &str| {
            let builder = match idempotency {
                Some(key) => builder.header("idempotency-key", key),
                None => builder,
            };
            answer(self.agent.run(builder.body(body.to_owned()).ok()?))
        };
        let method = |method| ureq::http::Request::builder().method(method).uri(&url);
        match *request {
            Request::Get => self.get(&url),
            Request::Put { value } => write(method("PUT"), value),
            Request::Delete => write(method("DELETE"), ""),
            Request::CompareAndSet { expected, new } => {
                let url = format!("{url}?expected={expected}");
                write(ureq::http::Request::builder().method("PUT").uri(url), new)
            }
        }
    }

    fn get(&self, url: &str) -> Option<Answer> {
        answer(self.agent.get(url).call())
    }

    /// Reads a key, however long it takes.
    pub fn ask_until_answered(&self, server: u64, key: &str) -> Answer {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.ask(server, key, &Request::Get, None) {
                Some(answer) if matches!(answer.status, 200 | 404) => return answer,
                answer => assert!(Instant::now() < until, "{key} can't be read: {answer:?} {}", self.logs()),
            }
        }
    }
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<Answer> {
    let mut response = response.ok()?;
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().ok()?;
    let json = serde_json::from_str(&text).unwrap_or_default();
    Some(Answer { status, text, json })
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in &self.processes {
            if let Ok(mut process) = process.lock()
                && let Some(mut child) = process.take()
            {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}
