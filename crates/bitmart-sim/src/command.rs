//! Everything that can change an exchange.
//!
//! A command names an account and what it wants; the exchange answers with an [`Outcome`] or a
//! [`Reject`]. Commands can be stored and applied again: the same setup, commands and times give the
//! same ledger.

mod futures;
mod operator;
mod spot;
mod wallet;

use serde::{Deserialize, Serialize};

pub use self::{
    futures::FuturesRequest, operator::OperatorCommand, spot::SpotRequest, wallet::WalletRequest,
};
use crate::{AccountId, Exchange, OrderId, Reject, report::Balance};

/// Something that changes an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Time passes: what is due by now happens.
    Wait,
    /// The simulated makers quote and the simulated takers trade, once.
    StepMarket,
    /// A customer wants something.
    Customer {
        /// Who.
        account: AccountId,
        /// What.
        request: Request,
    },
    /// The operator of the exchange does something.
    Operator(OperatorCommand),
}

/// What a customer can want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Of the spot market.
    Spot(SpotRequest),
    /// Of the futures market.
    Futures(FuturesRequest),
    /// Of wallets, loans and savings.
    Wallet(WalletRequest),
}

impl From<SpotRequest> for Request {
    fn from(request: SpotRequest) -> Self {
        Self::Spot(request)
    }
}

impl From<FuturesRequest> for Request {
    fn from(request: FuturesRequest) -> Self {
        Self::Futures(request)
    }
}

impl From<WalletRequest> for Request {
    fn from(request: WalletRequest) -> Self {
        Self::Wallet(request)
    }
}

/// What a command made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing that has a number.
    Done,
    /// An order.
    Order(OrderId),
    /// A transfer, loan, repayment, deposit or withdrawal.
    Record(u64),
    /// An account.
    Account(AccountId),
    /// A balance.
    Balance(Balance),
}

impl Outcome {
    /// The number of what was made.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Done | Self::Balance(_) => None,
            Self::Order(id) => Some(id.0),
            Self::Record(id) => Some(*id),
            Self::Account(id) => Some(u64::from(id.0)),
        }
    }
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Done
    }
}

impl From<OrderId> for Outcome {
    fn from(id: OrderId) -> Self {
        Self::Order(id)
    }
}

impl From<u64> for Outcome {
    fn from(id: u64) -> Self {
        Self::Record(id)
    }
}

impl Exchange {
    /// Applies a command at a time: first what is due by then happens, then the command, then the orders
    /// whose trigger price was reached. A command that is rejected has changed nothing: what is different after it
    /// happened by itself, because its time had come.
    ///
    /// # Errors
    /// A [`Reject`] that names the rule which the command breaks.
    pub fn apply(&mut self, command: Command, now_ms: u64) -> Result<Outcome, Reject> {
        self.settle_due(now_ms);
        let result = match command {
            Command::Wait => Ok(Outcome::Done),
            Command::StepMarket => {
                self.step_market(now_ms);
                Ok(Outcome::Done)
            }
            Command::Customer { account, request } => {
                self.check_frozen(account).and_then(|()| self.execute(account, request, now_ms))
            }
            Command::Operator(command) => self.execute_operator(command, now_ms),
        };
        self.run_triggers(now_ms);
        result
    }

    // Rule: A frozen account can change nothing, and can read (53000, 60063; a sub-account 60029). Source:
    // documented (the table of error codes); simplified (that it can read)
    /// A frozen account can change nothing.
    ///
    /// # Errors
    /// [`Reject::AccountFrozen`].
    pub fn check_frozen(&self, account: AccountId) -> Result<(), Reject> {
        if !self.decisions.is_frozen(account) {
            return Ok(());
        }
        let sub_account = self.account(account).is_some_and(|owner| owner.main.is_some());
        Err(Reject::AccountFrozen { sub_account })
    }

    fn execute(
        &mut self,
        account: AccountId,
        request: Request,
        now_ms: u64,
    ) -> Result<Outcome, Reject> {
        if self.account(account).is_none_or(|owner| owner.house) {
            return Err(Reject::UnknownAccount);
        }
        match request {
            Request::Spot(request) => self.execute_spot(account, request, now_ms),
            Request::Futures(request) => self.execute_futures(account, request, now_ms),
            Request::Wallet(request) => self.execute_wallet(account, request, now_ms),
        }
    }
}
