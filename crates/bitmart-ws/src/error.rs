//! Errors of clients and subscriptions.

use std::fmt;

use crate::reason::Rejection;

/// An error of a client or a subscription. In a [`Subscription`](crate::Subscription) it is always the
/// last item.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    rejection: Option<Rejection>,
    topic: Option<Box<str>>,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration does not fit the topics: the environment has no such WebSocket, a
    /// [`FanIn`](crate::FanIn) mixes public and private topics, or its queue is too small. The message
    /// says what to change.
    Config,
    /// A private topic needs credentials and the client has none. Pass them to
    /// [`ClientBuilder::credentials`](crate::ClientBuilder::credentials).
    MissingCredentials,
    /// The exchange rejected the login permanently: wrong key, signature, memo or permission, or five
    /// unexplained rejections in a row. Correct the cause and subscribe again; the client
    /// keeps its backoff. [`Rejection::login_advice`] says what to check.
    LoginRejected,
    /// The exchange rejected the topic. Check its name, and subscribe to another.
    Rejected,
    /// Every connection that the exchange allows carries as many topics as it can. Drop some
    /// subscriptions first.
    TopicLimit,
    /// The subscription was not acknowledged within
    /// [`ClientBuilder::subscribe_timeout`](crate::ClientBuilder::subscribe_timeout). The message
    /// contains the last connection problem.
    Timeout,
    /// A private subscription, or a [`FanIn`](crate::FanIn) that may drop nothing, was read too slowly
    /// and its queue is full. The events that follow are missing: query orders and balances over REST,
    /// then subscribe again.
    Overflow,
    /// The topic has no snapshots to request: only incremental books and funding rates do.
    Unsupported,
    /// The [`Source`](crate::source::Source) of the topic ended it. The message says why.
    Source,
    /// The client was shut down.
    ShutDown,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), rejection: None, topic: None }))
    }

    pub(crate) fn login_rejected(rejection: Rejection) -> Self {
        let message = format!("login rejected: {rejection}; {}", rejection.login_advice());
        Self::new(ErrorKind::LoginRejected, message).with_rejection(rejection)
    }

    pub(crate) fn rejected(topic: &str, rejection: Rejection) -> Self {
        let message = format!("topic {topic} rejected: {rejection}");
        Self::new(ErrorKind::Rejected, message).with_rejection(rejection)
    }

    pub(crate) fn no_snapshots(topic: &str) -> Self {
        Self::new(ErrorKind::Unsupported, format!("{topic} has no snapshots to request"))
    }

    /// The source of the topic dropped its feed.
    pub(crate) fn source_ended() -> Self {
        Self::new(ErrorKind::Source, "the source of the topic has ended it")
    }

    fn with_rejection(mut self, rejection: Rejection) -> Self {
        self.0.rejection = Some(rejection);
        self
    }

    /// Names the topic that the error ended.
    pub(crate) fn with_topic(mut self, topic: &str) -> Self {
        self.0.topic = Some(topic.into());
        self
    }

    /// Returns the kind of this error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the topic that ended, if the error ends one topic of a [`FanIn`](crate::FanIn).
    pub fn topic(&self) -> Option<&str> {
        self.0.topic.as_deref()
    }

    /// Returns the error that the exchange sent, if there is one.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.0.rejection.as_ref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}
