//! Commands of the operator on the state: each runs on the exchange, is recorded, and can be repeated.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::{
    Balance,
    exchange::{
        AccountId, Exchange,
        control::{ControlError, WalletKind},
        operator::Operation,
        setup::Funds,
    },
    fault::FaultRule,
    http,
    input::Input,
    keys::{ApiKey, Permission},
    operator::OperatorError,
    shared::{Shared, TICK},
    snapshot::Snapshot,
};

impl Shared {
    pub(crate) fn create_account(&self) -> u32 {
        self.open_account(&self.config.funds())
    }

    fn open_account(&self, funds: &Funds) -> u32 {
        let input = Input::OpenAccount(funds.clone());
        self.state().run(Some(input), |exchange, _| exchange.open_next_account(funds)).0
    }

    pub(crate) fn create_key(
        &self,
        account: u32,
        permissions: Vec<Permission>,
    ) -> Result<ApiKey, OperatorError> {
        let input = Input::MakeKey { account, permissions: permissions.clone() };
        self.state().run(Some(input), |exchange, _| {
            let main = exchange.customer(AccountId(account))?;
            Ok(self.keys.make(account, main.map(|main| main.0), permissions))
        })
    }

    pub(crate) fn add_key(&self, key: ApiKey) -> Result<(), OperatorError> {
        let input = Input::AddKey(key.clone().into());
        self.state().run(Some(input), |exchange, _| {
            let main = exchange.customer(AccountId(key.account))?;
            let key = ApiKey { main: main.map(|main| main.0), ..key };
            if self.keys.add(key) { Ok(()) } else { Err(OperatorError::KeyExists) }
        })
    }

    pub(crate) fn set_balance(
        &self,
        account: u32,
        wallet: WalletKind,
        currency: &str,
        amount: Decimal,
    ) -> Result<Balance, ControlError> {
        let currency = currency.to_owned();
        let input = Input::SetBalance { account, wallet, currency: currency.clone(), amount };
        self.state().run(Some(input), |exchange, now_ms| {
            exchange.set_available(AccountId(account), wallet, &currency.into(), amount, now_ms)
        })
    }

    pub(crate) fn inject(&self, rule: FaultRule) {
        if rule.is_socket() {
            self.state().feed.faults.add(rule);
        } else {
            self.faults().add(rule);
        }
    }

    /// Moves a stopped clock and returns the time; none if the clock runs.
    pub(crate) fn advance(&self, by: Duration) -> Option<u64> {
        let mut state = self.state();
        if !state.clock.is_stepped() {
            return None;
        }
        state.clock.advance(by);
        state.settle();
        state.play();
        Some(state.clock.now_ms())
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

    pub(crate) fn halt(&self, symbol: &str, halted: bool) -> Result<(), ControlError> {
        let input = Input::Halt { symbol: symbol.to_owned(), halted };
        self.state().run(Some(input), |exchange, _| exchange.halt(symbol, halted))
    }

    pub(crate) fn operate(&self, operation: Operation) -> Result<(), ControlError> {
        let input = Input::Operate(operation.clone());
        self.state().run(Some(input), |exchange, now_ms| exchange.operate(operation, now_ms))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        // Keys change under the lock of the state only, so that both belong together.
        let state = self.state();
        state.snapshot(self.config.seed, self.keys.made())
    }

    /// Announces money from outside for an account.
    pub(crate) fn deposit(&self, account: u32, currency: &str, amount: Decimal) -> Option<u64> {
        let input = Input::Deposit { account, currency: currency.to_owned(), amount };
        let deposit = |exchange: &mut Exchange, now_ms| {
            exchange.deposit(AccountId(account), currency, amount, now_ms)
        };
        self.state().run(Some(input), deposit).ok()
    }

    /// Repeats an input. Its result was returned when it happened first.
    pub(crate) fn repeat(&self, input: Input) {
        match input {
            Input::Beat => self.state().tick(),
            Input::Time => self.state().settle(),
            Input::Hold(held) => self.state().hold(held),
            Input::Halt { symbol, halted } => {
                let _ = self.halt(&symbol, halted);
            }
            Input::Request(request) => http::repeat(self, request),
            Input::OpenAccount(funds) => {
                let _ = self.open_account(&funds);
            }
            Input::SetBalance { account, wallet, currency, amount } => {
                let _ = self.set_balance(account, wallet, &currency, amount);
            }
            Input::Deposit { account, currency, amount } => {
                let _ = self.deposit(account, &currency, amount);
            }
            Input::MakeKey { account, permissions } => {
                let _ = self.create_key(account, permissions);
            }
            Input::AddKey(key) => {
                let _ = self.add_key(key.into());
            }
            Input::Operate(operation) => {
                let _ = self.operate(operation);
            }
        }
    }
}
