//! Canceling spot orders.

use crate::{AccountId, Exchange, OrderId, book::Side, reject::Reject, spot_order::CancelSource};

impl Exchange {
    /// Ends an open order that is not (or no longer) in the book, and releases its money. Finished orders of the
    /// exchange are not kept.
    pub(super) fn end_spot(&mut self, id: OrderId, source: CancelSource, now_ms: u64) {
        let Some(order) = self.spot_orders.get_mut(&id).filter(|order| order.state.is_open())
        else {
            return;
        };
        order.state = order.canceled_state();
        order.cancel_source = Some(source);
        order.updated_ms = now_ms;
        let unused = std::mem::take(&mut order.reserved);
        let account = order.account;
        self.ledger.release(order.paid_from, unused);
        if Self::is_house(account) {
            self.spot_orders.remove(id);
            return;
        }
        self.report_spot(id, None);
        self.finish_spot(account, id);
    }

    // Rule: An order that has ended cannot be canceled; the spot endpoint reports `result: false`. Source:
    // documented (endpoint spot_cancel_order)
    /// Cancels an open order of `account`.
    pub(crate) fn cancel_spot(
        &mut self,
        account: AccountId,
        id: OrderId,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let order = self
            .spot_orders
            .get(&id)
            .filter(|order| order.account == account)
            .ok_or(Reject::UnknownOrder)?;
        if !order.state.is_open() {
            return Err(Reject::OrderNotOpen);
        }
        self.remove_spot(id, CancelSource::User, now_ms);
        Ok(())
    }

    /// Cancels the open orders of an account, in one pair and side or in all, oldest first.
    pub(crate) fn cancel_all_spot(
        &mut self,
        account: AccountId,
        symbol: Option<&str>,
        side: Option<Side>,
        now_ms: u64,
    ) {
        let open = self.account(account).map(|owner| owner.spot_orders.open());
        let open = open.into_iter().flatten().filter_map(|id| self.spot_orders.get(id));
        let matching = open.filter(|order| {
            symbol.is_none_or(|symbol| order.request.symbol == symbol)
                && side.is_none_or(|side| order.request.side == side)
        });
        for id in matching.map(|order| order.id).collect::<Vec<_>>() {
            self.remove_spot(id, CancelSource::User, now_ms);
        }
    }

    /// Removes an open order from the book and ends it.
    pub(crate) fn remove_spot(&mut self, id: OrderId, source: CancelSource, now_ms: u64) {
        let Some(order) = self.spot_orders.get(&id) else { return };
        if let Some(market) = self.spot.get_mut(&order.request.symbol) {
            market.book.remove(id);
        }
        self.end_spot(id, source, now_ms);
    }
}
