//! The fixed values of metric labels and span fields.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Outcome};
use crate::protocol::endpoint::Method;
use crate::transport::TransportErrorKind;

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Ok,
    NotSent,
    Rejected,
    Unknown,
    /// The future was dropped.
    Canceled,
}

impl Ended {
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Canceled => "canceled",
        }
    }
}

pub(super) fn outcome(error: Option<&Error>) -> Ended {
    match error.map(Error::outcome) {
        None => Ended::Ok,
        Some(Outcome::NotSent) => Ended::NotSent,
        Some(Outcome::Rejected) => Ended::Rejected,
        Some(Outcome::Unknown) => Ended::Unknown,
    }
}

pub(super) const fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
    }
}

pub(super) fn error_type(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Validation(_) => "validation",
        ErrorKind::Encode => "encode",
        ErrorKind::MissingCredentials => "missing_credentials",
        ErrorKind::MissingHost(_) => "missing_host",
        ErrorKind::Throttled(_) => "throttled",
        ErrorKind::Transport(kind) => transport(*kind),
        ErrorKind::Api(_) => "api",
        ErrorKind::Decode(_) => "decode",
        ErrorKind::Unexpected(_) => "unexpected",
    }
}

pub(super) const fn transport(kind: TransportErrorKind) -> &'static str {
    match kind {
        TransportErrorKind::Connect => "connect",
        TransportErrorKind::Tls => "tls",
        TransportErrorKind::Timeout => "timeout",
        TransportErrorKind::Interrupted => "interrupted",
        TransportErrorKind::BodyTooLarge => "body_too_large",
        TransportErrorKind::HeadTooLarge => "head_too_large",
        TransportErrorKind::Other => "transport",
    }
}

/// Milliseconds with a fraction, because a round trip on one machine takes less than one.
pub(super) fn millis(time: Duration) -> f64 {
    time.saturating_mul(1000).as_secs_f64()
}
