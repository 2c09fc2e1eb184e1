//! The two dialects of BitMart's WebSocket API, one for each market: the frames that are sent, and the
//! meaning of those that are received. They differ in commands, acknowledgements, heartbeats, limits and
//! frames.
//!
//! - Spot: `{"op": …}` commands, `"table"` frames, market data compressed.
//! - Futures: `{"action": …}` commands, `"group"` frames, plain text.

mod control;
mod limits;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use bitmart_auth::Credentials;
use bitmart_types::Timestamp;

pub(crate) use bitmart_types::Market;

pub use limits::Limits;

pub(crate) use control::{Control, Incoming, classify};

/// Whether an endpoint is public or private. Each has its own address and its own limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "a connection is logged in or it is not")]
pub enum Access {
    /// Market data, without a login.
    Public,
    /// Orders, balances and positions, after a login.
    Private,
}

impl Access {
    #[cfg(feature = "client")]
    pub(crate) fn from_topic<T>(topic: &crate::topic::Topic<T>) -> Self {
        if topic.is_private() { Self::Private } else { Self::Public }
    }
}

/// What a command frame does with its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Subscribe,
    Unsubscribe,
    /// Requests one snapshot of a subscribed topic. The exchange does not acknowledge it: it sends the snapshot.
    Request,
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Request => "request",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Subscribe, Self::Unsubscribe, Self::Request].into_iter().find(|op| op.name() == name)
    }
}

/// Returns the heartbeat frame. Spot accepts only the text `ping`; futures rejects that text and expects a
/// JSON object (observed).
pub(crate) const fn ping_frame(market: Market) -> &'static str {
    match market {
        Market::Spot => "ping",
        Market::Futures => r#"{"action":"ping"}"#,
    }
}

/// Returns the login frame, signed for this timestamp. BitMart accepts a timestamp within one minute of its
/// own, so build the frame right before it is sent.
pub fn login_frame(market: Market, credentials: &Credentials, timestamp: Timestamp) -> SecretText {
    let signature = credentials.sign_websocket_login(timestamp.as_millis());
    let key = json_text(credentials.key());
    let (millis, signature) = (timestamp.as_millis(), signature.as_str());
    SecretText(match market {
        Market::Spot => format!(r#"{{"op":"login","args":[{key},"{millis}","{signature}"]}}"#),
        Market::Futures => {
            format!(r#"{{"action":"access","args":[{key},"{millis}","{signature}","web"]}}"#)
        }
    })
}

/// Returns a command frame and how many of the topics it contains, counted from the first. The others exceed the
/// limits of a frame. The first topic is contained even if it alone exceeds the limit of bytes.
pub(crate) fn command_frame(
    market: Market,
    operation: Operation,
    topics: &[Arc<str>],
    limits: &Limits,
) -> (String, usize) {
    let key = match market {
        Market::Spot => "op",
        Market::Futures => "action",
    };
    let name = operation.name();
    let mut text = format!(r#"{{"{key}":"{name}","args":["#);
    let mut count = 0;
    for topic in topics.iter().take(limits.topics_per_message) {
        let argument = json_text(topic);
        let separator = usize::from(count > 0);
        let length = text.len() + separator + argument.len() + "]}".len();
        if count > 0 && length > limits.bytes_per_message {
            break;
        }
        if count > 0 {
            text.push(',');
        }
        text.push_str(&argument);
        count += 1;
    }
    text.push_str("]}");
    (text, count)
}

/// Returns a JSON string literal with its quotes.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Text that contains a secret, hidden from `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Returns the text. Send it; do not log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}
