//! Counters of a collector.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The state of a collector and what it has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Whether NATS is connected.
    pub is_connected: bool,
    /// Leases that it holds.
    pub leases: u64,
    /// Topics that it publishes.
    pub topics: u64,
    /// Topics of these that do not deliver now: not subscribed yet, disconnected or rejected.
    pub topics_down: u64,
    /// Frames that it published.
    pub frames: u64,
    /// Bytes of these frames, without headers.
    pub bytes: u64,
    /// Frames that it received and did not publish, because it or NATS was too slow.
    pub frames_lost: u64,
    /// Times that it took a lease.
    pub takeovers: u64,
    /// Live collectors that have other topics. All must have the same: those that only some have are collected as long
    /// as one of these holds their shard. It is also logged, at `error`.
    pub other_topics: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Counters(Arc<Values>);

#[derive(Debug, Default)]
struct Values {
    is_connected: AtomicBool,
    leases: AtomicU64,
    topics: AtomicU64,
    topics_down: AtomicU64,
    frames: AtomicU64,
    bytes: AtomicU64,
    lost: AtomicU64,
    takeovers: AtomicU64,
    other_topics: AtomicU64,
}

impl Counters {
    pub(super) fn status(&self) -> Status {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Status {
            is_connected: self.0.is_connected.load(Ordering::Relaxed),
            leases: value(&self.0.leases),
            topics: value(&self.0.topics),
            topics_down: value(&self.0.topics_down),
            frames: value(&self.0.frames),
            bytes: value(&self.0.bytes),
            frames_lost: value(&self.0.lost),
            takeovers: value(&self.0.takeovers),
            other_topics: value(&self.0.other_topics),
        }
    }

    pub(super) fn connected(&self, is_connected: bool) {
        self.0.is_connected.store(is_connected, Ordering::Relaxed);
    }

    pub(super) fn holds(&self, leases: usize, topics: usize) {
        self.0.leases.store(leases as u64, Ordering::Relaxed);
        self.0.topics.store(topics as u64, Ordering::Relaxed);
    }

    pub(super) fn down(&self, topics: usize) {
        self.0.topics_down.store(topics as u64, Ordering::Relaxed);
    }

    pub(super) fn published(&self, bytes: usize) {
        self.0.frames.fetch_add(1, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn lost(&self, frames: u64) {
        self.0.lost.fetch_add(frames, Ordering::Relaxed);
    }

    pub(super) fn took_over(&self, leases: usize) {
        self.0.takeovers.fetch_add(leases as u64, Ordering::Relaxed);
    }

    pub(super) fn others_have_other_topics(&self, collectors: usize) {
        self.0.other_topics.store(collectors as u64, Ordering::Relaxed);
    }
}
