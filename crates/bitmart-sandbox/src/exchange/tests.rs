//! What must hold whatever happens: money is conserved, balances stay positive, books stay
//! uncrossed, states move forward, and the same seed gives the same ledger.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{
    AccountId, Exchange, OrderId,
    account::{HISTORY, Wallet},
    book::{SelfTrade, Side},
    funding::NewWithdrawal,
    futures_order::{FuturesSide, Mode, NewFuturesOrder},
    order::{Kind, NewSpotOrder, State},
};
use crate::{config::Config, keys::ApiKey};

const START_MS: u64 = 1_700_000_000_000;

/// One thing that customers or the market do.
#[derive(Debug, Clone)]
enum Step {
    Spot {
        account: u32,
        buy: bool,
        kind: usize,
        stp: usize,
        price: i64,
        lots: i64,
    },
    CancelSpot {
        account: u32,
        pick: usize,
    },
    Futures {
        account: u32,
        side: usize,
        mode: usize,
        stp: usize,
        price: Option<i64>,
        size: i64,
        leverage: u32,
    },
    CancelFutures {
        account: u32,
        pick: usize,
    },
    Withdraw {
        account: u32,
        amount: i64,
    },
    Market,
}

fn step() -> impl Strategy<Value = Step> {
    let account = || 1..3_u32;
    prop_oneof![
        6 => (account(), any::<bool>(), 0..4_usize, 0..4_usize, -40..40_i64, 1..200_i64).prop_map(
            |(account, buy, kind, stp, price, lots)| Step::Spot { account, buy, kind, stp, price, lots }
        ),
        2 => (account(), any::<usize>()).prop_map(|(account, pick)| Step::CancelSpot { account, pick }),
        6 => (
            account(),
            0..4_usize,
            0..4_usize,
            0..3_usize,
            proptest::option::of(-40..40_i64),
            1..300_i64,
            1..50_u32,
        )
            .prop_map(|(account, side, mode, stp, price, size, leverage)| Step::Futures {
                account, side, mode, stp, price, size, leverage,
            }),
        2 => (account(), any::<usize>()).prop_map(|(account, pick)| Step::CancelFutures { account, pick }),
        1 => (account(), 1..500_i64).prop_map(|(account, amount)| Step::Withdraw { account, amount }),
        3 => Just(Step::Market),
    ]
}

fn config(seed: u64) -> Config {
    Config::new()
        .seed(seed)
        .stepped_clock(START_MS)
        .api_key(ApiKey::new("a", "a", "a"))
        .api_key(ApiKey::new("b", "b", "b").account(2))
        .spot_balance("USDT", Decimal::from(30_000))
        .futures_balance("USDT", Decimal::from(3_000))
}

fn spot_order(buy: bool, kind: usize, stp: usize, price: i64, lots: i64) -> NewSpotOrder {
    let kind = [Kind::Limit, Kind::Market, Kind::LimitMaker, Kind::Ioc][kind];
    let side = if buy { Side::Buy } else { Side::Sell };
    let by_notional = kind == Kind::Market && buy;
    NewSpotOrder {
        symbol: "BTC_USDT".into(),
        margin: false,
        side,
        kind,
        client_id: None,
        stp: [
            None,
            Some(SelfTrade::CancelMaker),
            Some(SelfTrade::CancelTaker),
            Some(SelfTrade::CancelBoth),
        ][stp],
        size: if by_notional { Decimal::ZERO } else { Decimal::new(lots, 3) },
        price: if kind == Kind::Market { Decimal::ZERO } else { Decimal::from(60_000 + price) },
        notional: if by_notional { Decimal::from(lots * 37) } else { Decimal::ZERO },
    }
}

/// Runs a step. A refusal is fine: what must hold is checked after it.
fn run(exchange: &mut Exchange, step: &Step, now_ms: u64) {
    exchange.settle_due(now_ms);
    match *step {
        Step::Spot { account, buy, kind, stp, price, lots } => {
            let request = spot_order(buy, kind, stp, price, lots);
            let _ = exchange.place_spot(AccountId(account), request, now_ms);
        }
        Step::CancelSpot { account, pick } => {
            let own = exchange.account(AccountId(account)).spot_orders.all();
            if let Some(id) = own.get(pick % own.len().max(1)) {
                let _ = exchange.cancel_spot(AccountId(account), *id, now_ms);
            }
        }
        Step::Futures { account, side, mode, stp, price, size, leverage } => {
            use FuturesSide::{CloseLong, CloseShort, OpenLong, OpenShort};
            use Mode::{FillOrKill, GoodTilCancelled, ImmediateOrCancel, MakerOnly};
            let request = NewFuturesOrder {
                symbol: "BTCUSDT".into(),
                side: [OpenLong, CloseShort, CloseLong, OpenShort][side],
                price: price.map(|price| Decimal::from(60_000 + price)),
                size: Decimal::from(size),
                mode: [GoodTilCancelled, FillOrKill, ImmediateOrCancel, MakerOnly][mode],
                leverage,
                isolated: false,
                client_id: None,
                stp: [SelfTrade::CancelMaker, SelfTrade::CancelTaker, SelfTrade::CancelBoth][stp],
            };
            let _ = exchange.place_futures(AccountId(account), request, now_ms);
        }
        Step::CancelFutures { account, pick } => {
            let own = exchange.account(AccountId(account)).futures_orders.all();
            if let Some(id) = own.get(pick % own.len().max(1)) {
                let _ = exchange.cancel_futures(AccountId(account), *id, now_ms);
            }
        }
        Step::Withdraw { account, amount } => {
            let request = NewWithdrawal {
                currency: "USDT-TRC20".into(),
                amount: Decimal::from(amount),
                address: "T".to_owned(),
                address_memo: String::new(),
                source: None,
            };
            let _ = exchange.withdraw(AccountId(account), request, now_ms);
        }
        Step::Market => exchange.step_market(now_ms),
    }
}

/// All USDT there is: wallets, margin, what left, and what positions won or lost at any one price.
fn all_usdt(exchange: &Exchange) -> Decimal {
    let wallet = |wallet: Option<&Wallet>| {
        wallet.map_or(Decimal::ZERO, |wallet| wallet.available + wallet.frozen)
    };
    let accounts = exchange.accounts.values().map(|account| {
        let positions: Decimal = account
            .positions
            .iter()
            .map(|((_, long), position)| {
                position.margin + if *long { -position.cost } else { position.cost }
            })
            .sum();
        wallet(account.spot.get("USDT")) + wallet(account.futures.get("USDT")) + positions
    });
    let gone = exchange.collected.get("USDT").copied().unwrap_or_default();
    let insured = exchange.insured.get("USDT").copied().unwrap_or_default();
    accounts.sum::<Decimal>() + gone - insured
}

fn all_btc(exchange: &Exchange) -> Decimal {
    let wallets = exchange.accounts.values().filter_map(|account| account.spot.get("BTC"));
    wallets.map(|wallet| wallet.available + wallet.frozen).sum()
}

fn check(exchange: &Exchange) -> Result<(), TestCaseError> {
    for account in exchange.accounts.values().filter(|account| !account.house) {
        for wallet in account.spot.values().chain(account.futures.values()) {
            prop_assert!(wallet.available >= Decimal::ZERO, "available {}", wallet.available);
            prop_assert!(wallet.frozen >= Decimal::ZERO, "frozen {}", wallet.frozen);
        }
        for position in account.positions.values() {
            prop_assert!(position.size >= Decimal::ZERO && position.margin >= Decimal::ZERO);
            prop_assert!(position.closing >= Decimal::ZERO && position.closing <= position.size);
        }
    }
    let spot = exchange.spot.values().map(|market| &market.book);
    for book in spot.chain(exchange.futures.values().map(|market| &market.book)) {
        if let (Some(bid), Some(ask)) = (book.best_bid(), book.best_ask()) {
            prop_assert!(bid.0 < ask.0, "crossed: {} {}", bid.0, ask.0);
        }
    }
    for order in exchange.spot_orders.values().filter(|order| !order.state.is_open()) {
        prop_assert_eq!(order.reserved, Decimal::ZERO);
    }
    for order in exchange.futures_orders.values().filter(|order| !order.open) {
        prop_assert_eq!(order.reserved, Decimal::ZERO);
    }
    Ok(())
}

/// What open orders and withdrawals hold is what the wallets have frozen, currency by currency.
fn check_frozen(exchange: &Exchange) -> Result<(), TestCaseError> {
    for account in exchange.accounts.values().filter(|account| !account.house) {
        let mut spot: BTreeMap<SmolStr, Decimal> = BTreeMap::new();
        for order in exchange.spot_orders.values().filter(|order| order.account == account.id) {
            let rules = &exchange.spot[&order.request.symbol].rules;
            let buys = order.request.side == Side::Buy;
            let currency = if buys { &rules.quote } else { &rules.base };
            *spot.entry(currency.clone()).or_default() += order.reserved;
        }
        for currency in account.spot.keys() {
            let under_way = exchange.spot_on_its_way(account.id, currency);
            *spot.entry(currency.clone()).or_default() += under_way;
        }
        let mut futures: BTreeMap<SmolStr, Decimal> = BTreeMap::new();
        for order in exchange.futures_orders.values().filter(|order| order.account == account.id) {
            let quote = &exchange.futures[&order.request.symbol].rules.quote;
            *futures.entry(quote.clone()).or_default() += order.reserved;
        }
        for (reserved, wallets) in [(spot, &account.spot), (futures, &account.futures)] {
            for (currency, wallet) in wallets {
                let reserved = reserved.get(currency).copied().unwrap_or_default();
                prop_assert_eq!(reserved, wallet.frozen, "{}", currency);
            }
            prop_assert!(reserved.keys().all(|currency| wallets.contains_key(currency)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn money_is_conserved_over_random_operations(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 1..300),
    ) {
        let mut exchange = Exchange::new(&config(seed), START_MS);
        let (usdt, btc) = (all_usdt(&exchange), all_btc(&exchange));
        let mut states: HashMap<OrderId, State> = HashMap::new();
        for (at, step) in (1_u64..).zip(&steps) {
            run(&mut exchange, step, START_MS + at * 50);
            check(&exchange)?;
            for order in exchange.spot_orders.values() {
                let before = states.insert(order.id, order.state).unwrap_or(State::New);
                prop_assert!(before <= order.state, "{before:?} went back to {:?}", order.state);
            }
        }
        check_frozen(&exchange)?;
        prop_assert_eq!(all_usdt(&exchange), usdt);
        prop_assert_eq!(all_btc(&exchange), btc);
    }

    #[test]
    fn same_seed_and_steps_give_the_same_ledger(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let ledger = || {
            let mut exchange = Exchange::new(&config(seed), START_MS);
            for (at, step) in (1_u64..).zip(&steps) {
                run(&mut exchange, step, START_MS + at * 50);
            }
            let events = exchange.take_events();
            (exchange.ledger_fills(), exchange.ledger_orders(), exchange.ledger_balances(), events)
        };
        prop_assert_eq!(ledger(), ledger());
    }
}

fn quiet() -> Exchange {
    Exchange::new(&config(1).market_maker(false), START_MS)
}

fn place(exchange: &mut Exchange, account: u32, request: NewSpotOrder) -> OrderId {
    exchange.place_spot(AccountId(account), request, START_MS).expect("accepted")
}

#[test]
fn limit_maker_that_would_take_is_accepted_and_then_cancelled() {
    let mut exchange = quiet();
    place(&mut exchange, 1, spot_order(false, 0, 0, 0, 10));
    let id = place(&mut exchange, 2, spot_order(true, 2, 0, 0, 10));
    let order = &exchange.spot_orders[&id];
    assert_eq!(
        (order.state, order.cancel_source.map(super::order::CancelSource::word)),
        (State::Canceled, Some("system"))
    );
}

#[test]
fn market_buy_with_a_remainder_ends_partially_canceled_and_gets_it_back() {
    let mut exchange = quiet();
    place(&mut exchange, 1, spot_order(false, 0, 0, 0, 1_000));
    let request =
        NewSpotOrder { notional: Decimal::new(10_005, 1), ..spot_order(true, 1, 0, 0, 1) };
    let id = place(&mut exchange, 2, request);
    let order = &exchange.spot_orders[&id];
    // 0.01667 BTC at 60,000 is 1,000.2; 0.3 comes back.
    assert_eq!(
        (order.state, order.filled_notional),
        (State::PartiallyCanceled, Decimal::new(10_002, 1))
    );
    let fee = Decimal::new(10_002, 4);
    let usdt = exchange.account(AccountId(2)).spot["USDT"];
    assert_eq!(usdt.available, Decimal::from(30_000) - order_value() - fee);
    assert_eq!(usdt.frozen, Decimal::ZERO);
}

fn order_value() -> Decimal {
    Decimal::new(10_002, 1)
}

#[test]
fn ioc_fills_what_is_there_and_cancels_the_rest() {
    let mut exchange = quiet();
    place(&mut exchange, 1, spot_order(false, 0, 0, 0, 10));
    let id = place(&mut exchange, 2, spot_order(true, 3, 0, 0, 25));
    let order = &exchange.spot_orders[&id];
    assert_eq!((order.state, order.filled_size), (State::PartiallyCanceled, Decimal::new(10, 3)));
}

/// A market order that sweeps past its own resting order must have frozen enough.
#[test]
fn an_own_order_in_the_way_does_not_count_as_the_price() {
    let mut exchange = quiet();
    let order = |side, price: Option<i64>| NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side,
        price: price.map(Decimal::from),
        size: Decimal::from(10),
        mode: Mode::GoodTilCancelled,
        leverage: 1,
        isolated: false,
        client_id: None,
        stp: SelfTrade::CancelMaker,
    };
    let mut place = |account, request| {
        exchange.place_futures(AccountId(account), request, START_MS).expect("accepted")
    };
    place(1, order(FuturesSide::OpenShort, Some(60_000)));
    place(2, order(FuturesSide::OpenShort, Some(90_000)));
    place(1, order(FuturesSide::OpenLong, None));
    let wallet = exchange.account(AccountId(1)).futures["USDT"];
    assert_eq!((wallet.frozen, exchange.futures_fills.len()), (Decimal::ZERO, 2));
    assert_eq!(wallet.available, Decimal::from(3_000 - 900) - Decimal::new(54, 2));
}

/// A fill-or-kill order counts only what it would really get, and touches nothing when it is killed.
#[test]
fn fill_or_kill_fills_whole_or_not_at_all_beside_own_orders() {
    let order = |side, size, mode| NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side,
        price: Some(Decimal::from(60_000)),
        size: Decimal::from(size),
        mode,
        leverage: 10,
        isolated: false,
        client_id: None,
        stp: SelfTrade::CancelMaker,
    };
    let rest = |side, size| order(side, size, Mode::GoodTilCancelled);
    for (size, filled) in [(6, 0), (5, 5)] {
        let mut exchange = quiet();
        let mut place = |account, request| {
            exchange.place_futures(AccountId(account), request, START_MS).expect("accepted")
        };
        place(2, rest(FuturesSide::OpenShort, 3));
        let own = place(1, rest(FuturesSide::OpenShort, 10));
        place(2, rest(FuturesSide::OpenShort, 2));
        let kill = place(1, order(FuturesSide::OpenLong, size, Mode::FillOrKill));
        let orders = &exchange.futures_orders;
        assert_eq!((orders[&kill].open, orders[&kill].filled), (false, Decimal::from(filled)));
        assert_eq!(orders[&own].open, filled == 0, "an own order is touched only on the way");
    }
}

#[test]
fn the_oldest_finished_order_is_forgotten_and_open_ones_are_not() {
    let mut exchange = quiet();
    let open = place(&mut exchange, 1, spot_order(false, 0, 0, 30, 10));
    let first = place(&mut exchange, 2, spot_order(true, 3, 0, 30, 1));
    let ioc = || NewSpotOrder { client_id: Some("again".into()), ..spot_order(true, 3, 0, 0, 1) };
    let second = place(&mut exchange, 2, ioc());
    for _ in 2..HISTORY {
        place(&mut exchange, 2, spot_order(true, 3, 0, 0, 1));
        exchange.take_events();
    }
    assert!(exchange.spot_orders.contains_key(&first));
    place(&mut exchange, 2, spot_order(true, 3, 0, 0, 1));
    assert!(!exchange.spot_orders.contains_key(&first));
    assert_eq!(exchange.place_spot(AccountId(2), ioc(), START_MS).expect_err("used").code, 50042);
    assert!(exchange.spot_orders.contains_key(&second));
    place(&mut exchange, 2, spot_order(true, 3, 0, 0, 1));
    assert!(exchange.place_spot(AccountId(2), ioc(), START_MS).is_ok(), "the id is free again");
    assert!(exchange.spot_orders.contains_key(&open));
    // The trade outlives its order and still has a symbol.
    let fills = exchange.ledger_fills();
    assert_eq!(fills.len(), 2);
    assert!(fills.iter().all(|fill| fill.symbol == "BTC_USDT"));
    assert_eq!(exchange.spot_fills_of(open).count(), 1);
}

#[test]
fn closing_a_winning_long_pays_the_profit() {
    let mut exchange = quiet();
    let mut trade = |account, side, price: i64| {
        let request = NewFuturesOrder {
            symbol: "BTCUSDT".into(),
            side,
            price: Some(Decimal::from(price)),
            size: Decimal::from(10),
            mode: Mode::GoodTilCancelled,
            leverage: 10,
            isolated: false,
            client_id: None,
            stp: SelfTrade::CancelMaker,
        };
        exchange.place_futures(AccountId(account), request, START_MS).expect("accepted");
    };
    trade(2, FuturesSide::OpenShort, 60_000);
    trade(1, FuturesSide::OpenLong, 60_000);
    trade(2, FuturesSide::CloseShort, 61_000);
    trade(1, FuturesSide::CloseLong, 61_000);
    // 10 contracts of 0.001 BTC win 10; fees: 600 * 0.06 % as taker in, 610 * 0.06 % as taker out.
    let wallet = exchange.account(AccountId(1)).futures["USDT"];
    assert_eq!(wallet.available, Decimal::from(3_010) - Decimal::new(726, 3));
    assert_eq!(wallet.frozen, Decimal::ZERO);
}
