//! Rows of orders: those of both markets, and trigger orders.

use std::collections::BTreeMap;

use bitmart_sim::{
    AccountId, Exchange, OrderId,
    account::Account,
    futures_order::{FuturesOrder, NewFuturesOrder},
    spot_order::{NewSpotOrder, SpotOrder, SpotOrderState},
    trigger::{
        Condition, Direction, PriceType, Trigger, TriggerState,
        plan::{Plan, PlanKind},
        spot::Algo,
    },
};
use rust_decimal::Decimal;

use super::{LIMIT, plain, side};
use crate::console::{table::Column, time};

pub(in super::super) const ORDERS: &[Column] = &[
    Column::text("order"),
    Column::text("created"),
    Column::number("account"),
    Column::text("symbol"),
    Column::text("side"),
    Column::text("trigger"),
    Column::number("price"),
    Column::number("size"),
    Column::number("filled"),
    Column::text("state"),
    Column::text("client order id"),
];

/// An order of a customer as a row, with what it is sorted by.
type OrderRow = ((u64, OrderId), Vec<String>);

/// The newest open orders of an account, with its waiting trigger orders.
pub(in super::super) fn open_orders(exchange: &Exchange, account: &Account) -> Vec<Vec<String>> {
    newest(open(exchange, account, |_| true).collect())
}

/// The newest open orders of all customers in a market, with their waiting trigger orders.
pub(in super::super) fn orders_on(exchange: &Exchange, symbol: &str) -> Vec<Vec<String>> {
    let customers = exchange.accounts().filter(|account| !account.house);
    let own = |account| open(exchange, account, |one| one == symbol);
    newest(customers.flat_map(own).collect())
}

/// The newest finished orders of an account, with its finished trigger orders.
pub(in super::super) fn finished_orders(
    exchange: &Exchange,
    account: &Account,
) -> Vec<Vec<String>> {
    let (spot, futures) = (account.spot_orders.all(), account.futures_orders.all());
    let spot = spot.iter().rev().filter_map(|id| exchange.spot_order(*id));
    let spot = spot.filter(|order| !order.state.is_open()).take(LIMIT).map(spot_row);
    let futures = futures.iter().rev().filter_map(|id| exchange.futures_order(*id));
    let futures = futures.filter(|order| !order.open).take(LIMIT).map(futures_row);
    let plans = exchange.triggers().futures.of(account.id).filter(|plan| !plan.is_waiting());
    let algos = exchange.triggers().spot.of(account.id).filter(|algo| !algo.is_waiting());
    let triggers = plans.take(LIMIT).map(plan_row).chain(algos.take(LIMIT).map(algo_row));
    newest(spot.chain(futures).chain(triggers).collect())
}

fn open<'a>(
    exchange: &'a Exchange,
    account: &'a Account,
    fits: impl Fn(&str) -> bool + Copy + 'a,
) -> impl Iterator<Item = OrderRow> + 'a {
    let spot = account.spot_orders.open().iter().rev();
    let spot = spot.filter_map(|id| exchange.spot_order(*id));
    let spot = spot.filter(move |order| fits(&order.request.symbol));
    let futures = account.futures_orders.open().iter().rev();
    let futures = futures.filter_map(|id| exchange.futures_order(*id));
    let futures = futures.filter(move |order| fits(&order.request.symbol));
    let plans = exchange.triggers().futures.of(account.id).take_while(|plan| plan.is_waiting());
    let plans = plans.filter(move |plan| fits(&plan.terms.order.symbol));
    let algos = exchange.triggers().spot.of(account.id).take_while(|algo| algo.is_waiting());
    let algos = algos.filter(move |algo| fits(&algo.terms.order.symbol));
    let orders = spot.take(LIMIT).map(spot_row).chain(futures.take(LIMIT).map(futures_row));
    let triggers = plans.take(LIMIT).map(plan_row).chain(algos.take(LIMIT).map(algo_row));
    orders.chain(triggers)
}

/// The cells of the newest rows.
fn newest(mut rows: Vec<OrderRow>) -> Vec<Vec<String>> {
    rows.sort_by_key(|row| std::cmp::Reverse(row.0));
    rows.into_iter().take(LIMIT).map(|row| row.1).collect()
}

/// The symbols of the open orders of an account and of its waiting trigger orders.
fn open_symbols<'a>(exchange: &'a Exchange, account: &'a Account) -> impl Iterator<Item = &'a str> {
    let spot = account.spot_orders.open().iter().filter_map(|id| exchange.spot_order(*id));
    let futures = account.futures_orders.open().iter();
    let futures = futures.filter_map(|id| exchange.futures_order(*id));
    let plans = exchange.triggers().futures.of(account.id).take_while(|plan| plan.is_waiting());
    let algos = exchange.triggers().spot.of(account.id).take_while(|algo| algo.is_waiting());
    spot.map(|order| order.request.symbol.as_str())
        .chain(futures.map(|order| order.request.symbol.as_str()))
        .chain(plans.map(|plan| plan.terms.order.symbol.as_str()))
        .chain(algos.map(|algo| algo.terms.order.symbol.as_str()))
}

/// The number of open orders of an account, with waiting trigger orders.
pub(in super::super) fn open_count(exchange: &Exchange, account: &Account) -> usize {
    open_symbols(exchange, account).count()
}

/// The open orders of customers by market, with waiting trigger orders.
pub(in super::super) fn open_counts(exchange: &Exchange) -> BTreeMap<&str, usize> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let customers = exchange.accounts().filter(|account| !account.house);
    for symbol in customers.flat_map(|account| open_symbols(exchange, account)) {
        *counts.entry(symbol).or_default() += 1;
    }
    counts
}

/// All kept orders of customers, open and finished, with trigger orders, in a fixed order.
pub(in super::super) fn all_orders(exchange: &Exchange) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for account in exchange.accounts().filter(|account| !account.house) {
        let (spot, futures) = (account.spot_orders.all(), account.futures_orders.all());
        let spot = spot.iter().filter_map(|id| exchange.spot_order(*id));
        let futures = futures.iter().filter_map(|id| exchange.futures_order(*id));
        rows.extend(spot.map(spot_row).chain(futures.map(futures_row)));
        rows.extend(exchange.triggers().futures.of(account.id).map(plan_row));
        rows.extend(exchange.triggers().spot.of(account.id).map(algo_row));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.0));
    rows.into_iter().map(|row| row.1).collect()
}

/// The fields that all kinds of orders have.
struct Common<'a> {
    id: OrderId,
    account: AccountId,
    created_ms: u64,
    client_id: Option<&'a str>,
    filled: Decimal,
    state: &'static str,
}

/// Side, price and size.
type Terms = [String; 3];

fn order_row(common: &Common<'_>, symbol: &str, trigger: String, terms: Terms) -> OrderRow {
    let [side, price, size] = terms;
    let cells = vec![
        common.id.0.to_string(),
        time::date(common.created_ms),
        common.account.0.to_string(),
        symbol.to_owned(),
        side,
        trigger,
        price,
        size,
        plain(common.filled),
        common.state.to_owned(),
        common.client_id.unwrap_or_default().to_owned(),
    ];
    ((common.created_ms, common.id), cells)
}

fn spot_terms(request: &NewSpotOrder) -> Terms {
    let price = if request.price.is_zero() { "market".to_owned() } else { plain(request.price) };
    let size = if request.size.is_zero() {
        format!("for {}", plain(request.notional))
    } else {
        plain(request.size)
    };
    [side(request.side).to_owned(), price, size]
}

fn futures_terms(request: &NewFuturesOrder) -> Terms {
    let position = if request.side.position_side().is_long() { "long" } else { "short" };
    let verb = if request.side.opens() { "open" } else { "close" };
    let price = request.price.map_or_else(|| "market".to_owned(), plain);
    [format!("{verb} {position}"), price, plain(request.size)]
}

fn spot_row(order: &SpotOrder) -> OrderRow {
    let state = match order.state {
        SpotOrderState::New => "new",
        SpotOrderState::PartiallyFilled => "partially filled",
        SpotOrderState::Filled => "filled",
        SpotOrderState::Canceled => "canceled",
        SpotOrderState::PartiallyCanceled => "partially canceled",
    };
    let (request, filled) = (&order.request, order.filled_size);
    let common = Common {
        id: order.id,
        account: order.account,
        created_ms: order.created_ms,
        client_id: request.client_order_id.as_deref(),
        filled,
        state,
    };
    order_row(&common, &request.symbol, String::new(), spot_terms(request))
}

fn futures_row(order: &FuturesOrder) -> OrderRow {
    let request = &order.request;
    let common = Common {
        id: order.id,
        account: order.account,
        created_ms: order.created_ms,
        client_id: request.client_order_id.as_deref(),
        filled: order.filled,
        state: if order.open { "open" } else { "finished" },
    };
    order_row(&common, &request.symbol, String::new(), futures_terms(request))
}

impl<'a> Common<'a> {
    fn of<T>(trigger: &'a Trigger<T>) -> Self {
        Self {
            id: trigger.id,
            account: trigger.account,
            created_ms: trigger.created_ms,
            client_id: trigger.client_order_id.as_deref(),
            filled: Decimal::ZERO,
            state: match trigger.state {
                TriggerState::Waiting => "waiting",
                TriggerState::Placed(_) => "triggered",
                TriggerState::Rejected => "rejected",
                TriggerState::Canceled => "canceled",
            },
        }
    }
}

fn algo_row(algo: &Trigger<Algo>) -> OrderRow {
    let order = &algo.terms.order;
    let trigger = condition(&algo.condition, "");
    order_row(&Common::of(algo), &order.symbol, trigger, spot_terms(order))
}

fn plan_row(plan: &Trigger<Plan>) -> OrderRow {
    let order = &plan.terms.order;
    let kind = match plan.terms.kind {
        PlanKind::TakeProfit => "take-profit, ",
        PlanKind::StopLoss => "stop-loss, ",
        PlanKind::Plan | PlanKind::Trailing => "",
    };
    let [side, price, size] = futures_terms(order);
    let size = if plan.terms.whole_position { "whole position".to_owned() } else { size };
    order_row(
        &Common::of(plan),
        &order.symbol,
        condition(&plan.condition, kind),
        [side, price, size],
    )
}

/// The condition of a trigger order, such as `last price ≥ 61000`.
fn condition(condition: &Condition, kind: &str) -> String {
    let name = |price_type| match price_type {
        PriceType::Last => "last price",
        PriceType::Mark => "mark price",
    };
    match condition {
        Condition::Reach { price, direction, price_type } => {
            let sign = if *direction == Direction::Rise { "≥" } else { "≤" };
            format!("{kind}{} {sign} {}", name(*price_type), plain(*price))
        }
        Condition::Trail(trail) => {
            let (price_type, rate) = (name(trail.price_type), plain(trail.callback_rate));
            let from = plain(trail.activation);
            let extreme = trail.extreme.map(|price| format!(", extreme {}", plain(price)));
            format!(
                "{kind}{price_type} turns by {rate} % after {from}{}",
                extreme.unwrap_or_default()
            )
        }
    }
}
