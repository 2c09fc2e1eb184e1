//! Algo orders: trigger orders of spot. BitMart does not document them. The names are those of its client libraries,
//! the behaviour is invented.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, Condition, Direction, Exchange, OrderId, PriceType, Traded, Trigger, TriggerState,
};
use crate::{reject::Reject, spot_order::NewSpotOrder};

/// The kind of an algo order. Both kinds behave alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlgoKind {
    /// An order at a trigger price, `trigger`.
    Trigger,
    /// A take-profit or stop-loss, `tp/sl`.
    TakeProfitStopLoss,
}

/// The terms of an algo order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Algo {
    /// The kind, by which it is listed and canceled.
    pub kind: AlgoKind,
    /// The order to place. Its client order id is also that of the algo order.
    pub order: NewSpotOrder,
}

impl Traded for Algo {
    fn symbol(&self) -> &SmolStr {
        &self.order.symbol
    }
}

/// A new algo order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAlgo {
    /// Trigger price in the quote currency, reached from the side of the current last price.
    pub trigger_price: Decimal,
    /// The terms.
    pub terms: Algo,
}

impl Exchange {
    // Rule: An algo order is triggered when the price reaches its trigger price from the side where it was. Source:
    // invented (algo orders are not documented)
    /// Places an algo order.
    pub(crate) fn submit_algo(
        &mut self,
        account: AccountId,
        new: NewAlgo,
        now_ms: u64,
    ) -> Result<OrderId, Reject> {
        let NewAlgo { trigger_price: price, terms } = new;
        let market = self.spot.get(&terms.order.symbol).ok_or(Reject::UnknownMarket)?;
        let direction = if market.last_price() < price { Direction::Rise } else { Direction::Fall };
        let client_order_id = terms.order.client_order_id.clone();
        if client_order_id.as_ref().is_some_and(|id| self.is_spot_client_order_id_used(account, id))
        {
            return Err(Reject::DuplicateClientOrderId);
        }
        if self.triggers.spot.is_full(account) {
            return Err(Reject::TooManyTriggerOrders);
        }
        let id = self.counters.next_spot_order();
        let algo = Trigger {
            id,
            account,
            client_order_id,
            condition: Condition::Reach { price, direction, price_type: PriceType::Last },
            terms,
            state: TriggerState::Waiting,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        self.triggers.spot.insert(algo);
        Ok(id)
    }

    fn is_spot_client_order_id_used(&self, account: AccountId, id: &SmolStr) -> bool {
        let owner = self.accounts.get(&account);
        self.triggers.spot.by_client_order_id(account, id).is_some()
            || owner.is_some_and(|owner| owner.spot_orders.by_client_order_id(id).is_some())
    }

    /// Cancels the waiting algo orders of a kind, in one pair or in all.
    pub(crate) fn cancel_all_algos(
        &mut self,
        account: AccountId,
        symbol: Option<&str>,
        kind: AlgoKind,
        now_ms: u64,
    ) {
        let waiting = self.triggers.spot.waiting_of(account).rev().filter(|algo| {
            algo.terms.kind == kind && symbol.is_none_or(|symbol| algo.terms.order.symbol == symbol)
        });
        let ids: Vec<_> = waiting.map(|algo| algo.id).collect();
        for id in ids {
            if let Some(algo) = self.triggers.spot.take(id) {
                self.triggers.spot.finish(algo, TriggerState::Canceled, now_ms);
            }
        }
    }

    /// Cancels a waiting algo order.
    pub(crate) fn cancel_algo(
        &mut self,
        account: AccountId,
        id: OrderId,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let orders = &mut self.triggers.spot;
        let algo = orders.get(id).filter(|algo| algo.account == account);
        if !algo.ok_or(Reject::UnknownOrder)?.is_waiting() {
            return Err(Reject::OrderNotOpen);
        }
        if let Some(algo) = orders.take(id) {
            orders.finish(algo, TriggerState::Canceled, now_ms);
        }
        Ok(())
    }

    /// Places the order of an algo order whose condition is met. A rejected order ends the algo order.
    pub(super) fn trigger_algo(&mut self, id: OrderId, now_ms: u64) {
        let Some(algo) = self.triggers.spot.take(id) else { return };
        let placed = self.place_spot(algo.account, algo.terms.order.clone(), now_ms);
        let state = placed.map_or(TriggerState::Rejected, TriggerState::Placed);
        self.triggers.spot.finish(algo, state, now_ms);
    }
}
