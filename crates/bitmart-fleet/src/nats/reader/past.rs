//! The stored messages of a topic, with which a reader begins.

use std::time::Duration;

use super::Shared;
use super::merger::Output;
use super::topic::Channel;
use crate::nats::message::{Kind, Message, is_snapshot};
use crate::nats::{Error, direct_get};

/// A topic with fewer messages than `NEW_TOPIC` may have no snapshot yet. It is read again this many times, each after
/// this delay.
const SNAPSHOT_ATTEMPTS: u32 = 5;
const SNAPSHOT_DELAY: Duration = Duration::from_millis(100);
const NEW_TOPIC: u64 = 100;

/// Reads the last message of a topic and its sequence in the stream. For a new book, it waits a moment until the
/// message names a snapshot.
pub(super) async fn last_message(
    shared: &Shared,
    subject: &str,
    channel: Channel,
) -> Result<Option<(Message, u64)>, Error> {
    let mut attempts = 0;
    loop {
        let last = direct_get::last(&shared.stream, subject).await?;
        let is_new = last.as_ref().is_some_and(|(last, _)| {
            last.is_up() && last.number < NEW_TOPIC && last.snapshot.is_none()
        });
        if channel != Channel::Book || !is_new || attempts == SNAPSHOT_ATTEMPTS {
            return Ok(last);
        }
        // The snapshot of a new collector may not be acknowledged yet.
        attempts += 1;
        tokio::time::sleep(SNAPSHOT_DELAY).await;
    }
}

/// Returns the frames from the last snapshot on. `None` if one is missing in the stream, or the collector has lost one.
pub(in crate::nats) fn complete(messages: Vec<Message>, last: &Message) -> Option<Vec<Output>> {
    let first = messages.first()?;
    let begins = first.kind == Kind::Frame && is_snapshot(&first.payload);
    let continues = |kind| {
        use Kind::{Alive, Frame, Heartbeat, RequestRejected, Stale};
        matches!(kind, Frame | Heartbeat | Stale | Alive | RequestRejected)
    };
    let is_complete = begins
        && messages
            .iter()
            .zip(first.number..)
            .all(|(message, number)| message.number == number && continues(message.kind))
        && messages.last()?.number == last.number;
    let frames = messages.into_iter().filter(|message| message.kind == Kind::Frame);
    is_complete.then(|| frames.map(|frame| Output::Frame(frame.payload, frame.received)).collect())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const SNAPSHOT: &str =
        r#"{"table":"spot/depth/increase100","data":[{"symbol":"X","type":"snapshot"}]}"#;
    const UPDATE: &str =
        r#"{"table":"spot/depth/increase100","data":[{"symbol":"X","type":"update"}]}"#;

    /// Messages with these numbers, kinds and payloads, and how many frames a later reader gets.
    fn frames(messages: &[(u64, Kind, &'static str)]) -> Option<usize> {
        let messages: Vec<_> = messages
            .iter()
            .map(|(number, kind, payload)| Message {
                kind: *kind,
                term: 1,
                number: *number,
                received: 7,
                collector: "a".to_owned(),
                snapshot: None,
                payload: Bytes::from_static(payload.as_bytes()),
            })
            .collect();
        let last = messages.last().expect("a message").clone();
        complete(messages, &last).map(|outputs| outputs.len())
    }

    #[test]
    fn a_history_is_complete_from_a_snapshot_to_the_last_message() {
        use Kind::{Frame, Heartbeat};
        let snapshot = (10, Frame, SNAPSHOT);
        assert_eq!(frames(&[snapshot]), Some(1));
        assert_eq!(frames(&[snapshot, (11, Heartbeat, ""), (12, Frame, UPDATE)]), Some(2));
        assert_eq!(frames(&[snapshot, (12, Frame, UPDATE)]), None, "a number is missing");
        assert_eq!(frames(&[(10, Frame, UPDATE), (11, Frame, UPDATE)]), None, "no snapshot");
    }

    #[test]
    fn a_loss_of_the_collector_is_not_bridged() {
        use Kind::{Frame, Lagged, Reconnecting, Resynced, Unreadable};
        let snapshot = (10, Frame, SNAPSHOT);
        for loss in [Lagged, Unreadable, Reconnecting, Resynced] {
            let messages = [snapshot, (11, loss, "{}"), (12, Frame, UPDATE)];
            assert_eq!(frames(&messages), None, "{loss:?}");
        }
    }
}
