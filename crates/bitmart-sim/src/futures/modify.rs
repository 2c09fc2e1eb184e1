//! Changing an order that rests in the book.

use rust_decimal::Decimal;

use super::orders::Bound;
use crate::{
    AccountId, Exchange, FuturesAction, OrderId,
    account::Purse,
    futures_order::{FuturesOrder, NewFuturesOrder},
    reject::Reject,
};

impl Exchange {
    // Rule: A changed order loses its place in the queue; a change that is rejected leaves it where it was.
    // Source: simplified (no source says it)
    /// Changes price or size of a resting order, which loses its place in the queue. When the change is
    /// refused the order stands as it was and where it was.
    pub(crate) fn modify_futures(
        &mut self,
        account: AccountId,
        id: OrderId,
        price: Option<Decimal>,
        size: Option<Decimal>,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let order = self.own_open_order(account, id)?;
        let old = order.clone();
        let request = NewFuturesOrder {
            price: price.or(old.request.price),
            size: size.unwrap_or(old.request.size),
            ..old.request.clone()
        };
        // Rule: Only limit orders can be changed, and not to a size that is filled. Source: documented (endpoint
        // futures_modify_limit_order); simplified (the size)
        if request.price.is_none() {
            return Err(Reject::NotALimitOrder);
        }
        let left = request.size - old.filled;
        if left <= Decimal::ZERO {
            return Err(Reject::SizeNotAboveFilled { filled: old.filled });
        }
        self.unbind(id);
        let bound = self.bind(account, &request, left);
        if bound.is_ok() {
            self.unrest_futures(id);
        }
        let (given, refused) = match bound {
            Ok(bound) => (bound, None),
            Err(refusal) => (self.rebind(&old), Some(refusal)),
        };
        if let Some(order) = self.futures_orders.get_mut(&id) {
            (order.closes, order.reserved) = (given.closes, given.reserved);
            if refused.is_none() {
                order.request = request;
                order.updated_ms = now_ms;
            }
        }
        if let Some(refusal) = refused {
            return Err(refusal);
        }
        self.report_futures(id, FuturesAction::Submitted, None);
        if given.closes != old.closes {
            let (symbol, buys) = (&old.request.symbol, old.request.side.buys());
            self.report_position(account, symbol, !buys);
        }
        self.run_futures(id, now_ms);
        Ok(())
    }

    /// Takes back what an order held before.
    fn rebind(&mut self, old: &FuturesOrder) -> Bound {
        let market = self.futures.get(&old.request.symbol);
        let quote = market.map(|market| market.rules.quote.clone());
        self.promise(old.account, &old.request, old.closes);
        if let Some(quote) = quote {
            let wallet = self.open_wallet(old.account, Purse::Futures, &quote);
            self.ledger.post(wallet.available(), wallet.frozen(), old.reserved);
        }
        Bound { closes: old.closes, reserved: old.reserved }
    }
}
