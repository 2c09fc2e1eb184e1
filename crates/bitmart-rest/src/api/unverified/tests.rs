//! Responses that decode if they can, and never fail.

use super::Unverified;
use crate::Empty;

#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
struct Row {
    amount: Option<String>,
}

#[test]
fn any_json_decodes_and_is_kept() {
    for (text, value) in [
        (r#"{"amount":"1"}"#, Some(Some("1"))),
        (r#"{ "amount" : "1" , "more" : [1.10] }"#, Some(Some("1"))),
        (r#"{"amount":null}"#, Some(None)),
        ("{}", Some(None)),
        (r#"{"amount":7}"#, None),
        ("null", None),
        ("true", None),
        ("12.50", None),
        (r#""text""#, None),
        ("[[]]", None),
    ] {
        let row: Unverified<Row> = serde_json::from_str(text).expect(text);
        let amount = row.value().map(|row| row.amount.as_deref());
        assert_eq!(amount, value, "{text}");
        assert_eq!(row.raw(), text);
        assert_eq!(serde_json::to_string(&row).expect(text), text);
        assert_eq!(row.clone().into_value(), row.value().cloned());
    }
}

#[test]
fn invalid_json_is_an_error() {
    for text in ["", "{", "{]", "yes"] {
        assert!(serde_json::from_str::<Unverified<Row>>(text).is_err(), "{text}");
    }
}

#[test]
fn each_row_of_a_list_is_decoded_on_its_own() {
    let text = r#"[{"amount":"1"},{"amount":1}]"#;
    let rows: Vec<Unverified<Row>> = serde_json::from_str(text).expect("JSON");
    assert!(rows[0].value().is_some());
    assert!(rows[1].value().is_none());
    assert_eq!(rows[1].raw(), r#"{"amount":1}"#);
}

#[test]
fn the_text_decodes_as_another_type() {
    let row: Unverified<Empty> = serde_json::from_str(r#"{"amount":"1"}"#).expect("JSON");
    assert!(row.value().is_some());
    assert_eq!(row.decode::<Row>().expect("a row").amount.as_deref(), Some("1"));
    assert!(row.decode::<bool>().is_err());
}

#[test]
fn debug_does_not_show_the_text() {
    let row: Unverified<Empty> = serde_json::from_str(r#"{"address":"CANARY"}"#).expect("JSON");
    assert_eq!(format!("{row:?}"), "Unverified { value: Some(Empty), raw_bytes: 20, .. }");
}
