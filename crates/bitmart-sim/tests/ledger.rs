//! A long script of random commands. Two runs must give the same ledger. A run without market makers must give the
//! totals per market in [`FIGURES`], which change only with the rules of matching or fees; such a change updates them.

use std::fmt::Write as _;

use bitmart_sim::{
    AccountId, Command, Decimal, Event, Exchange, FuturesRequest, OrderId, Outcome, Request, Setup,
    SpotRequest,
    book::{SelfTrade, Side},
    futures_order::{FuturesSide, NewFuturesOrder, OrderMode},
    spot_order::{NewSpotOrder, SpotOrderType},
    trigger::Preset,
};

const START_MS: u64 = 1_700_000_000_000;

/// An xorshift generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 33) % u64::from(limit)).expect("small")
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(u32::try_from(all.len()).expect("small")) as usize]
    }

    fn price(&mut self) -> Decimal {
        Decimal::new(5_990_000 + i64::from(self.below(20_000)), 2)
    }

    fn spot(&mut self) -> NewSpotOrder {
        let kind = self.pick(&[
            SpotOrderType::Limit,
            SpotOrderType::Limit,
            SpotOrderType::LimitMaker,
            SpotOrderType::Ioc,
            SpotOrderType::Market,
        ]);
        let side = self.pick(&[Side::Buy, Side::Sell]);
        let market = kind == SpotOrderType::Market;
        let by_notional = market && side == Side::Buy;
        let stp = [SelfTrade::CancelMaker, SelfTrade::CancelTaker, SelfTrade::CancelBoth];
        NewSpotOrder {
            symbol: "BTC_USDT".into(),
            margin: false,
            side,
            kind,
            client_id: None,
            stp: (self.below(2) == 0).then(|| self.pick(&stp)),
            size: if by_notional { Decimal::ZERO } else { self.size(5) },
            price: if market { Decimal::ZERO } else { self.price() },
            notional: if by_notional { self.size(1) } else { Decimal::ZERO },
        }
    }

    fn size(&mut self, decimals: u32) -> Decimal {
        Decimal::new(i64::from(100 + self.below(2_000)), decimals)
    }

    fn futures(&mut self) -> NewFuturesOrder {
        let side = self.pick(&[
            FuturesSide::OpenLong,
            FuturesSide::OpenShort,
            FuturesSide::CloseLong,
            FuturesSide::CloseShort,
        ]);
        let mode = self.pick(&[
            OrderMode::GoodTilCancelled,
            OrderMode::ImmediateOrCancel,
            OrderMode::FillOrKill,
        ]);
        NewFuturesOrder {
            symbol: "BTCUSDT".into(),
            side,
            price: (self.below(4) > 0).then(|| self.price().round_dp(1)),
            size: Decimal::from(1 + self.below(20)),
            mode,
            leverage: 10,
            isolated: false,
            client_id: None,
            stp: SelfTrade::CancelMaker,
        }
    }

    fn request(&mut self, (spot, futures): (OrderId, OrderId)) -> Request {
        let back = u64::from(self.below(30));
        match self.below(6) {
            0 => SpotRequest::Cancel(OrderId(spot.0.saturating_sub(back))).into(),
            1 => FuturesRequest::Cancel(OrderId(futures.0.saturating_sub(back))).into(),
            2 | 3 => {
                FuturesRequest::Place { order: self.futures(), preset: Preset::default() }.into()
            }
            _ => SpotRequest::Place(self.spot()).into(),
        }
    }
}

/// Applies a number of commands of the script, and passes every event to `on_event`.
fn run(setup: &Setup, commands: u64, mut on_event: impl FnMut(&Event)) -> Exchange {
    let mut random = Random(17);
    let mut exchange = Exchange::new(setup, START_MS);
    let mut newest = (OrderId(0), OrderId(0));
    for number in 0..commands {
        let command = if setup.market_maker && number % 20 == 0 {
            Command::StepMarket
        } else {
            let account = AccountId(1 + random.below(4));
            Command::Customer { account, request: random.request(newest) }
        };
        let spot = matches!(&command, Command::Customer { request: Request::Spot(_), .. });
        if let Ok(Outcome::Order(id)) = exchange.apply(command, START_MS + number * 50) {
            *(if spot { &mut newest.0 } else { &mut newest.1 }) = id;
        }
        exchange.take_events().iter().for_each(&mut on_event);
    }
    exchange
}

/// Returns all events and the final state as text.
fn text(setup: &Setup) -> String {
    let mut text = String::new();
    let exchange = run(setup, 2_000, |event| writeln!(text, "{event:?}").expect("text"));
    let rows = (exchange.fill_rows(), exchange.order_rows(), exchange.balance_rows());
    let books = (exchange.book_rows("BTC_USDT"), exchange.book_rows("BTCUSDT"));
    write!(text, "{rows:?}{books:?}").expect("text");
    text
}

fn setup() -> Setup {
    (1..=4).fold(Setup::new(), |setup, id| setup.account(AccountId(id)))
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
    let exchange = run(&setup().without_market_maker(), 20_000, |_| {});
    let fills = exchange.fill_rows();
    let found = FIGURES.map(|figures| {
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
    assert_eq!(found, expected);
}
