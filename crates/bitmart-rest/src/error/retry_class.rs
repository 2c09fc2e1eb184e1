//! The one judgement of failures: whether and when a request may be sent again.

use std::time::Duration;

use bitmart_types::Timestamp;

use super::{Error, ErrorKind, Outcome, Unexpected};
use crate::client::rate::{BAN_REST, ThrottleReason};
use crate::code::{Category, TryAgain};
use crate::transport::TransportErrorKind;
use crate::wire::endpoint::Effect;

/// Whether and when a request that failed may be sent again: [`Error::retry_class`].
///
/// The client's retries of reads, the module `reconcile` and the walks of
/// [`history`](crate::history) go by it.
///
/// | Failure | of a read | of a write |
/// |---|---|---|
/// | parameters, missing key, missing host: nothing was sent | `Never` | `Never` |
/// | held back by the client to keep a limit | `AfterTime` | `AfterTime` |
/// | no connection: nothing was sent | `AfterTime` | `AfterTime` |
/// | time limit, broken connection: it may have arrived | `AfterTime` | `AfterQuery` |
/// | response larger than the limit | `Never` | `AfterQuery` |
/// | HTTP 429, code 30013 (too many requests) | `AfterTime` | `AfterTime`; `AfterQuery` without a code |
/// | HTTP 418, code 30017; held back after it | `Banned` | `Banned` |
/// | maintenance, code 30016 | `AfterTime` | `AfterTime` |
/// | a fault inside the exchange (503, code 30014; codes of [`Category::ServerFault`]) | `AfterTime` | `AfterQuery` |
/// | refused for its parameters, key, funds, order, … | `Never` | `Never` |
/// | a code that is not documented, HTTP 5xx or 429 | `AfterTime` | `AfterQuery` |
/// | a code that is not documented, any other status | `Never` | `AfterQuery` |
/// | a proxy's page, no JSON, cut off, contradictory | `AfterTime` | `AfterQuery` |
/// | a page with a status of refusal, such as 404 | `Never` | `AfterQuery` |
/// | redirect, browser check, blocked, region, unreadable encoding | `Never` | `AfterQuery` |
/// | success whose data does not decode | `Never` | `AfterQuery` |
///
/// The library itself sends reads again and nothing else, and those only if it is told to
/// (`ClientBuilder::retry_reads`): a write is its caller's to repeat, whatever its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryClass {
    /// The same request fails again until something changes: its parameters, the key, the account,
    /// the network in between. A write of this class had no effect.
    Never,
    /// A write that may have taken effect ([`Outcome::Unknown`]). Ask the exchange what became of it
    /// before anything else; never send it again without that. No read has this class.
    AfterQuery,
    /// The same request may do better later. A write of this class had no effect.
    AfterTime {
        /// What the exchange or the client's limiter asks to wait, from when the error was made.
        /// Zero where nobody named a time: pause as you see fit, and longer each time.
        wait: Duration,
    },
    /// The exchange has banned the caller: send nothing at all until it ends, also no other request.
    /// Going on prolongs the ban. It says nothing of what became of a write: look at
    /// [`Error::outcome`], and query it when the ban has ended.
    Banned {
        /// How long the ban still lasted when the error was made: what the response named, a minute
        /// at least and a day at most. A longer ban that an earlier response named counts on.
        wait: Duration,
        /// Its end by the client's clock. `None` for an error that no client made: see
        /// [`decode`](crate::decode).
        until: Option<Timestamp>,
    },
}

impl RetryClass {
    /// How long to wait before the same request may be sent again, from when the error was made;
    /// `None` where time alone does not help.
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
        // Also a refusal for a rate limit that arrives while an earlier ban lasts.
        if self.is_ban() || self.0.ban_end.is_some() {
            let wait = self.0.retry_after.unwrap_or(BAN_REST);
            return RetryClass::Banned { wait, until: self.0.ban_end };
        }
        if self.0.effect != Effect::Read && self.0.outcome == Outcome::Unknown {
            return RetryClass::AfterQuery;
        }
        if self.may_pass() {
            RetryClass::AfterTime { wait: self.retry_after().unwrap_or_default() }
        } else {
            RetryClass::Never
        }
    }

    /// Whether the response says that the caller is banned, by its code or, from the proxy in front
    /// of the exchange, by its status.
    pub(crate) fn is_ban(&self) -> bool {
        self.category() == Some(Category::Banned)
            || self.status().is_some_and(|status| status.as_u16() == 418)
    }

    /// Whether the same request may do better in a while, for one without an effect.
    fn may_pass(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Throttled(_) => true,
            ErrorKind::Transport(kind) => {
                !matches!(kind, TransportErrorKind::BodyTooLarge | TransportErrorKind::HeadTooLarge)
            }
            // A page that says 404 does not pass by itself.
            ErrorKind::Unexpected(Unexpected::Html) => self.status().is_none_or(|status| {
                !status.is_client_error() || matches!(status.as_u16(), 408 | 425 | 429)
            }),
            // Somebody has decided so; going on makes it worse.
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
                // What has to be queried first is a read here, which is its own query.
                Some(known) => matches!(known.try_again, TryAgain::Later | TryAgain::AfterQuery),
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
