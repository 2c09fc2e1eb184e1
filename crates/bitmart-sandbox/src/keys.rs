//! API keys and their permissions.

use std::{fmt, net::IpAddr};

use bitmart_sim::rng::Rng;
use serde::{Deserialize, Serialize};

/// A permission of an API key, named as on BitMart's key page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Permission {
    /// `Read-only`: balances, orders, trades.
    #[serde(rename = "Read-only")]
    ReadOnly,
    /// `Spot-Trade`.
    #[serde(rename = "Spot-Trade")]
    SpotTrade,
    /// `Margin-Trade`.
    #[serde(rename = "Margin-Trade")]
    MarginTrade,
    /// `Future-Trade`.
    #[serde(rename = "Future-Trade")]
    FutureTrade,
    /// `Withdraw`.
    Withdraw,
    /// `Sub-Account Inter-Account Transfer`, for institutional accounts.
    #[serde(rename = "Sub-Account Inter-Account Transfer")]
    SubAccountTransfer,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 6] = [
        Self::ReadOnly,
        Self::SpotTrade,
        Self::MarginTrade,
        Self::FutureTrade,
        Self::Withdraw,
        Self::SubAccountTransfer,
    ];

    /// Parses the name of a permission in the description of an endpoint.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Read-only" => Self::ReadOnly,
            "Spot-Trade" => Self::SpotTrade,
            "Margin-Trade" => Self::MarginTrade,
            "Future-Trade" => Self::FutureTrade,
            "Withdraw" => Self::Withdraw,
            "Sub-Account Inter-Account Transfer" => Self::SubAccountTransfer,
            _ => return None,
        })
    }
}

/// An API key of an account.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKey {
    /// The access key, sent as `X-BM-KEY`.
    pub key: String,
    /// The secret for signatures.
    pub secret: String,
    /// The memo, part of every signature.
    pub memo: String,
    /// The permissions of the key.
    pub permissions: Vec<Permission>,
    /// The number of its account. Accounts are created for configured keys; 1 is the default.
    pub account: u32,
    /// The main account, if the account of the key is a sub-account.
    pub main: Option<u32>,
    /// Whether the key is frozen and rejected with code 30003.
    pub frozen: bool,
    /// The time of expiry in milliseconds since 1970. Afterwards the key is rejected with code 30011.
    pub expires_ms: Option<u64>,
    /// The allowed IP addresses; empty for all. Others are rejected with code 30010.
    pub addresses: Vec<IpAddr>,
}

impl ApiKey {
    /// Creates a key of account 1 with all permissions.
    pub fn new(key: impl Into<String>, secret: impl Into<String>, memo: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            secret: secret.into(),
            memo: memo.into(),
            permissions: Permission::ALL.to_vec(),
            account: 1,
            main: None,
            frozen: false,
            expires_ms: None,
            addresses: Vec::new(),
        }
    }

    /// Replaces the permissions. [`Permission::ReadOnly`] has to be listed here, although BitMart gives it to
    /// every key.
    #[must_use]
    pub fn permissions(mut self, permissions: impl Into<Vec<Permission>>) -> Self {
        self.permissions = permissions.into();
        self
    }

    /// Assigns the key to another account.
    #[must_use]
    pub fn account(mut self, account: u32) -> Self {
        self.account = account;
        self
    }

    /// Assigns the key to a sub-account of `main`. A sub-account starts empty; its name in the sub-account
    /// endpoints is `account<number>@sandbox.test`.
    #[must_use]
    pub fn sub_account(mut self, account: u32, main: u32) -> Self {
        self.account = account;
        self.main = Some(main).filter(|main| *main != account);
        self
    }

    /// Freezes the key.
    #[must_use]
    pub fn frozen(mut self) -> Self {
        self.frozen = true;
        self
    }

    /// Sets the time of expiry, in milliseconds since 1970.
    #[must_use]
    pub fn expires(mut self, at_ms: u64) -> Self {
        self.expires_ms = Some(at_ms);
        self
    }

    /// Restricts the key to IP addresses. Only REST checks them: no error code of WebSockets is known.
    #[must_use]
    pub fn only_from(mut self, addresses: impl Into<Vec<IpAddr>>) -> Self {
        self.addresses = addresses.into();
        self
    }

    /// Whether the key has expired.
    pub(crate) fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_ms.is_some_and(|at_ms| now_ms >= at_ms)
    }

    /// The default key, which is derived from the seed.
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self::derive(seed, 0)
    }

    /// Derives a key from the seed. Number 0 is the default key; the others are created at run time.
    pub(crate) fn derive(seed: u64, number: u64) -> Self {
        // The seeds of keys are far from each other and from that of the market: the two constants are a multiplier of
        // random number generators, and "keys" in ASCII.
        let offset = number.wrapping_mul(0xD134_2543_DE82_EF95);
        let mut rng = Rng::new((seed ^ 0x6b65_7973).wrapping_add(offset));
        let mut hex = |count: usize| {
            let digits: Vec<String> =
                (0..count).map(|_| format!("{:016x}", rng.next_u64())).collect();
            digits.concat()
        };
        let key = hex(3)[..40].to_owned();
        Self::new(key, hex(4), "sandbox")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("permissions", &self.permissions)
            .field("account", &self.account)
            .field("main", &self.main)
            .field("frozen", &self.frozen)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::routes;

    #[test]
    fn every_described_permission_is_known() {
        for route in routes() {
            if let Some(name) = route.permission {
                assert!(Permission::named(name).is_some(), "{}: {name}", route.path);
            }
        }
    }
}
