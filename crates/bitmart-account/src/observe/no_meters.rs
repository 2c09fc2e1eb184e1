//! The same functions as with the feature `metrics`, without effect.

use crate::{Health, Market};

/// Figures of a tracker.
pub(crate) struct Meters;

#[expect(clippy::unused_self, reason = "as with the feature `metrics`")]
impl Meters {
    pub(crate) fn new() -> Self {
        Self
    }
    pub(crate) fn health(&mut self, _: Market, _: Option<Health>) {}
    pub(crate) fn caught_up(&self, _: Market) {}
}
