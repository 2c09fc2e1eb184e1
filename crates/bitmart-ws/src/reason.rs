//! Rejections by the exchange, and the reasons why a connection ended.

use std::fmt;
use std::time::Duration;

/// Longest text from outside that a rejection or reason contains.
const MAX_TEXT_CHARS: usize = 300;

/// Returns the beginning of a text from outside, without control characters: they could manipulate a
/// terminal.
pub(crate) fn sanitize(text: &str) -> String {
    let shown = |char: char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
    text.chars().take(MAX_TEXT_CHARS).map(shown).collect()
}

/// The error with which the exchange rejected a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// BitMart's error code, 90001 to 95000. Spot only: futures sends only a text.
    pub code: Option<u32>,
    /// BitMart's text, cut to 300 characters, without control characters and without the part of the
    /// API key that futures repeats in it.
    pub text: String,
}

/// Parts of the texts that futures sends for an unknown topic (observed and documented).
const UNKNOWN_TOPIC: [&str; 3] = ["not exist", "not found", "Invalid"];

/// Whether a rejected command may succeed when it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permanence {
    /// It may succeed later: clock, rate limit, server error.
    Transient,
    /// It will be rejected again: key, memo, permission, unknown topic.
    Permanent,
    /// The documentation does not say what this rejection means.
    Unknown,
}

impl Rejection {
    pub(crate) fn new(code: Option<u32>, text: &str) -> Self {
        // Futures repeats the beginning of the API key, followed by asterisks.
        let redact = |word| if str::ends_with(word, "****") { "****" } else { word };
        let text: Vec<_> = text.split(' ').map(redact).collect();
        Self { code, text: sanitize(&text.join(" ")) }
    }

    /// Whether the topic is already subscribed. Data keeps flowing, so this is no failure.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.code == Some(90_008)
    }

    /// Whether the connection is already logged in.
    pub(crate) fn is_logged_in(&self) -> bool {
        self.code == Some(91_005)
    }

    pub(crate) fn permanence(&self) -> Permanence {
        match self.code {
            // Too many messages, too many connections, internal error; a wrong time; not logged in,
            // which the login of the next connection cures.
            Some(90_007 | 94_001 | 94_002 | 95_000 | 91_021..=91_023 | 91_006) => {
                Permanence::Transient
            }
            // Invalid commands and topics; unknown, frozen or expired keys; wrong signatures.
            Some(90_001..=90_006 | 90_009 | 91_001..=91_004 | 91_010 | 91_011 | 92_001) => {
                Permanence::Permanent
            }
            None if self.text.contains("temporarily unavailable") || self.is_about_login() => {
                Permanence::Transient
            }
            None if UNKNOWN_TOPIC.iter().any(|part| self.text.contains(part)) => {
                Permanence::Permanent
            }
            Some(_) | None => Permanence::Unknown,
        }
    }

    pub(crate) fn is_transient(&self) -> bool {
        self.permanence() == Permanence::Transient
    }

    /// Whether the time of the signature may be wrong. Futures sends no codes, and its documented text
    /// fits every cause.
    #[cfg(any(feature = "client", test))]
    pub(crate) fn may_be_about_time(&self) -> bool {
        match self.code {
            Some(code) => matches!(code, 91_021..=91_023),
            None => self.permanence() == Permanence::Unknown,
        }
    }

    /// Whether a topic was rejected because the connection is not logged in.
    pub(crate) fn is_about_login(&self) -> bool {
        match self.code {
            Some(code) => code == 91_006,
            // Spelled like that in the documented sample.
            None => self.text.contains("need authen"),
        }
    }

    /// Whether the rejection concerns the whole connection, not a topic.
    pub(crate) fn is_about_connection(&self) -> bool {
        matches!(self.code, Some(94_001 | 94_002))
    }

    /// Returns what to do about a rejected login.
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

/// Why a connection ended or an attempt failed. The client makes another attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReconnectReason {
    /// The server closed the connection.
    Closed {
        /// The WebSocket close code, if the server sent one.
        code: Option<u16>,
        /// The close reason, if the server sent one; cut to 300 characters, without control
        /// characters.
        text: Option<String>,
    },
    /// The server could not be reached, and nothing was sent.
    #[cfg(feature = "client")]
    Unreachable {
        /// The hop on the way to the host that failed.
        hop: bitmart_net::Hop,
        /// What went wrong there.
        kind: bitmart_net::ConnectErrorKind,
        /// The error of the connector.
        detail: String,
    },
    /// The host was reached, but TLS or the handshake failed, or the attempt took too long.
    ConnectFailed {
        /// The error of TLS or the handshake; cut to 300 characters, without control characters.
        detail: String,
    },
    /// An open connection broke.
    Lost {
        /// The error of the socket; cut to 300 characters, without control characters.
        detail: String,
    },
    /// The exchange, or a proxy in front of it, rejected the handshake with an HTTP error.
    HandshakeRejected {
        /// The HTTP status: 429 for too many attempts, 403 for a block.
        status: u16,
        /// What the response body is, if known: `a Cloudflare page, error code: 1020`.
        page: Option<String>,
        /// The delay before the next attempt: that of the backoff, or a longer one if `Retry-After` demands it, up to
        /// [`Limits::max_retry_after`](crate::Limits::max_retry_after). Without that header it is at least
        /// [`Limits::handshake_retry_delay`](crate::Limits::handshake_retry_delay) for 429 and 403. Always set in
        /// what a client or session reports. In what a driver passes to a
        /// [`Session`](crate::session::Session::disconnected), it is the value of the header.
        retry_after: Option<Duration>,
    },
    /// Nothing was received for too long.
    IdleTimeout {
        /// The timeout.
        limit: Duration,
    },
    /// The machine was suspended, or the program was stopped: what arrived meanwhile may be lost, and the
    /// server may have closed the connection.
    Suspended {
        /// For how long, by the system's clock. If that clock was set ahead meanwhile, it is too long.
        duration: Duration,
    },
    /// A subscription or a login was not acknowledged in time.
    NotAcknowledged {
        /// `subscription` or `login`.
        operation: &'static str,
    },
    /// The server violated the protocol: a broken or oversized frame, data that does not inflate.
    Protocol {
        /// The violation.
        detail: String,
    },
    /// The exchange rejected the connection or its login for a reason that may pass.
    Rejected(Rejection),
}

#[cfg(any(feature = "client", test))]
impl ReconnectReason {
    #[cfg(feature = "client")]
    pub(crate) fn connect_failed(detail: impl fmt::Display) -> Self {
        Self::ConnectFailed { detail: sanitize(&detail.to_string()) }
    }

    #[cfg(feature = "client")]
    pub(crate) fn lost(detail: impl fmt::Display) -> Self {
        Self::Lost { detail: sanitize(&detail.to_string()) }
    }

    /// The server closed the connection without a close frame.
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
            Self::Unreachable { detail, .. } => f.write_str(detail),
            Self::ConnectFailed { detail } => write!(f, "cannot connect: {detail}"),
            Self::Lost { detail } => write!(f, "connection lost: {detail}"),
            Self::HandshakeRejected { status, page, retry_after } => {
                write!(f, "handshake rejected with HTTP {status}")?;
                if let Some(page) = page {
                    write!(f, " ({page})")?;
                }
                match retry_after {
                    Some(delay) => {
                        write!(f, "; next attempt in {} s", delay.as_secs_f64().ceil())
                    }
                    None => Ok(()),
                }
            }
            Self::IdleTimeout { limit } => write!(f, "nothing received for {limit:?}"),
            Self::Suspended { duration } => {
                write!(f, "the machine was suspended for {} s", duration.as_secs())
            }
            Self::NotAcknowledged { operation } => {
                write!(f, "the {operation} was not acknowledged in time")
            }
            Self::Protocol { detail } => write!(f, "protocol violation: {detail}"),
            Self::Rejected(rejection) => write!(f, "rejected by the server: {rejection}"),
        }
    }
}
