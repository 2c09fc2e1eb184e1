//! Metrics through the crate `metrics`.

use metrics::{Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::{Health, Market};

/// Values of the label `state`. One of the gauges is 1, the others are 0.
const STATES: [&str; 4] = ["live", "stale", "catching_up", "failed"];

/// The metrics of one tracker.
pub(crate) struct AccountMetrics {
    markets: Vec<(Market, [Gauge; 4])>,
}

impl AccountMetrics {
    /// Describes the metrics. The recorder must be installed before.
    pub(crate) fn new() -> Self {
        describe_gauge!(
            "bitmart_account_health",
            Unit::Count,
            "1 for the health that a followed market has, 0 for the others."
        );
        describe_counter!(
            "bitmart_account_catch_ups_total",
            Unit::Count,
            "How often a market became live, the first time included."
        );
        Self { markets: Vec::new() }
    }

    /// Sets the health of a market; `None` if it is no longer followed.
    pub(crate) fn set_health(&mut self, market: Market, health: Option<Health>) {
        let known = self.markets.iter().position(|(known, _)| *known == market);
        let index = known.unwrap_or_else(|| {
            let market_label = label(market);
            let state = |state| {
                gauge!("bitmart_account_health", "market" => market_label, "state" => state)
            };
            self.markets.push((market, STATES.map(state)));
            self.markets.len() - 1
        });
        let current = health.map(|health| match health {
            Health::Live => 0,
            Health::Stale => 1,
            Health::CatchingUp { .. } => 2,
            Health::Failed => 3,
        });
        let gauges = self.markets.get(index).into_iter().flat_map(|(_, gauges)| gauges);
        for (state, gauge) in gauges.enumerate() {
            gauge.set(u32::from(current == Some(state)));
        }
    }

    #[expect(clippy::unused_self, reason = "the interface without the feature")]
    pub(crate) fn record_catch_up(&self, market: Market) {
        counter!("bitmart_account_catch_ups_total", "market" => label(market)).increment(1);
    }
}

impl Drop for AccountMetrics {
    fn drop(&mut self) {
        for gauge in self.markets.iter().flat_map(|(_, gauges)| gauges) {
            gauge.set(0);
        }
    }
}

const fn label(market: Market) -> &'static str {
    match market {
        Market::Spot => "spot",
        Market::Futures => "futures",
    }
}
