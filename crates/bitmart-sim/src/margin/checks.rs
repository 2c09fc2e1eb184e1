//! Which margin accounts must be compared with the liquidation rate.
//!
//! The rate of a margin account depends on its wallets, its loans and the last price of its pair. An account that was
//! found above the liquidation rate is compared again when one of these has changed. The ledger reports changes of the
//! wallets.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::{AccountId, Exchange};

/// A margin account: its owner and its pair.
pub(crate) type MarginAccount = (AccountId, SmolStr);

/// Which margin accounts must be compared with the liquidation rate. It is not serialized: in a restored exchange all
/// of them must be.
#[derive(Debug, Clone, Default)]
pub(crate) struct MarginChecks {
    /// Whether the accounts of a new or restored exchange were listed.
    is_complete: bool,
    /// Those that must be compared.
    uncompared: BTreeSet<MarginAccount>,
    /// Those with debts that were compared, by pair.
    compared: BTreeMap<SmolStr, Compared>,
}

/// The accounts of a pair that were above the liquidation rate at this price.
#[derive(Debug, Clone)]
struct Compared {
    price: Decimal,
    accounts: BTreeSet<AccountId>,
}

impl MarginChecks {
    /// Has an account compared by the next command.
    pub(super) fn require_comparison(&mut self, account: AccountId, symbol: &SmolStr) {
        self.uncompared.insert((account, symbol.clone()));
    }

    /// Returns the first account that must be compared, or the next one after another account.
    pub(super) fn next_uncompared(&self, after: Option<&MarginAccount>) -> Option<MarginAccount> {
        match after {
            None => self.uncompared.first().cloned(),
            Some(one) => {
                self.uncompared.range((Bound::Excluded(one), Bound::Unbounded)).next().cloned()
            }
        }
    }

    /// Notes that an account is above the liquidation rate at the current price of its pair. An account without debts
    /// is left out until its wallets change: a loan changes them.
    pub(super) fn set_compared(&mut self, one: &MarginAccount, price: Decimal, has_debts: bool) {
        self.uncompared.remove(one);
        let (account, symbol) = one;
        if has_debts {
            let new = || Compared { price, accounts: BTreeSet::new() };
            self.compared.entry(symbol.clone()).or_insert_with(new).accounts.insert(*account);
        } else if let Some(pair) = self.compared.get_mut(symbol) {
            pair.accounts.remove(account);
            if pair.accounts.is_empty() {
                self.compared.remove(symbol);
            }
        }
    }
}

impl Exchange {
    /// Finds the margin accounts that must be compared since the last call.
    pub(super) fn note_margin_changes(&mut self) {
        if !std::mem::replace(&mut self.margin_checks.is_complete, true) {
            self.list_margin_accounts();
        }
        let checks = &mut self.margin_checks;
        checks.uncompared.extend(self.ledger.take_moved());
        let spot = &self.spot;
        checks.compared.retain(|symbol, pair| {
            let is_same = spot.get(symbol).is_some_and(|market| market.last_price() == pair.price);
            if !is_same {
                checks
                    .uncompared
                    .extend(pair.accounts.iter().map(|account| (*account, symbol.clone())));
            }
            is_same
        });
    }

    /// Watches the wallets of all margin accounts, and has those with loans compared.
    fn list_margin_accounts(&mut self) {
        for account in self.accounts.values() {
            for ((symbol, _), wallet) in &account.margin {
                self.ledger.watch(*wallet, (account.id, symbol.clone()));
            }
            let loans = account.open_loans.iter().filter_map(|id| self.loans.get(*id));
            self.margin_checks
                .uncompared
                .extend(loans.map(|loan| (account.id, loan.symbol.clone())));
        }
    }

    /// Whether the margin account of a pair will not be compared by the next command.
    #[cfg(test)]
    pub(crate) fn is_margin_compared(&self, account: AccountId, symbol: &SmolStr) -> bool {
        let (checks, one) = (&self.margin_checks, (account, symbol.clone()));
        let pair = checks.compared.get(symbol);
        let pair = pair.filter(|pair| pair.price == self.pair_price(symbol));
        pair.is_some_and(|pair| pair.accounts.contains(&account))
            && !checks.uncompared.contains(&one)
            && !self.ledger.has_moved(&one)
    }
}
