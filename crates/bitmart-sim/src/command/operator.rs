//! Commands of the operator of the exchange.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Outcome;
use crate::{
    AccountId, Exchange, Reject,
    account::WalletKind,
    operator::Operation,
    setup::{NewAccounts, StartingBalances},
    tape::Candle,
};

/// A command of the operator of the exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorCommand {
    /// Open accounts. Accounts that exist stay as they are.
    OpenAccounts(NewAccounts),
    /// Open an account with the lowest unused number.
    OpenNextAccount(StartingBalances),
    /// Set the available balance of a wallet.
    SetBalance {
        /// The owner of the wallet.
        account: AccountId,
        /// The wallet.
        wallet: WalletKind,
        /// The currency.
        currency: SmolStr,
        /// The new available balance, from 0 to 1e15.
        amount: Decimal,
    },
    /// Send a deposit.
    Deposit {
        /// The account that receives it.
        account: AccountId,
        /// The currency, with or without a network: `USDT` or `USDT-TRC20`.
        currency: SmolStr,
        /// Units of the currency, above zero.
        amount: Decimal,
    },
    /// Halt or resume a market.
    HaltMarket {
        /// The pair or contract.
        symbol: SmolStr,
        /// Whether the market is halted from now on.
        halted: bool,
    },
    /// Record a candle, or a part of the latest one, on the tape of a market. Its close becomes the last price.
    RecordCandle {
        /// The pair or contract.
        symbol: SmolStr,
        /// The candle.
        candle: Candle,
    },
    /// Change accounts, contracts, currencies, addresses or networks.
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
                self.open_accounts(&customers);
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
            OperatorCommand::RecordCandle { symbol, candle } => {
                self.record_candle(&symbol, candle)?;
                Ok(Outcome::Done)
            }
            OperatorCommand::Decide(operation) => {
                self.operate(operation, now_ms)?;
                Ok(Outcome::Done)
            }
        }
    }

    fn record_candle(&mut self, symbol: &str, candle: Candle) -> Result<(), Reject> {
        let spot = self.spot.get_mut(symbol).map(|market| &mut market.tape);
        let tape = spot.or_else(|| self.futures.get_mut(symbol).map(|market| &mut market.tape));
        tape.ok_or(Reject::UnknownMarket)?.add(candle);
        Ok(())
    }
}
