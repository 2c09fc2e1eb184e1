//! Moving money between the wallets of an account, and between a main account and its sub-accounts.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, Event, Exchange,
    account::Purse,
    futures::flows::FlowKind,
    keep_latest, next,
    reject::{Reject, Source},
};

/// One end of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Whose wallet it is.
    pub account: AccountId,
    /// Which of the account's wallets.
    pub purse: Purse,
}

/// A checked request to move money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTransfer {
    /// Where the money leaves.
    pub from: End,
    /// Where it arrives.
    pub to: End,
    /// Both wallets must be able to hold it.
    pub currency: SmolStr,
    /// Units of the currency, above zero.
    pub amount: Decimal,
}

// Rule: A transfer arrives at once. Source: simplified (its state is always FINISHED)
/// Money that was moved. It arrives at once, so that the state of a transfer is always `FINISHED`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Number of the transfer, rising with time.
    pub id: u64,
    /// Where the money left.
    pub from: End,
    /// Where it arrived.
    pub to: End,
    /// The currency of both wallets.
    pub currency: SmolStr,
    /// Units of the currency, above zero.
    pub amount: Decimal,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

impl Transfer {
    /// Whether it moved money between accounts, and not within one.
    pub fn is_between_accounts(&self) -> bool {
        self.from.account != self.to.account
    }

    /// Whether the account is at either end.
    pub fn touches(&self, account: AccountId) -> bool {
        self.from.account == account || self.to.account == account
    }
}

impl Exchange {
    /// Whether a wallet of this kind can hold the currency. The futures wallet holds what contracts are
    /// settled in.
    pub(super) fn holds(&self, purse: Purse, currency: &str) -> bool {
        match purse {
            Purse::Futures => self.futures.values().any(|market| market.rules.quote == currency),
            Purse::Spot | Purse::Fund => {
                let mut markets = self.spot.values();
                markets.any(|one| one.rules.base == currency || one.rules.quote == currency)
                    || self.holds(Purse::Futures, currency)
            }
        }
    }

    pub(crate) fn transfer(&mut self, request: NewTransfer, now_ms: u64) -> Result<u64, Reject> {
        let NewTransfer { from, to, currency, amount } = request;
        // Rule: The futures wallet holds only currencies that contracts are settled in. Source: documented
        // (endpoint futures_transfer, which has USDT only); simplified (any such currency)
        if !self.holds(from.purse, &currency) || !self.holds(to.purse, &currency) {
            return Err(Reject::UnknownCurrency);
        }
        // Rule: A transfer needs its whole amount free in the wallet that it leaves. Source: documented (the table
        // of error codes)
        let free = match from.purse {
            Purse::Futures => self.collateral(from.account, &currency).withdrawable(),
            Purse::Spot | Purse::Fund => self.wallet(from.account, from.purse, &currency).available,
        };
        if free < amount {
            let source = match from.purse {
                Purse::Futures => Source::Futures,
                Purse::Spot => Source::Spot,
                Purse::Fund => Source::Funding,
            };
            let (account, have, need) = (Some(from.account), free, amount);
            return Err(Reject::InsufficientBalance { source, account, currency, have, need });
        }
        let from_wallet = self.open_wallet(from.account, from.purse, &currency);
        let to_wallet = self.open_wallet(to.account, to.purse, &currency);
        self.ledger.post(from_wallet.available(), to_wallet.available(), amount);
        let id = next(&mut self.counters.transfer);
        for end in [from, to] {
            self.tell_transfer(end, &currency);
        }
        for (end, amount) in [(from, -amount), (to, amount)] {
            if end.purse == Purse::Futures {
                let about = (SmolStr::default(), currency.clone());
                self.record_flow(end.account, FlowKind::Transfer, about, amount, now_ms);
            }
        }
        let row = Transfer { id, from, to, currency, amount, time_ms: now_ms };
        keep_latest(&mut self.transfers, row, self.remembered);
        Ok(id)
    }

    // Rule: The number of a transfer between accounts works once per caller (61004). Source: documented (endpoint
    // sub_accounts_transfer_sub_to_main); simplified (per caller, and that one that was rejected may be used
    // again)
    /// Moves money between a main account and its sub-accounts. A request number works once per caller
    /// (61004); one that was refused may be used again.
    pub(crate) fn transfer_between(
        &mut self,
        caller: AccountId,
        number: SmolStr,
        request: NewTransfer,
        now_ms: u64,
    ) -> Result<u64, Reject> {
        let number = (caller, number);
        if self.request_numbers.contains(&number) {
            return Err(Reject::DuplicateRequest);
        }
        let id = self.transfer(request, now_ms)?;
        self.request_numbers.insert(number);
        Ok(id)
    }

    /// Remembers that money of a sub-account came from outside (above zero) or went there by way of its main account:
    /// a sub-account has a history of transfers only.
    pub(crate) fn record_passage(
        &mut self,
        end: End,
        currency: &SmolStr,
        change: Decimal,
        now_ms: u64,
    ) {
        let Some(main) = self.accounts.get(&end.account).and_then(|owner| owner.main) else {
            return;
        };
        let main = End { account: main, purse: Purse::Spot };
        let (from, to) = if change > Decimal::ZERO { (main, end) } else { (end, main) };
        let id = next(&mut self.counters.transfer);
        let (currency, amount) = (currency.clone(), change.abs());
        let row = Transfer { id, from, to, currency, amount, time_ms: now_ms };
        keep_latest(&mut self.transfers, row, self.remembered);
    }

    fn tell_transfer(&mut self, end: End, currency: &SmolStr) {
        let (account, currency) = (end.account, currency.clone());
        self.events.push(match end.purse {
            Purse::Fund => return,
            Purse::Futures => Event::FuturesAsset { account, currency },
            Purse::Spot => {
                return self.tell_balance(account, BalanceReason::Transfer, &currency);
            }
        });
    }

    /// The sub-account of `main` with this name.
    pub fn sub_account(&self, main: AccountId, name: &str) -> Option<AccountId> {
        self.sub_accounts(main).find(|sub| sub.name() == name)
    }

    /// The sub-accounts of `main`, by number.
    pub fn sub_accounts(&self, main: AccountId) -> impl Iterator<Item = AccountId> {
        let accounts = self.accounts.values();
        accounts.filter(move |account| account.main == Some(main)).map(|account| account.id)
    }
}
