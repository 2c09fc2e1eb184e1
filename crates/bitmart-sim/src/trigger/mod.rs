//! Orders that wait for a price: plan orders, take-profits, stop-losses and trailing orders of futures,
//! algo orders of spot.
//!
//! They hold no money while they wait. After every command the exchange walks over what happened and
//! shows each trade's price to those who wait, then the present prices; whoever is met is placed as an
//! ordinary order. Its trades are walked over, too, until nothing more is met. A trigger leaves the
//! waiting ones before it is placed, so it fires once.

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
    plan::{Kind, NewPlan, Plan, PlanChange, placed_by},
    preset::{Preset, PresetPrice},
    spot::{Algo, AlgoKind, NewAlgo},
    trailing::Trail,
};
use super::{AccountId, Event, Exchange, FuturesAction, OrderId};

// Rule: An account may have 200 orders waiting for a price on each of spot and futures (40028). Source:
// invented (the number is not published)
/// Most orders that an account may have waiting, on each of spot and futures; the venue's number is
/// not published.
const MOST_WAITING: usize = 200;
// Rule: The last 10,000 orders that waited are kept, of all accounts together. Source: invented (no source says
// it)
/// Finished ones that are remembered, of all accounts together.
const REMEMBERED: usize = 10_000;

/// Which price is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PriceType {
    /// The price of the latest trade.
    Last,
    /// The mark price.
    Fair,
}

/// Where the price must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// Up to the trigger price or above it.
    Rise,
    /// Down to the trigger price or below it.
    Fall,
}

impl Way {
    fn is_reached(self, price: Decimal, trigger: Decimal) -> bool {
        match self {
            Self::Rise => price >= trigger,
            Self::Fall => price <= trigger,
        }
    }
}

/// What an order waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// The price comes to a fixed one.
    Reach {
        /// The trigger price, in the quote currency.
        price: Decimal,
        /// From which side it is reached.
        way: Way,
        /// The price that is watched.
        by: PriceType,
    },
    /// The price turns back from its furthest point.
    Trail(Trail),
}

impl Condition {
    /// Takes notice of a price; true when that is the one.
    fn is_met_by(&mut self, kind: PriceType, price: Decimal) -> bool {
        match self {
            Self::Reach { price: trigger, way, by } => {
                *by == kind && way.is_reached(price, *trigger)
            }
            Self::Trail(trail) => trail.by == kind && trail.follow(price),
        }
    }
}

/// How far an order that waits is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Its price has not come yet.
    Waiting,
    /// It became this order.
    Placed(OrderId),
    /// Its time had come, but the order was refused.
    Refused,
    /// Its owner cancelled it, or its position was closed.
    Cancelled,
}

/// An order of some market that waits or waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger<T> {
    /// Number of this waiting order; the order that it becomes has another one.
    pub id: OrderId,
    /// Who owns it.
    pub account: AccountId,
    /// Up to 32 ASCII letters and digits, chosen by the client.
    pub client_id: Option<SmolStr>,
    /// When it becomes an order.
    pub condition: Condition,
    /// What it becomes.
    pub terms: T,
    /// Whether it waits, or how it ended.
    pub state: State,
    /// Milliseconds since 1970.
    pub created_ms: u64,
    /// When it was last changed or ended, in milliseconds since 1970.
    pub updated_ms: u64,
}

impl<T> Trigger<T> {
    /// Whether it can still become an order.
    pub fn is_waiting(&self) -> bool {
        self.state == State::Waiting
    }
}

/// The market that something is an order of.
pub trait Traded {
    /// Returns the pair or contract.
    fn symbol(&self) -> &SmolStr;
}

/// All triggers of spot or of futures.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shelf<T> {
    waiting: BTreeMap<OrderId, Trigger<T>>,
    /// In the order in which they ended.
    finished: VecDeque<Trigger<T>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), finished: VecDeque::new() }
    }
}

impl<T: Traded + Clone> Shelf<T> {
    /// Waiting or finished.
    pub fn get(&self, id: OrderId) -> Option<&Trigger<T>> {
        self.waiting.get(&id).or_else(|| self.finished.iter().find(|one| one.id == id))
    }

    /// Returns the one of an account with this client order id: one that waits, else the latest that ended.
    pub fn by_client_id(&self, account: AccountId, client_id: &str) -> Option<&Trigger<T>> {
        self.of(account).find(|one| one.client_id.as_deref() == Some(client_id))
    }

    /// Whether one that waits has this client order id.
    pub fn will_use(&self, account: AccountId, client_id: &str) -> bool {
        let mut own = self.waiting.values().filter(|one| one.account == account);
        own.any(|one| one.client_id.as_deref() == Some(client_id))
    }

    /// The remembered ones of an account: those that wait, then those that ended, newest first.
    pub fn of(&self, account: AccountId) -> impl Iterator<Item = &Trigger<T>> {
        let all = self.waiting.values().rev().chain(self.finished.iter().rev());
        all.filter(move |one| one.account == account)
    }

    fn is_full(&self, account: AccountId) -> bool {
        self.waiting.values().filter(|one| one.account == account).count() >= MOST_WAITING
    }

    /// Those that a price sets off, oldest first.
    fn met(&mut self, symbol: &SmolStr, kind: PriceType, price: Decimal) -> Vec<OrderId> {
        self.waiting
            .values_mut()
            .filter(|one| one.terms.symbol() == symbol)
            .filter_map(|one| one.condition.is_met_by(kind, price).then_some(one.id))
            .collect()
    }

    fn take(&mut self, id: OrderId) -> Option<Trigger<T>> {
        self.waiting.remove(&id)
    }

    /// Keeps one that was taken, in its last state.
    fn finish(&mut self, mut trigger: Trigger<T>, state: State, now_ms: u64) -> Trigger<T> {
        trigger.state = state;
        trigger.updated_ms = now_ms;
        if self.finished.len() >= REMEMBERED {
            self.finished.pop_front();
        }
        self.finished.push_back(trigger.clone());
        trigger
    }
}

/// Everything that waits for a price.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Triggers {
    /// Orders of contracts.
    pub futures: Shelf<Plan>,
    /// Orders of pairs.
    pub spot: Shelf<Algo>,
    presets: preset::Presets,
}

impl Triggers {
    pub(crate) fn is_idle(&self) -> bool {
        self.futures.waiting.is_empty() && self.spot.waiting.is_empty() && self.presets.is_idle()
    }

    /// The prices that orders of a market wait for.
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
    // Rule: An order that waits sees the price of every trade and every mark price; one whose price is there
    // already fires at once. Source: simplified (no source states a smallest distance)
    /// Lets the orders that wait see what happened. To be called after every command, before its events
    /// are taken.
    pub(crate) fn run_triggers(&mut self, now_ms: u64) {
        while !self.triggers.is_idle() {
            while let Some(event) = self.events.get(self.noticed).cloned() {
                self.noticed += 1;
                self.notice(&event, now_ms);
            }
            self.show_present_prices(now_ms);
            if self.noticed == self.events.len() {
                break;
            }
        }
        self.noticed = self.events.len();
    }

    fn notice(&mut self, event: &Event, now_ms: u64) {
        match event {
            Event::FuturesTrade { symbol, trade } => {
                self.show_futures(symbol, PriceType::Last, trade.price, now_ms);
            }
            Event::SpotTrade { symbol, trade } => self.show_spot(symbol, trade.price, now_ms),
            Event::FuturesOrder { order, action, .. } => {
                if *action == FuturesAction::Fill {
                    self.arm_preset(order, now_ms);
                }
                if !order.open {
                    self.triggers.presets.disarm(order.id);
                }
            }
            Event::FuturesPosition { account, symbol, long } => {
                self.drop_unbound(*account, symbol, *long, now_ms);
            }
            _ => {}
        }
    }

    /// A trigger may come when its price is already there, and no trade tells of a mark price.
    fn show_present_prices(&mut self, now_ms: u64) {
        let contracts: Vec<_> = self
            .futures
            .iter()
            .map(|(symbol, market)| (symbol.clone(), market.last_price(), market.mark_price()))
            .collect();
        for (symbol, last, mark) in contracts {
            self.show_futures(&symbol, PriceType::Last, last, now_ms);
            self.show_futures(&symbol, PriceType::Fair, mark, now_ms);
        }
        let pairs: Vec<_> = self
            .spot
            .iter()
            .map(|(symbol, market)| (symbol.clone(), market.last_price()))
            .collect();
        for (symbol, last) in pairs {
            self.show_spot(&symbol, last, now_ms);
        }
    }

    // Rule: In a halted market everything goes on waiting. Source: invented (no source says it)
    /// In a halted market everything goes on waiting.
    fn show_futures(&mut self, symbol: &SmolStr, kind: PriceType, price: Decimal, now_ms: u64) {
        if self.halted.contains(symbol) {
            return;
        }
        for id in self.triggers.futures.met(symbol, kind, price) {
            self.fire_plan(id, now_ms);
        }
    }

    fn show_spot(&mut self, symbol: &SmolStr, price: Decimal, now_ms: u64) {
        if self.halted.contains(symbol) {
            return;
        }
        for id in self.triggers.spot.met(symbol, PriceType::Last, price) {
            self.fire_algo(id, now_ms);
        }
    }
}
