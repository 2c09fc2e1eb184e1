//! What a test or an operator does to a running exchange from outside: the calls behind
//! [`Sandbox`](crate::Sandbox) and the admin API.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::{
    Balance,
    exchange::{
        AccountId, Command, OperatorCommand, Outcome, Reject,
        control::{ControlError, WalletKind},
        setup::Funds,
    },
    fault::{FaultRule, Held},
    journal::Entry,
    keys::{ApiKey, Permission},
    shared::{Shared, TICK, wait},
    snapshot::Snapshot,
};

impl Shared {
    /// Applies a command of the operator.
    pub(crate) fn operate(&self, command: OperatorCommand) -> Result<Outcome, Reject> {
        self.state().apply(Command::Operator(command))
    }

    /// The same for commands that can only be rejected for what the operator named.
    pub(crate) fn control(&self, command: OperatorCommand) -> Result<Outcome, ControlError> {
        self.operate(command).map_err(|reject| match reject {
            Reject::Operator(error) => error,
            // The operator's commands are rejected with its own errors.
            _ => ControlError::Rejected,
        })
    }

    pub(crate) fn create_account(&self) -> u32 {
        self.open_account(&self.config.funds())
    }

    fn open_account(&self, funds: &Funds) -> u32 {
        let command = OperatorCommand::OpenNextAccount(funds.clone());
        match self.operate(command) {
            Ok(Outcome::Account(account)) => account.0,
            // Opening an account is never rejected.
            _ => 0,
        }
    }

    pub(crate) fn create_key(
        &self,
        account: u32,
        permissions: Vec<Permission>,
    ) -> Result<ApiKey, ControlError> {
        let entry = Entry::MakeKey { account, permissions: permissions.clone() };
        self.state().enter(entry, |exchange, now_ms| {
            wait(exchange, now_ms);
            let main = exchange.customer(AccountId(account))?;
            Ok(self.keys.make(account, main.map(|main| main.0), permissions))
        })
    }

    pub(crate) fn add_key(&self, key: ApiKey) -> Result<(), ControlError> {
        let entry = Entry::AddKey(key.clone().into());
        self.state().enter(entry, |exchange, now_ms| {
            wait(exchange, now_ms);
            let main = exchange.customer(AccountId(key.account))?;
            let key = ApiKey { main: main.map(|main| main.0), ..key };
            if self.keys.add(key) { Ok(()) } else { Err(ControlError::KeyExists) }
        })
    }

    pub(crate) fn set_balance(
        &self,
        account: u32,
        wallet: WalletKind,
        currency: &str,
        amount: Decimal,
    ) -> Result<Balance, ControlError> {
        let (account, currency) = (AccountId(account), currency.into());
        let command = OperatorCommand::SetBalance { account, wallet, currency, amount };
        match self.control(command)? {
            Outcome::Balance(balance) => Ok(balance),
            _ => Err(ControlError::Rejected),
        }
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
        self.held.send_modify(Held::release);
    }

    pub(crate) fn kill_sockets(&self) {
        self.control.send_modify(|control| control.kills += 1);
    }

    /// Moves the clock and says what time it is; the clock of the machine goes its own way.
    pub(crate) fn advance(&self, by: Duration) -> u64 {
        let mut state = self.state();
        state.clock.advance(by);
        state.settle();
        state.play();
        state.clock.now_ms()
    }

    /// One beat of the market, and of a stepped clock.
    pub(crate) fn step(&self) {
        let mut state = self.state();
        state.clock.advance(TICK);
        state.tick();
        drop(state);
        // Many steps are many inputs.
        self.latest();
    }

    pub(crate) fn hold_market(&self, held: bool) {
        self.state().hold(held);
    }

    pub(crate) fn halt(&self, symbol: &str, halted: bool) -> Result<(), ControlError> {
        self.control(OperatorCommand::HaltMarket { symbol: symbol.into(), halted }).map(drop)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        // Keys change under the lock of the state only, so that both belong together.
        let state = self.state();
        state.snapshot(self.config.seed, self.keys.made())
    }

    /// Announces money from outside for an account.
    pub(crate) fn deposit(&self, account: u32, currency: &str, amount: Decimal) -> Option<u64> {
        let (account, currency) = (AccountId(account), currency.into());
        self.operate(OperatorCommand::Deposit { account, currency, amount }).ok()?.number()
    }

    /// Lets an entry of the journal happen again. Whoever caused it was answered when it happened first.
    pub(crate) fn replay(&self, entry: Entry) {
        match entry {
            Entry::Command(command) => {
                let _ = self.state().apply(command);
            }
            Entry::Step => self.state().tick(),
            Entry::Hold(held) => self.hold_market(held),
            Entry::MakeKey { account, permissions } => {
                let _ = self.create_key(account, permissions);
            }
            Entry::AddKey(key) => {
                let _ = self.add_key(key.into());
            }
        }
    }
}
