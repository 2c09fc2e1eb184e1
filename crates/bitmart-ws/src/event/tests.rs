//! Decoding of published frames and of their variants.

use bitmart_types::spot::OrderState;
use bitmart_types::{Currency, Decimal, Side, Timestamp, TradeRole, dec};
use proptest::prelude::{any, prop, proptest};
use serde_json::{Value, json};

use super::{DecodeErrorKind, DepthKind, Event, Level, RawEvent};
use crate::{futures, spot};

mod channels;
mod faults;

/// Returns the frame of a published sample.
fn sample(text: &str) -> Value {
    let mut fixture: Value = serde_json::from_str(text).expect("JSON");
    fixture["frame"].take()
}

fn ticker() -> Value {
    sample(include_str!("../../fixtures/spot-ticker/sample.json"))
}
fn trade() -> Value {
    sample(include_str!("../../fixtures/spot-trade/sample.json"))
}
fn spot_order() -> Value {
    sample(include_str!("../../fixtures/spot-user-order/sample.json"))
}
fn futures_order() -> Value {
    sample(include_str!("../../fixtures/futures-order/sample.json"))
}
fn futures_depth() -> Value {
    sample(include_str!("../../fixtures/futures-depth-increase/update.json"))
}

fn decode<T: Event>(frame: &Value) -> Vec<T> {
    let mut out = Vec::new();
    T::decode(&frame.to_string(), &mut out).expect("decodes");
    out
}

/// Decodes the only entry of a frame.
fn one<T: Event>(frame: &Value) -> T {
    let mut all = decode(frame);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn decodes_the_published_spot_ticker() {
    let ticker: spot::Ticker = one(&ticker());
    assert_eq!(ticker.symbol(), Some("BTC_USDT"));
    assert_eq!(ticker.last_price, Some(dec!(35000)));
    assert_eq!(ticker.bid_price, Some(dec!(35000)));
    assert_eq!(ticker.ask_size, Some(dec!(1.021)));
    assert_eq!(ticker.change, Some(dec!(-0.0001)));
    assert_eq!(ticker.timestamp, Some(Timestamp::from_millis(1_709_024_652_967)));
    assert_eq!(ticker.timestamp_seconds, Some(Timestamp::from_millis(1_709_024_652_000)));
}

#[test]
fn decodes_the_published_futures_ticker() {
    let frame = sample(include_str!("../../fixtures/futures-ticker/sample.json"));
    let ticker: futures::Ticker = one(&frame);
    assert_eq!(ticker.symbol(), Some("BTCUSDT"));
    assert_eq!(ticker.volume, Some(dec!(25502894)));
    assert_eq!((ticker.bid_price, ticker.bid_size), (Some(dec!(97153.4)), Some(dec!(428))));
}

#[test]
fn decodes_the_published_spot_books() {
    let frame = sample(include_str!("../../fixtures/spot-depth-increase100/snapshot.json"));
    let book: spot::DepthUpdate = one(&frame);
    assert_eq!((book.kind, book.version), (DepthKind::Snapshot, 4));
    assert_eq!(book.bids, [Level { price: dec!(23105), size: dec!(1.80114) }]);
    assert_eq!(book.asks[1], Level { price: dec!(28000), size: dec!(0.2) });
}

#[test]
fn decodes_the_published_futures_books() {
    let book: futures::DepthUpdate = one(&futures_depth());
    assert_eq!((book.kind, book.version), (DepthKind::Update, 980_362));
    assert_eq!(book.bids[0], Level { price: dec!(70391.2), size: Decimal::ZERO });
    let empty: futures::DepthUpdate = one(&sample(include_str!(
        "../../fixtures/futures-depth-increase/observed-empty-update.json"
    )));
    assert!(empty.asks.is_empty() && empty.bids.is_empty());
}

#[test]
fn decodes_the_published_spot_order_and_its_fill() {
    let order: spot::OrderUpdate = one(&spot_order());
    assert_eq!(order.state, Some(OrderState::PartiallyFilled));
    assert_eq!(order.time_in_force, Some(spot::TimeInForce::Normal));
    assert_eq!(order.notional, None);
    assert_eq!(order.create_time, Some(Timestamp::from_millis(1_609_926_028_000)));
    let fill = order.fill().expect("the sample has a fill");
    assert_eq!(fill.trade_id.as_str(), "256348632");
    assert_eq!((fill.price, fill.size), (dec!(46100), dec!(1)));
    assert_eq!((fill.fee, fill.trade_role), (Some(dec!(10)), Some(TradeRole::Maker)));
    assert_eq!(fill.fee_currency.as_ref().map(Currency::as_str), Some("BMX"));
    assert_eq!(fill.timestamp, Some(Timestamp::from_millis(1_609_926_039_226)));
}

#[test]
fn decodes_the_published_futures_order_and_its_fill() {
    let update: futures::OrderUpdate = one(&futures_order());
    assert_eq!(update.symbol(), Some("BTCUSDT"));
    assert_eq!((update.order.trigger_price, update.order.trigger_price_type.clone()), (None, None));
    let fill = update.fill().expect("the sample has a fill");
    assert_eq!(fill.trade_id.as_str(), "1247592391");
    assert_eq!((fill.price, fill.size, fill.fee), (dec!(25667.2), dec!(1), Some(dec!(-0.00027))));
    assert_eq!(fill.trade_role, None);
}

#[test]
fn an_order_without_a_fill_returns_none() {
    let mut frame = spot_order();
    for (field, value) in [
        ("last_fill_price", "0"),
        ("last_fill_count", "0"),
        ("last_fill_time", "0"),
        ("detail_id", ""),
        ("exec_type", ""),
    ] {
        frame["data"][0][field] = json!(value);
    }
    let order: spot::OrderUpdate = one(&frame);
    assert_eq!(order.fill(), None);
    assert_eq!((order.last_fill_time, order.trade_role, order.trade_id), (None, None, None));

    let mut frame = futures_order();
    frame["data"][0]["order"]["last_trade"] = Value::Null;
    assert_eq!(one::<futures::OrderUpdate>(&frame).fill(), None);
    frame["data"][0]["order"].as_object_mut().expect("an object").remove("last_trade");
    assert_eq!(one::<futures::OrderUpdate>(&frame).fill(), None);
}

#[test]
fn decodes_all_entries_of_a_frame_in_order() {
    let mut frame = trade();
    let mut second = frame["data"][0].clone();
    second["price"] = json!("163");
    second["symbol"] = json!("BTC_USDT");
    frame["data"].as_array_mut().expect("an array").push(second);
    let trades: Vec<spot::Trade> = decode(&frame);
    assert_eq!(trades.len(), 2);
    assert_eq!((trades[0].symbol(), trades[0].price), (Some("ETH_USDT"), dec!(162.12)));
    assert_eq!((trades[1].symbol(), trades[1].price), (Some("BTC_USDT"), dec!(163)));

    let raw: Vec<RawEvent> = decode(&frame);
    assert_eq!(
        raw.iter().map(|event| event.symbol()).collect::<Vec<_>>(),
        [Some("ETH_USDT"), Some("BTC_USDT")]
    );
}

#[test]
fn decodes_one_entry_and_an_array_of_entries() {
    let mut frame = futures_depth();
    let entry = frame["data"].take();
    frame["data"] = json!([entry.clone(), entry]);
    assert_eq!(decode::<futures::DepthUpdate>(&frame).len(), 2);
    let mut frame = ticker();
    let entry = frame["data"][0].take();
    frame["data"] = entry;
    assert_eq!(decode::<spot::Ticker>(&frame).len(), 1);
    frame["data"] = json!([]);
    assert_eq!(decode::<spot::Ticker>(&frame).len(), 0);
}

#[test]
fn decodes_other_spellings_to_the_same_event() {
    // Field, documented value, other spelling.
    let quirks = [
        (ticker(), "last_price", json!(35000)),
        (ticker(), "ask_sz", json!(1.021)),
        (ticker(), "ms_t", json!("1709024652967")),
    ];
    for (frame, field, spelling) in quirks {
        let mut other = frame.clone();
        other["data"][0][field] = spelling;
        other["data"][0]["a_new_field"] = json!({"nested": [1, 2, {"table": "x"}]});
        other["another"] = json!([{}]);
        assert_eq!(one::<spot::Ticker>(&other), one::<spot::Ticker>(&frame), "{field}");
    }
    let mut frame = spot_order();
    frame["data"][0]["order_id"] = json!(2_147_857_398_i64);
    frame["data"][0]["create_time"] = json!(1_609_926_028_000_i64);
    frame["data"][0]["entrust_type"] = json!("NORMAL");
    frame["data"][0]["order_mode"] = json!("spot");
    frame["data"][0]["exec_type"] = json!("maker");
    assert_eq!(one::<spot::OrderUpdate>(&frame), one::<spot::OrderUpdate>(&spot_order()));
}

#[test]
fn accepts_missing_optional_fields() {
    let mut frame = ticker();
    frame["data"][0].as_object_mut().expect("an object").remove("s_t");
    assert_eq!(one::<spot::Ticker>(&frame).timestamp_seconds, None);

    let mut frame = futures_depth();
    frame["data"].as_object_mut().expect("an object").remove("ms_t");
    assert_eq!(one::<futures::DepthUpdate>(&frame).timestamp, None);

    let mut frame = spot_order();
    for missing in [
        "state",
        "order_type",
        "margin_trading",
        "ms_t",
        "notional",
        "detail_id",
        "client_order_id",
    ] {
        frame["data"][0].as_object_mut().expect("an object").remove(missing);
    }
    let order: spot::OrderUpdate = one(&frame);
    assert_eq!((order.legacy_state, order.client_order_id), (None, None));
}

#[test]
fn keeps_unknown_values_of_enums() {
    let mut frame = spot_order();
    frame["data"][0]["order_state"] = json!("on_hold");
    frame["data"][0]["side"] = json!("BUY");
    let order: spot::OrderUpdate = one(&frame);
    assert_eq!(order.state.as_ref().map(OrderState::as_str), Some("on_hold"));
    assert_eq!(order.side, Side::Buy);
    let mut frame = futures_order();
    frame["data"][0]["action"] = json!(77);
    frame["data"][0]["order"]["trigger_price_type"] = json!("fair_price");
    let update: futures::OrderUpdate = one(&frame);
    assert_eq!(update.action.and_then(|action| action.as_number()), Some(77));
    assert_eq!(update.order.trigger_price_type, Some(bitmart_types::futures::PriceType::Mark));
}

#[test]
fn accepts_extra_columns_of_levels_but_not_missing_ones() {
    let frame = |row: Value| {
        json!({"table": "spot/depth/increase100", "data": [{
            "symbol": "BTC_USDT", "asks": [row], "bids": [], "type": "update", "version": 1, "ms_t": 1,
        }]})
    };
    let book: spot::DepthUpdate = one(&frame(json!(["1.5", 2, "3", null])));
    assert_eq!(book.asks, [Level { price: dec!(1.5), size: dec!(2) }]);
    let error = spot::DepthUpdate::decode(&frame(json!(["1.5"])).to_string(), &mut Vec::new());
    assert_eq!(error.expect_err("a short row").path(), "data[0].asks[0]");
}

#[test]
fn errors_display_the_path_but_no_private_content() {
    let mut frame = spot_order();
    frame["data"][0]["order_id"] = json!(["s3cret"]);
    let error =
        spot::OrderUpdate::decode(&frame.to_string(), &mut Vec::new()).expect_err("not a decimal");
    assert_eq!(error.kind(), DecodeErrorKind::Shape);
    assert_eq!(error.channel(), Some("spot/user/order"));
    assert_eq!(error.path(), "data[0].order_id");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("spot/user/order") && shown.contains("data[0].order_id"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");

    let cut = trade().to_string();
    let error = spot::Trade::decode(&cut[..cut.len() - 20], &mut Vec::new()).expect_err("cut");
    assert_eq!(error.kind(), DecodeErrorKind::Truncated);
    let error =
        spot::Trade::decode(&format!("{}x", trade()), &mut Vec::new()).expect_err("more behind");
    assert_eq!(error.kind(), DecodeErrorKind::Syntax);
    for no_data in [r#"{"table":"spot/trade"}"#, "[]", "7"] {
        let error = spot::Trade::decode(no_data, &mut Vec::new()).expect_err("no data");
        assert_eq!(error.kind(), DecodeErrorKind::Shape, "{no_data}");
    }
}

#[test]
fn keeps_the_entries_before_a_fault() {
    let mut frame = trade();
    frame["data"].as_array_mut().expect("an array").push(json!({"symbol": "X"}));
    let mut out: Vec<spot::Trade> = Vec::new();
    let error =
        spot::Trade::decode(&frame.to_string(), &mut out).expect_err("the second is broken");
    assert_eq!(out.len(), 1);
    assert_eq!(error.path(), "data[1]");
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    let nested = format!("{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    spot::Trade::decode(&format!(r#"{{"data":{nested}}}"#), &mut Vec::new()).expect_err("too deep");
    let mut out: Vec<spot::Trade> = Vec::new();
    let ignored = format!(r#"{{"x":{nested},"data":[]}}"#);
    assert_eq!(spot::Trade::decode(&ignored, &mut out), Ok(()));
    decode_without_panic::<RawEvent>(&format!(r#"{{"data":{nested}}}"#));
}

fn decode_without_panic<T: Event>(text: &str) {
    let mut out = Vec::<T>::new();
    let _ = T::decode(text, &mut out);
}

proptest! {
    #[test]
    fn any_text_decodes_without_panic(text in any::<String>()) {
        decode_without_panic::<spot::Ticker>(&text);
        decode_without_panic::<RawEvent>(&text);
    }

    /// A published frame with one byte changed.
    #[test]
    fn damaged_frames_decode_without_panic(place in any::<prop::sample::Index>(), byte in 0x20_u8..0x7f) {
        for frame in [ticker(), trade(), spot_order(), futures_order(), futures_depth()] {
            let mut bytes = frame.to_string().into_bytes();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            let text = String::from_utf8(bytes).expect("ASCII");
            decode_without_panic::<spot::Ticker>(&text);
            decode_without_panic::<spot::Trade>(&text);
            decode_without_panic::<spot::OrderUpdate>(&text);
            decode_without_panic::<futures::OrderUpdate>(&text);
            decode_without_panic::<futures::DepthUpdate>(&text);
            decode_without_panic::<RawEvent>(&text);
            let _ = crate::catalog::recode(crate::Market::Spot, &text);
        }
    }
}
