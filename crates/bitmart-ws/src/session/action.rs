//! The actions that a session requests from the owner of the socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::reason::{ReconnectReason, Rejection};

/// An instruction of the [`Session`](super::Session) to its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Open a connection after this delay, then call
    /// [`connected`](super::Session::connected) or [`disconnected`](super::Session::disconnected).
    Connect {
        /// How long to wait first.
        delay: Duration,
    },
    /// Send the frame of [`login_frame`](super::login_frame), signed with the current time. The
    /// session never sees the credentials.
    Login,
    /// Send this text frame.
    Send(String),
    /// Pass this event on to the subscriptions.
    Emit(SessionEvent),
    /// Drop the socket or the connection attempt. Pass nothing of it to the session afterwards.
    Close,
}

/// A change in the life of a connection or of one of its topics. Topics are named as they were
/// subscribed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// The exchange acknowledged the topic or sent its first data, or the topic was subscribed
    /// already.
    Subscribed {
        /// The topic.
        topic: Arc<str>,
    },
    /// The topic is subscribed again, after a reconnection or after
    /// [`resubscribe`](super::Session::resubscribe). Whatever happened in between was not delivered.
    Resynced {
        /// The topic.
        topic: Arc<str>,
    },
    /// The topic was rejected and is not desired any more: by the exchange, or by the session itself, because of
    /// its limits or because no acknowledgement arrived.
    Rejected {
        /// The topic.
        topic: Arc<str>,
        /// The error that the exchange sent, or the reason of the session, without a code.
        rejection: Rejection,
    },
    /// The topic is no longer subscribed.
    Unsubscribed {
        /// The topic.
        topic: Arc<str>,
    },
    /// The exchange rejected the request for a snapshot. The subscription itself continues.
    RequestRejected {
        /// The topic.
        topic: Arc<str>,
        /// The error that the exchange sent.
        rejection: Rejection,
    },
    /// Nothing has been received on the connection since then, not even the response to a heartbeat.
    Stale {
        /// When the last frame was received.
        since: Instant,
    },
    /// The [`Stale`](Self::Stale) connection receives again; nothing is missing.
    Alive,
    /// The connection is gone. Every topic will be subscribed again on the next one.
    Reconnecting {
        /// What ended it.
        reason: ReconnectReason,
    },
    /// The exchange rejected the login permanently (key, signature, memo, permission), or its
    /// unexplained rejections reached
    /// [`Limits::max_unexplained_rejections`](crate::Limits::max_unexplained_rejections). The session
    /// has ended and removed its topics.
    LoginRejected {
        /// The error that the exchange sent.
        rejection: Rejection,
    },
}
