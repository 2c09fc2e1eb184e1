//! Trigger orders, which wait for a price: plan orders, take-profits, stop-losses and trailing orders of futures, algo
//! orders of spot.
//!
//! A waiting trigger order freezes no money. After every command the exchange compares the price of each trade, then
//! the current prices, with the trigger conditions. When a condition is met, the trigger order is removed from the
//! waiting ones and placed as an ordinary order, so that it fires only once. The trades of that order are checked in
//! the same way, until no condition is met any more. Trigger orders are found by price: the others cost nothing.

mod orders;
pub mod plan;
mod preset;
pub mod spot;
#[cfg(test)]
mod tests;
mod trailing;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use self::{
    orders::TriggerOrders,
    plan::{NewPlan, Plan, PlanChange, PlanKind, placed_by},
    preset::{Preset, PresetPrice},
    spot::{Algo, AlgoKind, NewAlgo},
    trailing::Trail,
};
use super::{AccountId, Event, Exchange, FuturesAction, OrderId, operator::OperatorSettings};

// Rule: An account may have 200 orders waiting for a price on each of spot and futures (40028). Source:
// invented (the number is not published)
/// Largest number of waiting trigger orders of an account, on each of spot and futures.
const MAX_WAITING: usize = 200;
// Rule: The last 10,000 finished trigger orders are kept, of all accounts together. Source: invented (no source says
// it)
/// Finished trigger orders that are kept, of all accounts together.
const MAX_FINISHED: usize = 10_000;

/// The price that a condition watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PriceType {
    /// The price of the latest trade.
    Last,
    /// The mark price, which the exchange calls fair price here.
    #[serde(rename = "Fair")]
    Mark,
}

/// The direction from which a trigger price is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// The price rises to the trigger price or above.
    Rise,
    /// The price falls to the trigger price or below.
    Fall,
}

impl Direction {
    fn is_reached(self, price: Decimal, trigger: Decimal) -> bool {
        match self {
            Self::Rise => price >= trigger,
            Self::Fall => price <= trigger,
        }
    }
}

/// The condition of a trigger order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// The price reaches a fixed trigger price.
    Reach {
        /// The trigger price, in the quote currency.
        price: Decimal,
        /// The direction from which it is reached.
        #[serde(rename = "way")]
        direction: Direction,
        /// Which price of the market must reach it.
        #[serde(rename = "by")]
        price_type: PriceType,
    },
    /// The price turns back from its extreme.
    Trail(Trail),
}

impl Condition {
    /// Which price of the market it watches.
    fn watched(&self) -> PriceType {
        match self {
            Self::Reach { price_type, .. } => *price_type,
            Self::Trail(trail) => trail.price_type,
        }
    }
}

/// State of a trigger order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TriggerState {
    /// The condition is not met yet.
    Waiting,
    /// It was triggered and placed this order.
    Placed(OrderId),
    /// It was triggered, but its order was rejected.
    #[serde(alias = "Refused")]
    Rejected,
    /// The owner canceled it, or its position was closed.
    #[serde(alias = "Cancelled")]
    Canceled,
}

/// A trigger order, waiting or finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger<T> {
    /// Number of the trigger order. The order that it places has its own number.
    pub id: OrderId,
    /// The owner.
    pub account: AccountId,
    /// Up to 32 ASCII letters and digits, chosen by the client.
    #[serde(alias = "client_id")]
    pub client_order_id: Option<SmolStr>,
    /// The condition.
    pub condition: Condition,
    /// The order to place.
    pub terms: T,
    /// The state.
    pub state: TriggerState,
    /// Milliseconds since 1970.
    pub created_ms: u64,
    /// Time of the last change, in milliseconds since 1970.
    pub updated_ms: u64,
}

impl<T> Trigger<T> {
    /// Whether it still waits.
    pub fn is_waiting(&self) -> bool {
        self.state == TriggerState::Waiting
    }
}

/// Terms of an order of a market.
pub trait Traded {
    /// Returns the pair or contract.
    fn symbol(&self) -> &SmolStr;
}

/// All trigger orders and presets.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Triggers {
    /// Trigger orders of contracts.
    pub futures: TriggerOrders<Plan>,
    /// Trigger orders of pairs.
    pub spot: TriggerOrders<Algo>,
    presets: preset::Presets,
    /// Whether the waiting orders were checked against the current prices. They stay checked until an order is added,
    /// or a price changes without the event of a trade.
    #[serde(skip)]
    are_checked: bool,
}

impl Triggers {
    /// Whether nothing waits for a price or a fill.
    pub(crate) fn is_idle(&self) -> bool {
        self.futures.is_idle() && self.spot.is_idle() && self.presets.is_idle()
    }

    /// Has the current prices checked. Needed when a price may have changed without the event of a trade, or a market
    /// or account is released.
    pub(crate) fn require_check(&mut self) {
        self.are_checked = false;
    }

    /// Whether the current prices must be checked. They count as checked afterwards.
    fn take_required_check(&mut self) -> bool {
        let has_new = self.futures.take_has_new() | self.spot.take_has_new();
        !std::mem::replace(&mut self.are_checked, true) || has_new
    }

    #[cfg(test)]
    pub(crate) fn has_consistent_presets(&self) -> bool {
        self.presets.is_consistent()
    }

    /// Returns the fixed trigger prices of a market.
    pub(crate) fn prices(&self, symbol: &str) -> Vec<Decimal> {
        self.spot.prices(symbol).chain(self.futures.prices(symbol)).collect()
    }
}

impl Exchange {
    // Rule: A trigger order watches the price of every trade and every mark price; one whose condition is met
    // already is triggered at once. Source: simplified (no source states a smallest distance)
    /// Checks all trigger orders against the new events and the current prices. Must run after every command, before
    /// its events are taken.
    pub(crate) fn run_triggers(&mut self, now_ms: u64) {
        while !self.triggers.is_idle() {
            while self.check_next_event(now_ms) {}
            if self.triggers.take_required_check() {
                self.check_current_prices(now_ms);
            }
            if !self.events.has_unchecked() {
                break;
            }
        }
        self.events.mark_checked();
        if self.triggers.is_idle() {
            self.triggers.take_required_check();
        }
    }

    /// Checks the next event, and returns whether there was one. Only what is needed of it is copied, because most
    /// events concern nobody.
    fn check_next_event(&mut self, now_ms: u64) -> bool {
        let Some(event) = self.events.next_unchecked() else { return false };
        match event {
            Event::FuturesTrade { symbol, trade } => {
                let (symbol, price) = (symbol.clone(), trade.price);
                self.check_futures_price(&symbol, PriceType::Last, price, now_ms);
            }
            Event::SpotTrade { symbol, trade } => {
                let (symbol, price) = (symbol.clone(), trade.price);
                self.check_spot_price(&symbol, price, now_ms);
            }
            Event::FuturesOrder { order, action, .. } => {
                let (id, is_open) = (order.id, order.open);
                if *action == FuturesAction::Filled && self.triggers.presets.is_pending(id) {
                    let order = order.clone();
                    self.place_preset(&order, now_ms);
                }
                if !is_open {
                    self.triggers.presets.remove_pending(id);
                }
            }
            _ => {}
        }
        true
    }

    /// Checks the trigger orders of all markets against the current prices. Needed because a condition may be met when
    /// the trigger order is placed, and mark prices change without trades. It visits every market with waiting orders,
    /// and is therefore not done after every command.
    fn check_current_prices(&mut self, now_ms: u64) {
        let (last, mark) = (PriceType::Last, PriceType::Mark);
        let mut affected = Vec::new();
        for (symbol, watch) in self.triggers.futures.markets() {
            let Some(market) = self.futures.get(symbol) else { continue };
            if watch.has(last) && watch.is_affected_by(last, market.last_price()) {
                affected.push((symbol.clone(), last, market.last_price()));
            }
            if watch.has(mark) && watch.is_affected_by(mark, market.mark_price()) {
                affected.push((symbol.clone(), mark, market.mark_price()));
            }
        }
        for (symbol, price_type, price) in affected {
            self.check_futures_price(&symbol, price_type, price, now_ms);
        }
        let mut affected = Vec::new();
        for (symbol, watch) in self.triggers.spot.markets() {
            let Some(market) = self.spot.get(symbol) else { continue };
            if watch.is_affected_by(last, market.last_price()) {
                affected.push((symbol.clone(), market.last_price()));
            }
        }
        for (symbol, price) in affected {
            self.check_spot_price(&symbol, price, now_ms);
        }
    }

    // Rule: In a halted market or delisted contract no trigger order is triggered, nor one of a frozen account. They
    // wait, and are triggered afterwards if the price then meets their condition. Source: invented (no source says it)
    /// Triggers futures orders whose condition a price meets, unless the contract is halted or delisted.
    fn check_futures_price(
        &mut self,
        symbol: &SmolStr,
        price_type: PriceType,
        price: Decimal,
        now_ms: u64,
    ) {
        if self.check_contract(symbol).is_err() {
            return;
        }
        let (triggers, operator_settings) = (&mut self.triggers.futures, &self.operator_settings);
        for id in triggers.triggered_by(symbol, price_type, price, operator_settings) {
            self.trigger_plan(id, now_ms);
        }
    }

    /// Triggers spot orders whose condition a price meets, unless the market is halted.
    fn check_spot_price(&mut self, symbol: &SmolStr, price: Decimal, now_ms: u64) {
        if self.halted.contains(symbol) {
            return;
        }
        let (triggers, operator_settings) = (&mut self.triggers.spot, &self.operator_settings);
        for id in triggers.triggered_by(symbol, PriceType::Last, price, operator_settings) {
            self.trigger_algo(id, now_ms);
        }
    }
}
