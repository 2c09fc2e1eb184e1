//! Commands: everything that changes an exchange.
//!
//! The exchange answers a command with an [`Outcome`] or a [`Reject`]. Commands can be stored and applied again: the
//! same setup, commands and times give the same ledger.

mod futures;
mod operator;
mod spot;
mod wallet;

use serde::{Deserialize, Serialize};

pub use self::{
    futures::FuturesRequest, operator::OperatorCommand, spot::SpotRequest, wallet::WalletRequest,
};
use crate::{AccountId, Exchange, OrderId, Reject, report::Balance};

/// A change to an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Lets time pass: runs the tasks that are due.
    Wait,
    /// Runs one step of the simulated market: makers quote and takers trade.
    StepMarket,
    /// A request of a customer.
    Customer {
        /// The account of the customer.
        account: AccountId,
        /// The request.
        request: Request,
    },
    /// A command of the operator of the exchange.
    Operator(OperatorCommand),
}

/// A request of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// About spot orders.
    Spot(SpotRequest),
    /// About futures orders and positions.
    Futures(FuturesRequest),
    /// About wallets, loans and savings.
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

/// The result of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was created that has a number.
    Done,
    /// The order that was placed.
    Order(OrderId),
    /// The number of a transfer, loan, repayment, deposit or withdrawal.
    Record(u64),
    /// The account that was opened.
    Account(AccountId),
    /// The new balance.
    Balance(Balance),
}

impl Outcome {
    /// Returns the number of what was created.
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
    /// Applies a command at a time in milliseconds since 1970. Tasks that are due run first; trigger orders whose
    /// price was reached are placed last. A rejected command has changed nothing: what is different after it
    /// happened by itself, because its time had come.
    ///
    /// # Errors
    /// The rule that the command breaks; for every command, also [`Reject::TimeTooFar`].
    pub fn apply(&mut self, command: Command, now_ms: u64) -> Result<Outcome, Reject> {
        self.check_time(now_ms)?;
        self.run_due_tasks(now_ms);
        // The commands of customers change prices by trades only, and release no market or account.
        if !matches!(command, Command::Customer { .. }) {
            self.triggers.require_check();
        }
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

    /// Checks that an account is not frozen. A frozen account cannot send requests.
    ///
    /// # Errors
    /// [`Reject::AccountFrozen`].
    pub fn check_frozen(&self, account: AccountId) -> Result<(), Reject> {
        if !self.operator_settings.is_frozen(account) {
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
