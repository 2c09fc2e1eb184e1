//! The messages that a collector publishes for a topic.

use std::time::Duration;

use async_nats::HeaderMap;
use bitmart_ws::ReconnectReason;
use bitmart_ws::event::{Event as _, RawEvent};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The headers of a message of a topic, with their meaning.
///
/// - `Bitmart-Kind`: `frame`; or what happened to the topic: `subscribed`, `resynced`, `reconnecting` (JSON with
///   the reason), `stale`, `alive`, `lagged` (JSON with the number of lost frames), `unreadable` (a frame that is
///   not text), `request-rejected` and `rejected` (JSON with code and text); or, if nothing happened for 5 s,
///   `heartbeat` (of a topic that delivers, with its last frame if that replaces all earlier ones) or `down`.
/// - `Bitmart-Term`: the term of the collector's lease. Readers ignore messages whose term is lower than one they
///   know.
/// - `Bitmart-Number`: from 0, one more for each message of the topic within the term. A number that is missing is
///   a loss.
/// - `Bitmart-Received`: when the collector received the frame, in milliseconds since 1970.
/// - `Bitmart-Collector`: the id of the collector.
/// - `Bitmart-Snapshot`: of an incremental book, the sequence in the stream of its last snapshot, if known.
pub const HEADERS: [&str; 6] = [KIND, TERM, NUMBER, RECEIVED, COLLECTOR, SNAPSHOT];

const KIND: &str = "Bitmart-Kind";
const TERM: &str = "Bitmart-Term";
const NUMBER: &str = "Bitmart-Number";
const RECEIVED: &str = "Bitmart-Received";
const COLLECTOR: &str = "Bitmart-Collector";
const SNAPSHOT: &str = "Bitmart-Snapshot";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    pub(crate) term: u64,
    pub(crate) number: u64,
    /// Milliseconds since 1970.
    pub(crate) received: i64,
    pub(crate) collector: String,
    pub(crate) snapshot: Option<u64>,
    pub(crate) payload: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Frame,
    Subscribed,
    Resynced,
    Reconnecting,
    Stale,
    Alive,
    Lagged,
    Unreadable,
    RequestRejected,
    Rejected,
    Heartbeat,
    Down,
}

const KINDS: [(Kind, &str); 12] = [
    (Kind::Frame, "frame"),
    (Kind::Subscribed, "subscribed"),
    (Kind::Resynced, "resynced"),
    (Kind::Reconnecting, "reconnecting"),
    (Kind::Stale, "stale"),
    (Kind::Alive, "alive"),
    (Kind::Lagged, "lagged"),
    (Kind::Unreadable, "unreadable"),
    (Kind::RequestRejected, "request-rejected"),
    (Kind::Rejected, "rejected"),
    (Kind::Heartbeat, "heartbeat"),
    (Kind::Down, "down"),
];

impl Message {
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let kind = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, name)| name);
        headers.insert(KIND, kind);
        headers.insert(TERM, self.term.to_string().as_str());
        headers.insert(NUMBER, self.number.to_string().as_str());
        headers.insert(RECEIVED, self.received.to_string().as_str());
        headers.insert(COLLECTOR, self.collector.as_str());
        if let Some(snapshot) = self.snapshot {
            headers.insert(SNAPSHOT, snapshot.to_string().as_str());
        }
        headers
    }

    /// Reads a message; `None` if a header is missing or unreadable.
    pub(crate) fn parse(headers: &HeaderMap, payload: Bytes) -> Option<Self> {
        let text = |name: &str| headers.get(name).map(async_nats::HeaderValue::as_str);
        let kind = text(KIND)?;
        let (kind, _) = KINDS.iter().find(|(_, name)| *name == kind)?;
        Some(Self {
            kind: *kind,
            term: text(TERM)?.parse().ok()?,
            number: text(NUMBER)?.parse().ok()?,
            received: text(RECEIVED)?.parse().ok()?,
            collector: text(COLLECTOR)?.chars().take(64).collect(),
            snapshot: text(SNAPSHOT).and_then(|text| text.parse().ok()),
            payload,
        })
    }

    /// How many frames the collector has lost, of a message of the kind `Lagged`.
    pub(crate) fn missed(&self) -> u64 {
        serde_json::from_slice::<Lagged>(&self.payload).map_or(1, |lagged| lagged.missed)
    }

    /// Why the topic delivers nothing, of a message of the kind `Reconnecting`.
    pub(crate) fn reason(&self) -> ReconnectReason {
        serde_json::from_slice::<Reason>(&self.payload).map_or_else(
            |_| ReconnectReason::Lost { detail: "the collector's connection".to_owned() },
            ReconnectReason::from,
        )
    }

    /// The rejection of the exchange, of a message of the kinds `Rejected` and `RequestRejected`.
    pub(crate) fn rejected(&self) -> Rejected {
        let unknown = || Rejected { code: None, text: "rejected".to_owned() };
        serde_json::from_slice(&self.payload).unwrap_or_else(|_| unknown())
    }

    /// Whether the topic delivers after this message.
    pub(crate) fn is_up(&self) -> bool {
        !matches!(self.kind, Kind::Reconnecting | Kind::Down | Kind::Rejected)
    }
}

/// The payload of `lagged`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Lagged {
    pub(crate) missed: u64,
}

/// The payload of `rejected` and `request-rejected`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rejected {
    pub(crate) code: Option<u32>,
    pub(crate) text: String,
}

/// The payload of `reconnecting`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub(crate) enum Reason {
    Closed { code: Option<u16>, text: Option<String> },
    ConnectFailed { detail: String },
    Lost { detail: String },
    HandshakeRejected { status: u16, page: Option<String>, retry_after_ms: Option<u64> },
    IdleTimeout { limit_ms: u64 },
    NotAcknowledged { operation: String },
    Protocol { detail: String },
}

impl From<&ReconnectReason> for Reason {
    fn from(reason: &ReconnectReason) -> Self {
        match reason {
            ReconnectReason::Closed { code, text } => {
                Self::Closed { code: *code, text: text.clone() }
            }
            ReconnectReason::Lost { detail } => Self::Lost { detail: detail.clone() },
            ReconnectReason::ConnectFailed { detail } => {
                Self::ConnectFailed { detail: detail.clone() }
            }
            ReconnectReason::HandshakeRejected { status, page, retry_after } => {
                let retry_after_ms = retry_after.map(millis);
                Self::HandshakeRejected { status: *status, page: page.clone(), retry_after_ms }
            }
            ReconnectReason::IdleTimeout { limit } => {
                Self::IdleTimeout { limit_ms: millis(*limit) }
            }
            ReconnectReason::NotAcknowledged { operation } => {
                Self::NotAcknowledged { operation: (*operation).to_owned() }
            }
            ReconnectReason::Protocol { detail } => Self::Protocol { detail: detail.clone() },
            // Others have parts that mean nothing on another machine, so only their text is sent.
            other => Self::ConnectFailed { detail: other.to_string() },
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl From<Reason> for ReconnectReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Closed { code, text } => Self::Closed { code, text },
            Reason::Lost { detail } => Self::Lost { detail },
            Reason::ConnectFailed { detail } => Self::ConnectFailed { detail },
            Reason::HandshakeRejected { status, page, retry_after_ms } => {
                let retry_after = retry_after_ms.map(Duration::from_millis);
                Self::HandshakeRejected { status, page, retry_after }
            }
            Reason::IdleTimeout { limit_ms } => {
                Self::IdleTimeout { limit: Duration::from_millis(limit_ms) }
            }
            Reason::NotAcknowledged { operation } => {
                let operation = if operation == "login" { "login" } else { "subscription" };
                Self::NotAcknowledged { operation }
            }
            Reason::Protocol { detail } => Self::Protocol { detail },
        }
    }
}

/// Whether a frame is the snapshot of an incremental book.
pub(crate) fn is_snapshot(frame: &[u8]) -> bool {
    // A frame without this word is none, and need not be decoded.
    let Some(text) = std::str::from_utf8(frame).ok().filter(|text| text.contains("snapshot"))
    else {
        return false;
    };
    let mut entries = Vec::new();
    RawEvent::decode(text, &mut entries).is_ok() && has_snapshot(&entries)
}

/// Whether one of the entries of a frame is the snapshot of an incremental book.
pub(crate) fn has_snapshot(entries: &[RawEvent]) -> bool {
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(rename = "type")]
        kind: Option<&'a str>,
    }
    entries.iter().any(|entry| {
        let entry = serde_json::from_str::<Entry<'_>>(entry.json.get());
        entry.is_ok_and(|entry| entry.kind == Some("snapshot"))
    })
}

/// Writes the payload of a lifecycle event.
pub(crate) fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_written() {
        for (kind, _) in KINDS {
            for snapshot in [None, Some(9)] {
                let payload = Bytes::from_static(b"{}");
                let collector = "a".to_owned();
                let message =
                    Message { kind, term: 3, number: 4, received: 5, collector, snapshot, payload };
                let read = Message::parse(&message.headers(), message.payload.clone());
                assert_eq!(read.as_ref(), Some(&message));
            }
        }
        assert_eq!(Message::parse(&HeaderMap::new(), Bytes::new()), None);
    }

    #[test]
    fn reasons_are_read_as_written() {
        let reasons = [
            ReconnectReason::Closed { code: Some(1001), text: None },
            ReconnectReason::Lost { detail: "x".to_owned() },
            ReconnectReason::IdleTimeout { limit: Duration::from_secs(20) },
            ReconnectReason::NotAcknowledged { operation: "login" },
        ];
        for reason in reasons {
            let payload = json(&Reason::from(&reason));
            let read: Reason = serde_json::from_slice(&payload).expect("a reason");
            assert_eq!(ReconnectReason::from(read), reason);
        }
    }
}
