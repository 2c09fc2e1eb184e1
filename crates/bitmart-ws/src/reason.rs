//! Why the venue refused something and why a connection ended.

use std::fmt;
use std::time::Duration;

/// Longest error text that is kept from a frame.
const TEXT_CHARS: usize = 300;

/// A refusal by the venue, as it stood in the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// BitMart's number, 90001 to 95000. Spot only: futures refuses with a text alone.
    pub code: Option<u32>,
    /// BitMart's text, cut to 300 characters.
    pub text: String,
}

impl Rejection {
    pub(crate) fn new(code: Option<u32>, text: &str) -> Self {
        Self { code, text: text.chars().take(TEXT_CHARS).collect() }
    }

    /// The topic is already subscribed. Data keeps flowing, so this is no failure.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.code == Some(90_008)
    }

    /// The connection is already logged in.
    pub(crate) fn is_logged_in(&self) -> bool {
        self.code == Some(91_005)
    }

    /// The same command may succeed a little later.
    pub(crate) fn is_passing(&self) -> bool {
        match self.code {
            // Too many messages, too many connections, internal error.
            Some(code) => matches!(code, 90_007 | 94_001 | 94_002 | 95_000),
            None => self.text.contains("temporarily unavailable"),
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
    /// The server closed the connection, with its close code if it gave one.
    Closed {
        /// The WebSocket close code.
        code: Option<u16>,
    },
    /// The connection broke, or could not be made.
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

impl fmt::Display for ReconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { code: Some(code) } => write!(f, "closed by the server with code {code}"),
            Self::Closed { code: None } => f.write_str("closed by the server"),
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
