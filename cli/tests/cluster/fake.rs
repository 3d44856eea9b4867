//! A server that answers as a test says, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// A request as it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received {
    /// Method and path: `GET /kv/x`.
    pub line: String,
    /// Headers: name in lower case, and value.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers: status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Closes the connection without an answer.
    Close,
}

/// An answer of JSON.
pub fn answer(status: u16, document: &Value) -> Reply {
    Reply::Answer(status, vec![("content-type", "application/json".into())], document.to_string().into_bytes())
}

/// A problem, with more members of its document.
pub fn problem(status: u16, kind: &str, more: Value) -> Reply {
    let mut document = json!({
        "type": format!("urn:raftarium:problem:{kind}"),
        "title": "a title",
        "status": status,
        "detail": format!("the detail of {kind}"),
    });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Reply::Answer(status, vec![("content-type", "application/problem+json".into())], document.to_string().into_bytes())
}

/// The server. It ends when it is dropped.
pub struct Fake {
    pub address: String,
    received: Arc<Mutex<Vec<Received>>>,
    is_over: Arc<AtomicBool>,
}

impl Fake {
    /// One that answers the request of a number (from 0) as `reply` says.
    pub fn start(reply: impl Fn(usize, &Received) -> Reply + Send + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().unwrap().to_string();
        let (received, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (all, over) = (Arc::clone(&received), Arc::clone(&is_over));
        thread::spawn(move || {
            for connection in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut connection) = connection else { continue };
                let Some(request) = read(&connection) else { continue };
                let number = {
                    let mut all = all.lock().unwrap();
                    all.push(request.clone());
                    all.len() - 1
                };
                if let Reply::Answer(status, headers, body) = reply(number, &request) {
                    let mut head =
                        format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
                    for (name, value) in headers {
                        head += &format!("{name}: {value}\r\n");
                    }
                    let _ = connection.write_all(format!("{head}\r\n").as_bytes());
                    let _ = connection.write_all(&body);
                }
            }
        });
        Fake { address, received, is_over }
    }

    /// One that answers all requests alike.
    pub fn always(reply: Reply) -> Fake {
        Fake::start(move |_, _| reply.clone())
    }

    /// What it was asked so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Method and path of all requests so far.
    pub fn lines(&self) -> Vec<String> {
        self.received().into_iter().map(|request| request.line).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address);
    }
}

fn read(connection: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (first, _) = line.trim_end().rsplit_once(' ')?;
    let mut received = Received { line: first.to_owned(), ..Received::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        received.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    received.body = vec![0; length];
    reader.read_exact(&mut received.body).ok()?;
    Some(received)
}

/// An address where nobody listens: the port was free just now.
pub fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
