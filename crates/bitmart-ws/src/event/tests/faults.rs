//! Undecodable entries among valid ones.

use super::*;
use crate::event::{DecodeError, MAX_RAW_BYTES};
use crate::{futures, spot};

fn decode_each<T: Event>(text: &str) -> Vec<Result<T, DecodeError>> {
    let mut out = Vec::new();
    T::decode_each(text, &mut out);
    out
}

/// Returns a frame of trades with these entries.
fn trades(entries: &[&str]) -> String {
    format!(r#"{{"data":[{}],"table":"spot/trade"}}"#, entries.join(","))
}

const GOOD: &str = r#"{"symbol":"BTC_USDT","price":"1","side":"buy","size":"2"}"#;

#[test]
fn reports_a_bad_entry_with_its_index_text_path_and_reason() {
    let bad = r#"{"symbol":"ETH_USDT","price":"x","side":"buy","size":"2"}"#;
    let read: Vec<Result<spot::Trade, _>> = decode_each(&trades(&[GOOD, bad, GOOD]));
    let [Ok(first), Err(fault), Ok(third)] = &read[..] else { panic!("{read:?}") };
    assert_eq!((first.price, third.size), (dec!(1), dec!(2)));
    assert_eq!((fault.entry(), fault.path()), (Some(1), "data[1].price"));
    assert_eq!(fault.reason(), r#"expected a decimal, got "x""#);
    assert_eq!((&*fault.raw_text(), fault.symbol()), (bad, Some("ETH_USDT")));
    assert_eq!((fault.kind(), fault.channel()), (DecodeErrorKind::Shape, Some("spot/trade")));
    assert_eq!(
        fault.to_string(),
        r#"an entry of frame spot/trade does not fit the type of its events: data[1].price: expected a decimal, got "x""#
    );
}

#[test]
fn ignores_null_entries() {
    for data in ["null", "[]", "[null]"] {
        let text = format!(r#"{{"table":"spot/trade","data":{data}}}"#);
        assert!(decode_each::<spot::Trade>(&text).is_empty(), "{data}");
        assert!(decode_each::<RawEvent>(&text).is_empty(), "{data}");
    }
    let read: Vec<Result<spot::Trade, _>> = decode_each(&trades(&[GOOD, "null", "7"]));
    assert!(matches!(&read[..], [Ok(_), Err(fault)] if fault.entry() == Some(2)), "{read:?}");
}

#[test]
fn returns_the_entries_before_a_syntax_error() {
    let text = trades(&[GOOD, ",", GOOD]);
    let read: Vec<Result<spot::Trade, _>> = decode_each(&text);
    let [Ok(_), Err(fault)] = &read[..] else { panic!("{read:?}") };
    assert_eq!((fault.kind(), fault.entry()), (DecodeErrorKind::Syntax, None));
    assert_eq!(fault.raw_text(), text);
}

#[test]
fn bounds_the_raw_text_and_the_number_of_faults() {
    let long = format!(r#"{{"symbol":"{}"}}"#, "A".repeat(10_000));
    let many = vec![long.as_str(); 200];
    let mut entries = vec![GOOD];
    entries.extend(many);
    entries.push(GOOD);
    let read: Vec<Result<spot::Trade, _>> = decode_each(&trades(&entries));
    let faults: Vec<_> = read.iter().filter_map(|entry| entry.as_ref().err()).collect();
    assert_eq!(read.len() - faults.len(), 2, "both good ones");
    assert_eq!(faults.len(), 65);
    assert_eq!((faults[0].raw().len(), faults[0].raw_length()), (MAX_RAW_BYTES, long.len()));
    assert!(faults[64].reason().contains("only the first"), "{}", faults[64]);
}

#[test]
fn faults_of_private_channels_display_no_content() {
    let mut frame = spot_order();
    frame["data"][0]["order_id"] = json!(["s3cret"]);
    let read: Vec<Result<spot::OrderUpdate, _>> = decode_each(&frame.to_string());
    let [Err(fault)] = &read[..] else { panic!("{read:?}") };
    assert!(fault.raw_text().contains("s3cret"), "the raw text has it");
    let shown = format!("{fault} {fault:?}");
    assert!(shown.contains("data[0].order_id") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn an_incomplete_fill_is_reported_and_costs_nothing_else() {
    let frame = futures_order();
    assert!(one::<futures::OrderUpdate>(&frame).fill().is_some());
    let with = |last_trade: Value| {
        let mut frame = frame.clone();
        frame["data"][0]["order"]["last_trade"] = last_trade;
        one::<futures::OrderUpdate>(&frame)
    };
    for no_fill in [
        json!(null),
        json!("-"),
        json!(""),
        json!({}),
        json!([]),
        json!({"lastTradeID": 0, "fillQty": "", "fillPrice": "", "fee": "0", "feeCcy": ""}),
        json!({"lastTradeID": "0", "fillQty": "0", "fillPrice": "0.00"}),
    ] {
        let order = with(no_fill.clone());
        assert!(order.fill().is_none() && !order.has_unread_fill(), "{no_fill}");
    }
    for unread in [
        json!({"lastTradeID": 9, "fillQty": "1"}),
        json!({"lastTradeID": 9, "fillQty": "1", "fillPrice": "?"}),
        json!({"lastTradeID": 9, "fillQty": {}, "fillPrice": "5"}),
        json!({"fillQty": "1", "fillPrice": "5"}),
        json!({"lastTradeID": 0, "fillQty": "1", "fillPrice": "5"}),
        json!("a fill"),
        json!(true),
        json!(7),
        json!([[7]]),
        json!({"lastTradeID": {}, "fillQty": "?", "fillPrice": [1], "fee": "?", "feeCcy": {}}),
        json!({"lastTradeID": 0, "fillQty": "--", "fillPrice": ""}),
        json!({"lastTradeID": {"id": 9}}),
    ] {
        let order = with(unread.clone());
        assert!(order.fill().is_none() && order.has_unread_fill(), "{unread}");
    }

    let frame = spot_order();
    assert!(!one::<spot::OrderUpdate>(&frame).has_unread_fill());
    for member in ["last_fill_price", "last_fill_count", "detail_id"] {
        let mut frame = frame.clone();
        frame["data"][0][member] = json!({"odd": 1});
        let order: spot::OrderUpdate = one(&frame);
        assert!(order.fill().is_none() && order.has_unread_fill(), "{member}");
    }
    let mut unreadable = frame.clone();
    for member in ["last_fill_price", "last_fill_count", "detail_id"] {
        unreadable["data"][0][member] = json!(["?"]);
    }
    assert!(one::<spot::OrderUpdate>(&unreadable).has_unread_fill());
    let mut two = unreadable;
    let mut canceled = two["data"][0].clone();
    for member in ["last_fill_price", "last_fill_count", "detail_id"] {
        canceled.as_object_mut().expect("an order").remove(member);
    }
    two["data"].as_array_mut().expect("orders").push(canceled);
    let (mut orders, text) = (Vec::new(), two.to_string());
    spot::OrderUpdate::decode(&text, &mut orders).expect("decodes");
    let unread = orders.iter().map(spot::OrderUpdate::has_unread_fill).collect::<Vec<_>>();
    assert_eq!(unread, [true, false], "an unreadable member belongs to its own order");
    let mut frame = frame;
    for (member, value) in [("last_fill_price", "0"), ("last_fill_count", "0"), ("detail_id", "")] {
        frame["data"][0][member] = json!(value);
    }
    assert!(!one::<spot::OrderUpdate>(&frame).has_unread_fill(), "there was no fill");
}

#[test]
fn a_bad_row_of_a_list_does_not_affect_the_others() {
    let frame = json!({"table": "spot/user/balance", "data": [{"balance_details": [
        {"ccy": "BTC", "av_bal": "1", "fz_bal": "2"}, {"av_bal": "3"}, {"ccy": "ETH", "av_bal": "x"},
    ]}]});
    let update: spot::BalanceUpdate = one(&frame);
    assert_eq!(update.balances.faults().len(), 1);
    assert_eq!((update.balances[0].available, update.balances[1].available), (Some(dec!(1)), None));

    let candle =
        |close| json!({"o": "1", "h": "1", "l": "1", "c": close, "v": "1", "ts": 1_700_533_801});
    let items = [candle("1"), candle("x"), candle("3")];
    let frame = json!({
        "group": "futures/klineBin1m:BTCUSDT", "data": {"symbol": "BTCUSDT", "items": items},
    });
    let read: Vec<Result<futures::Kline, _>> = decode_each(&frame.to_string());
    let [Ok(first), Err(fault), Ok(third)] = &read[..] else { panic!("{read:?}") };
    assert_eq!((first.close, third.close), (dec!(1), dec!(3)));
    assert_eq!(fault.path(), "data.items[1].c");
}

#[test]
fn accepts_null_for_a_side_without_levels() {
    let mut frame = futures_depth();
    frame["data"]["asks"] = Value::Null;
    let book: futures::DepthUpdate = one(&frame);
    assert!(book.asks.is_empty() && !book.bids.is_empty());
    frame["data"].as_object_mut().expect("an object").remove("asks");
    let mut out: Vec<futures::DepthUpdate> = Vec::new();
    futures::DepthUpdate::decode(&frame.to_string(), &mut out)
        .expect_err("a missing side is a fault");
}
