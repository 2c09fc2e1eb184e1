//! Rows of tables: positions and fills; those of orders are in a module of their own.

mod orders;

use bitmart_sim::{
    AccountId, Exchange, OrderId,
    account::Account,
    book::Side,
    position::{Position, PositionSide},
};
use rust_decimal::Decimal;

pub(super) use self::orders::{
    ORDERS, all_orders, finished_orders, open_count, open_counts, open_orders, orders_on,
};
use super::{table::Column, time};
use crate::wire::enums;

/// Rows of a table of history. They are the newest of the newest `LIMIT` of each kind, such as spot and futures.
pub(super) const LIMIT: usize = 200;

/// A number without trailing zeros.
pub(super) fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

pub(super) const POSITIONS: &[Column] = &[
    Column::text("contract"),
    Column::text("side"),
    Column::number("contracts"),
    Column::number("entry"),
    Column::number("mark"),
    Column::number("profit"),
    Column::number("margin"),
    Column::text("leverage"),
    Column::number("liquidation"),
];

pub(super) fn positions(exchange: &Exchange, account: &Account) -> Vec<Vec<String>> {
    let row = |(symbol, side, position): (&smol_str::SmolStr, PositionSide, &Position)| {
        let market = exchange.futures_market(symbol)?;
        let decimals = market.rules.price_decimals;
        let price = |price: Decimal| plain(price.round_dp(decimals));
        let liquidation = exchange.liquidation_price(account.id, symbol, side);
        Some(vec![
            symbol.to_string(),
            if side.is_long() { "long" } else { "short" }.to_owned(),
            plain(position.size),
            price(position.entry_price(market.rules.contract_size)),
            price(market.mark_price()),
            plain(market.unrealized(position, side).round_dp(8)),
            plain(position.margin(exchange.ledger()).round_dp(8)),
            format!("{} {}", position.leverage, enums::margin_type(position.margin_type)),
            liquidation.map_or_else(|| "never".to_owned(), price),
        ])
    };
    account.open_positions().filter_map(row).collect()
}

pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

pub(super) const FILLS: &[Column] = &[
    Column::text("time"),
    Column::text("symbol"),
    Column::text("order"),
    Column::number("price"),
    Column::number("size"),
    Column::number("fee"),
    Column::text("role"),
];

/// The newest fills of an account.
pub(super) fn fills(exchange: &Exchange, account: AccountId) -> Vec<Vec<String>> {
    let spot = exchange.spot_fills().rev().filter(|fill| fill.account == account);
    let spot = spot.take(LIMIT).map(|fill| {
        let numbers = [fill.price, fill.size, fill.fee];
        fill_row(fill.time_ms, &fill.request.symbol, fill.order, numbers, fill.maker)
    });
    let futures = exchange.futures_fills().rev().filter(|fill| fill.account == account);
    let futures = futures.take(LIMIT).map(|fill| {
        let numbers = [fill.price, fill.size, fill.fee];
        fill_row(fill.time_ms, &fill.symbol, fill.order, numbers, fill.maker)
    });
    let mut rows: Vec<_> = spot.chain(futures).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.0));
    rows.into_iter().take(LIMIT).map(|row| row.1).collect()
}

fn fill_row(
    time_ms: u64,
    symbol: &str,
    order: OrderId,
    numbers: [Decimal; 3],
    is_maker: bool,
) -> (u64, Vec<String>) {
    let mut cells = vec![time::date(time_ms), symbol.to_owned(), order.0.to_string()];
    cells.extend(numbers.map(plain));
    cells.push(if is_maker { "maker" } else { "taker" }.to_owned());
    (time_ms, cells)
}
