//! What can go wrong, in words that say what to do.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::reason::Rejection;

/// An error of a client or a subscription. An error in a [`Subscription`](crate::Subscription) is
/// always its last item.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    rejection: Option<Rejection>,
    topic: Option<Box<str>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client was configured with something unusable, such as an address that is none.
    Config,
    /// A private topic needs credentials and the client has none.
    CredentialsMissing,
    /// The venue refused the login, for a reason that will not pass by itself: key, signature, memo,
    /// permission, or five times in a row a text that nobody knows. Correct the cause and subscribe
    /// again; attempts keep the client's backoff.
    LoginRefused,
    /// The venue refused the topic.
    Rejected,
    /// Every connection that the venue allows is full of topics. Drop some subscriptions first.
    Full,
    /// The subscription was not acknowledged within the time allowed.
    Timeout,
    /// A private subscription, or a stream of many topics that may drop nothing, was read too slowly
    /// and its queue ran full. Events after this point are missing: query orders and balances over
    /// REST, then subscribe again.
    Overflow,
    /// The topic cannot do this: `request` is for incremental books and funding rates only.
    Unsupported,
    /// The client was shut down.
    ShutDown,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            rejection: None,
            topic: None,
            source: None,
        }))
    }

    pub(crate) fn login_refused(rejection: Rejection) -> Self {
        let message = format!("login refused: {rejection}; {}", rejection.login_advice());
        Self::new(ErrorKind::LoginRefused, message).with_rejection(rejection)
    }

    pub(crate) fn rejected(topic: &str, rejection: Rejection) -> Self {
        let message = format!("topic {topic} refused: {rejection}");
        Self::new(ErrorKind::Rejected, message).with_rejection(rejection)
    }

    fn with_rejection(mut self, rejection: Rejection) -> Self {
        self.0.rejection = Some(rejection);
        self
    }

    /// The same error as one of this topic.
    pub(crate) fn about(mut self, topic: &str) -> Self {
        self.0.topic = Some(topic.into());
        self
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The topic that ended, in an error of a [`FanIn`](crate::FanIn) that ends one of its topics.
    pub fn topic(&self) -> Option<&str> {
        self.0.topic.as_deref()
    }

    /// The venue's own words, if it was the venue that refused.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.0.rejection.as_ref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
