//! The context in which sessions handle messages.

use bitmart_sim::Exchange;

use crate::{
    address::SocketKind,
    auth::{KeyRing, LoginRejection},
    clock::Clock,
    feed::{Feed, Output, SocketId},
    reasons::bounded,
    wire::{session::Login, topic::Topic},
};

/// Explains why a private topic is rejected at a public address.
const PRIVATE_TOPIC_HINT: &str =
    "this is the public address: private topics, and the login, are at the one with the path /user";
/// Explains why a public topic is rejected at a private address.
const PUBLIC_TOPIC_HINT: &str =
    "this is the private address: public topics are at the one with the path /api";
/// Maximum length of the reason in a close frame, in bytes.
const MAX_REASON: usize = 123;

/// The state of the sandbox and the identity of the connection, for the handling of a message.
pub(super) struct SessionContext<'a> {
    pub(super) feed: &'a mut Feed,
    pub(super) exchange: &'a Exchange,
    pub(super) keys: &'a KeyRing,
    pub(super) id: SocketId,
    pub(super) clock: Clock,
    pub(super) now_ms: u64,
    /// A new id for a pong.
    pub(super) pong_id: String,
    /// Codes and reasons of rejections, which are written to standard error.
    pub(super) reasons: Vec<(String, String)>,
}

impl SessionContext<'_> {
    pub(super) fn add_reason(&mut self, code: impl Into<String>, reason: impl Into<String>) {
        self.reasons.push((code.into(), reason.into()));
    }

    pub(super) fn send(&mut self, output: Output) {
        self.feed.subscriptions.send(self.id, output);
    }

    pub(super) fn send_json(&mut self, value: &serde_json::Value) {
        self.feed.subscriptions.send_json(self.id, value);
    }

    /// Sends the current value of a topic, if the channel starts with one.
    pub(super) fn send_first(&mut self, topic: &Topic) {
        self.feed.send_first(self.exchange, self.id, topic, self.now_ms);
    }

    /// Authenticates a login and assigns the connection to its account.
    pub(super) fn log_in(&mut self, login: &Login) -> Result<(), LoginRejection> {
        let Login { key, timestamp, sign } = login;
        let caller = self.keys.login(key, timestamp, sign, self.clock)?;
        self.feed.subscriptions.log_in(self.id, caller.account);
        Ok(())
    }

    pub(super) fn is_logged_in(&self) -> bool {
        self.feed.subscriptions.account(self.id).is_some()
    }

    /// Subscribes to a topic. Returns false if it was subscribed already.
    pub(super) fn subscribe(&mut self, topic: &Topic) -> bool {
        self.feed.subscriptions.subscribe(self.id, topic)
    }

    /// Unsubscribes from a topic. Returns false if it was not subscribed.
    pub(super) fn unsubscribe(&mut self, topic: &Topic) -> bool {
        self.feed.subscriptions.unsubscribe(self.id, topic)
    }

    /// Closes the connection after a failed login, with the reason in the close frame.
    pub(super) fn close_with_reason(&mut self, reason: Option<String>) {
        self.send(match reason {
            Some(reason) => {
                // `bounded` leaves ASCII only, so that characters are bytes.
                let short: String = bounded(&reason).chars().take(MAX_REASON).collect();
                Output::CloseWithReason(1000, short.into())
            }
            None => Output::Close(1000, "the login was rejected"),
        });
    }
}

/// Explains why a topic is not served at an address; `None` if it is.
pub(super) fn wrong_address_hint(topic: &Topic, kind: SocketKind) -> Option<&'static str> {
    match (topic.is_private(), kind) {
        (true, SocketKind::Public) => Some(PRIVATE_TOPIC_HINT),
        (false, SocketKind::Private) => Some(PUBLIC_TOPIC_HINT),
        _ => None,
    }
}
