//! Reads the stored messages of one subject in batches.
//!
//! Each subject has its own pull consumer, since one for several subjects needs nats-server 2.10.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::datetime::DateTime;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::stream::{State, Stream};
use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::nats::Error;
use crate::nats::message::Message;

/// Most messages of a batch.
const BATCH: usize = 256;
/// Longest wait for the next message of a batch that the server has.
const WAIT: Duration = Duration::from_secs(5);
/// How often, and after which pause, a batch is tried again.
const ATTEMPTS: u32 = 5;
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// How long the server keeps a consumer without requests. One that is gone is created again.
const KEEP: Duration = Duration::from_secs(60);

/// The part of the stream that a history reads: what its cursors have in common.
pub(super) struct StreamSpan {
    pub(super) stream: Stream<()>,
    /// Milliseconds since 1970.
    pub(super) from: i64,
    /// The first millisecond that is not part of it.
    pub(super) to: i64,
    /// The last sequence of the stream when it was opened.
    pub(super) last_sequence: u64,
    /// When the stream was made.
    pub(super) created: DateTime,
    /// Most bytes of a batch.
    pub(super) batch_bytes: usize,
}

impl StreamSpan {
    /// The present state of the stream.
    pub(super) async fn state(&self) -> Result<State, Error> {
        let info = self.stream.get_info().await;
        let info = info.map_err(|error| Error::jetstream("the stream", error))?;
        if info.created != self.created || info.state.last_sequence < self.last_sequence {
            return Err(Error::jetstream("the history", "the stream was lost and made anew"));
        }
        Ok(info.state)
    }
}

/// A message of a topic, with its place in the stream.
#[derive(Clone, Debug)]
pub(crate) struct StoredMessage {
    pub(crate) sequence: u64,
    /// When the server stored it: milliseconds since 1970, on its clock.
    pub(crate) at: i64,
    pub(crate) message: Message,
    /// The stream may have removed messages of the subject between the one before and this one.
    pub(super) follows_expired: bool,
}

/// The messages of one subject within a span.
pub(super) struct Cursor {
    subject: String,
    /// The sequence of the last message that was read.
    last_read: Option<u64>,
    /// `None` while a batch is read, so that a read whose future was dropped begins again with a new consumer.
    consumer: Option<OpenConsumer>,
    batch: VecDeque<StoredMessage>,
    is_done: bool,
    /// The stream may have removed messages of the subject that follow the last one that was read.
    pub(super) has_expired: bool,
}

/// A consumer and how much it has delivered. Dropping it deletes the consumer.
struct OpenConsumer {
    consumer: Consumer<pull::Config>,
    /// Messages that it has delivered.
    delivered: u64,
    /// Messages that it has not delivered yet.
    pending: u64,
    /// `None` when the consumer has been deleted.
    stream: Option<Stream<()>>,
}

impl OpenConsumer {
    /// Deletes the consumer. One that cannot be deleted is deleted by the server, after a while without requests.
    async fn delete(mut self) {
        if let Some(stream) = self.stream.clone() {
            delete(stream, self.consumer.cached_info().name.clone()).await;
        }
        self.stream = None;
    }
}

impl Drop for OpenConsumer {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current();
        if let (Some(stream), Ok(runtime)) = (self.stream.take(), runtime) {
            runtime.spawn(delete(stream, self.consumer.cached_info().name.clone()));
        }
    }
}

async fn delete(stream: Stream<()>, consumer: String) {
    if let Err(error) = stream.delete_consumer(&consumer).await {
        tracing::debug!(target: "bitmart_fleet", "a consumer was not deleted: {error}");
    }
}

impl Cursor {
    pub(super) fn new(subject: String) -> Self {
        Self {
            subject,
            last_read: None,
            consumer: None,
            batch: VecDeque::new(),
            is_done: false,
            has_expired: false,
        }
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn next_sequence(&self) -> Option<u64> {
        self.batch.front().map(|stored| stored.sequence)
    }

    pub(super) fn pop(&mut self) -> Option<StoredMessage> {
        self.batch.pop_front()
    }

    /// Reads the next batch if none is left. None is left afterwards if the span has ended.
    ///
    /// Cancel-safe: what was not read completely is read again.
    pub(super) async fn fill(&mut self, span: &StreamSpan) -> Result<(), Error> {
        let mut attempts = 0;
        while self.batch.is_empty() && !self.is_done {
            let Err(error) = self.read(span).await else { continue };
            attempts += 1;
            if attempts == ATTEMPTS {
                return Err(error);
            }
            tracing::debug!(target: "bitmart_fleet", subject = self.subject, "{error}");
            tokio::time::sleep(RETRY_DELAY).await;
        }
        Ok(())
    }

    /// Reads one batch, as far as it gets.
    async fn read(&mut self, span: &StreamSpan) -> Result<(), Error> {
        let mut open = match self.consumer.take() {
            Some(open) => open,
            None => self.open(span).await?,
        };
        let (mut batch, mut failure) = (VecDeque::new(), None);
        let mut is_usable = true;
        let mut read = self.last_read;
        if open.pending > 0 {
            let fetch = open.consumer.fetch().max_messages(BATCH).max_bytes(span.batch_bytes);
            let mut messages = fetch.messages().await.map_err(failed)?;
            while open.pending > 0 && batch.len() < BATCH {
                let message = match tokio::time::timeout(WAIT, messages.next()).await {
                    Ok(Some(Ok(message))) => message,
                    // This is also how a batch ends that has the most bytes that were requested.
                    Ok(Some(Err(error))) => {
                        failure = Some(failed(error));
                        break;
                    }
                    Ok(None) => break,
                    Err(_) => {
                        // A message that arrives after this would be lost.
                        (failure, is_usable) = (Some(failed("no response in time")), false);
                        break;
                    }
                };
                let info = message.info().map_err(failed)?;
                if info.consumer_sequence != open.delivered + 1 {
                    // Some were sent while the connection was lost.
                    (failure, is_usable) = (Some(failed("messages were lost on their way")), false);
                    break;
                }
                (open.delivered, open.pending) = (info.consumer_sequence, info.pending);
                let sequence = info.stream_sequence;
                let at = millis(info.published.unix_timestamp_nanos());
                if sequence > span.last_sequence || at >= span.to {
                    open.pending = 0;
                    break;
                }
                read = Some(sequence);
                let headers = message.message.headers.unwrap_or_default();
                if let Some(message) = Message::parse(&headers, copied(&message.message.payload)) {
                    let follows_expired = false;
                    batch.push_back(StoredMessage { sequence, at, message, follows_expired });
                }
            }
            if read == self.last_read && open.pending > 0 {
                return Err(failure.unwrap_or_else(|| failed("no messages")));
            }
        }
        let is_end = open.pending == 0;
        // Requested after the batch was read: what is in the stream now was in it before.
        let has_expired = match self.last_read {
            Some(last_read) => span.state().await?.first_sequence > last_read.saturating_add(1),
            // Whether messages before the first one were removed is checked for the whole history.
            None => false,
        };
        self.has_expired |= has_expired;
        if let Some(first) = batch.front_mut() {
            first.follows_expired = std::mem::take(&mut self.has_expired);
        }
        (self.last_read, self.batch, self.is_done) = (read, batch, is_end);
        if is_end {
            // If the future is dropped during this await, which is the last one, nothing is lost.
            open.delete().await;
        } else if is_usable {
            self.consumer = Some(open);
        }
        Ok(())
    }

    async fn open(&self, span: &StreamSpan) -> Result<OpenConsumer, Error> {
        let deliver_policy = if let Some(sequence) = self.last_read {
            DeliverPolicy::ByStartSequence { start_sequence: sequence.saturating_add(1) }
        } else {
            let start_time = async_nats::datetime::from_nanos(i128::from(span.from) * 1_000_000)
                .map_err(|_| Error::config("the span begins at an impossible time"))?;
            DeliverPolicy::ByStartTime { start_time }
        };
        let config = pull::Config {
            deliver_policy,
            ack_policy: AckPolicy::None,
            filter_subject: self.subject.clone(),
            inactive_threshold: KEEP,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let consumer = span.stream.create_consumer(config).await.map_err(failed)?;
        let pending = consumer.cached_info().num_pending;
        Ok(OpenConsumer { consumer, delivered: 0, pending, stream: Some(span.stream.clone()) })
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::jetstream("the history of a topic", error)
}

/// A copy: the payload is a part of the larger buffer of the connection.
fn copied(payload: &Bytes) -> Bytes {
    Bytes::copy_from_slice(payload)
}

pub(super) fn millis(nanos: i128) -> i64 {
    i64::try_from(nanos.div_euclid(1_000_000)).unwrap_or(i64::MAX)
}
