//! Why the venue refused something and why a connection ended.

use std::fmt;
use std::time::Duration;

/// Longest error text that is kept from a frame.
const TEXT_CHARS: usize = 300;

/// The beginning of a text from outside. Control characters could do things to a terminal.
pub(crate) fn bounded(text: &str) -> String {
    let shown = |char: char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
    text.chars().take(TEXT_CHARS).map(shown).collect()
}

/// A refusal by the venue, as it stood in the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// BitMart's number, 90001 to 95000. Spot only: futures refuses with a text alone.
    pub code: Option<u32>,
    /// BitMart's text, cut to 300 characters, without control characters and without the part of the
    /// API key that futures repeats in it.
    pub text: String,
}

/// What futures says of a topic that it does not have (observed and documented).
const UNKNOWN_TOPIC: [&str; 3] = ["not exist", "not found", "Invalid"];

/// What becomes of a refused command when it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prospect {
    /// It may succeed a little later: the clock, a rate, a fault of the server.
    Passing,
    /// It will be refused again: key, memo, permission, no such topic.
    Final,
    /// Nobody has told what this refusal means.
    Unknown,
}

impl Rejection {
    pub(crate) fn new(code: Option<u32>, text: &str) -> Self {
        // Futures repeats the beginning of the API key, with stars behind it.
        let shown = |word| if str::ends_with(word, "****") { "****" } else { word };
        let text: Vec<_> = text.split(' ').map(shown).collect();
        Self { code, text: bounded(&text.join(" ")) }
    }

    /// The topic is already subscribed. Data keeps flowing, so this is no failure.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.code == Some(90_008)
    }

    /// The connection is already logged in.
    pub(crate) fn is_logged_in(&self) -> bool {
        self.code == Some(91_005)
    }

    /// What becomes of the same command when it is sent again.
    pub(crate) fn prospect(&self) -> Prospect {
        match self.code {
            // Too many messages, too many connections, internal error; a time that is off; a login
            // that is gone, which the next connection has again.
            Some(90_007 | 94_001 | 94_002 | 95_000 | 91_021..=91_023 | 91_006) => Prospect::Passing,
            // Wrong commands and topics; keys that are unknown, frozen or expired; wrong signatures.
            Some(90_001..=90_006 | 90_009 | 91_001..=91_004 | 91_010 | 91_011 | 92_001) => {
                Prospect::Final
            }
            None if self.text.contains("temporarily unavailable") || self.is_about_login() => {
                Prospect::Passing
            }
            None if UNKNOWN_TOPIC.iter().any(|words| self.text.contains(words)) => Prospect::Final,
            Some(_) | None => Prospect::Unknown,
        }
    }

    /// The same command may succeed a little later.
    pub(crate) fn is_passing(&self) -> bool {
        self.prospect() == Prospect::Passing
    }

    /// The time of the signature may be what is wrong. Futures does not tell: its refusals have no
    /// code, and the documented text fits every cause.
    #[cfg(any(feature = "client", test))]
    pub(crate) fn may_be_about_time(&self) -> bool {
        match self.code {
            Some(code) => matches!(code, 91_021..=91_023),
            None => self.prospect() == Prospect::Unknown,
        }
    }

    /// A topic was refused because the venue takes the connection for one without a login.
    pub(crate) fn is_about_login(&self) -> bool {
        match self.code {
            Some(code) => code == 91_006,
            // Spelled like that in the documented sample.
            None => self.text.contains("need authen"),
        }
    }

    /// The venue complains about the connection, not about a topic.
    pub(crate) fn is_about_connection(&self) -> bool {
        matches!(self.code, Some(94_001 | 94_002))
    }

    /// What to do about a refused login.
    pub fn login_advice(&self) -> &'static str {
        match self.code {
            Some(91_001 | 91_002) => "check the API key and that it belongs to this environment",
            Some(91_003) => "the key is frozen: enable it in the API management of your account",
            Some(91_004) => "the key has expired: create a new one",
            Some(91_010 | 91_011) => {
                "check secret and memo; the memo is the text you gave the key, not your account id"
            }
            Some(91_021..=91_023) => {
                "check the clock of this machine: it must be within one minute of BitMart's"
            }
            _ => "check key, secret, memo, the key's IP list and the clock of this machine",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} (code {code})", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// Why a connection ended and another is being made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReconnectReason {
    /// The server closed the connection, with a code and a text if it gave them.
    Closed {
        /// The WebSocket close code.
        code: Option<u16>,
        /// The server's words, cut to 300 characters, without control characters.
        text: Option<String>,
    },
    /// There was no connection to be had, and nothing was sent.
    #[cfg(feature = "client")]
    Unreached {
        /// Which hop on the way to the host failed.
        hop: bitmart_net::Hop,
        /// What went wrong there.
        kind: bitmart_net::ConnectErrorKind,
        /// What the connector said.
        detail: String,
    },
    /// The connection broke, or TLS or the handshake failed.
    Lost {
        /// What the socket, TLS or the handshake said.
        detail: String,
    },
    /// The handshake was answered by an HTTP status instead of a connection, by the venue or by the
    /// proxy before it.
    HandshakeRefused {
        /// The HTTP status: 429 for too many attempts, 403 for a block.
        status: u16,
        /// What its body is, where that is known: `a Cloudflare page, error code: 1020`.
        page: Option<String>,
        /// The pause before the next attempt, when it is longer than the usual one: as `Retry-After`
        /// says, bounded by
        /// [`Limits::longest_refused_pause`](crate::Limits::longest_refused_pause); for 429 and 403
        /// without one at least [`Limits::refused_pause`](crate::Limits::refused_pause).
        wait: Option<Duration>,
    },
    /// Nothing arrived for this long.
    Silent {
        /// The bound that was passed.
        limit: Duration,
    },
    /// A subscription or a login was not answered in time.
    Unanswered {
        /// What was waited for.
        waited_for: &'static str,
    },
    /// The server sent something that is not allowed: a broken or oversized frame, data that does
    /// not inflate.
    Protocol {
        /// What was wrong with it.
        detail: String,
    },
    /// The server refused the connection for a passing reason.
    Refused(Rejection),
}

#[cfg(any(feature = "client", test))]
impl ReconnectReason {
    /// The server closed the connection without a word.
    pub(crate) const fn closed() -> Self {
        Self::Closed { code: None, text: None }
    }
}

impl fmt::Display for ReconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { code, text } => {
                f.write_str("closed by the server")?;
                if let Some(code) = code {
                    write!(f, " with code {code}")?;
                }
                text.as_ref().map_or(Ok(()), |text| write!(f, ": {text}"))
            }
            #[cfg(feature = "client")]
            Self::Unreached { detail, .. } => f.write_str(detail),
            Self::Lost { detail } => write!(f, "connection lost: {detail}"),
            Self::HandshakeRefused { status, page, wait } => {
                write!(f, "handshake refused with HTTP {status}")?;
                if let Some(page) = page {
                    write!(f, " ({page})")?;
                }
                match wait {
                    Some(wait) => write!(f, "; next attempt in {} s", wait.as_secs_f64().ceil()),
                    None => Ok(()),
                }
            }
            Self::Silent { limit } => write!(f, "nothing received for {limit:?}"),
            Self::Unanswered { waited_for } => write!(f, "no answer to the {waited_for} in time"),
            Self::Protocol { detail } => write!(f, "protocol violation: {detail}"),
            Self::Refused(rejection) => write!(f, "refused by the server: {rejection}"),
        }
    }
}
