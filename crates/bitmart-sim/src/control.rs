//! Accounts, balances and halts that the operator controls.

use std::{collections::BTreeSet, fmt};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, DECIMALS, Event, Exchange,
    account::WalletKind,
    futures::transactions::TransactionKind,
    ledger::HouseBook,
    reject::Reject,
    report::Balance,
    setup::{NewAccount, NewAccounts, StartingBalances},
    transfer::AccountWallet,
};

// Rule: A balance is set to at most 1e15. Source: invented (no sum can overflow)
/// Largest balance that can be set: 1e15.
pub const MAX_BALANCE: Decimal = Decimal::from_parts(0xA4C6_8000, 0x0003_8D7E, 0, false, 0);

/// Why a command of the operator was rejected. It has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlError {
    /// No customer has an account with this number.
    UnknownAccount(u32),
    /// No market of the wallet uses this currency.
    UnknownCurrency(String),
    /// No pair or contract has this symbol.
    UnknownMarket(String),
    /// The address is empty or longer than 256 bytes, or 200 addresses are saved.
    InvalidAddress,
    /// The amount is not from 0 to 1e15, has more than 8 decimals, or would bring what the operator
    /// has granted of a currency above 2e16.
    InvalidAmount(Decimal),
    /// The market has no model whose price could move.
    NoModel(String),
    /// The price is not from a tenth to ten times the start price.
    InvalidPrice(Decimal),
    /// The leverage brackets do not fit together; the text says why.
    InvalidBrackets(&'static str),
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
            Self::NoModel(symbol) => {
                write!(f, "{symbol} has no market maker, whose price could move")
            }
            Self::InvalidPrice(price) => {
                write!(f, "{price} is not a price from a tenth to ten times the start price")
            }
            Self::InvalidBrackets(text) => f.write_str(text),
            Self::InvalidAmount(amount) => {
                write!(
                    f,
                    "{amount} is not a balance: it must be from 0 to 1e15, with 8 decimals, and at most 2e16 of a currency are given"
                )
            }
        }
    }
}

impl std::error::Error for ControlError {}

// Rule: An amount of the operator is from 0 to 1e15, with at most 8 decimals. Source: invented (no sum can overflow)
/// Checks an amount that the operator has chosen.
pub(crate) fn check_operator_amount(amount: Decimal) -> Result<(), ControlError> {
    let fits =
        (Decimal::ZERO..=MAX_BALANCE).contains(&amount) && amount.normalize().scale() <= DECIMALS;
    if fits { Ok(()) } else { Err(ControlError::InvalidAmount(amount)) }
}

/// Markets that accept no orders.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct HaltedMarkets(BTreeSet<SmolStr>);

impl HaltedMarkets {
    pub(crate) fn contains(&self, symbol: &str) -> bool {
        self.0.contains(symbol)
    }

    fn set(&mut self, symbol: &str, halted: bool) {
        if halted {
            self.0.insert(symbol.into());
        } else {
            self.0.remove(symbol);
        }
    }
}

impl Exchange {
    /// Opens accounts. Accounts that exist stay as they are.
    pub(crate) fn open_accounts(&mut self, request: &NewAccounts) -> Result<(), ControlError> {
        let NewAccounts { accounts, funds } = request;
        let new = accounts.iter().filter(|new| !self.accounts.contains_key(&new.id));
        self.check_starting_balances(funds, new.count())?;
        for account in accounts {
            self.open_account(*account, funds);
        }
        Ok(())
    }

    /// Checks the starting balances of a number of accounts.
    fn check_starting_balances(
        &self,
        funds: &StartingBalances,
        accounts: usize,
    ) -> Result<(), ControlError> {
        let count = Decimal::from(accounts);
        for (currency, amount) in funds.spot.iter().chain(&funds.futures) {
            check_operator_amount(*amount)?;
            let rows = funds.spot.iter().chain(&funds.futures).filter(|row| row.0 == *currency);
            let sum = rows.fold(Decimal::ZERO, |sum, row| sum.saturating_add(row.1));
            if !self.ledger.can_issue(currency, HouseBook::Grants, sum.saturating_mul(count)) {
                return Err(ControlError::InvalidAmount(*amount));
            }
        }
        Ok(())
    }

    /// Opens the account with the lowest unused number.
    pub(crate) fn open_next_account(
        &mut self,
        funds: &StartingBalances,
    ) -> Result<AccountId, ControlError> {
        self.check_starting_balances(funds, 1)?;
        let mut numbers = (self.lowest_unused_account..=u32::MAX).map(AccountId);
        let unused = numbers.find(|id| !self.accounts.contains_key(id));
        let id = unused.unwrap_or(AccountId(0));
        self.lowest_unused_account = id.0;
        self.open_account(NewAccount { id, main: None }, funds);
        Ok(id)
    }

    /// Returns the main account of a customer's sub-account, or `None` for a main account.
    ///
    /// # Errors
    /// [`ControlError::UnknownAccount`] for unknown accounts and the accounts of the exchange.
    pub fn customer(&self, id: AccountId) -> Result<Option<AccountId>, ControlError> {
        let customer = self.accounts.get(&id).filter(|account| !account.house);
        customer.map(|account| account.main).ok_or(ControlError::UnknownAccount(id.0))
    }

    /// Halts or resumes a market.
    pub(crate) fn halt(&mut self, symbol: &str, halted: bool) -> Result<(), ControlError> {
        if !self.spot.contains_key(symbol) && !self.futures.contains_key(symbol) {
            return Err(ControlError::UnknownMarket(symbol.to_owned()));
        }
        self.halted.set(symbol, halted);
        Ok(())
    }

    // Rule: A halted pair accepts no orders (50023). Source: documented (the table of error codes)
    /// Checks that a market is not halted.
    ///
    /// # Errors
    /// [`Reject::MarketHalted`].
    pub fn check_trading(&self, symbol: &str) -> Result<(), Reject> {
        if self.halted.contains(symbol) { Err(Reject::MarketHalted) } else { Ok(()) }
    }

    /// Sets the available balance of a wallet; the frozen balance stays unchanged. The change is recorded as a
    /// deposit or withdrawal for the spot and funding wallets, and as a transaction for the futures wallet. That of a
    /// sub-account's spot or funding wallet is in the history of its main account, with a transfer between the two.
    pub(crate) fn set_available(
        &mut self,
        id: AccountId,
        kind: WalletKind,
        currency: &SmolStr,
        amount: Decimal,
        now_ms: u64,
    ) -> Result<Balance, ControlError> {
        self.customer(id)?;
        let is_used = match kind {
            WalletKind::Spot | WalletKind::Funding => self
                .spot
                .values()
                .any(|market| market.rules.base == *currency || market.rules.quote == *currency),
            WalletKind::Futures => {
                self.futures.values().any(|market| market.rules.quote == *currency)
            }
        };
        if !is_used {
            return Err(ControlError::UnknownCurrency(currency.to_string()));
        }
        let amount = amount.normalize();
        check_operator_amount(amount)?;
        let change = amount - self.wallet(id, kind, currency).available;
        if !self.ledger.can_issue(currency, HouseBook::Grants, change) {
            return Err(ControlError::InvalidAmount(amount));
        }
        let (name, event) = match kind {
            WalletKind::Spot => {
                let currencies = vec![currency.clone()];
                let reason = BalanceReason::Deposit;
                ("spot", Some(Event::SpotBalance { account: id, reason, currencies }))
            }
            WalletKind::Funding => ("funding", None),
            WalletKind::Futures => {
                let event = Event::FuturesAsset { account: id, currency: currency.clone() };
                ("futures", Some(event))
            }
        };
        self.set_available_balance(id, kind, currency, amount);
        let row = Balance {
            account: id.0,
            wallet: name,
            currency: currency.to_string(),
            available: amount,
            frozen: self.wallet(id, kind, currency).frozen,
        };
        match kind {
            WalletKind::Spot | WalletKind::Funding => {
                self.record_adjustment(
                    AccountWallet { account: id, kind },
                    currency,
                    change,
                    now_ms,
                );
            }
            WalletKind::Futures => {
                let symbol_and_currency = (SmolStr::default(), currency.clone());
                self.record_transaction(
                    id,
                    TransactionKind::Transfer,
                    symbol_and_currency,
                    change,
                    now_ms,
                );
            }
        }
        if let Some(event) = event {
            self.events.push(event);
        }
        Ok(row)
    }
}
