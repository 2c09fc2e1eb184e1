//! The two dialects of BitMart's WebSocket: what is sent, and what an answer means.

mod control;
mod limits;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use bitmart_auth::Credentials;
use bitmart_types::Timestamp;

pub use limits::Limits;

pub(crate) use control::{Control, Incoming};

/// Which WebSocket a topic lives on. Spot and futures differ in their commands, acknowledgements,
/// heartbeats, limits and frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "the venue has these two, and a third would be a new crate module"
)]
pub enum Dialect {
    /// `{"op": …}` commands, `"table"` frames, market data compressed.
    Spot,
    /// `{"action": …}` commands, `"group"` frames, plain text.
    Futures,
}

/// The public or the private side of a dialect. Each has its own address and its own limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "a socket is logged in or it is not")]
pub enum Access {
    /// Market data, no login.
    Public,
    /// Orders, balances and positions, after a login.
    Private,
}

/// What a command frame does with its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Subscribe,
    Unsubscribe,
    Request,
}

impl Operation {
    const fn word(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Request => "request",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Subscribe, Self::Unsubscribe, Self::Request].into_iter().find(|op| op.word() == word)
    }
}

impl Dialect {
    /// The frame that keeps the connection alive. Spot counts only the text `ping`; futures refuses
    /// that text and wants a JSON object (observed).
    pub const fn ping(self) -> &'static str {
        match self {
            Self::Spot => "ping",
            Self::Futures => r#"{"action":"ping"}"#,
        }
    }

    /// The frame that logs the connection in, signed for this moment. BitMart accepts a timestamp
    /// within one minute of its own, so build the frame when it is about to be sent.
    pub fn login(self, credentials: &Credentials, timestamp: Timestamp) -> SecretText {
        let signature = credentials.sign_websocket_login(timestamp.as_millis());
        let key = json_text(credentials.key());
        let (millis, signature) = (timestamp.as_millis(), signature.as_str());
        SecretText(match self {
            Self::Spot => format!(r#"{{"op":"login","args":[{key},"{millis}","{signature}"]}}"#),
            Self::Futures => {
                format!(r#"{{"action":"access","args":[{key},"{millis}","{signature}","web"]}}"#)
            }
        })
    }

    /// A command frame for these topics, and how many of them fit under the limits. The rest belongs
    /// into further frames.
    pub(crate) fn command(
        self,
        operation: Operation,
        topics: &[Arc<str>],
        limits: &Limits,
    ) -> (String, usize) {
        let (verb, word) = (self.verb(), operation.word());
        let mut text = format!(r#"{{"{verb}":"{word}","args":["#);
        let mut taken = 0;
        for topic in topics.iter().take(limits.topics_per_message) {
            let argument = json_text(topic);
            let separator = usize::from(taken > 0);
            let length = text.len() + separator + argument.len() + "]}".len();
            if taken > 0 && length > limits.bytes_per_message {
                break;
            }
            if taken > 0 {
                text.push(',');
            }
            text.push_str(&argument);
            taken += 1;
        }
        text.push_str("]}");
        (text, taken)
    }

    const fn verb(self) -> &'static str {
        match self {
            Self::Spot => "op",
            Self::Futures => "action",
        }
    }
}

/// A JSON string literal with its quotes.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Text that carries a secret: readable for the socket, hidden from `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// The text itself. Send it; do not log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}
