//! Futures: responses in several forms.

use bitmart_rest::futures;
use bitmart_types::{Timestamp, dec, json};
use serde_json::json;

/// The recorded order with another state, size and filled size.
fn order_with(state: i32, size: &str, filled: &str) -> futures::Order {
    let recorded = include_str!("../../fixtures/futures_order/documentation.json");
    let recorded: serde_json::Value = serde_json::from_str(recorded).expect("JSON");
    let mut order = recorded["response"]["data"].clone();
    order["state"] = json!(state);
    order["size"] = json!(size);
    order["deal_size"] = json!(filled);
    serde_json::from_value(order).expect("an order")
}

#[test]
fn the_filled_size_distinguishes_filled_from_canceled_orders() {
    use futures::OrderProgress::{
        Approving, Canceled, Filled, Finished, Open, PartiallyCanceled, PartiallyFilled, Unknown,
    };
    for (state, size, filled, progress) in [
        (1, "10", "0", Approving),
        (2, "10", "0", Open),
        (2, "10", "3", PartiallyFilled),
        (4, "10", "10", Filled),
        (4, "10", "0", Canceled),
        (4, "10", "3", PartiallyCanceled),
        (4, "0", "0", Canceled),
        (9, "10", "10", Unknown),
    ] {
        let order = order_with(state, size, filled);
        assert_eq!(order.progress(), progress, "state {state}, {filled} of {size}");
        assert_eq!(order.progress().is_open(), !matches!(state, 4), "state {state}");
    }
    // Filled and canceled orders are distinguished by their sizes only.
    for (size, filled, progress) in [("10", "", Finished), ("", "3", Finished), ("", "0", Canceled)]
    {
        let order = order_with(4, size, filled);
        assert_eq!(order.progress(), progress, "{filled:?} of {size:?}");
        assert!(!order.progress().is_open());
    }
}

#[test]
fn balances_are_read_as_a_list_or_in_a_member() {
    let row = json!({
        "currency": "USDT", "position_deposit": "1", "frozen_balance": "2",
        "available_balance": "3", "equity": "6", "unrealized": "0",
    });
    for form in [json!([row]), json!({"other": [1], "list": [row]})] {
        let balances: futures::Balances = json::from_str(&form.to_string()).expect("balances");
        assert_eq!(balances.find("USDT").expect("a row").available, Some(dec!(3)), "{form}");
        assert_eq!(balances.find("BTC"), None);
    }
    assert!(json::from_str::<futures::Balances>(r#""rows""#).is_err());
}

#[test]
fn a_risk_row_is_read_with_seconds_and_with_milliseconds() {
    let recorded = include_str!("../../fixtures/futures_position_risk/documentation.json");
    let recorded: serde_json::Value = serde_json::from_str(recorded).expect("JSON");
    let mut row = recorded["response"]["data"][0].clone();
    let expected = Some(Timestamp::from_secs(1_712_390_438));
    for time in [json!(1_712_390_438), json!(1_712_390_438_000_i64), json!("1712390438000")] {
        row["update_time"] = time;
        let risk: futures::PositionRisk = serde_json::from_value(row.clone()).expect("a row");
        assert_eq!(risk.update_time, expected);
    }
    // A flat position has neither side nor margin type.
    row["position_side"] = json!("");
    row["margin_type"] = json!(null);
    row["update_time"] = json!(0);
    let flat: futures::PositionRisk = serde_json::from_value(row).expect("a row");
    assert_eq!((flat.position_side, flat.margin_type, flat.update_time), (None, None, None));
}

#[test]
fn the_state_active_is_read_as_open() {
    let recorded = include_str!("../../fixtures/futures_plan_orders/reference.json");
    let recorded: serde_json::Value = serde_json::from_str(recorded).expect("JSON");
    let order: futures::PlanOrder =
        serde_json::from_value(recorded["response"]["data"][0].clone()).expect("an order");
    assert_eq!(order.state, futures::OrderState::Open);
}

#[test]
fn time_and_id_of_a_transaction_are_read_as_text_or_number() {
    for (time, id) in
        [(json!("1570608000000"), json!("96")), (json!(1_570_608_000_000_i64), json!(96))]
    {
        let row = json!({
            "symbol": "", "type": "Transfer", "amount": "-0.375", "asset": "USDT",
            "account": "futures", "time": time, "tran_id": id,
        });
        let transaction: futures::Transaction = serde_json::from_value(row).expect("a row");
        assert_eq!(transaction.timestamp, Some(Timestamp::from_millis(1_570_608_000_000)));
        assert_eq!((transaction.id.as_str(), transaction.symbol), ("96", None));
    }
}
