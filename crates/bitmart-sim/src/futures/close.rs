//! Closing positions at the market, without an order of the customer for each.

use smol_str::SmolStr;

use crate::{
    AccountId, Exchange, FuturesAction, OrderId,
    book::SelfTrade,
    futures_order::{FuturesSide, Mode, NewFuturesOrder},
    reject::Reject,
};

impl Exchange {
    // Rule: Closing all positions cancels the orders that were to close them, and what nobody takes stays open.
    // Source: simplified (endpoint futures_close_all_positions has no document)
    /// Endpoint close-all-position: closes the open positions of an account at the market, of one contract
    /// or direction when it is named. Orders that were to close them are cancelled first. What nobody takes
    /// stays open, and so do positions in contracts that take no orders.
    pub(crate) fn close_positions(
        &mut self,
        account: AccountId,
        symbol: Option<&str>,
        long: Option<bool>,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let owner = self.account_mut(account);
        let wanted = |of: &SmolStr, is_long: bool| {
            symbol.is_none_or(|symbol| of == symbol) && long.is_none_or(|long| long == is_long)
        };
        let open = owner.open_positions().filter(|row| wanted(row.0, row.1));
        let open: Vec<_> = open.map(|row| (row.0.clone(), row.1)).collect();
        for (symbol, long) in open {
            if self.check_contract(&symbol).is_ok() {
                self.close_position(account, symbol, long, now_ms)?;
            }
        }
        Ok(())
    }

    fn close_position(
        &mut self,
        account: AccountId,
        symbol: SmolStr,
        long: bool,
        now_ms: u64,
    ) -> Result<(), Reject> {
        self.release_position(account, &symbol, long, now_ms);
        let position = self.account_mut(account).position_mut(&symbol, long);
        // The one closed before it may have traded with an order of its owner.
        if !position.is_open() {
            return Ok(());
        }
        let request = NewFuturesOrder {
            symbol,
            side: if long { FuturesSide::CloseLong } else { FuturesSide::CloseShort },
            price: None,
            size: position.size,
            mode: Mode::GoodTilCancelled,
            leverage: position.leverage,
            isolated: position.isolated,
            client_id: None,
            stp: SelfTrade::CancelMaker,
        };
        self.place_futures(account, request, now_ms).map(drop)
    }

    /// Cancels the orders that were to close a position, so that all of it is free.
    pub(crate) fn release_position(
        &mut self,
        account: AccountId,
        symbol: &str,
        long: bool,
        now_ms: u64,
    ) {
        for id in self.promised(account, symbol, long) {
            self.withdraw_futures(id, FuturesAction::Cancelled, now_ms);
        }
    }

    /// The open orders that contracts of a position are promised to.
    fn promised(&self, account: AccountId, symbol: &str, long: bool) -> Vec<OrderId> {
        let orders = self.futures_orders_of(account).filter(|order| order.open);
        let closing = orders.filter(|order| {
            let request = &order.request;
            request.symbol == symbol && request.side.buys() != long && !order.closes.is_zero()
        });
        closing.map(|order| order.id).collect()
    }
}
