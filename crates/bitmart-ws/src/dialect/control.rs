//! Reading a frame: is it data, and if not, what does it say?

use serde_json::Value;

use super::{Dialect, Operation};
use crate::peek;
use crate::reason::Rejection;

/// Control frames are short. The longest is a futures acknowledgement, which echoes the request of
/// up to 2,000 bytes.
const CONTROL_BYTES: usize = 16 * 1024;

/// What a text frame is.
#[derive(Debug, PartialEq)]
pub(crate) enum Incoming<'a> {
    /// A data frame of the channel that stands in `table` or `group`.
    Data { channel: &'a str },
    /// Anything else.
    Control(Control),
}

/// The meaning of a control frame.
#[derive(Debug, PartialEq)]
pub(crate) enum Control {
    Pong,
    LoggedIn,
    LoginRefused(Rejection),
    Acknowledged {
        operation: Operation,
        topic: String,
    },
    /// Spot names no topic in its errors and some futures errors name no operation.
    Refused {
        operation: Option<Operation>,
        topic: Option<String>,
        rejection: Rejection,
    },
    Unknown,
}

impl Dialect {
    pub(crate) fn classify(self, text: &str) -> Incoming<'_> {
        match self {
            Self::Spot => match peek::channel(text) {
                Some(channel) => Incoming::Data { channel },
                None if text == "pong" => Incoming::Control(Control::Pong),
                None => Incoming::Control(parse(text, spot)),
            },
            Self::Futures => {
                // An acknowledgement has a group too; only control frames say `success`.
                let answer = text.len() <= CONTROL_BYTES && text.contains(r#""success""#);
                match peek::channel(text) {
                    Some("System") => Incoming::Control(Control::Pong),
                    Some(channel) if !answer => Incoming::Data { channel },
                    None if text == "pong" => Incoming::Control(Control::Pong),
                    _ => Incoming::Control(parse(text, futures)),
                }
            }
        }
    }
}

fn parse(text: &str, read: fn(&Value) -> Control) -> Control {
    if text.len() > CONTROL_BYTES {
        return Control::Unknown;
    }
    serde_json::from_str(text).map_or(Control::Unknown, |value| read(&value))
}

fn text_of(value: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn spot(value: &Value) -> Control {
    let Some(event) = value.get("event").and_then(Value::as_str) else {
        return Control::Unknown;
    };
    let topic = text_of(value, &["topic"]);
    let operation = Operation::parse(event);
    // The code marks the failure. It is text, documented as `errorCode` and also seen as `error_code`.
    let code = text_of(value, &["errorCode", "error_code"]);
    match (code, operation, topic) {
        (Some(code), operation, topic) => {
            let message = text_of(value, &["errorMessage", "error_message"]).unwrap_or_default();
            let rejection = Rejection::new(code.parse().ok(), &message);
            if event == "login" {
                Control::LoginRefused(rejection)
            } else {
                Control::Refused { operation, topic, rejection }
            }
        }
        (None, Some(operation), Some(topic)) => Control::Acknowledged { operation, topic },
        (None, ..) if event == "login" => Control::LoggedIn,
        (None, ..) => Control::Unknown,
    }
}

fn futures(value: &Value) -> Control {
    let Some(success) = value.get("success").and_then(Value::as_bool) else {
        return Control::Unknown;
    };
    let action = value.get("action").and_then(Value::as_str).unwrap_or_default();
    let operation = Operation::parse(action);
    let topic = text_of(value, &["group"]);
    // The login page says `access`, the format page `login`.
    let login = matches!(action, "access" | "login");
    match (success, operation, topic) {
        (false, operation, topic) => {
            let message = text_of(value, &["error"]).unwrap_or_default();
            let rejection = Rejection::new(None, &message);
            if login {
                Control::LoginRefused(rejection)
            } else {
                Control::Refused { operation, topic, rejection }
            }
        }
        (true, Some(operation), Some(topic)) => Control::Acknowledged { operation, topic },
        (true, ..) if login => Control::LoggedIn,
        (true, ..) if action == "ping" => Control::Pong,
        (true, ..) => Control::Unknown,
    }
}
