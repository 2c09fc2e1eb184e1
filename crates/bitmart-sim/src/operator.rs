//! What the operator of the exchange decides: whose account is frozen, which contract is delisted, what can
//! be deposited and withdrawn, and to which addresses.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, DECIMALS, Exchange,
    control::{ControlError, MOST},
    funding::WITHDRAW_FEE,
    reject::Reject,
};

// Rule: An account saves up to 200 addresses. Source: invented (no source states a bound)
/// Addresses that one account can save.
const ADDRESSES: usize = 200;
// Rule: Each part of an address has at most 256 bytes. Source: invented (no source states a bound)
/// Most bytes of each part of an address.
const LONGEST: usize = 256;

/// A decision of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Freeze an account, which can then change nothing, or release it.
    Freeze {
        /// Number of the account.
        account: u32,
        /// Whether it is frozen from now on.
        frozen: bool,
    },
    /// Take a contract off the list, or put it back. A delisted one takes no orders (code 40014).
    Delist {
        /// The contract, such as `BTCUSDT`.
        symbol: String,
        /// Whether it is delisted from now on.
        delisted: bool,
    },
    /// Open or close deposits and withdrawals of a currency.
    OpenCurrency {
        /// With a network, as `USDT-TRC20`, only those by that network.
        currency: String,
        /// Whether deposits are accepted from now on.
        deposits: bool,
        /// Whether withdrawals are accepted from now on.
        withdrawals: bool,
    },
    /// Add a withdrawal address to those that an account has saved, 200 at most.
    SaveAddress {
        /// Number of the account.
        account: u32,
        /// The address; no part of it may be longer than 256 bytes.
        address: WithdrawAddress,
    },
    /// Replace the terms of withdrawals of a currency.
    SetNetwork {
        /// With a network, as `USDT-TRC20`, only those by that network.
        currency: String,
        /// The new terms.
        terms: NetworkTerms,
    },
}

/// What a withdrawal of a currency by one of its networks costs, and what it needs.
///
/// ```
/// use bitmart_sim::{Decimal, operator::NetworkTerms};
///
/// let terms = NetworkTerms::new().fee(Decimal::ONE).minimum(Decimal::TEN).needs_memo();
/// assert_ne!(terms, NetworkTerms::new());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct NetworkTerms {
    /// Flat fee, in the currency.
    pub fee: Decimal,
    /// Smallest withdrawal, in the currency. Without one it is just more than the fee.
    pub minimum: Option<Decimal>,
    /// Most decimals of an amount (code 60006), 8 at most.
    pub decimals: u32,
    /// An amount must be a multiple of this (code 60013).
    pub multiple_of: Option<u32>,
    /// Addresses need a tag, payment id or memo: those of deposits have one, and a withdrawal without one is
    /// refused (code 60014).
    pub memo: bool,
}

impl Default for NetworkTerms {
    fn default() -> Self {
        Self {
            fee: WITHDRAW_FEE,
            minimum: None,
            decimals: DECIMALS,
            multiple_of: None,
            memo: false,
        }
    }
}

impl NetworkTerms {
    /// A fee of 0.0001, 8 decimals, and no memo.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the fee, in the currency.
    #[must_use]
    pub fn fee(mut self, fee: Decimal) -> Self {
        self.fee = fee;
        self
    }

    /// Sets the smallest withdrawal, in the currency.
    #[must_use]
    pub fn minimum(mut self, minimum: Decimal) -> Self {
        self.minimum = Some(minimum);
        self
    }

    /// Sets the most decimals of an amount, up to 8.
    #[must_use]
    pub fn decimals(mut self, decimals: u32) -> Self {
        self.decimals = decimals;
        self
    }

    /// Makes amounts multiples of this.
    #[must_use]
    pub fn multiple_of(mut self, step: u32) -> Self {
        self.multiple_of = Some(step);
        self
    }

    /// Makes addresses need a tag.
    #[must_use]
    pub fn needs_memo(mut self) -> Self {
        self.memo = true;
        self
    }

    // Rule: A withdrawal is more than its fee. Source: simplified (the documents state one minimum for each
    // currency)
    /// The smallest withdrawal: always more than the fee.
    pub fn least(&self) -> Decimal {
        let above_fee = self.fee + Decimal::new(1, DECIMALS);
        self.minimum.map_or(above_fee, |minimum| minimum.max(above_fee))
    }

    fn is_sound(&self) -> bool {
        let sound = |amount: Decimal| (Decimal::ZERO..=MOST).contains(&amount);
        sound(self.fee)
            && self.minimum.is_none_or(sound)
            && self.decimals <= DECIMALS
            && self.multiple_of != Some(0)
    }

    /// Whether a withdrawal fits the terms: precision, step, smallest amount and memo, in this order.
    ///
    /// # Errors
    /// The first of them that it does not fit.
    pub fn check(&self, amount: Decimal, memo: &str) -> Result<(), Reject> {
        // Rule: A withdrawal fits the precision, the step, the smallest amount and the memo of its network,
        // checked in this order (60006, 60013, 60005, 60014). Source: documented (endpoint account_withdraw_quota,
        // the table of error codes); simplified (the order)
        if amount.scale() > self.decimals {
            return Err(Reject::WithdrawalPrecision { decimals: self.decimals });
        }
        let fits = |step: &u32| (amount % Decimal::from(*step)).is_zero();
        if let Some(multiple_of) = self.multiple_of.filter(|step| !fits(step)) {
            return Err(Reject::WithdrawalStep { multiple_of });
        }
        if amount < self.least() {
            return Err(Reject::WithdrawalTooSmall { minimum: self.least() });
        }
        if self.memo && memo.is_empty() { Err(Reject::MemoMissing) } else { Ok(()) }
    }
}

/// An address that an account has saved for its withdrawals. With currency and network it is a standard
/// address, with a network only a universal one, and with neither an EVM one.
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

/// The decisions that stand.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Decisions {
    frozen: BTreeSet<AccountId>,
    /// Contracts, and since when.
    delisted: BTreeMap<SmolStr, u64>,
    /// Currencies, and those with a network, as `USDT-TRC20`.
    no_deposits: BTreeSet<SmolStr>,
    no_withdrawals: BTreeSet<SmolStr>,
    addresses: BTreeMap<AccountId, Vec<WithdrawAddress>>,
    /// Of currencies, and those with a network, as `USDT-TRC20`.
    #[serde(default)]
    networks: BTreeMap<SmolStr, NetworkTerms>,
}

impl Decisions {
    /// Whether the account may change nothing.
    pub fn is_frozen(&self, account: AccountId) -> bool {
        self.frozen.contains(&account)
    }

    /// When a contract was delisted, in milliseconds.
    pub fn delisted_ms(&self, symbol: &str) -> Option<u64> {
        self.delisted.get(symbol).copied()
    }

    /// Whether deposits and withdrawals of a currency are open, by way of a network when the code names
    /// one.
    pub fn is_open(&self, code: &str) -> (bool, bool) {
        let open =
            |closed: &BTreeSet<SmolStr>| !closed.contains(code) && !closed.contains(plain(code));
        (open(&self.no_deposits), open(&self.no_withdrawals))
    }

    // Rule: Deposits and withdrawals are open for a currency and for each of its networks (60003, 60004, 60056).
    // Source: documented (endpoint account_currencies, the table of error codes); simplified (which of the two
    // codes of withdrawals is for what)
    /// Refuses a deposit when those of the currency, or of its network, are closed (60003).
    ///
    /// # Errors
    /// [`Reject::DepositsClosed`].
    pub fn check_deposit(&self, code: &str) -> Result<(), Reject> {
        if self.is_open(code).0 { Ok(()) } else { Err(Reject::DepositsClosed) }
    }

    /// Refuses a withdrawal when those of the currency, or of its network, are closed. No source tells the two codes
    /// apart.
    ///
    /// # Errors
    /// [`Reject::WithdrawalsClosed`] (60004) when all of the currency are closed, [`Reject::NetworkClosed`] (60056)
    /// when only those by this network are.
    pub fn check_withdrawal(&self, code: &str) -> Result<(), Reject> {
        if self.no_withdrawals.contains(plain(code)) {
            return Err(Reject::WithdrawalsClosed);
        }
        if self.no_withdrawals.contains(code) { Err(Reject::NetworkClosed) } else { Ok(()) }
    }

    /// The terms of a currency, by way of a network when the code names one.
    pub fn terms(&self, code: &str) -> NetworkTerms {
        self.networks
            .get(code)
            .or_else(|| self.networks.get(plain(code)))
            .cloned()
            .unwrap_or_default()
    }

    /// Returns the withdrawal addresses of an account, oldest first.
    pub fn addresses(&self, account: AccountId) -> &[WithdrawAddress] {
        self.addresses.get(&account).map_or(&[], Vec::as_slice)
    }

    // Rule: An account that has saved addresses withdraws to these only, and to verified ones (60007, 60015);
    // one that has none, to any. Source: documented (endpoint account_withdraw); simplified (accounts without
    // any)
    /// An account that has saved addresses can withdraw to these only (60007), and only to verified ones
    /// (60015), as documented for endpoint withdraw, one that has none, to any.
    ///
    /// # Errors
    /// [`Reject::AddressNotSaved`] or [`Reject::AddressNotVerified`].
    pub fn check_address(
        &self,
        account: AccountId,
        code: &str,
        address: &str,
    ) -> Result<(), Reject> {
        let saved = self.addresses(account);
        if saved.is_empty() {
            return Ok(());
        }
        let mut fitting = saved.iter().filter(|one| one.fits(code, address)).peekable();
        if fitting.peek().is_none() {
            return Err(Reject::AddressNotSaved);
        }
        if fitting.any(|one| one.verified) { Ok(()) } else { Err(Reject::AddressNotVerified) }
    }
}

/// The currency of a code that may name a network.
fn plain(code: &str) -> &str {
    code.split_once('-').map_or(code, |(currency, _)| currency)
}

impl Exchange {
    pub(crate) fn operate(&mut self, what: Operation, now_ms: u64) -> Result<(), ControlError> {
        match what {
            Operation::Freeze { account, frozen } => {
                let account = AccountId(account);
                self.customer(account)?;
                keep(&mut self.decisions.frozen, account, frozen);
            }
            Operation::Delist { symbol, delisted } => {
                if !self.futures.contains_key(symbol.as_str()) {
                    return Err(ControlError::UnknownMarket(symbol));
                }
                if delisted {
                    self.decisions.delisted.entry(symbol.into()).or_insert(now_ms);
                } else {
                    self.decisions.delisted.remove(symbol.as_str());
                }
            }
            Operation::OpenCurrency { currency, deposits, withdrawals } => {
                if self.plain_currency(&currency).is_none() {
                    return Err(ControlError::UnknownCurrency(currency));
                }
                keep(&mut self.decisions.no_deposits, SmolStr::from(&currency), !deposits);
                keep(&mut self.decisions.no_withdrawals, currency.into(), !withdrawals);
            }
            Operation::SetNetwork { currency, terms } => {
                if self.plain_currency(&currency).is_none() {
                    return Err(ControlError::UnknownCurrency(currency));
                }
                if !terms.is_sound() {
                    return Err(ControlError::InvalidAmount(terms.fee));
                }
                self.decisions.networks.insert(currency.into(), terms);
            }
            Operation::SaveAddress { account, address } => {
                let account = AccountId(account);
                self.customer(account)?;
                let saved = self.decisions.addresses(account).len();
                if !address.is_sound() || saved >= ADDRESSES {
                    return Err(ControlError::InvalidAddress);
                }
                self.decisions.addresses.entry(account).or_default().push(address);
            }
        }
        Ok(())
    }

    // Rule: A delisted contract and a halted one take no orders (40014, 40015). Source: documented (the table
    // of error codes)
    /// Refuses an order for a contract that is delisted (40014) or halted (40015).
    ///
    /// # Errors
    /// [`Reject::ContractDelisted`] or [`Reject::MarketHalted`].
    pub fn check_contract(&self, symbol: &str) -> Result<(), Reject> {
        if self.decisions.delisted_ms(symbol).is_some() {
            return Err(Reject::ContractDelisted);
        }
        self.check_trading(symbol)
    }
}

fn keep<T: Ord>(set: &mut BTreeSet<T>, value: T, there: bool) {
    if there {
        set.insert(value);
    } else {
        set.remove(&value);
    }
}

impl WithdrawAddress {
    fn is_sound(&self) -> bool {
        let optional = self.currency.iter().chain(&self.network);
        let parts = optional.chain([&self.address, &self.memo, &self.remark]);
        !self.address.trim().is_empty() && parts.into_iter().all(|part| part.len() <= LONGEST)
    }

    /// Whether a withdrawal of this currency to this address is one to it. A code without a network fits
    /// every network.
    fn fits(&self, code: &str, address: &str) -> bool {
        let network = code.split_once('-').map(|(_, network)| network);
        let differs = |own: &Option<String>, asked: Option<&str>| {
            own.as_deref().zip(asked).is_some_and(|(own, asked)| own != asked)
        };
        self.address == address
            && !differs(&self.currency, Some(plain(code)))
            && !differs(&self.network, network)
    }
}
