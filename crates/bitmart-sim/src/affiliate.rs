//! Affiliates: their customers, and the share that they receive of the fees of these customers.
//!
//! BitMart documents the responses for affiliates, but not how customers are assigned. Here the first main account is
//! the only affiliate, and all other main accounts are its customers.

use rust_decimal::Decimal;

use super::{
    AccountId, Exchange,
    futures_order::{FuturesFill, FuturesOrder},
    round_down,
    spot_order::SpotFill,
};

/// The ratio of a fee that goes to the affiliate: that of the documented sample.
pub const REBATE_SHARE: Decimal = Decimal::from_parts(3, 0, 0, false, 1);

/// Returns the affiliate's share of a fee.
pub fn rebate_of(fee: Decimal) -> Decimal {
    round_down(fee * REBATE_SHARE)
}

/// Totals of futures trades.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TradingTotals {
    /// Value of all trades, in the quote currency.
    pub volume: Decimal,
    /// Fees of all trades, in the quote currency.
    pub fees: Decimal,
}

impl TradingTotals {
    /// Returns the affiliate's share of the fees.
    pub fn rebate(&self) -> Decimal {
        rebate_of(self.fees)
    }
}

impl Exchange {
    /// Returns the customers of an affiliate, by number.
    pub fn customers(&self, affiliate: AccountId) -> Vec<AccountId> {
        let mains = self.accounts.values().filter(|one| !one.house && one.main.is_none());
        let mut mains = mains.map(|account| account.id);
        if mains.next() == Some(affiliate) { mains.collect() } else { Vec::new() }
    }

    /// The kept futures trades of an account, newest first.
    pub fn futures_fills_by(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = (&FuturesFill, Option<&FuturesOrder>)> {
        let fills = self.futures_fills.iter().rev().filter(move |fill| fill.account == account);
        fills.map(|fill| (fill, self.futures_orders.get(&fill.order)))
    }

    /// The kept spot trades of an account, oldest first.
    pub fn spot_fills_by(&self, account: AccountId) -> impl Iterator<Item = &SpotFill> {
        self.spot_fills.iter().filter(move |fill| fill.account == account)
    }

    /// Returns the totals of the kept futures trades of an account, for contracts settled in a currency and trade
    /// times that `is_included` accepts.
    pub fn trading_totals(
        &self,
        account: AccountId,
        currency: &str,
        is_included: impl Fn(u64) -> bool,
    ) -> TradingTotals {
        let mut sum = TradingTotals::default();
        for (fill, _) in
            self.futures_fills_by(account).filter(|(fill, _)| is_included(fill.time_ms))
        {
            let market = self.futures.get(&fill.symbol);
            if let Some(market) = market.filter(|market| market.rules.quote == currency) {
                sum.volume = sum.volume.saturating_add(market.value(fill.size, fill.price));
                sum.fees = sum.fees.saturating_add(fill.fee);
            }
        }
        sum
    }
}
