//! Encoding and signing of requests.

use std::error::Error as _;

use bitmart_auth::Credentials;
use bitmart_types::{Environment, Service, Timestamp};
use http::{Method as HttpMethod, Request};
use serde_json::{Value, json};

use super::Encoder;
use crate::endpoint::{Auth, Effect, EncodeError, Endpoint, Host, Metadata, Method, Payload};
use crate::{Error, ErrorKind, Outcome, ValidationError};

// The published example of a signature.
const KEY: &str = "80618e45710812162b04892c7ee5ead4a3cc3e56";
const SECRET: &str = "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9";
const MEMO: &str = "test001";
const NOW: Timestamp = Timestamp::from_millis(1_589_793_796_145);

/// An endpoint whose metadata depends on the type parameters. The value is its parameters.
struct Call<const SIGNED: bool, const POST: bool>(Value);

impl<const SIGNED: bool, const POST: bool> Endpoint for Call<SIGNED, POST> {
    type Response = Value;
    const METADATA: Metadata = Metadata::new(
        "call",
        if POST { Method::Post } else { Method::Get },
        Host::Spot,
        "/spot/call",
    )
    .auth(if SIGNED { Auth::Signed } else { Auth::None })
    .effect(Effect::Trade);

    fn validate(&self) -> Result<(), ValidationError> {
        if self.0 == json!("bad") {
            return Err(ValidationError::new("size", &self.0, "must be a number"));
        }
        Ok(())
    }
    fn encode(&self, payload: &mut Payload) -> Result<(), EncodeError> {
        match &self.0 {
            Value::Null => Ok(()),
            Value::Object(members) if !POST => {
                for (name, value) in members {
                    payload.query(name, value.as_str().unwrap_or_default());
                }
                Ok(())
            }
            value => payload.json(value),
        }
    }
}

/// A read with the API key only, on the futures host.
struct Keyed;

impl Endpoint for Keyed {
    type Response = Value;
    const METADATA: Metadata =
        Metadata::new("keyed", Method::Get, Host::Futures, "/keyed").auth(Auth::Keyed);
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

fn encoder() -> Encoder {
    let credentials = Credentials::new(KEY, SECRET, MEMO).unwrap();
    Encoder::new(&Environment::live()).unwrap().with_credentials(credentials).unwrap()
}

fn header<'a, B>(request: &'a Request<B>, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn a_signed_post_is_the_published_example() {
    // A struct, because the example's field order is not that of a map.
    struct Example;
    impl Endpoint for Example {
        type Response = Value;
        const METADATA: Metadata =
            Metadata::new("example", Method::Post, Host::Spot, "/spot/v1/submit_order")
                .auth(Auth::Signed);
        fn encode(&self, payload: &mut Payload) -> Result<(), EncodeError> {
            #[derive(serde::Serialize)]
            struct Body {
                symbol: &'static str,
                price: &'static str,
                count: &'static str,
            }
            payload.json(&Body { symbol: "BTC_USDT", price: "8600", count: "100" })
        }
    }
    let request = encoder().encode(&Example, NOW).unwrap();
    assert_eq!(request.method(), HttpMethod::POST);
    assert_eq!(request.uri(), "https://api-cloud.bitmart.com/spot/v1/submit_order");
    assert_eq!(&request.body()[..], br#"{"symbol":"BTC_USDT","price":"8600","count":"100"}"#);
    assert_eq!(header(&request, "x-bm-key"), Some(KEY));
    assert_eq!(header(&request, "x-bm-timestamp"), Some("1589793796145"));
    assert_eq!(
        header(&request, "x-bm-sign"),
        Some("c31dc326bf87f38bfb49a3f8494961abfa291bd549d0d98d9578e87516cee46d")
    );
    assert_eq!(header(&request, "content-type"), Some("application/json"));
    assert!(header(&request, "user-agent").unwrap().starts_with("bitmart-rust/"));
    assert_eq!(request.headers().len(), 5);
}

#[test]
fn a_post_without_parameters_sends_and_signs_an_empty_object() {
    let request = encoder().encode(&Call::<true, true>(Value::Null), NOW).unwrap();
    assert_eq!(&request.body()[..], b"{}");
    let expected =
        Credentials::new(KEY, SECRET, MEMO).unwrap().sign_request(NOW.as_millis(), b"{}");
    assert_eq!(header(&request, "x-bm-sign"), Some(expected.as_str()));
}

#[test]
fn a_signed_get_signs_an_empty_body() {
    let request =
        encoder().encode(&Call::<true, false>(json!({"symbol": "BTC_USDT"})), NOW).unwrap();
    let expected = Credentials::new(KEY, SECRET, MEMO).unwrap().sign_request(NOW.as_millis(), b"");
    assert_eq!(header(&request, "x-bm-sign"), Some(expected.as_str()));
    assert_eq!(request.uri(), "https://api-cloud.bitmart.com/spot/call?symbol=BTC_USDT");
    assert!(request.body().is_empty());
    assert_eq!(header(&request, "content-type"), None);
}

#[test]
fn a_keyed_get_contains_only_the_key() {
    let request = encoder().encode(&Keyed, NOW).unwrap();
    assert_eq!(request.uri(), "https://api-cloud-v2.bitmart.com/keyed");
    assert_eq!(header(&request, "x-bm-key"), Some(KEY));
    assert_eq!(header(&request, "x-bm-sign"), None);
    assert_eq!(header(&request, "x-bm-timestamp"), None);
}

#[test]
fn a_public_request_does_not_contain_the_key() {
    let request = encoder().encode(&Call::<false, false>(Value::Null), NOW).unwrap();
    assert_eq!(header(&request, "x-bm-key"), None);
    // `User-Agent`, and `Accept-Encoding` with the client.
    assert_eq!(request.headers().len(), 1 + usize::from(cfg!(feature = "client")));
}

#[test]
fn query_values_are_escaped() {
    let query = json!({"a": "x y&z=1", "b": "é/+%#"});
    let request = encoder().encode(&Call::<false, false>(query), NOW).unwrap();
    assert_eq!(request.uri().query(), Some("a=x%20y%26z%3D1&b=%C3%A9%2F%2B%25%23"));
}

#[test]
fn errors_while_encoding_mean_not_sent() {
    fn check(result: Result<Request<bytes::Bytes>, Error>, kind: &ErrorKind) {
        let error = result.expect_err("must fail");
        assert_eq!(error.kind(), kind);
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
    let without_credentials = Encoder::new(&Environment::live()).unwrap();
    check(
        without_credentials.encode(&Call::<true, true>(Value::Null), NOW),
        &ErrorKind::MissingCredentials,
    );
    check(without_credentials.encode(&Keyed, NOW), &ErrorKind::MissingCredentials);
    check(
        Encoder::new(&Environment::futures_demo())
            .unwrap()
            .encode(&Call::<false, false>(Value::Null), NOW),
        &ErrorKind::MissingHost(Host::Spot),
    );
    check(
        without_credentials.encode(&Call::<false, true>(json!("bad")), NOW),
        &ErrorKind::Validation(ValidationError::new("size", "\"bad\"", "must be a number")),
    );
}

#[test]
fn a_get_with_a_body_is_an_error() {
    let error = encoder().encode(&Call::<false, false>(json!([7])), NOW).expect_err("must fail");
    assert_eq!(error.kind(), &ErrorKind::Encode);
    assert_eq!(error.outcome(), Outcome::NotSent);
    let cause = error.source().expect("it has a cause").to_string();
    assert!(cause.contains("without a body"), "{cause}");
}

#[test]
fn addresses_are_checked_when_building() {
    let build =
        |address: &str| Encoder::new(&Environment::custom("test").with(Service::SpotRest, address));
    for good in ["http://127.0.0.1:8801", "https://[::1]:8443", "https://api.example/"] {
        build(good).expect(good);
    }
    for gateway in ["https://gateway.example/bitmart", "https://gateway.example/a/b/"] {
        build(gateway).expect(gateway);
    }
    for bad in [
        "api.example",
        "ftp://api.example",
        "https://api.example?a=1",
        "https://key:secret@api.example",
        "https://",
        "no address",
    ] {
        let error = build(bad).expect_err(bad);
        assert_eq!(error.setting(), "spot_rest", "{bad}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let encoder = encoder();
    let request = encoder.encode(&Call::<true, true>(json!({"address": "CANARY"})), NOW).unwrap();
    let sign = header(&request, "x-bm-sign").unwrap();
    let mut payload = Payload::new();
    payload.query("address", "CANARY");
    let shown = format!("{encoder:?} {:?} {payload:?}", request.headers());
    for secret in [KEY, SECRET, MEMO, sign, "CANARY"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
