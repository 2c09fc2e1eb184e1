//! The rules of pairs, on rows in the form of the exchange.

use bitmart_types::dec;

use super::*;
use crate::spot::SymbolDetails;

/// Rows in the form of the exchange. The last two are invented: one before its opening, one with prices
/// in tens.
const ROWS: &str = r#"{"symbols":[
  {"symbol":"BTC_USDT","symbol_id":53,"base_currency":"BTC","quote_currency":"USDT",
   "base_min_size":"0.000010000000000000000000000000",
   "base_max_size":"100000000.000000000000000000000000000000",
   "price_min_precision":-1,"price_max_precision":2,"quote_increment":"0.00001","expiration":"NA",
   "min_buy_amount":"5.000000000000000000000000000000",
   "min_sell_amount":"5.000000000000000000000000000000","trade_status":"trading"},
  {"symbol":"SOLAR_USDT","symbol_id":2342,"base_currency":"SOLAR","quote_currency":"USDT",
   "quote_increment":"1","base_min_size":"1.000000000000000000000000000000",
   "price_min_precision":3,"price_max_precision":6,"expiration":"NA",
   "min_buy_amount":"5.000000000000000000000000000000",
   "min_sell_amount":"5.000000000000000000000000000000","trade_status":"trading"},
  {"symbol":"PRQ_BTC","symbol_id":1232,"base_currency":"PRQ","quote_currency":"BTC",
   "quote_increment":"1.0000000000","base_min_size":"1.0000000000",
   "base_max_size":"10000000.0000000000","price_min_precision":8,"price_max_precision":10,
   "expiration":"NA","min_buy_amount":"0.0001000000","min_sell_amount":"0.0002000000",
   "trade_status":"trading"},
  {"symbol":"SOON_USDT","symbol_id":"9001","base_currency":"SOON","quote_currency":"USDT",
   "quote_increment":"0.1","base_min_size":"0.1","price_min_precision":2,"price_max_precision":4,
   "expiration":"","min_buy_amount":"5","min_sell_amount":"5","trade_status":"pre-trade",
   "planned_down_time":""},
  {"symbol":"BTC_IDR","symbol_id":9002,"base_currency":"BTC","quote_currency":"IDR",
   "quote_increment":"0.25","base_min_size":"0.5","price_min_precision":-2,
   "price_max_precision":-1,"expiration":null,"min_buy_amount":"10","min_sell_amount":"20",
   "trade_status":"trading"}
]}"#;

fn rules(symbol: &str) -> OrderRules {
    let details: SymbolDetails = serde_json::from_str(ROWS).expect("the rows decode");
    OrderRules::new(details.find(symbol).expect("it is listed")).expect("the row is complete")
}

fn limit_order(side: &Side, symbol: &str, size: Decimal, price: Decimal) -> NewOrder {
    match side {
        Side::Sell => NewOrder::limit_sell(symbol, size, price),
        _ => NewOrder::limit_buy(symbol, size, price),
    }
}

#[test]
fn steps_and_minimums_come_from_the_row() {
    let rows = [
        ("BTC_USDT", dec!(0.01), dec!(0.00001), dec!(0.00001), Some(dec!(100000000))),
        ("SOLAR_USDT", dec!(0.000001), dec!(1), dec!(1), None),
        ("PRQ_BTC", dec!(0.0000000001), dec!(1), dec!(1), Some(dec!(10000000))),
        ("BTC_IDR", dec!(10), dec!(0.25), dec!(0.5), None),
    ];
    for (symbol, price_step, size_step, min_size, max_size) in rows {
        let rules = rules(symbol);
        assert_eq!(rules.is_trading(), Some(true), "{symbol}");
        assert_eq!(rules.price_step(), price_step, "{symbol}");
        assert_eq!(rules.size_step(), size_step, "{symbol}");
        assert_eq!(rules.min_size(), min_size, "{symbol}");
        assert_eq!(rules.max_size(), max_size, "{symbol}");
    }
    assert_eq!(rules("PRQ_BTC").min_amount(&Side::Buy), dec!(0.0001));
    assert_eq!(rules("PRQ_BTC").min_amount(&Side::Sell), dec!(0.0002));
    assert_eq!(rules("SOON_USDT").is_trading(), Some(false));
}

#[test]
fn a_pair_that_is_not_listed_has_no_rules() {
    let details: SymbolDetails = serde_json::from_str(ROWS).expect("the rows decode");
    assert_eq!(details.find("GONE_USDT"), None);
}

#[test]
fn prices_and_sizes_are_rounded_to_their_steps() {
    let rows = [
        // pair, price, down, up
        ("BTC_USDT", dec!(60000.129), dec!(60000.12), dec!(60000.13)),
        ("BTC_USDT", dec!(60000.12), dec!(60000.12), dec!(60000.12)),
        ("BTC_USDT", dec!(60000.12000000000000000000), dec!(60000.12), dec!(60000.12)),
        ("BTC_USDT", dec!(0.001), dec!(0), dec!(0.01)),
        ("SOLAR_USDT", dec!(0.0012345678), dec!(0.001234), dec!(0.001235)),
        ("PRQ_BTC", dec!(0.00000123456), dec!(0.0000012345), dec!(0.0000012346)),
        ("BTC_IDR", dec!(987654321.5), dec!(987654320), dec!(987654330)),
    ];
    for (symbol, price, down, up) in rows {
        let rules = rules(symbol);
        assert_eq!(rules.round_price_down(price), down, "{symbol} {price}");
        assert_eq!(rules.round_price_up(price), up, "{symbol} {price}");
        rules.check_price(up).expect("a rounded price is on the step");
    }
    assert_eq!(rules("BTC_USDT").round_size_down(dec!(0.123456789)), dec!(0.12345));
    assert_eq!(rules("SOLAR_USDT").round_size_down(dec!(41.99)), dec!(41));
    assert_eq!(rules("BTC_IDR").round_size_down(dec!(1.99)), dec!(1.75));
}

#[test]
fn a_rounded_price_has_no_trailing_zeros() {
    let price = rules("BTC_USDT").round_price_down(dec!(60000.5000000));
    assert_eq!(price.to_string(), "60000.5");
}

#[test]
fn a_size_is_worth_no_more_than_its_budget() {
    let btc = rules("BTC_USDT");
    // 250 / 60000 = 0.0041666…, in steps of 0.00001.
    assert_eq!(btc.size_worth(dec!(250), dec!(60000)), Some(dec!(0.00416)));
    assert_eq!(btc.size_worth(dec!(60000), dec!(60000)), Some(dec!(1)));
    assert_eq!(btc.size_worth(dec!(1), dec!(0)), None);
    for price in [dec!(3), dec!(7), dec!(0.3), dec!(59999.99), dec!(0.01)] {
        let size = btc.size_worth(dec!(100), price).expect("in range");
        assert!(size * price <= dec!(100), "{price}: {size}");
        assert!((size + btc.size_step()) * price > dec!(100), "{price}: {size}");
    }
}

#[test]
fn the_least_size_satisfies_the_minimums() {
    let cases = [
        // 5 / 60000 = 0.000083…, rounded up to a step of 0.00001.
        ("BTC_USDT", Side::Buy, dec!(60000), dec!(0.00009)),
        // The least amount of 5 is less than the smallest size is worth.
        ("BTC_USDT", Side::Sell, dec!(1000000000), dec!(0.00001)),
        // 5 / 0.3 = 16.7, rounded up to a step of 1.
        ("SOLAR_USDT", Side::Buy, dec!(0.3), dec!(17)),
        // 0.0002 / 0.00001 = 20.
        ("PRQ_BTC", Side::Sell, dec!(0.00001), dec!(20)),
        // 20 / 30 = 0.67, rounded up to a step of 0.25.
        ("BTC_IDR", Side::Sell, dec!(30), dec!(0.75)),
    ];
    for (symbol, side, price, least) in cases {
        let rules = rules(symbol);
        assert_eq!(rules.least_size(&side, price), Some(least), "{symbol}");
        rules
            .check_order(&limit_order(&side, symbol, least, price))
            .expect("it is within the minimums");
        let less = least - rules.size_step();
        assert!(rules.check_order(&limit_order(&side, symbol, less, price)).is_err(), "{symbol}");
    }
}

#[test]
fn a_broken_rule_is_named_with_its_limit() {
    let buy = |size, price| limit_order(&Side::Buy, "BTC_USDT", size, price);
    let cases: [(NewOrder, &str); 12] = [
        (buy(dec!(0.001), dec!(60000.123)), "`price` must be a multiple of 0.01, not `60000.123`"),
        (buy(dec!(0.001), dec!(0)), "`price` must be above zero, not `0`"),
        (buy(dec!(0.001), dec!(-1)), "`price` must be above zero, not `-1`"),
        (
            buy(dec!(0.0010001), dec!(60000)),
            "`size` must be a multiple of 0.00001, not `0.0010001`",
        ),
        (buy(dec!(0.000009), dec!(60000)), "`size` must be 0.00001 to 100000000, not `0.000009`"),
        (buy(dec!(100000001), dec!(60000)), "`size` must be 0.00001 to 100000000, not `100000001`"),
        (
            buy(dec!(0.00008), dec!(60000)),
            "`size` times price must be at least 5 for a buy order, not `4.8`",
        ),
        (
            limit_order(&Side::Sell, "BTC_IDR", dec!(0.5), dec!(30)),
            "`symbol` must be BTC_USDT, the pair of these rules, not `BTC_IDR`",
        ),
        (NewOrder::market_buy("BTC_USDT", dec!(4.99)), "`notional` must be at least 5, not `4.99`"),
        (
            NewOrder::market_sell("BTC_USDT", dec!(0.000001)),
            "`size` must be 0.00001 to 100000000, not `0.000001`",
        ),
        (
            NewOrder::limit_sell("BTC_USDT", dec!(0.00008), dec!(60000)).post_only(),
            "`size` times price must be at least 5 for a sell order, not `4.8`",
        ),
        (
            NewOrder::limit_buy("BTC_USDT", dec!(1), dec!(0.001)).immediate_or_cancel(),
            "`price` must be a multiple of 0.01, not `0.001`",
        ),
    ];
    for (order, expected) in cases {
        let error = rules("BTC_USDT").check_order(&order).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn each_side_has_its_minimum() {
    let rules = rules("BTC_IDR");
    rules
        .check_order(&limit_order(&Side::Buy, "BTC_IDR", dec!(0.5), dec!(30)))
        .expect("15 is above 10");
    let error = rules.check_order(&limit_order(&Side::Sell, "BTC_IDR", dec!(0.5), dec!(30)));
    let expected = "`size` times price must be at least 20 for a sell order, not `15`";
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn an_order_within_the_rules_passes() {
    let btc = rules("BTC_USDT");
    let orders: [NewOrder; 4] = [
        limit_order(&Side::Buy, "BTC_USDT", dec!(0.00010), dec!(60000.00)),
        // One unit of the last of 28 digits is still read exactly.
        limit_order(&Side::Sell, "BTC_USDT", dec!(1), dec!(60000.120000000000000000)),
        NewOrder::market_buy("BTC_USDT", dec!(5)),
        NewOrder::market_sell("BTC_USDT", dec!(0.00001)),
    ];
    for order in orders {
        btc.check_order(&order).expect("it is within the rules");
    }
}

#[test]
fn an_order_for_a_pair_that_does_not_trade_is_rejected() {
    let order = limit_order(&Side::Buy, "SOON_USDT", dec!(100), dec!(1));
    let error = rules("SOON_USDT").check_order(&order).unwrap_err();
    let expected = "`symbol` must be a trading pair, but its state is pre-trade, not `SOON_USDT`";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn extreme_values_do_not_panic() {
    for symbol in ["BTC_USDT", "SOLAR_USDT", "PRQ_BTC", "BTC_IDR"] {
        let rules = rules(symbol);
        for value in [Decimal::MAX, Decimal::MIN, Decimal::ZERO, Decimal::new(1, 28)] {
            let _ = rules.round_price_down(value);
            let _ = rules.round_price_up(value);
            let _ = rules.round_size_down(value);
            for other in [Decimal::MAX, Decimal::MIN, Decimal::ZERO, Decimal::new(1, 28)] {
                let _ = rules.size_worth(value, other);
                let _ = rules.least_size(&Side::Buy, other);
                let _ = rules.check_order(&limit_order(&Side::Buy, symbol, value, other));
            }
        }
    }
}

#[test]
fn without_a_price_above_zero_there_is_no_size() {
    let rules = rules("BTC_USDT");
    for price in [dec!(0), dec!(-1), Decimal::MIN, -Decimal::new(1, 28)] {
        assert_eq!(rules.size_worth(dec!(100), price), None, "{price}");
        assert_eq!(rules.least_size(&Side::Buy, price), None, "{price}");
    }
}
