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

#[test]
fn a_command_is_rejected_when_its_time_is_more_than_a_century_ahead() {
    let mut exchange = quiet();
    let maximum_ms = START_MS + 36_500 * 86_400_000;
    for late_ms in [maximum_ms + 1, u64::MAX] {
        let result = exchange.apply(Command::Wait, late_ms);
        assert_eq!(result, Err(Reject::TimeTooFar { maximum_ms }));
    }
    assert_eq!(exchange.apply(Command::Wait, maximum_ms), Ok(Outcome::Done));
}

/// A random order for `BTC_USDT`, from the index of its type (limit, market, post-only, immediate-or-cancel) and of its
/// self-trade prevention (none, cancel maker, taker, both). The price is a distance from 60,000, the size is in
/// thousandths of a BTC. A market buy spends 37 USDT for each of them.
pub(super) fn generated_spot_order(
    buys: bool,
    kind: usize,
    prevention: usize,
    distance: i64,
    milli_btc: i64,
) -> NewSpotOrder {
    let side = if buys { Side::Buy } else { Side::Sell };
    let limit = spot_limit(side, 60_000 + distance, milli_btc);
    let order = match (kind, side) {
        (0, _) => limit,
        (1, Side::Buy) => market_buy(milli_btc * 37),
        (1, Side::Sell) => market_sell(milli_btc),
        (2, _) => post_only(limit),
        _ => immediate(limit),
    };
    let preventions = [
        None,
        Some(SelfTradePrevention::CancelMaker),
        Some(SelfTradePrevention::CancelTaker),
        Some(SelfTradePrevention::CancelBoth),
    ];
    NewSpotOrder { self_trade_prevention: preventions[prevention], ..order }
}

/// A limit order for `BTC_USDT`, its size in thousandths of a BTC.
pub(super) fn spot_limit(side: Side, price: i64, milli_btc: i64) -> NewSpotOrder {
    NewSpotOrder::limit("BTC_USDT", side, Decimal::new(milli_btc, 3), Decimal::from(price))
}

pub(super) fn limit_buy(price: i64, milli_btc: i64) -> NewSpotOrder {
    spot_limit(Side::Buy, price, milli_btc)
}

pub(super) fn limit_sell(price: i64, milli_btc: i64) -> NewSpotOrder {
    spot_limit(Side::Sell, price, milli_btc)
}

/// Spends so many USDT.
pub(super) fn market_buy(usdt: i64) -> NewSpotOrder {
    NewSpotOrder::market_buy("BTC_USDT", Decimal::from(usdt))
}

/// Sells so many thousandths of a BTC.
pub(super) fn market_sell(milli_btc: i64) -> NewSpotOrder {
    NewSpotOrder::market_sell("BTC_USDT", Decimal::new(milli_btc, 3))
}

pub(super) fn post_only(order: NewSpotOrder) -> NewSpotOrder {
    NewSpotOrder { kind: SpotOrderType::LimitMaker, ..order }
}

/// Makes an immediate-or-cancel order of a limit order.
pub(super) fn immediate(order: NewSpotOrder) -> NewSpotOrder {
    NewSpotOrder { kind: SpotOrderType::ImmediateOrCancel, ..order }
}

pub(super) fn with_prevention(policy: SelfTradePrevention, order: NewSpotOrder) -> NewSpotOrder {
    NewSpotOrder { self_trade_prevention: Some(policy), ..order }
}

/// An exchange without market makers. Accounts 1 and 2 have 30,000 USDT in the spot wallet and 3,000 USDT in the
/// futures wallet, and the usual starting balances of other currencies.
pub(super) fn quiet() -> Exchange {
    Exchange::new(&setup(1).without_market_maker(), START_MS)
}

/// An order of hedge mode for BTCUSDT, with cross margin at leverage 10. Without a price it is a market order.
pub(super) fn futures_order(
    side: FuturesSide,
    price: Option<i64>,
    contracts: i64,
) -> NewFuturesOrder {
    NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side,
        price: price.map(Decimal::from),
        size: Decimal::from(contracts),
        mode: OrderMode::GoodTillCanceled,
        leverage: 10,
        margin_type: MarginType::Cross,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    }
}

pub(super) fn open_long(price: Option<i64>, contracts: i64) -> NewFuturesOrder {
    futures_order(FuturesSide::OpenLong, price, contracts)
}

pub(super) fn open_short(price: Option<i64>, contracts: i64) -> NewFuturesOrder {
    futures_order(FuturesSide::OpenShort, price, contracts)
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
fn a_post_only_order_that_would_trade_is_accepted_and_then_canceled() {
    let mut exchange = quiet();
    place(&mut exchange, 1, limit_sell(60_000, 10));
    let id = place(&mut exchange, 2, post_only(limit_buy(60_000, 10)));
    let order = &exchange.spot_orders[&id];
    assert_eq!(
        (order.state, order.cancel_source),
        (SpotOrderState::Canceled, Some(crate::spot_order::CancelSource::System))
    );
}

#[test]
fn a_market_buy_with_a_remainder_ends_partially_canceled_and_releases_it() {
    let mut exchange = quiet();
    place(&mut exchange, 1, limit_sell(60_000, 1_000));
    let buy = NewSpotOrder { notional: Decimal::new(10_005, 1), ..market_buy(0) };
    let id = place(&mut exchange, 2, buy);
    let order = &exchange.spot_orders[&id];
    // Of 1,000.5 USDT 0.01667 BTC at 60,000 cost 1,000.2; 0.3 are released. The fee is 0.1 %.
    let (value, fee) = (Decimal::new(10_002, 1), Decimal::new(10_002, 4));
    assert_eq!((order.state, order.filled_notional), (SpotOrderState::PartiallyCanceled, value));
    let usdt = exchange.wallet(AccountId(2), WalletKind::Spot, "USDT");
    assert_eq!(usdt.available, Decimal::from(30_000) - value - fee);
    assert_eq!(usdt.frozen, Decimal::ZERO);
}

#[test]
fn an_immediate_order_fills_what_the_book_has_and_cancels_the_rest() {
    let mut exchange = quiet();
    place(&mut exchange, 1, limit_sell(60_000, 10));
    let id = place(&mut exchange, 2, immediate(limit_buy(60_000, 25)));
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
    let mut place = |account, order| {
        let order = NewFuturesOrder { leverage: 1, ..order };
        exchange.place_futures(AccountId(account), order, START_MS).expect("accepted")
    };
    place(1, open_short(Some(60_000), 10));
    place(2, open_short(Some(90_000), 10));
    place(1, open_long(None, 10));
    let wallet = exchange.wallet(AccountId(1), WalletKind::Futures, "USDT");
    assert_eq!((wallet.frozen, exchange.futures_fills().len()), (Decimal::ZERO, 2));
    // 10 contracts of 0.001 BTC at 90,000 are 900 of margin, and a taker pays 0.06 % of them.
    assert_eq!(wallet.available, Decimal::from(3_000 - 900) - Decimal::new(54, 2));
}

/// A fill-or-kill order counts only orders with which it would trade, and changes nothing when it is killed.
#[test]
fn fill_or_kill_fills_whole_or_not_at_all_with_own_orders_in_the_book() {
    // The others offer 3 + 2 contracts.
    for (size, filled) in [(6, 0), (5, 5)] {
        let mut exchange = quiet();
        let mut place = |account, order| {
            exchange.place_futures(AccountId(account), order, START_MS).expect("accepted")
        };
        place(2, open_short(Some(60_000), 3));
        let own = place(1, open_short(Some(60_000), 10));
        place(2, open_short(Some(60_000), 2));
        let mode = OrderMode::FillOrKill;
        let killed = place(1, NewFuturesOrder { mode, ..open_long(Some(60_000), size) });
        let orders = &exchange.futures_orders;
        assert_eq!((orders[&killed].open, orders[&killed].filled), (false, Decimal::from(filled)));
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
    let open = place(&mut exchange, 1, limit_sell(60_030, 10));
    let first = place(&mut exchange, 2, immediate(limit_buy(60_030, 1)));
    let named = || NewSpotOrder {
        client_order_id: Some("again".into()),
        ..immediate(limit_buy(60_000, 1))
    };
    let second = place(&mut exchange, 2, named());
    for _ in 2..DEFAULT_HISTORY_LIMIT {
        place(&mut exchange, 2, immediate(limit_buy(60_000, 1)));
        exchange.take_events();
    }
    assert!(exchange.spot_orders.contains_key(&first));
    place(&mut exchange, 2, immediate(limit_buy(60_000, 1)));
    assert!(!exchange.spot_orders.contains_key(&first));
    assert_eq!(
        exchange.place_spot(AccountId(2), named(), START_MS).expect_err("used"),
        Reject::DuplicateClientOrderId
    );
    assert!(exchange.spot_orders.contains_key(&second));
    place(&mut exchange, 2, immediate(limit_buy(60_000, 1)));
    assert!(
        exchange.place_spot(AccountId(2), named(), START_MS).is_ok(),
        "the id can be used again"
    );
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
        let order = futures_order(side, Some(price), 10);
        exchange.place_futures(AccountId(account), order, START_MS).expect("accepted");
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
    place(&mut exchange, 1, limit_sell(59_000, 10));
    let id = place(&mut exchange, 2, limit_buy(60_000, 30));
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
    // Returns what the account has frozen afterwards.
    let mut place = |account, order| {
        exchange.place_futures(AccountId(account), order, START_MS).expect("accepted");
        exchange.wallet(AccountId(account), WalletKind::Futures, "USDT").frozen
    };
    // A tenth of the value, and 0.06 % of it for the fee.
    let margin_and_fee = |value: i64| Decimal::from(value) * Decimal::new(1_006, 4);
    place(1, open_long(Some(62_000), 10));
    // 20 of 30 contracts rest, worth 1,200.
    assert_eq!(
        place(2, open_short(Some(60_000), 30)),
        margin_and_fee(1_200),
        "a sell that filled at a better price first"
    );
    place(1, open_long(Some(60_000), 5));
    let frozen = |account| exchange.wallet(AccountId(account), WalletKind::Futures, "USDT").frozen;
    assert_eq!(frozen(2), margin_and_fee(900), "a maker pays less than was frozen");
    assert_eq!(frozen(1), Decimal::ZERO);
}
