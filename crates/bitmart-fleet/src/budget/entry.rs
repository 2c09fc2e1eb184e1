//! What this process knows of one budget: its keys, and leased permits without a request.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bitmart_rest::limit::Budget;

use super::script::Subject;

pub(super) struct Entry {
    pub(super) subject: Subject,
    /// The budget that this process counts alone while Redis is away.
    pub(super) alone: Budget,
    /// Numbers of permits, and until when they may be used; in the order of that time.
    leased: Mutex<VecDeque<(u64, Instant)>>,
    is_leasing: AtomicBool,
}

impl Entry {
    pub(super) fn new(subject: Subject, alone: Budget) -> Self {
        Self { subject, alone, leased: Mutex::default(), is_leasing: AtomicBool::new(false) }
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
