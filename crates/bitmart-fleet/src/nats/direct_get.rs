//! Reads stored messages of a topic one by one, by direct gets of `JetStream`, which need no consumer.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DirectGetErrorKind, Stream};
use futures_util::StreamExt as _;

use super::Error;
use super::message::Message;

/// Most messages that are read to build a book.
const MAX_MESSAGES: usize = 50_000;
/// Most bytes of these messages together.
const MAX_BYTES: usize = 64 << 20;
/// Into how many parts a range is divided, how many sequences a part has at least, and how many are read at once.
const PARTS: u64 = 64;
const MIN_PART: u64 = 8;
const PARALLEL: usize = 32;

/// The last message of a subject, with its sequence in the stream.
pub(crate) async fn last<I>(
    stream: &Stream<I>,
    subject: &str,
) -> Result<Option<(Message, u64)>, Error> {
    match stream.direct_get_last_for_subject(subject).await {
        Ok(message) => Ok(parse(message)),
        Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::jetstream("the last message of a topic", error)),
    }
}

/// The messages of one term from the sequence `first` to `last`. Empty if the stream no longer has the first.
///
/// Each message names the next one, so parts of the range are read at the same time: one after the other, a history of
/// a minute takes as many round trips as it has messages.
pub(crate) async fn range<I: Sync>(
    stream: &Stream<I>,
    subject: &str,
    term: u64,
    (first, last): (u64, u64),
) -> Result<Vec<Message>, Error> {
    let left =
        Left { messages: AtomicUsize::new(MAX_MESSAGES), bytes: AtomicUsize::new(MAX_BYTES) };
    let parts = parts(first, last).into_iter().map(|part| read(stream, subject, part, &left));
    let mut parts = futures_util::stream::iter(parts).buffered(PARALLEL);
    let mut messages = Vec::new();
    while let Some(part) = parts.next().await {
        messages.extend(part?);
    }
    if messages.first().is_none_or(|(_, sequence)| *sequence != first) {
        return Ok(Vec::new());
    }
    let messages = messages.into_iter().map(|(message, _)| message);
    Ok(messages.filter(|message| message.term == term).collect())
}

/// How many messages and bytes may still be read.
struct Left {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

impl Left {
    /// Counts a message of this size. Returns `false` if it is too many.
    fn take(&self, bytes: usize) -> bool {
        let take = |left: &AtomicUsize, count: usize| {
            let less = |left: usize| left.checked_sub(count);
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
        };
        take(&self.messages, 1) && take(&self.bytes, bytes)
    }
}

/// Divides a range of sequences.
fn parts(first: u64, last: u64) -> Vec<(u64, u64)> {
    let mut parts = Vec::new();
    let size = (last.saturating_sub(first) / PARTS).max(MIN_PART);
    let mut next = first;
    while next <= last {
        let end = next.saturating_add(size - 1).min(last);
        parts.push((next, end));
        let Some(after) = end.checked_add(1) else { break };
        next = after;
    }
    parts
}

/// Reads one part, as far as the limits allow.
async fn read<I: Sync>(
    stream: &Stream<I>,
    subject: &str,
    (first, last): (u64, u64),
    left: &Left,
) -> Result<Vec<(Message, u64)>, Error> {
    let mut messages = Vec::new();
    let mut next = first;
    while next <= last {
        let message = match stream.direct_get_next_for_subject(subject, Some(next)).await {
            Ok(message) => message,
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => break,
            Err(error) => return Err(Error::jetstream("the history of a topic", error)),
        };
        if message.sequence > last || !left.take(message.payload.len()) {
            break;
        }
        next = message.sequence.saturating_add(1);
        messages.extend(parse(message));
    }
    Ok(messages)
}

fn parse(message: StreamMessage) -> Option<(Message, u64)> {
    Some((Message::parse(&message.headers, message.payload)?, message.sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_range_once() {
        for (first, last) in
            [(1, 1), (5, 12), (5, 13), (100, 10_000), (7, 6), (u64::MAX - 3, u64::MAX)]
        {
            let parts = parts(first, last);
            let mut next = first;
            for (start, end) in &parts {
                assert_eq!(*start, next);
                assert!(end >= start);
                next = end.wrapping_add(1);
            }
            assert_eq!(next, if first > last { first } else { last.wrapping_add(1) });
            assert!(parts.len() <= 66, "{} parts", parts.len());
        }
    }
}
