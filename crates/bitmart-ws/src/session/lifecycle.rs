//! How connections begin and end.

use std::time::{Duration, Instant};

use super::{Action, ServerState, Session, SessionEvent, State};
use crate::reason::ReconnectReason;

impl Session {
    pub(super) fn connect(&mut self, now: Instant, delay: Duration) {
        self.state = State::Connecting;
        self.pacing.next_connect = Some(now + delay + self.limits.connect_spacing);
        self.actions.push_back(Action::Connect { delay });
    }

    pub(super) fn reconnect(&mut self, now: Instant, mut reason: ReconnectReason) {
        self.reset_backoff_if_healthy(now);
        self.clear_connection();
        if self.topics.is_empty() {
            self.state = State::Idle;
            return;
        }
        let mut delay = self.pacing.backoff.next_delay().max(self.pacing.remaining_spacing(now));
        if let ReconnectReason::HandshakeRejected { status, retry_after, .. } = &mut reason {
            delay = delay.max(self.handshake_retry_delay(*status, *retry_after));
            *retry_after = Some(delay);
        }
        self.emit(SessionEvent::Reconnecting { reason });
        self.connect(now, delay);
    }

    /// How long to wait after a rejected handshake: the bounded `Retry-After`, or a default for
    /// statuses that mean a rate limit or a block.
    fn handshake_retry_delay(&self, status: u16, retry_after: Option<Duration>) -> Duration {
        let default = match status {
            403 | 429 => self.limits.handshake_retry_delay,
            _ => Duration::ZERO,
        };
        retry_after.map_or(default, |requested| requested.min(self.limits.max_retry_after))
    }

    /// Resets the backoff if the connection lasted long enough.
    pub(super) fn reset_backoff_if_healthy(&mut self, now: Instant) {
        if let State::Open { socket } = &self.state
            && now >= socket.opened_at + self.limits.healthy_after
        {
            self.pacing.backoff.reset();
        }
    }

    /// Clears everything that belonged to the connection, and forgets the topics that are no longer
    /// desired.
    pub(super) fn clear_connection(&mut self) {
        self.drop_unsent();
        self.pending.clear();
        self.snapshot_requests.clear();
        let undesired: Vec<_> = self
            .topics
            .iter()
            .filter(|(_, topic)| !topic.desired)
            .map(|(name, _)| name.clone())
            .collect();
        for topic in undesired {
            self.forget(&topic);
        }
        for topic in self.topics.values_mut() {
            topic.server_state = ServerState::Absent;
            topic.renewal_due = false;
            topic.retry_alone = false;
            topic.retry_at = None;
        }
    }

    /// Drops frames queued for the connection that is ending: they must not be sent on the next.
    pub(super) fn drop_unsent(&mut self) {
        self.actions.retain(|action| !matches!(action, Action::Send(_) | Action::Login));
    }

    /// Starts [`Limits::unused_timeout`](crate::Limits::unused_timeout) if no topic is desired.
    pub(super) fn start_unused_timer(&mut self, now: Instant) {
        if self.topics.values().any(|topic| topic.desired) {
            return;
        }
        match &mut self.state {
            State::Connecting => self.go_idle(now),
            State::LoggingIn { socket, .. } | State::Open { socket } => {
                socket.unused_since.get_or_insert(now);
            }
            State::Idle | State::Failed => {}
        }
    }

    pub(super) fn go_idle(&mut self, now: Instant) {
        self.reset_backoff_if_healthy(now);
        self.clear_connection();
        self.actions.push_back(Action::Close);
        self.state = State::Idle;
    }
}
