//! What the operator of an exchange does to accounts, contracts and currencies: the calls of the library and
//! what makes them happen again.

use serde::{Deserialize, Serialize};

use crate::{ControlError, Sandbox, input::Input, shared::Shared};

/// A decision of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Operation {
    Freeze { account: u32, frozen: bool },
    Delist { symbol: String, delisted: bool },
    OpenCurrency { currency: String, deposits: bool, withdrawals: bool },
    SaveAddress { account: u32, address: WithdrawAddress },
}

/// An address that an account has saved for its withdrawals. With currency and network it is a standard
/// address, with a network only a universal one, and with neither an EVM one.
///
/// ```
/// use bitmart_sandbox::WithdrawAddress;
///
/// let address = WithdrawAddress::new("T1").currency("USDT").network("TRC20").remark("cold wallet");
/// assert!(address.verified);
/// assert!(!WithdrawAddress::new("0x2").unverified().verified);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WithdrawAddress {
    /// The only currency that it takes, `USDT`.
    #[serde(default)]
    pub currency: Option<String>,
    /// The only network that it is on, `TRC20`.
    #[serde(default)]
    pub network: Option<String>,
    /// The address.
    pub address: String,
    /// Its tag, payment id or memo.
    #[serde(default)]
    pub memo: String,
    /// What its owner calls it.
    #[serde(default)]
    pub remark: String,
    /// Withdrawals by API go to verified addresses only (code 60015).
    #[serde(default = "verified")]
    pub verified: bool,
}

fn verified() -> bool {
    true
}

impl WithdrawAddress {
    /// A verified address of any currency and network.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            currency: None,
            network: None,
            address: address.into(),
            memo: String::new(),
            remark: String::new(),
            verified: true,
        }
    }

    /// Limits it to a currency.
    #[must_use]
    pub fn currency(mut self, currency: impl Into<String>) -> Self {
        self.currency = Some(currency.into());
        self
    }

    /// Limits it to a network.
    #[must_use]
    pub fn network(mut self, network: impl Into<String>) -> Self {
        self.network = Some(network.into());
        self
    }

    /// Gives it a tag.
    #[must_use]
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = memo.into();
        self
    }

    /// Gives it a name.
    #[must_use]
    pub fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = remark.into();
        self
    }

    /// Makes it one that is not verified.
    #[must_use]
    pub fn unverified(mut self) -> Self {
        self.verified = false;
        self
    }
}

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

    fn operated(&self, what: Operation) -> Result<(), ControlError> {
        let done = self.shared.operate(what);
        self.shared.flush();
        done
    }
}
