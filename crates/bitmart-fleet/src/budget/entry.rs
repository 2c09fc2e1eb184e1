//! What this process stores of one budget: its keys, permits that were taken ahead, and what it has used of its own
//! share while Redis could not be reached.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bitmart_rest::limit::Budget;

use super::script::Subject;

pub(super) struct Entry {
    pub(super) subject: Subject,
    /// The share of the budget that this process counts itself while Redis cannot be reached.
    pub(super) own_share: Budget,
    /// Permits that were taken ahead: their numbers, and until when they may be used, in the order of that time.
    leased: Mutex<VecDeque<(u64, Instant)>>,
    is_leasing: AtomicBool,
    own_use: Mutex<OwnUse>,
}

/// Permits of the own share that are in use. Redis does not know them.
#[derive(Debug, Default)]
struct OwnUse {
    /// Those of requests in flight.
    in_flight: u64,
    /// When the permits of requests in flight expire.
    expire_at: Option<Instant>,
    /// When the permits of ended requests are free again.
    free_at: Option<Instant>,
}

impl Entry {
    pub(super) fn new(subject: Subject, own_share: Budget) -> Self {
        Self {
            subject,
            own_share,
            leased: Mutex::default(),
            is_leasing: AtomicBool::new(false),
            own_use: Mutex::default(),
        }
    }

    /// Counts a granted permit of the own share, which expires at this time.
    pub(super) fn own_permit_granted(&self, expire_at: Instant) {
        let mut own_use = self.own_use();
        own_use.in_flight += 1;
        own_use.expire_at = own_use.expire_at.max(Some(expire_at));
    }

    /// Counts the end of a request with a permit of the own share. The permit is free at this time; `None` if the
    /// request was not sent.
    pub(super) fn own_permit_ended(&self, free_at: Option<Instant>) {
        let mut own_use = self.own_use();
        own_use.in_flight = own_use.in_flight.saturating_sub(1);
        own_use.free_at = own_use.free_at.max(free_at);
    }

    /// Returns how long permits of the own share are still in use; `None` if none is. Meanwhile no permit of Redis may
    /// be used, since Redis does not count these.
    pub(super) fn own_use_left(&self, now: Instant) -> Option<Duration> {
        let own_use = self.own_use();
        let in_flight = own_use.expire_at.filter(|_| own_use.in_flight > 0);
        let left = in_flight.max(own_use.free_at)?.checked_duration_since(now)?;
        (!left.is_zero()).then_some(left)
    }

    fn own_use(&self) -> MutexGuard<'_, OwnUse> {
        self.own_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a permit that was granted ahead.
    pub(super) fn take_leased(&self, now: Instant) -> Option<u64> {
        let mut leased = self.leased();
        // Older ones are returned to Redis by the task that sends events.
        let usable = leased.iter().position(|(_, until)| *until > now)?;
        leased.remove(usable).map(|(number, _)| number)
    }

    pub(super) fn add_leased(&self, permits: impl Iterator<Item = (u64, Instant)>) {
        self.leased().extend(permits);
    }

    /// Takes the permits that no request may use any more.
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

    /// Starts to take permits ahead. `None` if another task does so.
    pub(super) fn start_leasing(&self) -> Option<Leasing<'_>> {
        let is_free = !self.is_leasing.swap(true, Ordering::Relaxed);
        is_free.then(|| Leasing(self))
    }

    fn leased(&self) -> MutexGuard<'_, VecDeque<(u64, Instant)>> {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it exists, no other task takes permits ahead.
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
    fn permits_of_the_own_share_are_in_use_until_they_are_free() {
        const ENDPOINT: Metadata = Metadata::new("e", Method::Get, Host::Spot, "/e");
        let budget = Budget::new(&ENDPOINT, None, 0);
        let entry = Entry::new(Subject::new("n", "203.0.113.7", &budget), budget);
        let now = Instant::now();
        let seconds = |seconds| now + Duration::from_secs(seconds);
        let left = |at: Instant| entry.own_use_left(at).map(|left| left.as_secs());
        assert_eq!(left(now), None);
        entry.own_permit_granted(seconds(18));
        entry.own_permit_granted(seconds(19));
        assert_eq!((left(now), left(seconds(19))), (Some(19), None), "they expire");
        entry.own_permit_ended(Some(seconds(6)));
        assert_eq!(left(now), Some(19), "one is in flight");
        entry.own_permit_ended(None);
        assert_eq!((left(now), left(seconds(6))), (Some(6), None), "one was not sent");
    }
}
