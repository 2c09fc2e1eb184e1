//! What the operator of an exchange does to accounts, contracts and currencies: the calls of the library.

use crate::{
    ControlError, Sandbox,
    exchange::{
        OperatorCommand,
        operator::{NetworkTerms, Operation, WithdrawAddress},
    },
    shared::Shared,
};

impl Shared {
    /// Takes a decision of the operator.
    pub(crate) fn decide(&self, what: Operation) -> Result<(), ControlError> {
        self.control(OperatorCommand::Decide(what)).map(drop)
    }
}

impl Sandbox {
    /// Freezes or unfreezes an account. Requests of a frozen account that have an effect are rejected with 53000
    /// on spot and 60063 elsewhere, or with 60029 for a sub-account, as if its main account had frozen it.
    ///
    /// # Errors
    /// If the account does not exist.
    pub fn freeze_account(&self, account: u32, frozen: bool) -> Result<(), ControlError> {
        self.operated(Operation::Freeze { account, frozen })
    }

    /// Delists a contract, or lists it again. New orders of a delisted contract are rejected with 40014. Existing
    /// orders and positions remain.
    ///
    /// # Errors
    /// If the contract does not exist.
    pub fn delist(&self, symbol: &str, delisted: bool) -> Result<(), ControlError> {
        self.operated(Operation::Delist { symbol: symbol.to_owned(), delisted })
    }

    /// Opens or closes deposits (code 60003) and withdrawals (60004) of a currency, or of a
    /// network such as `USDT-TRC20` (60003, 60056).
    ///
    /// # Errors
    /// If no market uses the currency.
    pub fn open_currency(
        &self,
        currency: &str,
        deposits: bool,
        withdrawals: bool,
    ) -> Result<(), ControlError> {
        let currency = currency.to_owned();
        self.operated(Operation::OpenCurrency { currency, deposits, withdrawals })
    }

    /// Saves a withdrawal address of an account. An account with saved addresses can only withdraw to saved (60007)
    /// and verified (60015) addresses; one without can withdraw to any address.
    ///
    /// # Errors
    /// If the account does not exist, the address is empty or longer than 256 bytes, or 200 are saved.
    pub fn save_address(&self, account: u32, address: WithdrawAddress) -> Result<(), ControlError> {
        self.operated(Operation::SaveAddress { account, address })
    }

    /// Sets fee, minimum, decimals and memo of withdrawals of a currency, or of a
    /// network such as `USDT-TRC20`.
    ///
    /// # Errors
    /// If no market uses the currency, or an amount is below 0, over 1e15 or has over 8 decimals.
    pub fn set_network(&self, currency: &str, terms: NetworkTerms) -> Result<(), ControlError> {
        self.operated(Operation::SetNetwork { currency: currency.to_owned(), terms })
    }

    fn operated(&self, what: Operation) -> Result<(), ControlError> {
        let done = self.shared.decide(what);
        self.shared.flush();
        done
    }
}
