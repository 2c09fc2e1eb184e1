//! Envelopes of single endpoints.

use super::*;

#[test]
fn the_success_flag_decides_in_envelopes_that_have_one() {
    for body in [
        r#"{"errno":"OK","message":"Success","data":{"list":[7]},"success":true}"#,
        r#"{"errno":"0","message":"anything","data":{"list":[7]},"success":true}"#,
        r#"{"success":true,"data":{"list":[7]}}"#,
        r#"{"code":1000,"message":"Ok","data":{"list":[7]}}"#,
    ] {
        assert_eq!(decode_body::<ReadErrno>(200, body).expect(body)["list"][0], 7, "{body}");
    }
    for body in [
        r#"{"code":0,"msg":"ok","data":{"cid":"7"},"errorData":null,"success":true}"#,
        r#"{"code":1000,"msg":null,"data":{"cid":"7"},"success":true}"#,
        r#"{"code":1000,"message":"OK","trace":"t","data":{"cid":"7"}}"#,
    ] {
        assert_eq!(decode_body::<ReadAccountInfo>(200, body).expect(body)["cid"], "7", "{body}");
    }
}

#[test]
fn failures_of_other_envelopes_are_errors_of_the_exchange() {
    for (body, code, message, outcome) in [
        (
            r#"{"errno":"30005","message":"wrong","success":false}"#,
            Some(30005),
            "wrong",
            Outcome::Rejected,
        ),
        (
            r#"{"errno":"NO_ACCOUNT","message":"wrong","data":{},"success":false}"#,
            None,
            "NO_ACCOUNT: wrong",
            Outcome::Unknown,
        ),
        (r#"{"errno":"NO_ACCOUNT","success":false}"#, None, "NO_ACCOUNT", Outcome::Unknown),
        (r#"{"errno":"1000","message":"OK","success":false}"#, None, "OK", Outcome::Unknown),
        // Rejections of the gateway have the standard envelope.
        (
            r#"{"code":30005,"message":"wrong","trace":"t"}"#,
            Some(30005),
            "wrong",
            Outcome::Rejected,
        ),
    ] {
        let error = decode_body::<ReadErrno>(200, body).expect_err(body);
        assert_eq!(error.code(), code, "{body}");
        assert_eq!(error.message(), Some(message), "{body}");
        assert_eq!(error.outcome(), outcome, "{body}");
    }
    let body = r#"{"code":30012,"msg":"no","data":null,"errorData":{"a":1},"success":false}"#;
    let error = decode_body::<ReadAccountInfo>(200, body).expect_err(body);
    assert_eq!((error.code(), error.message()), (Some(30012), Some("no")));
    assert!(decode_body::<ReadBare>(200, r#"{"code":30012,"message":"no"}"#).is_err());
}

#[test]
fn other_envelopes_are_as_strict_as_the_standard_one() {
    for body in [
        r#"{"errno":"OK","message":"Success","data":{"list":[]}}"#,
        r#"{"errno":"OK","data":{"list":[]},"success":"yes"}"#,
        r#"{"data":{"list":[]}}"#,
        "[]",
    ] {
        let error = decode_body::<ReadErrno>(200, body).expect_err(body);
        assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::NoCode), "{body}");
    }
    let body = r#"{"errno":"OK","message":"This service is down","data":{},"success":true}"#;
    let error = decode_body::<ReadErrno>(200, body).expect_err(body);
    assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::MessageContradictsCode));
    let body = r#"{"errno":"OK","data":{"list":[]},"success":true}"#;
    let error = decode_body::<ReadErrno>(500, body).expect_err(body);
    assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::StatusContradictsCode));
    // The standard envelope has no such flag.
    let error = failure(200, r#"{"success":true,"data":{"order_id":"7"}}"#);
    assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::NoCode));
}

#[test]
fn without_an_envelope_the_body_is_the_data() {
    for (body, data) in [
        (r#" {"total":1,"list":[7]} "#, r#"{"total":1,"list":[7]}"#),
        (r#"{"code":"1000","message":"OK","data":{"total":1}}"#, r#"{"total":1}"#),
        (" [7]", "[7]"),
    ] {
        let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(decode_body::<ReadBare>(200, body).expect(body), data, "{body}");
    }
    for (status, body, reason) in [
        (500, r#"{"total":1}"#, Unexpected::NoCode),
        (404, "[]", Unexpected::NoCode),
        (200, "[7", Unexpected::NotJson),
        (200, "<html>", Unexpected::Html),
        (200, "", Unexpected::Empty),
        (200, r#"{"total":1"#, Unexpected::Truncated),
    ] {
        let error = decode_body::<ReadBare>(status, body).expect_err(body);
        assert_eq!(error.kind(), &ErrorKind::Unexpected(reason), "{body}");
    }
}

#[test]
fn an_errno_of_failure_beside_success_leaves_the_outcome_unknown() {
    for body in [
        r#"{"code":1000,"errno":"NO_ACCOUNT","message":"OK","data":{"order_id":"7"}}"#,
        r#"{"code":1000,"errno":30005,"message":"OK","data":{"order_id":"7"}}"#,
        r#"{"success":true,"errno":"NO_ACCOUNT","code":1000,"data":{"order_id":"7"}}"#,
    ] {
        let error = decode::<PlaceOrder>(StatusCode::OK, &HeaderMap::new(), &body.into());
        let error = error.expect_err(body);
        assert_eq!(error.outcome(), Outcome::Unknown, "{body}");
        assert!(matches!(error.kind(), ErrorKind::Unexpected(Unexpected::CodesDiffer)), "{error}");
    }
    for errno in [r#""OK""#, r#""0""#, "0", "1000", "null", r#""""#] {
        let body = format!(r#"{{"code":1000,"errno":{errno},"data":{{"order_id":"7"}}}}"#);
        let placed = decode::<PlaceOrder>(StatusCode::OK, &HeaderMap::new(), &body.into());
        assert!(placed.is_ok(), "{errno}");
    }
}

#[test]
fn an_errno_of_failure_alone_is_an_error_of_the_exchange() {
    for body in [r#"{"errno":"NO_ACCOUNT","message":"wrong"}"#, r#"{"errno":30005}"#] {
        let error = decode::<PlaceOrder>(StatusCode::OK, &HeaderMap::new(), &body.into());
        assert!(matches!(error.expect_err(body).kind(), ErrorKind::Api(_)), "{body}");
    }
}
