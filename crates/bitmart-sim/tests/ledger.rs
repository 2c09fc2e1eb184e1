//! A long script of random commands. Two runs must give the same ledger. A run without market makers must give the
//! totals per market in [`FIGURES`], which change only with the rules of matching or fees; such a change updates them.

use std::fmt::Write as _;

use bitmart_sim::{Decimal, Setup};

use self::script::{run, setup};

#[path = "ledger/script.rs"]
mod script;

/// The seed of the script.
const SEED: u64 = 17;

/// Returns all events and the final state as text.
fn text(setup: &Setup) -> String {
    let mut text = String::new();
    let exchange = run(setup, SEED, 2_000, |_, events| {
        for event in events {
            writeln!(text, "{event:?}").expect("text");
        }
    });
    let rows = (exchange.fill_rows(), exchange.order_rows(), exchange.balance_rows());
    let books = (exchange.book_rows("BTC_USDT"), exchange.book_rows("BTCUSDT"));
    write!(text, "{rows:?}{books:?}").expect("text");
    text
}

#[test]
fn the_same_seed_and_commands_give_the_same_ledger_and_another_seed_another_one() {
    let first = text(&setup());
    // Not compared by `assert_eq`, which would print all of it.
    assert!(first == text(&setup()));
    assert!(first != text(&setup().seed(2)));
}

/// Totals of the fills of a market.
#[derive(Debug, PartialEq, Eq)]
struct Figures {
    symbol: &'static str,
    fills: usize,
    last_trade: &'static str,
    size: &'static str,
    fees: &'static str,
}

const FIGURES: [Figures; 2] = [
    Figures {
        symbol: "BTC_USDT",
        fills: 7_422,
        last_trade: "125277182593003711",
        size: "36.74918",
        fees: "2204.20545718",
    },
    Figures {
        symbol: "BTCUSDT",
        fills: 3_360,
        last_trade: "1409001680",
        size: "19742",
        fees: "473.8116272",
    },
];

#[test]
fn plain_orders_trade_by_unchanged_rules() {
    let exchange = run(&setup().without_market_maker(), SEED, 20_000, |_, _| {});
    let fills = exchange.fill_rows();
    let totals = FIGURES.map(|figures| {
        let rows: Vec<_> = fills.iter().filter(|row| row.symbol == figures.symbol).collect();
        let last = rows.iter().map(|row| row.trade_id.as_str()).max().unwrap_or_default();
        let size: Decimal = rows.iter().map(|row| row.size).sum();
        let fees: Decimal = rows.iter().map(|row| row.fee).sum();
        let (size, fees) = (size.normalize().to_string(), fees.normalize().to_string());
        (figures.symbol, rows.len(), last.to_owned(), size, fees)
    });
    let expected = FIGURES.map(|figures| {
        let Figures { symbol, fills, last_trade, size, fees } = figures;
        (symbol, fills, last_trade.to_owned(), size.to_owned(), fees.to_owned())
    });
    assert_eq!(totals, expected);
}
