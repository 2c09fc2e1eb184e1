//! Matching of futures orders.

use rust_decimal::Decimal;

use crate::{
    Exchange, FuturesAction, OrderId,
    book::{Match, Quantity},
    futures_order::{FuturesOrder, NewFuturesOrder, OrderMode},
};

impl Exchange {
    /// Matches the unfilled part of an order, then rests or cancels the remainder.
    pub(super) fn match_and_rest(&mut self, id: OrderId, now_ms: u64) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        let request = order.request.clone();
        if self.is_forbidden_by_mode(order) {
            if let Some(own) = self.own_order_canceled_with(order) {
                self.remove_futures(own, FuturesAction::Canceled, now_ms);
            }
            return self.end_futures(id, FuturesAction::Canceled, now_ms);
        }
        let (stopped, matches) = self.match_futures(id, &request, now_ms);
        let left = self.futures_orders.get(&id).map_or(Decimal::ZERO, FuturesOrder::left);
        if left > Decimal::ZERO {
            let rests = matches!(request.mode, OrderMode::GoodTillCanceled | OrderMode::PostOnly);
            match request.price.filter(|_| rests && !stopped) {
                Some(price) => {
                    self.add_to_book(id, price, left);
                    self.release_surplus(id);
                }
                None => self.end_futures(id, FuturesAction::Canceled, now_ms),
            }
        }
        self.forget_house_orders(id, &matches);
    }

    pub(super) fn add_to_book(&mut self, id: OrderId, price: Decimal, left: Decimal) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        if let Some(market) = self.futures.get_mut(&order.request.symbol) {
            market.book.rest(order.request.side.book_side(), price, id, order.account, left);
        }
    }

    /// Matches an order against the book. Returns whether self-trade prevention stopped it, and the matches.
    fn match_futures(
        &mut self,
        id: OrderId,
        request: &NewFuturesOrder,
        now_ms: u64,
    ) -> (bool, Vec<Match>) {
        let mut matches = Vec::new();
        loop {
            let Some(order) = self.futures_orders.get(&id) else { return (true, matches) };
            let (account, quantity) = (order.account, Quantity::Size(order.left()));
            let Some(market) = self.futures.get_mut(&request.symbol) else {
                return (true, matches);
            };
            let side = request.side.book_side();
            let result = market.book.take(
                side,
                request.price,
                quantity,
                account,
                request.self_trade_prevention,
            );
            // An earlier match of this order may have closed the position that a maker was to close. Such a maker is
            // canceled unless it can open a position, and the taker matches again for the missing size. A market order
            // is not matched again: its margin covers only the prices of the first match.
            let mut is_incomplete = false;
            for matched in &result.matches {
                is_incomplete |= !self.settle_futures(id, *matched, now_ms);
            }
            for removed in result.removed {
                self.end_futures(removed, FuturesAction::Canceled, now_ms);
            }
            matches.extend(result.matches);
            if !is_incomplete || result.stopped || request.price.is_none() {
                return (result.stopped, matches);
            }
        }
    }

    /// Removes finished orders of the exchange, which have no history.
    pub(super) fn forget_house_orders(&mut self, taker: OrderId, matches: &[Match]) {
        for id in matches.iter().map(|matched| matched.maker).chain([taker]) {
            let order = self.futures_orders.get(&id);
            if order.is_some_and(|order| Self::is_house(order.account) && !order.open) {
                self.futures_orders.remove(id);
            }
        }
    }
}
