//! Why a connection ended, or never came to be.

use std::fmt;
use std::io;

use super::frame::FrameError;

/// Declares what an acceptor may say instead of going on, once.
macro_rules! refusals {
    ($($number:literal $refusal:ident $name:literal $sentence:literal;)+) => {
        /// What an acceptor says instead of going on with a handshake. The words are right for both
        /// sides.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $(#[doc = concat!("Number ", $number, ": ", $sentence, ".")] $refusal,)+
        }

        impl Refusal {
            /// All of them.
            pub const ALL: &[Refusal] = &[$(Refusal::$refusal),+];

            /// Its number on the wire.
            pub const fn number(self) -> u8 {
                match self { $(Refusal::$refusal => $number,)+ }
            }

            /// The refusal with this number.
            pub const fn of(number: u8) -> Option<Refusal> {
                match number { $($number => Some(Refusal::$refusal),)+ _ => None }
            }

            /// Its name in metrics.
            pub const fn name(self) -> &'static str {
                match self { $(Refusal::$refusal => $name,)+ }
            }
        }

        impl fmt::Display for Refusal {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Refusal::$refusal => $sentence,)+ })
            }
        }
    };
}

refusals! {
    1 Version "version" "the two servers speak different versions of the peer protocol";
    2 Cluster "cluster" "the two servers belong to different clusters";
    3 Address "address" "the address belongs to another server than the one that was dialled";
    4 Myself "myself" "the dialler claims to be the server that it dialled";
    5 Secret "secret" "the dialler doesn't know a secret that the other server accepts";
    6 Superseded "superseded" "a newer connection of the dialler is there already";
    7 Malformed "malformed" "the dialler's hello isn't valid";
    8 Disk "disk" "the dialler has another disk than the one that the other server knows it by";
    9 Unnoted "unnoted" "the other server couldn't note which disk the dialler has";
}

/// Why a connection ended, or never came to be.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// It couldn't be made.
    #[error("no connection: {0}")]
    Unreachable(io::Error),
    /// A part of it took too long.
    #[error("{0} took too long")]
    TimedOut(&'static str),
    /// TLS couldn't be agreed on, or was broken.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The other side's first bytes aren't of the peer protocol.
    #[error("the other side doesn't speak the peer protocol: {0}")]
    OtherProtocol(FirstBytes),
    /// The other side answers with another version of the peer protocol.
    #[error("the other side speaks version {0} of the peer protocol, and this server version {version}", version = super::handshake::VERSION)]
    OtherVersion(u16),
    /// This server refused the dialler.
    #[error("refused: {refusal} ({detail})")]
    Denied {
        /// What the dialler was told.
        refusal: Refusal,
        /// What it claimed.
        detail: String,
    },
    /// The acceptor refused this server.
    #[error("the other side refused: {0}")]
    Refused(Refusal),
    /// The acceptor refused this server, for a reason that this version doesn't know.
    #[error("the other side refused, for a reason that this version doesn't know (number {0})")]
    RefusedOtherwise(u8),
    /// The acceptor couldn't prove that it knows the secret.
    #[error("the other side couldn't prove that it knows the cluster's secret")]
    Unproven,
    /// The acceptor closed the connection when too many strangers waited.
    #[error("too many connections hadn't proved themselves yet; this was the oldest")]
    Crowded,
    /// What came isn't what the other side sealed, or breaks the protocol.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The other side closed it.
    #[error("the other side closed the connection{}", if *.halfway { " in the middle of a frame" } else { "" })]
    Closed {
        /// Whether something had begun and not ended.
        halfway: bool,
    },
    /// The other side closed it before the handshake was over.
    #[error("the other side closed the connection during the handshake")]
    ClosedEarly,
    /// Nothing came, not even a keep-alive.
    #[error("nothing was heard from the other side for too long")]
    Silent,
    /// It broke.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// The secret that it was proven with isn't accepted any more.
    #[error("the secret that it was proven with isn't accepted any more")]
    Withdrawn,
    /// The same server made a newer one.
    #[error("the same server has made a newer connection")]
    Superseded,
    /// The peer has another address now, or none.
    #[error("the peer's address has changed")]
    Moved,
    /// This server's right to vote has changed, and its peers must know that.
    #[error("this server has something new to say of its disk")]
    Reclaimed,
    /// Nobody takes the messages of this server any more.
    #[error("this server takes no more messages")]
    Deaf,
    /// This server stops.
    #[error("this server stops")]
    Stopped,
}

impl Ended {
    /// Its name in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Ended::Unreachable(_) => "unreachable",
            Ended::TimedOut(_) => "timed_out",
            Ended::Tls(_) => "tls",
            Ended::OtherProtocol(_) => "other_protocol",
            Ended::OtherVersion(_) => "version",
            Ended::Denied { refusal, .. } | Ended::Refused(refusal) => refusal.name(),
            Ended::RefusedOtherwise(_) => "refused",
            Ended::Unproven => "unproven",
            Ended::Crowded => "crowded",
            Ended::Frame(_) => "frame",
            Ended::Closed { .. } | Ended::ClosedEarly => "closed",
            Ended::Silent => "silent",
            Ended::Broken(_) => "broken",
            Ended::Withdrawn => "withdrawn",
            Ended::Superseded => "superseded",
            Ended::Moved => "moved",
            Ended::Reclaimed => "reclaimed",
            Ended::Deaf => "deaf",
            Ended::Stopped => "stopped",
        }
    }

    /// What a person has to do, if it doesn't pass by itself.
    pub(super) const fn remedy(&self) -> Option<&'static str> {
        let refusal = match self {
            Ended::Denied { refusal, .. } | Ended::Refused(refusal) => *refusal,
            Ended::Unproven => Refusal::Secret,
            Ended::Tls(_) | Ended::OtherProtocol(_) => {
                return Some(
                    "see whether the address is right, and whether both servers have TLS for their peers (--tls-cert, \
                     --tls-key, --tls-ca), with certificates of one authority that are in their time, or neither has",
                );
            }
            _ => return None,
        };
        match refusal {
            Refusal::Secret => Some(
                "give both servers the same secret (--secret-file), and send SIGHUP to the one whose file you changed",
            ),
            Refusal::Cluster => Some("see whether the address is right, and whether both have the same --cluster"),
            Refusal::Address => Some("see which server listens there; `raftarium members` lists where each should be"),
            Refusal::Disk => Some(
                "a server whose data were lost, or put back from an older copy, has forgotten its promises: \
                 `raftarium members remove` it, empty its folder, start it with --join, \
                 `raftarium members add` it, and promote it",
            ),
            Refusal::Unnoted => Some("look after the disk of the server that refused"),
            _ => None,
        }
    }

    /// What a failed read or write says.
    pub(super) fn of_stream(error: io::Error) -> Ended {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(tls) => Ended::Tls(tls.to_string()),
            None => Ended::Broken(error),
        }
    }
}

/// The first bytes of another protocol, as much of them as tells which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstBytes(Vec<u8>);

impl FirstBytes {
    /// As many as are kept.
    const MAX: usize = 16;

    pub(super) fn new(bytes: &[u8]) -> FirstBytes {
        FirstBytes(bytes[..bytes.len().min(FirstBytes::MAX)].to_vec())
    }
}

impl fmt::Display for FirstBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            // A record of TLS: a handshake or an alert, of version 3.x.
            [0x15 | 0x16, 3, ..] => f.write_str("it speaks TLS, and this server has no TLS set up for its peers"),
            bytes => write!(f, "it begins with \"{}\"", bytes.escape_ascii()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_number() {
        for number in 0..=u8::MAX {
            let known = Refusal::ALL.iter().copied().find(|refusal| refusal.number() == number);
            assert_eq!(Refusal::of(number), known);
        }
        assert_eq!(Refusal::of(0), None, "zero means to go on");
    }

    #[test]
    fn what_a_stranger_says_is_escaped_and_cut() {
        let ended = Ended::OtherProtocol(FirstBytes::new(b"GET /\x1b[2J HTTP/1.1\r\n"));
        assert_eq!(
            ended.to_string(),
            "the other side doesn't speak the peer protocol: it begins with \"GET /\\x1b[2J HTTP/1\""
        );
        let tls = Ended::OtherProtocol(FirstBytes::new(&[0x16, 3, 1, 2, 0]));
        assert!(tls.to_string().ends_with("it speaks TLS, and this server has no TLS set up for its peers"));
    }
}
