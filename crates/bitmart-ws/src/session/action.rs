//! What a session asks of whoever owns the socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::reason::{ReconnectReason, Rejection};

/// An order of the [`Session`](super::Session) to its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Open a connection after this delay, then report
    /// [`connected`](super::Session::connected) or [`closed`](super::Session::closed).
    Connect {
        /// How long to wait first.
        delay: Duration,
    },
    /// Send the frame of [`Dialect::login`](crate::Dialect::login), signed with the time of this
    /// moment. The session never sees the credentials.
    Login,
    /// Send this text frame.
    Send(String),
    /// Tell the user.
    Emit(Notice),
    /// Drop the socket or the attempt to connect. Nothing of it may be reported afterwards.
    Close,
}

/// What the user of a session should know. Topics are named as they were subscribed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The venue acknowledged the topic or sent its data for the first time, or the topic was
    /// subscribed already.
    Subscribed {
        /// The topic.
        topic: Arc<str>,
    },
    /// The venue acknowledged the topic again after a reconnection, or sent its data again. Whatever
    /// happened in between was not delivered.
    Resynced {
        /// The topic.
        topic: Arc<str>,
    },
    /// The venue refused the topic. The session has forgotten it.
    Rejected {
        /// The topic.
        topic: Arc<str>,
        /// The venue's words.
        rejection: Rejection,
    },
    /// The topic is no longer subscribed.
    Unsubscribed {
        /// The topic.
        topic: Arc<str>,
    },
    /// The venue refused to send a snapshot. The subscription itself is not affected.
    RequestRejected {
        /// The topic.
        topic: Arc<str>,
        /// The venue's words.
        rejection: Rejection,
    },
    /// Nothing has been heard on the connection since then, not even the answer to a heartbeat.
    Stale {
        /// When something was heard last.
        since: Instant,
    },
    /// The connection that was [`Stale`](Self::Stale) is heard again; nothing is missing.
    Alive,
    /// The connection is gone; every topic will be subscribed again on the next one.
    Reconnecting {
        /// What ended it.
        reason: ReconnectReason,
    },
    /// The venue refused the login, for a reason that stays (key, signature, memo, permission) or, as
    /// often as [`Limits::unexplained_refusals`](crate::Limits::unexplained_refusals) says, for one
    /// that nobody knows. The session is over, its topics are forgotten.
    LoginRefused {
        /// The venue's words.
        rejection: Rejection,
    },
}
