//! Failures of the program: a text for people and an exit code for scripts.

use std::fmt;

use bitmart::rest::code::Category;
use bitmart::rest::{Error, ErrorKind, Outcome};
use bitmart::ws::{Error as StreamError, ErrorKind as StreamErrorKind};

/// The exit code. The codes are stable; the README explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// A local problem: a file, the terminal, the keyring.
    Io = 1,
    /// The command line, the configuration or a parameter is wrong.
    Usage = 2,
    /// Nothing was sent: there are no credentials, or the exchange is not reachable.
    NotSent = 3,
    /// The exchange rejected the request.
    Rejected = 4,
    /// Key, signature, clock or permission is wrong.
    Access = 5,
    /// Too many requests, or banned for them.
    TooFast = 6,
    /// The exchange is not available, or its response cannot be decoded. Nothing was changed.
    Unavailable = 7,
    /// A request with an effect was sent, and its outcome is unknown.
    Unknown = 8,
    /// The user declined, or could not be asked.
    NotConfirmed = 9,
    /// An export is incomplete or was changed, or a wind-down has steps left.
    Incomplete = 10,
    /// The request took effect, but its response was lost, and a query showed it; its id is on standard output. Or the
    /// response cannot be printed; its data is on standard error.
    TookEffect = 11,
}

/// The reason why the program fails.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    text: String,
    advice: Option<String>,
    /// Whether nothing is printed.
    quiet: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into(), advice: None, quiet: false }
    }
    /// A local problem: a file, the terminal, the keyring.
    pub(crate) fn io(text: impl Into<String>) -> Self {
        Self::new(Exit::Io, text)
    }
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::new(Exit::Usage, text)
    }
    /// The reader of standard output closed the pipe. It is not reported.
    pub(crate) fn pipe_closed() -> Self {
        Self { quiet: true, ..Self::io("the reader of the output closed the pipe") }
    }
    #[must_use]
    pub(crate) fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
    /// Puts the failed operation before the text.
    #[must_use]
    pub(crate) fn with_context(mut self, what: &str) -> Self {
        self.text = format!("{what}: {}", self.text);
        self
    }
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.advice {
            Some(advice) => write!(f, "\nadvice: {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// The text of an error and of its causes. Libraries that repeat a cause in their own text are not repeated here.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

/// Advice for requests that need a key.
const NO_KEY: &str = "set BITMART_API_KEY, BITMART_API_SECRET and BITMART_API_MEMO, or store a key with \
                      `bitmart auth add`, or use `--env sandbox`";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = exit(&error);
        let failure = Self::new(exit, chain(&error));
        if let ErrorKind::MissingCredentials = error.kind() {
            return failure.with_advice(NO_KEY);
        }
        failure
    }
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Self {
        let exit = match error.kind() {
            StreamErrorKind::Config => Exit::Usage,
            StreamErrorKind::MissingCredentials => Exit::NotSent,
            StreamErrorKind::LoginRejected => Exit::Access,
            StreamErrorKind::Rejected => Exit::Rejected,
            StreamErrorKind::TopicLimit => Exit::TooFast,
            StreamErrorKind::Overflow => Exit::Incomplete,
            _ => Exit::Unavailable,
        };
        let failure = Self::new(exit, chain(&error));
        if error.kind() == StreamErrorKind::MissingCredentials {
            return failure.with_advice(NO_KEY);
        }
        failure
    }
}

fn exit(error: &Error) -> Exit {
    let unknown = error.outcome() == Outcome::Unknown && !error.is_without_effect();
    match (error.kind(), error.category()) {
        _ if unknown => Exit::Unknown,
        (ErrorKind::Validation(_) | ErrorKind::Encode | ErrorKind::MissingHost(_), _) => {
            Exit::Usage
        }
        (ErrorKind::MissingCredentials, _) => Exit::NotSent,
        _ if error.is_rate_limited() => Exit::TooFast,
        (_, Some(Category::Authentication | Category::Clock | Category::Permission)) => {
            Exit::Access
        }
        (_, Some(Category::Maintenance | Category::Deprecated | Category::ServerFault)) => {
            Exit::Unavailable
        }
        (ErrorKind::Api(_), _) => Exit::Rejected,
        (ErrorKind::Transport(_), _) if error.outcome() == Outcome::NotSent => Exit::NotSent,
        _ => Exit::Unavailable,
    }
}
