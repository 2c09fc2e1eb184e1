//! Reads the messages of a topic that the stream still has.

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DirectGetErrorKind, Stream};

use super::Error;
use super::message::Message;

/// Most messages that are read to build a book.
const MAX_MESSAGES: usize = 50_000;
/// And how large they may be together.
const MAX_BYTES: usize = 64 << 20;

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
pub(crate) async fn range<I>(
    stream: &Stream<I>,
    subject: &str,
    term: u64,
    (first, last): (u64, u64),
) -> Result<Vec<Message>, Error> {
    let (mut messages, mut bytes) = (Vec::new(), 0);
    let mut next = first;
    while next <= last && messages.len() < MAX_MESSAGES && bytes < MAX_BYTES {
        let message = match stream.direct_get_next_for_subject(subject, Some(next)).await {
            Ok(message) => message,
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => break,
            Err(error) => return Err(Error::jetstream("the history of a topic", error)),
        };
        if next == first && message.sequence != first {
            return Ok(Vec::new());
        }
        next = message.sequence + 1;
        bytes += message.payload.len();
        if let Some((message, sequence)) = parse(message)
            && message.term == term
            && sequence <= last
        {
            messages.push(message);
        }
    }
    Ok(messages)
}

fn parse(message: StreamMessage) -> Option<(Message, u64)> {
    Some((Message::parse(&message.headers, message.payload)?, message.sequence))
}
