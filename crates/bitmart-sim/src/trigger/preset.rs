//! Take-profit and stop-loss prices that an opening order brings along (endpoint futures/submit-order).
//! Its first fill makes of them orders for the whole position, at the market. When that is, and for
//! which size, no source says.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Condition, Exchange, Kind, NewPlan, OrderId, Plan, PriceType};
use crate::{
    AccountId,
    account::HISTORY,
    book::SelfTrade,
    futures_order::{FuturesOrder, FuturesSide, Mode, NewFuturesOrder},
    reject::Reject,
};

/// A price at which a position is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetPrice {
    /// Trigger price, in the quote currency.
    pub price: Decimal,
    /// The price that is watched.
    pub by: PriceType,
}

/// Prices at which the position of an opening order is to be closed. They wait for its first fill that opens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset {
    /// Where the position is closed at a profit; none without.
    pub take_profit: Option<PresetPrice>,
    /// Where the position is closed at a loss; none without.
    pub stop_loss: Option<PresetPrice>,
}

impl Preset {
    /// Whether it has no price.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// What `newer` names replaces what was there.
    pub(super) fn changed(self, newer: Self) -> Self {
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
    /// Orders whose presets wait for a fill.
    armed: BTreeSet<OrderId>,
}

impl Presets {
    pub(super) fn is_idle(&self) -> bool {
        self.armed.is_empty()
    }

    pub(super) fn disarm(&mut self, id: OrderId) -> bool {
        self.armed.remove(&id)
    }

    fn set(&mut self, id: OrderId, preset: Preset) {
        self.by_order.insert(id, preset);
        self.armed.insert(id);
        // Only for answers: those of the oldest orders that ended are forgotten.
        while self.by_order.len() > HISTORY + self.armed.len() {
            let oldest = self.by_order.keys().find(|id| !self.armed.contains(id)).copied();
            let Some(oldest) = oldest else { return };
            self.by_order.remove(&oldest);
        }
    }
}

impl Exchange {
    /// The presets that an order was placed with.
    pub fn preset_of(&self, id: OrderId) -> Preset {
        self.triggers.presets.by_order.get(&id).copied().unwrap_or_default()
    }

    pub(crate) fn set_preset(&mut self, id: OrderId, preset: Preset) {
        if !preset.is_empty() {
            self.triggers.presets.set(id, preset);
        }
    }

    /// Changes the presets of an order that is open, or of a plan order that waits.
    pub(crate) fn change_preset(
        &mut self,
        account: AccountId,
        symbol: &str,
        id: OrderId,
        preset: Preset,
        now_ms: u64,
    ) -> Result<(), Reject> {
        if let Some(plan) = self.waiting_plan(account, symbol, id, &[Kind::Plan])? {
            opens(plan.terms.order.side)?;
            plan.terms.preset = plan.terms.preset.changed(preset);
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
        opens(order.request.side)?;
        self.set_preset(id, self.preset_of(id).changed(preset));
        Ok(())
    }

    // Rule: The first fill that opens makes orders for the whole position, at the market, of the presets.
    // Source: simplified (no source says when, and for which size)
    /// The first fill that opens something makes orders of the presets: in one-way mode an order may close
    /// the opposite position before.
    pub(super) fn arm_preset(&mut self, order: &FuturesOrder, now_ms: u64) {
        let request = &order.request;
        let opened = !self.held_by(order.account, &request.symbol, request.side.long()).is_zero();
        if !opened || !self.triggers.presets.disarm(order.id) {
            return;
        }
        let preset = self.preset_of(order.id);
        let side = if order.request.side.long() {
            FuturesSide::CloseLong
        } else {
            FuturesSide::CloseShort
        };
        let legs = [(Kind::TakeProfit, preset.take_profit), (Kind::StopLoss, preset.stop_loss)];
        for (kind, price) in legs {
            let Some(PresetPrice { price, by }) = price else { continue };
            let condition = Condition::Reach { price, way: kind.way(side), by };
            let terms = Plan {
                kind,
                order: NewFuturesOrder {
                    side,
                    price: None,
                    mode: Mode::GoodTilCancelled,
                    client_id: None,
                    stp: SelfTrade::CancelMaker,
                    ..order.request.clone()
                },
                whole_position: true,
                preset: Preset::default(),
            };
            let plan = NewPlan { client_id: None, condition, terms };
            // Refused when the position is gone by now, or when too many wait.
            let _ = self.submit_plan(order.account, plan, now_ms);
        }
    }
}

// Rule: Presets belong to orders that open a position (40041). Source: documented (endpoint futures_submit_order);
// simplified (that it holds for a change as well, and the code)
/// Presets are for opening orders (BitMart's own reference of 2026-03).
fn opens(side: FuturesSide) -> Result<(), Reject> {
    side.opens().then_some(()).ok_or(Reject::OrderDoesNotOpen)
}
