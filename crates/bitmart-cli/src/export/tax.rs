//! `trades-tax.csv`: what a tax adviser asks for, a row for each trade and each funding payment.

use std::path::Path;

use bitmart::rest::history::RowKey;
use bitmart::{Decimal, Timestamp};
use serde_json::Value;

use super::amounts::{Contract, Contracts, decimal};
use super::cells::marked;
use super::order::{Source, in_order};
use super::plan::text;
use super::store::rows_path;
use crate::failure::Failure;
use crate::private;

pub(super) const FILE: &str = "trades-tax.csv";

/// The columns, and what each means.
pub(super) const COLUMNS: [(&str, &str); 17] = [
    ("time_utc", "When, UTC."),
    ("market", "spot, margin or futures."),
    ("kind", "trade; funding: paid or received for a position that stayed open; liquidation."),
    ("symbol", "Pair or contract."),
    ("side", "buy or sell; of futures also what it did to the position, in hedge mode."),
    ("base", "Base currency."),
    ("base_amount", "Amount in the base currency; of futures contracts times contract_size."),
    ("contracts", "Number of contracts; futures only."),
    ("contract_size", "What one contract is worth, in base; where quote is USD, in quote."),
    ("quote", "Quote currency; of funding and liquidations the currency of profit."),
    ("quote_amount", "Amount in the quote currency; of futures base_amount times price."),
    ("price", "Price, in the quote currency."),
    ("fee", "Fee, in fee_currency."),
    ("fee_currency", "Currency of the fee; of futures the one that the contract is settled in."),
    ("profit", "Profit or loss that the trade realised, or the payment; in quote."),
    ("order_id", "The exchange's id of the order."),
    ("id", "The exchange's id of the trade or payment."),
];

/// The datasets, and what makes a row of each of them.
const SOURCES: [(&str, Make); 5] = [
    ("trades", spot),
    ("futures-trades", futures),
    ("copy-trading-trades", futures),
    ("futures-transactions", funding),
    ("copy-trading-transactions", funding),
];

/// Cells of a row.
type Cells = [String; COLUMNS.len()];
type Make = fn(&Value, &Contracts) -> Made;

/// What a row becomes.
enum Made {
    Row(Box<Cells>),
    /// It is no trade and no payment.
    No,
    /// It is one, and cannot be told: why.
    Lost(&'static str),
}

/// Writes the file from the rows of spot and futures, oldest first and those of one instant by their ids.
/// Gives what the file lacks.
pub(super) fn write(folder: &Path, contracts: &Contracts) -> Result<Vec<String>, Failure> {
    let there: Vec<_> = SOURCES
        .iter()
        .map(|(name, make)| (*name, *make, rows_path(folder, name)))
        .filter(|(_, _, path)| path.exists())
        .collect();
    let sources: Vec<_> = there.iter().map(|(.., path)| Source { path, key: &key }).collect();
    let mut notes = Notes::default();
    let broken = |error: csv::Error| Failure::machine(format!("{FILE}: {error}"));
    let io = |error: std::io::Error| Failure::machine(format!("{FILE}: {error}"));
    private::write_with(&folder.join(FILE), io, |out| {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(COLUMNS.map(|(name, _)| name)).map_err(broken)?;
        in_order(&sources, |source, line| {
            let (name, make, _) = &there[source];
            let row: Value = serde_json::from_slice(line).unwrap_or_default();
            match make(&row, contracts) {
                Made::Row(cells) => {
                    if cells[1] == "futures" && cells[2] == "trade" && cells[8].is_empty() {
                        notes.add(name, "without amounts: the contract is not in the archive");
                    }
                    writer.write_record(*cells).map_err(broken)?;
                }
                Made::Lost(why) => notes.add(name, why),
                Made::No => {}
            }
            Ok(())
        })?;
        writer.flush().map_err(io)
    })?;
    Ok(notes
        .0
        .into_iter()
        .map(|(name, why, rows)| format!("{FILE}: {name}: {rows} rows {why}"))
        .collect())
}

/// How many rows of which dataset something is to be said of.
#[derive(Default)]
struct Notes(Vec<(String, &'static str, u64)>);

impl Notes {
    fn add(&mut self, name: &str, why: &'static str) {
        match self.0.iter_mut().find(|(known, because, _)| known == name && *because == why) {
            Some((.., rows)) => *rows += 1,
            None => self.0.push((name.to_owned(), why, 1)),
        }
    }
}

const NO_TIME: Made = Made::Lost("left out: the exchange told no time");
const NO_SYMBOL: Made = Made::Lost("left out: without a pair or contract");

/// What orders a row of any of the datasets.
fn key(line: &[u8]) -> RowKey {
    let row: Value = serde_json::from_slice(line).unwrap_or_default();
    let time = ["createTime", "create_time", "time"].iter().find_map(|name| millis(&row, name));
    let id = ["tradeId", "trade_id", "tran_id"].iter().find_map(|name| text(&row, name));
    RowKey { time: time.map(Timestamp::from_millis), id: id.unwrap_or_default() }
}

fn spot(row: &Value, _: &Contracts) -> Made {
    let Some(time) = millis(row, "createTime") else { return NO_TIME };
    let symbol = text(row, "symbol").unwrap_or_default();
    let Some((base, quote)) = symbol.split_once('_') else { return NO_SYMBOL };
    let cell = |name: &str| text(row, name).unwrap_or_default();
    Made::Row(Box::new([
        utc(time),
        if row["orderMode"] == "iso_margin" { "margin" } else { "spot" }.to_owned(),
        "trade".to_owned(),
        marked(symbol.clone()),
        marked(cell("side")),
        marked(base.to_owned()),
        cell("size"),
        String::new(),
        String::new(),
        marked(quote.to_owned()),
        cell("notional"),
        cell("price"),
        cell("fee"),
        marked(cell("feeCoinName")),
        String::new(),
        marked(cell("orderId")),
        marked(cell("tradeId")),
    ]))
}

fn futures(row: &Value, contracts: &Contracts) -> Made {
    let Some(time) = millis(row, "create_time") else { return NO_TIME };
    let Some(symbol) = text(row, "symbol") else { return NO_SYMBOL };
    let side = match row["side"].as_i64() {
        Some(1) => "buy_open_long",
        Some(2) => "buy_close_short",
        Some(3) => "sell_close_long",
        Some(4) => "sell_open_short",
        _ => "unknown",
    };
    let cell = |name: &str| text(row, name).unwrap_or_default();
    let profit = decimal(row, "realised_profit").filter(|profit: &Decimal| !profit.is_zero());
    let contract = contracts.get(&symbol);
    let count = decimal(row, "vol");
    let (base, quote) = contract
        .zip(count)
        .map(|(contract, count)| contract.amounts(count, decimal(row, "price")))
        .unwrap_or_default();
    let amount = |amount: Option<Decimal>| {
        amount.map(|amount| amount.normalize().to_string()).unwrap_or_default()
    };
    let said = |of: fn(&Contract) -> String| contract.map(of).unwrap_or_default();
    // In the row stands no currency. Most contracts are named after the one that they are quoted in.
    let quoted = contract.map_or_else(|| quote_of(&symbol), |contract| contract.quote.clone());
    let settled = contract.filter(|contract| contract.quote == "USD");
    let settled = settled.map_or_else(|| quoted.clone(), |contract| contract.base.clone());
    Made::Row(Box::new([
        utc(time),
        "futures".to_owned(),
        "trade".to_owned(),
        marked(symbol.clone()),
        side.to_owned(),
        marked(said(|contract| contract.base.clone())),
        amount(base),
        cell("vol"),
        said(|contract| contract.size.to_string()),
        marked(quoted),
        amount(quote),
        cell("price"),
        cell("paid_fees"),
        marked(settled),
        amount(profit),
        marked(cell("order_id")),
        marked(cell("trade_id")),
    ]))
}

/// What positions paid and were paid for staying open, and liquidations.
fn funding(row: &Value, _: &Contracts) -> Made {
    let kind = match text(row, "type").as_deref() {
        Some("Funding Fee") => "funding",
        Some("Liquidation Clearance") => "liquidation",
        // Profits and fees stand beside their trade, and transfers are no income.
        _ => return Made::No,
    };
    let Some(time) = millis(row, "time") else { return NO_TIME };
    let cell = |name: &str| text(row, name).unwrap_or_default();
    let mut cells = Cells::default();
    cells[0] = utc(time);
    "futures".clone_into(&mut cells[1]);
    kind.clone_into(&mut cells[2]);
    cells[3] = marked(cell("symbol"));
    cells[9] = marked(cell("asset"));
    cells[14] = cell("amount");
    cells[16] = marked(cell("tran_id"));
    Made::Row(Box::new(cells))
}

fn millis(row: &Value, name: &str) -> Option<i64> {
    let value = row.get(name)?;
    let millis = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    // The models write 0 for a time that was not told.
    millis.filter(|millis| *millis != 0)
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
