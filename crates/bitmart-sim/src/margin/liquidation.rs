//! Liquidation of isolated margin accounts.
//!
//! The rate is documented (`liquidate_rate` of endpoint spot/v1/margin/isolated/account), the procedure is not: here
//! all assets of the account are sold for the owed currency, at the market.

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::PairAmount;
use crate::{
    AccountId, Exchange,
    book::Side,
    ledger::HouseBook,
    spot::TAKER_FEE,
    spot_order::{CancelSource, NewSpotOrder, SpotOrderType},
};

impl Exchange {
    /// Liquidates every margin account below the liquidation rate at the last price.
    pub(crate) fn liquidate_margins(&mut self, now_ms: u64) {
        // This runs before every command, and usually nothing has changed.
        self.note_margin_changes();
        let mut next = self.margin_checks.next_uncompared(None);
        while let Some(margin_account) = next {
            let (account, symbol) = (margin_account.0, &margin_account.1);
            // Rule: In a halted pair no margin account is liquidated until trading resumes. Source: invented (no source
            // says it)
            if self.check_trading(symbol).is_ok() {
                let risk = self.risk(account, symbol);
                if risk.is_below_liquidation_rate() {
                    self.liquidate_margin(account, symbol, now_ms);
                    // Its trades may have changed the rates of accounts that follow. It is compared again until it has
                    // recovered.
                    self.note_margin_changes();
                } else {
                    let price = self.pair_price(symbol);
                    self.margin_checks.set_compared(&margin_account, price, !risk.debts.is_zero());
                }
            }
            next = self.margin_checks.next_uncompared(Some(&margin_account));
        }
    }

    // Rule: A liquidation cancels the orders of the margin account and sells its assets for the owed currency, at
    // the market; insurance pays the rest. Source: invented (no source says how the exchange sells)
    /// Cancels the orders of a margin account, repays with the owed currency, then sells the other currency and repays
    /// again. Insurance pays the debt that remains without assets. With an empty book the sale is tried again later.
    fn liquidate_margin(&mut self, account: AccountId, symbol: &SmolStr, now_ms: u64) {
        let Some(rules) = self.spot.get(symbol).map(|market| market.rules.clone()) else { return };
        self.cancel_margin_orders(account, symbol, now_ms);
        let currencies = [&rules.base, &rules.quote];
        for currency in currencies {
            self.repay_available(account, symbol, currency, now_ms);
        }
        let owes_quote = !self.debt(account, symbol, &rules.quote).total().is_zero();
        let side = if owes_quote { Side::Sell } else { Side::Buy };
        let debts = |exchange: &Self| exchange.risk(account, symbol).debts;
        let has_counterparty = |exchange: &Self| {
            let market = exchange.spot.get(symbol);
            market.is_some_and(|market| market.book.opposite_best(side).is_some())
        };
        let order = self.liquidation_order(account, symbol, side);
        if let Some(order) = order.filter(|_| !debts(self).is_zero() && has_counterparty(self)) {
            // Cannot fail: the order is covered by the balance and has no client order id.
            let _ = self.place_spot(account, order, now_ms);
            for currency in currencies {
                self.repay_available(account, symbol, currency, now_ms);
            }
        }
        if !debts(self).is_zero() && self.liquidation_order(account, symbol, side).is_none() {
            for currency in currencies {
                self.write_off(account, symbol, currency);
            }
        }
    }

    fn cancel_margin_orders(&mut self, account: AccountId, symbol: &SmolStr, now_ms: u64) {
        let open = self.account_mut(account).spot_orders.open().clone();
        for id in open {
            let order = self.spot_orders.get(&id).map(|order| &order.request);
            if order.is_some_and(|order| order.margin && order.symbol == *symbol) {
                self.remove_spot(id, CancelSource::System, now_ms);
            }
        }
    }

    /// Repays a debt as far as the available balance allows.
    fn repay_available(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        currency: &SmolStr,
        now_ms: u64,
    ) {
        let owed = self.debt(account, symbol, currency).total();
        let amount = self.margin_wallet(account, symbol, currency).available.min(owed);
        if amount > Decimal::ZERO {
            let sum = PairAmount { symbol: symbol.clone(), currency: currency.clone(), amount };
            // Cannot fail: the amount is owed and available.
            let _ = self.repay(account, sum, now_ms);
        }
    }

    /// Returns a market order that sells the whole base balance or spends the whole quote balance, or `None` when that
    /// is less than one lot.
    fn liquidation_order(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        side: Side,
    ) -> Option<NewSpotOrder> {
        let market = self.spot.get(symbol)?;
        let price = market.book.opposite_best(side).unwrap_or_else(|| self.pair_price(symbol));
        let rules = market.rules.clone();
        let (size, notional) = match side {
            Side::Sell => {
                let coins = self.margin_wallet(account, symbol, &rules.base).available;
                (coins - coins % rules.lot, Decimal::ZERO)
            }
            Side::Buy => {
                let money = self.margin_wallet(account, symbol, &rules.quote).available;
                let spent = money.checked_div(Decimal::ONE + TAKER_FEE).unwrap_or_default();
                (Decimal::ZERO, spent.trunc_with_scale(rules.price_decimals))
            }
        };
        let is_enough =
            size > Decimal::ZERO || notional >= price * rules.lot && !notional.is_zero();
        is_enough.then(|| NewSpotOrder {
            symbol: symbol.clone(),
            margin: true,
            side,
            kind: SpotOrderType::Market,
            client_order_id: None,
            self_trade_prevention: None,
            size,
            price: Decimal::ZERO,
            notional,
        })
    }

    /// Writes off the debts of an account without assets. Insurance pays them.
    fn write_off(&mut self, account: AccountId, symbol: &SmolStr, currency: &SmolStr) {
        let open: Vec<u64> =
            self.open_loans(account, symbol, currency).map(|loan| loan.id).collect();
        for id in open {
            let Some(loan) = self.loans.get_mut(id) else { continue };
            let lost = std::mem::take(&mut loan.owed).principal;
            self.ledger.post_between_books(currency, HouseBook::Insurance, HouseBook::Loans, lost);
            self.close_loan(id);
        }
    }
}
