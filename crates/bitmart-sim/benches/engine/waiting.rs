//! Trigger orders with prices far away: half of them for the pair of the one book, half for its contract.

use bitmart_sim::{
    AccountId, Command, Contract, Decimal, Exchange, FuturesRequest, Request, Setup, SpotRequest,
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    spot_order::NewSpotOrder,
    trigger::{
        Algo, AlgoKind, Condition, Direction, NewAlgo, NewPlan, Plan, PlanKind, Preset, PriceType,
    },
};

/// Trigger orders of an account, on each of spot and futures.
const EACH: usize = 100;
/// Accounts with trigger orders. They exist even when nothing waits.
const OWNERS: u32 = 500;
/// Their first number; accounts of the mix have lower ones.
const FIRST: u32 = 101;

/// Returns the exchange of the one book, with so many waiting orders.
pub(crate) fn exchange(count: usize) -> Exchange {
    let setup = super::setup(1_000).contracts([Contract::new(
        "BTC",
        "USDT",
        Decimal::new(1, 3),
        1,
        Decimal::from(60_000),
    )]);
    let setup = (FIRST..FIRST + OWNERS).map(AccountId).fold(setup, Setup::account);
    let mut exchange = Exchange::new(&setup, super::START_MS);
    for number in 0..count {
        let owner = u32::try_from(number / 2 / EACH).unwrap_or(0);
        let account = AccountId(FIRST + owner);
        let (rises, away) = (number % 4 < 2, Decimal::from(number % 9_973));
        let price = Decimal::from(60_000);
        let price = if rises { price * Decimal::TWO + away } else { price / Decimal::TWO - away };
        let request = if number % 2 == 0 { spot(price) } else { futures(price, rises) };
        let command = Command::Customer { account, request };
        exchange.apply(command, super::START_MS).expect("accepted");
    }
    exchange.take_events();
    exchange
}

fn spot(trigger_price: Decimal) -> Request {
    let order =
        NewSpotOrder::limit("BTC_USDT", Side::Buy, Decimal::new(1, 3), Decimal::from(60_000));
    let terms = Algo { kind: AlgoKind::Trigger, order };
    SpotRequest::PlaceTrigger(NewAlgo { trigger_price, terms }).into()
}

fn futures(price: Decimal, rises: bool) -> Request {
    let direction = if rises { Direction::Rise } else { Direction::Fall };
    let order = NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side: FuturesSide::OpenLong,
        price: None,
        size: Decimal::ONE,
        mode: OrderMode::GoodTillCanceled,
        leverage: 10,
        margin_type: MarginType::Cross,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    };
    let preset = Preset::default();
    FuturesRequest::PlacePlan(NewPlan {
        client_order_id: None,
        condition: Condition::Reach { price, direction, price_type: PriceType::Mark },
        terms: Plan { kind: PlanKind::Plan, order, whole_position: false, preset },
    })
    .into()
}
