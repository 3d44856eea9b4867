//! `cargo xtask serve` serves the built page on this machine.

use crate::{package, sizes, tools};
use anyhow::{Context, Result, anyhow, ensure};
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::routing::get;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Where to listen; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub addr: SocketAddr,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
    /// Serve the page under this path, as some hosts do; the rest of the address answers 404
    #[arg(long, default_value = "/", value_parser = parse_base)]
    pub base: String,
    /// Serve dist/ as it is
    #[arg(long, conflicts_with = "debug")]
    pub no_build: bool,
    /// Build faster, with names in stack traces and source maps; the result is large
    #[arg(long)]
    pub debug: bool,
}

/// Builds the page unless told not to, and serves it until stopped.
pub fn run(options: &Options) -> Result<()> {
    // Listen first, so that a busy port is reported before a long build and not after it.
    let listener = listen(options.addr)?;
    let dist = tools::root().join("dist");
    if options.no_build {
        ensure!(dist.join("index.html").is_file(), "there is no page in dist/ yet; run `cargo xtask build` first");
    } else {
        let sizes = package::build(&package::Options { debug: options.debug, zip: false })?;
        for complaint in sizes::over_budget(&sizes).iter().filter(|_| !options.debug) {
            println!("Note: {complaint}.");
        }
    }
    let url = url(listener.local_addr()?, &options.base);
    println!("Raftarium is at {url} (Ctrl+C stops it).");
    if options.open {
        open::that_detached(&url).with_context(|| format!("cannot open a browser; the page is at {url}"))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, router(&dist, &options.base)).await
    })?;
    Ok(())
}

/// Serves the folder under `base`, and nothing elsewhere.
fn router(folder: &Path, base: &str) -> Router {
    let files = ServeDir::new(folder).precompressed_gzip();
    let router = match base {
        "/" => Router::new().fallback_service(files),
        _ => {
            let location = base.to_owned();
            let redirect = move || async move { (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]) };
            // Without its last slash, the page's relative addresses would lead elsewhere.
            Router::new().route(base.trim_end_matches('/'), get(redirect)).nest_service(base, files)
        }
    };
    router.layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
}

fn listen(addr: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(addr).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "something already listens on {addr}; choose another port with `--addr {}`, or any free one with `--addr {}`",
            SocketAddr::new(addr.ip(), addr.port().checked_add(1).unwrap_or(8080)),
            SocketAddr::new(addr.ip(), 0),
        ),
        _ => anyhow!(error).context(format!("cannot listen on {addr}")),
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The address of the page, for a browser.
fn url(mut addr: SocketAddr, base: &str) -> String {
    if addr.ip().is_unspecified() {
        addr.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    format!("http://{addr}{base}")
}

/// A path with a slash at both ends. Braces are refused, since axum would take them for
/// placeholders.
fn parse_base(text: &str) -> Result<String, String> {
    let path = text.trim_matches('/');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
    if path.is_empty() {
        Ok("/".into())
    } else if !path.chars().all(is_plain) || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        Err("use letters, digits, '-', '_', '.', '~' and single slashes, as in /some/sub/path/".into())
    } else {
        Ok(format!("/{path}/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    #[test]
    fn a_base_gets_a_slash_at_both_ends() {
        for (given, expected) in [("/", "/"), ("", "/"), ("a", "/a/"), ("/a/b", "/a/b/"), ("a.b/c-d/", "/a.b/c-d/")] {
            assert_eq!(parse_base(given).as_deref(), Ok(expected), "{given:?}");
        }
        for wrong in ["/a//b", "/../x", "/{a}", "/a b", "/a?b", "/a#b"] {
            assert!(parse_base(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_address_shown_can_be_visited() {
        assert_eq!(url("127.0.0.1:8080".parse().unwrap(), "/"), "http://127.0.0.1:8080/");
        assert_eq!(url("0.0.0.0:80".parse().unwrap(), "/a/"), "http://127.0.0.1:80/a/");
        assert_eq!(url("[::1]:81".parse().unwrap(), "/"), "http://[::1]:81/");
    }

    #[test]
    fn a_busy_port_names_the_way_out() {
        let first = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = first.local_addr().unwrap();
        let error = listen(addr).unwrap_err().to_string();
        assert!(error.contains("--addr 127.0.0.1:") && error.contains("`--addr 127.0.0.1:0`"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    /// The head and the body of the answer to a GET, from a server of its own.
    fn fetch(base: &str, path: &str) -> (String, String) {
        fetch_with(base, path, "")
    }

    /// The same, with a line more in the request.
    fn fetch_with(base: &str, path: &str, line: &str) -> (String, String) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("index.html", "the page"),
            ("main.js", "1"),
            ("a.wasm", "wasm"),
            ("style.css", "a{}"),
            ("main.js.gz", "short"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = listener.local_addr().unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\n{line}Connection: close\r\n\r\n");
        let client = std::thread::spawn(move || {
            let mut stream = TcpStream::connect(addr).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        let router = router(folder.path(), base);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let server = tokio::spawn(async move { axum::serve(listener, router).await });
            let answer = tokio::task::spawn_blocking(|| client.join().unwrap()).await.unwrap();
            server.abort();
            answer
        });
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), body.to_owned())
    }

    #[test]
    fn files_are_served_with_their_types_and_never_cached() {
        for (path, kind) in [
            ("/", "text/html"),
            ("/main.js", "text/javascript"),
            ("/a.wasm", "application/wasm"),
            ("/style.css", "text/css"),
        ] {
            let (head, _) = fetch("/", path);
            assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
            assert!(head.contains(&format!("content-type: {kind}")), "{path}: {head}");
            assert!(head.contains("cache-control: no-store"), "{path}: {head}");
        }
        assert!(fetch("/", "/none.js").0.starts_with("http/1.1 404"));
        assert!(!fetch("/", "/../Cargo.toml").0.starts_with("http/1.1 200"));
    }

    #[test]
    fn who_can_read_it_gets_the_compressed_file() {
        let (head, body) = fetch_with("/", "/main.js", "Accept-Encoding: gzip, br\r\n");
        assert!(head.contains("content-encoding: gzip") && head.contains("content-type: text/javascript"), "{head}");
        assert_eq!(body, "short");
        assert_eq!(fetch("/", "/main.js").1, "1");
        // There is no compressed one.
        assert_eq!(fetch_with("/", "/a.wasm", "Accept-Encoding: gzip\r\n").1, "wasm");
    }

    #[test]
    fn under_a_base_the_rest_of_the_address_is_empty() {
        assert_eq!(fetch("/some/path/", "/some/path/").1, "the page");
        assert!(fetch("/some/path/", "/some/path/main.js").0.starts_with("http/1.1 200"));
        let (head, _) = fetch("/some/path/", "/some/path");
        assert!(head.starts_with("http/1.1 308") && head.contains("location: /some/path/"), "{head}");
        for path in ["/", "/main.js", "/some/", "/some/pathmain.js"] {
            assert!(fetch("/some/path/", path).0.starts_with("http/1.1 404"), "{path}");
        }
    }
}
