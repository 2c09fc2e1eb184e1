//! Orders, fills and positions of the state, from events as the exchange sends them.

use bitmart_types::futures::PositionMode;
use bitmart_types::{Decimal, Timestamp, dec, futures};
use bitmart_ws::event::Event;
use proptest::prelude::*;

use crate::*;

/// Decodes a spot order event.
fn spot_order(id: &str, kind: &str, side: &str, state: &str, size: &str, filled: &str) -> Order {
    spot_order_with_client_id(&format!("client{id}"), id, kind, side, state, size, filled)
}

/// Decodes a spot order event with a client order id.
fn spot_order_with_client_id(
    client_id: &str,
    id: &str,
    kind: &str,
    side: &str,
    state: &str,
    size: &str,
    filled: &str,
) -> Order {
    let frame = format!(
        r#"{{"table":"spot/user/order","data":[{{"symbol":"BTC_USDT","side":"{side}","type":"{kind}",
        "notional":"","size":"{size}","ms_t":"1","price":"5","filled_notional":"0",
        "filled_size":"{filled}","margin_trading":"0","state":"4","order_id":"{id}","order_type":"0",
        "last_fill_time":"0","last_fill_price":"0","last_fill_count":"0","exec_type":"","detail_id":"",
        "client_order_id":"{client_id}","create_time":"1700000000001","update_time":"1700000000002","order_mode":"spot",
        "entrust_type":"normal","order_state":"{state}","dealFee":"","deal_fee_coin_name":""}}]}}"#
    );
    let mut entries: Vec<bitmart_ws::spot::OrderUpdate> = Vec::new();
    bitmart_ws::spot::OrderUpdate::decode(&frame, &mut entries).expect("decodes");
    convert::spot_order_event(entries.remove(0)).expect("all fields")
}

/// Decodes the event of a futures order in a state of the wire.
fn futures_order(state: u8, size: &str, filled: &str) -> Order {
    let frame = format!(
        r#"{{"group":"futures/order","data":[{{"action":3,"order":{{"order_id":"1",
        "client_order_id":"-","price":"5","size":"{size}","symbol":"BTCUSDT","state":{state},"side":4,
        "type":"limit","leverage":"5","open_type":"isolated","deal_avg_price":"0",
        "deal_size":"{filled}","create_time":1700000000001,"update_time":1700000000002,"plan_order_id":"","last_trade":null,
        "trigger_price":"-","trigger_price_type":"-","execution_price":"-",
        "activation_price_type":"-","activation_price":"-","callback_rate":"-",
        "position_mode":"hedge_mode"}}}}]}}"#
    );
    let mut entries: Vec<bitmart_ws::futures::OrderUpdate> = Vec::new();
    bitmart_ws::futures::OrderUpdate::decode(&frame, &mut entries).expect("decodes");
    convert::futures_order_event(entries.remove(0).order).expect("all fields")
}

#[test]
fn the_order_id_in_place_of_a_client_order_id_is_none() {
    for (client_id, chosen) in
        [("mine", Some("mine")), ("118", None), ("", None), ("1180", Some("1180"))]
    {
        let order = spot_order_with_client_id(client_id, "118", "limit", "buy", "new", "2", "0");
        assert_eq!(
            order.client_order_id.as_ref().map(bitmart_types::ClientOrderId::as_str),
            chosen,
            "{client_id}"
        );
        let row = format!(
            r#"{{"orderId":"118","clientOrderId":"{client_id}","symbol":"BTC_USDT","side":"buy","orderMode":"spot",
            "type":"limit","state":"new","cancelSource":"","stpMode":"","price":"5","priceAvg":"0","size":"2",
            "filledSize":"0","notional":"10","filledNotional":"0","createTime":1,"updateTime":1}}"#
        );
        let row: bitmart_rest::spot::Order = bitmart_types::json::from_str(&row).expect("decodes");
        let order = Order::try_from(row).expect("a known state");
        assert_eq!(
            order.client_order_id.as_ref().map(bitmart_types::ClientOrderId::as_str),
            chosen,
            "{client_id}"
        );
    }
}

#[test]
fn final_states_have_the_same_meaning_on_both_markets() {
    let table = [
        ("limit", "buy", "new", "2", "0", OrderProgress::Open),
        ("limit", "buy", "partially_filled", "2", "1", OrderProgress::PartiallyFilled),
        ("limit", "sell", "filled", "2", "2", OrderProgress::Filled),
        ("limit", "buy", "canceled", "2", "0", OrderProgress::Canceled),
        ("limit", "buy", "partially_canceled", "2", "1", OrderProgress::PartiallyCanceled),
        // Observed: the remainder of the quote amount is returned, and the size reads 0.
        ("market", "buy", "partially_canceled", "0.00", "1", OrderProgress::Filled),
        ("market", "buy", "canceled", "0.00", "0", OrderProgress::Canceled),
        ("market", "sell", "partially_canceled", "2", "1", OrderProgress::PartiallyCanceled),
        ("limit", "buy", "failed", "2", "0", OrderProgress::Failed),
    ];
    for (kind, side, state, size, filled, expected) in table {
        let order = spot_order("1", kind, side, state, size, filled);
        assert_eq!(order.progress, expected, "{kind} {side} {state} {filled} of {size}");
    }
    let table = [
        (1, "2", "0", OrderProgress::Open),
        (2, "2", "0", OrderProgress::Open),
        (2, "2", "1", OrderProgress::PartiallyFilled),
        (4, "2", "2", OrderProgress::Filled),
        (4, "2", "1", OrderProgress::PartiallyCanceled),
        (4, "2", "0", OrderProgress::Canceled),
        // Without a size nothing tells whether the order was canceled.
        (4, "0", "1", OrderProgress::Finished),
        (4, "0", "0", OrderProgress::Canceled),
    ];
    for (state, size, filled, expected) in table {
        assert_eq!(
            futures_order(state, size, filled).progress,
            expected,
            "{state} {filled} of {size}"
        );
    }
}

#[test]
fn a_finished_futures_order_of_size_0_is_judged_only_by_the_size_in_a_report_of_its_end() {
    let progress = |reports: &[(u8, &str, &str)]| {
        let mut state = AccountState::new();
        for (number, size, filled) in reports {
            state.apply_order(futures_order(*number, size, filled));
        }
        state.order(Market::Futures, &"1".into()).expect("the order").progress
    };
    let (open, finished) = (2, 4);
    let unknown = OrderProgress::Finished;
    for (size, expected) in [("3", OrderProgress::PartiallyCanceled), ("1", OrderProgress::Filled)]
    {
        // The size may have been modified after the first report: from 3 to 1, or from 1 to 3.
        assert_eq!(progress(&[(open, size, "0"), (finished, "0", "1")]), unknown, "before");
        assert_eq!(progress(&[(finished, "0", "1"), (open, size, "0")]), unknown, "late");
        assert_eq!(progress(&[(finished, "0", "1"), (finished, size, "1")]), expected, "after");
    }
    assert_eq!(progress(&[(finished, "0", "1"), (finished, "0", "1")]), unknown);
    assert!(OrderProgress::Finished.is_final());
    let mut state = AccountState::new();
    state.apply_order(futures_order(open, "3", "0"));
    state.apply_order(futures_order(finished, "1", "1"));
    let size = state.order(Market::Futures, &"1".into()).expect("the order").size;
    assert_eq!(size, Some(dec!(1)), "modified from 3 to 1");
}

#[test]
fn an_order_is_found_by_either_id_and_its_progress_never_moves_back() {
    let mut state = AccountState::new();
    let reports = [("new", "0"), ("partially_filled", "1"), ("filled", "2")];
    for (progress, filled) in reports {
        assert!(
            state.apply_order(spot_order("7", "limit", "buy", progress, "2", filled)).is_some()
        );
    }
    for (progress, filled) in reports {
        assert!(
            state.apply_order(spot_order("7", "limit", "buy", progress, "2", filled)).is_none(),
            "old"
        );
    }
    let found = state.order_by_client_id(Market::Spot, &"client7".parse().expect("an id"));
    let order = found.expect("the order");
    assert_eq!((order.progress, order.filled_size), (OrderProgress::Filled, dec!(2)));
    assert!(
        state.order(Market::Futures, &order.order_id).is_none(),
        "order ids are unique within a market only"
    );
    assert_eq!(state.open_orders(Market::Spot).count(), 0);
}

fn fill(order: &str, trade: &str) -> Fill {
    test_support::fill(order, trade, Some(Timestamp::from_millis(1)))
}

#[test]
fn a_trade_between_two_own_orders_counts_once_for_each_order() {
    let mut state = AccountState::new();
    assert!(state.apply_fill(fill("1", "9")));
    assert!(!state.apply_fill(fill("1", "9")));
    assert!(state.apply_fill(fill("2", "9")));
    assert_eq!(state.fills(Market::Spot, &"1".into()).len(), 1);
}

#[test]
fn drops_the_oldest_finished_orders_and_no_open_ones() {
    let mut state = AccountState::new().max_finished_orders(2);
    state.apply_order(spot_order("open", "limit", "buy", "new", "2", "0"));
    for id in ["1", "2", "3"] {
        state.apply_order(spot_order(id, "limit", "buy", "filled", "2", "2"));
        state.apply_fill(fill(id, "9"));
    }
    let known = |state: &AccountState, id: &str| state.order(Market::Spot, &id.into()).is_some();
    assert_eq!(["open", "1", "2", "3"].map(|id| known(&state, id)), [true, false, true, true]);
    assert!(state.order_by_client_id(Market::Spot, &"client1".parse().expect("an id")).is_none());
    assert!(state.fills(Market::Spot, &"1".into()).is_empty());
}

fn known_position(event: bitmart_ws::futures::Position) -> (PositionKey, Position) {
    match convert::position_event(event) {
        Ok(convert::PositionEvent::Position(key, position)) => (key, position),
        _ => panic!("a known side"),
    }
}

fn position(kind: u8, size: &str, mode: &futures::PositionMode) -> (PositionKey, Position) {
    let frame = format!(
        r#"{{"group":"futures/position","data":[{{"symbol":"BTCUSDT","hold_volume":"{size}",
        "position_type":{kind},"open_type":2,"frozen_volume":"0","close_volume":"0",
        "hold_avg_price":"5","close_avg_price":"0","open_avg_price":"5","liquidate_price":"1",
        "create_time":1700000000001,"update_time":1700000000002,"position_mode":"{mode}"}}]}}"#
    );
    let mut entries: Vec<bitmart_ws::futures::Position> = Vec::new();
    bitmart_ws::futures::Position::decode(&frame, &mut entries).expect("decodes");
    known_position(entries.remove(0))
}

#[test]
fn a_position_without_a_price_of_liquidation_has_none() {
    for (sent, expected) in [
        ("\"0\"", None),
        ("\"-3.5\"", None),
        ("\"-\"", None),
        ("null", None),
        ("\"2\"", Some(dec!(2))),
    ] {
        let row = format!(
            r#"{{"symbol":"BTCUSDT","leverage":"1","timestamp":1700000000001,"current_fee":"0",
            "open_timestamp":1700000000001,"current_value":"5","mark_price":"5","position_value":"5",
            "position_side":"long","current_amount":"1","entry_price":"0",
            "liquidation_price":{sent}}}"#
        );
        let row: bitmart_rest::futures::Position =
            bitmart_types::json::from_str(&row).expect("a row");
        let (_, position) = convert::position_row(row).expect("a known side");
        assert_eq!((position.liquidation_price, position.entry_price), (expected, None), "{sent}");
        let frame = format!(
            r#"{{"group":"futures/position","data":[{{"symbol":"BTCUSDT","hold_volume":"1",
            "position_type":1,"hold_avg_price":"0","liquidate_price":{sent}}}]}}"#
        );
        let mut entries: Vec<bitmart_ws::futures::Position> = Vec::new();
        bitmart_ws::futures::Position::decode(&frame, &mut entries).expect("decodes");
        let (_, position) = known_position(entries.remove(0));
        assert_eq!((position.liquidation_price, position.entry_price), (expected, None), "{sent}");
    }
}

#[test]
fn a_reversed_one_way_position_replaces_the_old_one_and_hedge_mode_has_both() {
    for (mode, expected) in [(futures::PositionMode::OneWay, 1), (futures::PositionMode::Hedge, 2)]
    {
        let mut state = AccountState::new();
        for (kind, size) in [(1, "3"), (2, "4")] {
            let (key, position) = position(kind, size, &mode);
            assert!(state.apply_position(key, position));
        }
        assert_eq!(state.positions(&"BTCUSDT".into()).count(), expected, "{mode}");
        // A report of a closed long position must not close the short one.
        let was_long = mode == futures::PositionMode::Hedge;
        let (key, closed) = position(1, "0", &mode);
        assert_eq!(state.apply_position(key, closed), was_long, "{mode}");
        assert_eq!(state.positions(&"BTCUSDT".into()).count(), 1, "{mode}");
        let (key, closed) = position(2, "0", &mode);
        assert!(state.apply_position(key, closed), "closed");
        assert_eq!(state.positions(&"BTCUSDT".into()).count(), 0, "{mode}");
    }
}

#[test]
fn apply_balance_returns_whether_the_balance_changed() {
    let mut state = AccountState::new();
    let balance = |available| Balance { available, frozen: Some(dec!(0)), position_deposit: None };
    assert!(state.apply_balance(Market::Spot, "BTC".into(), balance(dec!(1))));
    assert!(!state.apply_balance(Market::Spot, "BTC".into(), balance(dec!(1.0))));
    assert!(state.apply_balance(Market::Futures, "BTC".into(), balance(dec!(1))));
    assert!(state.apply_balance(Market::Spot, "BTC".into(), balance(dec!(2))));
}

/// States of an order of size 5: fills, then possibly a final state.
fn lifecycle() -> impl Strategy<Value = Vec<(&'static str, u32)>> {
    (0..=5_u32, 0..3_usize).prop_map(|(filled, end)| {
        let mut states = vec![("new", 0)];
        states.extend((1..=filled).map(|size| ("partially_filled", size)));
        match (end, filled) {
            (0, _) => {}
            (_, 5) => states.push(("filled", 5)),
            (_, 0) => states.push(("canceled", 0)),
            (_, _) => states.push(("partially_canceled", filled)),
        }
        states
    })
}

/// A history of an order of size 5 whose price is modified with every second update.
fn history() -> impl Strategy<Value = Vec<Order>> {
    lifecycle().prop_map(|states| {
        let modified = |(at, (state, filled)): (usize, (&str, u32))| Order {
            price: Some(Decimal::from(100 + at / 2)),
            update_time: Some(Timestamp::from_millis(1_000 + i64::try_from(at).unwrap_or(0))),
            filled_notional: Some(Decimal::from(filled * 100)),
            ..spot_order("1", "limit", "buy", state, "5", &filled.to_string())
        };
        states.into_iter().enumerate().map(modified).collect()
    })
}

proptest! {
    #[test]
    fn updates_in_any_order_and_number_lead_to_the_same_order(
        (updates, order) in history().prop_flat_map(|updates| {
            let order = proptest::collection::vec(0..updates.len(), 0..12);
            (Just(updates), order)
        }),
    ) {
        let rank = |order: &Order| match order.progress {
            OrderProgress::Open => 0,
            OrderProgress::PartiallyFilled => 1,
            _ => 2,
        };
        let mut state = AccountState::new();
        let mut before: Option<Order> = None;
        // In any order and number, then each once, the last one first: the others are old by then.
        for at in order.iter().copied().chain((0..updates.len()).rev()) {
            let changed = state.apply_order(updates[at].clone()).is_some();
            let known = state.order(Market::Spot, &"1".into()).expect("known").clone();
            if let Some(before) = before {
                prop_assert!(rank(&known) >= rank(&before), "the progress moved back");
                prop_assert!(known.filled_size >= before.filled_size, "the filled size moved back");
                let same = (known.price, known.size, known.progress, known.filled_size)
                    == (before.price, before.size, before.progress, before.filled_size);
                prop_assert_eq!(changed, !same, "a change is reported, and nothing else is");
            }
            before = Some(known);
        }
        let known = before.expect("at least one update");
        let last = updates.last().expect("at least one update");
        if last.progress.is_final() {
            // A final state may arrive before a modification that then says nothing new.
            prop_assert_eq!(Order { price: last.price, ..known }, last.clone());
        } else {
            prop_assert_eq!(&known, last);
        }
    }
}

#[test]
fn drops_the_oldest_fills_of_unknown_orders() {
    let mut state = AccountState::new().max_finished_orders(2);
    for id in ["1", "2", "3"] {
        assert!(state.apply_fill(fill(id, "9")));
    }
    let kept = ["1", "2", "3"].map(|id| state.fills(Market::Spot, &id.into()).len());
    assert_eq!(kept, [0, 1, 1]);
    assert!(!state.apply_fill(fill("1", "9")), "the id of the fill is retained");
}

#[test]
fn remove_order_removes_an_open_order_and_limits_its_fills() {
    let mut state = AccountState::new().max_finished_orders(1);
    state.apply_order(spot_order("1", "limit", "buy", "new", "2", "0"));
    state.apply_fill(fill("1", "9"));
    assert!(state.remove_order(Market::Spot, &"1".into()));
    assert_eq!(state.open_orders(Market::Spot).count(), 0);
    assert!(state.order_by_client_id(Market::Spot, &"client1".parse().expect("an id")).is_none());
    state.apply_fill(fill("2", "9"));
    assert!(
        state.fills(Market::Spot, &"1".into()).is_empty(),
        "its fills are dropped like those of unknown orders"
    );
}

#[test]
fn a_position_without_its_mode_has_that_of_the_stored_positions_of_the_contract() {
    let key = |side| PositionKey { symbol: "BTCUSDT".into(), side };
    let (long, short) = (key(PositionSide::Long), key(PositionSide::Short));
    let position = |size, position_mode| Position { position_mode, ..Position::new(size) };
    // The mode of the first position, and the sides that are open after the second one.
    for (mode, expected) in [
        (Some(PositionMode::OneWay), vec![&short]),
        (Some(PositionMode::Hedge), vec![&long, &short]),
        // Both may be open, so none disappears.
        (None, vec![&long, &short]),
    ] {
        let mut state = AccountState::new();
        state.apply_position(long.clone(), position(dec!(3), mode.clone()));
        // A change of the size that lacks the mode does not forget it.
        assert!(state.apply_position(long.clone(), position(dec!(4), None)));
        assert!(!state.apply_position(long.clone(), position(dec!(4), mode.clone())), "{mode:?}");
        assert!(state.apply_position(short.clone(), position(dec!(1), None)));
        let open: Vec<_> = state.all_positions().map(|(key, _)| key).collect();
        assert_eq!(open, expected, "{mode:?}");
        assert!(state.all_positions().all(|(_, position)| position.position_mode == mode));
        // The mode of the message is newer than that of a position that is closed meanwhile.
        assert!(state.apply_position(long.clone(), position(dec!(2), Some(PositionMode::OneWay))));
        assert_eq!(state.all_positions().count(), 1, "{mode:?}");
    }
}
