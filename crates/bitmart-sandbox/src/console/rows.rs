//! Rows of tables: positions, orders and fills.

use bitmart_sim::{Exchange, account::Account, book::Side};
use rust_decimal::Decimal;

use super::{table::Column, time};

/// A number without trailing zeros.
pub(super) fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

pub(super) const POSITIONS: &[Column] = &[
    ("contract", false),
    ("side", false),
    ("contracts", true),
    ("entry", true),
    ("mark", true),
    ("profit", true),
    ("margin", true),
    ("leverage", false),
    ("liquidation", true),
];

pub(super) fn positions(exchange: &Exchange, account: &Account) -> Vec<Vec<String>> {
    let row =
        |(symbol, long, position): (&smol_str::SmolStr, bool, &bitmart_sim::position::Position)| {
            let market = exchange.futures.get(symbol)?;
            let decimals = market.rules.price_decimals;
            let price = |price: Decimal| plain(price.round_dp(decimals));
            let liquidation = exchange.liquidation_price(account.id, symbol, long);
            Some(vec![
                symbol.to_string(),
                if long { "long" } else { "short" }.to_owned(),
                plain(position.size),
                price(position.entry_price(market.rules.contract_size)),
                price(market.mark_price()),
                plain(market.unrealized(position, long).round_dp(8)),
                plain(position.margin(exchange.ledger()).round_dp(8)),
                format!(
                    "{} {}",
                    position.leverage,
                    if position.isolated { "isolated" } else { "cross" }
                ),
                liquidation.map_or_else(|| "never".to_owned(), price),
            ])
        };
    account.open_positions().filter_map(row).collect()
}

pub(super) const ORDERS: &[Column] = &[
    ("order", false),
    ("created", false),
    ("account", true),
    ("symbol", false),
    ("side", false),
    ("price", true),
    ("size", true),
    ("filled", true),
    ("state", false),
    ("client order id", false),
];

/// What a filter of orders knows.
pub(super) struct OrderFacts<'a> {
    pub(super) account: u32,
    pub(super) symbol: &'a str,
    state: &'a str,
}

impl OrderFacts<'_> {
    pub(super) fn is_open(&self) -> bool {
        ["new", "partially_filled", "open", "waiting"].contains(&self.state)
    }
}

/// The orders of customers that a filter selects, newest first.
pub(super) fn orders(
    exchange: &Exchange,
    fits: impl Fn(&OrderFacts<'_>) -> bool,
) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for row in exchange.order_rows() {
        let facts = OrderFacts { account: row.account, symbol: &row.symbol, state: &row.state };
        if !fits(&facts) {
            continue;
        }
        let id = row.order_id.parse().map(bitmart_sim::OrderId).ok();
        let (mut created, mut terms) = (0, [String::new(), String::new(), String::new()]);
        if let Some(order) = id.and_then(|id| exchange.spot_orders.get(&id)) {
            let request = &order.request;
            let market = request.price.is_zero();
            let size = if request.size.is_zero() {
                format!("for {}", plain(request.notional))
            } else {
                plain(request.size)
            };
            created = order.created_ms;
            terms = [
                side(request.side).to_owned(),
                if market { "market".to_owned() } else { plain(request.price) },
                size,
            ];
        } else if let Some(order) = id.and_then(|id| exchange.futures_orders.get(&id)) {
            let request = &order.request;
            let long = if request.side.long() { "long" } else { "short" };
            let verb = if request.side.opens() { "open" } else { "close" };
            created = order.created_ms;
            terms = [
                format!("{verb} {long}"),
                request.price.map_or_else(|| "market".to_owned(), plain),
                plain(request.size),
            ];
        }
        let [side, price, size] = terms;
        let shown = if created == 0 { String::new() } else { time::date(created) };
        let (account, filled) = (row.account.to_string(), plain(row.filled));
        let cells = vec![
            row.order_id,
            shown,
            account,
            row.symbol,
            side,
            price,
            size,
            filled,
            row.state,
            row.client_order_id,
        ];
        found.push((created, cells));
    }
    // Trigger orders have no time here and come first, because they wait.
    found.sort_by_key(|(created, _)| {
        std::cmp::Reverse(if *created == 0 { u64::MAX } else { *created })
    });
    found.into_iter().map(|row| row.1).collect()
}

pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

pub(super) const FILLS: &[Column] = &[
    ("time", false),
    ("symbol", false),
    ("order", false),
    ("price", true),
    ("size", true),
    ("fee", true),
    ("role", false),
];

/// The fills of an account, newest first.
pub(super) fn fills(exchange: &Exchange, account: u32) -> Vec<Vec<String>> {
    let mut fills = exchange.fill_rows();
    fills.retain(|fill| fill.account == account);
    fills.sort_by_key(|fill| std::cmp::Reverse(fill.time_ms));
    let row = |fill: bitmart_sim::report::Fill| {
        vec![
            time::date(fill.time_ms),
            fill.symbol,
            fill.order_id,
            plain(fill.price),
            plain(fill.size),
            plain(fill.fee),
            if fill.maker { "maker" } else { "taker" }.to_owned(),
        ]
    };
    fills.into_iter().map(row).collect()
}
