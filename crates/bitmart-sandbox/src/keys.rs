//! API keys and what they may do.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::exchange::rng::Rng;

/// What an API key may do, named as on BitMart's key page.
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
    /// `Sub-Account Inter-Account Transfer`, which institutional accounts have.
    #[serde(rename = "Sub-Account Inter-Account Transfer")]
    SubAccountTransfer,
}

impl Permission {
    /// Every permission there is.
    pub const ALL: [Self; 6] = [
        Self::ReadOnly,
        Self::SpotTrade,
        Self::MarginTrade,
        Self::FutureTrade,
        Self::Withdraw,
        Self::SubAccountTransfer,
    ];

    /// The permission that the description of an endpoint names.
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

/// An API key of one account: what a client needs to sign.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKey {
    /// The access key, sent as `X-BM-KEY`.
    pub key: String,
    /// The secret that signs.
    pub secret: String,
    /// The memo of the key; part of every signature.
    pub memo: String,
    /// What the key may do.
    pub permissions: Vec<Permission>,
    /// The account it belongs to. Accounts are created as keys name them; 1 is the default one.
    pub account: u32,
    /// The main account, when the account of the key is a sub-account.
    pub main: Option<u32>,
    /// A frozen key is known but refused (code 30003).
    pub frozen: bool,
    /// From when on the key is refused as expired (code 30011), in milliseconds since 1970.
    pub expires_ms: Option<u64>,
    /// The addresses it may be used from, when there are any (code 30010 from elsewhere).
    pub addresses: Vec<IpAddr>,
}

impl ApiKey {
    /// A key of account 1 with every permission.
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

    /// Replaces the permissions. BitMart gives [`Permission::ReadOnly`] to every key; here it is
    /// named like the others.
    #[must_use]
    pub fn permissions(mut self, permissions: impl Into<Vec<Permission>>) -> Self {
        self.permissions = permissions.into();
        self
    }

    /// Gives the key to another account.
    #[must_use]
    pub fn account(mut self, account: u32) -> Self {
        self.account = account;
        self
    }

    /// Gives the key to a sub-account of `main`. A sub-account starts empty and is called
    /// `account<number>@sandbox.test` by the sub-account endpoints.
    #[must_use]
    pub fn sub_account(mut self, account: u32, main: u32) -> Self {
        self.account = account;
        self.main = Some(main).filter(|main| *main != account);
        self
    }

    /// Makes the key a frozen one.
    #[must_use]
    pub fn frozen(mut self) -> Self {
        self.frozen = true;
        self
    }

    /// Lets the key expire at a time of the exchange, in milliseconds since 1970.
    #[must_use]
    pub fn expires(mut self, at_ms: u64) -> Self {
        self.expires_ms = Some(at_ms);
        self
    }

    /// Binds the key to addresses. Only REST checks them: no code of the sockets is known for it.
    #[must_use]
    pub fn only_from(mut self, addresses: impl Into<Vec<IpAddr>>) -> Self {
        self.addresses = addresses.into();
        self
    }

    /// Whether the key is no longer good.
    pub(crate) fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_ms.is_some_and(|at_ms| now_ms >= at_ms)
    }

    /// The key that a sandbox has when none is configured: a function of the seed.
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self::numbered(seed, 0)
    }

    /// The keys of a seed: number 0 is the default one, the others are made at run time.
    pub(crate) fn numbered(seed: u64, number: u64) -> Self {
        let far = number.wrapping_mul(0xD134_2543_DE82_EF95);
        let mut rng = Rng::new((seed ^ 0x6b65_7973).wrapping_add(far));
        let mut hex = |words: usize| {
            let words: Vec<String> = (0..words).map(|_| format!("{:016x}", rng.next())).collect();
            words.concat()
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
    fn every_described_permission_is_one_that_a_key_can_lack() {
        for route in routes() {
            if let Some(name) = route.permission {
                assert!(Permission::named(name).is_some(), "{}: {name}", route.path);
            }
        }
    }
}
