//! Reads what the account holds and owes. What cannot be read is named, and nothing is concluded from it.

mod money;
mod ways;

use std::collections::BTreeMap;

use bitmart::rest::{Client, Error, futures, spot};
use bitmart::types::Rows;

use super::facts::{Facts, OrderKind, Orders, Position};
use crate::failure::chain;
pub(super) use ways::{Named, Ways, ways};

/// Rows of a list that are asked for.
const ROWS: u32 = 100;

/// Everything, with the ways out that were read before.
pub(super) async fn look(client: &Client, ways: &mut Ways) -> Facts {
    let mut facts = Facts::default();
    spot_orders(client, &mut facts).await;
    futures_orders(client, &mut facts).await;
    positions(client, &mut facts).await;
    money::read(client, &mut facts).await;
    ways.fill(client, &mut facts).await;
    facts
}

impl Facts {
    /// The rows of a list, or none and a note why. A row that does not decode is noted as well.
    pub(super) fn note<T>(&mut self, what: &str, rows: Result<Rows<T>, Error>) -> Vec<T> {
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
}

fn count(orders: &mut BTreeMap<String, usize>, symbol: &str) {
    *orders.entry(symbol.to_owned()).or_default() += 1;
}

async fn spot_orders(client: &Client, facts: &mut Facts) {
    let open = client.spot().open_orders(spot::ListOpenOrders::new().limit(200)).await;
    let mut of: BTreeMap<String, usize> = BTreeMap::new();
    for order in facts.note("open spot orders", open) {
        count(&mut of, order.symbol.as_str());
    }
    add(facts, of, |_| OrderKind::Spot);
    for (word, kind) in [
        ("trigger", spot::AlgoOrderType::Trigger),
        ("tp/sl", spot::AlgoOrderType::TakeProfitStopLoss),
    ] {
        let open =
            client.spot().open_algo_orders(spot::ListOpenAlgoOrders::new().order_type(kind)).await;
        let open = open.map(|answer| answer.into_value().unwrap_or_default());
        let mut of: BTreeMap<String, usize> = BTreeMap::new();
        for order in facts.note("open algo orders", open) {
            order.symbol.iter().for_each(|symbol| count(&mut of, symbol.as_str()));
        }
        add(facts, of, |_| OrderKind::Algo(word.to_owned()));
    }
}

fn add(facts: &mut Facts, of: BTreeMap<String, usize>, kind: impl Fn(&str) -> OrderKind) {
    facts.orders.extend(of.into_iter().map(|(symbol, count)| Orders {
        kind: kind(&symbol),
        symbol,
        count,
    }));
}

async fn futures_orders(client: &Client, facts: &mut Facts) {
    let open = client.futures().open_orders(futures::ListOpenOrders::new().limit(ROWS)).await;
    let mut of: BTreeMap<String, usize> = BTreeMap::new();
    for order in facts.note("open futures orders", open) {
        let symbol = order.symbol.to_string();
        if order.order_type == Some(futures::OrderType::Trailing) {
            let kind = OrderKind::Trailing(order.order_id.to_string());
            facts.orders.push(Orders { kind, symbol, count: 1 });
        } else {
            count(&mut of, &symbol);
        }
    }
    add(facts, of, |_| OrderKind::Futures);
    let plans = client.futures().plan_orders(futures::ListPlanOrders::new().limit(ROWS)).await;
    for plan in facts.note("plan orders", plans) {
        let kind = OrderKind::Plan(plan.order_id.to_string());
        facts.orders.push(Orders { kind, symbol: plan.symbol.to_string(), count: 1 });
    }
}

async fn positions(client: &Client, facts: &mut Facts) {
    let rows = client.futures().positions(futures::ListPositions::new()).await;
    for position in facts.note("futures positions", rows) {
        if position.size.is_zero() {
            continue;
        }
        let long = match position.position_side {
            Some(futures::PositionSide::Long) => true,
            Some(futures::PositionSide::Short) => false,
            _ => position.signed_size.unwrap_or(position.size).is_sign_positive(),
        };
        let symbol = position.symbol.to_string();
        facts.positions.push(Position { symbol, long, size: position.size });
    }
}
