//! Sequences of futures commands.

use rust_decimal::Decimal;

use super::{apply, place_futures, plan, quiet};
use crate::{
    AccountId, Command, Contract, Exchange, FuturesRequest, OperatorCommand, OrderId, Reject,
    Setup, WalletRequest,
    account::WalletKind,
    book::SelfTradePrevention,
    conservation::steps::START_MS,
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    position::PositionSide,
    rules::MAX_AMOUNT,
    tape::Candle,
    tests::{futures_order, open_long, open_short},
    transfer::{AccountWallet, NewTransfer},
    trigger::{PlanKind, Preset, TriggerState},
};

fn modify(
    exchange: &mut Exchange,
    account: u32,
    id: OrderId,
    price: Option<i64>,
    size: Option<i64>,
) -> Result<(), Reject> {
    let (price, size) = (price.map(Decimal::from), size.map(Decimal::from));
    apply(exchange, account, FuturesRequest::Modify { id, price, size }).map(drop)
}

fn filled(exchange: &Exchange, id: OrderId) -> i64 {
    let filled = exchange.futures_order(id).map(|order| order.filled).unwrap_or_default();
    i64::try_from(filled).expect("contracts")
}

#[test]
fn a_fill_keeps_the_place_in_the_queue_and_a_change_loses_it() {
    let mut exchange = quiet();
    let first = place_futures(&mut exchange, 1, open_short(Some(60_000), 10)).expect("placed");
    let second = place_futures(&mut exchange, 2, open_short(Some(60_000), 10)).expect("placed");
    let fills = |exchange: &Exchange| (filled(exchange, first), filled(exchange, second));
    place_futures(&mut exchange, 3, open_long(Some(60_000), 4)).expect("placed");
    place_futures(&mut exchange, 3, open_long(Some(60_000), 1)).expect("placed");
    assert_eq!(fills(&exchange), (5, 0), "the rest of a filled order keeps its place");
    // Rejected: the size is filled already, and there is no money for the other one.
    assert!(modify(&mut exchange, 1, first, None, Some(5)).is_err());
    assert!(modify(&mut exchange, 1, first, None, Some(400_000)).is_err());
    place_futures(&mut exchange, 3, open_long(Some(60_000), 1)).expect("placed");
    assert_eq!(fills(&exchange), (6, 0), "a rejected change keeps the place");
    assert_eq!(modify(&mut exchange, 1, first, Some(60_000), None), Ok(()));
    place_futures(&mut exchange, 3, open_long(Some(60_000), 12)).expect("placed");
    assert_eq!(fills(&exchange), (8, 10), "a change to the same price loses the place");
}

#[test]
fn a_post_only_order_that_is_changed_to_a_price_of_the_other_side_does_not_take() {
    let mut exchange = quiet();
    place_futures(&mut exchange, 1, open_short(Some(60_000), 5)).expect("placed");
    let order = NewFuturesOrder { mode: OrderMode::PostOnly, ..open_long(Some(59_000), 5) };
    let maker = place_futures(&mut exchange, 2, order).expect("placed");
    assert_eq!(modify(&mut exchange, 2, maker, Some(60_000), None), Ok(()));
    let order = exchange.futures_order(maker).expect("kept");
    assert_eq!((order.open, order.filled), (false, Decimal::ZERO));
    assert_eq!(exchange.wallet(AccountId(2), WalletKind::Futures, "USDT").frozen, Decimal::ZERO);
}

/// Two reduce-only orders cannot both have the same contracts, neither at once nor one after the other.
#[test]
fn reduce_only_orders_never_open_a_position() {
    for one_way in [false, true] {
        let mut exchange = quiet();
        for account in [1, 2] {
            apply(&mut exchange, account, FuturesRequest::SetOneWay(one_way))
                .expect("nothing open");
        }
        place_futures(&mut exchange, 2, open_short(Some(60_000), 10)).expect("placed");
        place_futures(&mut exchange, 1, open_long(Some(60_000), 10)).expect("placed");
        let close = |price, size| futures_order(FuturesSide::CloseLong, Some(price), size);
        let resting = place_futures(&mut exchange, 1, close(61_000, 6)).expect("placed");
        assert_eq!(
            place_futures(&mut exchange, 1, close(61_000, 5)),
            Err(Reject::PositionTooSmall)
        );
        assert_eq!(
            modify(&mut exchange, 1, resting, None, Some(11)),
            Err(Reject::PositionTooSmall)
        );
        assert_eq!(modify(&mut exchange, 1, resting, None, Some(10)), Ok(()));
        // An order of one-way mode closes the contracts first, although they are reserved.
        let sell = open_short(Some(60_000), 10);
        place_futures(&mut exchange, 2, open_long(Some(60_000), 10)).expect("placed");
        place_futures(&mut exchange, 1, sell).expect("placed");
        let is_open = exchange.futures_order(resting).is_some_and(|order| order.open);
        assert_eq!(is_open, !one_way, "without contracts to close it is canceled");
        place_futures(&mut exchange, 3, open_long(Some(61_000), 10)).expect("placed");
        let owner = exchange.account(AccountId(1)).expect("it");
        let short = owner
            .position(&"BTCUSDT".into(), PositionSide::Short)
            .map_or(Decimal::ZERO, |one| one.size);
        assert_eq!(short, Decimal::from(if one_way { 0 } else { 10 }), "{one_way}");
    }
}

#[test]
fn leverage_and_margin_type_cannot_change_under_an_open_order() {
    let mut exchange = quiet();
    let set = |leverage, margin_type| FuturesRequest::SetLeverage {
        symbol: "BTCUSDT".into(),
        leverage,
        margin_type,
    };
    let order = place_futures(&mut exchange, 1, open_long(Some(59_000), 10)).expect("placed");
    assert_eq!(apply(&mut exchange, 1, set(20, MarginType::Cross)), Err(Reject::LeverageMismatch));
    assert_eq!(
        apply(&mut exchange, 1, set(10, MarginType::Isolated)),
        Err(Reject::MarginTypeMismatch)
    );
    let other = NewFuturesOrder { leverage: 100, ..open_long(Some(59_000), 10) };
    assert_eq!(place_futures(&mut exchange, 1, other.clone()), Err(Reject::LeverageMismatch));
    // A trigger order is checked when it is placed.
    place_futures(&mut exchange, 2, open_short(Some(60_000), 1)).expect("placed");
    let place = FuturesRequest::PlacePlan(plan(PlanKind::Plan, other));
    let id = OrderId(apply(&mut exchange, 1, place).expect("accepted"));
    let state = exchange.triggers().futures.get(id).map(|plan| plan.state);
    assert_eq!(state, Some(TriggerState::Rejected));
    apply(&mut exchange, 1, FuturesRequest::Cancel(order)).expect("open");
    apply(&mut exchange, 1, set(20, MarginType::Cross)).expect("nothing open");
}

/// Profit that is not realized pays for cross orders only; it can neither leave the wallet nor be spent twice.
#[test]
fn unrealized_profit_cannot_be_withdrawn_or_spent_twice() {
    let mut exchange = quiet();
    place_futures(&mut exchange, 2, open_short(Some(60_000), 100)).expect("placed");
    place_futures(&mut exchange, 1, open_long(Some(60_000), 100)).expect("placed");
    let candle = Candle::flat(START_MS / 60_000 * 60_000, Decimal::from(70_000));
    let symbol = "BTCUSDT".into();
    let command = OperatorCommand::RecordCandle { symbol, candle };
    exchange.apply(Command::Operator(command), START_MS).expect("recorded");
    exchange.apply(Command::Wait, START_MS + 300_000).expect("waited");
    let money = exchange.collateral(AccountId(1), &"USDT".into());
    assert!(money.unrealized() > Decimal::from(500), "{money:?}");
    let transfer = |amount| {
        let end = |kind| AccountWallet { account: AccountId(1), kind };
        let (from, to) = (end(WalletKind::Futures), end(WalletKind::Spot));
        let transfer = NewTransfer { from, to, currency: "USDT".into(), amount };
        WalletRequest::Transfer { transfer, number: None }
    };
    let cash = money.cash;
    assert!(apply(&mut exchange, 1, transfer(cash + Decimal::ONE)).is_err());
    // Cross orders may spend the profit, once: a contract at 59,000 costs 5.94.
    let most = (money.available() / Decimal::from(6)).trunc();
    let order = |size| open_long(Some(59_000), size);
    let most = i64::try_from(most).expect("contracts");
    let first = place_futures(&mut exchange, 1, order(most)).expect("paid with the profit");
    let money = exchange.collateral(AccountId(1), &"USDT".into());
    assert!(money.cash < Decimal::ZERO && money.withdrawable().is_zero(), "{money:?}");
    assert!(place_futures(&mut exchange, 1, order(100)).is_err());
    assert!(apply(&mut exchange, 1, transfer(Decimal::new(1, 2))).is_err());
    apply(&mut exchange, 1, FuturesRequest::Cancel(first)).expect("open");
    let money = exchange.collateral(AccountId(1), &"USDT".into());
    assert!(money.equity() >= money.unrealized(), "{money:?}");
}

/// A fill-or-kill order that self-trade prevention would stop is killed, and takes nothing.
#[test]
fn fill_or_kill_with_an_own_order_in_the_way_takes_nothing() {
    for (policy, own_left) in
        [(SelfTradePrevention::CancelTaker, true), (SelfTradePrevention::CancelBoth, false)]
    {
        let mut exchange = quiet();
        let other = place_futures(&mut exchange, 2, open_short(Some(60_000), 3));
        let own = place_futures(&mut exchange, 1, open_short(Some(60_000), 3)).expect("placed");
        let order = NewFuturesOrder {
            mode: OrderMode::FillOrKill,
            self_trade_prevention: policy,
            ..open_long(Some(60_000), 5)
        };
        let killed = place_futures(&mut exchange, 1, order).expect("accepted");
        assert_eq!((filled(&exchange, killed), filled(&exchange, other.expect("placed"))), (0, 0));
        assert_eq!(exchange.futures_order(own).map(|order| order.open), Some(own_left));
    }
}

/// A taker that sweeps the book meets orders of an account in one-way mode whose contracts its own fills have closed.
#[test]
fn a_sweep_over_orders_of_one_position_closes_it_once() {
    let mut exchange = quiet();
    apply(&mut exchange, 1, FuturesRequest::SetOneWay(true)).expect("nothing open");
    place_futures(&mut exchange, 2, open_short(Some(60_000), 10)).expect("placed");
    place_futures(&mut exchange, 1, open_long(Some(60_000), 10)).expect("placed");
    let close = |price| futures_order(FuturesSide::CloseLong, price, 5);
    // It opens when it is placed, and closes when it is filled first.
    let opening = open_short(Some(61_000), 20);
    place_futures(&mut exchange, 1, close(Some(61_003))).expect("placed");
    place_futures(&mut exchange, 1, close(Some(61_002))).expect("placed");
    place_futures(&mut exchange, 1, opening).expect("placed");
    let taker = place_futures(&mut exchange, 3, open_long(Some(62_000), 30)).expect("placed");
    assert_eq!(filled(&exchange, taker), 20);
    let owner = exchange.account(AccountId(1)).expect("it");
    let size = |side| owner.position(&"BTCUSDT".into(), side).map_or(Decimal::ZERO, |one| one.size);
    assert_eq!(
        (size(PositionSide::Long), size(PositionSide::Short)),
        (Decimal::ZERO, Decimal::from(10))
    );
    assert!(owner.futures_orders.open().is_empty(), "reduce-only orders without a position");
}

/// Eight long positions of a contract are closed against eight short ones, each at a value of 1e28. A number holds
/// 7.9e28, less than their turnover in this minute.
#[test]
fn trades_whose_values_have_a_sum_above_the_largest_number_are_settled() {
    let coins = Decimal::from(100_000_000);
    let contract = Contract {
        max_volume: 100_000_000,
        ..Contract::new("ODD", "USDT", coins, 8, Decimal::new(1, 8))
    };
    let setup = Setup::new().pairs([]).contracts([contract]).without_market_maker();
    let setup = (1..=16).map(AccountId).fold(setup, Setup::account);
    let setup = setup.futures_balance("USDT", Decimal::from(1_000_000_000));
    let mut exchange = Exchange::new(&setup, START_MS);
    let mut trade = |price: Decimal, sides: [(u32, FuturesSide); 2]| {
        for (account, side) in sides {
            let order = NewFuturesOrder {
                symbol: "ODDUSDT".into(),
                leverage: 1,
                price: Some(price),
                ..futures_order(side, None, 100_000_000)
            };
            let request = FuturesRequest::Place { order, preset: Preset::default() }.into();
            let command = Command::Customer { account: AccountId(account), request };
            exchange.apply(command, START_MS).expect("accepted");
        }
    };
    for long in 1..=8 {
        let short = long + 8;
        let (lowest, highest) = (Decimal::new(1, 8), MAX_AMOUNT);
        trade(lowest, [(long, FuturesSide::OpenLong), (short, FuturesSide::OpenShort)]);
        trade(highest, [(long, FuturesSide::CloseLong), (short, FuturesSide::CloseShort)]);
    }
    assert_eq!(exchange.futures_fills().len(), 32);
    assert!(exchange.ledger().sums().values().all(Decimal::is_zero));
}
