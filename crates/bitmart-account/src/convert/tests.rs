//! Conversions: what is missing or unknown is reported, and not replaced by a default.

use bitmart_types::{dec, json};
use bitmart_ws::event::Event;

use super::*;

#[test]
fn an_order_whose_state_is_not_known_is_malformed_and_not_open() {
    let spot = |state: &str| {
        let row = format!(
            r#"{{"orderId":"7","symbol":"BTC_USDT","side":"buy","state":"{state}","size":"2",
            "filledSize":"1"}}"#
        );
        let row: bitmart_rest::spot::Order = json::from_str(&row).expect("a row");
        let frame = format!(
            r#"{{"table":"spot/user/orders","data":[{{"symbol":"BTC_USDT","side":"buy","size":"2",
            "filled_size":"1","order_id":"7","order_state":"{state}"}}]}}"#
        );
        let mut events = Vec::new();
        bitmart_ws::spot::OrderUpdate::decode(&frame, &mut events).expect("decodes");
        [Order::try_from(row), spot_order_event(events.remove(0))]
    };
    let futures = |state: u8| {
        let order = format!(
            r#"{{"order_id":"7","symbol":"BTCUSDT","side":4,"state":{state},"size":"2","deal_size":"1"}}"#
        );
        let row: bitmart_rest::futures::Order = json::from_str(&order).expect("a row");
        let frame =
            format!(r#"{{"group":"futures/order","data":[{{"action":3,"order":{order}}}]}}"#);
        let mut events: Vec<bitmart_ws::futures::OrderUpdate> = Vec::new();
        Event::decode(&frame, &mut events).expect("decodes");
        [Order::try_from(row), futures_order_event(events.remove(0).order)]
    };
    let known = [spot("partially_filled"), futures(2)];
    for order in known.into_iter().flatten() {
        assert_eq!(order.map(|order| order.progress), Ok(OrderProgress::PartiallyFilled));
    }
    let unknown = [spot("expired"), futures(3)];
    for order in unknown.into_iter().flatten() {
        let text = order.expect_err("the state is not known").to_string();
        assert!(text.starts_with("order 7: ") && text.contains("state"), "{text}");
    }
}

#[test]
fn the_fee_of_a_futures_fill_has_the_same_sign_whoever_reports_it_first() {
    // As documented: paid fees are negative in an event and positive in a row.
    let event = r#"{"group":"futures/order","data":[{"action":3,"order":{"order_id":"7",
        "symbol":"BTCUSDT","side":4,"state":2,"size":"2","deal_size":"1","last_trade":
        {"lastTradeID":9,"fillQty":"1","fillPrice":"5","fee":"-0.04027","feeCcy":"USDT"}}}]}"#;
    let mut events: Vec<bitmart_ws::futures::OrderUpdate> = Vec::new();
    Event::decode(event, &mut events).expect("decodes");
    let event = events.remove(0);
    let contract = Instrument::Contract("BTCUSDT".into());
    let fill = event.fill().expect("a fill");
    let event = Fill::from_futures_event(contract, "7".into(), fill);
    let row = r#"{"order_id":"7","trade_id":"9","symbol":"BTCUSDT","side":4,"price":"5","vol":"1",
        "exec_type":"Taker","profit":false,"realised_profit":"0","paid_fees":"0.04027",
        "account":"futures","create_time":1709971200500}"#;
    let row: bitmart_rest::futures::Fill = json::from_str(row).expect("a row");
    let row = Fill::from(row);
    assert_eq!((event.fee, row.fee), (Some(dec!(0.04027)), Some(dec!(0.04027))));

    // The state has the members of both.
    for reports in [[event.clone(), row.clone()], [row, event]] {
        let mut state = crate::AccountState::new();
        let new = reports.map(|fill| state.apply_fill(fill));
        assert_eq!(new, [true, false]);
        let [fill] = state.fills(crate::Market::Futures, &"7".into()) else { panic!("one fill") };
        assert_eq!(fill.fee_currency, Some("USDT".into()));
        assert!(fill.trade_role.is_some() && fill.timestamp.is_some(), "{fill:?}");
    }
}

#[test]
fn an_amount_that_is_not_sent_is_malformed_and_not_zero() {
    let spot = r#"{"orderId":"7","symbol":"BTC_USDT","side":"buy","state":"new","filledSize":""}"#;
    let spot: bitmart_rest::spot::Order = json::from_str(spot).expect("a row");
    let futures =
        r#"{"order_id":"7","symbol":"BTCUSDT","side":4,"state":2,"size":"2","deal_size":"-"}"#;
    let futures: bitmart_rest::futures::Order = json::from_str(futures).expect("a row");
    let spot_row = r#"{"id":"BTC","available":null}"#;
    let spot_row: bitmart_rest::account::SpotBalance = json::from_str(spot_row).expect("a row");
    let futures_row = r#"{"currency":"USDT","available_balance":"--"}"#;
    let balance: bitmart_rest::futures::Balance = json::from_str(futures_row).expect("a row");
    assert!(Order::try_from(spot).is_err() && Order::try_from(futures).is_err());
    assert!(spot_balance_row(spot_row).is_err() && futures_balance_row(balance).is_err());
}

#[test]
fn a_position_row_whose_sizes_contradict_each_other_is_malformed() {
    let row = |size: &str, signed: &str, side: &str| {
        let row = format!(
            r#"{{"symbol":"BTCUSDT","current_amount":"{size}","position_amount":"{signed}","position_side":"{side}"}}"#
        );
        position_row(json::from_str(&row).expect("a row"))
    };
    for (size, signed) in [("0", "-3\",\"entry_price\":\"5"), ("3", "0")] {
        for side in ["both", "long", ""] {
            row(size, signed, side).expect_err("open or not");
        }
    }
    let sizes = [("0", "0", 0), ("3", "-3", 3), ("3", "", 3)];
    for (size, signed, expected) in sizes {
        let (_, position) = row(size, signed, "short").expect("a position");
        assert_eq!(position.size, Decimal::from(expected));
    }
}

#[test]
fn flat_rows_of_the_documentation_are_flat_positions() {
    // Their signed size is 5.
    for text in [
        include_str!("../../../bitmart-rest/fixtures/futures_positions/documentation_hedge.json"),
        include_str!("../../../bitmart-rest/fixtures/futures_positions/documentation_one_way.json"),
    ] {
        let fixture: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let rows = fixture["response"]["data"].as_array().expect("a list");
        for row in rows.iter().filter(|row| row["current_amount"] == "0") {
            let row = json::from_str(&row.to_string()).expect("a row");
            assert!(!is_open(&row));
            let (_, position) = position_row(row).expect("a flat position");
            assert!(position.size.is_zero());
        }
        assert!(rows.iter().any(|row| row["current_amount"] == "0"), "{text}");
    }
}

#[test]
fn a_fill_whose_id_comes_as_number_and_as_text_counts_once() {
    let mut state = crate::AccountState::new();
    let is_new = |id: &str| {
        let frame = format!(
            r#"{{"group":"futures/order","data":[{{"action":1,"order":{{"order_id":"7","symbol":"BTCUSDT",
            "side":4,"state":2,"size":"2","deal_size":"1","last_trade":{{"lastTradeID":{id},"fillQty":"1",
            "fillPrice":"5"}}}}}}]}}"#
        );
        let mut events: Vec<bitmart_ws::futures::OrderUpdate> = Vec::new();
        Event::decode(&frame, &mut events).expect("decodes");
        let contract = Instrument::Contract("BTCUSDT".into());
        let fill = events.remove(0).fill().expect("a fill");
        state.apply_fill(Fill::from_futures_event(contract, "7".into(), fill))
    };
    let ids = ["125277182593003711", "\"125277182593003711\"", "8"];
    assert_eq!(ids.map(is_new), [true, false, true]);
}
