//! What the sessions of both dialects work with.

use bitmart_sim::Exchange;

use crate::{
    auth::KeyRing,
    clock::Clock,
    feed::{Feed, Output, SocketId},
    reasons::bounded,
    wire::topic::Topic,
};

/// Why a topic is not served at the address for public ones.
const PRIVATE: &str =
    "this is the public address: private topics, and the login, are at the one with the path /user";
/// Why a topic is not served at the address for private ones.
const PUBLIC: &str = "this is the private address: public topics are at the one with the path /api";
/// Longest reason of a close frame, in bytes.
const REASON: usize = 123;

/// State and identity that a session handles a message with.
pub(super) struct SessionContext<'a> {
    pub(super) feed: &'a mut Feed,
    pub(super) exchange: &'a Exchange,
    pub(super) keys: &'a KeyRing,
    pub(super) id: SocketId,
    pub(super) clock: Clock,
    pub(super) now_ms: u64,
    /// A fresh id for pongs.
    pub(super) trace: String,
    /// Codes and reasons of rejections, for standard error.
    pub(super) reasons: Vec<(String, String)>,
}

impl SessionContext<'_> {
    pub(super) fn explain(&mut self, code: impl Into<String>, why: impl Into<String>) {
        self.reasons.push((code.into(), why.into()));
    }

    pub(super) fn send(&mut self, output: Output) {
        self.feed.subscriptions.send(self.id, output);
    }

    pub(super) fn send_json(&mut self, value: &serde_json::Value) {
        self.feed.subscriptions.send_json(self.id, value);
    }

    /// Sends the present value of a topic, where the channel starts with one.
    pub(super) fn send_first(&mut self, topic: &Topic) {
        self.feed.send_first(self.exchange, self.id, topic, self.now_ms);
    }

    pub(super) fn is_logged_in(&self) -> bool {
        self.feed.subscriptions.account(self.id).is_some()
    }

    /// False if it was subscribed already.
    pub(super) fn subscribe(&mut self, topic: &Topic) -> bool {
        self.feed.subscriptions.subscribe(self.id, topic)
    }

    /// False if it was not subscribed.
    pub(super) fn unsubscribe(&mut self, topic: &Topic) -> bool {
        self.feed.subscriptions.unsubscribe(self.id, topic)
    }

    /// Closes after a login that failed. The frame has space for 123 bytes of the reason.
    pub(super) fn close_because(&mut self, why: Option<String>) {
        self.send(match why {
            Some(why) => {
                let short: String = bounded(&why).chars().take(REASON).collect();
                Output::CloseBecause(1000, short.into())
            }
            None => Output::Close(1000),
        });
    }
}

/// Why a topic is not served at an address.
pub(super) fn misplaced(topic: &Topic, private: bool) -> Option<&'static str> {
    match (topic.is_private(), private) {
        (true, false) => Some(PRIVATE),
        (false, true) => Some(PUBLIC),
        _ => None,
    }
}
