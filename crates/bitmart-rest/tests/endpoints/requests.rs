//! Spot, futures and account requests: their bodies and queries, and the errors of validation.

use std::time::Duration;

use bitmart_rest::{account, futures, margin, spot};
use bitmart_types::{ClientOrderId, OrderId, Side, Timestamp, dec};

use crate::common::{body, query, rejection};

fn client_order_id() -> ClientOrderId {
    ClientOrderId::new("abc123").expect("letters and digits")
}

fn limit_buy_order() -> spot::NewOrder {
    spot::NewOrder::limit_buy("BTC_USDT", dec!(0.0010), dec!(60000))
        .with_client_order_id(client_order_id())
}

#[test]
fn a_spot_order_has_the_fields_of_its_kind() {
    let head = r#"{"symbol":"BTC_USDT","side":"#;
    let tail = r#","client_order_id":"abc123"}"#;
    let cases: [(spot::SubmitOrder, &str); 6] = [
        (limit_buy_order().into(), r#""buy","type":"limit","size":"0.0010","price":"60000""#),
        (
            spot::NewOrder::limit_sell("BTC_USDT", dec!(2), dec!(70000.5))
                .post_only()
                .with_client_order_id(client_order_id())
                .into(),
            r#""sell","type":"limit_maker","size":"2","price":"70000.5""#,
        ),
        (
            limit_buy_order().immediate_or_cancel().into(),
            r#""buy","type":"ioc","size":"0.0010","price":"60000""#,
        ),
        (
            spot::NewOrder::market_buy("BTC_USDT", dec!(25))
                .with_client_order_id(client_order_id())
                .into(),
            r#""buy","type":"market","notional":"25""#,
        ),
        (
            spot::NewOrder::market_sell("BTC_USDT", dec!(0.5))
                .with_client_order_id(client_order_id())
                .into(),
            r#""sell","type":"market","size":"0.5""#,
        ),
        (
            limit_buy_order().self_trade_prevention(spot::SelfTradePrevention::CancelMaker).into(),
            r#""buy","type":"limit","stpMode":"cancel_maker","size":"0.0010","price":"60000""#,
        ),
    ];
    for (order, terms) in cases {
        assert_eq!(body(&order), format!("{head}{terms}{tail}"));
    }
}

#[test]
fn every_new_order_gets_its_own_client_order_id() {
    let first = spot::NewOrder::market_buy("BTC_USDT", dec!(25));
    let second = spot::NewOrder::market_buy("BTC_USDT", dec!(25));
    assert_ne!(first.client_order_id(), second.client_order_id());
    let id = first.client_order_id().clone();
    assert_eq!(spot::SubmitOrder::from(first).client_order_id(), Some(&id));
    let futures = futures::NewOrder::buy("BTCUSDT", 1, futures::Execution::Market);
    let id = futures.client_order_id().clone();
    assert_eq!(futures::SubmitOrder::from(futures).client_order_id(), Some(&id));
}

#[test]
fn accessors_return_the_values_of_a_new_order() {
    let values = |order: spot::NewOrder| {
        (order.side().clone(), order.size(), order.price(), order.notional())
    };
    let maker = limit_buy_order().post_only();
    assert_eq!(values(maker), (Side::Buy, Some(dec!(0.0010)), Some(dec!(60000)), None));
    let buy = spot::NewOrder::market_buy("BTC_USDT", dec!(25));
    assert_eq!(values(buy), (Side::Buy, None, None, Some(dec!(25))));
    let sell = spot::NewOrder::market_sell("BTC_USDT", dec!(0.5));
    assert_eq!(values(sell), (Side::Sell, Some(dec!(0.5)), None, None));
    let long = futures::NewOrder::open_long("BTCUSDT", 10, futures::Execution::Limit(dec!(60000)));
    assert_eq!(long.side(), &futures::Side::OpenLong);
    assert_eq!((long.size(), long.price()), (10, Some(dec!(60000))));
}

#[test]
fn a_market_order_cannot_be_a_maker_or_immediate() {
    let buy = || spot::NewOrder::market_buy("BTC_USDT", dec!(25));
    let sell = || spot::NewOrder::market_sell("BTC_USDT", dec!(0.5));
    for order in [
        buy().post_only(),
        buy().immediate_or_cancel(),
        sell().post_only(),
        sell().immediate_or_cancel(),
    ] {
        assert_contradictory(order);
    }
}

/// No way of placing the order accepts it.
fn assert_contradictory(order: spot::NewOrder) {
    let expected = "`type` must be one of market, post-only and immediate-or-cancel";
    for error in [
        rejection(&spot::SubmitOrder::from(order.clone())),
        rejection(&margin::SubmitOrder::from(order.clone())),
        rejection(&spot::SubmitAlgoOrder::trigger(order, dec!(60000))),
    ] {
        assert!(error.starts_with(expected) || error.contains("limit or market"), "{error}");
    }
}

#[test]
fn a_post_only_order_does_not_become_immediate_without_a_word() {
    assert_contradictory(limit_buy_order().post_only().immediate_or_cancel());
    assert_contradictory(limit_buy_order().immediate_or_cancel().post_only());
    // The same type set twice is no contradiction.
    let twice = spot::SubmitOrder::from(limit_buy_order().post_only().post_only());
    assert!(body(&twice).contains("limit_maker"));
}

#[test]
fn canceling_without_an_order_id_is_rejected_on_both_markets() {
    let without_id: spot::CancelOrder =
        serde_json::from_str(r#"{"symbol":"BTC_USDT"}"#).expect("it decodes");
    assert_eq!(rejection(&without_id), "`order_id` or client_order_id must be set, not `nothing`");
    let blank = spot::CancelOrder::new("BTC_USDT", OrderId::from(" "));
    let futures = futures::CancelOrder::new("BTCUSDT", OrderId::from(" "));
    assert_eq!(rejection(&blank), rejection(&futures));
}

#[test]
fn a_decoded_order_without_an_amount_is_rejected() {
    let decode = |terms: &str| -> spot::SubmitOrder {
        serde_json::from_str(&format!(r#"{{"symbol":"BTC_USDT",{terms}}}"#)).expect("it decodes")
    };
    assert_eq!(
        rejection(&decode(r#""side":"buy","type":"market","size":"1""#)),
        "`notional` must be set for this kind of order, not `nothing`"
    );
    assert_eq!(
        rejection(&decode(r#""side":"buy","type":"limit","size":"1""#)),
        "`price` must be set for this kind of order, not `nothing`"
    );
    assert_eq!(
        rejection(&decode(r#""side":"sell","type":"limit","size":"0","price":"1""#)),
        "`size` must be above zero, not `0`"
    );
}

#[test]
fn a_symbol_without_a_separator_is_rejected() {
    let order = spot::SubmitOrder::from(spot::NewOrder::market_buy("BTCUSDT", dec!(25)));
    assert!(rejection(&order).starts_with("`symbol` must be BASE_QUOTE"), "{}", rejection(&order));
}

#[test]
fn a_batch_has_one_to_ten_orders_of_one_pair() {
    let batch = spot::SubmitOrders::new("BTC_USDT")
        .push(limit_buy_order())
        .recv_window(Duration::from_secs(5));
    assert_eq!(
        body(&batch),
        r#"{"symbol":"BTC_USDT","orderParams":[{"side":"buy","type":"limit","size":"0.0010","price":"60000","clientOrderId":"abc123"}],"recvWindow":5000}"#
    );
    let ids: Vec<_> = batch.client_order_ids().collect();
    assert_eq!(ids, [&client_order_id()]);

    assert_eq!(
        rejection(&spot::SubmitOrders::new("BTC_USDT")),
        "`orderParams` must be 1 to 10, not `0`"
    );
    let eleven =
        (0..11).fold(spot::SubmitOrders::new("BTC_USDT"), |batch, _| batch.push(limit_buy_order()));
    assert_eq!(rejection(&eleven), "`orderParams` must be 1 to 10, not `11`");
    let with_another_pair = batch.push(spot::NewOrder::market_buy("ETH_USDT", dec!(25)));
    assert_eq!(
        rejection(&with_another_pair),
        "`symbol` must be BTC_USDT, the pair of the batch, for every order, not `ETH_USDT`"
    );
}

#[test]
fn orders_are_canceled_by_either_id() {
    assert_eq!(
        body(&spot::CancelOrder::new("BTC_USDT", OrderId::from("77"))),
        r#"{"symbol":"BTC_USDT","order_id":"77"}"#
    );
    assert_eq!(
        body(&spot::CancelOrder::new("BTC_USDT", client_order_id())),
        r#"{"symbol":"BTC_USDT","client_order_id":"abc123"}"#
    );
    assert_eq!(
        body(&spot::CancelOrders::by_ids("BTC_USDT", ["77", "78"])),
        r#"{"symbol":"BTC_USDT","orderIds":["77","78"]}"#
    );
    assert_eq!(
        body(&spot::CancelOrders::by_client_order_ids("BTC_USDT", [client_order_id()])),
        r#"{"symbol":"BTC_USDT","clientOrderIds":["abc123"]}"#
    );
    assert_eq!(
        rejection(&spot::CancelOrders::by_ids("BTC_USDT", [""; 0])),
        "`orderIds` must be 1 to 10, not `0`"
    );
}

#[test]
fn a_futures_cancel_without_an_id_is_rejected_because_it_would_cancel_every_order() {
    assert_eq!(
        body(&futures::CancelOrder::new("BTCUSDT", OrderId::from("77"))),
        r#"{"symbol":"BTCUSDT","order_id":"77"}"#
    );
    let all: futures::CancelOrder =
        serde_json::from_str(r#"{"symbol":"BTCUSDT"}"#).expect("it decodes");
    assert_eq!(rejection(&all), "`order_id` or client_order_id must be set, not `nothing`");
}

#[test]
fn futures_orders_have_side_and_mode_as_numbers() {
    type Constructor = fn(&'static str, u64, futures::Execution) -> futures::NewOrder;
    let cases: [(Constructor, u8); 8] = [
        (futures::NewOrder::open_long, 1),
        (futures::NewOrder::close_short, 2),
        (futures::NewOrder::close_long, 3),
        (futures::NewOrder::open_short, 4),
        (futures::NewOrder::buy, 1),
        (futures::NewOrder::buy_reduce_only, 2),
        (futures::NewOrder::sell_reduce_only, 3),
        (futures::NewOrder::sell, 4),
    ];
    for (constructor, side) in cases {
        let order = constructor("BTCUSDT", 10, futures::Execution::Market)
            .with_client_order_id(client_order_id());
        assert_eq!(
            body(&futures::SubmitOrder::from(order)),
            format!(
                r#"{{"symbol":"BTCUSDT","client_order_id":"abc123","type":"market","side":{side},"size":10}}"#
            )
        );
    }
    for (execution, mode) in [
        (futures::Execution::Limit(dec!(60000)), ""),
        (futures::Execution::FillOrKill(dec!(60000)), r#""mode":2,"#),
        (futures::Execution::ImmediateOrCancel(dec!(60000)), r#""mode":3,"#),
        (futures::Execution::PostOnly(dec!(60000)), r#""mode":4,"#),
    ] {
        let order =
            futures::NewOrder::buy("BTCUSDT", 1, execution).with_client_order_id(client_order_id());
        assert_eq!(
            body(&futures::SubmitOrder::from(order)),
            format!(
                r#"{{"symbol":"BTCUSDT","client_order_id":"abc123","type":"limit","side":1,{mode}"price":"60000","size":1}}"#
            )
        );
    }
}

#[test]
fn futures_orders_have_leverage_as_text_and_presets() {
    let order = futures::NewOrder::open_long("BTCUSDT", 1, futures::Execution::Market)
        .with_client_order_id(client_order_id())
        .leverage(dec!(5))
        .margin_type(futures::MarginType::Isolated)
        .take_profit(dec!(70000), futures::PriceType::Last)
        .stop_loss(dec!(50000), futures::PriceType::Mark)
        .self_trade_prevention(futures::SelfTradePrevention::CancelBoth);
    assert_eq!(
        body(&futures::SubmitOrder::from(order)),
        r#"{"symbol":"BTCUSDT","client_order_id":"abc123","type":"market","side":1,"leverage":"5","open_type":"isolated","size":1,"preset_take_profit_price":"70000","preset_take_profit_price_type":1,"preset_stop_loss_price":"50000","preset_stop_loss_price_type":2,"stp_mode":3}"#
    );
}

#[test]
fn contradictory_futures_orders_are_rejected() {
    let rejected = |order: futures::NewOrder| rejection(&futures::SubmitOrder::from(order));
    let market = futures::Execution::Market;
    assert_eq!(
        rejected(futures::NewOrder::buy("BTCUSDT", 0, market)),
        "`size` must be at least 1, not `0`"
    );
    assert_eq!(
        rejected(futures::NewOrder::buy("BTCUSDT", 1, market).leverage(dec!(0.5))),
        "`leverage` must be at least 1, not `0.5`"
    );
    assert_eq!(
        rejected(futures::NewOrder::buy("BTCUSDT", 1, futures::Execution::Limit(dec!(-1)))),
        "`price` must be above zero, not `-1`"
    );
    let closing = futures::NewOrder::close_long("BTCUSDT", 1, market);
    assert!(
        rejected(closing.stop_loss(dec!(5), futures::PriceType::Last))
            .contains("must not be set for an order"),
    );
    assert!(
        rejected(futures::NewOrder::buy("BTC_USDT", 1, market)).starts_with("`symbol` must be")
    );
}

#[test]
fn a_withdrawal_names_an_address_or_an_account() {
    assert_eq!(
        body(&account::Withdraw::to_address(
            "XRP",
            dec!(20),
            account::Address::new("rEXAMPLE").memo("123")
        )),
        r#"{"currency":"XRP","amount":"20","address":"rEXAMPLE","address_memo":"123"}"#
    );
    assert_eq!(
        body(
            &account::Withdraw::to_account(
                "USDT",
                dec!(5),
                account::Recipient::UserId("876".into())
            )
            .source(account::WithdrawSource::Fund)
        ),
        r#"{"currency":"USDT","amount":"5","type":1,"value":"876","sourceAccount":"FUND"}"#
    );
    let phone = account::Recipient::Phone { area_code: "86".into(), number: "555".into() };
    assert_eq!(
        body(&account::Withdraw::to_account("USDT", dec!(5), phone).remark("rent")),
        r#"{"currency":"USDT","amount":"5","destination":"rent","type":3,"value":"555","areaCode":"86"}"#
    );
    assert_eq!(
        rejection(&account::Withdraw::to_address("USDT-TRC20", dec!(0), "T123")),
        "`amount` must be above zero, not `0`"
    );
    assert!(
        rejection(&account::Withdraw::to_address("USDT-TRC20", dec!(1), ""))
            .starts_with("`address` must be set")
    );
}

#[test]
fn debug_of_a_withdrawal_shows_no_destination() {
    let address = account::Address::new("rCANARY").memo("mCANARY");
    let withdraw = account::Withdraw::to_address("XRP", dec!(20), address.clone());
    let account = account::Recipient::Email("CANARY@example.org".into());
    let internal = account::Withdraw::to_account("XRP", dec!(20), account.clone());
    let shown = format!("{address:?} {withdraw:?} {account:?} {internal:?}");
    assert!(!shown.contains("CANARY"), "{shown}");
}

#[test]
fn queries_write_times_in_the_unit_of_the_endpoint() {
    let klines = spot::ListKlines::new("BTC_USDT")
        .before(Timestamp::from_secs(1_700_000_000))
        .step(spot::KlineStep::Hours1)
        .limit(200);
    assert_eq!(query(&klines), "symbol=BTC_USDT&before=1700000000&step=60&limit=200");
    let history = account::ListFundingHistory::new(account::FundingOperation::Withdraw, 100)
        .start_time(Timestamp::from_millis(1_739_499_865_000));
    assert_eq!(query(&history), "operation_type=withdraw&startTime=1739499865000&N=100");
    assert_eq!(query(&futures::ListContracts::new()), "");
    assert_eq!(
        body(&spot::QueryOrder::new("77").query_state(spot::QueryState::Open)),
        r#"{"orderId":"77","queryState":"open"}"#
    );
}

#[test]
fn published_ranges_are_checked() {
    assert_eq!(
        rejection(&spot::ListKlines::new("BTC_USDT").limit(201)),
        "`limit` must be 1 to 200, not `201`"
    );
    assert_eq!(
        rejection(&spot::ListKlines::new("BTC_USDT").limit(0)),
        "`limit` must be 1 to 200, not `0`"
    );
    assert_eq!(
        rejection(&spot::QueryOrder::new("77").recv_window(Duration::from_millis(60_001))),
        "`recvWindow` must be 1ms to 60s in whole milliseconds, not `60.001s`"
    );
    let fraction = Duration::from_micros(1500);
    assert!(rejection(&spot::QueryOrder::new("77").recv_window(fraction)).ends_with("not `1.5ms`"));
    assert!(rejection(&spot::QueryOrder::new("")).starts_with("`orderId` must be"));
}
