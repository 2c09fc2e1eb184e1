//! The queue that the updates of a subscriber go to.

use crate::error::Error;
use crate::fan_in::TopicWriter;
use crate::queue::Writer;
use crate::update::Update;

/// The writing end of a subscription's own queue, or of a fan-in's queue.
#[derive(Debug)]
pub(crate) enum UpdateSink<T> {
    Subscription(Writer<T>),
    FanIn(TopicWriter<T>),
}

impl<T> UpdateSink<T> {
    /// Adds an update. Returns `false` if the subscription has ended.
    pub(crate) fn push(&self, update: Update<T>) -> bool {
        match self {
            Self::Subscription(writer) => writer.push(update),
            Self::FanIn(writer) => writer.push(update),
        }
    }

    /// Ends the subscription with this error after the queued updates.
    pub(crate) fn end(&self, error: Error) {
        match self {
            Self::Subscription(writer) => writer.end(error),
            Self::FanIn(writer) => writer.end(Some(error)),
        }
    }

    /// How many updates are queued.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Subscription(writer) => writer.len(),
            Self::FanIn(writer) => writer.queue_len(),
        }
    }

    /// Whether the reader is gone.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Subscription(writer) => writer.is_closed(),
            Self::FanIn(writer) => writer.is_closed(),
        }
    }
}

impl<T> From<Writer<T>> for UpdateSink<T> {
    fn from(writer: Writer<T>) -> Self {
        Self::Subscription(writer)
    }
}

impl<T> From<TopicWriter<T>> for UpdateSink<T> {
    fn from(writer: TopicWriter<T>) -> Self {
        Self::FanIn(writer)
    }
}
