//! Members that a response has twice, with equal or different values.

use super::*;
use crate::RetryClass;

#[test]
fn repeated_members_decode() {
    for body in [
        r#"{"code":1000,"code":1000,"data":{"order_id":"7"}}"#,
        r#"{"code":1000,"code":"1000.0","data":{"order_id":"7"}}"#,
        r#"{"code":1000,"code":null,"data":{"order_id":"7"},"data":null}"#,
        r#"{"code":1000,"data":{},"message":"OK","message":"Ok","data":{"order_id":"7"}}"#,
        r#"{"code":1000,"trace":"1","trace":"2","msg":"","msg":"","data":{"order_id":"7"}}"#,
    ] {
        assert_eq!(decode_body::<PlaceOrder>(200, body).expect(body).order_id, "7", "{body}");
    }
    let error = failure(200, r#"{"code":50020,"code":50020,"message":"one","message":"two"}"#);
    assert_eq!((error.code(), error.message()), (Some(50020), Some("two")));
}

#[test]
fn two_data_members_that_differ_do_not_decode_and_leave_the_outcome_unknown() {
    for data in [
        r#""data":{"order_id":"7"},"data":{"order_id":"8"}"#,
        r#""data":{"order_id":"7"},"trace":"t","data":{"order_id":"8"},"data":{"order_id":"8"}"#,
        // An empty one between them changes nothing.
        r#""data":{"order_id":"7"},"data":{},"data":{"order_id":"8"}"#,
        r#""data":{"order_id":"7"},"data":false"#,
    ] {
        let body = format!(r#"{{"code":1000,"message":"OK",{data}}}"#);
        let error = failure(200, &body);
        let ErrorKind::Decode(decode) = error.kind() else { panic!("{data}: {error:?}") };
        assert_eq!((decode.path.as_str(), error.outcome()), ("data", Outcome::Unknown), "{data}");
        assert_eq!(error.retry_class(), RetryClass::AfterQuery);
        let cause = error.source().expect("it has a cause").to_string();
        assert!(cause.contains("duplicate field `data`"), "{cause}");
    }
    // The rejection is certain, whatever else the response contains.
    let body = r#"{"code":50020,"message":"no","data":{"a":1},"data":{"a":2}}"#;
    assert_eq!(failure(400, body).outcome(), Outcome::Rejected);
}

#[test]
fn repeated_data_without_content_does_not_replace_an_order() {
    for empty in ["null", "{}", "{ }", "[]", r#""""#] {
        for order in [r#"{"order_id":"7"}"#, r#"{"order_id": "7"}"#] {
            for data in [
                format!(r#""data":{order},"data":{empty}"#),
                format!(r#""data":{empty},"data":{order}"#),
            ] {
                let body = format!(r#"{{"code":1000,{data}}}"#);
                assert_eq!(decode_body::<PlaceOrder>(200, &body).expect(&body).order_id, "7");
            }
        }
    }
}

#[test]
fn a_message_of_failure_counts_wherever_it_is() {
    let down = "This service is down";
    for messages in [
        format!(r#""message":"{down}","message":"OK""#),
        format!(r#""msg":"{down}","msg":"OK","msg":"success""#),
        format!(r#""message":"OK","msg":"{down}""#),
    ] {
        let body = format!(r#"{{"code":1000,{messages},"data":{{}}}}"#);
        let error = decode_body::<CancelAll>(200, &body).expect_err(&body);
        let reason = ErrorKind::Unexpected(Unexpected::MessageContradictsCode);
        assert_eq!((error.kind(), error.outcome()), (&reason, Outcome::Unknown), "{body}");
    }
}

#[test]
fn different_codes_leave_the_outcome_unknown() {
    for body in [
        r#"{"code":1000,"code":50020,"data":{"order_id":"7"}}"#,
        r#"{"code":50020,"message":"no","code":1000,"data":{"order_id":"7"}}"#,
    ] {
        let error = failure(200, body);
        assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::CodesDiffer), "{body}");
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
    let body = r#"{"success":true,"success":false,"data":[7]}"#;
    let error = decode_body::<ReadErrno>(200, body).expect_err(body);
    assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::CodesDiffer));
}
