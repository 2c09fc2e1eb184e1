//! Trigger orders, which wait for a price: plan orders, take-profits, stop-losses and trailing orders of futures, algo
//! orders of spot.
//!
//! A waiting trigger order freezes no money. After every command the exchange compares the price of each trade, then
//! the current prices, with the trigger conditions. When a condition is met, the trigger order is removed from the
//! waiting ones and placed as an ordinary order, so that it fires only once. The trades of that order are checked in
//! the same way, until no condition is met any more.

pub mod plan;
mod preset;
pub mod spot;
#[cfg(test)]
mod tests;
mod trailing;

use std::collections::{BTreeMap, VecDeque};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use self::{
    plan::{NewPlan, Plan, PlanChange, PlanKind, placed_by},
    preset::{Preset, PresetPrice},
    spot::{Algo, AlgoKind, NewAlgo},
    trailing::Trail,
};
use super::{AccountId, Event, Exchange, FuturesAction, OrderId, operator::OperatorDecisions};

// Rule: An account may have 200 orders waiting for a price on each of spot and futures (40028). Source:
// invented (the number is not published)
/// Largest number of waiting trigger orders of an account, on each of spot and futures.
const MOST_WAITING: usize = 200;
// Rule: The last 10,000 finished trigger orders are kept, of all accounts together. Source: invented (no source says
// it)
/// Finished trigger orders that are kept, of all accounts together.
const MOST_FINISHED: usize = 10_000;

/// The price that a condition watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PriceType {
    /// The price of the latest trade.
    Last,
    /// The mark price.
    Fair,
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
        /// The direction.
        way: Direction,
        /// The price that is watched.
        by: PriceType,
    },
    /// The price turns back from its extreme.
    Trail(Trail),
}

impl Condition {
    /// Updates the condition with a price. Returns whether it is met.
    fn is_met_by(&mut self, kind: PriceType, price: Decimal) -> bool {
        match self {
            Self::Reach { price: trigger, way, by } => {
                *by == kind && way.is_reached(price, *trigger)
            }
            Self::Trail(trail) => trail.by == kind && trail.follow(price),
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
    Refused,
    /// The owner cancelled it, or its position was closed.
    Cancelled,
}

/// A trigger order, waiting or finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger<T> {
    /// Number of the trigger order. The order that it places has its own number.
    pub id: OrderId,
    /// The owner.
    pub account: AccountId,
    /// Up to 32 ASCII letters and digits, chosen by the client.
    pub client_id: Option<SmolStr>,
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

/// The trigger orders of spot or of futures.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TriggerOrders<T> {
    waiting: BTreeMap<OrderId, Trigger<T>>,
    /// In the order in which they were finished.
    finished: VecDeque<Trigger<T>>,
}

impl<T> Default for TriggerOrders<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), finished: VecDeque::new() }
    }
}

impl<T: Traded + Clone> TriggerOrders<T> {
    /// Returns a trigger order, waiting or finished.
    pub fn get(&self, id: OrderId) -> Option<&Trigger<T>> {
        self.waiting.get(&id).or_else(|| self.finished.iter().find(|one| one.id == id))
    }

    /// Returns the trigger order of an account with a client order id: the waiting one, else the latest finished one.
    pub fn by_client_id(&self, account: AccountId, client_id: &str) -> Option<&Trigger<T>> {
        self.of(account).find(|one| one.client_id.as_deref() == Some(client_id))
    }

    /// Whether a waiting trigger order of an account has a client order id.
    pub fn is_client_id_reserved(&self, account: AccountId, client_id: &str) -> bool {
        let mut own = self.waiting.values().filter(|one| one.account == account);
        own.any(|one| one.client_id.as_deref() == Some(client_id))
    }

    /// Returns the trigger orders of an account: waiting ones, then finished ones, newest first.
    pub fn of(&self, account: AccountId) -> impl Iterator<Item = &Trigger<T>> {
        let all = self.waiting.values().rev().chain(self.finished.iter().rev());
        all.filter(move |one| one.account == account)
    }

    fn is_full(&self, account: AccountId) -> bool {
        self.has_no_room_for(account, 1)
    }

    fn has_no_room_for(&self, account: AccountId, more: usize) -> bool {
        self.waiting.values().filter(|one| one.account == account).count() + more > MOST_WAITING
    }

    /// Updates the conditions with a price. Returns the trigger orders that it triggers, oldest first. Those of frozen
    /// accounts do not follow the price.
    fn triggered_by(
        &mut self,
        symbol: &SmolStr,
        kind: PriceType,
        price: Decimal,
        decisions: &OperatorDecisions,
    ) -> Vec<OrderId> {
        self.waiting
            .values_mut()
            .filter(|one| one.terms.symbol() == symbol && !decisions.is_frozen(one.account))
            .filter_map(|one| one.condition.is_met_by(kind, price).then_some(one.id))
            .collect()
    }

    fn take(&mut self, id: OrderId) -> Option<Trigger<T>> {
        self.waiting.remove(&id)
    }

    /// Keeps a removed trigger order in its final state.
    fn finish(&mut self, mut trigger: Trigger<T>, state: TriggerState, now_ms: u64) -> Trigger<T> {
        trigger.state = state;
        trigger.updated_ms = now_ms;
        if self.finished.len() >= MOST_FINISHED {
            self.finished.pop_front();
        }
        self.finished.push_back(trigger.clone());
        trigger
    }
}

/// All trigger orders and presets.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Triggers {
    /// Trigger orders of contracts.
    pub futures: TriggerOrders<Plan>,
    /// Trigger orders of pairs.
    pub spot: TriggerOrders<Algo>,
    presets: preset::Presets,
}

impl Triggers {
    pub(crate) fn is_idle(&self) -> bool {
        self.futures.waiting.is_empty() && self.spot.waiting.is_empty() && self.presets.is_idle()
    }

    /// Returns the fixed trigger prices of a market.
    pub(crate) fn prices(&self, symbol: &str) -> Vec<Decimal> {
        let spot = self.spot.waiting.values().filter(|one| one.terms.symbol() == symbol);
        let futures = self.futures.waiting.values().filter(|one| one.terms.symbol() == symbol);
        let conditions = spot.map(|one| &one.condition).chain(futures.map(|one| &one.condition));
        let price = |condition: &Condition| match condition {
            Condition::Reach { price, .. } => Some(*price),
            Condition::Trail(_) => None,
        };
        conditions.filter_map(price).collect()
    }
}

impl Exchange {
    // Rule: A trigger order watches the price of every trade and every mark price; one whose condition is met
    // already is triggered at once. Source: simplified (no source states a smallest distance)
    /// Checks all trigger orders against the new events and the current prices. Must run after every command, before
    /// its events are taken.
    pub(crate) fn run_triggers(&mut self, now_ms: u64) {
        while !self.triggers.is_idle() {
            while let Some(event) = self.events.get(self.events_seen).cloned() {
                self.events_seen += 1;
                self.check_event(&event, now_ms);
            }
            self.check_current_prices(now_ms);
            if self.events_seen == self.events.len() {
                break;
            }
        }
        self.events_seen = self.events.len();
    }

    fn check_event(&mut self, event: &Event, now_ms: u64) {
        match event {
            Event::FuturesTrade { symbol, trade } => {
                self.check_futures_price(symbol, PriceType::Last, trade.price, now_ms);
            }
            Event::SpotTrade { symbol, trade } => {
                self.check_spot_price(symbol, trade.price, now_ms);
            }
            Event::FuturesOrder { order, action, .. } => {
                if *action == FuturesAction::Fill {
                    self.place_preset(order, now_ms);
                }
                if !order.open {
                    self.triggers.presets.remove_pending(order.id);
                }
            }
            Event::FuturesPosition { account, symbol, long } => {
                self.cancel_bound_plans(*account, symbol, *long, now_ms);
            }
            _ => {}
        }
    }

    /// Needed because a condition may be met when the trigger order is placed, and mark prices change without trades.
    fn check_current_prices(&mut self, now_ms: u64) {
        let contracts: Vec<_> = self
            .futures
            .iter()
            .map(|(symbol, market)| (symbol.clone(), market.last_price(), market.mark_price()))
            .collect();
        for (symbol, last, mark) in contracts {
            self.check_futures_price(&symbol, PriceType::Last, last, now_ms);
            self.check_futures_price(&symbol, PriceType::Fair, mark, now_ms);
        }
        let pairs: Vec<_> = self
            .spot
            .iter()
            .map(|(symbol, market)| (symbol.clone(), market.last_price()))
            .collect();
        for (symbol, last) in pairs {
            self.check_spot_price(&symbol, last, now_ms);
        }
    }

    // Rule: In a halted market or delisted contract no trigger order is triggered, nor one of a frozen account. They
    // wait, and are triggered afterwards if the price then meets their condition. Source: invented (no source says it)
    /// Triggers futures orders whose condition a price meets, unless the contract is halted or delisted.
    fn check_futures_price(
        &mut self,
        symbol: &SmolStr,
        kind: PriceType,
        price: Decimal,
        now_ms: u64,
    ) {
        if self.check_contract(symbol).is_err() {
            return;
        }
        let (triggers, decisions) = (&mut self.triggers.futures, &self.decisions);
        for id in triggers.triggered_by(symbol, kind, price, decisions) {
            self.trigger_plan(id, now_ms);
        }
    }

    /// Triggers spot orders whose condition a price meets, unless the market is halted.
    fn check_spot_price(&mut self, symbol: &SmolStr, price: Decimal, now_ms: u64) {
        if self.halted.contains(symbol) {
            return;
        }
        let (triggers, decisions) = (&mut self.triggers.spot, &self.decisions);
        for id in triggers.triggered_by(symbol, PriceType::Last, price, decisions) {
            self.trigger_algo(id, now_ms);
        }
    }
}
