//! What the operator of the exchange can do.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Outcome;
use crate::{
    AccountId, Exchange, Reject,
    control::WalletKind,
    operator::Operation,
    setup::{Customers, Funds},
};

/// What the operator of the exchange can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorCommand {
    /// Open the accounts that are not there.
    OpenAccounts(Customers),
    /// Open an account with the lowest free number.
    OpenNextAccount(Funds),
    /// Set what is free in a wallet.
    SetBalance {
        /// Whose.
        account: AccountId,
        /// Which wallet.
        wallet: WalletKind,
        /// Of which currency.
        currency: SmolStr,
        /// The new amount.
        amount: Decimal,
    },
    /// Send money from outside.
    Deposit {
        /// To whom.
        account: AccountId,
        /// The currency, with a network or without, as `USDT-TRC20`.
        currency: SmolStr,
        /// How much.
        amount: Decimal,
    },
    /// Halt a market, or let it go on.
    HaltMarket {
        /// Which.
        symbol: SmolStr,
        /// Halted.
        halted: bool,
    },
    /// Take another decision.
    Decide(Operation),
}

impl Exchange {
    pub(super) fn execute_operator(
        &mut self,
        command: OperatorCommand,
        now_ms: u64,
    ) -> Result<Outcome, Reject> {
        match command {
            OperatorCommand::OpenAccounts(customers) => {
                self.admit(&customers);
                Ok(Outcome::Done)
            }
            OperatorCommand::OpenNextAccount(funds) => {
                Ok(Outcome::Account(self.open_next_account(&funds)))
            }
            OperatorCommand::SetBalance { account, wallet, currency, amount } => {
                let row = self.set_available(account, wallet, &currency, amount, now_ms)?;
                Ok(Outcome::Balance(row))
            }
            OperatorCommand::Deposit { account, currency, amount } => {
                self.deposit(account, &currency, amount, now_ms).map(Outcome::from)
            }
            OperatorCommand::HaltMarket { symbol, halted } => {
                self.halt(&symbol, halted)?;
                Ok(Outcome::Done)
            }
            OperatorCommand::Decide(operation) => {
                self.operate(operation, now_ms)?;
                Ok(Outcome::Done)
            }
        }
    }
}
