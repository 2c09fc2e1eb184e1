//! Identifiers.

use std::collections::{HashMap, HashSet};

use bitmart_types::{
    ClientOrderId, ContractSymbol, Currency, EarnRequestNo, InvalidValue, OrderId, RequestNo,
    Symbol, TradeId,
};
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    serde_json::from_str(json)
}

#[test]
fn ids_are_read_from_text_and_integers() {
    for (json, text) in [
        (r#""abc-1""#, "abc-1"),
        ("17", "17"),
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("-5", "-5"),
        (r#""""#, ""),
    ] {
        assert_eq!(read::<OrderId>(json).unwrap(), text, "{json}");
        assert_eq!(read::<ClientOrderId>(json).unwrap(), text, "{json}");
        assert_eq!(read::<TradeId>(json).unwrap(), text, "{json}");
    }
    let id: OrderId = read("17").unwrap();
    assert_eq!(serde_json::to_string(&id).unwrap(), r#""17""#);
}

#[test]
fn an_id_that_is_not_exact_is_an_error() {
    let error = read::<OrderId>("18446744073709551616").unwrap_err();
    assert!(error.to_string().contains("not exact"), "{error}");
    for json in ["1.5", "null", "true", "[]", "{}"] {
        assert!(read::<OrderId>(json).is_err(), "{json}");
    }
}

#[test]
fn ids_are_keys_of_json_objects() {
    let map: HashMap<Currency, u32> = read(r#"{"USDT":1,"17":2}"#).unwrap();
    // Looked up by text, without making an id.
    assert_eq!(map.get("USDT"), Some(&1));
    assert_eq!(map.get("17"), Some(&2));
}

#[test]
fn symbols_have_two_parts() {
    let symbol = Symbol::from("BTC_USDT");
    assert_eq!((symbol.base(), symbol.quote()), (Some("BTC"), Some("USDT")));
    let odd = Symbol::from("BTCUSDT");
    assert_eq!((odd.base(), odd.quote()), (None, None));
    let two = Symbol::from("A_B_USDT");
    assert_eq!((two.base(), two.quote()), (Some("A_B"), Some("USDT")));
}

#[test]
fn real_identifiers_pass_the_check() {
    for name in
        ["BTC_USDT", "1INCH_USDC", "BTC3L_USDT", "stETH_ETH", "PEPE2.0_USDT", "$X_USDT", "币_USDT"]
    {
        assert!(name.parse::<Symbol>().is_ok(), "{name}");
    }
    for name in ["BTCUSDT", "BTCUSD", "1000PEPEUSDT"] {
        assert!(name.parse::<ContractSymbol>().is_ok(), "{name}");
    }
    for name in ["USDT", "USDT-TRC20", "stETH", "usdt"] {
        assert!(name.parse::<Currency>().is_ok(), "{name}");
    }
}

#[test]
fn malformed_identifiers_fail_the_check() {
    let long = "X".repeat(100);
    for name in [
        "",
        "BTCUSDT",
        "BTC-USDT",
        "btc_usdt",
        "_USDT",
        "BTC_",
        "BTC _USDT",
        "BTC_US\nDT",
        &format!("{long}_USDT"),
    ] {
        assert!(Symbol::from(name).check().is_err(), "{name}");
    }
    for name in ["", "BTC_USDT", "BTC/USDT", "BTC-USDT", "btcusdt", "BTC USDT", &long] {
        assert!(ContractSymbol::from(name).check().is_err(), "{name}");
    }
    for name in ["", "US DT", "USDT\n", &long] {
        assert!(Currency::from(name).check().is_err(), "{name}");
    }
    for name in ["", "1 2", "1\"", &long] {
        assert!(OrderId::from(name).check().is_err(), "{name}");
        assert!(TradeId::from(name).check().is_err(), "{name}");
    }
}

#[test]
fn errors_name_value_and_rule() {
    let error: InvalidValue = "btc_usdt".parse::<Symbol>().unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"symbol "btc_usdt" is not valid: expected BASE_QUOTE in capitals with an underscore, such as BTC_USDT"#
    );
    let error = ClientOrderId::new("x".repeat(10_000)).unwrap_err();
    assert_eq!(error.what(), "client order id");
    assert_eq!(error.value().len(), 64);
    assert_eq!(error.rule(), "1 to 32 ASCII letters and digits");
}

#[test]
fn client_order_ids_are_checked_at_construction() {
    for text in ["a", "Z9", "0123456789abcdefABCDEF0123456789"] {
        assert_eq!(ClientOrderId::new(text).unwrap(), text);
        assert!(ClientOrderId::try_from(text.to_owned()).is_ok());
    }
    for text in ["", "a-b", "a b", "ä", "0123456789abcdefABCDEF0123456789x"] {
        assert!(ClientOrderId::new(text).is_err(), "{text}");
        assert!(ClientOrderId::try_from(text).is_err(), "{text}");
    }
}

#[test]
fn random_client_order_ids_are_valid_and_differ() {
    let ids: HashSet<ClientOrderId> = (0..1000).map(|_| ClientOrderId::random()).collect();
    assert_eq!(ids.len(), 1000);
    assert!(ids.iter().all(|id| id.check().is_ok() && id.as_str().len() == 32));
}

#[test]
fn identifiers_are_send_and_sync() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<Symbol>();
    check::<ClientOrderId>();
    check::<InvalidValue>();
    check::<bitmart_types::Timestamp>();
    check::<bitmart_types::Environment>();
    check::<bitmart_types::Roots>();
    check::<bitmart_types::NoAddress>();
    check::<bitmart_types::UnknownValue>();
}

#[test]
fn a_request_number_is_short_and_without_blanks() {
    for text in ["1", "4e2adcff-2122-1ce7-2557-4f65d2ce1ca2", &"x".repeat(64)] {
        assert_eq!(RequestNo::new(text).unwrap(), text);
    }
    for text in ["", "a b", "a\n", &"x".repeat(65)] {
        assert!(RequestNo::try_from(text).is_err(), "{text:?}");
    }
    assert_ne!(RequestNo::random(), RequestNo::random());
    RequestNo::random().check().unwrap();
}

#[test]
fn a_request_number_of_savings_has_20_digits() {
    for text in ["20000009000000300000", "00000000000000000001"] {
        assert_eq!(EarnRequestNo::new(text).unwrap(), text);
    }
    for text in ["", "2000000900000030000", "200000090000003000000", "2000000900000030000x"] {
        assert!(EarnRequestNo::try_from(text).is_err(), "{text:?}");
    }
    let numbers: HashSet<EarnRequestNo> = (0..1000).map(|_| EarnRequestNo::random()).collect();
    assert_eq!(numbers.len(), 1000);
    assert!(numbers.iter().all(|number| number.check().is_ok()));
}
