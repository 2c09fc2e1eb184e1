//! Post-only and fill-or-kill orders.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::{
    AccountId, Exchange, OrderId, Setup,
    book::{Book, SelfTradePrevention},
    futures_order::{FuturesOrder, OrderMode},
    order_map::OrderMap,
};

impl Exchange {
    // Rule: A post-only order that would trade at once is canceled. Source: simplified (endpoint
    // futures_submit_order has the name of the mode only; spot cancels such an order)
    /// Whether the mode of an order forbids it to trade against the current book.
    pub(super) fn is_forbidden_by_mode(&self, order: &FuturesOrder) -> bool {
        let request = &order.request;
        let Some(market) = self.futures.get(&request.symbol) else { return true };
        let side = request.side.book_side();
        match request.mode {
            OrderMode::PostOnly => {
                request.price.is_some_and(|price| market.book.would_take(side, price))
            }
            OrderMode::FillOrKill => !self.fills_completely(order, &market.book),
            OrderMode::GoodTillCanceled | OrderMode::ImmediateOrCancel => false,
        }
    }

    // Rule: A fill-or-kill order with cancel-both also cancels the own order that it would have matched. Source:
    // simplified (no source says what the two do together)
    /// Returns the own order that is canceled with a killed order: the one that it would have matched before it was
    /// filled.
    pub(super) fn own_order_canceled_with(&self, order: &FuturesOrder) -> Option<OrderId> {
        let request = &order.request;
        if request.mode != OrderMode::FillOrKill
            || request.self_trade_prevention != SelfTradePrevention::CancelBoth
        {
            return None;
        }
        let book = &self.futures.get(&request.symbol)?.book;
        let side = request.side.book_side();
        let mut left = order.left();
        for (id, open) in
            book.matching_orders(side, request.price, order.account, SelfTradePrevention::Off)
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

    // Rule: A fill-or-kill order fills completely or not at all. Source: simplified (endpoint futures_submit_order has
    // the name of the mode only)
    /// Whether an order would be filled completely now.
    fn fills_completely(&self, order: &FuturesOrder, book: &Book) -> bool {
        let request = &order.request;
        let (mut left, mut is_uncertain) = (order.left(), false);
        // Accounts of makers that may close more contracts than are reserved for them.
        let mut closers = BTreeSet::new();
        for (id, open) in book.matching_orders(
            request.side.book_side(),
            request.price,
            order.account,
            request.self_trade_prevention,
        ) {
            if left <= Decimal::ZERO {
                break;
            }
            let Some(maker) = self.futures_orders.get(&id) else { continue };
            // In one-way mode a maker may close the position that a later maker of the same account was to close. The
            // later one then opens a position, or is canceled.
            is_uncertain |= !maker.closes.is_zero() && closers.contains(&maker.account);
            if maker.one_way && maker.closes < open {
                closers.insert(maker.account);
            }
            left -= open;
        }
        left <= Decimal::ZERO && (!is_uncertain || self.fills_completely_on_a_copy(order, book))
    }

    /// Whether an order is filled completely on a copy of the market and of the accounts that its trades change. Which
    /// makers can still pay is only known once the trades before theirs are settled.
    fn fills_completely_on_a_copy(&self, order: &FuturesOrder, book: &Book) -> bool {
        let request = &order.request;
        let matching = book.matching_orders(
            request.side.book_side(),
            request.price,
            order.account,
            request.self_trade_prevention,
        );
        let matching: Vec<_> =
            matching.filter_map(|(id, _)| self.futures_orders.get(&id)).collect();
        let owners: BTreeSet<AccountId> =
            matching.iter().map(|maker| maker.account).chain([order.account]).collect();
        let accounts: BTreeMap<_, _> =
            owners.iter().filter_map(|id| Some((*id, self.accounts.get(id)?.clone()))).collect();
        let own = accounts.values().flat_map(|owner| owner.futures_orders.open());
        let own = own.filter_map(|id| self.futures_orders.get(id));
        let mut futures_orders = OrderMap::default();
        for order in matching.into_iter().chain(own) {
            if !futures_orders.contains_key(&order.id) {
                futures_orders.insert(order.id, order.clone());
            }
        }
        let futures = self.futures.iter().map(|(symbol, market)| {
            (symbol.clone(), market.without_history(*symbol == request.symbol))
        });
        let nothing = Setup::new().pairs([]).contracts([]).without_market_maker();
        let mut copy = Self {
            accounts,
            futures: futures.collect(),
            futures_orders,
            ledger: self.ledger.clone(),
            // Ended orders are read below, and must not be removed before.
            history_limit: usize::MAX,
            ..Self::new(&nothing, order.updated_ms)
        };
        if let Some(order) = copy.futures_orders.get_mut(&order.id) {
            order.request.mode = OrderMode::ImmediateOrCancel;
        }
        copy.match_and_rest(order.id, order.updated_ms);
        copy.futures_orders.get(&order.id).is_some_and(|order| order.left().is_zero())
    }
}
