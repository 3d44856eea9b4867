//! Who may ask for what: tokens in files.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use http::uri::Authority;
use http::{HeaderMap, Uri, Version, header};
use subtle::ConstantTimeEq;

use super::problem::{Kind, Problem};

/// The shortest token, in bytes.
pub const TOKEN_BYTES_MIN: usize = 16;

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Anyone may ask.
    Nothing,
    /// A client, or an administrator.
    Client,
    /// An administrator.
    Administrator,
}

/// Whose token a request was found to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// None was asked for.
    Anyone,
    /// A client's.
    Client,
    /// An administrator's.
    Administrator,
}

impl Bearer {
    const ALL: [Bearer; 3] = [Bearer::Anyone, Bearer::Client, Bearer::Administrator];

    /// Its name, as servers tell each other.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Bearer::Anyone => "anyone",
            Bearer::Client => "client",
            Bearer::Administrator => "administrator",
        }
    }

    pub(super) fn named(name: &str) -> Option<Bearer> {
        Bearer::ALL.into_iter().find(|bearer| bearer.name() == name)
    }
}

/// The tokens of clients and administrators. A file may hold several tokens, one a line, so that
/// one can be replaced by another without a moment at which neither is taken.
#[derive(Clone, Default)]
pub struct Access {
    client: Tokens,
    administrator: Tokens,
}

#[derive(Clone, Default)]
struct Tokens {
    path: Option<PathBuf>,
    tokens: Arc<RwLock<Vec<String>>>,
}

/// A token's file that can't be used; the sentence names it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AccessError(String);

impl Access {
    /// Reads the files. Without a file for administrators, a client's token is enough for them,
    /// too; without any file, everybody may ask for everything.
    ///
    /// # Errors
    /// A file that can't be read, or has no token that is long enough.
    pub fn read(client: Option<&Path>, administrator: Option<&Path>) -> Result<Access, AccessError> {
        let access = Access { client: Tokens::at(client), administrator: Tokens::at(administrator) };
        match access.reload().into_iter().next() {
            None => Ok(access),
            Some(error) => Err(error),
        }
    }

    /// Reads the files again, each for itself. Returns those that can't be used: their tokens stay
    /// as they were.
    #[must_use]
    pub fn reload(&self) -> Vec<AccessError> {
        let renewed = [&self.client, &self.administrator].map(|tokens| tokens.file().map(|new| tokens.set(new)));
        for doubt in self.doubts() {
            tracing::warn!("{doubt}");
        }
        renewed.into_iter().filter_map(Result::err).collect()
    }

    /// What may not be meant so, in sentences.
    fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        for path in [&self.client, &self.administrator].into_iter().filter_map(|tokens| tokens.path.as_ref()) {
            let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
            if mode & 0o077 != 0 {
                doubts.push(format!(
                    "other users have access to the token's file {} (its mode is {mode:03o}); allow the owner alone: \
                     chmod 600",
                    path.display()
                ));
            }
        }
        if let (Some(client), Some(administrator)) = (&self.client.path, &self.administrator.path)
            && self.client.all().iter().any(|token| self.administrator.has(token))
        {
            doubts.push(format!(
                "a token of {}, for clients, stands in {}, too: whoever has it is an administrator",
                client.display(),
                administrator.display()
            ));
        }
        doubts
    }

    /// Whether requests need tokens at all.
    pub fn is_open(&self) -> bool {
        self.client.path.is_none() && self.administrator.path.is_none()
    }

    /// Whose token a request needs that needs this.
    fn needed(&self, need: Need) -> Bearer {
        match need {
            Need::Administrator if self.administrator.path.is_some() => Bearer::Administrator,
            Need::Client | Need::Administrator if self.client.path.is_some() => Bearer::Client,
            Need::Nothing | Need::Client | Need::Administrator => Bearer::Anyone,
        }
    }

    /// Lets a request pass that has what it needs, and says what was found.
    ///
    /// # Errors
    /// The response that says what is missing.
    pub fn check(&self, need: Need, headers: &HeaderMap) -> Result<Bearer, Problem> {
        let needed = self.needed(need);
        let text = super::header(headers, header::AUTHORIZATION.as_str())?;
        if needed == Bearer::Anyone {
            return Ok(Bearer::Anyone);
        }
        // The scheme's name is in any case (RFC 9110 §11.1).
        let token =
            text.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else {
            return Err(Problem::new(Kind::Unauthorized, "send the header `Authorization: Bearer TOKEN`"));
        };
        let token = token.trim();
        // Both are looked at in any case, so that the time says nothing.
        let (is_client, is_administrator) = (self.client.has(token), self.administrator.has(token));
        let bearer = match (is_administrator, is_client) {
            (true, _) => Bearer::Administrator,
            (false, true) => Bearer::Client,
            (false, false) => return Err(Problem::new(Kind::Unauthorized, "this token isn't known here")),
        };
        self.admit(need, bearer)
    }

    /// Lets a request pass whose token was looked at by another server.
    ///
    /// # Errors
    /// The response that says what is missing.
    pub(super) fn admit(&self, need: Need, bearer: Bearer) -> Result<Bearer, Problem> {
        match (self.needed(need), bearer) {
            (Bearer::Anyone, _) | (_, Bearer::Administrator) | (Bearer::Client, Bearer::Client) => Ok(bearer),
            (Bearer::Administrator, Bearer::Client) => {
                let why = "this token is a client's, and this needs an administrator's: send one of those in the \
                           file that the servers have as --admin-token-file";
                Err(Problem::new(Kind::Forbidden, why))
            }
            (Bearer::Client | Bearer::Administrator, Bearer::Anyone) => {
                let why = "the server that hands the request on asked for no token, and this one does: give all \
                           servers of a cluster the same files of tokens";
                Err(Problem::new(Kind::Unauthorized, why))
            }
        }
    }
}

/// For whom a request is: empty if it doesn't say so, which only HTTP/1.0 may. A request is refused
/// that doesn't say it once (RFC 9112 §3.2), or says two things: something in between may have
/// judged it by another name than this server does.
///
/// # Errors
/// The response that says what is wrong.
pub fn check_host<'a>(version: Version, uri: &'a Uri, headers: &'a HeaderMap) -> Result<&'a str, Problem> {
    let wrong = |why: &str| Err(Problem::new(Kind::BadRequest, why));
    match (super::header(headers, header::HOST.as_str())?, uri.authority().map(Authority::as_str)) {
        (None, _) if version == Version::HTTP_11 => wrong("the header Host is missing"),
        (Some(""), _) => wrong("the header Host is empty"),
        (Some(host), Some(authority)) if !authority.eq_ignore_ascii_case(host) => {
            wrong("the header Host names another server than the address does")
        }
        (host, authority) => Ok(authority.or(host).unwrap_or_default()),
    }
}

/// Keeps pages of other sites out, which a browser on this machine may have open: they can make
/// simple requests to any address, and have names of their own point to this machine.
///
/// # Errors
/// The response that says what is wrong.
pub fn check_origin(is_open: bool, reads: bool, host: &str, headers: &HeaderMap) -> Result<(), Problem> {
    let origin = super::header(headers, header::ORIGIN.as_str())?;
    let origin = origin.map(|origin| origin.split_once("://").map_or(origin, |(_, rest)| rest));
    if !reads && origin.is_some_and(|origin| origin != host) {
        return Err(Problem::new(Kind::ForeignOrigin, "the header Origin names another site than this server"));
    }
    // Whoever knows a token was let in by its owner, under whatever name.
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_ok();
    if is_open && !host.is_empty() && !is_address && !name.eq_ignore_ascii_case("localhost") {
        let why = "a server without tokens answers to its address and to localhost, not to other names";
        return Err(Problem::new(Kind::ForeignOrigin, why));
    }
    Ok(())
}

impl Tokens {
    fn at(path: Option<&Path>) -> Tokens {
        Tokens { path: path.map(Path::to_owned), tokens: Arc::default() }
    }

    fn file(&self) -> Result<Vec<String>, AccessError> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        let shown = path.display();
        let text = crate::plain_file::read(path)
            .and_then(|text| String::from_utf8(text).map_err(|_| std::io::Error::other("it isn't UTF-8")))
            .map_err(|error| AccessError(format!("the token's file {shown} can't be read: {error}")))?;
        let tokens: Vec<String> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if tokens.is_empty() {
            return Err(AccessError(format!("the token's file {shown} holds no token")));
        }
        if tokens.iter().any(|token| token.len() < TOKEN_BYTES_MIN) {
            return Err(AccessError(format!(
                "a token in {shown} is too short: {TOKEN_BYTES_MIN} characters are the fewest, \
                 as from `openssl rand -hex 16`"
            )));
        }
        // What else is in a file can't be seen in many editors.
        let unfit = |c: &char| !matches!(c, ' '..='~');
        if let Some(unfit) = tokens.iter().flat_map(|token| token.chars()).find(unfit) {
            return Err(AccessError(format!(
                "a token in {shown} has the character U+{:04X}, which no header can hold: write tokens in ASCII, as \
                 from `openssl rand -hex 16`, and the file without a byte order mark (U+FEFF)",
                u32::from(unfit)
            )));
        }
        Ok(tokens)
    }

    fn set(&self, tokens: Vec<String>) {
        *self.tokens.write().unwrap_or_else(std::sync::PoisonError::into_inner) = tokens;
    }

    fn all(&self) -> Vec<String> {
        self.tokens.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn has(&self, token: &str) -> bool {
        let tokens = self.tokens.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        tokens.iter().fold(false, |found, known| found | bool::from(known.as_bytes().ct_eq(token.as_bytes())))
    }
}

/// Tokens are never printed.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access {{ client: {:?}, administrator: {:?} }}", self.client.path, self.administrator.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(token: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        headers
    }

    fn kind(access: &Access, need: Need, headers: &HeaderMap) -> Option<Kind> {
        access.check(need, headers).err().map(|problem| problem.kind)
    }

    #[test]
    fn each_token_opens_what_it_is_for() {
        let folder = tempfile::tempdir().unwrap();
        let (client, administrator) = (folder.path().join("client"), folder.path().join("administrator"));
        std::fs::write(&client, "client-client-client\nclient-client-second\n").unwrap();
        std::fs::write(&administrator, "admin-admin-admin-admin\n").unwrap();
        let access = Access::read(Some(&client), Some(&administrator)).unwrap();
        let none = HeaderMap::new();
        for token in ["client-client-client", "client-client-second"] {
            assert_eq!(kind(&access, Need::Client, &headers(token)), None);
            assert_eq!(kind(&access, Need::Administrator, &headers(token)), Some(Kind::Forbidden));
        }
        assert_eq!(kind(&access, Need::Client, &headers("admin-admin-admin-admin")), None);
        assert_eq!(kind(&access, Need::Administrator, &headers("admin-admin-admin-admin")), None);
        assert_eq!(kind(&access, Need::Client, &headers("client-client-clienX")), Some(Kind::Unauthorized));
        assert_eq!(kind(&access, Need::Client, &none), Some(Kind::Unauthorized));
        assert_eq!(kind(&access, Need::Nothing, &none), None);

        std::fs::write(&client, "another-another-another\n").unwrap();
        assert!(access.reload().is_empty());
        assert_eq!(kind(&access, Need::Client, &headers("client-client-client")), Some(Kind::Unauthorized));
        assert_eq!(kind(&access, Need::Client, &headers("another-another-another")), None);
        // A file that became useless changes nothing.
        std::fs::write(&client, "short").unwrap();
        let useless = access.reload();
        assert!(useless.len() == 1 && useless[0].to_string().contains("too short"), "{useless:?}");
        assert_eq!(kind(&access, Need::Client, &headers("another-another-another")), None);
        assert!(!format!("{access:?}").contains("another"));
    }

    /// Whoever withdraws a token wants it to be gone, whatever the other file holds.
    #[test]
    fn a_file_that_can_not_be_used_keeps_nothing_from_being_renewed_but_itself() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().join("client"), folder.path().join("administrator")];
        let [client, administrator] = &paths;
        std::fs::write(client, "client-client-client").unwrap();
        std::fs::write(administrator, "admin-admin-admin-admin").unwrap();
        let access = Access::read(Some(client), Some(administrator)).unwrap();
        let is_known = |token| kind(&access, Need::Client, &headers(token)).is_none();
        std::fs::write(administrator, "short").unwrap();
        std::fs::write(client, "client-client-second").unwrap();
        let useless = access.reload();
        assert!(useless.len() == 1 && useless[0].to_string().contains(administrator.to_str().unwrap()), "{useless:?}");
        assert!(!is_known("client-client-client") && is_known("client-client-second"));
        assert!(is_known("admin-admin-admin-admin"));
        std::fs::write(administrator, "admin-admin-admin-second").unwrap();
        std::fs::remove_file(client).unwrap();
        let useless = access.reload();
        assert!(useless.len() == 1 && useless[0].to_string().contains(client.to_str().unwrap()), "{useless:?}");
        assert!(!is_known("admin-admin-admin-admin") && is_known("admin-admin-admin-second"));
        assert!(is_known("client-client-second"));
        std::fs::write(administrator, "").unwrap();
        let useless: Vec<_> = access.reload().iter().map(ToString::to_string).collect();
        assert_eq!(useless.len(), 2);
        for path in &paths {
            assert!(useless.iter().any(|why| why.contains(path.to_str().unwrap())), "each is named: {useless:?}");
        }
    }

    /// It would look as if all were well, and nobody would get in.
    #[test]
    fn tokens_that_no_header_can_hold_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        for (content, wanted) in [
            ("token-token-token-token\r\n\n  token-token-token~!\" \n", None),
            ("\u{feff}token-token-token-token", Some("U+FEFF")),
            ("token-token-token-token\0\n", Some("U+0000")),
            ("token-token-token-token\ntöken-token-token-token", Some("U+00F6")),
            ("token-token\ttoken-token", Some("U+0009")),
            ("token-token-token-token\u{7f}", Some("U+007F")),
        ] {
            std::fs::write(&file, content).unwrap();
            let read = Access::read(Some(&file), None).map_err(|error| error.to_string());
            match (read, wanted) {
                (Ok(access), None) => {
                    assert_eq!(kind(&access, Need::Client, &headers("token-token-token-token")), None)
                }
                (Err(why), Some(wanted)) => assert!(why.contains(wanted) && !why.contains("oken-token"), "{why}"),
                (read, _) => panic!("{content:?}: {read:?}"),
            }
        }
    }

    #[test]
    fn what_may_not_be_meant_so_is_said_of_files_of_tokens() {
        let folder = tempfile::tempdir().unwrap();
        let (client, administrator) = (folder.path().join("client"), folder.path().join("administrator"));
        let write = |path: &Path, tokens: &str, mode| {
            std::fs::write(path, tokens).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        write(&client, "client-client-client\nshared-shared-shared", 0o600);
        write(&administrator, "admin-admin-admin-admin", 0o600);
        let access = Access::read(Some(&client), Some(&administrator)).unwrap();
        assert_eq!(access.doubts(), [""; 0]);
        write(&administrator, "admin-admin-admin-admin\nshared-shared-shared", 0o644);
        assert!(access.reload().is_empty());
        let doubts = access.doubts();
        assert_eq!(doubts.len(), 2, "{doubts:?}");
        assert!(doubts[0].contains(administrator.to_str().unwrap()) && doubts[0].contains("644"), "{doubts:?}");
        assert!(doubts[1].contains("stands in") && !doubts[1].contains("shared"), "{doubts:?}");
    }

    #[test]
    fn the_scheme_is_in_any_case_and_one_token_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let client = folder.path().join("client");
        std::fs::write(&client, "client-client-client").unwrap();
        let access = Access::read(Some(&client), None).unwrap();
        let with = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            kind(&access, Need::Client, &headers)
        };
        for fine in ["Bearer client-client-client", "bearer client-client-client", "BEARER  client-client-client"] {
            assert_eq!(with(&[fine]), None, "{fine}");
        }
        for wrong in ["Basic client-client-client", "client-client-client", "Bearer", "Bearerclient-client-client"] {
            assert_eq!(with(&[wrong]), Some(Kind::Unauthorized), "{wrong}");
        }
        assert_eq!(with(&["Bearer client-client-client", "Bearer x"]), Some(Kind::BadRequest));
    }

    /// What one server has seen, another one believes, and no more.
    #[test]
    fn a_token_that_another_server_has_seen_opens_what_it_opens_here() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "token-token-token-token").unwrap();
        let refused = |access: &Access, need, bearer| access.admit(need, bearer).err().map(|problem| problem.kind);
        let both = Access::read(Some(&file), Some(&file)).unwrap();
        assert_eq!(refused(&both, Need::Administrator, Bearer::Administrator), None);
        assert_eq!(refused(&both, Need::Administrator, Bearer::Client), Some(Kind::Forbidden));
        assert_eq!(refused(&both, Need::Administrator, Bearer::Anyone), Some(Kind::Unauthorized));
        assert_eq!(refused(&both, Need::Client, Bearer::Client), None);
        assert_eq!(refused(&both, Need::Client, Bearer::Anyone), Some(Kind::Unauthorized));
        let open = Access::read(None, None).unwrap();
        assert_eq!(refused(&open, Need::Administrator, Bearer::Anyone), None);
    }

    #[test]
    fn pages_of_other_sites_are_kept_out() {
        let check = |is_open, reads, host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            check_origin(is_open, reads, host, &headers).is_ok()
        };
        for host in ["127.0.0.1:8101", "localhost:8101", "[::1]:8101", "10.0.0.1", "localhost"] {
            assert!(check(true, false, host, None), "{host}");
        }
        assert!(check(true, false, "127.0.0.1:8101", Some("http://127.0.0.1:8101")));
        assert!(!check(true, false, "127.0.0.1:8101", Some("http://example.org")));
        assert!(!check(true, false, "127.0.0.1:8101", Some("null")));
        // A name that its owner has point here.
        assert!(!check(true, true, "example.org:8101", None));
        assert!(check(false, true, "db.example.org:8101", None), "with tokens, names are fine");
        assert!(!check(false, false, "db.example.org:8101", Some("https://example.com")));
        assert!(check(true, true, "127.0.0.1:8101", Some("http://example.org")), "whose answer a browser withholds");
        // It isn't known which of two counts, nor what bytes say that are no text.
        for second in [HeaderValue::from_static("http://example.org"), HeaderValue::from_static("http://localhost")] {
            let mut headers = HeaderMap::new();
            headers.append(header::ORIGIN, HeaderValue::from_static("http://localhost"));
            headers.append(header::ORIGIN, second);
            assert!(check_origin(true, false, "localhost", &headers).is_err());
        }
        let mut headers = HeaderMap::new();
        headers.append(header::ORIGIN, HeaderValue::from_bytes(b"http://\xff").unwrap());
        assert!(check_origin(true, false, "localhost", &headers).is_err());
    }

    #[test]
    fn a_request_says_one_thing_of_for_whom_it_is() {
        let check = |version, uri: &'static str, host: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, HeaderValue::from_static(host));
            }
            check_host(version, &Uri::from_static(uri), &headers).map(str::to_owned).map_err(|problem| problem.kind)
        };
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        assert_eq!(check(new, "/kv/x", Some("localhost:1")), Ok("localhost:1".into()));
        assert_eq!(check(new, "http://localhost:1/kv/x", Some("LOCALHOST:1")), Ok("localhost:1".into()));
        assert_eq!(check(old, "/kv/x", None), Ok(String::new()));
        assert_eq!(check(old, "http://example.org/kv/x", None), Ok("example.org".into()));
        for (version, uri, host) in [
            (new, "/kv/x", None),
            (new, "/kv/x", Some("")),
            (old, "/kv/x", Some("")),
            (new, "http://example.org/kv/x", Some("localhost")),
            (new, "http://localhost:2/kv/x", Some("localhost:1")),
            (new, "http://evil@localhost/kv/x", Some("localhost")),
        ] {
            assert_eq!(check(version, uri, host), Err(Kind::BadRequest), "{uri} {host:?}");
        }
    }

    #[test]
    fn without_an_administrators_file_clients_are_enough_and_without_any_everybody_is() {
        let folder = tempfile::tempdir().unwrap();
        let client = folder.path().join("client");
        std::fs::write(&client, "client-client-client").unwrap();
        let access = Access::read(Some(&client), None).unwrap();
        assert_eq!(kind(&access, Need::Administrator, &headers("client-client-client")), None);
        assert_eq!(kind(&access, Need::Administrator, &HeaderMap::new()), Some(Kind::Unauthorized));
        let open = Access::read(None, None).unwrap();
        assert_eq!(kind(&open, Need::Administrator, &HeaderMap::new()), None);
        // Clients need no token, administrators do.
        let half = Access::read(None, Some(&client)).unwrap();
        assert_eq!(kind(&half, Need::Client, &HeaderMap::new()), None);
        assert_eq!(kind(&half, Need::Administrator, &HeaderMap::new()), Some(Kind::Unauthorized));
    }
}
