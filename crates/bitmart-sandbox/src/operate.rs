//! What the operator of an exchange does to accounts, contracts and currencies: the calls of the library.

use crate::{
    ControlError, Sandbox,
    exchange::operator::{NetworkTerms, Operation, WithdrawAddress},
    input::Input,
    shared::Shared,
};

impl Shared {
    pub(crate) fn operate(&self, what: Operation) -> Result<(), ControlError> {
        let input = Input::Operate(what.clone());
        self.state().run(Some(input), |exchange, now_ms| exchange.operate(what, now_ms))
    }
}

impl Sandbox {
    /// Freezes an account, or lets it go on: whatever would change something for it is refused, with 53000
    /// on spot and 60063 elsewhere, or 60029 for a sub-account, as if its main account had frozen it.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn freeze_account(&self, account: u32, frozen: bool) -> Result<(), ControlError> {
        self.operated(Operation::Freeze { account, frozen })
    }

    /// Takes a contract offline, or lists it again: new orders are refused with 40014. Orders and positions
    /// that are there stay.
    ///
    /// # Errors
    /// When there is no contract of this name.
    pub fn delist(&self, symbol: &str, delisted: bool) -> Result<(), ControlError> {
        self.operated(Operation::Delist { symbol: symbol.to_owned(), delisted })
    }

    /// Opens or closes deposits (code 60003) and withdrawals (60004) of a currency, or, with a network as in
    /// `USDT-TRC20`, of that network (60003, 60056).
    ///
    /// # Errors
    /// When no market uses the currency.
    pub fn open_currency(
        &self,
        currency: &str,
        deposits: bool,
        withdrawals: bool,
    ) -> Result<(), ControlError> {
        let currency = currency.to_owned();
        self.operated(Operation::OpenCurrency { currency, deposits, withdrawals })
    }

    /// Saves an address for the withdrawals of an account, which then go to none but saved (60007) and
    /// verified (60015) addresses. An account that has saved none can withdraw to any.
    ///
    /// # Errors
    /// When there is no such account, the address is empty or over 256 bytes long, or 200 are saved.
    pub fn save_address(&self, account: u32, address: WithdrawAddress) -> Result<(), ControlError> {
        self.operated(Operation::SaveAddress { account, address })
    }

    /// Sets fee, minimum, decimals and memo of withdrawals of a currency, or, with a network as in
    /// `USDT-TRC20`, of that network.
    ///
    /// # Errors
    /// When no market uses the currency, or an amount is below 0, over 1e15 or has over 8 decimals.
    pub fn set_network(&self, currency: &str, terms: NetworkTerms) -> Result<(), ControlError> {
        self.operated(Operation::SetNetwork { currency: currency.to_owned(), terms })
    }

    fn operated(&self, what: Operation) -> Result<(), ControlError> {
        let done = self.shared.operate(what);
        self.shared.flush();
        done
    }
}
