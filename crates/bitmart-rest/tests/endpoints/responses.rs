//! Decoding of irregular responses.

use bitmart_rest::catalog::ENDPOINTS;
use bitmart_rest::endpoint::{Endpoint, decode};
use bitmart_rest::{Error, Outcome, account, futures, margin, spot};
use bitmart_types::{Side, Timestamp, dec};
use http::{HeaderMap, StatusCode};

fn decode_data<E: Endpoint>(data: &str) -> Result<E::Response, Error> {
    let body = format!(r#"{{"code":1000,"message":"OK","trace":"t","data":{data}}}"#);
    decode::<E>(StatusCode::OK, &HeaderMap::new(), &body.into())
}

fn order_data(changes: &[(&str, &str)]) -> String {
    let mut order = serde_json::json!({
        "orderId": "1", "clientOrderId": "", "symbol": "BTC_USDT", "side": "buy",
        "orderMode": "spot", "type": "market", "state": "filled", "cancelSource": "",
        "stpMode": "", "price": "", "priceAvg": "0.00", "size": "0.00",
        "filledSize": "0.10000", "notional": "25", "filledNotional": "25",
        "createTime": 1_681_701_557_927_i64, "updateTime": 1_681_701_557_927_i64,
    });
    for (key, value) in changes {
        order[key] = serde_json::from_str(value).expect("JSON");
    }
    order.to_string()
}

#[test]
fn fields_without_a_value_are_none() {
    let order = decode_data::<spot::QueryOrder>(&order_data(&[])).expect("it decodes");
    assert_eq!(order.client_order_id, None);
    assert_eq!(order.cancel_source, None);
    assert_eq!(order.self_trade_prevention, None);
    assert_eq!(order.price, None);
    assert_eq!(order.filled_size, Some(dec!(0.1)));
}

#[test]
fn numbers_decode_from_text_and_text_from_numbers() {
    let text = order_data(&[
        ("orderId", "123"),
        ("filledSize", "0.5"),
        ("createTime", r#""1681701557927""#),
    ]);
    let order = decode_data::<spot::QueryOrder>(&text).expect("it decodes");
    assert_eq!(order.order_id.as_str(), "123");
    assert_eq!(order.filled_size, Some(dec!(0.5)));
    assert_eq!(order.create_time.map(Timestamp::as_millis), Some(1_681_701_557_927));
}

#[test]
fn names_decode_from_numbers() {
    let text = r#"{"currency":"USDT","chain":1,"address":7,"address_memo":""}"#;
    let address = decode_data::<account::QueryDepositAddress>(text).expect("it decodes");
    assert_eq!((address.chain.as_deref(), &*address.address), (Some("1"), "7"));
    let text = r#"{"wallet":[{"id":"BTC","name":1,"available":"1","frozen":"0"}]}"#;
    let wallet = decode_data::<account::QuerySpotWallet>(text).expect("it decodes");
    assert_eq!(wallet.find("BTC").expect("it is there").name.as_deref(), Some("1"));
}

#[test]
fn unknown_states_are_preserved_and_unknown_fields_ignored() {
    let text = order_data(&[("state", r#""frozen""#), ("moonPhase", r#"{"full":[1,2]}"#)]);
    let order = decode_data::<spot::QueryOrder>(&text).expect("it decodes");
    assert_eq!(order.state.as_str(), "frozen");
    assert!(!order.state.is_known());
    assert!(
        spot::OrderState::from("frozen").is_open(),
        "an order in an unknown state may still fill"
    );
}

#[test]
fn rows_may_have_additional_but_not_missing_columns() {
    let trades = decode_data::<spot::ListTrades>(
        r#"[["BMX_ETH","1691743270994","1.00","2","sell","new",7]]"#,
    )
    .expect("it decodes");
    assert_eq!(trades[0].side, Side::Sell);
    let trades = decode_data::<spot::ListTrades>(
        r#"[["BMX_ETH","1691743270994","1.00"],["BMX_ETH","1691743270994","1.00","2","sell"]]"#,
    )
    .expect("one row decodes");
    assert_eq!((trades.len(), trades.faults().len()), (1, 1));
    let reason = &trades.faults()[0].reason;
    assert!(reason.contains("missing `size`"), "{reason}");
}

#[test]
fn optional_columns_may_be_missing_at_the_end() {
    let tickers =
        decode_data::<spot::ListTickers>(r#"[["BTC_USDT","67000.00"]]"#).expect("it decodes");
    assert_eq!((tickers[0].last_price, tickers[0].timestamp), (Some(dec!(67000)), None));
    assert!(tickers.is_complete());
}

#[test]
fn an_unreadable_optional_field_is_none_and_an_essential_one_makes_the_row_faulty() {
    let rows = format!(
        "[{},{},{}]",
        order_data(&[("orderId", "1"), ("priceAvg", r#""NaN""#), ("createTime", "null")]),
        order_data(&[("orderId", "null")]),
        order_data(&[("orderId", "3")]),
    );
    let orders = decode_data::<spot::ListOpenOrders>(&rows).expect("it decodes");
    let ids: Vec<_> = orders.iter().map(|order| order.order_id.as_str()).collect();
    assert_eq!(ids, ["1", "3"]);
    assert_eq!((orders[0].average_price, orders[0].create_time), (None, None));
    assert_eq!(orders[0].filled_size, Some(dec!(0.1)));
    let [fault] = orders.faults() else { panic!("{:?}", orders.faults()) };
    assert_eq!((fault.index, fault.path.as_str()), (1, "orderId"));
}

#[test]
fn loan_times_are_milliseconds_despite_the_documentation() {
    for time in [r#""1731481319634""#, "1731481319634", "1731481319.634"] {
        let text = format!(
            r#"{{"records":[{{"borrow_id":"1","symbol":"ETH_USDT","currency":"USDT",
            "borrow_amount":"10.2","daily_interest":"0.00055","hourly_interest":"0.00002291",
            "interest_amount":null,"create_time":{time}}}]}}"#
        );
        let loans = decode_data::<margin::ListBorrowRecords>(&text).expect("it decodes");
        let loan = &loans.records[0];
        assert_eq!(loan.create_time, Some(Timestamp::from_millis(1_731_481_319_634)), "{time}");
        assert_eq!(loan.interest_amount, None);
    }
}

#[test]
fn a_ticker_row_converts_into_a_ticker() {
    let rows = decode_data::<spot::ListTickers>(
        r#"[["BTC_USDT","67000.00","12","827","66500","67500","66000","+0.0075","66999.50","0.5","","","1700000000000"]]"#,
    )
    .expect("it decodes");
    let ticker = spot::Ticker::from(rows[0].clone());
    assert_eq!(ticker.change, Some(dec!(0.0075)));
    assert_eq!((ticker.bid_price, ticker.ask_price), (Some(dec!(66999.50)), None));
}

#[test]
fn a_batch_rejected_inside_a_successful_response_is_an_error() {
    for (message, data) in [
        (r#""Balance not enough""#, "null"),
        (r#""Balance not enough""#, "{}"),
        ("null", r#"{"orderIds":null}"#),
    ] {
        let text = format!(r#"{{"code":50020,"msg":{message},"data":{data}}}"#);
        let receipt = decode_data::<spot::SubmitOrders>(&text).expect("it decodes");
        let rejected = receipt.into_order_ids(2).expect_err("the batch was rejected");
        assert_eq!((rejected.code, rejected.order_ids.len()), (Some(50020), 0), "{text}");
    }
}

#[test]
fn an_accepted_batch_returns_an_id_for_each_order() {
    let accepted = || {
        let text = r#"{"code":0,"msg":"success","data":{"orderIds":["7",8]}}"#;
        decode_data::<spot::SubmitOrders>(text).expect("it decodes")
    };
    assert_eq!(accepted().into_order_ids(2).expect("it was accepted"), ["7", "8"]);
    let missing = accepted().into_order_ids(3).expect_err("one id is missing");
    assert_eq!(missing.code, None);
    assert_eq!(missing.order_ids, ["7", "8"]);
    assert!(missing.to_string().contains("2 ids for 3 orders"), "{missing}");
}

#[test]
fn a_submitted_order_without_an_id_is_an_error() {
    assert!(decode_data::<spot::SubmitOrder>(r#"{"order_id":"7"}"#).is_ok());
    for none in [r#""""#, "null", "0", r#""0""#, r#""-""#] {
        let text = format!(r#"{{"order_id":{none}}}"#);
        let error = decode_data::<spot::SubmitOrder>(&text).expect_err("it is not a success");
        assert_eq!(error.outcome(), Outcome::Unknown, "{text}");
    }
    assert!(decode_data::<spot::SubmitOrder>("{}").is_err());
}

#[test]
fn a_failed_cancellation_is_reported() {
    let receipt = decode_data::<spot::CancelOrder>(r#"{"result":false}"#).expect("it decodes");
    assert_eq!(receipt.canceled, Some(false));
}

#[test]
fn a_cancellation_is_confirmed_in_all_its_spellings() {
    for (data, canceled) in [
        (r#"{"result":true}"#, Some(true)),
        ("true", Some(true)),
        ("false", Some(false)),
        ("{}", None),
        ("null", None),
        (r#""""#, None),
        ("[]", None),
        (r#"{"result":"?"}"#, None),
    ] {
        let receipt = decode_data::<spot::CancelOrder>(data).expect(data);
        assert_eq!(receipt.canceled, canceled, "{data}");
    }
}

#[test]
fn a_batch_that_was_accepted_is_never_an_error_of_decoding() {
    for (data, ids) in [
        (r#"{"data":{"orderIds":["7"]}}"#, vec!["7"]),
        (r#"{"code":0,"data":""}"#, vec![]),
        (r#"{"code":0,"data":{"orderIds":[{"id":1},"7"]}}"#, vec!["7"]),
        (r#""""#, vec![]),
        ("{}", vec![]),
    ] {
        let receipt = decode_data::<spot::SubmitOrders>(data).expect(data);
        match receipt.into_order_ids(1) {
            Ok(read) => assert_eq!(read, ids, "{data}"),
            Err(rejected) => {
                assert_eq!((rejected.code, rejected.order_ids.len()), (None, ids.len()), "{data}");
            }
        }
    }
    let receipt = decode_data::<spot::CancelOrders>(
        r#"{"successIds":["7"],"failIds":[{"orderId":"1"}],"failedCount":0}"#,
    );
    let receipt = receipt.expect("it decodes");
    assert_eq!(receipt.canceled, ["7"]);
    assert!(!receipt.is_complete(), "an item cannot be read");
    let receipt = decode_data::<spot::CancelOrders>(r#"{"successIds":["7"],"failIds":""}"#);
    assert!(receipt.expect("it decodes").failed.is_empty());
}

#[test]
fn a_futures_market_order_has_no_price() {
    let receipt = decode_data::<futures::SubmitOrder>(
        r#"{"order_id":220609666322019123,"price":"market price"}"#,
    )
    .expect("it decodes");
    assert_eq!(receipt.order_id.as_str(), "220609666322019123");
    assert_eq!(receipt.price, None);
}

#[test]
fn an_empty_response_may_be_an_object_or_absent() {
    for data in ["{}", "null", r#"{"new":1}"#, r#""""#, "true", "[]", "7"] {
        decode_data::<futures::CancelOrder>(data).expect(data);
    }
}

#[test]
fn data_that_does_not_decode_after_a_write_leaves_the_outcome_unknown() {
    let error = decode_data::<futures::SubmitOrder>(r#"{"price":"1"}"#).expect_err("no order id");
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[test]
fn decoders_do_not_panic() {
    for entry in ENDPOINTS {
        for data in ["null", "[]", "{}", "7", r#""x""#, "true", "[[]]", "[{}]", "[null]", "1e999"] {
            let body = format!(r#"{{"code":1000,"data":{data}}}"#);
            // Most are errors; none may panic.
            let _ = entry.recode_response(StatusCode::OK, &body.into());
        }
    }
}

#[test]
fn debug_of_a_funding_record_shows_no_address() {
    let history = decode_data::<account::ListFundingHistory>(
        r#"{"records":[{"withdraw_id":"1","deposit_id":"","operation_type":"withdraw",
            "currency":"XRP","apply_time":1588867374000,"arrival_amount":"59","fee":"1",
            "status":0,"address":"CANARY","address_memo":"CANARY","tx_id":"CANARY"}]}"#,
    )
    .expect("it decodes");
    assert_eq!(history.records[0].address.as_deref(), Some("CANARY"));
    assert!(!format!("{history:?}").contains("CANARY"), "{history:?}");
}
