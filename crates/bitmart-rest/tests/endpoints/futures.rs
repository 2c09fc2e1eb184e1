//! Futures: bodies and queries of requests, and errors of validation.

use std::time::Duration;

use bitmart_rest::endpoint::Endpoint;
use bitmart_rest::futures;
use bitmart_types::{ClientOrderId, OrderId, RequestNo, Timestamp, dec};
use serde_json::json;

use crate::common::{body, query, rejection};

fn client_order_id() -> ClientOrderId {
    ClientOrderId::new("abc123").expect("letters and digits")
}

fn order_id() -> OrderId {
    OrderId::from("220906179559421")
}

fn plan_order_to_open_long(execution: futures::Execution) -> futures::NewPlanOrder {
    let trigger = futures::Trigger::falling(dec!(58000));
    futures::NewPlanOrder::open_long(
        "BTCUSDT",
        10,
        futures::Leverage::isolated(dec!(5)),
        trigger,
        execution,
    )
}

#[test]
fn a_plan_order_has_trigger_and_execution() {
    let head = r#"{"symbol":"BTCUSDT","type":"#;
    let middle = r#","side":1,"leverage":"5","open_type":"isolated""#;
    let tail = r#","price_way":2,"price_type":1}"#;
    let rest = r#","size":10,"trigger_price":"58000""#;
    for (execution, order_type, mode, price) in [
        (futures::Execution::Market, r#""market""#, "", ""),
        (futures::Execution::Limit(dec!(58100)), r#""limit""#, "", r#","executive_price":"58100""#),
        (
            futures::Execution::PostOnly(dec!(57900.5)),
            r#""limit""#,
            r#","mode":4"#,
            r#","executive_price":"57900.5""#,
        ),
    ] {
        let expected = format!("{head}{order_type}{middle}{mode}{rest}{price}{tail}");
        assert_eq!(
            body(&futures::SubmitPlanOrder::from(plan_order_to_open_long(execution))),
            expected
        );
    }
}

#[test]
fn a_rising_trigger_by_the_mark_price_is_written_in_numbers() {
    let trigger = futures::Trigger::rising(dec!(70000)).price_type(futures::PriceType::Mark);
    let order = futures::NewPlanOrder::sell(
        "BTCUSDT",
        1,
        futures::Leverage::cross(dec!(10)),
        trigger,
        futures::Execution::Market,
    )
    .stop_loss(dec!(72000), futures::PriceType::Last);
    let written = body(&futures::SubmitPlanOrder::from(order));
    for part in [
        r#""side":4"#,
        r#""open_type":"cross""#,
        r#""price_way":1,"price_type":2"#,
        r#""preset_stop_loss_price":"72000","preset_stop_loss_price_type":1"#,
    ] {
        assert!(written.contains(part), "{part} in {written}");
    }
}

#[test]
fn contradictory_plan_orders_are_rejected() {
    let trigger = || futures::Trigger::falling(dec!(58000));
    let order = |size, leverage| {
        let leverage = futures::Leverage::cross(leverage);
        futures::NewPlanOrder::close_long(
            "BTCUSDT",
            size,
            leverage,
            trigger(),
            futures::Execution::Market,
        )
    };
    assert!(futures::SubmitPlanOrder::from(order(1, dec!(1))).validate().is_ok());
    assert_eq!(
        rejection(&futures::SubmitPlanOrder::from(order(0, dec!(1)))),
        "`size` must be at least 1, not `0`"
    );
    assert_eq!(
        rejection(&futures::SubmitPlanOrder::from(order(1, dec!(0.5)))),
        "`leverage` must be at least 1, not `0.5`"
    );
    let preset = order(1, dec!(1)).take_profit(dec!(70000), futures::PriceType::Last);
    assert!(rejection(&futures::SubmitPlanOrder::from(preset)).contains("an order that closes"));
    let without_price = plan_order_to_open_long(futures::Execution::Limit(dec!(0)));
    assert_eq!(
        rejection(&futures::SubmitPlanOrder::from(without_price)),
        "`executive_price` must be above zero, not `0`"
    );
}

#[test]
fn a_take_profit_closes_the_position_at_market_by_default() {
    let head = r#"{"symbol":"BTCUSDT","type":"take_profit","side":3"#;
    let position = futures::NewTpSlOrder::take_profit_long("BTCUSDT", dec!(72000))
        .with_client_order_id(client_order_id());
    assert_eq!(
        body(&futures::SubmitTpSlOrder::from(position.clone())),
        format!(
            r#"{head},"trigger_price":"72000","executive_price":"0","price_type":1,"plan_category":2,"client_order_id":"abc123","category":"market"}}"#
        )
    );
    let part = position
        .size(5)
        .execution(futures::TriggeredExecution::Limit(dec!(71900)))
        .price_type(futures::PriceType::Mark);
    assert_eq!(
        body(&futures::SubmitTpSlOrder::from(part)),
        format!(
            r#"{head},"size":5,"trigger_price":"72000","executive_price":"71900","price_type":2,"plan_category":1,"client_order_id":"abc123","category":"limit"}}"#
        )
    );
}

#[test]
fn each_constructor_closes_the_side_in_its_name() {
    type Constructor = fn(&'static str, bitmart_types::Decimal) -> futures::NewTpSlOrder;
    let cases: [(Constructor, &str); 4] = [
        (
            |symbol, price| futures::NewTpSlOrder::take_profit_long(symbol, price),
            r#""take_profit","side":3"#,
        ),
        (
            |symbol, price| futures::NewTpSlOrder::take_profit_short(symbol, price),
            r#""take_profit","side":2"#,
        ),
        (
            |symbol, price| futures::NewTpSlOrder::stop_loss_long(symbol, price),
            r#""stop_loss","side":3"#,
        ),
        (
            |symbol, price| futures::NewTpSlOrder::stop_loss_short(symbol, price),
            r#""stop_loss","side":2"#,
        ),
    ];
    for (constructor, part) in cases {
        let written = body(&futures::SubmitTpSlOrder::from(constructor("BTCUSDT", dec!(60000))));
        assert!(written.contains(part), "{part} in {written}");
    }
}

#[test]
fn a_limit_take_profit_without_a_price_and_an_opening_side_are_rejected() {
    let without_price = futures::NewTpSlOrder::take_profit_long("BTCUSDT", dec!(72000))
        .execution(futures::TriggeredExecution::Limit(dec!(0)));
    assert_eq!(
        rejection(&futures::SubmitTpSlOrder::from(without_price)),
        "`executive_price` must be above zero, not `0`"
    );
    let opening: futures::SubmitTpSlOrder = serde_json::from_value(json!({
        "symbol": "BTCUSDT", "type": "stop_loss", "side": 1, "trigger_price": "1",
        "executive_price": "0", "price_type": 1,
    }))
    .expect("a body");
    assert_eq!(rejection(&opening), "`side` must be a closing side, not `1`");
}

#[test]
fn modify_requests_have_the_required_fields() {
    let market = futures::TriggeredExecution::Market;
    assert_eq!(
        body(&futures::ModifyPlanOrder::new("BTCUSDT", order_id(), dec!(64000), market)),
        r#"{"symbol":"BTCUSDT","order_id":"220906179559421","trigger_price":"64000","price_type":1,"type":"market"}"#
    );
    assert_eq!(
        body(&futures::ModifyTpSlOrder::of_position("BTCUSDT", order_id(), dec!(73000))),
        r#"{"symbol":"BTCUSDT","order_id":"220906179559421","trigger_price":"73000","price_type":1,"plan_category":2}"#
    );
    assert_eq!(
        body(&futures::ModifyTpSlOrder::of_size("BTCUSDT", client_order_id(), dec!(73000), market)),
        r#"{"symbol":"BTCUSDT","client_order_id":"abc123","trigger_price":"73000","executive_price":"0","price_type":1,"plan_category":1,"category":"market"}"#
    );
    assert_eq!(
        body(&futures::ModifyPreset::new("BTCUSDT", order_id()).stop_loss(dec!(64000))),
        r#"{"symbol":"BTCUSDT","order_id":"220906179559421","preset_stop_loss_price":"64000"}"#
    );
    assert_eq!(
        body(&futures::CancelPlanOrder::new("BTCUSDT", client_order_id())),
        r#"{"symbol":"BTCUSDT","client_order_id":"abc123"}"#
    );
}

#[test]
fn a_modified_limit_order_has_its_id_as_a_number() {
    let head = r#"{"symbol":"BTCUSDT","order_id":220906179559421"#;
    assert_eq!(
        body(&futures::ModifyLimitOrder::price("BTCUSDT", order_id(), dec!(61000))),
        format!(r#"{head},"price":"61000"}}"#)
    );
    assert_eq!(
        body(&futures::ModifyLimitOrder::price_and_size("BTCUSDT", order_id(), dec!(61000), 5)),
        format!(r#"{head},"price":"61000","size":5}}"#)
    );
    assert_eq!(
        body(&futures::ModifyLimitOrder::size("BTCUSDT", client_order_id(), 5)),
        r#"{"symbol":"BTCUSDT","client_order_id":"abc123","size":5}"#
    );
    let nothing: futures::ModifyLimitOrder =
        serde_json::from_value(json!({"symbol": "BTCUSDT", "order_id": 1})).expect("a body");
    assert_eq!(rejection(&nothing), "`price` or size must be set, not `nothing`");
}

#[test]
fn the_callback_rate_of_a_trailing_order_is_a_tenth_to_five_percent() {
    let order = |rate| {
        let trail = futures::Trail::new(dec!(72000), rate).price_type(futures::PriceType::Mark);
        let leverage = futures::Leverage::cross(dec!(10));
        futures::SubmitTrailingOrder::from(futures::NewTrailingOrder::close_long(
            "BTCUSDT", 10, leverage, trail,
        ))
    };
    assert_eq!(
        body(&order(dec!(0.1))),
        r#"{"symbol":"BTCUSDT","side":3,"leverage":"10","open_type":"cross","size":10,"activation_price":"72000","callback_rate":"0.1","activation_price_type":2}"#
    );
    assert!(order(dec!(5)).validate().is_ok());
    for rate in [dec!(0.09), dec!(5.1)] {
        assert_eq!(
            rejection(&order(rate)),
            format!("`callback_rate` must be 0.1 to 5, not `{rate}`")
        );
    }
}

#[test]
fn cancel_all_after_takes_at_least_five_whole_seconds_or_zero() {
    assert_eq!(
        body(&futures::CancelAllAfter::new("BTCUSDT", Duration::from_secs(5))),
        r#"{"symbol":"BTCUSDT","timeout":5}"#
    );
    assert_eq!(
        body(&futures::CancelAllAfter::never("BTCUSDT")),
        r#"{"symbol":"BTCUSDT","timeout":0}"#
    );
    for millis in [1, 999, 4_999, 5_001, 60_500, (u64::from(u32::MAX) + 1) * 1_000] {
        let timeout = Duration::from_millis(millis);
        assert_eq!(
            rejection(&futures::CancelAllAfter::new("BTCUSDT", timeout)),
            format!(
                "`timeout` must be 0, which switches it off, or at least 5 s in whole seconds, not `{timeout:?}`"
            )
        );
    }
}

#[test]
fn settings_and_transfers_write_enumerations_as_text() {
    assert_eq!(
        body(&futures::SetLeverage::new("BTCUSDT", futures::MarginType::Cross).leverage(dec!(20))),
        r#"{"symbol":"BTCUSDT","leverage":"20","open_type":"cross"}"#
    );
    let tuple: futures::SetLeverage = ("BTCUSDT", dec!(20), futures::MarginType::Cross).into();
    assert_eq!(body(&tuple), r#"{"symbol":"BTCUSDT","leverage":"20","open_type":"cross"}"#);
    assert_eq!(
        rejection(
            &futures::SetLeverage::new("BTCUSDT", futures::MarginType::Cross).leverage(dec!(0.5))
        ),
        "`leverage` must be at least 1, not `0.5`"
    );
    assert_eq!(
        body(
            &futures::TransferFunds::from_spot("USDT", dec!(10))
                .recv_window(Duration::from_secs(3))
        ),
        r#"{"currency":"USDT","amount":"10","type":"spot_to_contract","recvWindow":3000}"#
    );
    assert!(body(&futures::TransferFunds::to_spot("USDT", dec!(10))).contains("contract_to_spot"));
    assert!(
        body(&futures::TransferWithFunding::from_funding("USDT", dec!(1)))
            .contains("fund_to_contract")
    );
    assert!(
        body(&futures::TransferWithFunding::to_funding("USDT", dec!(1)))
            .contains("contract_to_fund")
    );
    assert_eq!(
        rejection(&futures::TransferFunds::from_spot("USDT", dec!(0))),
        "`amount` must be 0.01 to 10000000000, not `0`"
    );
    let request_no = RequestNo::new("4e2adcff-2122").expect("a number");
    assert_eq!(
        body(&futures::TransferOwnToMain::new(request_no, dec!(1), "USDT")),
        r#"{"requestNo":"4e2adcff-2122","amount":"1","currency":"USDT"}"#
    );
    assert_eq!(
        body(
            &futures::CloseAllPositions::new(futures::ContractType::Usdt)
                .position_side(futures::PositionSide::Long)
        ),
        r#"{"contractType":1,"position_side":"long"}"#
    );
    assert_eq!(body(&futures::ClaimDemoFunds::new()), "{}");
}

#[test]
fn times_are_written_in_the_unit_of_the_endpoint() {
    let (start, end) = (Timestamp::from_secs(1_700_000_000), Timestamp::from_secs(1_700_003_600));
    assert_eq!(
        query(&futures::ListKlines::new("BTCUSDT", start, end).step(futures::KlineStep::Hours4)),
        "symbol=BTCUSDT&step=240&start_time=1700000000&end_time=1700003600"
    );
    assert_eq!(
        query(&futures::ListOrderHistory::new("BTCUSDT").start_time(start)),
        "symbol=BTCUSDT&start_time=1700000000"
    );
    assert_eq!(
        query(&futures::ListTransactions::new().end_time(end).limit(1000)),
        "end_time=1700003600000&page_size=1000"
    );
    assert_eq!(
        rejection(&futures::ListTransactions::new().limit(1001)),
        "`page_size` must be 1 to 1000, not `1001`"
    );
}
