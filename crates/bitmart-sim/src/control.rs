//! What is done to accounts from outside the market.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, DECIMALS, Event, Exchange,
    account::Purse,
    futures::flows::FlowKind,
    reject::Reject,
    report::Balance,
    setup::{Customers, Funds, NewAccount},
    transfer::End,
};

// Rule: A balance is set to at most 1e15. Source: invented (no sum can overflow)
/// Most that a balance can be set to.
pub const MOST: Decimal = Decimal::from_parts(0xA4C6_8000, 0x0003_8D7E, 0, false, 0);

/// A wallet of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WalletKind {
    /// Pays for spot orders and withdrawals.
    Spot,
    /// The funding account.
    Funding,
    /// Pays for futures orders.
    Futures,
}

/// Why a command of the operator is rejected. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlError {
    /// There is no customer account with this number.
    UnknownAccount(u32),
    /// No market of the wallet uses this currency.
    UnknownCurrency(String),
    /// There is no pair or contract with this symbol.
    UnknownMarket(String),
    /// The address is empty or longer than 256 bytes, or 200 addresses are saved.
    InvalidAddress,
    /// The amount is not from 0 to 1e15 with at most 8 decimals.
    InvalidAmount(Decimal),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAccount(account) => write!(f, "there is no account {account}"),
            Self::UnknownCurrency(currency) => {
                write!(f, "no market of this wallet uses the currency {currency:?}")
            }
            Self::UnknownMarket(symbol) => {
                write!(f, "there is no market {symbol:?}; a pair is BTC_USDT, a contract BTCUSDT")
            }
            Self::InvalidAddress => {
                f.write_str("an address has 1 to 256 bytes, and an account saves at most 200")
            }
            Self::InvalidAmount(amount) => {
                write!(f, "{amount} is not a balance: it must be from 0 to 1e15, with 8 decimals")
            }
        }
    }
}

impl std::error::Error for ControlError {}

impl Exchange {
    /// Opens the accounts that are not there.
    pub(crate) fn admit(&mut self, customers: &Customers) {
        for account in &customers.accounts {
            self.open_account(*account, &customers.funds);
        }
    }

    /// Opens the account with the lowest free number, with these starting balances.
    pub(crate) fn open_next_account(&mut self, funds: &Funds) -> AccountId {
        let free = (1..=u32::MAX).map(AccountId).find(|id| !self.accounts.contains_key(id));
        let id = free.unwrap_or(AccountId(0));
        self.open_account(NewAccount { id, main: None }, funds);
        id
    }

    /// The main account of a customer, when it is a sub-account.
    ///
    /// # Errors
    /// [`ControlError::UnknownAccount`] for house accounts and unknown ones.
    pub fn customer(&self, id: AccountId) -> Result<Option<AccountId>, ControlError> {
        let known = self.accounts.get(&id).filter(|account| !account.house);
        known.map(|account| account.main).ok_or(ControlError::UnknownAccount(id.0))
    }

    /// Halts a market for customers, or lets it go on.
    pub(crate) fn halt(&mut self, symbol: &str, halted: bool) -> Result<(), ControlError> {
        if !self.spot.contains_key(symbol) && !self.futures.contains_key(symbol) {
            return Err(ControlError::UnknownMarket(symbol.to_owned()));
        }
        let _ = if halted { self.halted.insert(symbol.into()) } else { self.halted.remove(symbol) };
        Ok(())
    }

    // Rule: A halted pair takes no orders (50023). Source: documented (the table of error codes)
    /// Refuses an order for a market that is halted.
    ///
    /// # Errors
    /// [`Reject::MarketHalted`].
    pub fn check_trading(&self, symbol: &str) -> Result<(), Reject> {
        if self.halted.contains(symbol) { Err(Reject::MarketHalted) } else { Ok(()) }
    }

    /// Sets what is free in a wallet; what open orders hold stays as it is. The history that a customer has
    /// of the wallet has a row with the change: the deposits and withdrawals of spot and funding, and the
    /// transactions of futures. That of a sub-account's spot or funding wallet is in the history of its main account,
    /// with a transfer between the two.
    pub(crate) fn set_available(
        &mut self,
        id: AccountId,
        kind: WalletKind,
        currency: &SmolStr,
        amount: Decimal,
        now_ms: u64,
    ) -> Result<Balance, ControlError> {
        self.customer(id)?;
        let traded = match kind {
            WalletKind::Spot | WalletKind::Funding => self
                .spot
                .values()
                .any(|market| market.rules.base == *currency || market.rules.quote == *currency),
            WalletKind::Futures => {
                self.futures.values().any(|market| market.rules.quote == *currency)
            }
        };
        if !traded {
            return Err(ControlError::UnknownCurrency(currency.to_string()));
        }
        let amount = amount.normalize();
        if amount < Decimal::ZERO || amount > MOST || amount.scale() > DECIMALS {
            return Err(ControlError::InvalidAmount(amount));
        }
        let (purse, name, event) = match kind {
            WalletKind::Spot => {
                let currencies = vec![currency.clone()];
                let reason = BalanceReason::Deposit;
                let event = Event::SpotBalance { account: id, reason, currencies };
                (Purse::Spot, "spot", Some(event))
            }
            WalletKind::Funding => (Purse::Fund, "funding", None),
            WalletKind::Futures => {
                let event = Event::FuturesAsset { account: id, currency: currency.clone() };
                (Purse::Futures, "futures", Some(event))
            }
        };
        let change = amount - self.wallet(id, purse, currency).available;
        self.grant(id, purse, currency, amount);
        let row = Balance {
            account: id.0,
            wallet: name,
            currency: currency.to_string(),
            available: amount,
            frozen: self.wallet(id, purse, currency).frozen,
        };
        match kind {
            WalletKind::Spot | WalletKind::Funding => {
                self.record_adjustment(End { account: id, purse }, currency, change, now_ms);
            }
            WalletKind::Futures => {
                let about = (SmolStr::default(), currency.clone());
                self.record_flow(id, FlowKind::Transfer, about, change, now_ms);
            }
        }
        self.events.extend(event);
        Ok(row)
    }
}
