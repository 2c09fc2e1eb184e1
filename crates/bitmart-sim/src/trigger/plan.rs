//! Plan orders, take-profits, stop-losses and trailing orders of futures.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, Condition, Direction, Event, Exchange, FuturesAction, OrderId, Preset, PriceType,
    Traded, Trigger, TriggerState,
};
use crate::{
    futures_order::{FuturesSide, NewFuturesOrder, OrderMode},
    position::PositionSide,
    reject::Reject,
};

// Rule: The order that a trigger places has the client order id PLAN_ and the id of the trigger. Source:
// documented (a sample, endpoint futures_order_history); simplified (that its number is that of the trigger)
/// Prefix of the client order id of an order that a trigger order placed; the number of the trigger order follows.
const PLACED_BY: &str = "PLAN_";

/// The kind of a futures trigger order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanKind {
    /// Opens or closes at a trigger price.
    Plan,
    /// Closes a position at a profit.
    TakeProfit,
    /// Closes a position at a loss.
    StopLoss,
    /// Opens or closes when the price turns back from its extreme.
    Trailing,
}

impl PlanKind {
    /// Whether it is bound to a position: it closes that position, and is canceled when the position ends.
    pub fn is_bound(self) -> bool {
        matches!(self, Self::TakeProfit | Self::StopLoss)
    }

    /// Returns the direction in which the price reaches a take-profit or stop-loss with this side: a long position
    /// profits from a rising price.
    pub fn direction(self, side: FuturesSide) -> Direction {
        let is_stop_of_long = side.position_side().is_long() == (self == Self::StopLoss);
        if is_stop_of_long { Direction::Fall } else { Direction::Rise }
    }
}

/// The terms of a futures trigger order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The kind.
    pub kind: PlanKind,
    /// The order to place. Its size is ignored for the whole position; its client order id is set when it is placed.
    pub order: NewFuturesOrder,
    /// Closes the whole position as it is when triggered (`plan_category` 2).
    pub whole_position: bool,
    /// Presets of the order to place; empty for a closing order.
    pub preset: Preset,
}

impl Traded for Plan {
    fn symbol(&self) -> &SmolStr {
        &self.order.symbol
    }
}

/// A new futures trigger order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPlan {
    /// Client order id of the trigger order: up to 32 ASCII letters and digits.
    #[serde(alias = "client_id")]
    pub client_order_id: Option<SmolStr>,
    /// The condition.
    pub condition: Condition,
    /// The terms.
    pub terms: Plan,
}

/// New terms of a futures trigger order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanChange {
    /// Trigger price in the quote currency.
    pub trigger_price: Decimal,
    /// Which price of the market is watched.
    #[serde(rename = "by")]
    pub price_type: PriceType,
    /// Limit price of the order to place; `None` for a market order.
    pub price: Option<Decimal>,
    /// Whether it closes the whole position; unchanged when `None`.
    pub whole_position: Option<bool>,
}

/// Returns the number of the trigger order that placed an order, from the client order id of the order.
pub fn placed_by(client_order_id: Option<&SmolStr>) -> Option<&str> {
    client_order_id?.strip_prefix(PLACED_BY)
}

impl Exchange {
    /// Adds a trigger order, which waits for its condition.
    pub(crate) fn submit_plan(
        &mut self,
        account: AccountId,
        new: NewPlan,
        now_ms: u64,
    ) -> Result<OrderId, Reject> {
        let NewPlan { client_order_id, condition, terms } = new;
        if terms.kind.is_bound() {
            self.check_position(account, &terms)?;
        }
        if self.triggers.futures.is_full(account) {
            return Err(Reject::TooManyTriggerOrders);
        }
        if client_order_id
            .as_ref()
            .is_some_and(|id| self.is_futures_client_order_id_used(account, id))
        {
            return Err(Reject::DuplicateClientOrderId);
        }
        let id = self.counters.next_futures_order();
        let plan = Trigger {
            id,
            account,
            client_order_id,
            condition,
            terms,
            state: TriggerState::Waiting,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        self.triggers.futures.insert(plan);
        self.report_plan(id);
        Ok(id)
    }

    fn is_futures_client_order_id_used(&self, account: AccountId, id: &SmolStr) -> bool {
        let owner = self.accounts.get(&account);
        self.triggers.futures.by_client_order_id(account, id).is_some()
            || owner.is_some_and(|owner| owner.futures_orders.by_client_order_id(id).is_some())
    }

    // Rule: A take-profit or stop-loss needs a position of at least its size (40021, 40020). Source: simplified
    // (the table of error codes has both codes; no source says when they come)
    /// Checks that the position of a take-profit or stop-loss has at least its size.
    fn check_position(&self, account: AccountId, terms: &Plan) -> Result<(), Reject> {
        let position_size =
            self.position_size(account, &terms.order.symbol, terms.order.side.position_side());
        if position_size.is_zero() {
            return Err(Reject::NoPosition);
        }
        let fits = terms.whole_position || terms.order.size <= position_size;
        fits.then_some(()).ok_or(Reject::PositionTooSmall)
    }

    /// Whether an account is in one-way mode.
    pub fn is_one_way(&self, account: AccountId) -> bool {
        self.accounts.get(&account).is_some_and(|owner| owner.one_way)
    }

    /// Returns a waiting trigger order of one of these kinds, or `None` when there is none.
    ///
    /// # Errors
    /// It is finished.
    pub(super) fn waiting_plan(
        &self,
        account: AccountId,
        symbol: &str,
        id: OrderId,
        kinds: &[PlanKind],
    ) -> Result<Option<&Trigger<Plan>>, Reject> {
        let is_wanted = |plan: &Trigger<Plan>| {
            plan.account == account
                && plan.terms.order.symbol == symbol
                && kinds.contains(&plan.terms.kind)
        };
        let Some(plan) = self.triggers.futures.get(id).filter(|plan| is_wanted(plan)) else {
            return Ok(None);
        };
        if plan.is_waiting() { Ok(Some(plan)) } else { Err(Reject::OrderNotOpen) }
    }

    // Rule: A trailing order cannot be changed. Source: simplified (no document has a request for it)
    /// Changes a waiting trigger order of one of these kinds. A trailing order cannot be changed.
    pub(crate) fn change_plan(
        &mut self,
        account: AccountId,
        symbol: &str,
        id: OrderId,
        kinds: &[PlanKind],
        change: PlanChange,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let plan = self.waiting_plan(account, symbol, id, kinds)?.ok_or(Reject::UnknownOrder)?;
        let whole_position = change.whole_position.unwrap_or(plan.terms.whole_position);
        if whole_position && !plan.terms.kind.is_bound() {
            return Err(Reject::ConditionMismatch);
        }
        // Rule: A trigger order that was for the whole position needs a size to be for a part. Source: invented (no
        // source says it)
        if !whole_position && plan.terms.order.size <= Decimal::ZERO {
            return Err(Reject::SizeTooSmall { minimum: Decimal::ONE });
        }
        if matches!(plan.condition, Condition::Trail(_)) {
            return Err(Reject::ConditionMismatch);
        }
        let order = &plan.terms.order;
        if change.price.is_none() && order.mode == OrderMode::PostOnly {
            return Err(Reject::PostOnlyWithoutPrice);
        }
        self.triggers.futures.change(id, |plan| {
            if let Condition::Reach { price, price_type, .. } = &mut plan.condition {
                (*price, *price_type) = (change.trigger_price, change.price_type);
            }
            plan.terms.order.price = change.price;
            plan.terms.whole_position = whole_position;
            plan.updated_ms = now_ms;
        });
        self.report_plan(id);
        Ok(())
    }

    /// Cancels a waiting trigger order of one of these kinds.
    pub(crate) fn cancel_plan(
        &mut self,
        account: AccountId,
        symbol: &str,
        id: OrderId,
        kinds: &[PlanKind],
        now_ms: u64,
    ) -> Result<(), Reject> {
        self.waiting_plan(account, symbol, id, kinds)?.ok_or(Reject::UnknownOrder)?;
        self.end_plan(id, TriggerState::Canceled, FuturesAction::Canceled, now_ms);
        Ok(())
    }

    /// Cancels the waiting plans of these kinds in a contract.
    pub(crate) fn cancel_plans(
        &mut self,
        account: AccountId,
        symbol: &str,
        kinds: &[PlanKind],
        now_ms: u64,
    ) {
        let plans = self.triggers.futures.waiting_of(account).rev().filter(|plan| {
            let terms = &plan.terms;
            terms.order.symbol == symbol && kinds.contains(&terms.kind)
        });
        for id in plans.map(|plan| plan.id).collect::<Vec<_>>() {
            self.end_plan(id, TriggerState::Canceled, FuturesAction::Canceled, now_ms);
        }
    }

    // Rule: Take-profits and stop-losses end with their position. Source: simplified (no source says it)
    /// Cancels the take-profits and stop-losses of a position if it is closed. Called when a fill closes contracts: a
    /// later fill of the same command may open a position again, to which they do not belong.
    pub(crate) fn cancel_bound_plans(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        side: PositionSide,
        now_ms: u64,
    ) {
        if !self.position_size(account, symbol, side).is_zero() {
            return;
        }
        let bound_plans = self.triggers.futures.waiting_of(account).filter(|plan| {
            let order = &plan.terms.order;
            plan.terms.kind.is_bound()
                && (&order.symbol, order.side.position_side()) == (symbol, side)
        });
        for id in bound_plans.map(|plan| plan.id).collect::<Vec<_>>() {
            self.end_plan(id, TriggerState::Canceled, FuturesAction::Canceled, now_ms);
        }
    }

    /// Places the order of a trigger order whose condition is met. A rejected order ends the trigger order.
    pub(super) fn trigger_plan(&mut self, id: OrderId, now_ms: u64) {
        let Some(mut plan) = self.triggers.futures.take(id) else { return };
        if plan.terms.whole_position {
            let NewFuturesOrder { symbol, side, .. } = &plan.terms.order;
            self.cancel_closing_orders(plan.account, symbol, side.position_side(), now_ms);
        }
        let order = self.order_to_place(&plan);
        if plan.terms.whole_position {
            plan.terms.order.size = order.size;
        }
        let result = if order.size.is_zero() {
            Err(Reject::PositionTooSmall)
        } else {
            self.place_futures(plan.account, order, now_ms)
        };
        let (state, action) = match result {
            Ok(order) => {
                self.set_preset(order, plan.terms.preset);
                (TriggerState::Placed(order), FuturesAction::Submitted)
            }
            Err(_) => (TriggerState::Rejected, FuturesAction::Canceled),
        };
        let plan = self.triggers.futures.finish(plan, state, now_ms);
        self.events.push(Event::FuturesPlan { plan: Box::new(plan), action });
    }

    // Rule: A take-profit or stop-loss closes at most the unreserved contracts when it is triggered. Source:
    // simplified (no source says it)
    /// Returns the order to place. A take-profit or stop-loss closes at most the unreserved contracts.
    fn order_to_place(&self, plan: &Trigger<Plan>) -> NewFuturesOrder {
        let mut order = plan.terms.order.clone();
        order.client_order_id = Some(format!("{PLACED_BY}{}", plan.id.0).into());
        if plan.terms.kind.is_bound() {
            let key = (order.symbol.clone(), order.side.position_side());
            let positions = self.accounts.get(&plan.account).map(|owner| &owner.positions);
            let position = positions.and_then(|all| all.get(&key));
            let unreserved = position.map_or(Decimal::ZERO, |one| one.size - one.closing);
            let whole_position = plan.terms.whole_position;
            order.size = if whole_position { unreserved } else { order.size.min(unreserved) };
        }
        order
    }

    /// Returns the size of a trigger order. For the whole position it is the current size of the position, or the size
    /// at the time it was triggered.
    pub fn plan_size(&self, plan: &Trigger<Plan>) -> Decimal {
        let order = &plan.terms.order;
        if plan.is_waiting() && plan.terms.whole_position {
            self.position_size(plan.account, &order.symbol, order.side.position_side())
        } else {
            order.size
        }
    }

    fn end_plan(&mut self, id: OrderId, state: TriggerState, action: FuturesAction, now_ms: u64) {
        let Some(plan) = self.triggers.futures.take(id) else { return };
        let plan = self.triggers.futures.finish(plan, state, now_ms);
        self.events.push(Event::FuturesPlan { plan: Box::new(plan), action });
    }

    /// Reports a new or changed trigger order.
    pub(super) fn report_plan(&mut self, id: OrderId) {
        let Some(plan) = self.triggers.futures.waiting(id) else { return };
        let plan = Box::new(plan.clone());
        self.events.push(Event::FuturesPlan { plan, action: FuturesAction::Submitted });
    }
}
