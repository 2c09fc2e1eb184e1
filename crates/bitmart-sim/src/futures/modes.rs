//! What maker-only and fill-or-kill forbid.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::{
    Exchange, OrderId,
    book::SelfTrade,
    futures_order::{FuturesOrder, Mode},
};

impl Exchange {
    // Rule: A maker-only order that would take is cancelled. Source: documented (endpoint futures_submit_order)
    /// Whether the mode of an order forbids it to trade as the book stands.
    pub(super) fn is_turned_away(&self, order: &FuturesOrder) -> bool {
        let request = &order.request;
        let Some(market) = self.futures.get(&request.symbol) else { return true };
        let side = request.side.book();
        match request.mode {
            Mode::MakerOnly => {
                request.price.is_some_and(|price| market.book.would_take(side, price))
            }
            Mode::FillOrKill => {
                let met = market.book.met_by(side, request.price, order.account, request.stp);
                self.sure_of(met) < order.left()
            }
            Mode::GoodTilCancelled | Mode::ImmediateOrCancel => false,
        }
    }

    // Rule: A fill-or-kill order that cancels both takes the own order with it that it would have met. Source:
    // simplified (no source says what the two do together)
    /// The own order that is cancelled with a fill-or-kill order, because the latter would have met it before it
    /// was filled.
    pub(super) fn cancelled_with(&self, order: &FuturesOrder) -> Option<OrderId> {
        let request = &order.request;
        if request.mode != Mode::FillOrKill || request.stp != SelfTrade::CancelBoth {
            return None;
        }
        let book = &self.futures.get(&request.symbol)?.book;
        let side = request.side.book();
        let mut left = order.left();
        for (id, open) in book.met_by(side, request.price, order.account, SelfTrade::Allow) {
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

    // Rule: A fill-or-kill order fills whole or not at all, and counts only what it would get. Source:
    // documented (endpoint futures_submit_order)
    /// How much of what an order meets it gets for certain. In one-way mode an order may close the position
    /// that a later one of its owner was to close, which may then be cancelled in the middle of the trade.
    fn sure_of(&self, met: impl Iterator<Item = (OrderId, Decimal)>) -> Decimal {
        let (mut sum, mut closers) = (Decimal::ZERO, BTreeSet::new());
        for (id, open) in met {
            let Some(maker) = self.futures_orders.get(&id) else { continue };
            if maker.closes.is_zero() || !closers.contains(&maker.account) {
                sum += open;
            }
            if maker.one_way && maker.closes < open {
                closers.insert(maker.account);
            }
        }
        sum
    }
}
