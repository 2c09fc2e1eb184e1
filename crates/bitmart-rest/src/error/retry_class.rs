//! Classifies errors by whether and when the request may be sent again.

use std::time::Duration;

use bitmart_types::Timestamp;

use super::{Error, ErrorKind, Outcome, Unexpected};
use crate::code::{Category, RetryAdvice};
use crate::protocol::endpoint::Effect;
use crate::protocol::rate_limit::{MIN_BAN_PAUSE, ThrottleReason};
use crate::transport::TransportErrorKind;

/// Whether and when a request that failed may be sent again: [`Error::retry_class`].
///
/// The client's retries of reads, the module `reconcile` and the pagination of
/// [`history`](crate::history) follow it.
///
/// | Failure | of a read | of a write |
/// |---|---|---|
/// | invalid parameters, missing credentials or host: nothing was sent | `Never` | `Never` |
/// | held back by the client's limiter | `AfterTime` | `AfterTime` |
/// | no connection: nothing was sent | `AfterTime` | `AfterTime` |
/// | timeout, broken connection: it may have arrived | `AfterTime` | `AfterQuery` |
/// | response larger than the limit | `Never` | `AfterQuery` |
/// | HTTP 429, code 30013 (too many requests) | `AfterTime` | `AfterTime`; `AfterQuery` without a code |
/// | HTTP 418, code 30017; held back after it | `Banned` | `Banned` |
/// | maintenance, code 30016 | `AfterTime` | `AfterTime` |
/// | internal error of the exchange (503, code 30014; codes of [`Category::ServerFault`]) | `AfterTime` | `AfterQuery` |
/// | rejected for its parameters, key, funds, order, … | `Never` | `Never` |
/// | undocumented code, HTTP 5xx or 429 | `AfterTime` | `AfterQuery` |
/// | undocumented code, any other status | `Never` | `AfterQuery` |
/// | a proxy's page, not JSON, truncated, contradictory | `AfterTime` | `AfterQuery` |
/// | a page with a client-error status, such as 404 | `Never` | `AfterQuery` |
/// | redirect, browser check, blocked, region, unsupported encoding | `Never` | `AfterQuery` |
/// | success whose data cannot be decoded | `Never` | `AfterQuery` |
///
/// The library retries reads only, and only with `ClientBuilder::retry_reads`. Repeating a write is
/// up to the caller, whatever its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryClass {
    /// The same request fails again until something changes: its parameters, the key, the account or
    /// the network. A write of this class had no effect.
    Never,
    /// A write that may have taken effect ([`Outcome::Unknown`]). Query its result first; never send it
    /// again without that. No read has this class.
    AfterQuery,
    /// The same request may succeed later. A write of this class had no effect.
    AfterTime {
        /// The wait that the exchange or the client's limiter requires, counted from the error. Zero if
        /// none is given: back off exponentially.
        wait: Duration,
    },
    /// The exchange has banned the caller: send no request of any kind until the ban ends, since more
    /// requests prolong it. This says nothing about the result of a write: check
    /// [`Error::outcome`], and query it when the ban has ended.
    Banned {
        /// Remaining duration of the ban when the error was created: as named by the response, between
        /// a minute and a day. A longer ban named by an earlier response stays in force.
        wait: Duration,
        /// End of the ban by the client's clock. `None` for errors of [`decode`](crate::endpoint::decode), which
        /// has no clock.
        until: Option<Timestamp>,
    },
}

impl RetryClass {
    /// How long to wait before the same request may be sent again, counted from the error; `None` if
    /// waiting alone does not help.
    pub fn wait(self) -> Option<Duration> {
        match self {
            Self::AfterTime { wait } | Self::Banned { wait, .. } => Some(wait),
            Self::Never | Self::AfterQuery => None,
        }
    }

    /// Whether the exchange has banned the caller.
    pub fn is_banned(self) -> bool {
        matches!(self, Self::Banned { .. })
    }
}

impl Error {
    /// Whether and when the request may be sent again.
    pub fn retry_class(&self) -> RetryClass {
        if let ErrorKind::Throttled(throttled) = &self.0.kind
            && throttled.reason == ThrottleReason::Banned
        {
            return RetryClass::Banned {
                wait: throttled.retry_after,
                until: Some(throttled.until),
            };
        }
        // Also for a rate-limit error that arrives during an earlier ban.
        if self.is_ban() || self.0.ban_end.is_some() {
            let wait = self.0.retry_after.unwrap_or(MIN_BAN_PAUSE);
            return RetryClass::Banned { wait, until: self.0.ban_end };
        }
        if self.0.effect != Effect::Read && self.0.outcome == Outcome::Unknown {
            return RetryClass::AfterQuery;
        }
        if self.is_transient() {
            RetryClass::AfterTime { wait: self.retry_after().unwrap_or_default() }
        } else {
            RetryClass::Never
        }
    }

    /// Whether the response reports a ban: by its code or, from the proxy in front of the exchange, by
    /// its status.
    pub(crate) fn is_ban(&self) -> bool {
        self.category() == Some(Category::Banned)
            || self.status().is_some_and(|status| status.as_u16() == 418)
    }

    /// Whether the same request may succeed later, for a request without an effect.
    fn is_transient(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Throttled(_) => true,
            ErrorKind::Transport(kind) => {
                !matches!(kind, TransportErrorKind::BodyTooLarge | TransportErrorKind::HeadTooLarge)
            }
            // A 404 page is not transient.
            ErrorKind::Unexpected(Unexpected::Html) => self.status().is_none_or(|status| {
                !status.is_client_error() || matches!(status.as_u16(), 408 | 425 | 429)
            }),
            // Deliberate decisions of a proxy; repeating the request makes it worse.
            ErrorKind::Unexpected(reason) => !matches!(
                reason,
                Unexpected::Redirect
                    | Unexpected::Challenge
                    | Unexpected::Blocked
                    | Unexpected::Region
                    | Unexpected::Encoding
            ),
            ErrorKind::Api(_) if self.is_rate_limited() => true,
            ErrorKind::Api(response) => match response.known() {
                // Writes with an unknown outcome were handled above; a read can simply be repeated.
                Some(known) => matches!(known.retry, RetryAdvice::Later | RetryAdvice::AfterQuery),
                None => response.status.is_server_error(),
            },
            ErrorKind::Validation(_)
            | ErrorKind::Encode
            | ErrorKind::MissingCredentials
            | ErrorKind::MissingHost(_)
            | ErrorKind::Decode(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
