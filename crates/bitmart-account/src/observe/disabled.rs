//! No-op replacement for builds without the feature `metrics`.

use crate::{Health, Market};

pub(crate) struct AccountMetrics;

#[expect(clippy::unused_self, reason = "the interface of the feature `metrics`")]
impl AccountMetrics {
    pub(crate) fn new() -> Self {
        Self
    }
    pub(crate) fn set_health(&mut self, _: Market, _: Option<Health>) {}
    pub(crate) fn record_catch_up(&self, _: Market) {}
}
