//! Responses that the exchange does not document and third parties describe.

use std::collections::BTreeSet;

use bitmart_rest::endpoint::{Endpoint, Metadata, decode};
use bitmart_rest::types::Rows;
use bitmart_rest::{
    Error, Outcome, Unverified, account, affiliate, broker, catalog, earn, futures, spot,
};
use bitmart_types::dec;
use http::{HeaderMap, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn decode_body<E: Endpoint>(body: &str) -> Result<E::Response, Error> {
    decode::<E>(StatusCode::OK, &HeaderMap::new(), &body.to_owned().into())
}

/// Builds data with every described field. Each is `"1"`, which all field types read.
fn sample_data(fields: &[&str]) -> Value {
    let mut data = Value::Null;
    for field in fields {
        let mut at = &mut data;
        for segment in field.replace("[]", ".[]").split('.').filter(|segment| !segment.is_empty()) {
            at = if segment == "[]" {
                if at.is_null() {
                    *at = json!([null]);
                }
                &mut at[0]
            } else {
                &mut at[segment]
            };
        }
        *at = json!("1");
    }
    data
}

/// Collects the paths of the scalars in `value`.
fn leaves(path: &str, value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(&format!("{path}{dot}{key}"), value, out);
            }
        }
        Value::Array(items) => {
            for value in items {
                leaves(&format!("{path}[]"), value, out);
            }
        }
        _ => {
            out.insert(path.to_owned());
        }
    }
}

/// Checks that the response type has exactly the described fields. Returns the endpoint's id.
fn check_model<E, T>() -> &'static str
where
    E: Endpoint<Response = Unverified<T>>,
    T: Serialize + DeserializeOwned,
{
    let Metadata { id, method, path, .. } = E::METADATA;
    let entry = catalog::find_route(method, path).expect("it is described");
    let data = sample_data(&entry.fields.iter().map(|field| field.path).collect::<Vec<_>>());
    let body = json!({"code": 1000, "data": data}).to_string();
    let value = decode_body::<E>(&body).expect("any data decodes").into_value();
    let value = value.unwrap_or_else(|| panic!("{id}: {data} does not decode"));
    let (mut actual, mut described) = (BTreeSet::new(), BTreeSet::new());
    leaves("", &serde_json::to_value(&value).expect("it encodes"), &mut actual);
    leaves("", &data, &mut described);
    assert_eq!(actual, described, "{id}");
    id
}

#[test]
fn models_have_exactly_the_described_fields() {
    let checked = [
        check_model::<account::QueryAccountInfo, account::AccountInfo>(),
        check_model::<broker::QueryRebates, broker::Rebates>(),
        check_model::<affiliate::ListCustomerFunding, affiliate::CustomerFunding>(),
        check_model::<affiliate::QueryCustomerAccount, affiliate::CustomerAccount>(),
        check_model::<earn::ListHoldings, Rows<earn::Holding>>(),
        check_model::<earn::ListFlexibleProducts, earn::FlexibleProducts>(),
        check_model::<earn::ListFlexibleHoldings, earn::FlexibleHoldings>(),
        check_model::<earn::ListFlexibleRecords, earn::FlexibleRecords>(),
        check_model::<earn::ListFixedProducts, earn::FixedProducts>(),
        check_model::<earn::ListFixedHoldings, earn::FixedHoldings>(),
        check_model::<earn::ListFixedRecords, earn::FixedRecords>(),
        check_model::<earn::QueryAutoSaving, earn::AutoSaving>(),
        check_model::<earn::QueryAutoSubscribe, earn::AutoSubscribeStatus>(),
        check_model::<futures::ListAutoRepayments, futures::AutoRepayments>(),
        check_model::<futures::ListCollateralInterest, futures::CollateralInterestHistory>(),
        check_model::<futures::ListFundingRates, futures::FundingRates>(),
        check_model::<spot::SubmitAlgoOrder, spot::AlgoOrderReceipt>(),
        check_model::<spot::CancelAlgoOrder, spot::AlgoCancelReceipt>(),
        check_model::<spot::QueryAlgoOrder, spot::AlgoOrder>(),
        check_model::<spot::QueryAlgoOrderByClientId, spot::AlgoOrder>(),
        check_model::<spot::ListOpenAlgoOrders, Rows<spot::AlgoOrder>>(),
        check_model::<spot::ListAlgoOrderHistory, Rows<spot::AlgoOrder>>(),
    ];
    // A new endpoint must be added above.
    let unverified = catalog::ENDPOINTS
        .iter()
        .filter(|entry| entry.is_unverified && !entry.fields.is_empty())
        .map(|entry| entry.metadata.id);
    assert_eq!(BTreeSet::from(checked), unverified.collect());
}

#[test]
fn every_field_may_be_absent_or_null() {
    for data in ["{}", r#"{"list":null}"#, r#"{"total":null,"list":[{}]}"#] {
        let body = format!(r#"{{"code":1000,"data":{data}}}"#);
        let page = decode_body::<earn::ListFixedHoldings>(&body).expect("any data decodes");
        assert!(page.value().is_some(), "{data}");
        assert_eq!(page.raw(), data);
    }
}

#[test]
fn a_response_of_another_form_is_available_as_text() {
    let body = r#"{"code":1000,"data":{"list":{"a":1}}}"#;
    let page = decode_body::<earn::ListFixedHoldings>(body).expect("any data decodes");
    assert_eq!(page.value().expect("an object").holdings, None);
    assert_eq!(page.raw(), r#"{"list":{"a":1}}"#);
    let account = decode_body::<account::QueryDepositAccount>(
        r#"{"code":1000,"data":{"account_type":"SPOT"}}"#,
    );
    assert_eq!(account.expect("any data decodes").raw(), r#"{"account_type":"SPOT"}"#);
}

#[test]
fn the_account_info_has_its_own_envelope() {
    let body = json!({
        "code": 0, "msg": "ok", "success": true, "errorData": null,
        "data": {
            "cid": "7", "account_type": "main", "parent_cid": null, "account_status": "active",
            "register_time": 1_700_000_000,
            "api_keys": [{
                "is_current": true, "permissions": ["trade"], "ip_whitelist": [],
                "api_key_status": "expired",
            }],
        },
    });
    let info = decode_body::<account::QueryAccountInfo>(&body.to_string()).expect("it decodes");
    let info = info.into_value().expect("it has the expected form");
    assert_eq!(info.uid.as_ref().map(AsRef::as_ref), Some("7"));
    assert_eq!(info.parent_uid, None);
    assert_eq!(info.register_time, Some(1_700_000_000));
    let key = &info.api_keys.expect("keys")[0];
    assert_eq!(key.is_current, Some(true));
    assert_eq!(key.status, Some(account::ApiKeyStatus::Expired));
    assert_eq!(key.permissions.as_deref(), Some(&["trade".to_owned()][..]));
}

#[test]
fn customers_are_decoded_row_by_row() {
    let body = json!({
        "code": "1000",
        "data": {
            "total": 2, "page": 1, "size": 10,
            "list": [{"cid": 7, "rebateTotal": "1.5", "status": 1}, "something else"],
        },
    });
    let page = decode_body::<affiliate::ListCustomers>(&body.to_string()).expect("it decodes");
    let first: &affiliate::Customer = page.customers[0].value().expect("it has the expected form");
    assert_eq!(first.total_rebate, Some(dec!(1.5)));
    assert_eq!(page.customers[1].value(), None);
    assert_eq!(page.customers[1].raw(), r#""something else""#);
}

#[test]
fn deposits_of_customers_are_read_with_and_without_an_envelope() {
    let bare = r#"{"total":1,"list":[{"dateTime":17,"type":1,"amount":"5","coin":"USDT"}]}"#;
    for body in [bare.to_owned(), format!(r#"{{"code":1000,"message":"OK","data":{bare}}}"#)] {
        let page = decode_body::<affiliate::ListCustomerFunding>(&body).expect("it decodes");
        assert_eq!(page.raw(), bare);
        let rows = page.into_value().expect("it has the expected form").records.expect("rows");
        assert_eq!(rows[0].amount, Some(dec!(5)));
        assert_eq!(rows[0].date_time, Some(17));
    }
}

#[test]
fn savings_enumerations_are_read_in_the_spelling_of_responses() {
    let body = r#"{"code":1000,"data":{"subscribeStatus":"ON"}}"#;
    let status = decode_body::<earn::QueryAutoSubscribe>(body).expect("it decodes");
    assert_eq!(status.into_value().and_then(|status| status.status), Some(earn::AutoSubscribe::On));

    let body = r#"{"code":1000,"data":{"list":[{"type":"interest","status":"done","time":17}]}}"#;
    let page = decode_body::<earn::ListFlexibleRecords>(body).expect("it decodes");
    let records = page.into_value().and_then(|page| page.records).expect("records");
    assert_eq!(records[0].record_type, Some(earn::RecordType::Interest));
    assert_eq!(records[0].status.as_deref(), Some("done"));
}

#[test]
fn the_data_of_a_write_is_a_boolean_or_unverified_json() {
    for (data, value) in [("true", Some(true)), ("false", Some(false)), (r#"{"ok":1}"#, None)] {
        let body = format!(r#"{{"code":1000,"message":"OK","data":{data}}}"#);
        let result = decode_body::<earn::RedeemFixed>(&body).expect("any data decodes");
        assert_eq!(result.value().copied(), value);
        assert_eq!(result.raw(), data);
    }
    // A failure stays an error although the response is undocumented.
    let error =
        decode_body::<account::TransferFunds>(r#"{"code":61001,"message":"no"}"#).unwrap_err();
    assert_eq!(error.outcome(), Outcome::Rejected);
    let error = decode_body::<earn::RedeemFixed>(r#"{"code":99999,"message":"no"}"#).unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(decode_body::<earn::RedeemFixed>("<html>").is_err());
}
