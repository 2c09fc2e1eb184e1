//! How an export deals with outages: it waits for hours, so that it can run unattended.
//!
//! It waits in place for what affects every request: no network, maintenance, a rate limit, a ban. If one list fails
//! while other requests succeed, the list is postponed and requested again at the end.

use std::time::Duration;

use bitmart::Timestamp;
use bitmart::rest::code::Category;
use bitmart::rest::system::QueryTime;
use bitmart::rest::{Client, Error, ErrorKind, RetryClass};

use super::progress::clock;
use crate::failure::chain;

const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Shortest pause during a ban.
const BAN_PAUSE: Duration = Duration::from_secs(600);
/// Attempts at a list before it is postponed.
const TRIES: u32 = 2;
/// Attempts to synchronize the clock.
const CLOCK_TRIES: u32 = 5;
/// Longest wait for lists that fail while others succeed.
const POSTPONED_LIMIT: Duration = Duration::from_secs(3600);

/// The decision after a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterFailure {
    /// Send the request again; the pause is over.
    Retry,
    /// Continue with the other lists, and request this one at the end.
    Postpone,
    /// Skip this list: the exchange rejects it.
    Skip,
    /// End the run: every request fails, or the time is used up.
    Abort,
}

/// The time that a run may spend waiting.
#[derive(Debug)]
pub(super) struct RetryBudget {
    /// Longest wait without a response.
    limit: Duration,
    /// Pauses are counted instead of slept, for tests.
    no_pauses: bool,
    /// Time waited since the last response.
    waited: Duration,
    tries: u32,
    /// Time waited for lists that fail while others succeed.
    waited_for_postponed: Duration,
    rounds: u32,
    /// Lists that were postponed.
    pub(super) postponed: u32,
}

impl RetryBudget {
    pub(super) fn new(limit: Duration, no_pauses: bool) -> Self {
        Self {
            limit,
            no_pauses,
            waited: Duration::ZERO,
            tries: 0,
            waited_for_postponed: Duration::ZERO,
            rounds: 0,
            postponed: 0,
        }
    }

    /// Resets the wait after a response.
    pub(super) fn succeeded(&mut self) {
        (self.waited, self.tries) = (Duration::ZERO, 0);
    }

    /// Waits after a failed request for `name`, or returns what else to do.
    pub(super) async fn after_failure(
        &mut self,
        client: &Client,
        name: &str,
        error: &Error,
    ) -> AfterFailure {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.tries.min(10)).min(LONGEST_PAUSE);
        let class = error.retry_class();
        let mut pause = pause.max(class.wait().unwrap_or_default());
        match class {
            RetryClass::Banned { .. } => pause = pause.max(BAN_PAUSE),
            RetryClass::AfterTime { .. } => {
                if self.tries >= TRIES
                    && may_fail_alone(error)
                    && client.send(QueryTime::new()).await.is_ok()
                {
                    self.postponed += 1;
                    self.succeeded();
                    return AfterFailure::Postpone;
                }
            }
            // The machine slept, or its clock jumped: the client synchronizes its clock first.
            _ if error.is_clock() && self.tries < CLOCK_TRIES => pause = FIRST_PAUSE,
            _ if rejects_one_list(error) => return AfterFailure::Skip,
            _ => return AfterFailure::Abort,
        }
        if self.waited + pause > self.limit {
            return AfterFailure::Abort;
        }
        self.tries += 1;
        self.waited += pause;
        let left = clock(self.limit.saturating_sub(self.waited).as_secs().into());
        announce(
            &format!("{name}: {}", chain(error)),
            pause,
            &format!("; stops after {left} more"),
        );
        self.pause(pause).await;
        AfterFailure::Retry
    }

    /// Waits before the postponed lists are requested again; `false` if there are none or the time is used up.
    pub(super) async fn before_round(&mut self) -> bool {
        let pause = FIRST_PAUSE.saturating_mul(1 << (self.rounds + 2).min(10)).min(LONGEST_PAUSE);
        if self.postponed == 0
            || self.waited_for_postponed + pause > self.limit.min(POSTPONED_LIMIT)
        {
            return false;
        }
        announce(&format!("{} lists fail while others succeed", self.postponed), pause, "");
        self.rounds += 1;
        self.waited_for_postponed += pause;
        self.postponed = 0;
        self.pause(pause).await;
        true
    }

    async fn pause(&self, pause: Duration) {
        if !self.no_pauses {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Whether an error may be limited to one list: not one of the network, a rate limit or maintenance.
fn may_fail_alone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Api(_) | ErrorKind::Unexpected(_))
        && !error.is_rate_limited()
        && error.category() != Some(Category::Maintenance)
}

/// Whether the exchange rejects this list only, and not every request.
pub(super) fn rejects_one_list(error: &Error) -> bool {
    let of_this_list =
        matches!(error.kind(), ErrorKind::Api(_) | ErrorKind::Decode(_) | ErrorKind::Unexpected(_));
    let general = matches!(error.category(), Some(Category::Authentication | Category::Clock));
    of_this_list && !general
}

fn announce(why: &str, pause: Duration, more: &str) {
    let at: String = (Timestamp::now() + pause).to_string().chars().skip(11).take(5).collect();
    eprintln!("{why}\n  next attempt in {}, at {at} UTC{more}", clock(pause.as_secs().into()));
}
