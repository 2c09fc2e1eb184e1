//! The calls: what each takes and answers.

use std::time::Duration;

use hyper::StatusCode;
use rust_decimal::Decimal;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    exchange::control::{ControlError, WalletKind},
    keys::{ApiKey, Permission},
    shared::Shared,
};

/// Most beats of one call.
const STEPS: u32 = 10_000;

/// Why a call was refused.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) words: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into() }
    }

    pub(super) fn unstored() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the data folder cannot be written to")
    }

    pub(super) fn crowded() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too many connections")
    }

    pub(super) fn bad(words: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, words)
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let status = match error {
            ControlError::UnknownAccount(_) | ControlError::UnknownMarket(_) => {
                StatusCode::NOT_FOUND
            }
            ControlError::KeyExists => StatusCode::CONFLICT,
            ControlError::Rejected
            | ControlError::UnknownCurrency(_)
            | ControlError::InvalidAddress
            | ControlError::InvalidAmount(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// Reads a body; none at all counts as `{}`.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Problem::bad(error.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

pub(super) fn ledger(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Nothing {} = read(body)?;
    // Under one lock, so that the lists fit together.
    let state = shared.state();
    let exchange = &state.exchange;
    let (fills, orders) = (exchange.ledger_fills(), exchange.ledger_orders());
    let (balances, now_ms) = (exchange.ledger_balances(), state.clock.now_ms());
    drop(state);
    Ok(json!({ "now_ms": now_ms, "fills": fills, "orders": orders, "balances": balances }))
}

pub(super) fn book(shared: &Shared, symbol: &str, body: &[u8]) -> Result<Value, Problem> {
    let Nothing {} = read(body)?;
    let book = shared.state().exchange.ledger_book(symbol);
    let missing =
        || format!("there is no market {symbol:?}; a pair is BTC_USDT, a contract BTCUSDT");
    book.map(|book| json!(book)).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, missing()))
}

pub(super) fn snapshot(shared: &Shared, body: &[u8]) -> Result<Vec<u8>, Problem> {
    let Nothing {} = read(body)?;
    let failed = |error: crate::SnapshotError| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    };
    shared.snapshot().to_json().map_err(failed)
}

pub(super) fn create_account(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Nothing {} = read(body)?;
    Ok(json!({ "account": shared.create_account() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    account: u32,
    permissions: Option<Vec<Permission>>,
    key: Option<String>,
    secret: Option<String>,
    memo: Option<String>,
}

pub(super) fn create_key(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let asked: NewKey = read(body)?;
    let permissions = asked.permissions.unwrap_or_else(|| Permission::ALL.to_vec());
    let key = match (asked.key, asked.secret, asked.memo) {
        (None, None, None) => shared.create_key(asked.account, permissions)?,
        (Some(key), Some(secret), Some(memo)) if !key.is_empty() && !secret.is_empty() => {
            let key = ApiKey::new(key, secret, memo).account(asked.account);
            let key = key.permissions(permissions);
            shared.add_key(key.clone())?;
            key
        }
        _ => return Err(Problem::bad("give all of key, secret and memo, not empty, or none")),
    };
    Ok(json!({
        "key": key.key,
        "secret": key.secret,
        "memo": key.memo,
        "account": key.account,
        "permissions": key.permissions,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBalance {
    account: u32,
    wallet: WalletKind,
    currency: String,
    amount: Decimal,
}

pub(super) fn set_balance(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let NewBalance { account, wallet, currency, amount } = read(body)?;
    Ok(json!(shared.set_balance(account, wallet, &currency, amount)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDeposit {
    account: u32,
    currency: String,
    amount: Decimal,
}

/// Money from outside, which reaches the spot wallet 30 s later.
pub(super) fn deposit(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let NewDeposit { account, currency, amount } = read(body)?;
    let id = shared.deposit(account, &currency, amount).ok_or_else(|| {
        Problem::bad(format!(
            "no deposit of {amount} {currency} to account {account}: the amount has to be above 0, the \
             account and the currency have to be there, and its deposits open"
        ))
    })?;
    Ok(json!({
        "deposit_id": id.to_string(),
        "account": account,
        "currency": currency,
        "amount": amount,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    ms: u64,
}

pub(super) fn advance(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Advance { ms } = read(body)?;
    if !shared.state().clock.is_stepped() {
        let words = "the clock is that of the machine; start with --clock for one that is stepped";
        return Err(Problem::new(StatusCode::CONFLICT, words));
    }
    Ok(json!({ "now_ms": shared.advance(Duration::from_millis(ms)) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    held: bool,
}

pub(super) fn hold(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Hold { held } = read(body)?;
    shared.hold_market(held);
    Ok(json!({ "held": held }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Halt {
    symbol: String,
    halted: bool,
}

pub(super) fn halt(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Halt { symbol, halted } = read(body)?;
    shared.halt(&symbol, halted)?;
    Ok(json!({ "symbol": symbol, "halted": halted }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    steps: u32,
}

pub(super) async fn step(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Step { steps } = read(body)?;
    if steps > STEPS {
        return Err(Problem::bad(format!("at most {STEPS} steps at a time")));
    }
    for _ in 0..steps {
        shared.step();
        // Others get their turn.
        tokio::task::yield_now().await;
    }
    Ok(json!({ "now_ms": shared.state().clock.now_ms() }))
}

pub(super) fn stop(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Nothing {} = read(body)?;
    shared.control.send_modify(|control| control.stop_asked = true);
    Ok(json!({ "stopping": true }))
}

pub(super) fn kill_sockets(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Nothing {} = read(body)?;
    let sockets = shared.state().feed.sockets();
    shared.kill_sockets();
    Ok(json!({ "killed": sockets }))
}
