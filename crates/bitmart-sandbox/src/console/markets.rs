//! The pages about markets: all of them, and one.

use askama::Template;
use bitmart_sim::{
    Exchange,
    book::Book,
    book::Side,
    futures::FuturesMarket,
    operator::LeverageBracket,
    tape::{Candle, Tape},
};
use rust_decimal::Decimal;

use super::{
    form::CallForm,
    page::{self, Shell, Visit},
    plot,
    reply::Reply,
    rows::{self, plain},
    table::{Column, Row, Table, TableElement},
    time,
};
use crate::operator::{DelistContract, HaltMarket, MovePrice, SetBrackets};

/// Minutes that the small line of prices beside a market shows.
const SPARK_MINUTES: usize = 120;
/// Candles of a plot.
const CANDLES: usize = 120;
/// Price levels of each side of the order book.
const LEVELS: usize = 15;
/// Latest trades.
const TRADES: usize = 40;

const MARKETS: &[Column] = &[
    Column::text("market, two hours"),
    Column::number("last"),
    Column::number("24 hours"),
    Column::number("24 h low"),
    Column::number("24 h high"),
    Column::number("24 h volume"),
    Column::number("24 h turnover"),
    Column::number("bid"),
    Column::number("ask"),
    Column::number("spread"),
    Column::number("open orders"),
    Column::text("state"),
];

/// A pair or contract.
struct Market<'a> {
    symbol: &'a str,
    book: &'a Book,
    tape: &'a Tape,
    /// `None` for a pair.
    contract: Option<&'a FuturesMarket>,
}

fn find<'a>(exchange: &'a Exchange, symbol: &str) -> Option<Market<'a>> {
    all(exchange).into_iter().find(|market| market.symbol == symbol)
}

fn all(exchange: &Exchange) -> Vec<Market<'_>> {
    let spot = exchange.spot_markets().map(|market| Market {
        symbol: &market.rules.symbol,
        book: &market.book,
        tape: &market.tape,
        contract: None,
    });
    let futures = exchange.futures_markets().map(|market| Market {
        symbol: &market.rules.symbol,
        book: &market.book,
        tape: &market.tape,
        contract: Some(market),
    });
    spot.chain(futures).collect()
}

impl Market<'_> {
    fn is_halted(&self, exchange: &Exchange) -> bool {
        exchange.is_halted(self.symbol)
    }

    fn is_delisted(&self, exchange: &Exchange) -> bool {
        exchange.operator_settings().delisted_ms(self.symbol).is_some()
    }

    fn state(&self, exchange: &Exchange) -> &'static str {
        match (self.is_delisted(exchange), self.is_halted(exchange)) {
            (true, _) => "delisted",
            (false, true) => "halted",
            (false, false) => "trading",
        }
    }

    /// The row of the market, still without its plot, and the prices for that.
    fn row(&self, exchange: &Exchange, now_ms: u64, open_orders: usize) -> (Row, Vec<Decimal>) {
        let last = self.tape.last_price();
        let day = self.tape.day(now_ms);
        let of_day = |value: fn(&Candle) -> Decimal| day.as_ref().map(value).map(plain);
        let change = day.as_ref().zip(last).and_then(|(day, last)| {
            let change = (last - day.open).checked_div(day.open)?;
            Some(format!("{:+} %", percent(change)))
        });
        let (bid, ask) = (self.book.best_bid(), self.book.best_ask());
        let spread = bid.zip(ask).and_then(|(bid, ask)| {
            Some(format!("{} %", percent((ask.0 - bid.0).checked_div(ask.0)?)))
        });
        let closes: Vec<Decimal> = self.tape.candles(1).iter().map(|candle| candle.close).collect();
        let recent = closes.get(closes.len().saturating_sub(SPARK_MINUTES)..).unwrap_or_default();
        let cells = vec![
            Some(self.symbol.to_owned()),
            last.map(plain),
            change,
            of_day(|day| day.low),
            of_day(|day| day.high),
            of_day(|day| day.volume.round_dp(3)),
            of_day(|day| day.turnover.round()),
            bid.map(|(price, _)| plain(price)),
            ask.map(|(price, _)| plain(price)),
            spread,
            Some(open_orders.to_string()),
            Some(self.state(exchange).to_owned()),
        ];
        let cells = cells.into_iter().map(Option::unwrap_or_default).collect();
        let link = Some(format!("/console/markets/{}", self.symbol));
        (Row { link, cells, plot: None }, recent.to_vec())
    }
}

/// A ratio in percent.
fn percent(ratio: Decimal) -> Decimal {
    (ratio * Decimal::ONE_HUNDRED).round_dp(3).normalize()
}

#[derive(Template)]
#[template(path = "console/markets.html")]
struct Markets {
    shell: Shell,
    table: TableElement,
}

/// All markets.
pub(super) fn page(visit: &Visit<'_>) -> Reply {
    let state = visit.shared.state();
    let now_ms = state.clock.now_ms();
    let markets = all(&state.exchange);
    let counts = rows::open_counts(&state.exchange);
    let row = |market: &Market<'_>| {
        let open_orders = counts.get(market.symbol).copied().unwrap_or_default();
        market.row(&state.exchange, now_ms, open_orders)
    };
    let rows: Vec<_> = markets.iter().map(row).collect();
    drop((markets, counts));
    drop(state);
    // Drawn without the lock, so that no order waits.
    let rows = rows.into_iter().map(|(row, prices)| Row {
        plot: plot::spark(&format!("{}: the last two hours", row.cells[0]), &prices),
        ..row
    });
    let table =
        Table::element("markets", "Pairs, then contracts", MARKETS, rows, "None are listed.");
    page::render(&Markets { shell: visit.shell("Markets", "Markets"), table })
}

#[derive(Template)]
#[template(path = "console/market.html")]
struct MarketPage {
    shell: Shell,
    symbol: String,
    facts: Vec<(&'static str, String)>,
    minutes: u64,
    plot: Option<String>,
    ladder: TableElement,
    tape: TableElement,
    orders: TableElement,
    brackets: Option<TableElement>,
    set_brackets: Option<CallForm>,
    forms: Vec<CallForm>,
}

const LADDER: &[Column] =
    &[Column::text("side"), Column::number("price"), Column::number("size"), Column::number("sum")];
const TAPE: &[Column] =
    &[Column::text("time"), Column::number("price"), Column::number("size"), Column::text("taker")];
const BRACKETS: &[Column] = &[
    Column::text("leverage up to"),
    Column::number("value above"),
    Column::number("value up to"),
    Column::number("maintenance ratio"),
];

/// One market.
pub(super) fn market(visit: &Visit<'_>, symbol: &str) -> Reply {
    let state = visit.shared.state();
    let exchange = &state.exchange;
    let Some(market) = find(exchange, symbol) else {
        drop(state);
        return page::missing(visit);
    };
    let minutes = visit.query.get("minutes").and_then(|text| text.parse().ok());
    let minutes = minutes.filter(|minutes| [1, 5, 15].contains(minutes)).unwrap_or(1);
    let mut candles = market.tape.candles(minutes);
    let candles = candles.split_off(candles.len().saturating_sub(CANDLES));
    let symbol = market.symbol.to_owned();
    let (halted, delisted) = (market.is_halted(exchange), market.is_delisted(exchange));
    let mut facts = vec![
        ("State", market.state(exchange).to_owned()),
        ("Last price", market.tape.last_price().map(plain).unwrap_or_default()),
    ];
    if let Some(contract) = market.contract {
        facts.extend([
            ("Mark price", plain(contract.mark_price())),
            ("Index price", plain(contract.index_price())),
            ("Expected funding rate", plain(contract.funding_rates.expected())),
            ("Contract size", plain(contract.rules.contract_size)),
        ]);
    }
    let ladder = ladder(market.book);
    let tape: Vec<_> = market
        .tape
        .trades(TRADES)
        .map(|trade| {
            vec![
                time::of_day(trade.time_ms),
                plain(trade.price),
                plain(trade.size),
                rows::side(trade.side).to_owned(),
            ]
        })
        .collect();
    let orders = rows::orders_on(exchange, &symbol);
    let brackets = market.contract.map(|contract| {
        contract
            .rules
            .brackets
            .iter()
            .map(|row| {
                vec![row.leverage.to_string(), plain(row.floor), plain(row.cap), plain(row.ratio)]
            })
            .collect::<Vec<_>>()
    });
    let editable = market.contract.map(editable);
    drop(state);
    let back = format!("/console/markets/{symbol}");
    let halt = if halted { "Resume" } else { "Halt" };
    let mut forms = vec![
        CallForm::of::<HaltMarket>("halt", halt, &back)
            .fixed("symbol", &symbol)
            .fixed("halted", !halted),
        CallForm::of::<MovePrice>("move", "Move the price", &back).fixed("symbol", &symbol),
    ];
    let mut set_brackets = None;
    if let Some(rows) = editable {
        let form = CallForm::of::<SetBrackets>("brackets-form", "Set the brackets", &back);
        set_brackets = Some(form.fixed("symbol", &symbol).lines("brackets", rows).refill(visit));
        let delist = if delisted { "List again" } else { "Delist" };
        forms.push(
            CallForm::of::<DelistContract>("delist", delist, &back)
                .fixed("symbol", &symbol)
                .fixed("delisted", !delisted)
                .destructive(),
        );
    }
    let title = format!("{symbol}: candles, {minutes} min each");
    page::render(&MarketPage {
        shell: visit.shell(symbol.clone(), "Markets"),
        facts,
        minutes,
        plot: plot::candles(&title, &candles),
        ladder: Table::element(
            "ladder",
            "Order book, best prices in the middle",
            LADDER,
            ladder,
            "It is empty.",
        ),
        tape: Table::element("tape", "Latest trades", TAPE, tape, "None."),
        orders: Table::element("orders", "Open orders of customers", rows::ORDERS, orders, "None."),
        brackets: brackets.map(|rows| {
            Table::element(
                "brackets",
                "Leverage by value of the position, in the quote currency",
                BRACKETS,
                rows,
                "None.",
            )
        }),
        set_brackets,
        forms: forms.into_iter().map(|form| form.refill(visit)).collect(),
        symbol,
    })
}

/// The brackets of a contract as the form sets them: JSON, a line for each.
fn editable(contract: &FuturesMarket) -> String {
    let rows = contract.rules.brackets.iter().map(LeverageBracket::from);
    let rows = rows.filter_map(|row| serde_json::to_string(&row).ok());
    format!("[{}]", rows.collect::<Vec<_>>().join(",\n "))
}

/// The levels of a book; the sum of a level is the size up to it, from the best price on.
fn ladder(book: &Book) -> Vec<Vec<String>> {
    let side = |side: Side, name: &'static str| {
        let mut sum = Decimal::ZERO;
        let rows = book.levels(side, LEVELS).into_iter().map(move |(price, size)| {
            sum += size;
            vec![name.to_owned(), plain(price), plain(size), plain(sum)]
        });
        rows.collect::<Vec<_>>()
    };
    let mut rows = side(Side::Sell, "ask");
    rows.reverse();
    rows.extend(side(Side::Buy, "bid"));
    rows
}
