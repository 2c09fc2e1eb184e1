//! Algo orders of spot. BitMart does not document them: names are those of its client libraries, the
//! rest is made up.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{AccountId, Condition, Exchange, OrderId, PriceType, State, Traded, Trigger, Way};
use crate::{next, order::NewSpotOrder, reject::Reject};

/// What a waiting spot order is for. Both kinds work alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlgoKind {
    /// An order at a trigger price, `trigger`.
    Trigger,
    /// A take-profit or stop-loss, `tp/sl`.
    TakeProfitStopLoss,
}

/// A spot order that waits, and its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Algo {
    /// By which it is listed and cancelled.
    pub kind: AlgoKind,
    /// Its client order id is that of the algo order.
    pub order: NewSpotOrder,
}

impl Traded for Algo {
    fn symbol(&self) -> &SmolStr {
        &self.order.symbol
    }
}

/// A checked request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAlgo {
    /// In the quote currency; it must be reached from where the last price stands.
    pub trigger_price: Decimal,
    /// What it becomes.
    pub terms: Algo,
}

impl Exchange {
    // Rule: An algo order fires when the price crosses its trigger price from where it stood. Source: invented
    // (algo orders have no document)
    /// From which side the price must come is nowhere said: it is the one where it stands now.
    pub(crate) fn submit_algo(
        &mut self,
        account: AccountId,
        new: NewAlgo,
        now_ms: u64,
    ) -> Result<OrderId, Reject> {
        let NewAlgo { trigger_price: price, terms } = new;
        let market = self.spot.get(&terms.order.symbol).ok_or(Reject::UnknownMarket)?;
        let way = if market.last_price() < price { Way::Rise } else { Way::Fall };
        let client_id = terms.order.client_id.clone();
        if client_id.as_ref().is_some_and(|id| self.is_spot_id_taken(account, id)) {
            return Err(Reject::DuplicateClientOrderId);
        }
        if self.triggers.spot.is_full(account) {
            return Err(Reject::TooManyTriggerOrders);
        }
        let id = OrderId(next(&mut self.counters.spot_order));
        let algo = Trigger {
            id,
            account,
            client_id,
            condition: Condition::Reach { price, way, by: PriceType::Last },
            terms,
            state: State::Waiting,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        self.triggers.spot.waiting.insert(id, algo);
        Ok(id)
    }

    fn is_spot_id_taken(&self, account: AccountId, id: &SmolStr) -> bool {
        let owner = self.accounts.get(&account);
        self.triggers.spot.by_client_id(account, id).is_some()
            || owner.is_some_and(|owner| owner.spot_orders.by_client_id(id).is_some())
    }

    /// Cancels the waiting orders of a kind, of one pair when it is named.
    pub(crate) fn cancel_all_algos(
        &mut self,
        account: AccountId,
        symbol: Option<&str>,
        kind: AlgoKind,
        now_ms: u64,
    ) {
        let waiting = self.triggers.spot.of(account).filter(|algo| {
            algo.is_waiting()
                && algo.terms.kind == kind
                && symbol.is_none_or(|symbol| algo.terms.order.symbol == symbol)
        });
        let ids: Vec<_> = waiting.map(|algo| algo.id).collect();
        for id in ids {
            if let Some(algo) = self.triggers.spot.take(id) {
                self.triggers.spot.finish(algo, State::Cancelled, now_ms);
            }
        }
    }

    /// Cancels an order that waits.
    pub(crate) fn cancel_algo(
        &mut self,
        account: AccountId,
        id: OrderId,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let shelf = &mut self.triggers.spot;
        let own = shelf.get(id).filter(|algo| algo.account == account);
        if !own.ok_or(Reject::UnknownOrder)?.is_waiting() {
            return Err(Reject::OrderNotOpen);
        }
        if let Some(algo) = shelf.take(id) {
            shelf.finish(algo, State::Cancelled, now_ms);
        }
        Ok(())
    }

    pub(super) fn fire_algo(&mut self, id: OrderId, now_ms: u64) {
        let Some(algo) = self.triggers.spot.take(id) else { return };
        let placed = self.place_spot(algo.account, algo.terms.order.clone(), now_ms);
        let state = placed.map_or(State::Refused, State::Placed);
        self.triggers.spot.finish(algo, state, now_ms);
    }
}
