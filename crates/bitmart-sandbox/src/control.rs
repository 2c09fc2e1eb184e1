//! Operations of the operator. Each change of the exchange is a command, which the journal stores.

use std::time::Duration;

use bitmart_sim::{
    AccountId, Command, OperatorCommand, Outcome, account::WalletKind, operator::Operation,
};
use rust_decimal::Decimal;

use crate::{
    Balance,
    fault::FaultRule,
    journal::EntryNumber,
    keys::{ApiKey, Permission},
    operator::OperatorError,
    shared::Shared,
    snapshot::Snapshot,
    state::STEP,
};

/// A long time passes in slices of this length.
const CLOCK_SLICE: Duration = Duration::from_secs(86_400);

impl Shared {
    /// Applies a command of the operator.
    fn command(&self, command: OperatorCommand) -> Result<Outcome, OperatorError> {
        Ok(self.state().apply(Command::Operator(command))?)
    }

    pub(crate) fn create_account(&self) -> u32 {
        match self.command(OperatorCommand::OpenNextAccount(self.config.funds())) {
            Ok(Outcome::Account(account)) => account.0,
            // Opening an account is never rejected.
            _ => 0,
        }
    }

    pub(crate) fn create_key(
        &self,
        account: u32,
        permissions: Vec<Permission>,
    ) -> Result<ApiKey, OperatorError> {
        Ok(self.state().derive_key(&self.keys, account, permissions)?)
    }

    pub(crate) fn add_key(&self, key: ApiKey) -> Result<(), OperatorError> {
        let added = self.state().add_key(&self.keys, key)?;
        if added { Ok(()) } else { Err(OperatorError::KeyExists) }
    }

    pub(crate) fn set_balance(
        &self,
        account: u32,
        wallet: WalletKind,
        currency: &str,
        amount: Decimal,
    ) -> Result<Balance, OperatorError> {
        let (account, currency) = (AccountId(account), currency.into());
        match self.command(OperatorCommand::SetBalance { account, wallet, currency, amount })? {
            Outcome::Balance(balance) => Ok(balance),
            // The engine returns no other outcome for this command.
            outcome => Err(OperatorError::Rejected(format!("{outcome:?}"))),
        }
    }

    pub(crate) fn inject(&self, rule: FaultRule) {
        if rule.is_socket() {
            self.state().feed.faults.add(rule);
        } else {
            self.faults().add(rule);
        }
    }

    /// Advances a stepped clock and returns the new time; `None` if the clock is running. A long time passes in
    /// slices, each of which is published, so that neither the lock nor the number of events grows with it.
    pub(crate) fn advance(&self, by: Duration) -> Option<u64> {
        let mut remaining = by;
        loop {
            let mut state = self.state();
            if !state.clock.is_stepped() {
                return None;
            }
            let slice = remaining.min(CLOCK_SLICE);
            let before_ms = state.clock.now_ms();
            state.clock.advance(slice);
            state.process_due();
            state.play();
            remaining -= slice;
            let now_ms = state.clock.now_ms();
            // At the end of its range the clock stands still.
            if remaining.is_zero() || now_ms == before_ms {
                return Some(now_ms);
            }
        }
    }

    /// Advances the market, and a stepped clock, by one step. Returns the number of its journal entry, or of a later
    /// one.
    pub(crate) fn step(&self) -> EntryNumber {
        let mut state = self.state();
        state.clock.advance(STEP);
        state.step();
        drop(state);
        // Many steps produce many journal entries, so a checkpoint may be due.
        self.checkpoint_if_due()
    }

    pub(crate) fn halt(&self, symbol: &str, halted: bool) -> Result<(), OperatorError> {
        self.command(OperatorCommand::HaltMarket { symbol: symbol.into(), halted }).map(drop)
    }

    pub(crate) fn operate(&self, operation: Operation) -> Result<(), OperatorError> {
        self.command(OperatorCommand::Operate(operation)).map(drop)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.state().snapshot(self.config.seed, &self.keys)
    }

    /// Starts a deposit to an account and returns its id.
    pub(crate) fn deposit(&self, account: u32, currency: &str, amount: Decimal) -> Option<u64> {
        let (account, currency) = (AccountId(account), currency.into());
        let command = OperatorCommand::Deposit { account, currency, amount };
        self.command(command).ok()?.number()
    }
}
