//! Methods of [`Sandbox`] that are shortcuts for operator calls.

use std::time::Duration;

use rust_decimal::Decimal;

use super::{
    AdvanceClock, ClearFaults, CreateAccount, CreateKey, DelistContract, FreezeAccount, HaltMarket,
    KillSockets, MAX_STEPS, MakeDeposit, Operator, OperatorError, PauseMarketMakers, SaveAddress,
    SetBalance, SetCurrencyOpen, SetNetwork, StepMarket, market::MAX_ADVANCE_MS,
};
use crate::{
    ApiKey, Balance, Book, FaultRule, Fill, NetworkTerms, OpenPayments, Order, Permission, Sandbox,
    Snapshot, WalletKind, WithdrawAddress,
};

impl Sandbox {
    /// Returns the operator of the exchange, for all calls of the admin API with types. The methods of this handle are
    /// shortcuts for the same calls.
    pub fn operator(&self) -> Operator<'_> {
        Operator::new(&self.shared)
    }

    /// Returns the trades of customer accounts: spot, then futures, each oldest first.
    pub fn fills(&self) -> Vec<Fill> {
        self.shared.state().exchange.fill_rows()
    }

    /// Returns the orders of customer accounts, open and finished: spot, then futures.
    pub fn orders(&self) -> Vec<Order> {
        self.shared.state().exchange.order_rows()
    }

    /// Returns the order book of a pair or contract; `None` for an unknown symbol.
    pub fn book(&self, symbol: &str) -> Option<Book> {
        self.shared.state().exchange.book_rows(symbol)
    }

    /// Returns the balances of customer accounts.
    pub fn balances(&self) -> Vec<Balance> {
        self.shared.state().exchange.balance_rows()
    }

    /// Creates an account with the configured initial balances and returns its number.
    ///
    /// # Errors
    /// [`OperatorError::NotStored`] if the data folder cannot be written to. The account may exist, and a restart loses
    /// it.
    pub fn create_account(&self) -> Result<u32, OperatorError> {
        self.operator().call(CreateAccount {}).map(|created| created.account)
    }

    /// Creates a key for an account. Keys are derived from the seed, so they are the same in every run.
    ///
    /// # Errors
    /// If the account does not exist. [`OperatorError::NotStored`] if the data folder cannot be written to: the key may
    /// be valid until a restart.
    pub fn create_key(
        &self,
        account: u32,
        permissions: impl Into<Vec<Permission>>,
    ) -> Result<ApiKey, OperatorError> {
        let permissions = Some(permissions.into());
        let call = CreateKey { account, permissions, key: None, secret: None, memo: None };
        self.operator().call(call).map(|created| created.key)
    }

    /// Adds a given key. A [`Snapshot`] does not contain it.
    ///
    /// # Errors
    /// If its account does not exist, or a key with its name exists. [`OperatorError::NotStored`] if the data folder
    /// cannot be written to: the key is valid until a restart.
    pub fn add_key(&self, key: ApiKey) -> Result<(), OperatorError> {
        self.shared.add_key(key)?;
        if self.shared.flush() { Ok(()) } else { Err(OperatorError::NotStored) }
    }

    /// Sets the available balance of a wallet; the frozen amount does not change. Subscribers to balances
    /// receive the change, and the history of the account has a row with the difference: in the deposits or
    /// withdrawals for spot and funding, in the transactions for futures.
    ///
    /// # Errors
    /// If the account does not exist, no market of this wallet uses the currency, or the amount is not from 0
    /// to 1e15 with at most 8 decimals.
    pub fn set_balance(
        &self,
        account: u32,
        wallet: WalletKind,
        currency: &str,
        amount: Decimal,
    ) -> Result<(), OperatorError> {
        let currency = currency.to_owned();
        self.operator().call(SetBalance { account, wallet, currency, amount }).map(drop)
    }

    /// Returns the complete state, for [`Config::restore`](crate::Config::restore).
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }

    /// Injects a fault.
    pub fn inject(&self, rule: FaultRule) {
        self.shared.inject(rule);
    }

    /// Clears all faults. Sockets that have become silent stay silent.
    pub fn clear_faults(&self) {
        // The call is never rejected.
        drop(self.operator().call(ClearFaults {}));
    }

    /// Closes every WebSocket connection without a close frame.
    pub fn kill_sockets(&self) {
        // The call is never rejected.
        drop(self.operator().call(KillSockets {}));
    }

    /// Simulates a deposit, which passes through its states by the clock and is credited after 30 s: to the spot
    /// wallet, unless the account has chosen another one. Returns its `deposit_id`; `None` for an unknown account or
    /// currency, closed deposits, an amount that is not above 0, or a data folder that cannot be written to.
    pub fn deposit(&self, account: u32, currency: &str, amount: Decimal) -> Option<String> {
        let call = MakeDeposit { account, currency: currency.to_owned(), amount };
        self.operator().call(call).ok().map(|deposit| deposit.deposit_id)
    }

    /// Advances a stepped clock, and everything that is due happens. Other clocks are not affected. Stops early if the
    /// data folder cannot be written to, which [`AdvanceClock`] reports.
    pub fn advance(&self, by: Duration) {
        let mut remaining = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        let mut last = None;
        loop {
            let ms = remaining.min(MAX_ADVANCE_MS);
            // Rejected by a running clock, and if it cannot be stored.
            let Ok(time) = self.operator().call(AdvanceClock { ms }) else { return };
            remaining -= ms;
            // The clock stands still at the end of its range.
            if remaining == 0 || last.replace(time.now_ms) == Some(time.now_ms) {
                return;
            }
        }
    }

    /// Advances the market by `steps` steps of 100 ms, together with a stepped clock. Books, tickers and candles are
    /// pushed on these steps. Stops early if the data folder cannot be written to, which [`StepMarket`] reports.
    pub fn step_market(&self, steps: u32) {
        let mut remaining = steps;
        while remaining > 0 {
            let steps = remaining.min(MAX_STEPS);
            if self.operator().call(StepMarket { steps }).is_err() {
                return;
            }
            remaining -= steps;
        }
    }

    /// Pauses or resumes the market makers. Orders are still matched, and channels still pushed. No effect if the data
    /// folder cannot be written to, which [`PauseMarketMakers`] reports.
    pub fn pause_market_makers(&self, paused: bool) {
        // Rejected only if it cannot be stored.
        drop(self.operator().call(PauseMarketMakers { paused }));
    }

    /// Halts or resumes a pair or contract. While it is halted, new and modified orders of customers are
    /// rejected. Existing orders can be filled and canceled; trigger orders keep waiting.
    ///
    /// # Errors
    /// If the symbol is unknown.
    pub fn halt(&self, symbol: &str, halted: bool) -> Result<(), OperatorError> {
        let symbol = symbol.to_owned();
        self.operator().call(HaltMarket { symbol, halted }).map(drop)
    }

    /// Freezes or unfreezes an account. Requests of a frozen account that have an effect are rejected with 53000
    /// on spot and 60063 elsewhere, or with 60029 for a sub-account, as if its main account had frozen it.
    ///
    /// # Errors
    /// If the account does not exist.
    pub fn freeze_account(&self, account: u32, frozen: bool) -> Result<(), OperatorError> {
        self.operator().call(FreezeAccount { account, frozen }).map(drop)
    }

    /// Delists a contract, or lists it again. New orders of a delisted contract are rejected with 40014. Existing
    /// orders and positions remain.
    ///
    /// # Errors
    /// If the contract does not exist.
    pub fn delist(&self, symbol: &str, delisted: bool) -> Result<(), OperatorError> {
        let symbol = symbol.to_owned();
        self.operator().call(DelistContract { symbol, delisted }).map(drop)
    }

    /// Opens or closes deposits (code 60003) and withdrawals (60004) of a currency, or of a
    /// network such as `USDT-TRC20` (60003, 60056).
    ///
    /// # Errors
    /// If no market uses the currency.
    pub fn set_currency_open(
        &self,
        currency: &str,
        open: OpenPayments,
    ) -> Result<(), OperatorError> {
        let OpenPayments { deposits, withdrawals } = open;
        let currency = currency.to_owned();
        self.operator().call(SetCurrencyOpen { currency, deposits, withdrawals }).map(drop)
    }

    /// Saves a withdrawal address of an account. An account with saved addresses can only withdraw to saved (60007)
    /// and verified (60015) addresses; one without can withdraw to any address.
    ///
    /// # Errors
    /// If the account does not exist, the address is empty or longer than 256 bytes, or 200 are saved.
    pub fn save_address(
        &self,
        account: u32,
        address: WithdrawAddress,
    ) -> Result<(), OperatorError> {
        self.operator().call(SaveAddress { account, address }).map(drop)
    }

    /// Sets fee, minimum, decimals and memo of withdrawals of a currency, or of a
    /// network such as `USDT-TRC20`.
    ///
    /// # Errors
    /// If no market uses the currency, or an amount is below 0, over 1e15 or has over 8 decimals.
    pub fn set_network(&self, currency: &str, terms: NetworkTerms) -> Result<(), OperatorError> {
        let currency = currency.to_owned();
        self.operator().call(SetNetwork { currency, terms }).map(drop)
    }
}
