//! The rate limits of one endpoint: a sliding-window log of permits for each, and a queue of callers. Pure:
//! time is an argument.
//!
//! A permit is in use from the moment it is granted until one window after the end of its request: its
//! response, its failure, or that its caller dropped it. Never are more in use than a limit allows. So
//! no window of that length contains more requests than the limit, wherever it begins and however long
//! requests wait for a connection or are in flight.
//!
//! There are two limits at most: the published one and the one that the last response stated. Both are kept,
//! since neither implies the other: 300 in 60 s is slower than 12 in 2 s, and allows 300 at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::rate::Published;
use super::window::Window;
use crate::protocol::rate_limit::{RateLimitState, ThrottleReason};

/// Identifies a caller in the queue, and later its permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(pub(super) u64);

/// When to poll again, and why the permit is not granted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delay {
    pub(crate) at: Instant,
    pub(crate) reason: ThrottleReason,
}

#[derive(Debug)]
pub(super) struct Bucket {
    headroom: u32,
    /// The limit of the description, if it names one.
    published: Option<Window>,
    /// The limit that the last response stated, if it is not the published one.
    stated: Option<Window>,
    /// Permits of requests without an end: when they become free is not known yet.
    in_flight: BTreeSet<Ticket>,
    /// Callers without a permit, in order of their position numbers.
    queue: VecDeque<Waiting>,
    /// The position numbers of callers that were moved to the back. That of any other is its ticket's.
    moved: BTreeMap<Ticket, u64>,
    /// Latest end of a pause after too many requests.
    paused_until: Option<Instant>,
    /// Latest end of a ban.
    banned_until: Option<Instant>,
    /// The last number given to a ticket or a position.
    last_number: u64,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    /// Increases from the front of the queue to its back.
    position: u64,
    /// When the caller should poll again.
    poll_at: Instant,
}

impl Bucket {
    /// A bucket that stays `headroom` percent below the published limit.
    pub(super) fn new(published: Option<Published>, headroom: u32) -> Self {
        Self {
            headroom,
            published: published.map(|limit| Window::new(limit.less(headroom))),
            stated: None,
            in_flight: BTreeSet::new(),
            queue: VecDeque::new(),
            moved: BTreeMap::new(),
            paused_until: None,
            banned_until: None,
            last_number: 0,
        }
    }

    /// Enters the queue. The caller must continue with [`poll`](Self::poll) or [`leave`](Self::leave).
    pub(super) fn join(&mut self, now: Instant) -> Ticket {
        let position = self.next_number();
        let ticket = Ticket(position);
        self.queue.push_back(Waiting { ticket, position, poll_at: now });
        ticket
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// How many callers wait in front of this one. `None` if it does not wait.
    fn callers_ahead(&self, ticket: Ticket) -> Option<usize> {
        let position = self.moved.get(&ticket).copied().unwrap_or(ticket.0);
        self.queue.binary_search_by_key(&position, |waiting| waiting.position).ok()
    }

    fn dequeue(&mut self, index: usize) {
        if let Some(waiting) = self.queue.remove(index) {
            self.moved.remove(&waiting.ticket);
        }
    }

    /// Grants the permit, or returns when to poll again.
    ///
    /// Poll at that time, and whenever [`leave`](Self::leave) returns `true`.
    pub(super) fn poll(&mut self, ticket: Ticket, now: Instant) -> Result<(), Delay> {
        self.drop_free(now);
        self.rotate_unpolled(ticket, now);
        let Some(ahead) = self.callers_ahead(ticket) else {
            return Ok(()); // Granted before.
        };
        if let Err(delay) = self.check(ahead, now) {
            self.queue[ahead].poll_at = delay.at;
            return Err(delay);
        }
        self.dequeue(ahead);
        self.in_flight.insert(ticket);
        Ok(())
    }

    /// Whether a caller with `ahead` callers in front gets a permit now.
    fn check(&self, ahead: usize, now: Instant) -> Result<(), Delay> {
        if let Some(delay) = self.held_back(now) {
            return Err(delay);
        }
        match self.windows().filter_map(|window| self.wait_for(window, ahead, now)).max() {
            Some(at) => Err(Delay { at, reason: ThrottleReason::LimitReached }),
            None => Ok(()),
        }
    }

    /// When a caller with `ahead` callers in front finds a free permit in a window. `None` if it does now.
    fn wait_for(&self, window: &Window, ahead: usize, now: Instant) -> Option<Instant> {
        let in_flight = self.in_flight.len();
        let in_use = window.in_use(in_flight);
        let missing = (in_use + ahead).checked_sub(window.rate.permits)?;
        Some(match missing.checked_sub(in_use) {
            None => window.earliest_free(missing, in_flight, now),
            // One of the callers in front must have used its permit for a window first.
            Some(caller) => self.queue[caller].poll_at.max(now) + window.rate.window,
        })
    }

    fn windows(&self) -> impl Iterator<Item = &Window> {
        self.published.iter().chain(&self.stated)
    }

    fn windows_mut(&mut self) -> impl Iterator<Item = &mut Window> {
        self.published.iter_mut().chain(&mut self.stated)
    }

    /// Moves callers at the front to the back if they did not poll for a window after their time: their
    /// futures are not polled, and they must not block the others.
    fn rotate_unpolled(&mut self, ticket: Ticket, now: Instant) {
        let grace = self.window().unwrap_or_default();
        while let Some(front) = self.queue.front() {
            if front.ticket == ticket || front.poll_at + grace >= now {
                return;
            }
            let (unpolled, position) = (front.ticket, self.next_number());
            self.dequeue(0);
            self.queue.push_back(Waiting { ticket: unpolled, position, poll_at: now });
            self.moved.insert(unpolled, position);
        }
    }

    /// Leaves the queue, or returns an unused permit. Returns whether other callers may now get a permit
    /// earlier.
    pub(super) fn leave(&mut self, ticket: Ticket) -> bool {
        if let Some(index) = self.callers_ahead(ticket) {
            self.dequeue(index);
        }
        self.in_flight.remove(&ticket);
        !self.queue.is_empty()
    }

    /// Starts the window of a permit when the request is over. The exchange may have counted the request
    /// at any time until now.
    pub(super) fn responded(&mut self, ticket: Ticket, now: Instant) {
        self.in_flight.remove(&ticket);
        for window in self.windows_mut() {
            window.record_end(now);
        }
    }

    /// Corrects the available permits by a response's headers: downwards only.
    ///
    /// The stated use of others is known for the stated window, and so for a published window of the same length.
    /// The request of the response and others may be in flight; they count as used.
    pub(super) fn settle(&mut self, state: RateLimitState, now: Instant) {
        let Some(limit) = Published::new(state.limit, state.window) else { return };
        let rate = limit.less(self.headroom);
        let used = state.used as usize;
        let left = rate.permits.saturating_sub(used);
        let in_flight = self.in_flight.len();
        self.drop_free(now);
        if let Some(published) = &mut self.published
            && rate.window <= published.rate.window
        {
            // More than the difference are left if others may use more than is published.
            let left = left.max(published.rate.permits.saturating_sub(used));
            published.record_others(left, in_flight, now);
        }
        // The last one counts: a single wrong header must not slow the endpoint down for good.
        let last = self.stated.take();
        if self.published.as_ref().is_some_and(|published| published.rate == rate) {
            return;
        }
        let mut stated = match last {
            Some(last) if last.rate == rate => last,
            last => {
                let known = self.published.as_ref().or(last.as_ref());
                known.map_or_else(|| Window::new(rate), |known| known.with_rate(rate, now))
            }
        };
        stated.record_others(left, in_flight, now);
        self.stated = Some(stated);
    }

    /// Grants nothing until `end`, after too many requests; an earlier end does not shorten it.
    pub(super) fn pause(&mut self, end: Instant) {
        self.paused_until = self.paused_until.max(Some(end));
    }

    /// Grants nothing until `end`, after a ban; an earlier end does not shorten it.
    pub(super) fn ban(&mut self, end: Instant) {
        self.banned_until = self.banned_until.max(Some(end));
    }

    /// Until when nothing is granted after a rejection. The reason is a ban as long as one lasts, even
    /// if another pause lasts longer.
    pub(super) fn held_back(&self, now: Instant) -> Option<Delay> {
        let at = self.paused_until.max(self.banned_until).filter(|at| *at > now)?;
        let reason = if self.banned_until.is_some_and(|end| end > now) {
            ThrottleReason::Banned
        } else {
            ThrottleReason::TooManyRequests
        };
        Some(Delay { at, reason })
    }

    /// Length of the published window, or else of the stated one. `None` if no limit is known.
    pub(super) fn window(&self) -> Option<Duration> {
        self.windows().next().map(|window| window.rate.window)
    }

    /// Number of free permits, if a limit is known.
    pub(super) fn free(&self) -> Option<usize> {
        self.windows().map(|window| window.free(self.in_flight.len())).min()
    }

    fn drop_free(&mut self, now: Instant) {
        for window in self.windows_mut() {
            window.drop_free(now);
        }
    }
}

#[cfg(test)]
mod tests;
