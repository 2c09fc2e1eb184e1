//! Requests of customers about futures.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Outcome;
use crate::{
    AccountId, Exchange, FuturesAction, OrderId, Reject,
    futures_order::{MarginType, NewFuturesOrder},
    position::PositionSide,
    trigger::{NewPlan, PlanChange, PlanKind, Preset},
};

/// A request about futures orders and positions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FuturesRequest {
    /// Place a futures order. Its first fill turns the preset prices into trigger orders.
    Place {
        /// The order.
        order: NewFuturesOrder,
        /// Take-profit and stop-loss prices, for orders that open a position.
        preset: Preset,
    },
    /// Change price or size of a resting futures order.
    Modify {
        /// The order.
        id: OrderId,
        /// New price in the quote currency; unchanged when `None`.
        price: Option<Decimal>,
        /// New size in contracts, including the filled part; unchanged when `None`.
        size: Option<Decimal>,
    },
    /// Cancel an open futures order.
    Cancel(OrderId),
    /// Cancel the open orders of a contract.
    CancelAll {
        /// The contract; all contracts when `None`.
        symbol: Option<SmolStr>,
    },
    /// Start a countdown that cancels the open orders of a contract. A new countdown replaces a running one.
    CancelAllAfter {
        /// The contract.
        symbol: SmolStr,
        /// Length of the countdown; `None` stops it.
        seconds: Option<u64>,
    },
    /// Close open positions at the market.
    ClosePositions {
        /// The contract; all contracts when `None`.
        symbol: Option<SmolStr>,
        /// Only long or only short positions; both when `None`.
        #[serde(rename = "long")]
        side: Option<PositionSide>,
    },
    /// Set the position mode: one-way mode (true) or hedge mode (false).
    SetOneWay(bool),
    /// Set the leverage of orders without an own leverage.
    SetLeverage {
        /// The contract.
        symbol: SmolStr,
        /// The leverage.
        leverage: u32,
        /// The margin type of these orders.
        #[serde(rename = "isolated")]
        margin_type: MarginType,
    },
    /// Place a plan order, take-profit, stop-loss or trailing order.
    PlacePlan(NewPlan),
    /// Change a plan order, take-profit or stop-loss. A trailing order cannot be changed.
    ModifyPlan {
        /// The contract of the order.
        symbol: SmolStr,
        /// The order.
        id: OrderId,
        /// The order must be of one of these kinds.
        kinds: Vec<PlanKind>,
        /// The new terms.
        change: PlanChange,
    },
    /// Change the preset prices of an order.
    ModifyPreset {
        /// The contract of the order.
        symbol: SmolStr,
        /// The order.
        id: OrderId,
        /// The new prices; a price that is `None` stays unchanged.
        preset: Preset,
    },
    /// Cancel a trigger order.
    CancelPlan {
        /// The contract of the order.
        symbol: SmolStr,
        /// The order.
        id: OrderId,
        /// The order must be of one of these kinds.
        kinds: Vec<PlanKind>,
    },
    /// Cancel the waiting trigger orders of a contract.
    CancelPlans {
        /// The contract of the orders.
        symbol: SmolStr,
        /// The kinds to cancel.
        kinds: Vec<PlanKind>,
    },
}

impl Exchange {
    pub(super) fn execute_futures(
        &mut self,
        account: AccountId,
        request: FuturesRequest,
        now_ms: u64,
    ) -> Result<Outcome, Reject> {
        match request {
            FuturesRequest::Place { order, preset } => {
                self.check_futures_order(&order, &preset)?;
                let id = self.place_futures(account, order, now_ms)?;
                self.set_preset(id, preset);
                Ok(id.into())
            }
            FuturesRequest::Modify { id, price, size } => {
                self.check_modification(account, id, price, size)?;
                self.modify_futures(account, id, price, size, now_ms).map(Outcome::from)
            }
            FuturesRequest::Cancel(id) => {
                self.cancel_futures(account, id, now_ms).map(Outcome::from)
            }
            FuturesRequest::CancelAll { symbol } => {
                let reason = FuturesAction::Canceled;
                self.cancel_all_futures(account, symbol.as_deref(), reason, now_ms);
                Ok(Outcome::Done)
            }
            FuturesRequest::CancelAllAfter { symbol, seconds } => {
                self.check_countdown_of(&symbol, seconds)?;
                let at_ms = seconds.map(|seconds| now_ms + seconds * 1_000);
                self.cancel_after(account, &symbol, at_ms);
                Ok(Outcome::Done)
            }
            FuturesRequest::ClosePositions { symbol, side } => {
                self.close_positions(account, symbol.as_deref(), side, now_ms).map(Outcome::from)
            }
            FuturesRequest::SetOneWay(one_way) => {
                self.set_one_way(account, one_way).map(Outcome::from)
            }
            FuturesRequest::SetLeverage { symbol, leverage, margin_type } => {
                self.check_leverage_setting(&symbol, leverage)?;
                self.set_leverage(account, &symbol, leverage, margin_type).map(Outcome::from)
            }
            FuturesRequest::PlacePlan(plan) => {
                self.check_plan(&plan)?;
                self.submit_plan(account, plan, now_ms).map(Outcome::from)
            }
            FuturesRequest::ModifyPlan { symbol, id, kinds, change } => {
                self.check_plan_change(&symbol, &change)?;
                self.change_plan(account, &symbol, id, &kinds, change, now_ms).map(Outcome::from)
            }
            FuturesRequest::ModifyPreset { symbol, id, preset } => {
                self.check_presets(&symbol, &preset)?;
                self.change_preset(account, &symbol, id, preset, now_ms).map(Outcome::from)
            }
            FuturesRequest::CancelPlan { symbol, id, kinds } => {
                self.cancel_plan(account, &symbol, id, &kinds, now_ms).map(Outcome::from)
            }
            FuturesRequest::CancelPlans { symbol, kinds } => {
                self.cancel_plans(account, &symbol, &kinds, now_ms);
                Ok(Outcome::Done)
            }
        }
    }
}
