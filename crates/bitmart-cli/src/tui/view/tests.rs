//! Draws a model and compares the text of the screen.

use std::time::{Duration, Instant};

use bitmart::{Decimal, Timestamp, dec};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::chart::Candle;
use crate::tui::model::{Account, Event, Model, OwnOrder, State, Ticker, Trade};

fn model() -> (Model, Instant) {
    let now = Instant::now();
    let mut model = Model::new("BTC_USDT".to_owned(), "sandbox".to_owned());
    let level =
        |side: Decimal| move |at: i64| (dec!(60000.00) + side * Decimal::from(at), dec!(0.01050));
    let bids = (1..=50).map(level(dec!(-1.5))).collect();
    let asks = (1..=50).map(level(dec!(1.5))).collect();
    model.apply(Event::Book { bids, asks, is_synchronized: true }, now);
    let candle = |at: i64| {
        let base = dec!(60000) + Decimal::from(at % 7) * dec!(10);
        let time = Timestamp::from_millis(at * 60_000);
        Candle {
            time,
            open: base,
            high: base + dec!(9),
            low: base - dec!(9),
            close: base + dec!(4),
        }
    };
    model.apply(Event::Candles { step: 1, candles: (0..150).map(candle).collect() }, now);
    for at in 0..40 {
        let time = Timestamp::from_millis(9_000_000 + at * 1_000);
        let trade =
            Trade { time, price: dec!(60000.25), size: dec!(0.0025), buy: Some(at % 2 == 0) };
        model.apply(Event::Trade(trade), now);
    }
    model.apply(
        Event::Ticker(Ticker {
            last: Some(dec!(60000.25)),
            change: Some(dec!(-0.0125)),
            high: Some(dec!(61096.75)),
            low: Some(dec!(58489.29)),
            volume: Some(dec!(336.1016)),
            mark: None,
        }),
        now,
    );
    // Orders next to the market, at the best price, and many far away.
    let far =
        |at: i64| OwnOrder { buy: true, price: Some(Decimal::from(40_000 + at)), left: dec!(1) };
    let mut orders: Vec<_> = (0..20).map(far).collect();
    orders.push(OwnOrder { buy: true, price: Some(dec!(59998.50)), left: dec!(0.5) });
    orders.push(OwnOrder { buy: false, price: Some(dec!(60003.00)), left: dec!(0.25) });
    let balances = vec![
        ("BTC".to_owned(), dec!(5), Some(dec!(0))),
        ("USDT".to_owned(), dec!(99250.125), Some(dec!(600))),
    ];
    model.apply(Event::Account(Account { orders, balances, positions: Vec::new() }), now);
    model.apply(Event::State("trades", State::Open), now);
    model.apply(Event::RoundTrip(Duration::from_millis(12)), now);
    (model, now)
}

/// The screen as text.
fn screen(model: &Model, now: Instant, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| super::draw(frame, model, now)).expect("drawn");
    let buffer = terminal.backend().buffer();
    let row = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(row).collect()
}

fn assert_shown(screen: &[String], wanted: &[&str]) {
    for text in wanted {
        let is_shown = screen.iter().any(|line| line.contains(text));
        assert!(is_shown, "{text:?} is not on the screen:\n{}", screen.join("\n"));
    }
}

#[test]
fn all_parts_fit_80_columns_and_24_lines() {
    let (mut model, now) = model();
    model.apply(Event::State("trades", State::Lost("reset".to_owned())), now);
    model.apply(Event::Resynced("trades"), now);
    model.apply(Event::Lagged(7), now);
    let screen = screen(&model, now + Duration::from_millis(1_250), 80, 24);
    assert_shown(
        &screen,
        &[
            " SANDBOX  BTC_USDT 60000.25 -1.25 %",
            "24 h 58489.29 to 61096.75",
            "volume 336.1016",
            "candles of 1 min",
            "account, 22 orders",
            "book: price, size, sum",
            "trades, min:s",
            "spread 3.00 (0.5 bp)",
            "30:39 60000.25",
            "USDT 99250.12 +600",
            "buy 0.5@59998.50",
            "sell 0.25@60003.00",
            "● connected  data 1.2 s old  round trip 12 ms  resyncs 1  lagged 7",
            "q tab ↓↑",
        ],
    );
    let marked: Vec<_> = screen.iter().filter(|line| line.contains('•')).collect();
    assert_eq!(marked.len(), 2, "{}", screen.join("\n"));
    assert!(marked[0].contains("60003.00") && marked[1].contains("59998.50"));
    // At least ten levels per side, the best ones next to the spread.
    let spread = screen.iter().position(|line| line.contains("spread")).expect("a spread");
    assert!(screen[spread - 1].contains("60001.50") && screen[spread + 1].contains("59998.50"));
    let rungs = screen.iter().filter(|line| line.contains("0.0105")).count();
    assert!(rungs >= 19, "{rungs} levels");
}

#[test]
fn a_large_screen_shows_more_and_a_small_one_reports_its_size() {
    let (model, now) = model();
    let (small, large) = (screen(&model, now, 80, 24), screen(&model, now, 140, 50));
    let trades = |screen: &[String]| screen.iter().filter(|line| line.contains("30:")).count();
    assert!(trades(&large) > trades(&small));
    assert!(screen(&model, now, 40, 10)[0].contains("too small"));
}

#[test]
fn shows_an_incomplete_book_and_a_lost_connection() {
    let (mut model, now) = model();
    model.apply(Event::Book { bids: Vec::new(), asks: Vec::new(), is_synchronized: false }, now);
    let why = "connection reset by peer after a very long story that no line can hold at all";
    model.apply(Event::State("trades", State::Lost(why.to_owned())), now);
    model.apply(Event::NoAccount("login refused".to_owned()), now);
    let screen = screen(&model, now, 80, 24);
    assert_shown(
        &screen,
        &["waiting for a snapshot", "no spread", "● lost: connection", "login refused"],
    );
    assert_shown(&screen, &["round trip 12 ms"]);
}

#[test]
fn the_ladder_scrolls_away_from_the_spread() {
    let (mut model, now) = model();
    for _ in 0..3 {
        model.scroll_away();
    }
    let moved = screen(&model, now, 80, 24);
    assert_shown(&moved, &["book, 3 levels away", "59994.00"]);
    assert!(!moved.iter().any(|line| line.contains("60001.50")));
    for _ in 0..5 {
        model.scroll_back();
    }
    assert_shown(&screen(&model, now, 80, 24), &["60001.50"]);
}
