//! The calls that the operator of an exchange would make.

use serde::Deserialize;
use serde_json::{Value, json};

use super::calls::{Problem, read};
use crate::{
    exchange::operator::{NetworkTerms, Operation, WithdrawAddress},
    shared::Shared,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Freeze {
    account: u32,
    frozen: bool,
}

pub(super) fn freeze(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Freeze { account, frozen } = read(body)?;
    shared.decide(Operation::Freeze { account, frozen })?;
    Ok(json!({ "account": account, "frozen": frozen }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delist {
    symbol: String,
    delisted: bool,
}

pub(super) fn delist(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Delist { symbol, delisted } = read(body)?;
    shared.decide(Operation::Delist { symbol: symbol.clone(), delisted })?;
    Ok(json!({ "symbol": symbol, "delisted": delisted }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenCurrency {
    currency: String,
    deposits: bool,
    withdrawals: bool,
}

pub(super) fn open_currency(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let OpenCurrency { currency, deposits, withdrawals } = read(body)?;
    shared.decide(Operation::OpenCurrency { currency: currency.clone(), deposits, withdrawals })?;
    Ok(json!({ "currency": currency, "deposits": deposits, "withdrawals": withdrawals }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetNetwork {
    currency: String,
    terms: NetworkTerms,
}

pub(super) fn set_network(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let SetNetwork { currency, terms } = read(body)?;
    let what = Operation::SetNetwork { currency: currency.clone(), terms: terms.clone() };
    shared.decide(what)?;
    Ok(json!({ "currency": currency, "terms": terms }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaveAddress {
    account: u32,
    address: WithdrawAddress,
}

pub(super) fn save_address(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let SaveAddress { account, address } = read(body)?;
    shared.decide(Operation::SaveAddress { account, address: address.clone() })?;
    Ok(json!({ "account": account, "address": address }))
}
