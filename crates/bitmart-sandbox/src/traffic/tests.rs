use hyper::{HeaderMap, Request, header::HeaderValue};

use super::*;

fn request(path: &str) -> Request<()> {
    Request::post(path)
        .header("x-bm-key", "the key")
        .header("x-bm-sign", "the signature")
        .header("x-bm-timestamp", "1700000000000")
        .header("user-agent", "bot/1")
        .body(())
        .expect("a request")
}

#[test]
fn keys_and_signatures_are_not_recorded() {
    let traffic = Traffic::new();
    let request = request("/spot/v2/submit_order?KEY=the+key&symbol=BTC_USDT&my_Secret=the+key");
    Capture::start(&traffic, Host::Spot, &request).finish(200, &HeaderMap::new());
    let record = traffic.requests().get(1).expect("a record");
    let recorded = String::from_utf8_lossy(record.recorded());
    for secret in ["the key", "the+key", "the signature"] {
        assert!(!recorded.contains(secret), "{recorded}");
    }
    let headers = record.headers();
    assert!(headers.contains("x-bm-key: [hidden]\nx-bm-sign: [hidden]\n"), "{headers}");
    assert!(headers.contains("user-agent: bot/1"), "{headers}");
    assert!(headers.contains("x-bm-timestamp: 1700000000000"), "{headers}");
    assert_eq!(record.query(), "KEY=[hidden]&symbol=BTC_USDT&my_Secret=[hidden]");
    assert_eq!(format!("{record:?}").matches("bot").count(), 0, "nothing is shown by Debug");
}

#[test]
fn secrets_of_a_response_are_not_recorded() {
    let traffic = Traffic::new();
    let mut headers = HeaderMap::new();
    headers.insert("set-cookie", HeaderValue::from_static("a=the cookie"));
    headers.insert("x-other", HeaderValue::from_static("shown"));
    let mut marked = HeaderValue::from_static("the marked value");
    marked.set_sensitive(true);
    headers.insert("x-marked", marked);
    Capture::start(&traffic, Host::Spot, &request("/a")).finish(200, &headers);
    let record = traffic.requests().get(1).expect("a record");
    let lines = "set-cookie: [hidden]\nx-other: shown\nx-marked: [hidden]\n";
    assert_eq!(record.response_headers(), lines);
}

#[test]
fn all_texts_of_a_request_are_kept_in_any_order() {
    let traffic = Traffic::new();
    let request = request("/a/b?c=d");
    let mut capture = Capture::start(&traffic, Host::Spot, &request);
    capture.response_body(b"first");
    capture.body(b"the body");
    capture.response_body(b"second");
    capture.finish(200, &HeaderMap::new());
    let record = traffic.requests().get(1).expect("a record");
    assert_eq!(record.target(), "/a/b?c=d");
    assert_eq!((record.body().bytes, record.body().length), (&b"the body"[..], 8));
    assert_eq!(record.response().bytes, b"second");
    assert_eq!(record.response_headers(), "");
    assert!(record.weight() >= record.recorded().len());
}

#[test]
fn logins_are_recorded_without_key_and_signature() {
    for text in [
        r#"{"op":"login","args":["the key","1700000000000","the signature"]}"#,
        r#"{"action":"access","args":["the key","1700000000000","the signature","web"]}"#,
        r#"{"op":"LOGIN","key":"the key"}"#,
        "login the key",
        r#"["login","the key"]"#,
        r#"{"Op":"login","args":["the key"]}"#,
    ] {
        let shown = redact::message(text).expect("it is changed");
        assert!(!shown.contains("the key") && !shown.contains("the signature"), "{shown}");
    }
}

const SECRET: &str = "c0ffee5ec2e7c0ffee5ec2e7";

/// Whatever a client sends in place of a login, its key is not recorded.
#[test]
fn only_operations_and_topics_of_a_message_are_recorded() {
    for text in [
        r#"{"op":"auth","args":["KEY",1700000000000,"KEY"]}"#,
        r#"{"op":"log\u0069n","args":["KEY","1700000000000","KEY"]}"#,
        r#"{"op":"subscribe","args":["spot/ticker:BTC_USDT"],"apiKey":"KEY"}"#,
        r#"{"op":"subscribe","args":["KEY"],"op":"login"}"#,
        r#"{"op":"login","args":["KEY"],"args":[],"op":"subscribe"}"#,
        r#"{"op":"subscribe","action":"access","args":["KEY"]}"#,
        r#"{"op":["KEY"],"args":["KEY"]}"#,
        r#"{"op":"KEY"}"#,
        r#"{"args":["KEY"]}"#,
        r#"{"op":"x","args":{"a":[{"b":"KEY"}]}}"#,
        r#"{"op":"login","args":["KEY""#,
        r#""KEY""#,
        r#"["KEY"]"#,
        "KEY",
    ] {
        let sent = text.replace("KEY", SECRET);
        let shown = redact::message(&sent).expect("it is changed");
        assert!(!shown.contains(SECRET), "{text}: {shown}");
        // What the sandbox repeats of it.
        let errors = ["message must be JSON", "unknown action or no args"];
        for error in errors.map(|error| format!("Invalid message: {error}: {sent}")) {
            let response = serde_json::json!({ "success": false, "error": error }).to_string();
            let shown = redact::response(&response).expect("it is changed");
            assert!(!shown.contains(SECRET), "{text}: {shown}");
        }
    }
    for text in [
        r#"{"op":"subscribe","args":["spot/ticker:BTC_USDT","no topic"]}"#,
        r#"{ "action" : "unsubscribe", "args": ["futures/ticker:BTCUSDT"] }"#,
        r#"{"Action":"Request","Args":[]}"#,
        r#"{"action":"ping"}"#,
        "ping",
    ] {
        assert_eq!(redact::message(text), None, "{text}");
    }
    let login = format!(r#"{{"op":"login","args":["{SECRET}","1700000000000",7]}}"#);
    let shown = redact::message(&login).expect("it is changed");
    assert!(shown.contains("login") && shown.contains("1700000000000"), "{shown}");
}

#[test]
fn responses_are_recorded_without_what_they_repeat() {
    let request = format!(r#"{{"action":"subscribe","args":["futures/x"],"key":"{SECRET}"}}"#);
    for (text, is_hidden) in [
        (format!(r#"{{"action":"subscribe","success":true,"request":{request}}}"#), true),
        (format!(r#"{{"errorCode":"90002","event":"{SECRET}"}}"#), true),
        (r#"{"action":"access","error":"access failed: openapi auth: apiKey c0ffee5ec2**** failed"}"#.to_owned(), true),
        (r#"{"event":"subscribe","topic":"spot/ticker:BTC_USDT"}"#.to_owned(), false),
        (r#"{"data":[{"order_id":"c0ffee5ec2"}],"table":"spot/user/order"}"#.to_owned(), false),
        ("pong".to_owned(), false),
    ] {
        let shown = redact::response(&text);
        assert_eq!(shown.is_some(), is_hidden, "{text}");
        assert!(!shown.is_some_and(|shown| shown.contains("c0ffee5ec2")), "{text}");
    }
}

/// A name tells a secret, wherever it is: in headers, queries, JSON and forms.
#[test]
fn a_value_is_not_recorded_if_its_name_says_that_it_is_secret() {
    for name in ["apiKey", "X-BM-SIGN", "signature", "memo", "PassPhrase", "access_token", "pwd"] {
        let bytes = || name.bytes();
        let escaped = bytes().map(|byte| format!("\\u{byte:04x}")).collect::<Vec<_>>().concat();
        let percent = bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let mut request = Request::post(format!("/a?{name}={SECRET}&{percent}={SECRET}&b=shown"));
        request = request.header(name, SECRET).header("x-other", "shown");
        for body in [
            format!(r#"{{"symbol":"shown","{name}":"{SECRET}"}}"#),
            format!(r#"{{"symbol":"shown","a":[{{"{escaped}":{{"b":"{SECRET}"}}}}]}}"#),
            format!("symbol=shown&{name}={SECRET}"),
            format!("symbol=shown&{percent}={SECRET}"),
        ] {
            let traffic = Traffic::new();
            let request = request_of(&request);
            let mut capture = Capture::start(&traffic, Host::Spot, &request);
            capture.body(body.as_bytes());
            capture.finish(400, &HeaderMap::new());
            let record = traffic.requests().get(1).expect("a record");
            let recorded = String::from_utf8_lossy(record.recorded());
            assert!(!recorded.contains(SECRET), "{body}: {recorded}");
            assert_eq!(recorded.matches("shown").count(), 3, "{body}: {recorded}");
            assert!(!record.body().is_truncated());
        }
        let broken = format!(r#"{{"{name}":"{SECRET}""#);
        let shown = redact::body(broken.as_bytes()).expect("it is changed");
        assert!(!String::from_utf8_lossy(&shown).contains(SECRET));
    }
    for body in [
        // The parsed value has the second member only.
        format!(r#"{{"a":{{"secret":"{SECRET}"}},"a":1}}"#),
        format!(r#"{{"data":"{{\"apiKey\":\"{SECRET}\"}}"}}"#),
        format!(r#"{{"\u0073ecret":"{SECRET}""#),
    ] {
        let shown = redact::body(body.as_bytes()).expect("it is changed");
        assert!(!String::from_utf8_lossy(&shown).contains(SECRET), "{body}");
    }
    for body in [
        r#"{ "symbol": "BTC_USDT",  "size": 1.50 }"#,
        r#"{"client_order_id":"keysign"}"#,
        r#"{"symbol":"a\\b"}"#,
        r#"{"symbol":"#,
        "a=b%20c",
    ] {
        assert_eq!(redact::body(body.as_bytes()), None, "{body}");
    }
}

fn request_of(builder: &hyper::http::request::Builder) -> Request<()> {
    let mut request = Request::new(());
    *request.uri_mut() = builder.uri_ref().expect("an address").clone();
    *request.headers_mut() = builder.headers_ref().expect("headers").clone();
    request
}

/// A fault may replace the response of an accepted request.
#[test]
fn accepted_requests_are_no_refusals_whatever_became_of_their_response() {
    let traffic = Traffic::new();
    for (code, status) in [(1000, None), (1000, Some(502)), (50020, Some(400)), (50020, None)] {
        let mut capture = Capture::start(&traffic, Host::Spot, &request("/a"));
        capture.outcome(code, None);
        match status {
            Some(status) => capture.finish(status, &HeaderMap::new()),
            None => drop(capture),
        }
    }
    assert_eq!(traffic.refusals(), [(50020, 2)]);
    assert!(traffic.requests().get(1).expect("a record").is_refused(), "it is marked");
}

#[test]
fn who_begins_the_end_of_a_socket_is_kept() {
    let traffic = Traffic::new();
    let log = traffic.open_socket(Host::Spot, SocketKind::Public, 1).expect("recorded");
    log.record_ending(Direction::In, Some(1000), "bye");
    log.record_ending(Direction::Out, Some(1000), "");
    let ending = log.record().ending.clone().expect("an end");
    assert_eq!(
        (ending.by, ending.code, ending.reason.as_str()),
        (Direction::In, Some(1000), "bye")
    );
}

#[test]
fn a_request_without_a_response_is_recorded_when_its_capture_is_dropped() {
    let traffic = Traffic::new();
    let request = request("/a");
    let capture = Capture::start(&traffic, Host::Spot, &request);
    drop(request);
    assert_eq!(traffic.requests().len(), 0);
    drop(capture);
    let record = traffic.requests().get(1).expect("a record");
    assert_eq!(record.status, None);
    assert!(record.is_refused());
}

#[test]
fn records_are_bounded_in_number_and_bytes_and_the_dropped_ones_are_counted() {
    struct OfWeight(usize);
    impl Weighed for OfWeight {
        fn weight(&self) -> usize {
            self.0
        }
    }
    let mut ring = Ring::new(3, 100);
    for _ in 0..5 {
        ring.push(Arc::new(OfWeight(10)));
    }
    // 3 records of 10 bytes are kept of 5.
    assert_eq!((ring.len(), ring.bytes(), ring.dropped(), ring.last()), (3, 30, 2, 5));
    assert!(ring.get(2).is_none() && ring.get(3).is_some());
    ring.push(Arc::new(OfWeight(85)));
    // 85 + 10: with a second record of 10 bytes it would be over 100.
    assert_eq!((ring.len(), ring.bytes()), (2, 95));
    ring.push(Arc::new(OfWeight(1_000)));
    assert_eq!((ring.len(), ring.bytes(), ring.dropped()), (1, 1_000, 6));
    assert_eq!(ring.after(0).map(|record| record.0).collect::<Vec<_>>(), [7]);
}

#[test]
fn bodies_and_headers_are_truncated() {
    let body = Payload::new(&Bytes::from(vec![b'x'; MAX_BODY + 1]), MAX_BODY + 1);
    assert!(body.is_truncated());
    assert_eq!((body.bytes.len(), body.length), (MAX_BODY, MAX_BODY + 1));
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&"y".repeat(60_000)).expect("a value");
    headers.insert("x-long", value);
    headers.insert("x-short", HeaderValue::from_static("short"));
    let mut lines = b"before".to_vec();
    redact::headers(&headers, &mut lines);
    assert!(lines.len() < 5_000);
    let traffic = Traffic::new();
    let path = format!("/{}", "ä".repeat(4_000));
    let mut request = Request::get("/").body(()).expect("a request");
    let encoded = path.replace('ä', "%C3%A4");
    *request.uri_mut() = format!("{encoded}?{encoded}").parse().expect("an address");
    let mut capture = Capture::start(&traffic, Host::Spot, &request);
    capture.body(&vec![b'x'; 1 << 20]);
    capture.response_body(&vec![b'x'; 1 << 20]);
    drop((request, capture));
    let record = traffic.requests().get(1).expect("a record");
    assert_eq!((record.path().len(), record.query().len()), (2 << 10, 2 << 10));
    assert!(record.body().is_truncated() && record.response().is_truncated());
    assert_eq!((record.body().bytes.len(), record.body().length), (MAX_BODY, 1 << 20));
    assert!(record.weight() < 128 << 10, "{}", record.weight());
}

#[test]
fn closed_sockets_make_room_for_new_ones_and_open_ones_stay() {
    let traffic = Traffic::new();
    let open = |number| traffic.open_socket(Host::Spot, SocketKind::Public, number);
    let first = open(1).expect("recorded");
    for number in 2..=64 {
        open(number).expect("recorded");
    }
    assert!(open(65).is_none());
    assert_eq!(traffic.unrecorded_sockets(), 1);
    first.record_closed();
    assert!(open(66).is_some());
    let numbers: Vec<u64> = traffic.sockets().iter().map(|socket| socket.number).collect();
    assert_eq!((numbers.len(), numbers.contains(&1), numbers[0]), (64, false, 66));
}
