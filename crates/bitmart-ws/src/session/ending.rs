//! How connections begin and end.

use std::time::{Duration, Instant};

use super::{Action, Notice, OnWire, Session, State};
use crate::reason::ReconnectReason;

impl Session {
    pub(super) fn connect(&mut self, now: Instant, delay: Duration) {
        self.state = State::Connecting;
        self.pace.next_connect = Some(now + delay + self.limits.connect_spacing);
        self.actions.push_back(Action::Connect { delay });
    }

    pub(super) fn reconnect(&mut self, now: Instant, mut reason: ReconnectReason) {
        self.note_health(now);
        self.disconnect();
        if self.topics.is_empty() {
            self.state = State::Idle;
            return;
        }
        let mut delay = self.pace.backoff.next_pause().max(self.pace.spacing(now));
        if let ReconnectReason::HandshakeRefused { status, wait, .. } = &mut reason {
            delay = delay.max(self.refused_pause(*status, *wait));
            *wait = Some(delay);
        }
        self.emit(Notice::Reconnecting { reason });
        self.connect(now, delay);
    }

    /// How long the server wants to be left alone.
    fn refused_pause(&self, status: u16, asked: Option<Duration>) -> Duration {
        let unasked = match status {
            403 | 429 => self.limits.refused_pause,
            _ => Duration::ZERO,
        };
        asked.map_or(unasked, |asked| asked.min(self.limits.longest_refused_pause))
    }

    /// A connection that has lasted a while ends the backoff.
    pub(super) fn note_health(&mut self, now: Instant) {
        if let State::Open { link } = &self.state
            && now >= link.since + self.limits.healthy_after
        {
            self.pace.backoff.reset();
        }
    }

    /// Clears everything that belonged to the connection. Topics that nobody wants go with it.
    pub(super) fn disconnect(&mut self) {
        self.drop_unsent();
        self.flight.clear();
        self.requests.clear();
        let unwanted: Vec<_> = self
            .topics
            .iter()
            .filter(|(_, topic)| !topic.desired)
            .map(|(name, _)| name.clone())
            .collect();
        for topic in unwanted {
            self.forget(&topic);
        }
        for topic in self.topics.values_mut() {
            topic.on_wire = OnWire::Absent;
            topic.alone = false;
            topic.retry_at = None;
        }
    }

    /// Orders that were meant for the connection that is ending must not reach the next.
    pub(super) fn drop_unsent(&mut self) {
        self.actions.retain(|action| !matches!(action, Action::Send(_) | Action::Login));
    }

    /// Starts the linger time when the last topic goes.
    pub(super) fn note_emptiness(&mut self, now: Instant) {
        if self.topics.values().any(|topic| topic.desired) {
            return;
        }
        match &mut self.state {
            State::Connecting => self.go_idle(now),
            State::LoggingIn { link, .. } | State::Open { link } => {
                link.empty_since.get_or_insert(now);
            }
            State::Idle | State::Failed => {}
        }
    }

    pub(super) fn go_idle(&mut self, now: Instant) {
        self.note_health(now);
        self.disconnect();
        self.actions.push_back(Action::Close);
        self.state = State::Idle;
    }
}
