//! Classification of received frames: data or control.

use serde_json::Value;

use super::{Market, Operation};
use crate::peek;
use crate::reason::Rejection;

/// Largest control frame. The longest is a futures acknowledgement, which echoes a command of up to
/// 2,000 bytes.
const MAX_CONTROL_BYTES: usize = 16 * 1024;

#[derive(Debug, PartialEq)]
pub(crate) enum Incoming<'a> {
    /// A data frame, with the value of its `table` or `group`: a channel, or a whole topic.
    Data { frame_name: &'a str },
    /// Anything else.
    Control(Control),
}

#[derive(Debug, PartialEq)]
pub(crate) enum Control {
    Pong,
    LoggedIn,
    LoginRejected(Rejection),
    Acknowledged {
        operation: Operation,
        topic: String,
    },
    /// Errors on spot name no topic, and some errors on futures name no operation.
    Rejected {
        operation: Option<Operation>,
        topic: Option<String>,
        rejection: Rejection,
    },
    Unknown,
}

pub(crate) fn classify(market: Market, text: &str) -> Incoming<'_> {
    match market {
        Market::Spot => match peek::frame_name(text) {
            Some(frame_name) => Incoming::Data { frame_name },
            None if text == "pong" => Incoming::Control(Control::Pong),
            None => Incoming::Control(parse(text, read_spot)),
        },
        Market::Futures => {
            // An acknowledgement has a group, too, but also a member `success`. Data may contain the word,
            // for example as a client order id.
            let may_be_control = text.len() <= MAX_CONTROL_BYTES && text.contains(r#""success""#);
            match peek::frame_name(text) {
                Some("System") => Incoming::Control(Control::Pong),
                Some(frame_name) if !may_be_control => Incoming::Data { frame_name },
                None if text == "pong" => Incoming::Control(Control::Pong),
                frame_name => match (parse(text, read_futures), frame_name) {
                    (Control::Unknown, Some(frame_name)) => Incoming::Data { frame_name },
                    (control, _) => Incoming::Control(control),
                },
            }
        }
    }
}

fn parse(text: &str, read: fn(&Value) -> Control) -> Control {
    if text.len() > MAX_CONTROL_BYTES {
        return Control::Unknown;
    }
    serde_json::from_str(text).map_or(Control::Unknown, |value| read(&value))
}

fn find_text(value: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn read_spot(value: &Value) -> Control {
    let Some(event) = value.get("event").and_then(Value::as_str) else {
        return Control::Unknown;
    };
    let topic = find_text(value, &["topic"]);
    let operation = Operation::parse(event);
    // Only errors have a code. It is documented as the text `errorCode` and was observed as `error_code` as well. 0,
    // 1000 (success over REST) and a text without digits are not codes of errors.
    let code = find_text(value, &["errorCode", "error_code", "code"]);
    let is_error =
        |code: &str| code.bytes().any(|byte| matches!(byte, b'1'..=b'9')) && code != "1000";
    let code = code.filter(|code| is_error(code.trim()));
    if code.is_some() || event == "error" {
        let texts = ["errorMessage", "error_message", "message", "msg", "error"];
        let message = find_text(value, &texts).unwrap_or_default();
        let rejection = Rejection::new(code.and_then(|code| code.parse().ok()), &message);
        return if event == "login" {
            Control::LoginRejected(rejection)
        } else {
            Control::Rejected { operation, topic, rejection }
        };
    }
    match (operation, topic) {
        (Some(operation), Some(topic)) => Control::Acknowledged { operation, topic },
        _ if event == "login" => Control::LoggedIn,
        _ => Control::Unknown,
    }
}

fn read_futures(value: &Value) -> Control {
    // A boolean, or its text.
    let success = find_text(value, &["success"]).and_then(|text| text.parse().ok());
    let Some(success) = value.get("success").and_then(Value::as_bool).or(success) else {
        return Control::Unknown;
    };
    let action = value.get("action").and_then(Value::as_str).unwrap_or_default();
    let operation = Operation::parse(action);
    let topic = find_text(value, &["group"]);
    // Documented as `access` for the login and as `login` for the format of frames.
    let is_login = matches!(action, "access" | "login");
    match (success, operation, topic) {
        (false, operation, topic) => {
            let message =
                find_text(value, &["error", "errorMessage", "message", "msg"]).unwrap_or_default();
            let rejection = Rejection::new(None, &message);
            if is_login {
                Control::LoginRejected(rejection)
            } else {
                Control::Rejected { operation, topic, rejection }
            }
        }
        (true, Some(operation), Some(topic)) => Control::Acknowledged { operation, topic },
        (true, ..) if is_login => Control::LoggedIn,
        (true, ..) if action == "ping" => Control::Pong,
        (true, ..) => Control::Unknown,
    }
}
