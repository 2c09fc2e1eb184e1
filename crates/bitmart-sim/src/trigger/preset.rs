//! Presets: take-profit and stop-loss prices of an opening order (endpoint futures/submit-order). No source states
//! when they become orders, and for which size: here at the first fill that opens, for the whole position, at the
//! market.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Condition, Exchange, NewPlan, OrderId, Plan, PlanKind, PriceType};
use crate::{
    AccountId,
    account::DEFAULT_HISTORY_LIMIT,
    book::SelfTradePrevention,
    futures_order::{FuturesOrder, FuturesSide, NewFuturesOrder, OrderMode},
    reject::Reject,
};

/// A trigger price of a preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetPrice {
    /// Trigger price in the quote currency.
    pub price: Decimal,
    /// Which price of the market is watched.
    #[serde(rename = "by")]
    pub price_type: PriceType,
}

/// Take-profit and stop-loss prices of an opening order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset {
    /// Take-profit price.
    pub take_profit: Option<PresetPrice>,
    /// Stop-loss price.
    pub stop_loss: Option<PresetPrice>,
}

impl Preset {
    /// Whether both prices are missing.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Returns both prices, the legs of the preset, with the kind of trigger order that each becomes.
    fn legs(self) -> [(PlanKind, Option<PresetPrice>); 2] {
        [(PlanKind::TakeProfit, self.take_profit), (PlanKind::StopLoss, self.stop_loss)]
    }

    /// Replaces the prices that `newer` has.
    pub(super) fn updated(self, newer: Self) -> Self {
        Self {
            take_profit: newer.take_profit.or(self.take_profit),
            stop_loss: newer.stop_loss.or(self.stop_loss),
        }
    }
}

/// The presets of futures orders.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "StoredPresets")]
pub(super) struct Presets {
    by_order: BTreeMap<OrderId, Preset>,
    /// Orders whose presets are not placed yet.
    #[serde(rename = "armed")]
    pending: BTreeSet<OrderId>,
    /// The other orders with presets, which are kept for queries only.
    #[serde(skip)]
    kept: BTreeSet<OrderId>,
    /// The latest take-profit and stop-loss that were placed for an order.
    placed: BTreeMap<OrderId, Vec<(PlanKind, OrderId)>>,
}

/// The serialized form.
#[derive(Debug, Deserialize)]
struct StoredPresets {
    by_order: BTreeMap<OrderId, Preset>,
    #[serde(rename = "armed")]
    pending: BTreeSet<OrderId>,
    #[serde(default)]
    placed: BTreeMap<OrderId, Vec<(PlanKind, OrderId)>>,
}

impl From<StoredPresets> for Presets {
    fn from(stored: StoredPresets) -> Self {
        let StoredPresets { by_order, pending, placed } = stored;
        let kept = by_order.keys().filter(|id| !pending.contains(id)).copied().collect();
        Self { by_order, pending, kept, placed }
    }
}

impl Presets {
    /// Whether no presets wait for a fill.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn is_pending(&self, id: OrderId) -> bool {
        self.pending.contains(&id)
    }

    /// Notes that the presets of an order are placed or no longer needed. Returns whether they were pending.
    pub(super) fn remove_pending(&mut self, id: OrderId) -> bool {
        let was_pending = self.pending.remove(&id);
        if was_pending {
            self.kept.insert(id);
        }
        was_pending
    }

    /// Sets the presets of an order, which are pending from now on. Removes the oldest kept ones.
    fn set_pending(&mut self, id: OrderId, preset: Preset) {
        self.by_order.insert(id, preset);
        self.pending.insert(id);
        self.kept.remove(&id);
        while self.kept.len() > DEFAULT_HISTORY_LIMIT {
            let Some(oldest) = self.kept.pop_first() else { return };
            self.by_order.remove(&oldest);
            self.placed.remove(&oldest);
        }
    }

    /// Replaces the presets of an order whose take-profit or stop-loss was already placed.
    fn set_placed(&mut self, id: OrderId, preset: Preset) {
        self.by_order.insert(id, preset);
        if !self.pending.contains(&id) {
            self.kept.insert(id);
        }
    }

    #[cfg(test)]
    pub(crate) fn is_consistent(&self) -> bool {
        self.by_order.keys().eq(self.pending.union(&self.kept))
            && self.pending.is_disjoint(&self.kept)
    }

    /// Returns the latest trigger order of a kind that was placed for an order.
    fn placed_for(&self, order: OrderId, kind: PlanKind) -> Option<OrderId> {
        self.placed.get(&order)?.iter().find(|row| row.0 == kind).map(|row| row.1)
    }

    fn remember_placed(&mut self, order: OrderId, kind: PlanKind, plan: OrderId) {
        let rows = self.placed.entry(order).or_default();
        rows.retain(|row| row.0 != kind);
        rows.push((kind, plan));
    }
}

impl Exchange {
    /// Returns the presets of an order.
    pub fn preset_of(&self, id: OrderId) -> Preset {
        self.triggers.presets.by_order.get(&id).copied().unwrap_or_default()
    }

    /// Sets the presets of a new order, unless there are none.
    pub(crate) fn set_preset(&mut self, id: OrderId, preset: Preset) {
        if !preset.is_empty() {
            self.triggers.presets.set_pending(id, preset);
        }
    }

    /// Changes the presets of an open order or a waiting plan order.
    pub(crate) fn change_preset(
        &mut self,
        account: AccountId,
        symbol: &str,
        id: OrderId,
        preset: Preset,
        now_ms: u64,
    ) -> Result<(), Reject> {
        if let Some(plan) = self.waiting_plan(account, symbol, id, &[PlanKind::Plan])? {
            check_opens(plan.terms.order.side)?;
            self.triggers.futures.change(id, |plan| {
                plan.terms.preset = plan.terms.preset.updated(preset);
                plan.updated_ms = now_ms;
            });
            self.report_plan(id);
            return Ok(());
        }
        let order = self
            .futures_orders
            .get(&id)
            .filter(|order| order.account == account && order.request.symbol == symbol)
            .ok_or(Reject::UnknownOrder)?;
        if !order.open {
            return Err(Reject::OrderNotOpen);
        }
        check_opens(order.request.side)?;
        let (order, updated) = (order.clone(), self.preset_of(id).updated(preset));
        if order.filled.is_zero() || !self.has_opened(&order) {
            self.set_preset(id, updated);
            return Ok(());
        }
        // Rule: Presets that are changed after the first fill change the trigger orders that it placed; one that does
        // not wait any more is placed again. Source: simplified (no source says it)
        let new_orders = preset
            .legs()
            .into_iter()
            .filter(|leg| leg.1.is_some() && self.waiting_leg(id, leg.0).is_none());
        if self.triggers.futures.has_no_room_for(account, new_orders.count()) {
            return Err(Reject::TooManyTriggerOrders);
        }
        self.triggers.presets.set_placed(id, updated);
        self.place_legs(&order, preset, now_ms);
        Ok(())
    }

    /// Whether the position that an order opens is open.
    fn has_opened(&self, order: &FuturesOrder) -> bool {
        let request = &order.request;
        !self.position_size(order.account, &request.symbol, request.side.position_side()).is_zero()
    }

    /// Returns the waiting take-profit or stop-loss that was placed for an order.
    fn waiting_leg(&self, order: OrderId, kind: PlanKind) -> Option<OrderId> {
        let id = self.triggers.presets.placed_for(order, kind)?;
        self.triggers.futures.waiting(id).map(|plan| plan.id)
    }

    // Rule: The first fill that opens places the presets, for the whole position and at the market.
    // Source: simplified (no source says when, and for which size)
    /// Places the presets of an order at its first fill that opens a position. In one-way mode earlier fills may have
    /// closed the opposite position.
    pub(super) fn place_preset(&mut self, order: &FuturesOrder, now_ms: u64) {
        if self.has_opened(order) && self.triggers.presets.remove_pending(order.id) {
            self.place_legs(order, self.preset_of(order.id), now_ms);
        }
    }

    /// Places the take-profit and stop-loss of an order, or changes those that wait.
    fn place_legs(&mut self, order: &FuturesOrder, preset: Preset, now_ms: u64) {
        let side = order.request.side.position_side().closing_order_side();
        for (kind, price) in preset.legs() {
            let Some(PresetPrice { price, price_type }) = price else { continue };
            let condition = Condition::Reach { price, direction: kind.direction(side), price_type };
            if let Some(id) = self.waiting_leg(order.id, kind) {
                self.triggers.futures.change(id, |plan| {
                    (plan.condition, plan.updated_ms) = (condition, now_ms);
                });
                self.report_plan(id);
                continue;
            }
            let terms = Plan {
                kind,
                order: NewFuturesOrder {
                    side,
                    price: None,
                    mode: OrderMode::GoodTillCanceled,
                    client_order_id: None,
                    self_trade_prevention: SelfTradePrevention::CancelMaker,
                    ..order.request.clone()
                },
                whole_position: true,
                preset: Preset::default(),
            };
            let plan = NewPlan { client_order_id: None, condition, terms };
            // Rejected when the position was closed meanwhile, or too many trigger orders wait.
            if let Ok(id) = self.submit_plan(order.account, plan, now_ms) {
                self.triggers.presets.remember_placed(order.id, kind, id);
            }
        }
    }
}

// Rule: Presets belong to orders that open a position (40041). Source: documented (endpoint futures_submit_order);
// simplified (that it holds for a change as well, and the code)
/// Checks that an order opens a position: presets are for opening orders (BitMart's reference of 2026-03).
fn check_opens(side: FuturesSide) -> Result<(), Reject> {
    side.opens().then_some(()).ok_or(Reject::OpeningOrderRequired)
}
