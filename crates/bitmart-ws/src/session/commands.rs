//! The commands of the user.

use std::sync::Arc;
use std::time::Instant;

use super::{Action, ServerState, Session, SessionEvent, State, TopicState};
use crate::reason::Rejection;

impl Session {
    /// Subscribes to this topic. [`SessionEvent::Subscribed`] or [`SessionEvent::Rejected`] follows.
    ///
    /// Variants of one topic, such as `@100ms` and `@200ms`, exclude each other. A new variant waits
    /// until the unsubscribed one is gone, and is rejected while another is subscribed.
    pub fn subscribe(&mut self, now: Instant, topic: Arc<str>) {
        self.subscribe_all(now, [topic]);
    }

    /// Subscribes to these topics, as [`subscribe`](Self::subscribe) for each, but with as many in
    /// one frame as the exchange allows.
    pub fn subscribe_all(&mut self, now: Instant, topics: impl IntoIterator<Item = Arc<str>>) {
        let mut any_added = false;
        for topic in topics {
            any_added |= self.add_topic(topic);
        }
        if !any_added {
            return;
        }
        match &mut self.state {
            State::Idle => {
                let delay = self.pacing.remaining_spacing(now);
                self.connect(now, delay);
            }
            State::LoggingIn { socket, .. } | State::Open { socket } => socket.unused_since = None,
            State::Connecting | State::Failed => {}
        }
        self.flush(now);
    }

    /// Adds a desired topic. Returns `false` if it was rejected.
    fn add_topic(&mut self, topic: Arc<str>) -> bool {
        if self.is_failed() {
            let rejection = Rejection::new(None, "the login was rejected before");
            self.emit(SessionEvent::Rejected { topic, rejection });
            return false;
        }
        let is_desired = self.topics.get(&topic).is_some_and(|topic_state| topic_state.desired);
        if !is_desired && self.desired_topics() >= self.limits.topics_per_connection {
            let text = "this connection already carries as many topics as BitMart allows";
            self.emit(SessionEvent::Rejected { topic, rejection: Rejection::new(None, text) });
            return false;
        }
        let other = self
            .variants(&topic)
            .find(|(name, topic_state)| **name != topic && topic_state.desired);
        if let Some((other, _)) = other {
            // Observed: acknowledgements and data name a variant with or without its suffix, so those
            // of two variants cannot be told apart.
            let text = format!("{other} is subscribed: one variant of a topic at a time");
            self.emit(SessionEvent::Rejected { topic, rejection: Rejection::new(None, &text) });
            return false;
        }
        let topic_state = self.topics.entry(topic.clone()).or_insert(TopicState {
            desired: true,
            server_state: ServerState::Absent,
            confirmed_before: false,
            renewal_due: false,
            retry_alone: false,
            retry_at: None,
            unexplained_rejections: 0,
        });
        if topic_state.server_state == ServerState::Confirmed {
            self.actions.push_back(Action::Emit(SessionEvent::Subscribed { topic }));
        }
        topic_state.desired = true;
        true
    }

    /// Unsubscribes from this topic. [`SessionEvent::Unsubscribed`] follows, unless the topic was not
    /// subscribed, is subscribed again before, or a rejected login ends the session before.
    pub fn unsubscribe(&mut self, now: Instant, topic: &str) {
        self.unsubscribe_all(now, [topic]);
    }

    /// Unsubscribes from these topics, as [`unsubscribe`](Self::unsubscribe) for each, but with as
    /// many in one frame as the exchange allows.
    pub fn unsubscribe_all<'a>(&mut self, now: Instant, topics: impl IntoIterator<Item = &'a str>) {
        let mut any_known = false;
        for topic in topics {
            let Some(topic_state) = self.topics.get_mut(topic) else {
                continue;
            };
            any_known = true;
            topic_state.desired = false;
            if topic_state.server_state == ServerState::Absent {
                self.forget(topic);
            }
        }
        if any_known {
            self.start_unused_timer(now);
            self.flush(now);
        }
    }

    /// Requests one snapshot of a subscribed topic. It arrives as data. The request waits until the
    /// subscription is confirmed. Without a connection nothing is sent, because the next subscription
    /// brings a snapshot anyway.
    pub fn request_snapshot(&mut self, now: Instant, topic: &str) {
        let subscribed = self.topics.get_key_value(topic).filter(|(_, topic_state)| {
            matches!(topic_state.server_state, ServerState::Subscribing | ServerState::Confirmed)
        });
        if let Some((topic, _)) = subscribed
            && !self.snapshot_requests.contains(topic)
        {
            self.snapshot_requests.push_back(topic.clone());
            self.flush(now);
        }
    }

    /// Unsubscribes from a subscribed topic and subscribes to it again, which brings a snapshot.
    /// [`SessionEvent::Resynced`] follows, because what happens in between is not delivered.
    pub fn resubscribe(&mut self, now: Instant, topic: &str) {
        if let Some(topic_state) = self.topics.get_mut(topic)
            && topic_state.desired
            && topic_state.server_state == ServerState::Confirmed
            && topic_state.retry_at.is_none()
        {
            topic_state.renewal_due = true;
            self.flush(now);
        }
    }
}
