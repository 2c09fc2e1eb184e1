//! `trades-tax.csv`: what a tax adviser asks for, a row for each trade and each funding payment.

use std::path::Path;

use bitmart::{Decimal, Timestamp};
use serde_json::Value;

use super::balance::decimal;
use super::plan::{rows, text};
use crate::failure::Failure;

pub(super) const FILE: &str = "trades-tax.csv";

const COLUMNS: [&str; 16] = [
    "time_utc",
    "market",
    "kind",
    "symbol",
    "side",
    "base",
    "base_amount",
    "contracts",
    "quote",
    "quote_amount",
    "price",
    "fee",
    "fee_currency",
    "profit",
    "order_id",
    "id",
];

/// A row: when, and its cells.
type Row = (i64, [String; COLUMNS.len()]);

/// Writes the file from the rows of spot and futures, oldest first.
pub(super) fn write(folder: &Path) -> Result<Vec<u8>, Failure> {
    let spot = rows(folder, "trades").into_iter().filter_map(|row| spot(&row));
    let trades = ["futures-trades", "copy-trading-trades"];
    let paid = ["futures-transactions", "copy-trading-transactions"];
    let trades = trades.into_iter().flat_map(|name| rows(folder, name));
    let paid = paid.into_iter().flat_map(|name| rows(folder, name));
    let futures = trades.filter_map(|row| futures(&row));
    let mut all: Vec<Row> =
        spot.chain(futures).chain(paid.filter_map(|row| funding(&row))).collect();
    all.sort();
    let broken = |error: csv::Error| Failure::machine(format!("{FILE}: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(broken)?;
    for (_, cells) in all {
        writer.write_record(cells).map_err(broken)?;
    }
    writer.into_inner().map_err(|error| Failure::machine(format!("{FILE}: {error}")))
}

fn spot(row: &Value) -> Option<Row> {
    let symbol = text(row, "symbol")?;
    let (base, quote) = symbol.split_once('_')?;
    let time = millis(row, "createTime")?;
    let cell = |name: &str| text(row, name).unwrap_or_default();
    let cells = [
        utc(time),
        if row["orderMode"] == "iso_margin" { "margin" } else { "spot" }.to_owned(),
        "trade".to_owned(),
        symbol.clone(),
        cell("side"),
        base.to_owned(),
        cell("size"),
        String::new(),
        quote.to_owned(),
        cell("notional"),
        cell("price"),
        cell("fee"),
        cell("feeCoinName"),
        String::new(),
        cell("orderId"),
        cell("tradeId"),
    ];
    Some((time, cells))
}

/// Contracts are counted, not coins: what a contract is worth is in `bitmart futures contracts`.
fn futures(row: &Value) -> Option<Row> {
    let symbol = text(row, "symbol")?;
    let time = millis(row, "create_time")?;
    let side = match row["side"].as_i64()? {
        1 => "buy_open_long",
        2 => "buy_close_short",
        3 => "sell_close_long",
        4 => "sell_open_short",
        _ => "unknown",
    };
    let cell = |name: &str| text(row, name).unwrap_or_default();
    let profit = decimal(row, "realised_profit").filter(|profit: &Decimal| !profit.is_zero());
    let quote = quote_of(&symbol);
    let cells = [
        utc(time),
        "futures".to_owned(),
        "trade".to_owned(),
        symbol.clone(),
        side.to_owned(),
        String::new(),
        String::new(),
        cell("vol"),
        quote.clone(),
        String::new(),
        cell("price"),
        cell("paid_fees"),
        quote,
        profit.map(|profit| profit.to_string()).unwrap_or_default(),
        cell("order_id"),
        cell("trade_id"),
    ];
    Some((time, cells))
}

/// What positions paid and were paid for staying open, and liquidations.
fn funding(row: &Value) -> Option<Row> {
    let kind = match text(row, "type")?.as_str() {
        "Funding Fee" => "funding",
        "Liquidation Clearance" => "liquidation",
        // Profits and fees stand beside their trade, and transfers are no income.
        _ => return None,
    };
    let time = millis(row, "time")?;
    let mut cells: [String; COLUMNS.len()] = Default::default();
    cells[0] = utc(time);
    "futures".clone_into(&mut cells[1]);
    kind.clone_into(&mut cells[2]);
    cells[3] = text(row, "symbol").unwrap_or_default();
    cells[8] = text(row, "asset").unwrap_or_default();
    cells[13] = text(row, "amount").unwrap_or_default();
    cells[15] = text(row, "tran_id").unwrap_or_default();
    Some((time, cells))
}

fn millis(row: &Value, name: &str) -> Option<i64> {
    let value = row.get(name)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn utc(millis: i64) -> String {
    Timestamp::from_millis(millis).to_string()
}

/// The currency that a contract is settled in.
fn quote_of(symbol: &str) -> String {
    ["USDT", "USDC", "USD"]
        .into_iter()
        .find(|quote| symbol.ends_with(quote))
        .unwrap_or_default()
        .to_owned()
}
