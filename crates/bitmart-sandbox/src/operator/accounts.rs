//! Accounts, their keys and balances.

use std::fmt;

use bitmart_sim::operator::Operation;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

use super::{
    Call, Effect, Operator, OperatorCall, OperatorError,
    describe::{Described, Field, Kind, calls, describe, field, kinds, response},
};
use crate::{
    Balance, WalletKind, WithdrawAddress,
    keys::{ApiKey, Permission},
    shared::Shared,
};

calls! {
    /// Create an account with the configured initial balances.
    Stored "POST /accounts" => create_account(CreateAccount) -> CreatedAccount {}

    /// Freeze or unfreeze an account. Requests of a frozen account that have an effect are rejected with 53000
    /// on spot and 60063 elsewhere, or with 60029 for a sub-account, as if its main account had frozen it.
    Stored "POST /accounts/freeze" => freeze_account(FreezeAccount) -> FreezeAccount {
        /// Number of the account.
        account: u32 = 2,
        /// Whether it is frozen.
        frozen: bool = true,
    }

    /// Save a withdrawal address of an account. An account with saved addresses can only withdraw to saved
    /// (60007) and verified (60015) addresses; one without can withdraw to any address.
    Stored "POST /addresses" => save_address(SaveAddress) -> SaveAddress {
        /// Number of the account.
        account: u32 = 1,
        /// The address.
        address: WithdrawAddress = {"address": "T1", "currency": "USDT", "network": "TRC20"},
    }

    /// Create a key for an account, derived from the seed, or add a given key. The response is the only one with
    /// a secret.
    Stored "POST /keys" => create_key(CreateKey) -> CreatedKey {
        /// Number of the account.
        account: u32 = 2,
        /// Permissions; all of them if absent.
        permissions: Option<Vec<Permission>> = ["Read-only", "Spot-Trade"],
        /// A given key; then secret and memo are needed as well.
        key: Option<Credential>,
        /// Secret of the given key.
        secret: Option<Credential>,
        /// Memo of the given key.
        memo: Option<Credential>,
    }

    /// Set the free balance of a wallet. The frozen amount does not change, subscribers to balances receive the
    /// change, and the history of the account has a row with the difference: in the deposits or withdrawals for
    /// spot and funding, in the transactions for futures.
    Stored "POST /balances" => set_balance(SetBalance) -> Balance {
        /// Number of the account; 2 is a sub-account of 1.
        account: u32 = 2,
        /// The wallet.
        wallet: WalletKind = "spot",
        /// Currency.
        currency: String = "USDT",
        /// The free balance, from 0 to 1e15 with at most 8 decimals.
        amount: Decimal = "250.5",
    }

    /// Simulate a deposit, through all its states. It is in the deposits of the account at once, and credited 30 s
    /// later by the clock of the sandbox: to the spot wallet, unless the account has chosen another one.
    Stored "POST /deposits" => deposit(MakeDeposit) -> MadeDeposit {
        /// Number of the account; 2 is a sub-account of 1.
        account: u32 = 1,
        /// Currency, with a network if it matters: `USDT-TRC20`.
        currency: String = "USDT",
        /// Amount, above 0.
        amount: Decimal = "250.5",
    }
}

response! {
    /// An account that was created.
    CreatedAccount {
        /// Number of the account.
        account: u32 = 3,
    }
}

response! {
    /// A pending deposit.
    MadeDeposit {
        /// Id in the history of the account.
        deposit_id: String = "1679001",
        /// Number of the account.
        account: u32 = 1,
        /// Currency.
        currency: String = "USDT",
        /// Amount.
        amount: Decimal = "250.5",
    }
}

/// A part of a key. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credential(String);

impl<T: Into<String>> From<T> for Credential {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// A key that was created or added. Its JSON is the only response with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedKey {
    /// The key.
    pub key: ApiKey,
}

impl Serialize for CreatedKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ApiKey { key, secret, memo, account, permissions, .. } = &self.key;
        let row = json!({
            "key": key, "secret": secret, "memo": memo, "account": account, "permissions": permissions,
        });
        row.serialize(serializer)
    }
}

describe! {
    CreatedKey {
        /// The access key, sent as `X-BM-KEY`.
        key: String = "3c1f…",
        /// The secret.
        secret: String = "9b02…",
        /// The memo.
        memo: String = "sandbox",
        /// Number of the account.
        account: u32 = 2,
        /// Permissions.
        permissions: Vec<Permission> = ["Read-only", "Spot-Trade"],
    }
}

kinds! {
    Credential: Kind::Text,
    Permission: Kind::OneOf(&[
        "Read-only",
        "Spot-Trade",
        "Margin-Trade",
        "Future-Trade",
        "Withdraw",
        "Sub-Account Inter-Account Transfer",
    ]),
    WalletKind: Kind::OneOf(&["spot", "funding", "futures"]),
}

fn create_account(_: CreateAccount, shared: &Shared) -> Result<CreatedAccount, OperatorError> {
    Ok(CreatedAccount { account: shared.create_account() })
}

fn freeze_account(call: FreezeAccount, shared: &Shared) -> Result<FreezeAccount, OperatorError> {
    shared.operate(Operation::Freeze { account: call.account, frozen: call.frozen })?;
    Ok(call)
}

fn save_address(call: SaveAddress, shared: &Shared) -> Result<SaveAddress, OperatorError> {
    let SaveAddress { account, address } = call.clone();
    shared.operate(Operation::SaveAddress { account, address })?;
    Ok(call)
}

fn create_key(call: CreateKey, shared: &Shared) -> Result<CreatedKey, OperatorError> {
    let permissions = call.permissions.unwrap_or_else(|| Permission::ALL.to_vec());
    let key = match (call.key, call.secret, call.memo) {
        (None, None, None) => shared.create_key(call.account, permissions)?,
        (Some(key), Some(secret), Some(memo)) if !key.0.is_empty() && !secret.0.is_empty() => {
            let key = ApiKey::new(key.0, secret.0, memo.0).account(call.account);
            let key = key.permissions(permissions);
            shared.add_key(key.clone())?;
            key
        }
        _ => return Err(OperatorError::IncompleteKey),
    };
    Ok(CreatedKey { key })
}

fn set_balance(call: SetBalance, shared: &Shared) -> Result<Balance, OperatorError> {
    let SetBalance { account, wallet, currency, amount } = call;
    shared.set_balance(account, wallet, &currency, amount)
}

fn deposit(call: MakeDeposit, shared: &Shared) -> Result<MadeDeposit, OperatorError> {
    let MakeDeposit { account, currency, amount } = call;
    match shared.deposit(account, &currency, amount) {
        Some(id) => Ok(MadeDeposit { deposit_id: id.to_string(), account, currency, amount }),
        None => Err(OperatorError::InvalidDeposit { account, currency, amount }),
    }
}
