//! What happens to an isolated margin account whose assets no longer secure its debts.
//!
//! `liquidate_rate` is a field of endpoint spot/v1/margin/isolated/account; how the venue sells is in no
//! source. Here everything the pair has is turned into what is owed, at the market.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{
    AccountId, Exchange,
    book::Side,
    ledger::House,
    margin::Sum,
    order::{CancelSource, Kind, NewSpotOrder},
    spot::TAKER_FEE,
};

impl Exchange {
    /// Liquidates every margin account below the liquidation rate at the last price.
    pub(super) fn liquidate_margins(&mut self, now_ms: u64) {
        // This runs before every command, and mostly nobody borrows.
        if self.loans.is_empty() {
            return;
        }
        let open = self.accounts.values().flat_map(|account| &account.open_loans);
        let loans = open.filter_map(|id| self.loans.get(id));
        let indebted: BTreeSet<_> = loans.map(|loan| (loan.account, loan.symbol.clone())).collect();
        for (account, symbol) in indebted {
            if self.risk(account, &symbol).is_lost() {
                self.liquidate_margin(account, &symbol, now_ms);
            }
        }
    }

    // Rule: A liquidated margin account has its orders cancelled and all it has turned into what it owes, at
    // the market; the house bears the rest. Source: invented (no source says how the exchange sells)
    /// Cancels the orders of a margin account, pays what it can, trades the rest of its assets for what
    /// it still owes, and pays that. The house bears what is owed when nothing is left to sell; when
    /// nobody buys, it waits for somebody.
    fn liquidate_margin(&mut self, account: AccountId, symbol: &SmolStr, now_ms: u64) {
        let Some(rules) = self.spot.get(symbol).map(|market| market.rules.clone()) else { return };
        self.cancel_margin_orders(account, symbol, now_ms);
        let sides = [&rules.base, &rules.quote];
        for currency in sides {
            self.repay_what_is_there(account, symbol, currency, now_ms);
        }
        let owes_quote = !self.debt(account, symbol, &rules.quote).total().is_zero();
        let side = if owes_quote { Side::Sell } else { Side::Buy };
        let debts = |exchange: &Self| exchange.risk(account, symbol).debts;
        let somebody = |exchange: &Self| {
            let market = exchange.spot.get(symbol);
            market.is_some_and(|market| market.book.opposite_best(side).is_some())
        };
        let order = self.forced_order(account, symbol, side);
        if let Some(order) = order.filter(|_| !debts(self).is_zero() && somebody(self)) {
            // It is paid from what is there, and has no id that could be used already.
            let _ = self.place_spot(account, order, now_ms);
            for currency in sides {
                self.repay_what_is_there(account, symbol, currency, now_ms);
            }
        }
        if !debts(self).is_zero() && self.forced_order(account, symbol, side).is_none() {
            for currency in sides {
                self.write_off(account, symbol, currency);
            }
        }
    }

    fn cancel_margin_orders(&mut self, account: AccountId, symbol: &SmolStr, now_ms: u64) {
        let open = self.account_mut(account).spot_orders.open.clone();
        for id in open {
            let order = self.spot_orders.get(&id).map(|order| &order.request);
            if order.is_some_and(|order| order.margin && order.symbol == *symbol) {
                self.take_back_spot(id, CancelSource::System, now_ms);
            }
        }
    }

    /// Pays as much of a debt as its own wallet can.
    fn repay_what_is_there(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        currency: &SmolStr,
        now_ms: u64,
    ) {
        let owed = self.debt(account, symbol, currency).total();
        let amount = self.margin_wallet(account, symbol, currency).available.min(owed);
        if amount > Decimal::ZERO {
            let sum = Sum { symbol: symbol.clone(), currency: currency.clone(), amount };
            // It owes that much and has it, which is all that a repayment asks for.
            let _ = self.repay(account, sum, now_ms);
        }
    }

    /// A market order that sells all of the base, or spends all of the quote. None when that is less
    /// than the smallest size.
    fn forced_order(
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
            kind: Kind::Market,
            client_id: None,
            stp: None,
            size,
            price: Decimal::ZERO,
            notional,
        })
    }

    /// Lets the house bear what an account without assets still owes.
    fn write_off(&mut self, account: AccountId, symbol: &SmolStr, currency: &SmolStr) {
        let open: Vec<u64> =
            self.open_loans(account, symbol, currency).map(|loan| loan.id).collect();
        for id in open {
            let Some(loan) = self.loans.get_mut(&id) else { continue };
            let lost = std::mem::take(&mut loan.owed).principal;
            self.ledger.post_house(currency, House::Insurance, House::Loans, lost);
            self.account_mut(account).open_loans.remove(&id);
        }
    }
}
