//! Changing price or size of a resting order.

use rust_decimal::Decimal;

use super::orders::Reservation;
use crate::{
    AccountId, Exchange, FuturesAction, OrderId,
    account::WalletKind,
    futures_order::{FuturesOrder, NewFuturesOrder},
    reject::Reject,
};

impl Exchange {
    // Rule: A changed order loses its place in the queue; a rejected change leaves it in its place.
    // Source: simplified (no source says it)
    /// Changes price or size of a resting order, which loses its place in the queue. A rejected change leaves the
    /// order unchanged and in its place.
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
        self.release_reservation(id);
        let new_reservation = self.reserve(account, &request, left);
        if new_reservation.is_ok() {
            self.remove_from_book(id);
        }
        let (reservation, rejection) = match new_reservation {
            Ok(reservation) => (reservation, None),
            Err(reject) => (self.restore_reservation(&old), Some(reject)),
        };
        if let Some(order) = self.futures_orders.get_mut(&id) {
            (order.closes, order.reserved) = (reservation.closes, reservation.reserved);
            if rejection.is_none() {
                order.request = request;
                order.updated_ms = now_ms;
            }
        }
        if let Some(reject) = rejection {
            return Err(reject);
        }
        self.report_futures(id, FuturesAction::Submitted, None);
        if reservation.closes != old.closes {
            let NewFuturesOrder { symbol, side, .. } = &old.request;
            self.report_position(account, symbol, side.closed_side());
        }
        self.match_and_rest(id, now_ms);
        Ok(())
    }

    /// Reserves again what an order had reserved before.
    fn restore_reservation(&mut self, old: &FuturesOrder) -> Reservation {
        let market = self.futures.get(&old.request.symbol);
        let quote = market.map(|market| market.rules.quote.clone());
        self.reserve_contracts(old.account, &old.request, old.closes);
        if let Some(quote) = quote {
            let wallet = self.ensure_wallet(old.account, WalletKind::Futures, &quote);
            self.ledger.post(wallet.available(), wallet.frozen(), old.reserved);
        }
        Reservation { closes: old.closes, reserved: old.reserved }
    }
}
