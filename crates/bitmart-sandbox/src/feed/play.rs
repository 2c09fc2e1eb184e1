//! Recorded frames instead of markets.

use std::time::Duration;

use super::{
    Feed, SocketId,
    replay::{Replay, subject},
};
use crate::{recording::RecordedFrame, wire::topic::Topic};

impl Feed {
    /// Plays these from the first subscription on.
    pub(crate) fn replay(&mut self, entries: Vec<RecordedFrame>) {
        if !entries.is_empty() {
            self.replay = Some(Replay::new(entries));
        }
    }

    /// Sends the recorded frames that are due, and returns how long until the next; none if there is none.
    pub(crate) fn play(&mut self, now_ms: u64) -> Option<Duration> {
        let is_subscribed = self.subscriptions.topics().any(|topic| !topic.is_private());
        let replay = self.replay.as_mut()?;
        if is_subscribed {
            replay.begin(now_ms);
        }
        while let Some((topic, text)) = self.replay.as_mut()?.next_due(now_ms) {
            let same = self.subscriptions.topics().filter(|of| subject(of) == subject(&topic));
            let ids: Vec<SocketId> =
                same.flat_map(|topic| self.subscriptions.recipients(topic, None)).collect();
            if ids.is_empty() {
                continue;
            }
            let output = self.packed(&topic, text);
            for id in ids {
                self.subscriptions.send(id, output.clone());
            }
        }
        self.replay.as_ref()?.wait(now_ms)
    }

    /// Whether a recording that is played has this topic.
    pub(crate) fn plays(&self, topic: &Topic) -> bool {
        self.replay.as_ref().is_some_and(|replay| replay.has(topic))
    }

    /// Sends what brings a late subscriber of a topic up to date.
    pub(super) fn send_played(&mut self, id: SocketId, topic: &Topic) {
        let Some(replay) = &self.replay else { return };
        for text in replay.played(topic) {
            let output = self.packed(topic, text);
            self.subscriptions.send(id, output);
        }
    }
}
