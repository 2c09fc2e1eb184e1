//! Plan orders, take-profits, stop-losses and trailing orders of futures.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, Condition, Event, Exchange, FuturesAction, OrderId, Preset, PriceType, State,
    Traded, Trigger, Way,
};
use crate::{
    futures_order::{FuturesSide, NewFuturesOrder},
    next,
    reject::Reject,
};

// Rule: The order that a trigger places has the client order id PLAN_ and the id of the trigger. Source:
// documented (a sample, endpoint futures_order_history); simplified (that its number is that of the trigger)
/// What begins the client order id of an order that a trigger placed; BitMart's sample of the order
/// history shows one. The rest is the id of the trigger.
const PLACED_BY: &str = "PLAN_";

/// What a waiting futures order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Opens or closes at a trigger price.
    Plan,
    /// Closes a position at a profit.
    TakeProfit,
    /// Closes a position at a loss.
    StopLoss,
    /// Follows the price, until it has turned back.
    Trailing,
}

impl Kind {
    /// Bound to a position: gone when that is closed.
    pub fn is_bound(self) -> bool {
        matches!(self, Self::TakeProfit | Self::StopLoss)
    }

    /// Where the price of a take-profit or stop-loss lies: a long position wins upwards.
    pub fn way(self, side: FuturesSide) -> Way {
        if side.long() == (self == Self::StopLoss) { Way::Fall } else { Way::Rise }
    }
}

/// What waits, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What it is for; decides whether it is bound to a position.
    pub kind: Kind,
    /// Its size counts as long as it is not for the whole position; it has no client order id yet.
    pub order: NewFuturesOrder,
    /// Closes what there is when it fires (`plan_category` 2).
    pub whole_position: bool,
    /// Prices for the order that it becomes; none when that closes.
    pub preset: Preset,
}

impl Traded for Plan {
    fn symbol(&self) -> &SmolStr {
        &self.order.symbol
    }
}

/// A checked request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPlan {
    /// Up to 32 ASCII letters and digits; the order that it becomes gets another one.
    pub client_id: Option<SmolStr>,
    /// When it becomes an order.
    pub condition: Condition,
    /// What it becomes.
    pub terms: Plan,
}

/// New terms of a waiting order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanChange {
    /// In the quote currency.
    pub trigger_price: Decimal,
    /// The price that is watched.
    pub by: PriceType,
    /// None: at the market.
    pub price: Option<Decimal>,
    /// None: as it was.
    pub whole_position: Option<bool>,
}

/// The trigger that placed an order, by the client order id of the order.
pub fn placed_by(client_id: Option<&SmolStr>) -> Option<&str> {
    client_id?.strip_prefix(PLACED_BY)
}

impl Exchange {
    pub(crate) fn submit_plan(
        &mut self,
        account: AccountId,
        new: NewPlan,
        now_ms: u64,
    ) -> Result<OrderId, Reject> {
        let NewPlan { client_id, condition, terms } = new;
        if terms.kind.is_bound() {
            self.check_position(account, &terms)?;
        }
        if self.triggers.futures.is_full(account) {
            return Err(Reject::TooManyTriggerOrders);
        }
        if client_id.as_ref().is_some_and(|id| self.is_futures_id_taken(account, id)) {
            return Err(Reject::DuplicateClientOrderId);
        }
        let id = OrderId(next(&mut self.counters.futures_order));
        let plan = Trigger {
            id,
            account,
            client_id,
            condition,
            terms,
            state: State::Waiting,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        self.triggers.futures.waiting.insert(id, plan);
        self.report_plan(id);
        Ok(id)
    }

    fn is_futures_id_taken(&self, account: AccountId, id: &SmolStr) -> bool {
        let placed = |owner: &super::super::account::Account| owner.futures_orders.by_client_id(id);
        self.triggers.futures.by_client_id(account, id).is_some()
            || self.accounts.get(&account).and_then(placed).is_some()
    }

    // Rule: A take-profit or stop-loss needs a position of at least its size (40021, 40020). Source: simplified
    // (the table of error codes has both codes; no source says when they come)
    /// A take-profit or stop-loss needs a position of at least its size.
    fn check_position(&self, account: AccountId, terms: &Plan) -> Result<(), Reject> {
        let held = self.held_by(account, &terms.order.symbol, terms.order.side.long());
        if held.is_zero() {
            return Err(Reject::NoPosition);
        }
        let fits = terms.whole_position || terms.order.size <= held;
        fits.then_some(()).ok_or(Reject::PositionTooSmall)
    }

    /// Whether an account nets its positions.
    pub fn is_one_way(&self, account: AccountId) -> bool {
        self.accounts.get(&account).is_some_and(|owner| owner.one_way)
    }

    /// Contracts of one direction that an account holds.
    pub(super) fn held_by(&self, account: AccountId, symbol: &SmolStr, long: bool) -> Decimal {
        let positions = self.accounts.get(&account).map(|owner| &owner.positions);
        let position = positions.and_then(|all| all.get(&(symbol.clone(), long)));
        position.map_or(Decimal::ZERO, |position| position.size)
    }

    /// A waiting order of one of these kinds; an error when it has ended, nothing when there is none.
    pub(super) fn waiting_plan(
        &mut self,
        account: AccountId,
        symbol: &str,
        id: OrderId,
        kinds: &[Kind],
    ) -> Result<Option<&mut Trigger<Plan>>, Reject> {
        let plans = &mut self.triggers.futures;
        let own = |plan: &Trigger<Plan>| {
            plan.account == account
                && plan.terms.order.symbol == symbol
                && kinds.contains(&plan.terms.kind)
        };
        let Some(plan) = plans.get(id).filter(|plan| own(plan)) else { return Ok(None) };
        if !plan.is_waiting() {
            return Err(Reject::OrderNotOpen);
        }
        Ok(plans.waiting.get_mut(&id))
    }

    pub(crate) fn change_plan(
        &mut self,
        account: AccountId,
        symbol: &str,
        id: OrderId,
        kinds: &[Kind],
        change: PlanChange,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let plan = self.waiting_plan(account, symbol, id, kinds)?.ok_or(Reject::UnknownOrder)?;
        if let Condition::Reach { price, by, .. } = &mut plan.condition {
            (*price, *by) = (change.trigger_price, change.by);
        }
        plan.terms.order.price = change.price;
        plan.terms.whole_position = change.whole_position.unwrap_or(plan.terms.whole_position);
        plan.updated_ms = now_ms;
        self.report_plan(id);
        Ok(())
    }

    pub(crate) fn cancel_plan(
        &mut self,
        account: AccountId,
        symbol: &str,
        id: OrderId,
        kinds: &[Kind],
        now_ms: u64,
    ) -> Result<(), Reject> {
        self.waiting_plan(account, symbol, id, kinds)?.ok_or(Reject::UnknownOrder)?;
        self.end_plan(id, State::Cancelled, FuturesAction::Cancelled, now_ms);
        Ok(())
    }

    // Rule: Take-profits and stop-losses end with their position. Source: simplified (no source says it)
    /// Take-profits and stop-losses go with their position.
    pub(super) fn drop_unbound(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        long: bool,
        now_ms: u64,
    ) {
        if !self.held_by(account, symbol, long).is_zero() {
            return;
        }
        let waiting = self.triggers.futures.waiting.values();
        let bound = waiting.filter(|plan| {
            let order = &plan.terms.order;
            plan.account == account
                && plan.terms.kind.is_bound()
                && (&order.symbol, order.side.long()) == (symbol, long)
        });
        for id in bound.map(|plan| plan.id).collect::<Vec<_>>() {
            self.end_plan(id, State::Cancelled, FuturesAction::Cancelled, now_ms);
        }
    }

    /// Its price has come: it becomes an order, or ends when that is refused.
    pub(super) fn fire_plan(&mut self, id: OrderId, now_ms: u64) {
        let Some(mut plan) = self.triggers.futures.take(id) else { return };
        if plan.terms.whole_position {
            let NewFuturesOrder { symbol, side, .. } = &plan.terms.order;
            self.release_position(plan.account, symbol, side.long(), now_ms);
        }
        let order = self.executed(&plan);
        if plan.terms.whole_position {
            plan.terms.order.size = order.size;
        }
        let placed = if order.size.is_zero() {
            Err(Reject::PositionTooSmall)
        } else {
            self.place_futures(plan.account, order, now_ms)
        };
        let (state, action) = match placed {
            Ok(placed) => {
                self.set_preset(placed, plan.terms.preset);
                (State::Placed(placed), FuturesAction::Submitted)
            }
            Err(_) => (State::Refused, FuturesAction::Cancelled),
        };
        let plan = self.triggers.futures.finish(plan, state, now_ms);
        self.events.push(Event::FuturesPlan { plan: Box::new(plan), action });
    }

    // Rule: A take-profit or stop-loss closes no more than is free when it fires. Source: simplified (no source
    // says it)
    /// The order that it becomes. One that is bound closes no more than there is.
    fn executed(&self, plan: &Trigger<Plan>) -> NewFuturesOrder {
        let mut order = plan.terms.order.clone();
        order.client_id = Some(format!("{PLACED_BY}{}", plan.id.0).into());
        if plan.terms.kind.is_bound() {
            let key = (order.symbol.clone(), order.side.long());
            let positions = self.accounts.get(&plan.account).map(|owner| &owner.positions);
            let position = positions.and_then(|all| all.get(&key));
            let free = position.map_or(Decimal::ZERO, |one| one.size - one.closing);
            order.size = if plan.terms.whole_position { free } else { order.size.min(free) };
        }
        order
    }

    /// The contracts that it is for: those of the whole position as it stands, or as it was in the end.
    pub fn plan_size(&self, plan: &Trigger<Plan>) -> Decimal {
        let order = &plan.terms.order;
        if plan.is_waiting() && plan.terms.whole_position {
            self.held_by(plan.account, &order.symbol, order.side.long())
        } else {
            order.size
        }
    }

    fn end_plan(&mut self, id: OrderId, state: State, action: FuturesAction, now_ms: u64) {
        let Some(plan) = self.triggers.futures.take(id) else { return };
        let plan = self.triggers.futures.finish(plan, state, now_ms);
        self.events.push(Event::FuturesPlan { plan: Box::new(plan), action });
    }

    /// Tells of a waiting order that is new or changed.
    pub(super) fn report_plan(&mut self, id: OrderId) {
        let Some(plan) = self.triggers.futures.waiting.get(&id) else { return };
        let plan = Box::new(plan.clone());
        self.events.push(Event::FuturesPlan { plan, action: FuturesAction::Submitted });
    }
}
