//! Liquidation: positions whose margin is used up are closed. That is when margin and profit at the mark price are at
//! most the maintenance margin.
//!
//! An isolated position is backed by its own margin only. Cross positions of a currency share the wallet and are
//! liquidated together. Open orders are canceled first, then the position is closed at the market (order type
//! `liquidate`). The exchange takes over the unfilled part at the mark price (type `bankruptcy`). Positions in halted
//! and delisted contracts are not liquidated until trading resumes.

use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::{
    AccountId, Exchange, FuturesAction, OrderId,
    book::SelfTradePrevention,
    futures_order::{FuturesOrder, NewFuturesOrder, OrderMode, Origin},
    position::PositionSide,
};

/// Account, contract and side of a position.
type PositionKey = (AccountId, SmolStr, PositionSide);

impl Exchange {
    // Rule: A position is liquidated when its margin and profit at the mark price fall to the maintenance
    // margin, checked once a second; cross positions of a currency count together. Source: simplified (the
    // documents name the ratio only)
    /// Liquidates every position whose margin is used up at the mark price. Each is checked again before it is closed,
    /// because the previous liquidation may have traded with an order of the same account.
    pub(super) fn liquidate(&mut self, now_ms: u64) {
        let reason = FuturesAction::CanceledByLiquidation;
        for key in self.isolated_positions() {
            if self.check_contract(&key.1).is_ok() && self.is_isolated_used_up(&key) {
                self.cancel_all_futures(key.0, Some(&key.1), reason, now_ms);
                self.liquidate_position(&key, now_ms);
            }
        }
        for (account, currency) in self.cross_accounts_used_up() {
            for symbol in self.contracts_settled_in(&currency) {
                self.cancel_all_futures(account, Some(&symbol), reason, now_ms);
            }
            for key in self.cross_positions(account, &currency) {
                if self.check_contract(&key.1).is_ok() && self.is_cross_used_up(account, &currency)
                {
                    self.liquidate_position(&key, now_ms);
                }
            }
        }
    }

    /// Returns the isolated positions of all customers.
    fn isolated_positions(&self) -> Vec<PositionKey> {
        let customers = self.accounts.values().filter(|account| !account.house);
        let open = customers.flat_map(|account| {
            let isolated = account.open_positions().filter(|row| row.2.margin_type.is_isolated());
            isolated.map(|(symbol, side, _)| (account.id, symbol.clone(), side))
        });
        open.collect()
    }

    /// Whether an isolated position is open, and its margin and profit are at most its maintenance margin.
    fn is_isolated_used_up(&self, (account, symbol, side): &PositionKey) -> bool {
        let owner = self.accounts.get(account);
        let position = owner.and_then(|owner| owner.position(symbol, *side));
        let position =
            position.filter(|position| position.margin_type.is_isolated() && position.is_open());
        let Some((position, market)) = position.zip(self.futures.get(symbol)) else { return false };
        position.margin(&self.ledger) + market.unrealized(position, *side)
            <= market.maintenance(position)
    }

    /// Returns the accounts and currencies of cross positions to liquidate.
    fn cross_accounts_used_up(&self) -> Vec<(AccountId, SmolStr)> {
        let mut rows = Vec::new();
        for account in self.accounts.values().filter(|account| !account.house) {
            if account.open_positions().next().is_some() {
                let used_up =
                    account.futures.keys().filter(|one| self.is_cross_used_up(account.id, one));
                rows.extend(used_up.map(|currency| (account.id, currency.clone())));
            }
        }
        rows
    }

    /// Whether the equity behind the cross positions in a currency is at most their maintenance margin.
    fn is_cross_used_up(&self, account: AccountId, currency: &SmolStr) -> bool {
        let money = self.collateral(account, currency);
        money.has_cross() && money.cross_equity() <= money.maintenance
    }

    /// Returns the tradable contracts that are settled in a currency.
    fn contracts_settled_in(&self, currency: &SmolStr) -> Vec<SmolStr> {
        let markets = self.futures.values().filter(|market| market.rules.quote == *currency);
        let markets = markets.filter(|market| self.check_contract(&market.rules.symbol).is_ok());
        markets.map(|market| market.rules.symbol.clone()).collect()
    }

    // Rule: Of cross positions the one with the largest loss is closed first. Source: invented (no source says it)
    /// Returns the cross positions in a currency, the largest loss first.
    fn cross_positions(&self, account: AccountId, currency: &SmolStr) -> Vec<PositionKey> {
        let Some(owner) = self.accounts.get(&account) else { return Vec::new() };
        let open = owner.open_positions().filter(|row| !row.2.margin_type.is_isolated());
        let mut rows: Vec<_> = open
            .filter_map(|(symbol, side, position)| {
                let market = self.futures.get(symbol);
                let market = market.filter(|market| market.rules.quote == *currency)?;
                Some((market.unrealized(position, side), (account, symbol.clone(), side)))
            })
            .collect();
        rows.sort();
        rows.into_iter().map(|row| row.1).collect()
    }

    // Rule: A position is liquidated whole, at the market; the exchange takes over the rest at the mark price. Source:
    // simplified (there are no steps, and no auto-deleveraging)
    /// Closes a whole position. The order needs no margin and no reservation.
    fn liquidate_position(&mut self, (account, symbol, side): &PositionKey, now_ms: u64) {
        let Some(id) =
            self.new_liquidation_order(*account, symbol, *side, Origin::Liquidation, now_ms)
        else {
            return;
        };
        self.report_futures(id, FuturesAction::Submitted, None);
        self.match_and_rest(id, now_ms);
        let Some(market) = self.futures.get(symbol) else { return };
        let tick = Decimal::new(1, market.rules.price_decimals);
        let price = market.mark_price().round_dp(market.rules.price_decimals).max(tick);
        if let Some(id) =
            self.new_liquidation_order(*account, symbol, *side, Origin::Bankruptcy, now_ms)
        {
            let size = self.futures_orders.get(&id).map_or(Decimal::ZERO, FuturesOrder::left);
            self.report_futures(id, FuturesAction::Submitted, None);
            self.take_over(id, price, size, now_ms);
        }
    }

    /// Creates the order that closes a position, or returns `None` when the position is closed.
    fn new_liquidation_order(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        side: PositionSide,
        origin: Origin,
        now_ms: u64,
    ) -> Option<OrderId> {
        let position = self.account_mut(account).position_mut(symbol, side);
        let size = position.size - position.closing;
        if size.is_zero() {
            return None;
        }
        position.closing += size;
        let request = NewFuturesOrder {
            symbol: symbol.clone(),
            side: side.closing_order_side(),
            price: None,
            size,
            mode: OrderMode::ImmediateOrCancel,
            leverage: position.leverage,
            margin_type: position.margin_type,
            client_order_id: None,
            self_trade_prevention: SelfTradePrevention::CancelMaker,
        };
        let order = self.new_order(account, request, origin, now_ms);
        Some(self.insert_futures_order(FuturesOrder { closes: size, ..order }))
    }
}
