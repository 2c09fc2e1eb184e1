//! What goes into an exchange from outside: the same inputs at the same times give the same state.

use std::{fmt, net::IpAddr};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    exchange::{AccountId, control::WalletKind, operator::Operation, setup::Funds},
    keys::{ApiKey, Permission},
};

/// Something that changes the state, with all that decides what comes of it other than state and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Input {
    /// A request that passed the checks of key, signature and limits.
    Request(Request),
    /// One beat of market and feed.
    Beat,
    /// Nothing but the time, which made something due.
    Time,
    Hold(bool),
    /// A market stops taking orders, or goes on.
    Halt {
        symbol: String,
        halted: bool,
    },
    OpenAccount(Funds),
    SetBalance {
        account: u32,
        wallet: WalletKind,
        currency: String,
        amount: Decimal,
    },
    Deposit {
        account: u32,
        currency: String,
        amount: Decimal,
    },
    MakeKey {
        account: u32,
        permissions: Vec<Permission>,
    },
    AddKey(StoredKey),
    Operate(Operation),
}

/// A request as it came. Its body is kept as text: numbers in it must be read the same way again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) caller: Option<(AccountId, String)>,
    pub(crate) body: String,
    pub(crate) lenient: bool,
}

/// A key with its secret. [`ApiKey`] itself cannot be serialised, so that no secret gets out by mistake.
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
