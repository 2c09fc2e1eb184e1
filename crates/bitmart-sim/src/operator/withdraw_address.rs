//! Saved withdrawal addresses.

use serde::{Deserialize, Serialize};

use super::currency_of;

// Rule: Each part of an address has at most 256 bytes. Source: invented (no source states a bound)
/// Largest number of bytes of each part of an address.
const MAX_PART_BYTES: usize = 256;

/// A saved withdrawal address of an account. With currency and network it is a standard address, with only a network a
/// universal address, and with neither an EVM address.
///
/// ```
/// use bitmart_sim::operator::WithdrawAddress;
///
/// let address = WithdrawAddress::new("T1").currency("USDT").network("TRC20").remark("cold wallet");
/// assert!(address.verified);
/// assert!(!WithdrawAddress::new("0x2").unverified().verified);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WithdrawAddress {
    /// The currency it is limited to, such as `USDT`.
    #[serde(default)]
    pub currency: Option<String>,
    /// The network it is limited to, such as `TRC20`.
    #[serde(default)]
    pub network: Option<String>,
    /// The address.
    pub address: String,
    /// The memo, tag or payment id.
    #[serde(default)]
    pub memo: String,
    /// The label of the owner, called `remark` by BitMart.
    #[serde(default)]
    pub remark: String,
    /// Whether it is verified. Withdrawals by API need a verified address (code 60015).
    #[serde(default = "verified")]
    pub verified: bool,
}

fn verified() -> bool {
    true
}

impl WithdrawAddress {
    /// Creates a verified address for any currency and network.
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

    /// Sets the memo.
    #[must_use]
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = memo.into();
        self
    }

    /// Sets the label.
    #[must_use]
    pub fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = remark.into();
        self
    }

    /// Makes it unverified.
    #[must_use]
    pub fn unverified(mut self) -> Self {
        self.verified = false;
        self
    }
}

impl WithdrawAddress {
    pub(super) fn is_valid(&self) -> bool {
        let optional = self.currency.iter().chain(&self.network);
        let parts = optional.chain([&self.address, &self.memo, &self.remark]);
        !self.address.trim().is_empty()
            && parts.into_iter().all(|part| part.len() <= MAX_PART_BYTES)
    }

    /// Whether it matches the code and address of a withdrawal. A code without network matches every network.
    pub(super) fn fits(&self, code: &str, address: &str) -> bool {
        let network = code.split_once('-').map(|(_, network)| network);
        let differs = |own: &Option<String>, requested: Option<&str>| {
            own.as_deref().zip(requested).is_some_and(|(own, requested)| own != requested)
        };
        self.address == address
            && !differs(&self.currency, Some(currency_of(code)))
            && !differs(&self.network, network)
    }
}
