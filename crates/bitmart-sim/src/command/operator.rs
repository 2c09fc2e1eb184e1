//! Commands of the operator of the exchange.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Outcome;
use crate::{
    AccountId, Exchange, Reject,
    account::WalletKind,
    operator::Operation,
    rules::MAX_AMOUNT,
    setup::{NewAccounts, StartingBalances},
    tape::Candle,
};

/// Largest volume or turnover of a recorded candle: 1e20.
const MAX_VOLUME: Decimal = Decimal::from_parts(0x6310_0000, 0x6BC7_5E2D, 5, false, 0);

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
        /// Units of the currency, above zero and up to 1e15, with at most 8 decimals.
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
    #[serde(rename = "Decide")]
    Operate(Operation),
}

impl Exchange {
    pub(super) fn execute_operator(
        &mut self,
        command: OperatorCommand,
        now_ms: u64,
    ) -> Result<Outcome, Reject> {
        match command {
            OperatorCommand::OpenAccounts(accounts) => {
                self.open_accounts(&accounts)?;
                Ok(Outcome::Done)
            }
            OperatorCommand::OpenNextAccount(funds) => {
                Ok(Outcome::Account(self.open_next_account(&funds)?))
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
            OperatorCommand::Operate(operation) => {
                self.operate(operation, now_ms)?;
                Ok(Outcome::Done)
            }
        }
    }

    // Rule: A recorded candle has prices up to 1e12, and volume and turnover up to 1e20. Source: invented (no sum can
    // overflow)
    fn record_candle(&mut self, symbol: &str, candle: Candle) -> Result<(), Reject> {
        let prices = [candle.open, candle.high, candle.low, candle.close];
        if prices.iter().any(|price| *price <= Decimal::ZERO || *price > MAX_AMOUNT) {
            return Err(Reject::PriceOutOfRange { maximum: MAX_AMOUNT });
        }
        let (minimum, maximum) = (Decimal::ZERO, MAX_VOLUME);
        if ![candle.volume, candle.turnover]
            .iter()
            .all(|amount| (minimum..=maximum).contains(amount))
        {
            return Err(Reject::AmountOutOfRange { minimum, maximum });
        }
        let spot = self.spot.get_mut(symbol).map(|market| &mut market.tape);
        let tape = spot.or_else(|| self.futures.get_mut(symbol).map(|market| &mut market.tape));
        tape.ok_or(Reject::UnknownMarket)?.add(candle);
        Ok(())
    }
}
