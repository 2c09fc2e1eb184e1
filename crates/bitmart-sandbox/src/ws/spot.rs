//! The spot dialect: `{"op": …, "args": […]}`, text `ping`, errors with codes.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    feed::{Feed, Out, SocketId},
    room::Crowded,
    topic::{self, Topic},
};
use crate::{
    auth::{Denied, KeyRing, LoginError},
    clock::Clock,
    exchange::Exchange,
    generated::Host,
    hints,
    reasons::bounded,
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

/// What a session works with.
pub(super) struct Desk<'a> {
    pub(super) feed: &'a mut Feed,
    pub(super) exchange: &'a Exchange,
    pub(super) keys: &'a KeyRing,
    pub(super) id: SocketId,
    pub(super) clock: Clock,
    pub(super) now_ms: u64,
    /// A fresh id for pongs.
    pub(super) trace: String,
    /// Codes and reasons of what was refused, for standard error.
    pub(super) reasons: Vec<(String, String)>,
}

impl Desk<'_> {
    pub(super) fn explain(&mut self, code: impl Into<String>, why: impl Into<String>) {
        self.reasons.push((code.into(), why.into()));
    }

    /// Closes after a login that failed. The frame has room for 123 bytes of why.
    pub(super) fn close_because(&mut self, why: Option<String>) {
        let out = match why {
            Some(why) => {
                let short: String = bounded(&why).chars().take(REASON).collect();
                Out::CloseBecause(1000, short.into())
            }
            None => Out::Close(1000),
        };
        self.feed.send(self.id, out);
    }
}

/// Said where a topic is asked for on the wrong one of two addresses.
pub(super) const PRIVATE: &str =
    "this is the public address: private topics, and the login, are at the one with the path /user";
pub(super) const PUBLIC: &str =
    "this is the private address: public topics are at the one with the path /api";
/// Room for a reason in a close frame, in bytes.
const REASON: usize = 123;

impl Session {
    pub(super) fn new(private: bool, limited: bool) -> Self {
        Self { private, limited, window_from: Instant::now(), messages: 0 }
    }

    /// Handles one text message of the client, heard at `now`.
    pub(super) fn on_text(&mut self, text: &str, now: Instant, desk: &mut Desk<'_>) {
        if !self.has_room(now) {
            error(
                desk,
                "subscribe",
                90007,
                "Subscribed message frequency exceeds limit, please try later",
            );
            return desk.feed.send(desk.id, Out::Close(1008));
        }
        if text == "ping" {
            return desk.feed.send(desk.id, Out::Text("pong".into()));
        }
        let Ok(Value::Object(message)) = serde_json::from_str(text) else {
            return error(desk, "error", 90001, "Invalid message format");
        };
        let op = message.get("op").and_then(Value::as_str).unwrap_or_default();
        if !matches!(op, "login" | "subscribe" | "unsubscribe" | "request") {
            return error(desk, op, 90002, "Invalid op param");
        }
        // The Node and PHP clients send the timestamp of a login as a number.
        let word = |arg: &Value| match arg {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let args: Option<Vec<String>> = message
            .get("args")
            .and_then(Value::as_array)
            .and_then(|args| args.iter().map(word).collect());
        let Some(args) = args.filter(|args| !args.is_empty()) else {
            return error(desk, op, 90003, "Invalid args param");
        };
        match op {
            "login" => login(&args, desk),
            _ if args.len() > ARGS => {
                error(desk, op, 90005, "Topic quantity in single subscription exceeds limit");
            }
            _ => args.iter().for_each(|arg| self.on_topic(op, arg, desk)),
        }
    }

    fn has_room(&mut self, now: Instant) -> bool {
        if now.duration_since(self.window_from) >= WINDOW {
            (self.window_from, self.messages) = (now, 0);
        }
        self.messages = self.messages.saturating_add(1);
        !self.limited || self.messages <= MESSAGES
    }

    fn on_topic(&self, op: &str, text: &str, desk: &mut Desk<'_>) {
        let topic = match self.find(text, desk) {
            Ok(topic) => topic,
            Err((code, words)) => {
                if let Some(why) = self.misplaced(text) {
                    desk.explain(code.to_string(), format!("{text}: {why}"));
                    return error(desk, op, code, &format!("{words}. {why}"));
                }
                let symbol = topic::parse(Host::Spot, text).map(|topic| topic.symbol);
                let symbol = symbol.filter(|_| code == 92001).unwrap_or_default();
                if let Some(why) = hints::symbol(Host::Spot, &symbol, desk.exchange) {
                    desk.explain(code.to_string(), why);
                }
                return error(desk, op, code, words);
            }
        };
        match op {
            "subscribe" => self.subscribe(&topic, desk),
            "unsubscribe" => {
                if desk.feed.unsubscribe(desk.id, &topic) {
                    desk.feed.send_json(desk.id, &json!({ "event": op, "topic": text }));
                } else {
                    error(desk, op, 90009, "Invalid subscription");
                }
            }
            _ if topic.request => {
                desk.feed.send_first(desk.exchange, desk.id, &topic, desk.now_ms);
            }
            _ => error(desk, op, 90004, "Invalid channel param"),
        }
    }

    /// Why a topic cannot be had at this address.
    fn misplaced(&self, text: &str) -> Option<&'static str> {
        let topic = topic::parse(Host::Spot, text).filter(|topic| topic.private != self.private)?;
        Some(if topic.private { PRIVATE } else { PUBLIC })
    }

    fn find(&self, text: &str, desk: &Desk<'_>) -> Result<Topic, (u32, &'static str)> {
        let Some(topic) = topic::parse(Host::Spot, text) else {
            return Err((90004, "Invalid channel param"));
        };
        if topic.private != self.private {
            return Err(if topic.private {
                (91006, "User not logged in / User must be logged in")
            } else {
                (90004, "Invalid channel param")
            });
        }
        if self.private && desk.feed.account(desk.id).is_none() {
            return Err((91006, "User not logged in / User must be logged in"));
        }
        let listed = topic.symbol.is_empty() || desk.exchange.spot.contains_key(&topic.symbol);
        if !listed && !desk.feed.plays(&topic) {
            return Err((92001, "Invalid symbol param"));
        }
        Ok(topic)
    }

    fn subscribe(&self, topic: &Topic, desk: &mut Desk<'_>) {
        let most = if self.private { TOPICS_PRIVATE } else { TOPICS_PUBLIC };
        if desk.feed.topic_count(desk.id) >= most {
            return error(
                desk,
                "subscribe",
                90006,
                "Subscribed total topic quantity exceeds limit",
            );
        }
        if !desk.feed.subscribe(desk.id, topic) {
            return error(desk, "subscribe", 90008, "Duplicate subscription");
        }
        desk.feed
            .send_json(desk.id, &json!({ "event": "subscribe", "topic": topic.text.as_str() }));
        desk.feed.send_first(desk.exchange, desk.id, topic, desk.now_ms);
    }
}

fn login(args: &[String], desk: &mut Desk<'_>) {
    let arg = |at: usize| args.get(at).map_or("", String::as_str);
    if desk.feed.account(desk.id).is_some() {
        return error(desk, "login", 91005, "Already logged in");
    }
    match desk.keys.login(arg(0), arg(1), arg(2), desk.clock) {
        Ok(caller) => {
            desk.feed.log_in(desk.id, caller.account);
            desk.feed.send_json(desk.id, &json!({ "event": "login" }));
        }
        Err(Denied { error: reason, why }) => {
            let (code, words) = match reason {
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
            error(desk, "login", code, words);
            if let Some(why) = &why {
                desk.explain(code.to_string(), why);
            }
            desk.close_because(why);
        }
    }
}

/// The frame for who finds no room. No source says which event it is.
pub(super) fn turned_away(crowded: Crowded) -> Value {
    let (code, words) = match crowded {
        Crowded::Often => {
            ("94001", "Frequently reestablishing connections in a short period of time")
        }
        Crowded::Many => (
            "94002",
            "The number of connections established between a single IP and the server exceeds the upper limit",
        ),
    };
    json!({ "event": "error", "errorMessage": words, "errorCode": code })
}

fn error(desk: &mut Desk<'_>, event: &str, code: u32, words: &str) {
    let frame = json!({ "event": event, "errorMessage": words, "errorCode": code.to_string() });
    desk.feed.send_json(desk.id, &frame);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_of_messages_fills_and_starts_anew() {
        let mut session = Session::new(false, true);
        let from = session.window_from;
        assert!((0..MESSAGES).all(|_| session.has_room(from)));
        assert!(!session.has_room(from + WINDOW - Duration::from_millis(1)));
        assert!(session.has_room(from + WINDOW));
        let mut free = Session::new(false, false);
        assert!((0..MESSAGES * 2).all(|_| free.has_room(from)));
    }
}
