//! The page about saved states: take, go back, download, compare.

use std::collections::BTreeMap;

use askama::Template;
use bitmart_sim::{Exchange, report::Balance};
use hyper::{StatusCode, header};

use super::{
    form::CallForm,
    page::{self, Shell, Visit},
    reply::{self, Reply},
    rows::plain,
    table::{Column, Table, TableElement},
    time,
};
use crate::{
    operator::{DiscardSnapshot, GoBack, ListSnapshots, Operator, SaveSnapshot},
    shared::Shared,
    snapshot::Snapshot,
};

/// The name of the current state in a comparison.
const NOW: &str = "";

/// Orders and fills of a comparison.
const CHANGES: usize = 500;

/// A saved state with its buttons.
struct Saved {
    name: String,
    time: String,
    forms: [CallForm; 2],
}

#[derive(Template)]
#[template(path = "console/snapshots.html")]
struct Snapshots {
    shell: Shell,
    save: CallForm,
    saved: Vec<Saved>,
    from: String,
    to: String,
    /// Headings and tables of a comparison.
    changes: Vec<(&'static str, TableElement)>,
}

const BALANCES: &[Column] = &[
    ("account", false),
    ("wallet", false),
    ("currency", false),
    ("before", true),
    ("after", true),
    ("change", true),
];
const ORDERS: &[Column] = &[
    ("order", false),
    ("account", true),
    ("symbol", false),
    ("before", false),
    ("after", false),
    ("filled", true),
];
const FILLS: &[Column] = &[
    ("trade", false),
    ("account", true),
    ("symbol", false),
    ("price", true),
    ("size", true),
    ("fee", true),
];

pub(super) fn page(visit: &Visit<'_>) -> Reply {
    let back = "/console/snapshots";
    let listed = Operator::new(visit.shared).call(ListSnapshots {});
    let listed = listed.map(|listed| listed.snapshots).unwrap_or_default();
    let saved = listed.into_iter().map(|row| Saved {
        time: time::date(row.now_ms),
        forms: [
            CallForm::of::<GoBack>("back", &format!("Go back to {}", row.name), back)
                .fixed("name", &row.name)
                .bad(),
            CallForm::of::<DiscardSnapshot>("discard", &format!("Discard {}", row.name), back)
                .fixed("name", &row.name),
        ],
        name: row.name,
    });
    let (from, to) = (visit.query.get("from"), visit.query.get("to").unwrap_or(NOW));
    let states = from.and_then(|from| state(visit.shared, from).zip(state(visit.shared, to)));
    page::render(&Snapshots {
        shell: visit.shell("Snapshots", "Snapshots"),
        save: CallForm::of::<SaveSnapshot>("save", "Save the state", back),
        saved: saved.collect(),
        from: from.unwrap_or_default().to_owned(),
        to: to.to_owned(),
        changes: states.map(|(from, to)| changes(&from, &to)).unwrap_or_default(),
    })
}

/// A saved state, or the current one.
fn state(shared: &Shared, name: &str) -> Option<Snapshot> {
    if name == NOW {
        return Some(shared.snapshot());
    }
    shared.saved().get(name).cloned()
}

/// What changed in the accounts from one state to another.
fn changes(from: &Snapshot, to: &Snapshot) -> Vec<(&'static str, TableElement)> {
    let (before, after) = (&from.parts().exchange, &to.parts().exchange);
    let none = "Nothing changed.";
    vec![
        (
            "Balances",
            Table::element(
                "balances",
                "Balances that changed; available and frozen together",
                BALANCES,
                balances(before, after),
                none,
            ),
        ),
        (
            "Orders",
            Table::element(
                "orders",
                format!(
                    "Orders that are new or changed their state, newest first, {CHANGES} at most"
                ),
                ORDERS,
                orders(before, after),
                none,
            ),
        ),
        (
            "Fills",
            Table::element(
                "fills",
                format!("Fills since then, newest first, {CHANGES} at most"),
                FILLS,
                fills(before, after),
                "None.",
            ),
        ),
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

fn orders(before: &Exchange, after: &Exchange) -> Vec<Vec<String>> {
    let rows = before.order_rows().into_iter();
    let known: BTreeMap<_, _> = rows.map(|row| (row.order_id, (row.state, row.filled))).collect();
    let changed = after.order_rows().into_iter().rev().filter_map(|row| {
        let was = known.get(&row.order_id);
        if was.is_some_and(|(state, filled)| *state == row.state && *filled == row.filled) {
            return None;
        }
        let was = was.map_or_else(|| "new order".to_owned(), |(state, _)| state.clone());
        Some(vec![
            row.order_id,
            row.account.to_string(),
            row.symbol,
            was,
            row.state,
            plain(row.filled),
        ])
    });
    changed.take(CHANGES).collect()
}

fn fills(before: &Exchange, after: &Exchange) -> Vec<Vec<String>> {
    let known: std::collections::BTreeSet<_> =
        before.fill_rows().into_iter().map(|row| (row.trade_id, row.order_id)).collect();
    let new = after.fill_rows().into_iter().rev();
    let new = new.filter(|row| !known.contains(&(row.trade_id.clone(), row.order_id.clone())));
    new.take(CHANGES)
        .map(|row| {
            vec![
                row.trade_id,
                row.account.to_string(),
                row.symbol,
                plain(row.price),
                plain(row.size),
                plain(row.fee),
            ]
        })
        .collect()
}

/// A saved state, or the current one, as a file for `--restore`.
pub(super) fn download(visit: &Visit<'_>) -> Reply {
    let found = state(visit.shared, visit.query.get("name").unwrap_or(NOW));
    let bytes = found.and_then(|snapshot| snapshot.to_json().ok());
    let Some(bytes) = bytes else { return page::missing(visit) };
    let mut reply = reply::file(StatusCode::OK, "application/json", bytes);
    let disposition = header::HeaderValue::from_static("attachment; filename=\"snapshot.json\"");
    reply.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    reply
}
