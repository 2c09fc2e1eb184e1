//! Replays recorded frames instead of market data.

use std::time::Duration;

use super::{
    Feed, SocketId,
    replay::{Replay, topic_key},
};
use crate::{recording::RecordedFrame, wire::topic::Topic};

impl Feed {
    /// Sets the recording. It is played from the first subscription on.
    pub(crate) fn replay(&mut self, entries: Vec<RecordedFrame>) {
        if !entries.is_empty() {
            self.replay = Some(Replay::new(entries));
        }
    }

    /// Sends the recorded frames that are due. Returns the time until the next frame, or `None` at the end.
    pub(crate) fn play(&mut self, now_ms: u64) -> Option<Duration> {
        let is_subscribed = self.subscriptions.topics().any(|topic| !topic.is_private());
        let replay = self.replay.as_mut()?;
        if is_subscribed {
            replay.start(now_ms);
        }
        while let Some((topic, text)) = self.replay.as_mut()?.next_due(now_ms) {
            let same = self.subscriptions.topics().filter(|of| topic_key(of) == topic_key(&topic));
            let ids: Vec<SocketId> =
                same.flat_map(|topic| self.subscriptions.recipients(topic, None)).collect();
            if ids.is_empty() {
                continue;
            }
            let output = self.encode(&topic, text);
            for id in ids {
                self.subscriptions.send(id, output.clone());
            }
        }
        self.replay.as_ref()?.wait(now_ms)
    }

    /// Whether the recording contains a topic.
    pub(crate) fn has_recorded(&self, topic: &Topic) -> bool {
        self.replay.as_ref().is_some_and(|replay| replay.contains(topic))
    }

    /// Sends the frames that bring a late subscriber of a topic up to date.
    pub(super) fn send_catch_up(&mut self, id: SocketId, topic: &Topic) {
        let Some(replay) = &self.replay else { return };
        for text in replay.catch_up_frames(topic) {
            let output = self.encode(topic, text);
            self.subscriptions.send(id, output);
        }
    }
}
