//! Errors of operator calls.

use std::fmt;

use bitmart_sim::{Reject, control::ControlError};
use rust_decimal::Decimal;

use super::MAX_STEPS;

/// The reason for which a call of the operator was rejected. Nothing was changed, except that the change of
/// [`NotStored`](Self::NotStored) may be in effect until a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperatorError {
    /// There is no customer account with this number.
    UnknownAccount(u32),
    /// No market of the wallet uses this currency.
    UnknownCurrency(String),
    /// There is no pair or contract with this symbol.
    UnknownMarket(String),
    /// A key with this name exists.
    KeyExists,
    /// A given key needs key, secret and memo.
    IncompleteKey,
    /// The address is empty or longer than 256 bytes, or 200 addresses are saved.
    InvalidAddress,
    /// The amount is not from 0 to 1e15 with at most 8 decimals.
    InvalidAmount(Decimal),
    /// The amount is not above 0, the account or currency does not exist, or its deposits are closed.
    InvalidDeposit {
        /// Number of the account.
        account: u32,
        /// Currency, or currency and network.
        currency: String,
        /// Amount.
        amount: Decimal,
    },
    /// The market has no market maker, whose price could move.
    NoMarketMaker(String),
    /// The price is not from a tenth to ten times the start price.
    InvalidPrice(Decimal),
    /// The leverage brackets do not fit together; the text says why.
    InvalidBrackets(&'static str),
    /// No state is saved under this name.
    UnknownSnapshot(String),
    /// The name of a state to save is empty or too long, or 8 others are saved; the text says which.
    InvalidName(String),
    /// The change is not stored, because the data folder cannot be written to.
    NotStored,
    /// The scenario cannot be played; the text says why.
    InvalidScenario(String),
    /// The exchange rejects it as it would reject it from a customer; the text says why.
    Rejected(String),
    /// Only a stepped clock can be advanced.
    ClockRuns,
    /// The market moves by at most 10,000 steps in one call.
    TooManySteps,
    /// The clock may be advanced by at most 366 days at a time.
    ClockTooFar,
    /// There is no such fault, or it does not fit its target; the text says why.
    InvalidFault(String),
}

impl fmt::Display for OperatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAccount(account) => write!(f, "there is no account {account}"),
            Self::UnknownCurrency(currency) => {
                write!(f, "no market of this wallet uses the currency {currency:?}")
            }
            Self::UnknownSnapshot(name) => write!(f, "no state {name:?} is saved"),
            Self::UnknownMarket(symbol) => {
                write!(f, "there is no market {symbol:?}; a pair is BTC_USDT, a contract BTCUSDT")
            }
            Self::KeyExists => f.write_str("a key with this name exists"),
            Self::IncompleteKey => {
                f.write_str("give all of key, secret and memo, not empty, or none")
            }
            Self::InvalidAddress => {
                f.write_str("an address has 1 to 256 bytes, and an account saves at most 200")
            }
            Self::InvalidAmount(amount) => {
                write!(f, "{amount} is not a balance: it must be from 0 to 1e15, with 8 decimals")
            }
            Self::InvalidDeposit { account, currency, amount } => write!(
                f,
                "no deposit of {amount} {currency} to account {account}: the amount has to be above 0, the \
                 account and the currency have to exist, and deposits have to be open"
            ),
            Self::ClockRuns => {
                f.write_str("the clock is running; start with --clock for a stepped clock")
            }
            Self::TooManySteps => write!(f, "at most {MAX_STEPS} steps at a time"),
            Self::ClockTooFar => f.write_str("the clock advances by at most 366 days at a time"),
            Self::NoMarketMaker(symbol) => {
                write!(f, "{symbol} has no market maker, whose price could move")
            }
            Self::InvalidPrice(price) => {
                write!(f, "{price} is not a price from a tenth to ten times the start price")
            }
            Self::InvalidBrackets(text) => f.write_str(text),
            Self::NotStored => f.write_str("the data folder cannot be written to"),
            Self::InvalidFault(text)
            | Self::Rejected(text)
            | Self::InvalidName(text)
            | Self::InvalidScenario(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for OperatorError {}

impl From<Reject> for OperatorError {
    fn from(reject: Reject) -> Self {
        match reject {
            Reject::Operator(error) => error.into(),
            reject => Self::Rejected(reject.to_string()),
        }
    }
}

impl From<ControlError> for OperatorError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::UnknownAccount(account) => Self::UnknownAccount(account),
            ControlError::UnknownCurrency(currency) => Self::UnknownCurrency(currency),
            ControlError::UnknownMarket(symbol) => Self::UnknownMarket(symbol),
            ControlError::InvalidAddress => Self::InvalidAddress,
            ControlError::InvalidAmount(amount) => Self::InvalidAmount(amount),
            ControlError::NoModel(symbol) => Self::NoMarketMaker(symbol),
            ControlError::InvalidPrice(price) => Self::InvalidPrice(price),
            ControlError::InvalidBrackets(text) => Self::InvalidBrackets(text),
        }
    }
}
