//! The futures dialect: `{"action": …, "args": […]}`, acknowledgements with `success`, errors as texts without a code.

use serde_json::{Map, Value, json};

use super::Login;

/// A message of the client.
#[derive(Debug)]
pub(crate) enum Request {
    Ping,
    Login { action: LoginAction, login: Login },
    Topics(TopicCommand),
}

/// The `action` of a login: the login page of the documentation has `access`, the page of formats `login`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginAction {
    Access,
    Login,
}

impl LoginAction {
    fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Login => "login",
        }
    }
}

/// The `action` of a command about topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicAction {
    Subscribe,
    Unsubscribe,
    Request,
}

impl TopicAction {
    fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Request => "request",
        }
    }
}

/// A command about topics. Acknowledgements and rejections contain the message of the client.
#[derive(Debug)]
pub(crate) struct TopicCommand {
    pub(crate) action: TopicAction,
    pub(crate) topics: Vec<String>,
    message: Value,
}

impl TopicCommand {
    /// The acknowledgement of the command for a topic.
    pub(crate) fn acknowledgement(&self, topic: &str) -> Value {
        json!({ "action": self.action.name(), "group": topic, "success": true, "request": self.message })
    }

    /// The rejection of the command for a topic.
    pub(crate) fn rejection(&self, topic: &str, error: &str) -> Value {
        json!({
            "action": self.action.name(), "group": topic, "success": false, "request": self.message,
            "error": error,
        })
    }
}

/// Parses a text message. The error is the frame that rejects it.
pub(crate) fn parse(text: &str) -> Result<Request, Value> {
    let Ok(Value::Object(message)) = serde_json::from_str(text) else {
        // Observed: the plain text `ping` gets this as well.
        let error = format!("Invalid message: message must be JSON: {text}");
        return Err(json!({ "success": false, "error": error }));
    };
    let action = field(&message, "action").and_then(Value::as_str).unwrap_or_default().to_owned();
    let text_of = |arg: &Value| match arg {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let args = field(&message, "args").and_then(Value::as_array);
    let args: Vec<String> = args.into_iter().flatten().map(text_of).collect();
    let topics = match action.as_str() {
        "ping" => return Ok(Request::Ping),
        "access" => {
            return Ok(Request::Login { action: LoginAction::Access, login: Login::new(args) });
        }
        "login" => {
            return Ok(Request::Login { action: LoginAction::Login, login: Login::new(args) });
        }
        "subscribe" => Some(TopicAction::Subscribe),
        "unsubscribe" => Some(TopicAction::Unsubscribe),
        "request" => Some(TopicAction::Request),
        _ => None,
    };
    match topics.filter(|_| !args.is_empty()) {
        Some(action) => {
            let message = Value::Object(message);
            Ok(Request::Topics(TopicCommand { action, topics: args, message }))
        }
        None => {
            let error = format!("Invalid message: unknown action or no args: {text}");
            Err(json!({ "action": action, "success": false, "error": error }))
        }
    }
}

/// A field by its name in any case: the exchange's Go SDK logs in with `Action` and `Args`.
fn field<'a>(message: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    message.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The response to a ping, with an id.
pub(crate) fn pong(id: &str) -> Value {
    json!({ "group": "System", "data": format!("pong+{id}") })
}

/// The acknowledgement of a login.
pub(crate) fn logged_in(action: LoginAction) -> Value {
    json!({ "action": action.name(), "success": true })
}

/// The rejection of a login, which contains the first characters of the key.
pub(crate) fn login_rejection(action: LoginAction, key: &str) -> Value {
    let shown: String = key.chars().take(10).collect();
    let error =
        format!("access failed: openapi auth: apiKey {shown}**** failed: openapi auth failed");
    json!({ "action": action.name(), "success": false, "error": error })
}

/// The error of an unknown topic.
pub(crate) fn unknown_topic(topic: &str) -> String {
    format!("group [{topic}] not exist")
}

/// The error of a topic whose content is not documented.
pub(crate) fn unserved_topic(topic: &str) -> String {
    format!("group [{topic}] is not served by the sandbox")
}

/// The error of a private topic without a login. Spelled as documented.
pub(crate) fn login_required(topic: &str) -> String {
    format!("{topic} need authenication")
}

/// The error of a topic with an unknown symbol.
pub(crate) fn unknown_symbol(topic: &str) -> String {
    format!("Invalid channel: not found {topic}")
}

/// The error of a request for a topic without responses. The text of the exchange is not known.
pub(crate) fn request_unsupported(topic: &str) -> String {
    format!("group [{topic}] does not support requests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_messages_are_rejected_with_their_action_and_text() {
        let rejection = |text: &str| parse(text).expect_err("rejected");
        assert_eq!(
            rejection("ping"),
            json!({ "success": false, "error": "Invalid message: message must be JSON: ping" })
        );
        for text in [r#"{"action":"subscribe","args":[]}"#, r#"{"action":"dance","args":["a"]}"#] {
            let frame = rejection(text);
            assert!(frame["action"] == "subscribe" || frame["action"] == "dance", "{frame}");
            assert!(frame["error"].as_str().is_some_and(|error| error.ends_with(text)), "{frame}");
        }
    }

    #[test]
    fn field_names_may_be_capitalized() {
        match parse(r#"{"Action":"access","Args":["k",5]}"#) {
            Ok(Request::Login { action: LoginAction::Access, login }) => {
                assert_eq!([login.key, login.timestamp, login.sign], ["k", "5", ""]);
            }
            other => panic!("{other:?}"),
        }
    }
}
