//! Decoding of responses: success, error and everything that is neither.

mod errors;
mod other_envelopes;
mod repeated_members;

use std::error::Error as _;
use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::decode;
use crate::code::Category;
use crate::endpoint::{
    Auth, Effect, EncodeError, Endpoint, Envelope, Host, Metadata, Method, Payload,
};
use crate::{Error, ErrorKind, Outcome, Unexpected};

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Placed {
    order_id: String,
}

struct PlaceOrder;

impl Endpoint for PlaceOrder {
    type Response = Placed;
    const METADATA: Metadata = Metadata::new("place", Method::Post, Host::Spot, "/place")
        .auth(Auth::Signed)
        .effect(Effect::Trade);
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// A write without response data.
struct CancelAll;

impl Endpoint for CancelAll {
    type Response = serde_json::Value;
    const METADATA: Metadata = Metadata::new("cancel", Method::Post, Host::Spot, "/cancel")
        .auth(Auth::Signed)
        .effect(Effect::Trade);
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// A write of which only the confirmation counts.
struct CloseOrders;

impl Endpoint for CloseOrders {
    type Response = crate::api::Empty;
    const METADATA: Metadata =
        Metadata::new("close", Method::Post, Host::Spot, "/close").effect(Effect::Trade);
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

fn decode_body<E: Endpoint>(status: u16, body: &str) -> Result<E::Response, Error> {
    let status = StatusCode::from_u16(status).unwrap();
    decode::<E>(status, &HeaderMap::new(), &Bytes::copy_from_slice(body.as_bytes()))
}

/// The error of placing an order.
fn failure(status: u16, body: &str) -> Error {
    decode_body::<PlaceOrder>(status, body).expect_err("must fail")
}

#[test]
fn success_in_all_its_spellings() {
    for body in [
        r#"{"code":1000,"trace":"t","message":"OK","data":{"order_id":"7"}}"#,
        r#"{"code":1000,"message":"success","data":{"order_id":"7"}}"#,
        r#"{"code":"1000","msg":"Ok","trace":"","data":{"order_id":"7","new":[1]}}"#,
        r#"{"code":1000,"data":{"order_id":"7"}}"#,
        "\n {\"data\" : {\"order_id\":\"7\"} , \"extra\":{}, \"message\":null,\"code\": 1000 }",
        // Data is usable, so an unknown wording of success does not matter.
        r#"{"code":1000,"message":"done","data":{"order_id":"7"}}"#,
    ] {
        let placed = decode_body::<PlaceOrder>(200, body).expect(body);
        assert_eq!(placed.order_id, "7", "{body}");
    }
}

#[derive(Debug, serde::Deserialize)]
struct Wallet {
    wallet: bitmart_types::Rows<u64>,
}

struct QueryWallet;

impl Endpoint for QueryWallet {
    type Response = Wallet;
    const METADATA: Metadata = Metadata::new("wallet", Method::Get, Host::Spot, "/wallet");
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

#[test]
fn a_list_is_absent_only_from_data_that_says_nothing_else() {
    let wallet = |data: &str, message: &str| {
        let body = format!(r#"{{"code":1000,"message":"{message}","data":{data}}}"#);
        decode_body::<QueryWallet>(200, &body).map(|data| data.wallet.into_vec())
    };
    for empty in
        ["{}", "null", r#"{"wallet":null}"#, r#"{"total":0}"#, r#"{"total":"0","rows":[]}"#]
    {
        assert_eq!(wallet(empty, "OK").expect(empty), [0_u64; 0]);
        assert_eq!(wallet(empty, "No data").expect(empty), [0_u64; 0]);
        wallet(empty, "This service is down").expect_err(empty);
    }
    for other in
        [r#"{"error":"timeout"}"#, r#"{"count":3}"#, r#"{"has_more":true}"#, r#"{"rows":[7]}"#]
    {
        wallet(other, "OK").expect_err(other);
    }
    // Deeper than any response, and less than would exhaust the stack.
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    for message in ["OK", "down"] {
        wallet(&deep, message).expect_err("no list");
    }
}

#[test]
fn a_write_is_confirmed_by_true_and_denied_by_false() {
    let accepted = |data: &str| {
        let body = format!(r#"{{"code":1000,"message":"OK","data":{data}}}"#);
        decode_body::<CloseOrders>(200, &body).is_ok()
    };
    for data in ["null", "{}", "[]", "true", r#""""#, r#""success""#, r#"{"new":1}"#] {
        assert!(accepted(data), "{data}");
    }
    for data in ["false", "0", r#""false""#, r#""0""#] {
        assert!(!accepted(data), "{data}");
    }
}

#[test]
fn ignores_surrounding_bytes_and_the_notation_of_the_code() {
    let plain = r#"{"code":1000,"message":"OK","data":{"order_id":"7"}}"#;
    for (before, after) in
        [("\u{feff}", ""), ("", "\0"), ("", "\0\0\r\n \0"), (" \u{feff}\n", "\n"), ("\0", "")]
    {
        let body = format!("{before}{plain}{after}");
        assert_eq!(decode_body::<PlaceOrder>(200, &body).expect(&body).order_id, "7", "{body:?}");
    }
    for code in ["1000.0", r#""1000.0""#, "1000.000", "1e3", r#"" 1000 ""#] {
        let body = plain.replace("1000", code);
        assert_eq!(decode_body::<PlaceOrder>(200, &body).expect(&body).order_id, "7", "{body}");
    }
    assert_eq!(failure(400, r#"{"code":50020.0,"message":"no"}"#).code(), Some(50020));
    // Not a whole number, so not a code.
    let error = failure(200, &plain.replace("1000", "1000.5"));
    assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::NoCode));
}

#[test]
fn writes_without_data_succeed() {
    for body in [
        r#"{"code":1000,"message":"OK","data":{}}"#,
        r#"{"code":1000,"message":"Ok","data":{ }}"#,
        r#"{"code":1000,"message":"success","data":null}"#,
        r#"{"code":1000,"trace":"N/A"}"#,
    ] {
        decode_body::<CancelAll>(200, body).expect(body);
    }
}

#[test]
fn the_code_decides_not_the_status() {
    for status in [200, 400, 403, 500, 503] {
        let body = r#"{"code":50020,"message":"Balance not enough","trace":"t1","data":null}"#;
        let error = failure(status, body);
        assert_eq!(error.outcome(), Outcome::Rejected, "{status}");
        assert_eq!(error.code(), Some(50020));
        assert_eq!(error.message(), Some("Balance not enough"));
        assert_eq!(error.trace(), Some("t1"));
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert!(error.is_insufficient_funds());
    }
}

#[test]
fn inconclusive_codes_leave_the_outcome_unknown() {
    for code in [25601, 30014, 40012, 50022, 59002, 59008, 59009, 60051, 70003, 99999, 0, -1] {
        for status in [200, 400, 500] {
            let error = failure(status, &format!(r#"{{"code":{code},"message":"no"}}"#));
            assert_eq!(error.outcome(), Outcome::Unknown, "{code} with {status}");
            assert!(!error.is_without_effect());
        }
    }
}

#[test]
fn error_responses_in_all_their_spellings() {
    for (body, message) in [
        (r#"{"code":30005,"message":"wrong"}"#, "wrong"),
        (r#"{"code":"30005","msg":"wrong","trace":"N/A","data":{}}"#, "wrong"),
        (r#"{"code":30005,"message":null,"msg":"wrong","trace":""}"#, "wrong"),
        (r#"{"code":30005,"message":"","msg":"wrong"}"#, "wrong"),
        (r#"{"code":30005,"message":"wrong","msg":""}"#, "wrong"),
        (r#"{"code":30005,"message":7,"msg":"wrong"}"#, "wrong"),
        (r#"{"code":30005,"message":7,"trace":9}"#, ""),
        (r#"{"code":30005}"#, ""),
    ] {
        let error = failure(401, body);
        assert_eq!(error.message(), Some(message), "{body}");
        assert_eq!(error.trace(), None, "{body}");
        assert_eq!(error.category(), Some(Category::Authentication));
    }
}

#[test]
fn a_body_that_is_not_an_envelope_leaves_the_outcome_unknown() {
    for (status, body, reason) in [
        (502, "<html><body>Bad Gateway</body></html>", Unexpected::Html),
        (403, " \n<!DOCTYPE html>", Unexpected::Html),
        (200, "", Unexpected::Empty),
        (503, "  ", Unexpected::Empty),
        (200, r#"{"code":1000,"data":{"order_id":"#, Unexpected::Truncated),
        (200, r#"{"code":1000,"data":{"order_id":"7"#, Unexpected::Truncated),
        (200, "upstream connect error", Unexpected::NotJson),
        (200, r#"{"code":1000}{"code":1000}"#, Unexpected::NotJson),
        (200, r#"[1000,"OK",null,"t",{"order_id":"7"}]"#, Unexpected::NoCode),
        (404, r#"{"error":"no"}"#, Unexpected::NoCode),
        (200, r#"{"code":null,"message":"OK"}"#, Unexpected::NoCode),
        (200, r#"{"code":1000.5}"#, Unexpected::NoCode),
    ] {
        let error = failure(status, body);
        let kind = error.kind().clone();
        assert_eq!(kind, ErrorKind::Unexpected(reason), "{body}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{body}");
        assert_eq!(error.body(), Some(body.as_bytes()));
    }
}

#[test]
fn success_that_contradicts_itself_leaves_the_outcome_unknown() {
    let error = failure(500, r#"{"code":1000,"message":"OK","data":{"order_id":"7"}}"#);
    let reason = ErrorKind::Unexpected(Unexpected::StatusContradictsCode);
    assert_eq!(error.kind(), &reason);
    assert_eq!(error.outcome(), Outcome::Unknown);

    let text = "This service is down";
    for body in [
        format!(r#"{{"code":1000,"message":"{text}"}}"#),
        format!(r#"{{"code":1000,"message":"{text}","data":null}}"#),
        format!(r#"{{"code":1000,"message":"{text}","data":{{}}}}"#),
        format!(r#"{{"code":1000,"message":"{text}","data":""}}"#),
        format!(r#"{{"code":1000,"message":"","msg":"{text}","data":{{}}}}"#),
        format!(r#"{{"code":1000,"message":"{text}","data":[ ]}}"#),
        format!(r#"{{"code":1000,"message":"{text}","data":{{"wallet":[]}}}}"#),
        format!(r#"{{"code":1000,"message":"{text}","data":{{"total":0,"records":null}}}}"#),
        format!(r#"{{"code":1000,"message":"{text}","data":{{"page":{{"list":[]}},"next":""}}}}"#),
    ] {
        let error = decode_body::<CancelAll>(200, &body).expect_err("must fail");
        let reason = ErrorKind::Unexpected(Unexpected::MessageContradictsCode);
        assert_eq!(error.kind(), &reason, "{body}");
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
}

#[test]
fn data_that_does_not_decode_names_its_place_and_leaves_the_outcome_unknown() {
    for (body, path) in [
        (r#"{"code":1000,"data":{"order_id":7}}"#, "data.order_id"),
        (r#"{"code":1000,"data":{"id":"7"}}"#, "data"),
        (r#"{"code":1000,"message":"OK"}"#, "data"),
    ] {
        let error = failure(200, body);
        let ErrorKind::Decode(decode) = error.kind() else {
            panic!("{error:?}");
        };
        assert_eq!(decode.path, path, "{body}");
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(error.source().is_some());
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let data = "[".repeat(depth) + &"]".repeat(depth);
        decode_body::<CancelAll>(200, &format!(r#"{{"code":1000,"data":{data}}}"#))
    };
    nested(100).expect("not deep");
    let error = nested(100_000).expect_err("too deep for a recursive decoder");
    assert!(matches!(error.kind(), ErrorKind::Decode(_)), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    let cause = error.source().expect("it has a cause").to_string();
    assert!(cause.contains("recursion limit"), "{cause}");
}

#[test]
fn a_flag_of_failure_is_one_in_every_envelope() {
    let error =
        decode_body::<ReadBare>(200, r#"{"success":false,"msg":"denied"}"#).expect_err("denied");
    assert!(matches!(error.kind(), ErrorKind::Api(_)), "{error:?}");
    let error = failure(200, r#"{"code":1000,"success":false,"data":{"order_id":"7"}}"#);
    assert_eq!((error.code(), error.outcome()), (None, Outcome::Unknown));
    // A flag of success is no code of success.
    assert_eq!(failure(200, r#"{"code":50020,"success":true}"#).code(), Some(50020));
    let bare = decode_body::<ReadBare>(200, r#"{"success":true,"uid":7}"#)
        .expect("the whole body is data");
    assert_eq!(bare["uid"], 7);
}

/// Declares a read whose response has another envelope.
macro_rules! read {
    ($name:ident, $envelope:ident) => {
        struct $name;

        impl Endpoint for $name {
            type Response = serde_json::Value;
            const METADATA: Metadata = Metadata::new("read", Method::Get, Host::Spot, "/read")
                .auth(Auth::Keyed)
                .envelope(Envelope::$envelope);
            fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
                Ok(())
            }
        }
    };
}
read!(ReadErrno, Errno);
read!(ReadAccountInfo, AccountInfo);
read!(ReadBare, None);
