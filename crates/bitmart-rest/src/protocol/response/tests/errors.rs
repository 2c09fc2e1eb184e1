//! The contents of errors and of their texts.

use super::*;

#[test]
fn message_and_stored_body_are_bounded() {
    let long = "é".repeat(40_000);
    let error = failure(400, &format!(r#"{{"code":50000,"message":"{long}"}}"#));
    assert_eq!(error.message().unwrap().chars().count(), 256);
    assert_eq!(error.body().unwrap().len(), 16 * 1024);
}

#[test]
fn neither_display_nor_debug_shows_the_body() {
    let bodies = [
        r#"{"code":50020,"message":"no","data":{"address":"CANARY"}}"#,
        r#"{"code":1000,"data":{"address":"CANARY"}}"#,
        r#"{"code":1000,"data":"CANARY"}"#,
        r#"{"code":1000,"data":{"order_id":{"CANARY":1}}}"#,
        r#""CANARY""#,
        "<html>CANARY</html>",
        r#"{"code":1000,"data":{"address":"CANARY"#,
    ];
    for (status, body) in bodies.iter().flat_map(|body| [(200, body), (400, body)]) {
        let error = failure(status, body);
        let mut shown = format!("{error} {error:?} {error:#?}");
        let mut cause = error.source();
        while let Some(source) = cause {
            let _ = write!(shown, " {source} {source:?} {source:#?}");
            cause = source.source();
        }
        assert!(!shown.contains("CANARY"), "{shown}");
    }
}

#[test]
fn errors_contain_the_rate_limit() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-bm-ratelimit-remaining", "41"),
        ("x-bm-ratelimit-limit", "40"),
        ("x-bm-ratelimit-reset", "2"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let body = r#"{"code":30013,"message":"Request too many requests"}"#.into();
    let error = decode::<PlaceOrder>(StatusCode::TOO_MANY_REQUESTS, &headers, &body).unwrap_err();
    assert!(error.is_rate_limited());
    assert_eq!(error.outcome(), Outcome::Rejected);
    assert_eq!(error.rate_limit().map(|state| state.used), Some(41));

    // A proxy's rejection has no envelope: still a rate limit, but the outcome is unknown.
    let page = "<html></html>".into();
    let error = decode::<PlaceOrder>(StatusCode::TOO_MANY_REQUESTS, &headers, &page).unwrap_err();
    assert!(error.is_rate_limited());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[test]
fn display_names_endpoint_cause_and_advice() {
    let rejected = failure(400, r#"{"code":50020,"message":"Balance not enough","trace":"t1"}"#);
    assert_eq!(
        rejected.to_string(),
        "place: code 50020, \"Balance not enough\" (trace t1). Add funds or order less."
    );
    let unknown = failure(502, "<html>");
    assert_eq!(
        unknown.to_string(),
        "place: the response is an HTML page, probably of a proxy that does not reach the exchange \
         (HTTP 502). The exchange may be down: try again later. The request may have taken effect: \
         query the order before sending it again."
    );
}
