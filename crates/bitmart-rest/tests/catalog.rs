//! The endpoint catalog for tools: parameters as text, validated by typed requests.

use bitmart_rest::Method;
use bitmart_rest::catalog::{self, ENDPOINTS, Presence, RecodeError};

#[test]
fn text_parameters_encode_like_the_typed_request() {
    let submit = catalog::find_route(Method::Post, "/spot/v2/submit_order").expect("described");
    let payload = submit
        .encode_request(
            r#"{"symbol":"BTC_USDT","side":"buy","type":"limit","size":"0.10","price":"60000"}"#,
        )
        .expect("it is complete");
    let body: serde_json::Value = serde_json::from_slice(payload.body()).expect("JSON");
    assert_eq!(body["size"], "0.10", "digits are preserved");
    assert_eq!(body["type"], "limit");
}

#[test]
fn encode_request_validates_and_recode_request_does_not() {
    let klines = catalog::find_route(Method::Get, "/spot/quotation/v3/klines").expect("described");
    let too_many = r#"{"symbol":"BTC_USDT","limit":"201"}"#;
    assert!(matches!(klines.encode_request(too_many), Err(RecodeError::Invalid(_))));
    assert!(klines.recode_request(too_many).is_ok(), "recorded traffic may be invalid");
    let missing = klines.encode_request("{}");
    assert!(matches!(missing, Err(RecodeError::Parameters { .. })), "{missing:?}");
}

#[test]
fn every_entry_has_a_group_and_documented_parameters() {
    for entry in ENDPOINTS {
        let id = entry.metadata.id;
        assert!(!entry.group.is_empty() && id.starts_with(entry.group), "{id}: {}", entry.group);
        for parameter in entry.parameters {
            assert!(!parameter.doc.is_empty(), "{id}: {} is not documented", parameter.name);
        }
    }
    let submit = catalog::find_route(Method::Post, "/spot/v2/submit_order").expect("described");
    assert_eq!(submit.permission, Some("Spot-Trade"));
    let side = submit.parameters.iter().find(|one| one.name == "side").expect("described");
    assert_eq!((side.presence, side.values), (Presence::Required, &["buy", "sell"][..]));
}
