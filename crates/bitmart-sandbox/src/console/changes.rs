//! The differences of two states: rows of only one of them, and rows whose content differs.
//!
//! After going back to a saved state, ids are used again for other orders and fills: so rows are compared, not ids.

use std::collections::{BTreeMap, BTreeSet};

use bitmart_sim::{Exchange, report::Balance};

use super::{
    rows::{all_orders, plain},
    table::{Column, Table, TableElement},
};

/// Longest list of changes, for each of: orders that are new or differ, orders that are gone, new fills, fills that are
/// gone.
const MAX_CHANGES: usize = 500;

const BALANCES: &[Column] = &[
    Column::text("account"),
    Column::text("wallet"),
    Column::text("currency"),
    Column::number("before"),
    Column::number("after"),
    Column::number("change"),
];
const ORDERS: &[Column] = &[
    Column::text("order"),
    Column::number("account"),
    Column::text("symbol"),
    Column::text("side"),
    Column::number("price"),
    Column::number("size"),
    Column::text("before"),
    Column::text("after"),
    Column::number("filled"),
];
const FILLS: &[Column] = &[
    Column::text("trade"),
    Column::text("change"),
    Column::number("account"),
    Column::text("symbol"),
    Column::text("order"),
    Column::number("price"),
    Column::number("size"),
    Column::number("fee"),
];

/// What changed in the accounts from one state to another.
pub(super) fn changes(before: &Exchange, after: &Exchange) -> Vec<(&'static str, TableElement)> {
    let unchanged = "Nothing changed.";
    let orders_caption = format!(
        "Orders that are new, differ or are gone, newest first, {MAX_CHANGES} at most; an order is also gone if it is \
         no longer kept"
    );
    let fills_caption = format!("Fills that are new or gone, newest first, {MAX_CHANGES} at most");
    vec![
        (
            "Balances",
            Table::element(
                "balances",
                "Balances that changed; available and frozen together",
                BALANCES,
                balances(before, after),
                unchanged,
            ),
        ),
        (
            "Orders",
            Table::element("orders", orders_caption, ORDERS, orders(before, after), unchanged),
        ),
        ("Fills", Table::element("fills", fills_caption, FILLS, fills(before, after), unchanged)),
    ]
}

fn balances(before: &Exchange, after: &Exchange) -> Vec<Vec<String>> {
    let sums = |exchange: &Exchange| -> BTreeMap<_, _> {
        let key = |row: &Balance| (row.account, row.wallet, row.currency.clone());
        exchange.balance_rows().iter().map(|row| (key(row), row.available + row.frozen)).collect()
    };
    let (before, after) = (sums(before), sums(after));
    let mut keys: Vec<_> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let row = |key: &&(u32, &'static str, String)| {
        let [from, to] = [&before, &after].map(|sums| sums.get(*key).copied().unwrap_or_default());
        let (account, wallet, currency) = key;
        (from != to).then(|| {
            vec![
                account.to_string(),
                (*wallet).to_owned(),
                currency.clone(),
                plain(from),
                plain(to),
                plain(to - from),
            ]
        })
    };
    keys.iter().filter_map(row).collect()
}

/// The first cells of a row of all orders, which never change: its id, when it was created, account and symbol.
const IDENTITY: usize = 4;
/// The cell of a row of all orders with its state.
const STATE: usize = 9;

fn orders(before: &Exchange, after: &Exchange) -> Vec<Vec<String>> {
    let (before, after) = (all_orders(before), all_orders(after));
    let by_identity = |rows: &[Vec<String>]| -> BTreeMap<Vec<String>, Vec<String>> {
        rows.iter().map(|row| (identity(row), row.clone())).collect()
    };
    let (former, present) = (by_identity(&before), by_identity(&after));
    let changed = after.iter().filter_map(|row| match former.get(&identity(row)) {
        Some(other) if other == row => None,
        Some(other) => Some(order_row(row, state(other), state(row))),
        None => Some(order_row(row, "new order", state(row))),
    });
    let gone = before.iter().filter(|row| !present.contains_key(&identity(row)));
    let gone = gone.map(|row| order_row(row, state(row), "gone"));
    changed.take(MAX_CHANGES).chain(gone.take(MAX_CHANGES)).collect()
}

fn identity(row: &[String]) -> Vec<String> {
    row.iter().take(IDENTITY).cloned().collect()
}

/// The state in a row of all orders.
fn state(row: &[String]) -> &str {
    row.get(STATE).map_or("", String::as_str)
}

/// The row of a comparison, made of a row of all orders, whose cells are id, created, account, symbol, side, trigger,
/// price, size, filled, state and client order id.
fn order_row(row: &[String], before: &str, after: &str) -> Vec<String> {
    let cell = |at: usize| row.get(at).cloned().unwrap_or_default();
    let [before, after] = [before, after].map(ToOwned::to_owned);
    vec![cell(0), cell(2), cell(3), cell(4), cell(6), cell(7), before, after, cell(8)]
}

fn fills(before: &Exchange, after: &Exchange) -> Vec<Vec<String>> {
    let (before, after) = (fill_rows(before), fill_rows(after));
    let new = after.iter().rev().filter(|row| !before.contains(row)).map(|row| (row, "new"));
    let gone = before.iter().rev().filter(|row| !after.contains(row)).map(|row| (row, "gone"));
    let shown = new.take(MAX_CHANGES).chain(gone.take(MAX_CHANGES)).map(|((_, cells), change)| {
        let mut cells = cells.clone();
        cells.insert(1, change.to_owned());
        cells.truncate(FILLS.len());
        cells
    });
    shown.collect()
}

/// All fills: their times, which sort them, and their cells.
fn fill_rows(exchange: &Exchange) -> BTreeSet<(u64, Vec<String>)> {
    let row = |fill: bitmart_sim::report::Fill| {
        let cells = vec![
            fill.trade_id,
            fill.account.to_string(),
            fill.symbol,
            fill.order_id,
            plain(fill.price),
            plain(fill.size),
            plain(fill.fee),
            fill.maker.to_string(),
        ];
        (fill.time_ms, cells)
    };
    exchange.fill_rows().into_iter().map(row).collect()
}
