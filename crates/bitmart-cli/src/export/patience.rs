//! How long an export waits when the exchange does not give a list: hours, so that it needs nobody.
//!
//! What stops everything (no network, maintenance, a limit, a ban) is waited for in place. When one list fails
//! while the exchange responds otherwise, the others come first, and the list is requested again at the end.

use std::time::Duration;

use bitmart::Timestamp;
use bitmart::rest::{Category, Client, Error, ErrorKind, RetryClass, system};

use super::progress::clock;
use crate::failure::chain;

const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A ban is not hurried.
const BAN: Duration = Duration::from_secs(600);
/// Times that a list is tried before it is put behind the others.
const TRIES: u32 = 2;
/// Times that a clock that is off is set anew.
const CLOCK_TRIES: u32 = 5;
/// A list that fails alone is not waited for as long as an outage.
const ALONE: Duration = Duration::from_secs(3600);

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The same once more; the pause is over.
    Again,
    /// The other lists first.
    Later,
    /// This list cannot be had.
    Refused,
    /// Nothing can, or not for as long as there was patience.
    Stop,
}

/// The patience of a run.
#[derive(Debug)]
pub(super) struct Patience {
    /// How long nothing may come.
    longest: Duration,
    /// Pauses are counted and not slept, for tests.
    in_thought: bool,
    /// Since something came.
    waited: Duration,
    tries: u32,
    /// For lists that fail alone.
    alone: Duration,
    rounds: u32,
    /// Lists that were put behind the others.
    pub(super) postponed: u32,
}

impl Patience {
    pub(super) fn new(longest: Duration, in_thought: bool) -> Self {
        let (waited, alone) = (Duration::ZERO, Duration::ZERO);
        Self { longest, in_thought, waited, tries: 0, alone, rounds: 0, postponed: 0 }
    }

    /// Something came.
    pub(super) fn succeeded(&mut self) {
        (self.waited, self.tries) = (Duration::ZERO, 0);
    }

    /// After a failure to get `name`: waits, or says what else to do.
    pub(super) async fn after(&mut self, client: &Client, name: &str, error: &Error) -> Next {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.tries.min(10)).min(LONGEST_PAUSE);
        let class = error.retry_class();
        let mut pause = pause.max(class.wait().unwrap_or_default());
        match class {
            RetryClass::Banned { .. } => pause = pause.max(BAN),
            RetryClass::AfterTime { .. } => {
                if self.tries >= TRIES
                    && may_fail_alone(error)
                    && client.send(system::QueryTime::new()).await.is_ok()
                {
                    self.postponed += 1;
                    self.succeeded();
                    return Next::Later;
                }
            }
            // A machine that slept, or whose clock jumped: the client requests the exchange's time first.
            _ if error.is_clock() && self.tries < CLOCK_TRIES => pause = FIRST_PAUSE,
            _ => return refused(error),
        }
        if self.waited + pause > self.longest {
            return Next::Stop;
        }
        self.tries += 1;
        self.waited += pause;
        let left = clock(self.longest.saturating_sub(self.waited).as_secs().into());
        tell(&format!("{name}: {}", chain(error)), pause, &format!("; gives up after {left} more"));
        self.pause(pause).await;
        Next::Again
    }

    /// Waits before the lists that were put behind the others are requested once more; `false` when there is no
    /// patience left.
    pub(super) async fn before_round(&mut self) -> bool {
        let pause = FIRST_PAUSE.saturating_mul(1 << (self.rounds + 2).min(10)).min(LONGEST_PAUSE);
        if self.postponed == 0 || self.alone + pause > self.longest.min(ALONE) {
            return false;
        }
        tell(&format!("{} lists fail while others succeed", self.postponed), pause, "");
        self.rounds += 1;
        self.alone += pause;
        self.postponed = 0;
        self.pause(pause).await;
        true
    }

    async fn pause(&self, pause: Duration) {
        if !self.in_thought {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Whether this list may fail while others succeed: not for the network, a limit or maintenance.
fn may_fail_alone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Api(_) | ErrorKind::Unexpected(_))
        && !error.is_rate_limited()
        && error.category() != Some(Category::Maintenance)
}

/// A refusal of this list, or of everything.
fn refused(error: &Error) -> Next {
    let of_this_list =
        matches!(error.kind(), ErrorKind::Api(_) | ErrorKind::Decode(_) | ErrorKind::Unexpected(_));
    let general = matches!(error.category(), Some(Category::Authentication | Category::Clock));
    if of_this_list && !general { Next::Refused } else { Next::Stop }
}

fn tell(why: &str, pause: Duration, more: &str) {
    let at: String = (Timestamp::now() + pause).to_string().chars().skip(11).take(5).collect();
    eprintln!("{why}\n  next attempt in {}, at {at} UTC{more}", clock(pause.as_secs().into()));
}
