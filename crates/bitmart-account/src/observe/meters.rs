//! Figures with the crate `metrics`.

use metrics::{Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::{Health, Market};

/// The words of a market's health. One of them is 1, the others are 0.
const STATES: [&str; 4] = ["live", "stale", "catching_up", "failed"];

/// Figures of a tracker.
pub(crate) struct Meters {
    markets: Vec<(Market, [Gauge; 4])>,
}

impl Meters {
    /// The recorder must be installed by now.
    pub(crate) fn new() -> Self {
        describe_gauge!(
            "bitmart_account_health",
            Unit::Count,
            "1 for the health that a followed market has, 0 for the others."
        );
        describe_counter!(
            "bitmart_account_catch_ups_total",
            Unit::Count,
            "How often a market became whole, the first time included."
        );
        Self { markets: Vec::new() }
    }

    /// The health of a market; `None` when it is followed no more.
    pub(crate) fn health(&mut self, market: Market, health: Option<Health>) {
        let known = self.markets.iter().position(|(known, _)| *known == market);
        let place = known.unwrap_or_else(|| {
            let market_word = word(market);
            let state =
                |state| gauge!("bitmart_account_health", "market" => market_word, "state" => state);
            self.markets.push((market, STATES.map(state)));
            self.markets.len() - 1
        });
        let now = health.map(|health| match health {
            Health::Live => 0,
            Health::Stale => 1,
            Health::CatchingUp { .. } => 2,
            Health::Failed => 3,
        });
        let gauges = self.markets.get(place).into_iter().flat_map(|(_, gauges)| gauges);
        for (state, gauge) in gauges.enumerate() {
            gauge.set(u32::from(now == Some(state)));
        }
    }

    #[expect(clippy::unused_self, reason = "one owner of all figures, as without the feature")]
    pub(crate) fn caught_up(&self, market: Market) {
        counter!("bitmart_account_catch_ups_total", "market" => word(market)).increment(1);
    }
}

impl Drop for Meters {
    fn drop(&mut self) {
        for gauge in self.markets.iter().flat_map(|(_, gauges)| gauges) {
            gauge.set(0);
        }
    }
}

const fn word(market: Market) -> &'static str {
    match market {
        Market::Spot => "spot",
        Market::Futures => "futures",
    }
}
