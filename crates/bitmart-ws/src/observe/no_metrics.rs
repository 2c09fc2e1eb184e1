//! The functions of the feature `metrics`, without effect.

use std::time::Instant;

use crate::book::ResyncReason;
use crate::dialect::{Access, Market};
use crate::event::DecodeErrorKind;

#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics(());

#[expect(clippy::unused_self, reason = "as with the feature `metrics`")]
impl Metrics {
    pub(crate) fn new(_: Market, _: Access) -> Self {
        Self(())
    }
    pub(super) fn attempted(&self, _outcome: &'static str) {}
    pub(super) fn opened(&self) {}
    pub(super) fn closed(&self, _reason: &'static str) {}
    pub(super) fn received(&self, _bytes: usize) {}
    pub(super) fn sent(&self, _bytes: usize) {}
    pub(crate) fn decode_error(&self, _: DecodeErrorKind) {}
    pub(crate) fn unrouted(&self) {}
    pub(crate) fn overflowed(&self, _dropped: u64) {}
    pub(crate) fn read(&self, _received_at: Instant) {}
}

#[derive(Debug, Default)]
pub(crate) struct QueueDepth(());

#[expect(clippy::unused_self, reason = "as with the feature `metrics`")]
impl QueueDepth {
    pub(crate) fn set(&mut self, _: &Metrics, _length: usize) {}
}

pub(crate) fn book_resync(_: Market, _: &ResyncReason) {}
