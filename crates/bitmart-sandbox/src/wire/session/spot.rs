//! The spot dialect: `{"op": …, "args": […]}`, text `ping`, errors with codes.

use serde_json::{Value, json};

use super::Login;
use crate::{auth::LoginError, connection_limiter::LimitExceeded};

/// The response to the text `ping`.
pub(crate) const PONG: &str = "pong";

/// Maximum number of topics in a command.
const MAX_ARGS: usize = 20;

/// A message of the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Ping,
    Login(Login),
    Topics { command: Command, topics: Vec<String> },
}

/// A command about topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Subscribe,
    Unsubscribe,
    Request,
}

impl Command {
    /// The `op` of the command, and the `event` of its acknowledgement.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Request => "request",
        }
    }
}

/// A documented error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionError {
    pub(crate) code: u32,
    message: &'static str,
}

pub(crate) const TOO_MANY_TOPICS: SessionError =
    SessionError { code: 90006, message: "Subscribed total topic quantity exceeds limit" };
pub(crate) const TOO_MANY_MESSAGES: SessionError = SessionError {
    code: 90007,
    message: "Subscribed message frequency exceeds limit, please try later",
};
pub(crate) const UNKNOWN_CHANNEL: SessionError =
    SessionError { code: 90004, message: "Invalid channel param" };
pub(crate) const DUPLICATE_SUBSCRIPTION: SessionError =
    SessionError { code: 90008, message: "Duplicate subscription" };
pub(crate) const NOT_SUBSCRIBED: SessionError =
    SessionError { code: 90009, message: "Invalid subscription" };
pub(crate) const ALREADY_LOGGED_IN: SessionError =
    SessionError { code: 91005, message: "Already logged in" };
pub(crate) const NOT_LOGGED_IN: SessionError =
    SessionError { code: 91006, message: "User not logged in / User must be logged in" };
pub(crate) const UNKNOWN_SYMBOL: SessionError =
    SessionError { code: 92001, message: "Invalid symbol param" };
const INVALID_MESSAGE: SessionError =
    SessionError { code: 90001, message: "Invalid message format" };
const INVALID_OP: SessionError = SessionError { code: 90002, message: "Invalid op param" };
const INVALID_ARGS: SessionError = SessionError { code: 90003, message: "Invalid args param" };
const TOO_MANY_ARGS: SessionError =
    SessionError { code: 90005, message: "Topic quantity in single subscription exceeds limit" };

/// Parses a text message. The error is the frame that rejects it.
pub(crate) fn parse(text: &str) -> Result<Request, Value> {
    if text == "ping" {
        return Ok(Request::Ping);
    }
    let Ok(Value::Object(message)) = serde_json::from_str(text) else {
        return Err(INVALID_MESSAGE.frame("error"));
    };
    let op = message.get("op").and_then(Value::as_str).unwrap_or_default();
    let command = match op {
        "login" => None,
        "subscribe" => Some(Command::Subscribe),
        "unsubscribe" => Some(Command::Unsubscribe),
        "request" => Some(Command::Request),
        _ => return Err(INVALID_OP.frame(op)),
    };
    // The Node and PHP clients send the timestamp of a login as a number.
    let text_of = |arg: &Value| match arg {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let args: Option<Vec<String>> = message
        .get("args")
        .and_then(Value::as_array)
        .and_then(|args| args.iter().map(text_of).collect());
    let args = args.filter(|args| !args.is_empty()).ok_or_else(|| INVALID_ARGS.frame(op))?;
    match command {
        None => Ok(Request::Login(Login::new(args))),
        Some(_) if args.len() > MAX_ARGS => Err(TOO_MANY_ARGS.frame(op)),
        Some(command) => Ok(Request::Topics { command, topics: args }),
    }
}

impl SessionError {
    /// The frame of the error.
    pub(crate) fn frame(self, event: &str) -> Value {
        frame(event, self.code, self.message)
    }
}

fn frame(event: &str, code: u32, message: &str) -> Value {
    json!({ "event": event, "errorMessage": message, "errorCode": code.to_string() })
}

/// The acknowledgement of a subscription or unsubscription.
pub(crate) fn acknowledgement(command: Command, topic: &str) -> Value {
    json!({ "event": command.name(), "topic": topic })
}

/// The acknowledgement of a login.
pub(crate) fn logged_in() -> Value {
    json!({ "event": "login" })
}

/// The documented error of a failed login.
pub(crate) fn login_error(error: LoginError) -> SessionError {
    let (code, message) = match error {
        LoginError::EmptyKey => (91001, "API KEY is empty"),
        LoginError::UnknownKey => (91002, "API KEY not found"),
        LoginError::FrozenKey => (91003, "API KEY has frozen"),
        LoginError::ExpiredKey => (91004, "API KEY over expire time"),
        LoginError::EmptySign => (91010, "Param sign is empty"),
        LoginError::WrongSign => (91011, "Param sign is wrong"),
        LoginError::EmptyTimestamp => (91021, "Param timestamp is empty"),
        LoginError::StaleTimestamp => (91022, "Param timestamp range. Within a minute"),
        LoginError::InvalidTimestamp => (91023, "Param timestamp invalid format"),
    };
    SessionError { code, message }
}

/// The frame for a connection over a limit. No source documents its event.
pub(crate) fn limit_exceeded(exceeded: LimitExceeded) -> Value {
    let (code, message) = match exceeded {
        LimitExceeded::Attempts => {
            (94001, "Frequently reestablishing connections in a short period of time")
        }
        LimitExceeded::Open => (
            94002,
            "The number of connections established between a single IP and the server exceeds the upper limit",
        ),
    };
    frame("error", code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let frame = parse(text).expect_err("rejected");
        frame["errorCode"].as_str().expect("a code").to_owned()
    }

    #[test]
    fn malformed_messages_get_their_codes() {
        assert_eq!(code("[1]"), "90001");
        assert_eq!(code(r#"{"op":"dance","args":["a"]}"#), "90002");
        assert_eq!(code(r#"{"op":"subscribe"}"#), "90003");
        assert_eq!(code(r#"{"op":"subscribe","args":[null]}"#), "90003");
        let args = vec!["a"; MAX_ARGS + 1];
        assert_eq!(code(&json!({ "op": "request", "args": args }).to_string()), "90005");
    }

    #[test]
    fn a_login_may_have_a_number_as_timestamp_and_missing_arguments() {
        let login = |args: Value| {
            let text = json!({ "op": "login", "args": args }).to_string();
            match parse(&text) {
                Ok(Request::Login(Login { key, timestamp, sign })) => [key, timestamp, sign],
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(login(json!(["k", 5, "s"])), ["k", "5", "s"]);
        assert_eq!(login(json!(["k"])), ["k", "", ""]);
    }
}
