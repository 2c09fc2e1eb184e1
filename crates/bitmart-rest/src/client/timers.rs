//! Timers for the deadlines of requests, used again by the next ones.
//!
//! A timer that is registered for each request and removed after it wakes the runtime's driver every
//! time: two system calls. Moving the deadline of a registered timer to a later time needs none.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// Maximum number of idle timers that are kept.
const MAX_IDLE: usize = 128;

/// The longest wait, about 30 years: a later time might not be a valid instant.
const MAX_WAIT: Duration = Duration::from_secs(1_000_000_000);

/// The idle timers of a client. Each goes off once more after its last deadline, without an effect.
#[derive(Default)]
pub(super) struct Timers(Mutex<Vec<Timer>>);

/// A timer belongs to the runtime that it was created in.
struct Timer {
    runtime: Id,
    sleep: Pin<Box<Sleep>>,
}

/// A deadline has passed.
#[derive(Debug)]
pub(super) struct Elapsed;

impl Timers {
    /// Runs `work` until `limit` after `begin`. A result that is ready then counts.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled.
    pub(super) async fn timeout<T>(
        &self,
        begin: Instant,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Elapsed> {
        let mut lent = self.lend(begin + limit.min(MAX_WAIT));
        let mut work = pin!(work);
        poll_fn(|cx| {
            if let Poll::Ready(result) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(result));
            }
            // Work that uses up tokio's cooperative budget must not keep the deadline from passing.
            let sleep = lent.timer.as_mut().map(|timer| unconstrained(timer.sleep.as_mut()));
            match sleep.map(|sleep| pin!(sleep).poll(cx)) {
                Some(Poll::Ready(())) => Poll::Ready(Err(Elapsed)),
                _ => Poll::Pending,
            }
        })
        .await
    }

    fn lend(&self, deadline: Instant) -> Lent<'_> {
        let runtime = Handle::current().id();
        let timer = loop {
            match self.lock().pop() {
                Some(mut timer) if timer.runtime == runtime => {
                    timer.sleep.as_mut().reset(deadline);
                    break timer;
                }
                // Its runtime may have ended.
                Some(_) => {}
                None => break Timer { runtime, sleep: Box::pin(sleep_until(deadline)) },
            }
        };
        Lent { timers: self, timer: Some(timer) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Timer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A timer in use, which is returned when dropped.
struct Lent<'a> {
    timers: &'a Timers,
    timer: Option<Timer>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = self.timers.lock();
        if let Some(timer) = self.timer.take().filter(|_| idle.len() < MAX_IDLE) {
            idle.push(timer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::runtime::{Builder, Runtime};
    use tokio::task::coop::consume_budget;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
    }

    #[test]
    fn a_timer_used_again_keeps_the_new_deadline() {
        let timers = Timers::default();
        runtime().block_on(async {
            // Later and earlier than before, and after it went off.
            for limit in [5, 9, 2, 30].map(|seconds| SECOND * seconds) {
                let begin = Instant::now();
                assert!(timers.timeout(begin, limit, pending::<()>()).await.is_err());
                let late = begin.elapsed().checked_sub(limit).unwrap();
                assert!(late < Duration::from_millis(2), "{late:?}");
                assert!(timers.timeout(begin, limit * 2, async {}).await.is_ok());
                assert_eq!(timers.lock().len(), 1);
            }
        });
    }

    #[test]
    fn work_that_is_dropped_returns_its_timer() {
        let timers = Timers::default();
        runtime().block_on(async {
            let work = timers.timeout(Instant::now(), SECOND, pending::<()>());
            assert!(tokio::time::timeout(Duration::ZERO, work).await.is_err());
            assert_eq!(timers.lock().len(), 1);
        });
    }

    #[test]
    fn a_timer_of_an_ended_runtime_is_not_used() {
        let timers = Timers::default();
        for _ in 0..2 {
            runtime().block_on(async {
                let never = timers.timeout(Instant::now(), SECOND, pending::<()>());
                assert!(never.await.is_err());
            });
        }
        assert_eq!(timers.lock().len(), 1);
    }

    #[test]
    fn the_longest_limit_is_no_overflow() {
        let timers = Timers::default();
        runtime().block_on(async {
            let work = timers.timeout(Instant::now(), Duration::MAX, async {});
            assert!(work.await.is_ok());
        });
    }

    #[test]
    fn work_that_is_always_busy_is_stopped_at_the_deadline() {
        let timers = Timers::default();
        runtime().block_on(async {
            let busy = async {
                for _ in 0..100_000 {
                    consume_budget().await;
                }
            };
            assert!(timers.timeout(Instant::now(), Duration::ZERO, busy).await.is_err());
        });
    }
}
