//! A script of random commands of four accounts, for tests and benches.

use bitmart_sim::{
    AccountId, Command, Decimal, Event, Exchange, FuturesRequest, OrderId, Outcome, Request, Setup,
    SpotRequest,
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
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
            SpotOrderType::ImmediateOrCancel,
            SpotOrderType::Market,
        ]);
        let side = self.pick(&[Side::Buy, Side::Sell]);
        let market = kind == SpotOrderType::Market;
        let by_notional = market && side == Side::Buy;
        let self_trade_prevention = [
            SelfTradePrevention::CancelMaker,
            SelfTradePrevention::CancelTaker,
            SelfTradePrevention::CancelBoth,
        ];
        NewSpotOrder {
            symbol: "BTC_USDT".into(),
            margin: false,
            side,
            kind,
            client_order_id: None,
            self_trade_prevention: (self.below(2) == 0).then(|| self.pick(&self_trade_prevention)),
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
            OrderMode::GoodTillCanceled,
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
            margin_type: MarginType::Cross,
            client_order_id: None,
            self_trade_prevention: SelfTradePrevention::CancelMaker,
        }
    }

    /// Returns a request. The newest spot and futures order are those near which one is canceled.
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

/// Applies a number of commands of the script with a seed, which is not 0. Calls `after` with the events of each.
pub(crate) fn run(
    setup: &Setup,
    seed: u64,
    commands: u64,
    mut after: impl FnMut(&Exchange, Vec<Event>),
) -> Exchange {
    let mut random = Random(seed);
    let mut exchange = Exchange::new(setup, START_MS);
    // The newest spot and futures order.
    let mut newest = (OrderId(0), OrderId(0));
    for number in 0..commands {
        let command = if setup.market_maker && number % 20 == 0 {
            Command::StepMarket
        } else {
            let account = AccountId(1 + random.below(4));
            Command::Customer { account, request: random.request(newest) }
        };
        let is_spot = matches!(&command, Command::Customer { request: Request::Spot(_), .. });
        if let Ok(Outcome::Order(id)) = exchange.apply(command, START_MS + number * 50) {
            *(if is_spot { &mut newest.0 } else { &mut newest.1 }) = id;
        }
        let events = exchange.take_events();
        after(&exchange, events);
    }
    exchange
}

/// Four accounts with money.
pub(crate) fn setup() -> Setup {
    (1..=4).fold(Setup::new(), |setup, id| setup.account(AccountId(id)))
}
