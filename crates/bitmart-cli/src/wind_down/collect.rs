//! Queries the assets and debts of the account. Failed queries are listed, and nothing is concluded from them.

mod balances;
mod routes;

use std::collections::BTreeMap;

use bitmart::rest::{Client, Error, Unverified, futures, spot};
use bitmart::types::Rows;

use super::facts::{Facts, OrderKind, Orders, Position};
use crate::failure::chain;
pub(super) use routes::{NamedAddress, WithdrawalRoutes};

/// Requested rows of a list.
const ROWS: u32 = 100;

/// Queries everything. The routes are updated for the currencies of the account.
pub(super) async fn facts(client: &Client, routes: &mut WithdrawalRoutes) -> Facts {
    let mut facts = Facts::default();
    spot_orders(client, &mut facts).await;
    futures_orders(client, &mut facts).await;
    positions(client, &mut facts).await;
    balances::collect(client, &mut facts).await;
    routes.update(client, &mut facts).await;
    facts
}

impl Facts {
    /// The rows of a list. Records a failed query, and rows that cannot be decoded.
    pub(super) fn rows_or_note<T>(&mut self, what: &str, rows: Result<Rows<T>, Error>) -> Vec<T> {
        match rows {
            Ok(rows) => {
                if let Some(fault) = rows.faults().first() {
                    self.unread.push(format!("{what}: {fault}"));
                }
                rows.into_vec()
            }
            Err(error) => {
                self.unread.push(format!("{what}: {}", chain(&error)));
                Vec::new()
            }
        }
    }

    /// The rows of a list whose form is not verified. Also records a response of another form: it is not empty.
    pub(super) fn unverified_rows_or_note<V, T>(
        &mut self,
        what: &str,
        response: Result<Unverified<V>, Error>,
        rows: impl FnOnce(V) -> Option<Rows<T>>,
    ) -> Vec<T> {
        match response.map(|response| response.into_value().and_then(rows)) {
            Ok(Some(rows)) => self.rows_or_note(what, Ok(rows)),
            Ok(None) => {
                self.unread.push(format!("{what}: the response has another form"));
                Vec::new()
            }
            Err(error) => self.rows_or_note(what, Err(error)),
        }
    }
}

fn count(orders: &mut BTreeMap<String, usize>, symbol: &str) {
    *orders.entry(symbol.to_owned()).or_default() += 1;
}

async fn spot_orders(client: &Client, facts: &mut Facts) {
    let open = client.spot().open_orders(spot::ListOpenOrders::new().limit(200)).await;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for order in facts.rows_or_note("open spot orders", open) {
        count(&mut counts, order.symbol.as_str());
    }
    add(facts, counts, |_| OrderKind::Spot);
    for (name, kind) in [
        ("trigger", spot::AlgoOrderType::Trigger),
        ("tp/sl", spot::AlgoOrderType::TakeProfitStopLoss),
    ] {
        let open =
            client.spot().open_algo_orders(spot::ListOpenAlgoOrders::new().order_type(kind)).await;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for order in facts.unverified_rows_or_note("open algo orders", open, Some) {
            match &order.symbol {
                Some(symbol) => count(&mut counts, symbol.as_str()),
                None => {
                    facts.unread.push("open algo orders: the pair of one is missing".to_owned());
                }
            }
        }
        add(facts, counts, |_| OrderKind::Algo(name.to_owned()));
    }
}

fn add(facts: &mut Facts, counts: BTreeMap<String, usize>, kind: impl Fn(&str) -> OrderKind) {
    facts.orders.extend(counts.into_iter().map(|(symbol, count)| Orders {
        kind: kind(&symbol),
        symbol,
        count,
    }));
}

async fn futures_orders(client: &Client, facts: &mut Facts) {
    let open = client.futures().open_orders(futures::ListOpenOrders::new().limit(ROWS)).await;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for order in facts.rows_or_note("open futures orders", open) {
        let symbol = order.symbol.to_string();
        if order.order_type == Some(futures::OrderType::Trailing) {
            let kind = OrderKind::Trailing(order.order_id.to_string());
            facts.orders.push(Orders { kind, symbol, count: 1 });
        } else {
            count(&mut counts, &symbol);
        }
    }
    add(facts, counts, |_| OrderKind::Futures);
    let plans = client.futures().plan_orders(futures::ListPlanOrders::new().limit(ROWS)).await;
    for plan in facts.rows_or_note("plan orders", plans) {
        let kind = OrderKind::Plan(plan.order_id.to_string());
        facts.orders.push(Orders { kind, symbol: plan.symbol.to_string(), count: 1 });
    }
}

async fn positions(client: &Client, facts: &mut Facts) {
    let rows = client.futures().positions(futures::ListPositions::new()).await;
    for position in facts.rows_or_note("futures positions", rows) {
        if position.size.is_zero() {
            continue;
        }
        let symbol = position.symbol.to_string();
        let Some(net) = position.net_size() else {
            facts.unread.push(format!("position of {symbol}: its side is unknown"));
            continue;
        };
        let long = net.is_sign_positive();
        facts.positions.push(Position { symbol, long, size: position.size });
    }
}
