//! What an exchange starts with.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::AccountId;
use crate::markets::{Contract, SpotPair};

/// All that decides how an exchange begins.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Of the order-flow model.
    pub(crate) seed: u64,
    pub(crate) market_maker: bool,
    pub(crate) pairs: Vec<SpotPair>,
    pub(crate) contracts: Vec<Contract>,
    /// Orders of each account that are remembered when they are done.
    pub(crate) remembered: usize,
    pub(crate) customers: Customers,
}

/// Accounts that there are from the beginning.
#[derive(Debug)]
pub(crate) struct Customers {
    pub(crate) accounts: Vec<NewAccount>,
    pub(crate) funds: Funds,
}

/// An account, and whose sub-account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewAccount {
    pub(crate) id: AccountId,
    pub(crate) main: Option<AccountId>,
}

/// What a new account starts with, by currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Funds {
    pub(crate) spot: Vec<(String, Decimal)>,
    pub(crate) futures: Vec<(String, Decimal)>,
}
