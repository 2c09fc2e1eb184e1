//! The spot dialect: `{"op": …, "args": […]}`, text `ping`, errors with codes.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::context::{SessionContext, wrong_address_hint};
use crate::{
    auth::{LoginError, LoginRejection},
    connection_limiter::LimitExceeded,
    feed::Output,
    generated::Host,
    hints,
    wire::topic::{self, Topic},
};

/// Largest message of a client in bytes.
pub(super) const MESSAGE: usize = 4_096;
const ARGS: usize = 20;
const TOPICS_PUBLIC: usize = 115;
const TOPICS_PRIVATE: usize = 100;
/// Messages per window, pings included. The window runs on the clock of the machine, like the times
/// after which a socket is closed.
const MESSAGES: u32 = 100;
const WINDOW: Duration = Duration::from_secs(10);

/// One spot connection.
#[derive(Debug)]
pub(super) struct Session {
    private: bool,
    /// Whether the number of messages is limited.
    limited: bool,
    window_from: Instant,
    messages: u32,
}

impl Session {
    pub(super) fn new(private: bool, limited: bool) -> Self {
        Self { private, limited, window_from: Instant::now(), messages: 0 }
    }

    /// Handles one text message of the client, received at `now`.
    pub(super) fn on_text(&mut self, text: &str, now: Instant, context: &mut SessionContext<'_>) {
        if !self.is_within_limit(now) {
            error(
                context,
                "subscribe",
                90007,
                "Subscribed message frequency exceeds limit, please try later",
            );
            return context.send(Output::Close(1008));
        }
        if text == "ping" {
            return context.send(Output::Text("pong".into()));
        }
        let Ok(Value::Object(message)) = serde_json::from_str(text) else {
            return error(context, "error", 90001, "Invalid message format");
        };
        let op = message.get("op").and_then(Value::as_str).unwrap_or_default();
        if !matches!(op, "login" | "subscribe" | "unsubscribe" | "request") {
            return error(context, op, 90002, "Invalid op param");
        }
        // The Node and PHP clients send the timestamp of a login as a number.
        let text_of = |arg: &Value| match arg {
            Value::String(text) => Some(text.clone()),
            Value::InputNumber(number) => Some(number.to_string()),
            _ => None,
        };
        let args: Option<Vec<String>> = message
            .get("args")
            .and_then(Value::as_array)
            .and_then(|args| args.iter().map(text_of).collect());
        let Some(args) = args.filter(|args| !args.is_empty()) else {
            return error(context, op, 90003, "Invalid args param");
        };
        match op {
            "login" => login(&args, context),
            _ if args.len() > ARGS => {
                error(context, op, 90005, "Topic quantity in single subscription exceeds limit");
            }
            _ => args.iter().for_each(|arg| self.on_topic(op, arg, context)),
        }
    }

    fn is_within_limit(&mut self, now: Instant) -> bool {
        if now.duration_since(self.window_from) >= WINDOW {
            (self.window_from, self.messages) = (now, 0);
        }
        self.messages = self.messages.saturating_add(1);
        !self.limited || self.messages <= MESSAGES
    }

    fn on_topic(&self, op: &str, text: &str, context: &mut SessionContext<'_>) {
        let topic = match self.find(text, context) {
            Ok(topic) => topic,
            Err((code, message)) => {
                if let Some(reason) = self.wrong_address_hint(text) {
                    context.add_reason(code.to_string(), format!("{text}: {reason}"));
                    return error(context, op, code, &format!("{message}. {reason}"));
                }
                let symbol = topic::parse(Host::Spot, text).map(|topic| topic.symbol);
                let symbol = symbol.filter(|_| code == 92001).unwrap_or_default();
                if let Some(reason) = hints::symbol(Host::Spot, &symbol, context.exchange) {
                    context.add_reason(code.to_string(), reason);
                }
                return error(context, op, code, message);
            }
        };
        match op {
            "subscribe" => self.subscribe(&topic, context),
            "unsubscribe" => {
                if context.unsubscribe(&topic) {
                    context.send_json(&json!({ "event": op, "topic": text }));
                } else {
                    error(context, op, 90009, "Invalid subscription");
                }
            }
            _ if topic.request => {
                context.send_first(&topic);
            }
            _ => error(context, op, 90004, "Invalid channel param"),
        }
    }

    /// Why a topic is not served at this address.
    fn wrong_address_hint(&self, text: &str) -> Option<&'static str> {
        wrong_address_hint(&topic::parse(Host::Spot, text)?, self.private)
    }

    fn find(&self, text: &str, context: &SessionContext<'_>) -> Result<Topic, (u32, &'static str)> {
        let Some(topic) = topic::parse(Host::Spot, text) else {
            return Err((90004, "Invalid channel param"));
        };
        if topic.is_private() != self.private {
            return Err(if topic.is_private() {
                (91006, "User not logged in / User must be logged in")
            } else {
                (90004, "Invalid channel param")
            });
        }
        if self.private && !context.is_logged_in() {
            return Err((91006, "User not logged in / User must be logged in"));
        }
        let listed = topic.symbol.is_empty() || context.exchange.spot.contains_key(&topic.symbol);
        if !listed && !context.feed.has_recorded(&topic) {
            return Err((92001, "Invalid symbol param"));
        }
        Ok(topic)
    }

    fn subscribe(&self, topic: &Topic, context: &mut SessionContext<'_>) {
        let max_topics = if self.private { TOPICS_PRIVATE } else { TOPICS_PUBLIC };
        if context.feed.subscriptions.topic_count(context.id) >= max_topics {
            return error(
                context,
                "subscribe",
                90006,
                "Subscribed total topic quantity exceeds limit",
            );
        }
        if !context.subscribe(topic) {
            return error(context, "subscribe", 90008, "Duplicate subscription");
        }
        context.send_json(&json!({ "event": "subscribe", "topic": topic.text.as_str() }));
        context.send_first(topic);
    }
}

fn login(args: &[String], context: &mut SessionContext<'_>) {
    let arg = |at: usize| args.get(at).map_or("", String::as_str);
    if context.is_logged_in() {
        return error(context, "login", 91005, "Already logged in");
    }
    match context.keys.login(arg(0), arg(1), arg(2), context.clock) {
        Ok(caller) => {
            context.feed.subscriptions.log_in(context.id, caller.account);
            context.send_json(&json!({ "event": "login" }));
        }
        Err(LoginRejection { error: reason, reason }) => {
            let (code, message) = match reason {
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
            error(context, "login", code, message);
            if let Some(reason) = &reason {
                context.add_reason(code.to_string(), reason);
            }
            context.close_with_reason(reason);
        }
    }
}

/// The frame for a connection without a permit. No source states which event it is.
pub(super) fn limit_exceeded(exceeded: LimitExceeded) -> Value {
    let (code, message) = match exceeded {
        LimitExceeded::Attempts => {
            ("94001", "Frequently reestablishing connections in a short period of time")
        }
        LimitExceeded::Open => (
            "94002",
            "The number of connections established between a single IP and the server exceeds the upper limit",
        ),
    };
    json!({ "event": "error", "errorMessage": message, "errorCode": code })
}

fn error(context: &mut SessionContext<'_>, event: &str, code: u32, message: &str) {
    let frame = json!({ "event": event, "errorMessage": message, "errorCode": code.to_string() });
    context.send_json(&frame);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_of_messages_fills_and_a_new_one_begins_after_it() {
        let mut session = Session::new(false, true);
        let from = session.window_from;
        assert!((0..MESSAGES).all(|_| session.is_within_limit(from)));
        assert!(!session.is_within_limit(from + WINDOW - Duration::from_millis(1)));
        assert!(session.is_within_limit(from + WINDOW));
        let mut free = Session::new(false, false);
        assert!((0..MESSAGES * 2).all(|_| free.is_within_limit(from)));
    }
}
