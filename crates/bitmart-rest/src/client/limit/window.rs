//! How much of one limit is in use: when the permits of ended requests become free.

use std::collections::VecDeque;
use std::time::Instant;

use super::rate::Rate;

/// The sliding window of one limit. Requests in flight are an argument: they count in each window of a bucket.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) rate: Rate,
    /// When each permit of a request that has ended becomes free, in order. Includes requests of others,
    /// which only the exchange's headers reported.
    ended: VecDeque<Instant>,
}

impl Window {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, ended: VecDeque::new() }
    }

    /// A window of another rate in which the same ended requests count, for its own length.
    pub(super) fn with_rate(&self, rate: Rate, now: Instant) -> Self {
        let ended = self.ended.iter();
        let ended =
            ended.filter_map(|free_at| (*free_at + rate.window).checked_sub(self.rate.window));
        Self { rate, ended: ended.filter(|free_at| *free_at > now).collect() }
    }

    pub(super) fn in_use(&self, in_flight: usize) -> usize {
        in_flight + self.ended.len()
    }

    /// Number of free permits.
    pub(super) fn free(&self, in_flight: usize) -> usize {
        self.rate.permits.saturating_sub(self.in_use(in_flight))
    }

    /// A request ended, so that its permit is free in one window.
    pub(super) fn record_end(&mut self, now: Instant) {
        let free_at = now + self.rate.window;
        let position = self.ended.partition_point(|other| *other <= free_at);
        self.ended.insert(position, free_at);
    }

    /// Records requests of others until at most `left` permits are free.
    pub(super) fn record_others(&mut self, left: usize, in_flight: usize, now: Instant) {
        for _ in left..self.free(in_flight) {
            self.record_end(now);
        }
    }

    pub(super) fn drop_free(&mut self, now: Instant) {
        while self.ended.front().is_some_and(|free_at| *free_at <= now) {
            self.ended.pop_front();
        }
    }

    /// When permit number `nth` of those in use becomes free at the earliest. A request in flight ends now
    /// at the earliest, so that its permit is free one window later.
    pub(super) fn earliest_free(&self, nth: usize, in_flight: usize, now: Instant) -> Instant {
        let next = now + self.rate.window;
        let sooner = self.ended.partition_point(|free_at| *free_at <= next);
        if nth < sooner {
            self.ended[nth]
        } else if nth < sooner + in_flight {
            next
        } else {
            self.ended[nth - in_flight]
        }
    }
}
