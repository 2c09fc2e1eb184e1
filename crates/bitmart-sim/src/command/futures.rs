//! What a customer can want of the futures market.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Outcome;
use crate::{
    AccountId, Exchange, FuturesAction, OrderId, Reject,
    futures_order::NewFuturesOrder,
    trigger::{Kind, NewPlan, PlanChange, Preset},
};

/// Something about orders and positions of the futures market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FuturesRequest {
    /// Place a futures order. With its first fill the preset prices become orders that wait.
    Place {
        /// The order.
        order: NewFuturesOrder,
        /// Take-profit and stop-loss prices, for orders that open a position.
        preset: Preset,
    },
    /// Change price or size of a resting futures order.
    Modify {
        /// Which.
        id: OrderId,
        /// New price.
        price: Option<Decimal>,
        /// New size in contracts, with what is filled.
        size: Option<Decimal>,
    },
    /// Cancel an open futures order.
    Cancel(OrderId),
    /// Cancel the open orders of a contract.
    CancelAll {
        /// The contract; all without one.
        symbol: Option<SmolStr>,
    },
    /// Cancel the open orders of a contract after a time, unless this is set anew before.
    CancelAllAfter {
        /// The contract.
        symbol: SmolStr,
        /// Never without.
        seconds: Option<u64>,
    },
    /// Close open positions at the market.
    ClosePositions {
        /// Of this contract only.
        symbol: Option<SmolStr>,
        /// Of this direction only.
        long: Option<bool>,
    },
    /// Net positions into one, or hold long and short ones beside each other.
    SetOneWay(bool),
    /// Set the leverage of orders that name none.
    SetLeverage {
        /// The contract.
        symbol: SmolStr,
        /// The leverage.
        leverage: u32,
        /// Of isolated margin, else of cross margin.
        isolated: bool,
    },
    /// Place a futures order that waits for a price.
    PlacePlan(NewPlan),
    /// Change an order that waits.
    ModifyPlan {
        /// Its contract.
        symbol: SmolStr,
        /// Which.
        id: OrderId,
        /// It must be of one of these kinds.
        kinds: Vec<Kind>,
        /// What changes.
        change: PlanChange,
    },
    /// Change the preset prices of an order.
    ModifyPreset {
        /// Its contract.
        symbol: SmolStr,
        /// Which.
        id: OrderId,
        /// The new prices; what is not named stays.
        preset: Preset,
    },
    /// Cancel an order that waits.
    CancelPlan {
        /// Its contract.
        symbol: SmolStr,
        /// Which.
        id: OrderId,
        /// It must be of one of these kinds.
        kinds: Vec<Kind>,
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
                self.check_modification(id, price, size)?;
                self.modify_futures(account, id, price, size, now_ms).map(Outcome::from)
            }
            FuturesRequest::Cancel(id) => {
                self.cancel_futures(account, id, now_ms).map(Outcome::from)
            }
            FuturesRequest::CancelAll { symbol } => {
                let why = FuturesAction::Cancelled;
                self.cancel_all_futures(account, symbol.as_deref(), why, now_ms);
                Ok(Outcome::Done)
            }
            FuturesRequest::CancelAllAfter { symbol, seconds } => {
                self.check_countdown_of(&symbol, seconds)?;
                let at_ms = seconds.map(|seconds| now_ms + seconds * 1_000);
                self.cancel_after(account, &symbol, at_ms);
                Ok(Outcome::Done)
            }
            FuturesRequest::ClosePositions { symbol, long } => {
                self.close_positions(account, symbol.as_deref(), long, now_ms).map(Outcome::from)
            }
            FuturesRequest::SetOneWay(one_way) => {
                self.set_one_way(account, one_way).map(Outcome::from)
            }
            FuturesRequest::SetLeverage { symbol, leverage, isolated } => {
                self.check_leverage_setting(&symbol, leverage)?;
                self.set_leverage(account, &symbol, leverage, isolated).map(Outcome::from)
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
        }
    }
}
