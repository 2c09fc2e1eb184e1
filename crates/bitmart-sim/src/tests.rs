//! Rules of single orders. Properties that hold for all commands are tested in `conservation`.

use rust_decimal::Decimal;

use super::{
    AccountId, Exchange, OrderId, Reject,
    account::{DEFAULT_HISTORY_LIMIT, WalletKind},
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    spot_order::{NewSpotOrder, SpotOrderState, SpotOrderType},
};
use crate::{
    Command, OperatorCommand, Outcome, Setup,
    setup::{NewAccount, NewAccounts, StartingBalances},
};

pub(super) const START_MS: u64 = 1_700_000_000_000;

fn setup(seed: u64) -> Setup {
    Setup::new()
        .seed(seed)
        .account(AccountId(1))
        .account(AccountId(2))
        .spot_balance("USDT", Decimal::from(30_000))
        .futures_balance("USDT", Decimal::from(3_000))
}

pub(super) fn spot_order(
    buy: bool,
    kind: usize,
    self_trade_prevention: usize,
    price: i64,
    lots: i64,
) -> NewSpotOrder {
    let kind = [
        SpotOrderType::Limit,
        SpotOrderType::Market,
        SpotOrderType::LimitMaker,
        SpotOrderType::ImmediateOrCancel,
    ][kind];
    let side = if buy { Side::Buy } else { Side::Sell };
    let by_notional = kind == SpotOrderType::Market && buy;
    NewSpotOrder {
        symbol: "BTC_USDT".into(),
        margin: false,
        side,
        kind,
        client_order_id: None,
        self_trade_prevention: [
            None,
            Some(SelfTradePrevention::CancelMaker),
            Some(SelfTradePrevention::CancelTaker),
            Some(SelfTradePrevention::CancelBoth),
        ][self_trade_prevention],
        size: if by_notional { Decimal::ZERO } else { Decimal::new(lots, 3) },
        price: if kind == SpotOrderType::Market {
            Decimal::ZERO
        } else {
            Decimal::from(60_000 + price)
        },
        notional: if by_notional { Decimal::from(lots * 37) } else { Decimal::ZERO },
    }
}

pub(super) fn quiet() -> Exchange {
    Exchange::new(&setup(1).without_market_maker(), START_MS)
}

/// An opening order of hedge mode, cross margin at leverage 10.
pub(super) fn futures_order(buys: bool, price: Option<i64>, size: i64) -> NewFuturesOrder {
    NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side: if buys { FuturesSide::OpenLong } else { FuturesSide::OpenShort },
        price: price.map(Decimal::from),
        size: Decimal::from(size),
        mode: OrderMode::GoodTillCanceled,
        leverage: 10,
        margin_type: MarginType::Cross,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    }
}

#[test]
fn an_account_without_a_chosen_number_gets_the_lowest_unused_one() {
    // It has the accounts 1 and 2.
    let mut exchange = quiet();
    let operate = |exchange: &mut Exchange, command| {
        exchange.apply(Command::Operator(command), START_MS).expect("accepted")
    };
    let funds = StartingBalances::default();
    let open_next = |exchange: &mut Exchange| {
        operate(exchange, OperatorCommand::OpenNextAccount(funds.clone()))
    };
    assert_eq!(open_next(&mut exchange), Outcome::Account(AccountId(3)));
    let accounts = [5, 4].map(|id| NewAccount { id: AccountId(id), main: None }).to_vec();
    let chosen = NewAccounts { accounts, funds: funds.clone() };
    operate(&mut exchange, OperatorCommand::OpenAccounts(chosen));
    assert_eq!(open_next(&mut exchange), Outcome::Account(AccountId(6)));
    assert_eq!(open_next(&mut exchange), Outcome::Account(AccountId(7)));
}

fn place(exchange: &mut Exchange, account: u32, request: NewSpotOrder) -> OrderId {
    exchange.place_spot(AccountId(account), request, START_MS).expect("accepted")
}

#[test]
fn limit_maker_order_that_would_trade_is_accepted_and_then_canceled() {
    let mut exchange = quiet();
    place(&mut exchange, 1, spot_order(false, 0, 0, 0, 10));
    let id = place(&mut exchange, 2, spot_order(true, 2, 0, 0, 10));
    let order = &exchange.spot_orders[&id];
    assert_eq!(
        (order.state, order.cancel_source),
        (SpotOrderState::Canceled, Some(crate::spot_order::CancelSource::System))
    );
}

#[test]
fn market_buy_with_a_remainder_ends_partially_canceled_and_releases_it() {
    let mut exchange = quiet();
    place(&mut exchange, 1, spot_order(false, 0, 0, 0, 1_000));
    let request =
        NewSpotOrder { notional: Decimal::new(10_005, 1), ..spot_order(true, 1, 0, 0, 1) };
    let id = place(&mut exchange, 2, request);
    let order = &exchange.spot_orders[&id];
    // 0.01667 BTC at 60,000 are 1,000.2; 0.3 are released.
    assert_eq!(
        (order.state, order.filled_notional),
        (SpotOrderState::PartiallyCanceled, Decimal::new(10_002, 1))
    );
    let fee = Decimal::new(10_002, 4);
    let usdt = exchange.wallet(AccountId(2), WalletKind::Spot, "USDT");
    assert_eq!(usdt.available, Decimal::from(30_000) - order_value() - fee);
    assert_eq!(usdt.frozen, Decimal::ZERO);
}

fn order_value() -> Decimal {
    Decimal::new(10_002, 1)
}

#[test]
fn ioc_fills_what_the_book_has_and_cancels_the_rest() {
    let mut exchange = quiet();
    place(&mut exchange, 1, spot_order(false, 0, 0, 0, 10));
    let id = place(&mut exchange, 2, spot_order(true, 3, 0, 0, 25));
    let order = &exchange.spot_orders[&id];
    assert_eq!(
        (order.state, order.filled_size),
        (SpotOrderState::PartiallyCanceled, Decimal::new(10, 3))
    );
}

/// A market order that skips an own resting order must have frozen enough for the worse price.
#[test]
fn an_own_order_does_not_count_for_the_worst_price() {
    let mut exchange = quiet();
    let order = |side, price: Option<i64>| NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side,
        price: price.map(Decimal::from),
        size: Decimal::from(10),
        mode: OrderMode::GoodTillCanceled,
        leverage: 1,
        margin_type: MarginType::Cross,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    };
    let mut place = |account, request| {
        exchange.place_futures(AccountId(account), request, START_MS).expect("accepted")
    };
    place(1, order(FuturesSide::OpenShort, Some(60_000)));
    place(2, order(FuturesSide::OpenShort, Some(90_000)));
    place(1, order(FuturesSide::OpenLong, None));
    let wallet = exchange.wallet(AccountId(1), WalletKind::Futures, "USDT");
    assert_eq!((wallet.frozen, exchange.futures_fills().len()), (Decimal::ZERO, 2));
    assert_eq!(wallet.available, Decimal::from(3_000 - 900) - Decimal::new(54, 2));
}

/// A fill-or-kill order counts only orders with which it would trade, and changes nothing when it is killed.
#[test]
fn fill_or_kill_fills_whole_or_not_at_all_with_own_orders_in_the_book() {
    let order = |side, size, mode| NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side,
        price: Some(Decimal::from(60_000)),
        size: Decimal::from(size),
        mode,
        leverage: 10,
        margin_type: MarginType::Cross,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    };
    let rest = |side, size| order(side, size, OrderMode::GoodTillCanceled);
    for (size, filled) in [(6, 0), (5, 5)] {
        let mut exchange = quiet();
        let mut place = |account, request| {
            exchange.place_futures(AccountId(account), request, START_MS).expect("accepted")
        };
        place(2, rest(FuturesSide::OpenShort, 3));
        let own = place(1, rest(FuturesSide::OpenShort, 10));
        place(2, rest(FuturesSide::OpenShort, 2));
        let kill = place(1, order(FuturesSide::OpenLong, size, OrderMode::FillOrKill));
        let orders = &exchange.futures_orders;
        assert_eq!((orders[&kill].open, orders[&kill].filled), (false, Decimal::from(filled)));
        assert_eq!(
            orders[&own].open,
            filled == 0,
            "an own order is canceled only by an order that fills"
        );
    }
}

#[test]
fn the_oldest_finished_order_is_removed_and_open_ones_are_not() {
    let mut exchange = quiet();
    let open = place(&mut exchange, 1, spot_order(false, 0, 0, 30, 10));
    let first = place(&mut exchange, 2, spot_order(true, 3, 0, 30, 1));
    let ioc =
        || NewSpotOrder { client_order_id: Some("again".into()), ..spot_order(true, 3, 0, 0, 1) };
    let second = place(&mut exchange, 2, ioc());
    for _ in 2..DEFAULT_HISTORY_LIMIT {
        place(&mut exchange, 2, spot_order(true, 3, 0, 0, 1));
        exchange.take_events();
    }
    assert!(exchange.spot_orders.contains_key(&first));
    place(&mut exchange, 2, spot_order(true, 3, 0, 0, 1));
    assert!(!exchange.spot_orders.contains_key(&first));
    assert_eq!(
        exchange.place_spot(AccountId(2), ioc(), START_MS).expect_err("used"),
        Reject::DuplicateClientOrderId
    );
    assert!(exchange.spot_orders.contains_key(&second));
    place(&mut exchange, 2, spot_order(true, 3, 0, 0, 1));
    assert!(exchange.place_spot(AccountId(2), ioc(), START_MS).is_ok(), "the id can be used again");
    assert!(exchange.spot_orders.contains_key(&open));
    // The fill is kept longer than its order, and has a symbol.
    let fills = exchange.fill_rows();
    assert_eq!(fills.len(), 2);
    assert!(fills.iter().all(|fill| fill.symbol == "BTC_USDT"));
    assert_eq!(exchange.spot_fills_of(open).count(), 1);
}

#[test]
fn closing_a_long_position_at_a_profit_pays_the_profit() {
    let mut exchange = quiet();
    let mut trade = |account, side, price: i64| {
        let request = NewFuturesOrder {
            symbol: "BTCUSDT".into(),
            side,
            price: Some(Decimal::from(price)),
            size: Decimal::from(10),
            mode: OrderMode::GoodTillCanceled,
            leverage: 10,
            margin_type: MarginType::Cross,
            client_order_id: None,
            self_trade_prevention: SelfTradePrevention::CancelMaker,
        };
        exchange.place_futures(AccountId(account), request, START_MS).expect("accepted");
    };
    trade(2, FuturesSide::OpenShort, 60_000);
    trade(1, FuturesSide::OpenLong, 60_000);
    trade(2, FuturesSide::CloseShort, 61_000);
    trade(1, FuturesSide::CloseLong, 61_000);
    // 10 contracts of 0.001 BTC win 10; fees: 600 * 0.06 % as taker in, 610 * 0.06 % as taker out.
    let wallet = exchange.wallet(AccountId(1), WalletKind::Futures, "USDT");
    assert_eq!(wallet.available, Decimal::from(3_010) - Decimal::new(726, 3));
    assert_eq!(wallet.frozen, Decimal::ZERO);
}

#[test]
fn a_resting_buy_freezes_only_the_cost_of_its_rest() {
    let mut exchange = quiet();
    place(&mut exchange, 1, spot_order(false, 0, 0, -1_000, 10));
    let id = place(&mut exchange, 2, spot_order(true, 0, 0, 0, 30));
    // 0.01 BTC cost 590 and a fee of 0.59; 0.02 BTC at 60,000 with a fee of 0.1 % are open.
    let usdt = exchange.wallet(AccountId(2), WalletKind::Spot, "USDT");
    assert_eq!(usdt.frozen, Decimal::new(12_012, 1));
    assert_eq!(usdt.available, Decimal::from(30_000) - Decimal::new(59_059, 2) - usdt.frozen);
    assert_eq!(exchange.cancel_spot(AccountId(2), id, START_MS), Ok(()));
    assert_eq!(exchange.wallet(AccountId(2), WalletKind::Spot, "USDT").frozen, Decimal::ZERO);
}

#[test]
fn a_resting_futures_order_freezes_only_the_margin_of_its_rest() {
    let mut exchange = quiet();
    let mut order = |account, buys, price, size| {
        let order = futures_order(buys, Some(price), size);
        exchange.place_futures(AccountId(account), order, START_MS).expect("accepted");
        exchange.wallet(AccountId(account), WalletKind::Futures, "USDT").frozen
    };
    // A tenth of the value, and 0.06 % of it for the fee.
    let held = |value: i64| Decimal::from(value) * Decimal::new(1_006, 4);
    order(1, true, 62_000, 10);
    assert_eq!(
        order(2, false, 60_000, 30),
        held(1_200),
        "a sell that filled at a better price first"
    );
    order(1, true, 60_000, 5);
    let usdt = |account| exchange.wallet(AccountId(account), WalletKind::Futures, "USDT");
    assert_eq!(usdt(2).frozen, held(900), "a maker pays less than was frozen");
    assert_eq!(usdt(1).frozen, Decimal::ZERO);
}
