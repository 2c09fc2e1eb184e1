//! The changes of the state of a sandbox, which the journal stores.

use std::{fmt, net::IpAddr};

use bitmart_sim::Command;
use serde::{Deserialize, Serialize};

use crate::keys::{ApiKey, Permission};

/// A change of the state. Together with the state and the time it determines the outcome completely. Some have former
/// names in stored folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    /// A command to the exchange.
    Command(Command),
    /// One step of the market and of the feed.
    Step,
    /// The market makers pause (true) or resume.
    #[serde(rename = "Hold")]
    PauseMarketMakers(bool),
    /// A key is derived from the seed.
    #[serde(rename = "MakeKey")]
    DeriveKey { account: u32, permissions: Vec<Permission> },
    /// A given key is added.
    AddKey(StoredKey),
}

/// A key with its secret. [`ApiKey`] itself cannot be serialized, so that no secret is exposed by mistake.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    key: String,
    secret: String,
    memo: String,
    permissions: Vec<Permission>,
    account: u32,
    main: Option<u32>,
    frozen: bool,
    expires_ms: Option<u64>,
    addresses: Vec<IpAddr>,
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey").field("account", &self.account).finish_non_exhaustive()
    }
}

impl From<ApiKey> for StoredKey {
    fn from(key: ApiKey) -> Self {
        let ApiKey { key, secret, memo, permissions, account, main, frozen, expires_ms, addresses } =
            key;
        Self { key, secret, memo, permissions, account, main, frozen, expires_ms, addresses }
    }
}

impl From<StoredKey> for ApiKey {
    fn from(key: StoredKey) -> Self {
        let StoredKey {
            key,
            secret,
            memo,
            permissions,
            account,
            main,
            frozen,
            expires_ms,
            addresses,
        } = key;
        Self { key, secret, memo, permissions, account, main, frozen, expires_ms, addresses }
    }
}
