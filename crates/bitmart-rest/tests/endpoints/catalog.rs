//! The catalogue: finding entries, encoding parameters, and facts of endpoints.

use bitmart_rest::catalog::{self, ENDPOINTS, Presence, RecodeError};
use bitmart_rest::endpoint::Method;

#[test]
fn encodes_parameters_like_the_typed_request() {
    let submit = catalog::find_route(Method::Post, "/spot/v2/submit_order").expect("described");
    let payload = submit
        .encode_request(
            r#"{"symbol":"BTC_USDT","side":"buy","type":"limit","size":"0.10","price":"60000"}"#,
        )
        .expect("it is complete");
    let body: serde_json::Value = serde_json::from_slice(payload.body()).expect("JSON");
    assert_eq!(body["size"], "0.10", "digits stay as they are");
    assert_eq!(body["type"], "limit");
}

#[test]
fn rejects_a_request_that_violates_a_rule() {
    let klines = catalog::find_route(Method::Get, "/spot/quotation/v3/klines").expect("described");
    let too_many = r#"{"symbol":"BTC_USDT","limit":"201"}"#;
    assert!(matches!(klines.encode_request(too_many), Err(RecodeError::Invalid(_))));
    assert!(klines.recode_request(too_many).is_ok(), "recorded traffic may break rules");
    let missing = klines.encode_request("{}");
    assert!(matches!(missing, Err(RecodeError::Parameters { .. })), "{missing:?}");
}

#[test]
fn every_entry_documents_its_parameters() {
    for entry in ENDPOINTS {
        let id = entry.metadata.id;
        assert!(!entry.group.is_empty() && id.starts_with(entry.group), "{id}: {}", entry.group);
        for parameter in entry.parameters {
            assert!(!parameter.doc.is_empty(), "{id}: {} is not explained", parameter.name);
        }
    }
    let submit = catalog::find_route(Method::Post, "/spot/v2/submit_order").expect("described");
    assert_eq!(submit.permission, Some("Spot-Trade"));
    let side = submit.parameters.iter().find(|one| one.name == "side").expect("described");
    assert_eq!((side.presence, side.values), (Presence::Required, &["buy", "sell"][..]));
}

#[test]
fn every_entry_is_found_by_path_id_and_method() {
    for entry in ENDPOINTS {
        let (id, path) = (entry.metadata.id, entry.metadata.path);
        let method = if entry.metadata.method == Method::Get { "GET" } else { "POST" };
        for name in [id, entry.call, &format!("{method} {path}")] {
            let found = catalog::find(name).unwrap_or_else(|| panic!("{name} is not found"));
            assert_eq!(found.metadata.id, id, "{name}");
        }
        assert_eq!(catalog::find(path).map(|found| found.metadata.path), Some(path));
    }
    for unknown in
        ["", "spot_unknown", "/spot/unknown", "client.spot().unknown(..)", "GET spot_order"]
    {
        assert!(catalog::find(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn histories_have_a_specification_and_read_their_rows() {
    let trades =
        catalog::find("spot_fills").and_then(|entry| entry.history).expect("it is a history");
    let body = r#"{"code":1000,"message":"success","trace":"t","data":[{"tradeId":"7","orderId":"1",
        "symbol":"BTC_USDT","side":"buy","price":"5","size":"1","createTime":1700000000000}, {}]}"#;
    let page = trades.read(&bytes::Bytes::from(body)).expect("it decodes");
    assert_eq!((page.rows.len(), page.faults.len()), (1, 1));
    let (key, row) = &page.rows[0];
    // A trade with oneself has two fills with one trade id.
    assert_eq!(key.id, "7 1");
    assert_eq!(trades.key(row.as_bytes()).as_ref(), Some(key));
    assert_eq!(ENDPOINTS.iter().filter(|entry| entry.history.is_some()).count(), 18);
}

#[test]
fn endpoints_of_some_accounts_only_have_an_availability() {
    let is_optional = |id: &str| catalog::find(id).expect(id).availability.is_some();
    for id in ["affiliate_rebates", "broker_rebates", "earn_holdings", "sub_accounts_list"] {
        assert!(is_optional(id), "{id}");
    }
    for id in ["account_wallet", "spot_order_history", "futures_contracts"] {
        assert!(!is_optional(id), "{id}");
    }
}
