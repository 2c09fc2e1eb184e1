//! What the money of an exchange adds up to.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::{
    Exchange,
    account::{Account, Wallet},
};

/// Every wallet of an account with its name and currency.
pub(crate) fn wallets(account: &Account) -> impl Iterator<Item = (&str, &SmolStr, &Wallet)> {
    let plain = [("spot", &account.spot), ("fund", &account.fund), ("futures", &account.futures)];
    let plain = plain.into_iter().flat_map(|(name, wallets)| {
        wallets.iter().map(move |(currency, wallet)| (name, currency, wallet))
    });
    let margin = account.margin.iter();
    plain.chain(margin.map(|((symbol, currency), wallet)| (symbol.as_str(), currency, wallet)))
}

impl Exchange {
    /// All money that was put in at the beginning, by currency, as it is found now: wallets, margin of
    /// positions, and what they won or lost at any one price, savings, fees and withdrawals; less what the
    /// house lent, paid for losses, and what was deposited since. No command changes it.
    ///
    /// ```
    /// use bitmart_sim::{AccountId, Command, Exchange, Setup};
    ///
    /// let mut exchange = Exchange::new(&Setup::new().account(AccountId(1)), 0);
    /// let before = exchange.put_in();
    /// exchange.apply(Command::StepMarket, 100).unwrap();
    /// assert_eq!(exchange.put_in(), before);
    /// ```
    pub fn put_in(&self) -> BTreeMap<SmolStr, Decimal> {
        let mut all: BTreeMap<SmolStr, Decimal> = BTreeMap::new();
        for account in self.accounts.values() {
            for (_, currency, wallet) in wallets(account) {
                *all.entry(currency.clone()).or_default() += wallet.available + wallet.frozen;
            }
            for ((symbol, long), position) in &account.positions {
                let Some(market) = self.futures.get(symbol) else { continue };
                let cost = if *long { -position.cost } else { position.cost };
                *all.entry(market.rules.quote.clone()).or_default() += position.margin + cost;
            }
        }
        for holding in self.earn.holdings.values() {
            *all.entry(holding.product.currency.clone()).or_default() += holding.amount;
        }
        for (currency, amount) in &self.collected {
            *all.entry(currency.clone()).or_default() += amount;
        }
        for gone in [&self.insured, &self.lent, &self.deposited] {
            for (currency, amount) in gone {
                *all.entry(currency.clone()).or_default() -= amount;
            }
        }
        all.retain(|_, amount| !amount.is_zero());
        all
    }
}
