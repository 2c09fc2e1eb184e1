//! Closing positions at the market by one request.

use smol_str::SmolStr;

use crate::{
    AccountId, Exchange, FuturesAction, OrderId,
    book::SelfTradePrevention,
    futures_order::{NewFuturesOrder, OrderMode},
    position::PositionSide,
    reject::Reject,
};

impl Exchange {
    // Rule: Closing all positions cancels their closing orders first; a part that does not fill stays open.
    // Source: simplified (endpoint futures_close_all_positions has no document)
    /// Closes open positions at the market (endpoint close-all-position). Their closing orders are canceled first. A
    /// part that does not fill stays open, and so do positions in halted and delisted contracts.
    pub(crate) fn close_positions(
        &mut self,
        account: AccountId,
        symbol: Option<&str>,
        side: Option<PositionSide>,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let owner = self.account_mut(account);
        let is_wanted = |of: &SmolStr, its_side: PositionSide| {
            symbol.is_none_or(|symbol| of == symbol) && side.is_none_or(|side| side == its_side)
        };
        let open = owner.open_positions().filter(|row| is_wanted(row.0, row.1));
        let open: Vec<_> = open.map(|row| (row.0.clone(), row.1)).collect();
        for (symbol, side) in open {
            if self.check_contract(&symbol).is_ok() {
                self.close_position(account, symbol, side, now_ms)?;
            }
        }
        Ok(())
    }

    fn close_position(
        &mut self,
        account: AccountId,
        symbol: SmolStr,
        side: PositionSide,
        now_ms: u64,
    ) -> Result<(), Reject> {
        self.cancel_closing_orders(account, &symbol, side, now_ms);
        let position = self.account_mut(account).position_mut(&symbol, side);
        // Closing the previous position may have traded with an order of the same account.
        if !position.is_open() {
            return Ok(());
        }
        let request = NewFuturesOrder {
            symbol,
            side: side.closing_order_side(),
            price: None,
            size: position.size,
            mode: OrderMode::GoodTillCanceled,
            leverage: position.leverage,
            margin_type: position.margin_type,
            client_order_id: None,
            self_trade_prevention: SelfTradePrevention::CancelMaker,
        };
        self.place_futures(account, request, now_ms).map(drop)
    }

    /// Cancels the closing orders of a position, so that the whole position can be closed.
    pub(crate) fn cancel_closing_orders(
        &mut self,
        account: AccountId,
        symbol: &str,
        side: PositionSide,
        now_ms: u64,
    ) {
        for id in self.closing_orders(account, symbol, side) {
            self.remove_futures(id, FuturesAction::Canceled, now_ms);
        }
    }

    /// Returns the open orders for which contracts of a position are reserved.
    fn closing_orders(&self, account: AccountId, symbol: &str, side: PositionSide) -> Vec<OrderId> {
        let open = self.accounts.get(&account).map(|owner| owner.futures_orders.open());
        let newest_first = open.into_iter().flatten().rev();
        let orders = newest_first.filter_map(|id| self.futures_orders.get(id));
        let closing = orders.filter(|order| {
            let request = &order.request;
            request.symbol == symbol
                && request.side.closed_side() == side
                && !order.closes.is_zero()
        });
        closing.map(|order| order.id).collect()
    }
}
