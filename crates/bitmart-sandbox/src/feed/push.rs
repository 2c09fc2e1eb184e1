//! Pushes a value: renders its frame, applies faults, and sends it to the subscribers.

use bitmart_sim::AccountId;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::{Feed, channel::stamp, subscriber::Output};
use crate::{fault::Fault, generated::Host, wire::topic::Topic};

/// Invalid deflate data: the type of the first block does not exist.
const GARBAGE: &[u8] = b"\x07garbage";

/// A frame of futures. Frames are written without a [`Value`] of them, which would copy all of the data.
#[derive(Serialize)]
struct Group<'a> {
    data: &'a Value,
    group: &'a str,
}

/// A frame of spot.
#[derive(Serialize)]
struct Table<'a, T> {
    data: T,
    table: &'a str,
}

/// The JSON of a frame. It cannot fail: every name is a text.
fn text(frame: &impl Serialize) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

impl Feed {
    /// Renders the frame of a value, with the push time, compressed if the exchange does so.
    pub(super) fn frame(&mut self, topic: &Topic, mut value: Value, now_ms: u64) -> Output {
        stamp(topic.channel, &mut value, now_ms);
        let table = topic.text.split(':').next().unwrap_or_default();
        let text = match topic.channel.host() {
            Host::Futures => text(&Group { data: &value, group: &topic.text }),
            Host::Spot if value.is_array() => text(&Table { data: &value, table }),
            Host::Spot => text(&Table { data: [&value], table }),
        };
        self.encode(topic, text)
    }

    /// Compresses public spot frames. Other frames are text.
    pub(super) fn encode(&mut self, topic: &Topic, text: String) -> Output {
        if topic.channel.host() == Host::Spot && !topic.is_private() {
            Output::Binary(self.deflater.compress(text.as_bytes()).into())
        } else {
            Output::Text(text.into())
        }
    }

    /// Pushes a value to the subscribers of a topic; of a private topic, only to those of `account`.
    pub(super) fn push(
        &mut self,
        topic: &Topic,
        value: Value,
        account: Option<AccountId>,
        now_ms: u64,
    ) {
        if self.replay.is_some() && !topic.is_private() {
            return;
        }
        let ids = self.subscriptions.recipients(topic, account);
        let Some(first) = ids.first().copied() else { return };
        let fault = self.faults.take(&topic.text, Fault::is_frame);
        match fault {
            Some(Fault::SilentSocket) => self.subscriptions.push(first, Output::Silent),
            Some(Fault::HalfOpen) => self.subscriptions.push(first, Output::Unresponsive),
            _ => {}
        }
        let output = match fault {
            Some(Fault::Garbage) => Output::Binary(Bytes::from_static(GARBAGE)),
            _ => self.frame(topic, value, now_ms),
        };
        if let Some(Fault::LatePush(delay)) = fault {
            for id in ids {
                self.subscriptions.send_late(id, output.clone(), delay);
            }
            return;
        }
        let times = if fault == Some(Fault::Duplicate) { 2 } else { 1 };
        for id in ids {
            for _ in 0..times {
                self.subscriptions.push(id, output.clone());
            }
        }
    }
}
