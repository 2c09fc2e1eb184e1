//! One rate limit: a sliding window of permits and a queue of callers. Pure: time is an argument.
//!
//! The algorithm is a log: a permit stands in it from the moment it is granted until a window
//! after the request's answer, and no more permits stand in it than the limit allows. So no window
//! of that length sees more requests than the limit, wherever it begins and however long requests
//! are under way.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::rate::{Published, Rate};
use crate::client::rate::{RateLimitState, ThrottleReason};

/// A caller's place in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// When and why to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Later {
    pub(crate) at: Instant,
    pub(crate) reason: ThrottleReason,
}

#[derive(Debug)]
pub(super) struct Bucket {
    headroom: u32,
    /// `None` as long as no limit is known.
    published: Option<Published>,
    rate: Option<Rate>,
    /// Permits in use, those that become free first in front.
    busy: VecDeque<Busy>,
    /// Callers without a permit, first come first.
    queue: VecDeque<Waiting>,
    /// End of the pause after too many requests, and of a ban: the latest that was named.
    paused: Option<Instant>,
    banned: Option<Instant>,
    tickets: u64,
}

#[derive(Debug)]
struct Busy {
    free_at: Instant,
    /// `None` for requests that the exchange counted and this bucket did not see.
    ticket: Option<Ticket>,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    /// When the caller was told to ask again.
    due: Instant,
}

impl Bucket {
    /// A bucket that stays `headroom` per cent below the published limit.
    pub(super) fn new(published: Option<Published>, headroom: u32) -> Self {
        Self {
            headroom,
            published,
            rate: published.map(|published| published.less(headroom)),
            busy: VecDeque::new(),
            queue: VecDeque::new(),
            paused: None,
            banned: None,
            tickets: 0,
        }
    }

    /// Enters the queue. The caller must go on with [`poll`](Self::poll) or [`leave`](Self::leave).
    pub(super) fn join(&mut self, now: Instant) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.queue.push_back(Waiting { ticket, due: now });
        ticket
    }

    /// Grants the permit, or says when to ask again.
    ///
    /// Ask at that time, and whenever [`leave`](Self::leave) says that others may go earlier.
    pub(super) fn poll(&mut self, ticket: Ticket, now: Instant) -> Result<(), Later> {
        while self.busy.front().is_some_and(|busy| busy.free_at <= now) {
            self.busy.pop_front();
        }
        self.pass_over_sleepers(ticket, now);
        let Some(ahead) = self.queue.iter().position(|waiting| waiting.ticket == ticket) else {
            return Ok(()); // Granted before.
        };
        if let Err(later) = self.open(ahead, now) {
            self.queue[ahead].due = later.at;
            return Err(later);
        }
        self.queue.remove(ahead);
        if let Some(rate) = self.rate {
            self.occupy(now + rate.window, Some(ticket));
        }
        Ok(())
    }

    /// Whether a caller with so many others ahead may go now.
    fn open(&self, ahead: usize, now: Instant) -> Result<(), Later> {
        if let Some(later) = self.held_back(now) {
            return Err(later);
        }
        let Some(rate) = self.rate else { return Ok(()) };
        let Some(missing) = (self.busy.len() + ahead).checked_sub(rate.permits) else {
            return Ok(());
        };
        let at = match self.busy.get(missing) {
            Some(busy) => busy.free_at,
            // One of those ahead must have had its permit for a window before.
            None => self.queue[missing - self.busy.len()].due.max(now) + rate.window,
        };
        Err(Later { at, reason: ThrottleReason::LimitReached })
    }

    /// Sends callers in front to the back who did not ask again for a window after their time:
    /// nobody polls their futures, and they must not hold up the rest.
    fn pass_over_sleepers(&mut self, ticket: Ticket, now: Instant) {
        let patience = self.rate.map_or(Duration::ZERO, |rate| rate.window);
        while let Some(front) = self.queue.front_mut() {
            if front.ticket == ticket || front.due + patience >= now {
                return;
            }
            front.due = now;
            self.queue.rotate_left(1);
        }
    }

    /// Gives up a place in the queue, or gives back a permit that was not used. Returns whether
    /// others may go earlier for it.
    pub(super) fn leave(&mut self, ticket: Ticket) -> bool {
        self.queue.retain(|waiting| waiting.ticket != ticket);
        self.busy.retain(|busy| busy.ticket != Some(ticket));
        !self.queue.is_empty()
    }

    /// The answer to a request came, or none will: the exchange counted it by now, if it did. Only
    /// from now on its window is sure to pass, however long the request was under way.
    pub(super) fn answered(&mut self, ticket: Ticket, now: Instant) {
        self.busy.retain(|busy| busy.ticket != Some(ticket));
        if let Some(rate) = self.rate {
            self.occupy(now + rate.window, Some(ticket));
        }
    }

    /// Corrects the count by what an answer's headers said: downwards only.
    pub(super) fn settle(&mut self, state: RateLimitState, now: Instant) {
        let Some(told) = Published::new(state.limit, state.window) else { return };
        if self.published.is_none_or(|published| told.is_tighter_than(published)) {
            self.published = Some(told);
            self.rate = Some(told.less(self.headroom));
        }
        let Some(rate) = self.rate else { return };
        let told = told.less(self.headroom);
        let left = told.permits.saturating_sub(state.used as usize);
        let free_at = now + rate.window.max(told.window);
        self.busy.retain(|busy| busy.free_at > now);
        for _ in left..rate.permits.saturating_sub(self.busy.len()) {
            self.occupy(free_at, None);
        }
    }

    /// Grants nothing until `end`, after too many requests; an earlier end does not shorten it.
    pub(super) fn pause(&mut self, end: Instant) {
        self.paused = self.paused.max(Some(end));
    }

    /// Grants nothing until `end`, after a ban; an earlier end does not shorten it.
    pub(super) fn ban(&mut self, end: Instant) {
        self.banned = self.banned.max(Some(end));
    }

    /// Until when nothing is granted after a refusal. Banned for as long as a ban lasts, also if the
    /// bucket rests for longer.
    pub(super) fn held_back(&self, now: Instant) -> Option<Later> {
        let at = self.paused.max(self.banned).filter(|at| *at > now)?;
        let reason = if self.banned.is_some_and(|end| end > now) {
            ThrottleReason::Banned
        } else {
            ThrottleReason::TooManyRequests
        };
        Some(Later { at, reason })
    }

    /// Length of the window, if a limit is known.
    pub(super) fn window(&self) -> Option<Duration> {
        self.rate.map(|rate| rate.window)
    }

    /// Permits that nobody has, if a limit is known.
    pub(super) fn free(&self) -> Option<usize> {
        Some(self.rate?.permits.saturating_sub(self.busy.len()))
    }

    fn occupy(&mut self, free_at: Instant, ticket: Option<Ticket>) {
        let position = self.busy.partition_point(|busy| busy.free_at <= free_at);
        self.busy.insert(position, Busy { free_at, ticket });
    }
}

#[cfg(test)]
mod tests;
