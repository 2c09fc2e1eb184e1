//! Settings of the operator: frozen accounts, delisted contracts, leverage brackets, closed deposits and withdrawals,
//! withdrawal addresses and terms of networks.

mod leverage_bracket;
mod network_terms;
mod withdraw_address;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use self::{
    leverage_bracket::LeverageBracket, network_terms::NetworkTerms,
    withdraw_address::WithdrawAddress,
};
use super::{AccountId, Exchange, control::ControlError, reject::Reject};

// Rule: An account saves up to 200 addresses. Source: invented (no source states a bound)
/// Largest number of addresses of an account.
const MAX_ADDRESSES: usize = 200;

/// A change of a setting by the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Freeze or unfreeze an account. The requests of a frozen account are rejected.
    Freeze {
        /// Number of the account.
        account: u32,
        /// Whether it is frozen from now on.
        frozen: bool,
    },
    /// Delist a contract or list it again. A delisted contract accepts no orders (code 40014).
    Delist {
        /// The contract, such as `BTCUSDT`.
        symbol: String,
        /// Whether it is delisted from now on.
        delisted: bool,
    },
    /// Open or close deposits and withdrawals of a currency.
    #[serde(rename = "OpenCurrency")]
    SetCurrencyOpen {
        /// The currency (`USDT`), or one network of it (`USDT-TRC20`).
        currency: String,
        /// Whether deposits are accepted from now on.
        deposits: bool,
        /// Whether withdrawals are accepted from now on.
        withdrawals: bool,
    },
    /// Save a withdrawal address of an account. An account has at most 200.
    SaveAddress {
        /// Number of the account.
        account: u32,
        /// The address; no part of it may be longer than 256 bytes.
        address: WithdrawAddress,
    },
    /// Replace the terms of withdrawals of a currency.
    SetNetwork {
        /// The currency (`USDT`), or one network of it (`USDT-TRC20`).
        currency: String,
        /// The new terms.
        terms: NetworkTerms,
    },
    /// Move the price of the market model. The quotes follow at the next step of the market.
    MovePrice {
        /// The pair or contract. A contract, its pair and the other contracts on it move by the same ratio.
        symbol: String,
        /// The new price, from a tenth to ten times the start price.
        price: Decimal,
    },
    /// Replace the leverage brackets of a contract, and with them its highest leverage.
    SetBrackets {
        /// The contract, such as `BTCUSDT`.
        symbol: String,
        /// The new brackets, smallest cap first.
        brackets: Vec<LeverageBracket>,
    },
}

/// The current settings of the operator.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OperatorSettings {
    frozen: BTreeSet<AccountId>,
    /// Delisted contracts, and the time of the delisting.
    delisted: BTreeMap<SmolStr, u64>,
    /// Currencies (`USDT`) and networks (`USDT-TRC20`) with closed deposits.
    no_deposits: BTreeSet<SmolStr>,
    /// The same for withdrawals.
    no_withdrawals: BTreeSet<SmolStr>,
    addresses: BTreeMap<AccountId, Vec<WithdrawAddress>>,
    /// Terms of currencies (`USDT`) and networks (`USDT-TRC20`).
    #[serde(default)]
    networks: BTreeMap<SmolStr, NetworkTerms>,
}

/// Which payments of a currency or network are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "there are no other payments")]
pub struct OpenPayments {
    /// Deposits are accepted.
    pub deposits: bool,
    /// Withdrawals are accepted.
    pub withdrawals: bool,
}

impl OperatorSettings {
    /// Whether an account is frozen.
    pub fn is_frozen(&self, account: AccountId) -> bool {
        self.frozen.contains(&account)
    }

    /// Returns when a contract was delisted, in milliseconds since 1970.
    pub fn delisted_ms(&self, symbol: &str) -> Option<u64> {
        self.delisted.get(symbol).copied()
    }

    /// Returns whether deposits and withdrawals of a currency (`USDT`) or network (`USDT-TRC20`) are accepted.
    pub fn open_payments(&self, code: &str) -> OpenPayments {
        let open = |closed: &BTreeSet<SmolStr>| {
            !closed.contains(code) && !closed.contains(currency_of(code))
        };
        OpenPayments { deposits: open(&self.no_deposits), withdrawals: open(&self.no_withdrawals) }
    }

    // Rule: Deposits and withdrawals are open for a currency and for each of its networks (60003, 60004, 60056).
    // Source: documented (endpoint account_currencies, the table of error codes); simplified (which of the two
    // codes of withdrawals is for what)
    /// Checks that deposits of a currency and its network are open (60003).
    ///
    /// # Errors
    /// [`Reject::DepositsClosed`].
    pub fn check_deposit(&self, code: &str) -> Result<(), Reject> {
        if self.open_payments(code).deposits { Ok(()) } else { Err(Reject::DepositsClosed) }
    }

    /// Checks that withdrawals of a currency and its network are open. No source states the difference between the two
    /// codes.
    ///
    /// # Errors
    /// [`Reject::WithdrawalsClosed`] (60004) when the currency is closed, [`Reject::NetworkClosed`] (60056) when only
    /// the network is.
    pub fn check_withdrawal(&self, code: &str) -> Result<(), Reject> {
        if self.no_withdrawals.contains(currency_of(code)) {
            return Err(Reject::WithdrawalsClosed);
        }
        if self.no_withdrawals.contains(code) { Err(Reject::NetworkClosed) } else { Ok(()) }
    }

    /// Returns the terms of a currency (`USDT`) or network (`USDT-TRC20`).
    pub fn terms(&self, code: &str) -> NetworkTerms {
        self.networks
            .get(code)
            .or_else(|| self.networks.get(currency_of(code)))
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
    /// Checks the address of a withdrawal. An account with saved addresses can withdraw only to these (60007), and
    /// only to verified ones (60015), as documented for endpoint withdraw. An account without saved addresses can
    /// withdraw to any address.
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
        let mut matching = saved.iter().filter(|one| one.fits(code, address)).peekable();
        if matching.peek().is_none() {
            return Err(Reject::AddressNotSaved);
        }
        if matching.any(|one| one.verified) { Ok(()) } else { Err(Reject::AddressNotVerified) }
    }
}

/// Returns the currency of a code: `USDT` for `USDT-TRC20`.
fn currency_of(code: &str) -> &str {
    code.split_once('-').map_or(code, |(currency, _)| currency)
}

impl Exchange {
    /// Applies a change of a setting.
    pub(crate) fn operate(
        &mut self,
        operation: Operation,
        now_ms: u64,
    ) -> Result<(), ControlError> {
        match operation {
            Operation::Freeze { account, frozen } => {
                let account = AccountId(account);
                self.customer(account)?;
                set_member(&mut self.operator_settings.frozen, account, frozen);
            }
            Operation::Delist { symbol, delisted } => {
                if !self.futures.contains_key(symbol.as_str()) {
                    return Err(ControlError::UnknownMarket(symbol));
                }
                if delisted {
                    self.operator_settings.delisted.entry(symbol.into()).or_insert(now_ms);
                } else {
                    self.operator_settings.delisted.remove(symbol.as_str());
                }
            }
            Operation::SetCurrencyOpen { currency, deposits, withdrawals } => {
                if self.plain_currency(&currency).is_none() {
                    return Err(ControlError::UnknownCurrency(currency));
                }
                set_member(
                    &mut self.operator_settings.no_deposits,
                    SmolStr::from(&currency),
                    !deposits,
                );
                set_member(
                    &mut self.operator_settings.no_withdrawals,
                    currency.into(),
                    !withdrawals,
                );
            }
            Operation::SetNetwork { currency, terms } => {
                if self.plain_currency(&currency).is_none() {
                    return Err(ControlError::UnknownCurrency(currency));
                }
                if !terms.is_valid() {
                    return Err(ControlError::InvalidAmount(terms.fee));
                }
                self.operator_settings.networks.insert(currency.into(), terms);
            }
            Operation::SaveAddress { account, address } => {
                let account = AccountId(account);
                self.customer(account)?;
                let saved = self.operator_settings.addresses(account).len();
                if !address.is_valid() || saved >= MAX_ADDRESSES {
                    return Err(ControlError::InvalidAddress);
                }
                self.operator_settings.addresses.entry(account).or_default().push(address);
            }
            Operation::MovePrice { symbol, price } => self.move_price(symbol, price)?,
            Operation::SetBrackets { symbol, brackets } => self.set_brackets(symbol, &brackets)?,
        }
        Ok(())
    }

    // Rule: Delisted and halted contracts accept no orders (40014, 40015). Source: documented (the table
    // of error codes)
    /// Checks that a contract is not delisted (40014) or halted (40015).
    ///
    /// # Errors
    /// [`Reject::ContractDelisted`] or [`Reject::MarketHalted`].
    pub fn check_contract(&self, symbol: &str) -> Result<(), Reject> {
        if self.operator_settings.delisted_ms(symbol).is_some() {
            return Err(Reject::ContractDelisted);
        }
        self.check_trading(symbol)
    }
}

fn set_member<T: Ord>(set: &mut BTreeSet<T>, value: T, is_member: bool) {
    if is_member {
        set.insert(value);
    } else {
        set.remove(&value);
    }
}
