//! What a test or an operator does to a running exchange from outside: the calls behind
//! [`Sandbox`](crate::Sandbox) and the admin API.

use std::{fmt, time::Duration};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    Balance,
    exchange::AccountId,
    fault::FaultRule,
    keys::{ApiKey, Permission},
    shared::{Shared, TICK},
    snapshot::Snapshot,
};

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

/// Why a call of control was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no customer account of this number.
    UnknownAccount(u32),
    /// The wallet cannot hold this currency: no market uses it there.
    UnknownCurrency(String),
    /// There is no pair and no contract of this name.
    UnknownMarket(String),
    /// There is a key of this name.
    KeyExists,
    /// A balance is from 0 to 1e15 and has at most 8 decimals.
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
            Self::KeyExists => f.write_str("there is a key of this name"),
            Self::InvalidAmount(amount) => {
                write!(f, "{amount} is no balance: it must be from 0 to 1e15, with 8 decimals")
            }
        }
    }
}

impl std::error::Error for ControlError {}

impl Shared {
    pub(crate) fn create_account(&self) -> u32 {
        self.state().exchange.open_next_account(&self.config).0
    }

    pub(crate) fn create_key(
        &self,
        account: u32,
        permissions: Vec<Permission>,
    ) -> Result<ApiKey, ControlError> {
        let main = self.state().exchange.customer(AccountId(account))?;
        Ok(self.keys.make(account, main.map(|main| main.0), permissions))
    }

    pub(crate) fn add_key(&self, key: ApiKey) -> Result<(), ControlError> {
        let main = self.state().exchange.customer(AccountId(key.account))?;
        let key = ApiKey { main: main.map(|main| main.0), ..key };
        if self.keys.add(key) { Ok(()) } else { Err(ControlError::KeyExists) }
    }

    pub(crate) fn set_balance(
        &self,
        account: u32,
        wallet: WalletKind,
        currency: &str,
        amount: Decimal,
    ) -> Result<Balance, ControlError> {
        self.state().run(|exchange, _| {
            exchange.set_available(AccountId(account), wallet, &currency.into(), amount)
        })
    }

    pub(crate) fn inject(&self, rule: FaultRule) {
        if rule.is_socket() {
            self.state().feed.faults.add(rule);
        } else {
            self.faults().add(rule);
        }
    }

    pub(crate) fn clear_faults(&self) {
        self.faults().clear();
        self.state().feed.faults.clear();
    }

    pub(crate) fn kill_sockets(&self) {
        self.control.send_modify(|control| control.kills += 1);
    }

    /// Moves the clock and says what time it is; the clock of the machine goes its own way.
    pub(crate) fn advance(&self, by: Duration) -> u64 {
        let mut state = self.state();
        state.clock.advance(by);
        // No command: what the time alone brings about happens and is pushed.
        state.run(|_, now_ms| now_ms)
    }

    /// One beat of the market, and of a stepped clock.
    pub(crate) fn step(&self) {
        let mut state = self.state();
        state.clock.advance(TICK);
        state.tick();
    }

    pub(crate) fn hold_market(&self, held: bool) {
        self.state().held = held;
    }

    pub(crate) fn halt(&self, symbol: &str, halted: bool) -> Result<(), ControlError> {
        self.state().run(|exchange, _| exchange.halt(symbol, halted))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        // Keys first: an account is there before its keys.
        let keys = self.keys.made();
        Snapshot::new(self.config.seed, keys, &self.state())
    }
}
