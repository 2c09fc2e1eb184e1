//! What the user asks for.

use std::sync::Arc;
use std::time::Instant;

use super::{Action, Notice, OnWire, Session, State, Topic};
use crate::reason::Rejection;

impl Session {
    /// The user wants this topic. Answered by [`Notice::Subscribed`] or [`Notice::Rejected`].
    ///
    /// Variants of one topic, such as with `@100ms` and with `@200ms`, exclude each other: one that
    /// was unsubscribed is waited for, and while one is wanted another is refused.
    pub fn subscribe(&mut self, now: Instant, topic: Arc<str>) {
        self.subscribe_all(now, [topic]);
    }

    /// The user wants these topics: as [`subscribe`](Self::subscribe) for each of them, but with as
    /// many in one frame as the venue allows.
    pub fn subscribe_all(&mut self, now: Instant, topics: impl IntoIterator<Item = Arc<str>>) {
        let mut wanted = false;
        for topic in topics {
            wanted |= self.want(topic);
        }
        if !wanted {
            return;
        }
        match &mut self.state {
            State::Idle => {
                let delay = self.pace.spacing(now);
                self.connect(now, delay);
            }
            State::LoggingIn { link, .. } | State::Open { link } => link.empty_since = None,
            State::Connecting | State::Failed => {}
        }
        self.flush(now);
    }

    /// Takes the topic in. `false` if it was refused.
    fn want(&mut self, topic: Arc<str>) -> bool {
        if self.is_failed() {
            let rejection = Rejection::new(None, "the login was refused before");
            self.emit(Notice::Rejected { topic, rejection });
            return false;
        }
        let known = self.topics.get(&topic).is_some_and(|entry| entry.desired);
        if !known && self.desired_topics() >= self.limits.topics_per_connection {
            let text = "this connection already carries as many topics as BitMart allows";
            self.emit(Notice::Rejected { topic, rejection: Rejection::new(None, text) });
            return false;
        }
        let rival = self.variants(&topic).find(|(name, entry)| **name != topic && entry.desired);
        if let Some((rival, _)) = rival {
            // Observed: answers and data name a variant with or without its suffix, so that those
            // of two variants cannot be told apart.
            let text = format!("{rival} is subscribed: one variant of a topic at a time");
            self.emit(Notice::Rejected { topic, rejection: Rejection::new(None, &text) });
            return false;
        }
        let entry = self.topics.entry(topic.clone()).or_insert(Topic {
            desired: true,
            on_wire: OnWire::Absent,
            known: false,
            alone: false,
            retry_at: None,
            refusals: 0,
        });
        if entry.on_wire == OnWire::Confirmed {
            self.actions.push_back(Action::Emit(Notice::Subscribed { topic }));
        }
        entry.desired = true;
        true
    }

    /// The user no longer wants this topic. Answered by [`Notice::Unsubscribed`] unless the
    /// connection ends first.
    pub fn unsubscribe(&mut self, now: Instant, topic: &str) {
        self.unsubscribe_all(now, [topic]);
    }

    /// The user no longer wants these topics: as [`unsubscribe`](Self::unsubscribe) for each of them,
    /// but with as many in one frame as the venue allows.
    pub fn unsubscribe_all<'a>(&mut self, now: Instant, topics: impl IntoIterator<Item = &'a str>) {
        let mut known = false;
        for topic in topics {
            let Some(entry) = self.topics.get_mut(topic) else {
                continue;
            };
            known = true;
            entry.desired = false;
            if entry.on_wire == OnWire::Absent {
                self.forget(topic);
            }
        }
        if known {
            self.note_emptiness(now);
            self.flush(now);
        }
    }

    /// The user wants one snapshot of this topic, which must be subscribed. It arrives as data. While
    /// the subscription is not confirmed the request waits. Without a connection nothing is sent:
    /// the coming subscription brings a snapshot anyway.
    pub fn request(&mut self, now: Instant, topic: &str) {
        let subscribed = self
            .topics
            .get_key_value(topic)
            .filter(|(_, entry)| matches!(entry.on_wire, OnWire::Subscribing | OnWire::Confirmed));
        if let Some((topic, _)) = subscribed
            && !self.requests.contains(topic)
        {
            self.requests.push_back(topic.clone());
            self.flush(now);
        }
    }

    /// The user wants this topic, which must be subscribed, to be unsubscribed and subscribed again:
    /// the subscription brings a snapshot. Answered by [`Notice::Subscribed`].
    pub fn renew(&mut self, now: Instant, topic: &str) {
        let confirmed = self.topics.get_key_value(topic).filter(|(_, entry)| {
            entry.desired && entry.on_wire == OnWire::Confirmed && entry.retry_at.is_none()
        });
        if let Some((topic, _)) = confirmed {
            let topic = topic.clone();
            self.unsubscribe(now, &topic);
            self.subscribe(now, topic);
        }
    }
}
