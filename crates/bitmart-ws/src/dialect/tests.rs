//! Frames that are sent, and the classification of control frames.

mod fixtures;

use super::*;
use crate::reason::Rejection;

const KEY: &str = "canary-key";
const SECRET: &str = "canary-secret";
const MEMO: &str = "canary-memo";

fn credentials() -> Credentials {
    Credentials::new(KEY, SECRET, MEMO).expect("credentials")
}

#[test]
fn login_frames_have_the_documented_form() {
    let timestamp = Timestamp::from_millis(1_589_267_764_859);
    let signature = credentials().sign_websocket_login(1_589_267_764_859).as_str().to_owned();
    assert_eq!(
        login_frame(Market::Spot, &credentials(), timestamp).reveal(),
        format!(r#"{{"op":"login","args":["{KEY}","1589267764859","{signature}"]}}"#)
    );
    assert_eq!(
        login_frame(Market::Futures, &credentials(), timestamp).reveal(),
        format!(r#"{{"action":"access","args":["{KEY}","1589267764859","{signature}","web"]}}"#)
    );
}

#[test]
fn debug_output_of_a_login_is_redacted() {
    let login = login_frame(Market::Spot, &credentials(), Timestamp::from_millis(1));
    let signature = credentials().sign_websocket_login(1).as_str().to_owned();
    let shown = format!("{login:?}");
    for canary in [KEY, SECRET, MEMO, &signature] {
        assert!(!shown.contains(canary), "{shown}");
    }
}

#[test]
fn commands_escape_topics() {
    let limits = Limits::for_endpoint(Market::Spot, Access::Public);
    let (text, _) = command_frame(Market::Spot, Operation::Subscribe, &["a\"b".into()], &limits);
    assert_eq!(text, r#"{"op":"subscribe","args":["a\"b"]}"#);
}

#[test]
fn an_oversized_topic_is_sent_in_a_frame_of_its_own() {
    let limits = Limits::for_endpoint(Market::Futures, Access::Public);
    let topics: Vec<Arc<str>> = vec!["x".repeat(3_000).into(), "y".into()];
    assert_eq!(command_frame(Market::Futures, Operation::Subscribe, &topics, &limits).1, 1);
}

#[test]
fn classifies_published_control_frames() {
    let control = |market: Market, text: &str| match classify(market, text) {
        Incoming::Control(control) => control,
        Incoming::Data { frame_name } => panic!("{text} classified as data of {frame_name}"),
    };
    let rejection = |code, text: &str| Rejection::new(code, text);
    let topic = || Some("futures/order".to_owned());
    let rejected = |code, text: &str| Control::Rejected {
        operation: None,
        topic: None,
        rejection: rejection(code, text),
    };
    let acknowledged = || Control::Acknowledged {
        operation: Operation::Subscribe,
        topic: "spot/ticker:BTC_USDT".to_owned(),
    };
    let cases = [
        (Market::Spot, "pong", Control::Pong),
        (Market::Spot, r#"{"event":"login"}"#, Control::LoggedIn),
        (
            Market::Spot,
            r#"{"event":"login","errorCode":"91002","errorMessage":"API KEY not found"}"#,
            Control::LoginRejected(rejection(Some(91_002), "API KEY not found")),
        ),
        (
            Market::Spot,
            r#"{"event":"subscribe","error_code":90004,"error_message":"x"}"#,
            Control::Rejected {
                operation: Some(Operation::Subscribe),
                topic: None,
                rejection: rejection(Some(90_004), "x"),
            },
        ),
        (
            Market::Spot,
            r#"{"event":"error","message":"Invalid sign","errorCode":30013}"#,
            rejected(Some(30_013), "Invalid sign"),
        ),
        (
            Market::Spot,
            r#"{"event":"error","errorMessage":"no such topic"}"#,
            rejected(None, "no such topic"),
        ),
        (Market::Spot, r#"{"event":"error","code":90001}"#, rejected(Some(90_001), "")),
        (Market::Spot, r#"{"event":"error","msg":"busy"}"#, rejected(None, "busy")),
        (
            Market::Spot,
            r#"{"event":"subscribe","topic":"spot/ticker:BTC_USDT","errorCode":"0"}"#,
            acknowledged(),
        ),
        (
            Market::Spot,
            r#"{"event":"subscribe","topic":"spot/ticker:BTC_USDT","errorCode":"","errorMessage":""}"#,
            acknowledged(),
        ),
        (Market::Spot, r#"{"event":"login","errorCode":0}"#, Control::LoggedIn),
        (Market::Futures, r#"{"action":"access","success":"true"}"#, Control::LoggedIn),
        (Market::Futures, r#"{"success":false,"message":"denied"}"#, rejected(None, "denied")),
        (Market::Futures, r#"{"group":"System","data":"pong+e5"}"#, Control::Pong),
        (Market::Futures, r#"{"action":"access","success":true}"#, Control::LoggedIn),
        (
            Market::Futures,
            r#"{"action":"subscribe","group":"futures/order","success":false,"error":"futures/order need authenication"}"#,
            Control::Rejected {
                operation: Some(Operation::Subscribe),
                topic: topic(),
                rejection: rejection(None, "futures/order need authenication"),
            },
        ),
        (
            Market::Futures,
            r#"{"success":false,"error":"Invalid message: message must be JSON: ping"}"#,
            Control::Rejected {
                operation: None,
                topic: None,
                rejection: rejection(None, "Invalid message: message must be JSON: ping"),
            },
        ),
        (Market::Spot, "not json", Control::Unknown),
        (Market::Futures, "[[[[", Control::Unknown),
        (Market::Spot, "{}", Control::Unknown),
    ];
    for (market, text, expected) in cases {
        assert_eq!(control(market, text), expected, "{text}");
    }
}

#[test]
fn data_that_contains_the_word_success_is_data() {
    for text in [
        r#"{"group":"futures/order","data":[{"action":1,"order":{"client_order_id":"success"}}]}"#,
        r#"{"group":"futures/order","data":[{"success":true,"action":"subscribe"}]}"#,
        r#"{"data":{"success":false},"group":"futures/order"}"#,
    ] {
        assert_eq!(
            classify(Market::Futures, text),
            Incoming::Data { frame_name: "futures/order" },
            "{text}"
        );
    }
}

#[test]
fn classifies_an_order_event_with_an_action_as_data() {
    let frame = r#"{"group":"futures/order","data":[{"action":3,"order":{"order_id":"1"}}]}"#;
    assert_eq!(classify(Market::Futures, frame), Incoming::Data { frame_name: "futures/order" });
}
