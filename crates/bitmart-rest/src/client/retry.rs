//! Retries of reads. Requests with an effect are never retried.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use http::uri::PathAndQuery;
use tokio::time::Instant;

use super::Client;
use super::detailed::CompleteResponse;
use super::pipeline::timed_out;
use crate::client::observe::{self, Call};
use crate::error::{Error, RetryClass};
use crate::protocol::endpoint::{Effect, Metadata};
use crate::protocol::payload::Payload;
use crate::protocol::response::SuccessEnvelope;

/// Maximum backoff between two attempts, unless the response requires a longer one.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Maximum budget, so that the deadline cannot overflow.
const MAX_BUDGET: Duration = Duration::from_secs(86_400);

/// How often and for how long reads are retried, for [`ClientBuilder::retry_reads`].
///
/// Only requests without an effect are retried, those whose
/// [`Metadata::effect`](crate::endpoint::Metadata) is [`Effect::Read`](crate::endpoint::Effect::Read), and only after
/// errors of the class [`RetryClass::AfterTime`]: a broken connection, a proxy's page, an internal error
/// of the exchange, maintenance, a rate limit. Not after a ban, a redirect or a page of a proxy that
/// blocks the request. A `Retry-After` header is respected. Each attempt takes its own permit and
/// timestamp, and is signed again.
///
/// [`ClientBuilder::retry_reads`]: crate::ClientBuilder::retry_reads
///
/// ```
/// use std::time::Duration;
/// use bitmart_rest::{Client, RetryPolicy};
///
/// let policy = RetryPolicy::within(Duration::from_secs(20)).attempts(5);
/// let client = Client::builder().retry_reads(policy).build()?;
/// # Ok::<(), bitmart_rest::types::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    budget: Duration,
    first_pause: Duration,
}

impl RetryPolicy {
    /// At most three attempts within `budget`, which covers the whole call: attempts, backoff and
    /// waiting for permits. A day at most.
    pub fn within(budget: Duration) -> Self {
        let budget = budget.min(MAX_BUDGET);
        Self { attempts: 3, budget, first_pause: Duration::from_millis(200) }
    }

    /// Maximum number of attempts, including the first.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Backoff after the first attempt. Default: 200 ms. It doubles with each attempt, up to 5 seconds,
    /// and is jittered between half and all of it, so that many clients do not retry together.
    #[must_use]
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    pub(super) fn budget(&self) -> Duration {
        self.budget
    }

    /// The backoff after `attempts` attempts, the last of which failed with `error`. `None` if no further
    /// attempt is allowed, or none fits into the remaining budget, `left`.
    pub(super) fn pause(
        &self,
        attempts: u32,
        error: &Error,
        clock_helps: bool,
        left: Duration,
    ) -> Option<Duration> {
        let wait = match error.retry_class() {
            _ if attempts >= self.attempts => return None,
            RetryClass::AfterTime { wait } => wait,
            _ if clock_helps => Duration::ZERO,
            _ => return None,
        };
        let doubled = self.first_pause.saturating_mul(1 << (attempts - 1).min(16));
        let pause = jitter(doubled.min(MAX_BACKOFF), random());
        let pause = pause.max(wait);
        (pause < left).then_some(pause)
    }
}

/// Half of `pause` plus a random share of the other half.
fn jitter(pause: Duration, random: u32) -> Duration {
    let half = pause / 2;
    let share = half.as_nanos() * u128::from(random) / u128::from(u32::MAX);
    half + Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX))
}

/// Random enough for jitter: the standard library seeds hash maps with it.
fn random() -> u32 {
    let number = RandomState::new().build_hasher().finish();
    u32::try_from(number >> 32).unwrap_or_default()
}

impl Client {
    /// Retries reads if a policy is set. A request with an effect is sent once.
    pub(super) async fn call(
        &self,
        call: &mut Call,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
    ) -> Result<(CompleteResponse, SuccessEnvelope), Error> {
        match self.0.retry {
            Some(policy) if metadata.effect == Effect::Read => {
                self.call_with_retries(call, policy, metadata, path, payload).await
            }
            _ => self.attempt(call, metadata, path, payload).await,
        }
    }

    async fn call_with_retries(
        &self,
        call: &mut Call,
        policy: RetryPolicy,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
    ) -> Result<(CompleteResponse, SuccessEnvelope), Error> {
        let deadline = Instant::now() + policy.budget();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let response = self.attempt(call, metadata, path.clone(), payload.clone());
            let error = match tokio::time::timeout_at(deadline, response).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => error,
                Err(_) => return Err(Error::transport(metadata, timed_out())),
            };
            let clock_helps = self.0.clock.can_fix(error.clock_fault());
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(pause) = policy.pause(attempts, &error, clock_helps, left) else {
                return Err(error);
            };
            observe::retrying(attempts, pause, &error);
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_takes_half_to_all_of_the_pause() {
        let pause = Duration::from_millis(200);
        assert_eq!(jitter(pause, 0), pause / 2);
        assert_eq!(jitter(pause, u32::MAX), pause);
        assert_eq!(jitter(Duration::ZERO, 7), Duration::ZERO);
        let middle = jitter(pause, u32::MAX / 2);
        assert!(middle > Duration::from_millis(149) && middle < Duration::from_millis(151));
    }

    #[test]
    fn random_numbers_differ() {
        let numbers: std::collections::HashSet<_> = (0..16).map(|_| random()).collect();
        assert!(numbers.len() > 8);
    }
}
