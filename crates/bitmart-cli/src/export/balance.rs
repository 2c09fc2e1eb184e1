//! What an account has, against the sum of what moved.
//!
//! Spot, per currency: what was deposited, withdrawn with its fee, traded with its fee, moved to and from
//! futures, and put into and taken out of savings. Futures, per currency: all transactions. Movements that
//! no list tells (see the manifest), and everything before the export begins, are in the difference.

use std::collections::BTreeMap;
use std::path::Path;

use bitmart::Decimal;
use serde_json::Value;

use super::plan::text;
use super::read;

/// Sums by currency.
type Sums = BTreeMap<String, Decimal>;

/// A line for each currency whose balance is there. `unAvailable` is what is frozen, under another name.
pub(super) fn differences(folder: &Path) -> Vec<String> {
    let spot = balances(folder, "balances-spot", "currency", &["available", "frozen"]);
    let futures = balances(folder, "balances-futures", "currency", &["equity"]);
    let unrealized = balances(folder, "balances-futures", "currency", &["unrealized"]);
    let mut lines = Vec::new();
    for (place, balances, movements) in
        [("spot", spot, spot_movements(folder)), ("futures", futures, futures_movements(folder))]
    {
        for (currency, balance) in balances {
            let profit = if place == "futures" { unrealized.get(&currency) } else { None };
            let balance = balance - profit.copied().unwrap_or_default();
            let moved = movements.get(&currency).copied().unwrap_or_default();
            if balance.is_zero() && moved.is_zero() {
                continue;
            }
            let (balance, moved) = (balance.normalize(), moved.normalize());
            let difference = (balance - moved).normalize();
            lines.push(format!(
                "{place} {currency}: balance {balance}, movements {moved}, difference {difference}"
            ));
        }
    }
    lines
}

fn balances(folder: &Path, name: &str, currency: &str, parts: &[&str]) -> Sums {
    let mut sums = Sums::new();
    each(folder, name, |row| {
        if let Some(currency) = text(row, currency) {
            let sum: Decimal = parts.iter().filter_map(|part| decimal(row, part)).sum();
            add(&mut sums, &currency, sum);
        }
    });
    sums
}

/// One row at a time: lists may be larger than the memory.
fn each(folder: &Path, name: &str, mut each: impl FnMut(&Value)) {
    // A line that is no row is a fault that `verify` tells elsewhere.
    let _ = read::newest(folder, name, |row| each(&row));
}

fn spot_movements(folder: &Path) -> Sums {
    let mut sums = Sums::new();
    each(folder, "deposits", |row| {
        // 3 is done: nothing else has reached the account.
        if row["status"] == 3 {
            funded(&mut sums, row, "arrival_amount", Decimal::ONE);
        }
    });
    each(folder, "withdrawals", |row| {
        // 4 and 5 were given up, and the money is back.
        if row["status"] != 4 && row["status"] != 5 {
            funded(&mut sums, row, "arrival_amount", Decimal::NEGATIVE_ONE);
            funded(&mut sums, row, "fee", Decimal::NEGATIVE_ONE);
        }
    });
    each(folder, "trades", |row| {
        if row["orderMode"] == "iso_margin" {
            return;
        }
        let Some(symbol) = text(row, "symbol") else { return };
        let Some((base, quote)) = symbol.split_once('_') else { return };
        let sign = if row["side"] == "buy" { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        add(&mut sums, base, sign * decimal(row, "size").unwrap_or_default());
        add(&mut sums, quote, -sign * decimal(row, "notional").unwrap_or_default());
        moved(&mut sums, row, "feeCoinName", "fee", Decimal::NEGATIVE_ONE);
    });
    each(folder, "futures-transfers", |row| {
        let sign = match text(row, "type").as_deref() {
            Some("spot_to_contract") => Decimal::NEGATIVE_ONE,
            Some("contract_to_spot") => Decimal::ONE,
            _ => return,
        };
        if row["state"] == "FINISHED" {
            moved(&mut sums, row, "currency", "amount", sign);
        }
    });
    for (kind, sign) in [
        ("subscriptions", Decimal::NEGATIVE_ONE),
        ("redemptions", Decimal::ONE),
        ("interest", Decimal::ONE),
    ] {
        for product in ["flexible", "fixed"] {
            each(folder, &format!("earn-{product}-{kind}"), |row| {
                moved(&mut sums, row, "coinName", "amount", sign);
            });
        }
    }
    sums
}

fn futures_movements(folder: &Path) -> Sums {
    let mut sums = Sums::new();
    each(folder, "futures-transactions", |row| {
        moved(&mut sums, row, "asset", "amount", Decimal::ONE);
    });
    sums
}

/// Deposits and withdrawals name the network with the currency: `USDT-TRC20`.
fn funded(sums: &mut Sums, row: &Value, amount: &str, sign: Decimal) {
    if let (Some(currency), Some(amount)) = (text(row, "currency"), decimal(row, amount)) {
        let currency = currency.split_once('-').map_or(currency.as_str(), |(currency, _)| currency);
        add(sums, currency, sign * amount);
    }
}

fn moved(sums: &mut Sums, row: &Value, currency: &str, amount: &str, sign: Decimal) {
    if let (Some(currency), Some(amount)) = (text(row, currency), decimal(row, amount)) {
        add(sums, &currency, sign * amount);
    }
}

fn add(sums: &mut Sums, currency: &str, amount: Decimal) {
    *sums.entry(currency.to_owned()).or_default() += amount;
}

/// An amount of a row, written as a text or as a number.
pub(super) fn decimal(row: &Value, name: &str) -> Option<Decimal> {
    match row.get(name)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}
