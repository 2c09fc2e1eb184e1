//! What a test or an operator does to a running exchange from outside: the calls behind
//! [`Sandbox`](crate::Sandbox) and the admin API.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::{
    Balance,
    exchange::{
        AccountId, Exchange,
        control::{ControlError, WalletKind},
        setup::Funds,
    },
    fault::{FaultRule, Held},
    http,
    input::Input,
    keys::{ApiKey, Permission},
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
    ) -> Result<ApiKey, ControlError> {
        let input = Input::MakeKey { account, permissions: permissions.clone() };
        self.state().run(Some(input), |exchange, _| {
            let main = exchange.customer(AccountId(account))?;
            Ok(self.keys.make(account, main.map(|main| main.0), permissions))
        })
    }

    pub(crate) fn add_key(&self, key: ApiKey) -> Result<(), ControlError> {
        let input = Input::AddKey(key.clone().into());
        self.state().run(Some(input), |exchange, _| {
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
        let input = Input::Halt { symbol: symbol.to_owned(), halted };
        self.state().run(Some(input), |exchange, _| exchange.halt(symbol, halted))
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

    /// Lets an input happen again. What it answers was told when it happened first.
    pub(crate) fn repeat(&self, input: Input) {
        match input {
            Input::Beat => self.state().tick(),
            Input::Time => self.state().settle(),
            Input::Hold(held) => self.hold_market(held),
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
            Input::Operate(what) => {
                let _ = self.operate(what);
            }
        }
    }
}
