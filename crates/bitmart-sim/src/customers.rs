//! The customers of an affiliate, and its share of their fees. BitMart publishes what an affiliate is
//! answered, not whom it has brought: here the first main account has brought all other ones.

use rust_decimal::Decimal;

use super::{
    AccountId, Exchange, cut,
    futures_order::{FuturesFill, FuturesOrder},
    order::SpotFill,
};

/// The share of a fee that goes to the affiliate: the ratio of the reference's sample.
pub const SHARE: Decimal = Decimal::from_parts(3, 0, 0, false, 1);

/// An amount of money that a customer's fee brings its affiliate.
pub fn share_of(fee: Decimal) -> Decimal {
    cut(fee * SHARE)
}

/// What customers did in futures, in sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Business {
    /// Value of all trades, in the quote currency.
    pub volume: Decimal,
    /// Fees of all trades, in the quote currency.
    pub fees: Decimal,
}

impl Business {
    /// Returns what the affiliate receives of the fees.
    pub fn rebate(&self) -> Decimal {
        share_of(self.fees)
    }
}

impl Exchange {
    /// Who trades as a customer of this affiliate, by number.
    pub fn customers(&self, affiliate: AccountId) -> Vec<AccountId> {
        let mains = self.accounts.values().filter(|one| !one.house && one.main.is_none());
        let mut mains = mains.map(|account| account.id);
        if mains.next() == Some(affiliate) { mains.collect() } else { Vec::new() }
    }

    /// The remembered futures trades of an account, newest first.
    pub fn futures_fills_by(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = (&FuturesFill, Option<&FuturesOrder>)> {
        let fills = self.futures_fills.iter().rev().filter(move |fill| fill.account == account);
        fills.map(|fill| (fill, self.futures_orders.get(&fill.order)))
    }

    /// The remembered spot trades of an account, oldest first.
    pub fn spot_fills_by(&self, account: AccountId) -> impl Iterator<Item = &SpotFill> {
        self.spot_fills.iter().filter(move |fill| fill.account == account)
    }

    /// What an account traded in futures settled in a currency, at times that fit.
    pub fn business(
        &self,
        account: AccountId,
        currency: &str,
        fits: impl Fn(u64) -> bool,
    ) -> Business {
        let mut sum = Business::default();
        for (fill, _) in self.futures_fills_by(account).filter(|(fill, _)| fits(fill.time_ms)) {
            let market = self.futures.get(&fill.symbol);
            if let Some(market) = market.filter(|market| market.rules.quote == currency) {
                sum.volume = sum.volume.saturating_add(market.value(fill.size, fill.price));
                sum.fees = sum.fees.saturating_add(fill.fee);
            }
        }
        sum
    }
}
