//! What this process knows of one budget: its keys, and leased permits without a request.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bitmart_rest::limit::Budget;

use super::script::Subject;

pub(super) struct Entry {
    pub(super) subject: Subject,
    /// The budget that this process counts alone while Redis is away.
    pub(super) alone: Budget,
    /// Numbers of permits, and until when they may be used; in the order of that time.
    leased: Mutex<VecDeque<(u64, Instant)>>,
    is_leasing: AtomicBool,
    alone_use: Mutex<AloneUse>,
}

/// Permits that this process has counted alone. Redis knows nothing of them.
#[derive(Debug, Default)]
struct AloneUse {
    flying: u64,
    /// When the permits of requests in flight expire.
    expire_at: Option<Instant>,
    /// When the permits of ended requests are free again.
    free_at: Option<Instant>,
}

impl Entry {
    pub(super) fn new(subject: Subject, alone: Budget) -> Self {
        Self {
            subject,
            alone,
            leased: Mutex::default(),
            is_leasing: AtomicBool::new(false),
            alone_use: Mutex::default(),
        }
    }

    /// A permit was counted alone that expires then.
    pub(super) fn alone_granted(&self, expire_at: Instant) {
        let mut alone = self.alone_use();
        alone.flying += 1;
        alone.expire_at = alone.expire_at.max(Some(expire_at));
    }

    /// The request of such a permit has ended, which is free then.
    pub(super) fn alone_ended(&self, free_at: Option<Instant>) {
        let mut alone = self.alone_use();
        alone.flying = alone.flying.saturating_sub(1);
        alone.free_at = alone.free_at.max(free_at);
    }

    /// How long such permits are in use. Redis may not grant others meanwhile: it would not count these.
    pub(super) fn alone_for(&self, now: Instant) -> Option<Duration> {
        let alone = self.alone_use();
        let flying = alone.expire_at.filter(|_| alone.flying > 0);
        let left = flying.max(alone.free_at)?.checked_duration_since(now)?;
        (!left.is_zero()).then_some(left)
    }

    fn alone_use(&self) -> MutexGuard<'_, AloneUse> {
        self.alone_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A permit that is granted already.
    pub(super) fn take_leased(&self, now: Instant) -> Option<u64> {
        let mut leased = self.leased();
        // The task of the events returns those that are too old.
        let usable = leased.iter().position(|(_, until)| *until > now)?;
        leased.remove(usable).map(|(number, _)| number)
    }

    pub(super) fn add_leased(&self, permits: impl Iterator<Item = (u64, Instant)>) {
        self.leased().extend(permits);
    }

    /// The permits that no request may use any more.
    pub(super) fn take_expired(&self, now: Instant) -> Vec<u64> {
        let mut leased = self.leased();
        let (expired, usable) = leased.drain(..).partition(|(_, until)| *until <= now);
        *leased = usable;
        let expired: VecDeque<(u64, Instant)> = expired;
        expired.into_iter().map(|(number, _)| number).collect()
    }

    pub(super) fn take_all(&self) -> Vec<u64> {
        self.leased().drain(..).map(|(number, _)| number).collect()
    }

    /// `None` if another task is leasing.
    pub(super) fn start_leasing(&self) -> Option<Leasing<'_>> {
        let is_free = !self.is_leasing.swap(true, Ordering::Relaxed);
        is_free.then(|| Leasing(self))
    }

    fn leased(&self) -> MutexGuard<'_, VecDeque<(u64, Instant)>> {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to lease, until it is dropped.
pub(super) struct Leasing<'a>(&'a Entry);

impl Drop for Leasing<'_> {
    fn drop(&mut self) {
        self.0.is_leasing.store(false, Ordering::Relaxed);
    }
}

/// How long a permit stays in use after the end of its request. Zero without a known limit.
pub(super) fn window(budget: &Budget) -> Duration {
    budget.rate().map_or(Duration::ZERO, |rate| rate.window)
}

#[cfg(test)]
mod tests {
    use bitmart_rest::endpoint::{Host, Metadata, Method};

    use super::*;

    #[test]
    fn permits_counted_alone_are_in_use_until_they_are_free() {
        const ENDPOINT: Metadata = Metadata::new("e", Method::Get, Host::Spot, "/e");
        let budget = Budget::new(&ENDPOINT, None, 0);
        let entry = Entry::new(Subject::new("n", "203.0.113.7", &budget), budget);
        let now = Instant::now();
        let seconds = |seconds| now + Duration::from_secs(seconds);
        let left = |at: Instant| entry.alone_for(at).map(|left| left.as_secs());
        assert_eq!(left(now), None);
        entry.alone_granted(seconds(18));
        entry.alone_granted(seconds(19));
        assert_eq!((left(now), left(seconds(19))), (Some(19), None), "they expire");
        entry.alone_ended(Some(seconds(6)));
        assert_eq!(left(now), Some(19), "one is in flight");
        entry.alone_ended(None);
        assert_eq!((left(now), left(seconds(6))), (Some(6), None), "one was not sent");
    }
}
