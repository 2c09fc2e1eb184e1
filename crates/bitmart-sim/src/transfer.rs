//! Transfers between the wallets of an account, and between a main account and its sub-accounts.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, Event, Exchange,
    account::{WalletKind, wallet_kind},
    futures::transactions::TransactionKind,
    reject::{Reject, Source},
};

/// A wallet of an account: where a transfer begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountWallet {
    /// The account.
    pub account: AccountId,
    /// The wallet of the account.
    #[serde(rename = "purse", with = "wallet_kind::stored")]
    pub kind: WalletKind,
}

/// A new transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTransfer {
    /// The wallet that pays.
    pub from: AccountWallet,
    /// The wallet that receives.
    pub to: AccountWallet,
    /// The currency, which both wallets must be able to hold.
    pub currency: SmolStr,
    /// Units of the currency, above zero.
    pub amount: Decimal,
}

// Rule: A transfer arrives at once. Source: simplified (its state is always FINISHED)
/// A transfer. It is finished at once, so that its state is always `FINISHED`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Number of the transfer, rising with time.
    pub id: u64,
    /// The wallet that paid.
    pub from: AccountWallet,
    /// The wallet that received.
    pub to: AccountWallet,
    /// The currency.
    pub currency: SmolStr,
    /// Units of the currency, above zero.
    pub amount: Decimal,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

impl Transfer {
    /// Whether it was between two accounts.
    pub fn is_between_accounts(&self) -> bool {
        self.from.account != self.to.account
    }

    /// Whether it was from or to an account.
    pub fn involves(&self, account: AccountId) -> bool {
        self.from.account == account || self.to.account == account
    }
}

impl Exchange {
    /// Whether a wallet of this kind can hold a currency. The futures wallet holds only settlement currencies of
    /// contracts.
    pub(super) fn can_hold(&self, kind: WalletKind, currency: &str) -> bool {
        match kind {
            WalletKind::Futures => {
                self.futures.values().any(|market| market.rules.quote == currency)
            }
            WalletKind::Spot | WalletKind::Funding => {
                let mut markets = self.spot.values();
                markets.any(|one| one.rules.base == currency || one.rules.quote == currency)
                    || self.can_hold(WalletKind::Futures, currency)
            }
        }
    }

    pub(crate) fn transfer(&mut self, request: NewTransfer, now_ms: u64) -> Result<u64, Reject> {
        let NewTransfer { from, to, currency, amount } = request;
        // Rule: The futures wallet holds only currencies that contracts are settled in. Source: documented
        // (endpoint futures_transfer, which has USDT only); simplified (any such currency)
        if !self.can_hold(from.kind, &currency) || !self.can_hold(to.kind, &currency) {
            return Err(Reject::UnknownCurrency);
        }
        // Rule: A transfer needs its whole amount free in the wallet that it leaves. Source: documented (the table
        // of error codes)
        let free = match from.kind {
            WalletKind::Futures => self.collateral(from.account, &currency).withdrawable(),
            WalletKind::Spot | WalletKind::Funding => {
                self.wallet(from.account, from.kind, &currency).available
            }
        };
        if free < amount {
            let source = match from.kind {
                WalletKind::Futures => Source::Futures,
                WalletKind::Spot => Source::Spot,
                WalletKind::Funding => Source::Funding,
            };
            let (account, have, need) = (Some(from.account), free, amount);
            return Err(Reject::InsufficientBalance { source, account, currency, have, need });
        }
        let from_wallet = self.ensure_wallet(from.account, from.kind, &currency);
        let to_wallet = self.ensure_wallet(to.account, to.kind, &currency);
        self.ledger.post(from_wallet.available(), to_wallet.available(), amount);
        let id = self.counters.next_transfer();
        for end in [from, to] {
            self.report_transfer(end, &currency);
        }
        for (end, amount) in [(from, -amount), (to, amount)] {
            if end.kind == WalletKind::Futures {
                let symbol_and_currency = (SmolStr::default(), currency.clone());
                self.record_transaction(
                    end.account,
                    TransactionKind::Transfer,
                    symbol_and_currency,
                    amount,
                    now_ms,
                );
            }
        }
        let row = Transfer { id, from, to, currency, amount, time_ms: now_ms };
        self.transfers.add(row, self.history_limit);
        Ok(id)
    }

    // Rule: The number of a transfer between accounts works once per caller (61004). Source: documented (endpoint
    // sub_accounts_transfer_sub_to_main); simplified (per caller, and that one that was rejected may be used
    // again)
    /// Moves money between a main account and its sub-accounts. A caller can use a request number once (61004), or
    /// again after a rejection.
    pub(crate) fn transfer_between(
        &mut self,
        caller: AccountId,
        number: SmolStr,
        request: NewTransfer,
        now_ms: u64,
    ) -> Result<u64, Reject> {
        if self.request_numbers.contains(caller, &number) {
            return Err(Reject::DuplicateRequest);
        }
        let id = self.transfer(request, now_ms)?;
        self.request_numbers.insert(caller, number, self.history_limit);
        Ok(id)
    }

    /// Remembers that money of a sub-account came from outside (above zero) or went there by way of its main account:
    /// a sub-account has a history of transfers only.
    pub(crate) fn record_passage(
        &mut self,
        wallet: AccountWallet,
        currency: &SmolStr,
        change: Decimal,
        now_ms: u64,
    ) {
        let Some(main) = self.accounts.get(&wallet.account).and_then(|owner| owner.main) else {
            return;
        };
        let main = AccountWallet { account: main, kind: WalletKind::Spot };
        let (from, to) = if change > Decimal::ZERO { (main, wallet) } else { (wallet, main) };
        let id = self.counters.next_transfer();
        let (currency, amount) = (currency.clone(), change.abs());
        let row = Transfer { id, from, to, currency, amount, time_ms: now_ms };
        self.transfers.add(row, self.history_limit);
    }

    /// Reports the changed balance of one of the wallets.
    fn report_transfer(&mut self, end: AccountWallet, currency: &SmolStr) {
        let (account, currency) = (end.account, currency.clone());
        self.events.push(match end.kind {
            WalletKind::Funding => return,
            WalletKind::Futures => Event::FuturesAsset { account, currency },
            WalletKind::Spot => {
                return self.report_balance(account, BalanceReason::Transfer, &currency);
            }
        });
    }

    /// Returns the sub-accounts of `main`, by number.
    pub fn sub_accounts(&self, main: AccountId) -> impl Iterator<Item = AccountId> {
        let accounts = self.accounts.values();
        accounts.filter(move |account| account.main == Some(main)).map(|account| account.id)
    }
}
