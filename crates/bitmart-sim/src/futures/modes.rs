//! Maker-only and fill-or-kill orders.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::{
    Exchange, OrderId,
    book::SelfTrade,
    futures_order::{FuturesOrder, OrderMode},
};

impl Exchange {
    // Rule: A maker-only order that would trade at once is cancelled. Source: documented (endpoint
    // futures_submit_order)
    /// Whether the mode of an order forbids it to trade against the current book.
    pub(super) fn is_forbidden_by_mode(&self, order: &FuturesOrder) -> bool {
        let request = &order.request;
        let Some(market) = self.futures.get(&request.symbol) else { return true };
        let side = request.side.book_side();
        match request.mode {
            OrderMode::MakerOnly => {
                request.price.is_some_and(|price| market.book.would_take(side, price))
            }
            OrderMode::FillOrKill => {
                let matching =
                    market.book.matching_orders(side, request.price, order.account, request.stp);
                self.guaranteed_size(matching) < order.left()
            }
            OrderMode::GoodTilCancelled | OrderMode::ImmediateOrCancel => false,
        }
    }

    // Rule: A fill-or-kill order with cancel-both also cancels the own order that it would have matched. Source:
    // simplified (no source says what the two do together)
    /// Returns the own order that is cancelled with a killed order: the one that it would have matched before it was
    /// filled.
    pub(super) fn own_order_cancelled_with(&self, order: &FuturesOrder) -> Option<OrderId> {
        let request = &order.request;
        if request.mode != OrderMode::FillOrKill || request.stp != SelfTrade::CancelBoth {
            return None;
        }
        let book = &self.futures.get(&request.symbol)?.book;
        let side = request.side.book_side();
        let mut left = order.left();
        for (id, open) in book.matching_orders(side, request.price, order.account, SelfTrade::Allow)
        {
            if left <= Decimal::ZERO {
                return None;
            }
            if self.futures_orders.get(&id)?.account == order.account {
                return Some(id);
            }
            left -= open;
        }
        None
    }

    // Rule: A fill-or-kill order fills whole or not at all, and counts only orders that are certain to fill it.
    // Source: documented (endpoint futures_submit_order)
    /// Returns the size that is certain to fill. In one-way mode a resting order may close the position that a later
    /// order of the same account was to close; that order is then cancelled during the match, and does not count.
    fn guaranteed_size(&self, matching: impl Iterator<Item = (OrderId, Decimal)>) -> Decimal {
        let (mut sum, mut closing_accounts) = (Decimal::ZERO, BTreeSet::new());
        for (id, open) in matching {
            let Some(maker) = self.futures_orders.get(&id) else { continue };
            if maker.closes.is_zero() || !closing_accounts.contains(&maker.account) {
                sum += open;
            }
            if maker.one_way && maker.closes < open {
                closing_accounts.insert(maker.account);
            }
        }
        sum
    }
}
