//! The withdrawal quota: what an account has withdrawn in the last 24 hours.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Payment, PaymentState};
use crate::{AccountId, Exchange};

#[cfg(test)]
mod tests;

// Rule: An account may withdraw 100 BTC in 24 hours (60064). Source: documented (a sample, endpoint
// account_withdraw_quota, and the text of 60064)
/// Withdrawal quota of an account in 24 hours, in BTC: that of the documented sample.
const DAILY_QUOTA_BTC: Decimal = Decimal::ONE_HUNDRED;
const DAY_MS: u64 = 86_400_000;
const MINUTE_MS: u64 = 60_000;

// Rule: Withdrawals of one minute count towards the quota until 24 hours after the last of them. Source: simplified
// (memory)
/// The withdrawals of the last 24 hours: one row for an account, a minute and a currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RecentWithdrawals {
    #[serde(with = "crate::rows")]
    rows: BTreeMap<(AccountId, u64, SmolStr), Withdrawn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Withdrawn {
    amount: Decimal,
    /// Time of the last withdrawal, in milliseconds since 1970.
    last_ms: u64,
}

impl RecentWithdrawals {
    /// Counts a new withdrawal, and removes the rows of the account that no longer count.
    pub(super) fn add(&mut self, row: &Payment) {
        let expired: Vec<_> = self
            .of(row.account)
            .take_while(|(_, withdrawn)| !withdrawn.counts(row.time_ms))
            .map(|(key, _)| key.clone())
            .collect();
        for key in expired {
            self.rows.remove(&key);
        }
        let nothing_yet = Withdrawn { amount: Decimal::ZERO, last_ms: row.time_ms };
        let withdrawn = self.rows.entry(key(row)).or_insert(nothing_yet);
        withdrawn.amount = withdrawn.amount.saturating_add(row.amount);
        withdrawn.last_ms = withdrawn.last_ms.max(row.time_ms);
    }

    /// Stops counting a withdrawal that failed.
    pub(super) fn remove(&mut self, row: &Payment) {
        let key = key(row);
        if let Some(withdrawn) = self.rows.get_mut(&key) {
            withdrawn.amount -= row.amount;
            if withdrawn.amount <= Decimal::ZERO {
                self.rows.remove(&key);
            }
        }
    }

    /// The rows of an account, oldest first.
    fn of(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = (&(AccountId, u64, SmolStr), &Withdrawn)> {
        let from = (account, 0, SmolStr::default());
        self.rows.range(from..).take_while(move |(key, _)| key.0 == account)
    }
}

impl Withdrawn {
    fn counts(&self, now_ms: u64) -> bool {
        self.last_ms > now_ms.saturating_sub(DAY_MS)
    }
}

fn key(row: &Payment) -> (AccountId, u64, SmolStr) {
    (row.account, row.time_ms / MINUTE_MS, row.plain.clone())
}

impl Exchange {
    pub(super) fn in_btc(&self, currency: &str, amount: Decimal) -> Decimal {
        let usd = self.usd_price(currency).checked_mul(amount).unwrap_or(Decimal::MAX);
        usd.checked_div(self.usd_price("BTC")).unwrap_or_default()
    }

    /// Returns the unused part of the withdrawal quota of the last 24 hours, in BTC.
    pub fn withdraw_quota_btc(&self, account: AccountId, now_ms: u64) -> Decimal {
        let recent = self.recent_withdrawals.of(account);
        let used = recent.filter(|(_, withdrawn)| withdrawn.counts(now_ms)).fold(
            Decimal::ZERO,
            |sum, ((_, _, currency), withdrawn)| {
                sum.saturating_add(self.in_btc(currency, withdrawn.amount))
            },
        );
        DAILY_QUOTA_BTC.saturating_sub(used).max(Decimal::ZERO)
    }

    /// Counts the kept withdrawals towards the quota. For stored states from before the withdrawals of a day had rows
    /// of their own.
    pub fn recount_withdrawals(&mut self) {
        let mut recent = RecentWithdrawals::default();
        let counts =
            |row: &&Payment| !row.deposit && !row.by_operator && row.state != PaymentState::Failed;
        for row in self.payments.values().filter(counts) {
            recent.add(row);
        }
        self.recent_withdrawals = recent;
    }
}
