//! `Display` and `Debug` of errors.

use std::fmt;

use super::{Error, ErrorKind, Outcome};
use crate::protocol::endpoint::{Effect, Host};
use crate::protocol::rate_limit::ThrottleReason;
use crate::protocol::response::reason_text;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.0.endpoint)?;
        match &self.0.kind {
            ErrorKind::Validation(error) => fmt::Display::fmt(error, f)?,
            ErrorKind::Encode => f.write_str("the parameters could not be encoded")?,
            ErrorKind::MissingCredentials => f.write_str("the client has no credentials")?,
            ErrorKind::MissingHost(Host::Spot) => {
                f.write_str("the environment has no spot host")?;
            }
            ErrorKind::MissingHost(Host::Futures) => {
                f.write_str("the environment has no futures host")?;
            }
            ErrorKind::Throttled(throttled) => {
                f.write_str(match throttled.reason {
                    ThrottleReason::LimitReached => "held back to keep the rate limit",
                    ThrottleReason::TooManyRequests => "held back after too many requests",
                    ThrottleReason::Banned => "held back after a ban",
                    ThrottleReason::BudgetUnavailable => {
                        "held back because the shared budget is not known"
                    }
                })?;
                write!(f, ", retry in {} ms", throttled.retry_after.as_millis())?;
            }
            ErrorKind::Transport(kind) => f.write_str(kind.text())?,
            ErrorKind::Api(error) => {
                match error.code {
                    Some(code) => write!(f, "code {code}, {:?}", error.message)?,
                    None => write!(f, "error {:?}", error.message)?,
                }
                if let Some(trace) = &error.trace {
                    write!(f, " (trace {trace})")?;
                }
            }
            ErrorKind::Decode(error) => write!(f, "`{}` could not be decoded", error.path)?,
            ErrorKind::Unexpected(reason) => {
                f.write_str(reason_text(*reason, self.status()))?;
                if let Some(detail) = &self.0.detail {
                    write!(f, ": {detail}")?;
                }
                if let Some(status) = self.status() {
                    write!(f, " (HTTP {})", status.as_u16())?;
                }
            }
        }
        if let Some(advice) = self.advice() {
            write!(f, ". {advice}")?;
        } else {
            f.write_str(".")?;
        }
        if let Some(end) = self.0.ban_end {
            write!(f, " Banned until {end}: send nothing before.")?;
        }
        match (self.outcome(), self.0.effect) {
            (Outcome::Rejected, _) | (_, Effect::Read) => Ok(()),
            (Outcome::NotSent, _) => f.write_str(" Nothing was sent."),
            (Outcome::Unknown, Effect::Trade) => f.write_str(
                " The request may have taken effect: query the order before sending it again.",
            ),
            (Outcome::Unknown, _) => f.write_str(
                " The request may have taken effect: check the account before sending it again.",
            ),
        }
    }
}

/// Like `Display` but with the parts named. Shows neither parameters nor the body.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug
            .field("endpoint", &self.0.endpoint)
            .field("kind", &self.0.kind)
            .field("outcome", &self.0.outcome);
        if let Some(response) = &self.0.response {
            debug.field("status", &response.status).field("body_bytes", &response.body.len());
        }
        if let Some(detail) = &self.0.detail {
            debug.field("detail", detail);
        }
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish_non_exhaustive()
    }
}
