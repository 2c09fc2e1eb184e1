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
    book::SelfTrade,
    futures_order::{FuturesOrder, FuturesSide, NewFuturesOrder, OrderMode},
    reject::Reject,
};

/// A trigger price of a preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetPrice {
    /// Trigger price in the quote currency.
    pub price: Decimal,
    /// The price that is watched.
    pub by: PriceType,
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
pub(super) struct Presets {
    by_order: BTreeMap<OrderId, Preset>,
    /// Orders whose presets are not placed yet.
    #[serde(rename = "armed")]
    pending: BTreeSet<OrderId>,
}

impl Presets {
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn remove_pending(&mut self, id: OrderId) -> bool {
        self.pending.remove(&id)
    }

    fn set(&mut self, id: OrderId, preset: Preset) {
        self.by_order.insert(id, preset);
        self.pending.insert(id);
        // Placed presets are kept for queries only: the oldest are removed.
        while self.by_order.len() > DEFAULT_HISTORY_LIMIT + self.pending.len() {
            let oldest = self.by_order.keys().find(|id| !self.pending.contains(id)).copied();
            let Some(oldest) = oldest else { return };
            self.by_order.remove(&oldest);
        }
    }
}

impl Exchange {
    /// Returns the presets of an order.
    pub fn preset_of(&self, id: OrderId) -> Preset {
        self.triggers.presets.by_order.get(&id).copied().unwrap_or_default()
    }

    pub(crate) fn set_preset(&mut self, id: OrderId, preset: Preset) {
        if !preset.is_empty() {
            self.triggers.presets.set(id, preset);
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
            plan.terms.preset = plan.terms.preset.updated(preset);
            plan.updated_ms = now_ms;
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
        self.set_preset(id, self.preset_of(id).updated(preset));
        Ok(())
    }

    // Rule: The first fill that opens places the presets, for the whole position and at the market.
    // Source: simplified (no source says when, and for which size)
    /// Places the presets of an order at its first fill that opens a position. In one-way mode earlier fills may have
    /// closed the opposite position.
    pub(super) fn place_preset(&mut self, order: &FuturesOrder, now_ms: u64) {
        let request = &order.request;
        let opened =
            !self.position_size(order.account, &request.symbol, request.side.long()).is_zero();
        if !opened || !self.triggers.presets.remove_pending(order.id) {
            return;
        }
        let preset = self.preset_of(order.id);
        let side = if order.request.side.long() {
            FuturesSide::CloseLong
        } else {
            FuturesSide::CloseShort
        };
        let legs =
            [(PlanKind::TakeProfit, preset.take_profit), (PlanKind::StopLoss, preset.stop_loss)];
        for (kind, price) in legs {
            let Some(PresetPrice { price, by }) = price else { continue };
            let condition = Condition::Reach { price, way: kind.direction(side), by };
            let terms = Plan {
                kind,
                order: NewFuturesOrder {
                    side,
                    price: None,
                    mode: OrderMode::GoodTilCancelled,
                    client_id: None,
                    stp: SelfTrade::CancelMaker,
                    ..order.request.clone()
                },
                whole_position: true,
                preset: Preset::default(),
            };
            let plan = NewPlan { client_id: None, condition, terms };
            // Rejected when the position was closed meanwhile, or too many trigger orders wait.
            let _ = self.submit_plan(order.account, plan, now_ms);
        }
    }
}

// Rule: Presets belong to orders that open a position (40041). Source: documented (endpoint futures_submit_order);
// simplified (that it holds for a change as well, and the code)
/// Checks that an order opens a position: presets are for opening orders (BitMart's reference of 2026-03).
fn check_opens(side: FuturesSide) -> Result<(), Reject> {
    side.opens().then_some(()).ok_or(Reject::OrderDoesNotOpen)
}
