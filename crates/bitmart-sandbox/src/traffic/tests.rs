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
    let mut request =
        request("/spot/v2/submit_order?KEY=the+key&symbol=BTC_USDT&my_Secret=the+key");
    Capture::start(&traffic, Host::Spot, &mut request).finish(200, &HeaderMap::new());
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
    Capture::start(&traffic, Host::Spot, &mut request("/a")).finish(200, &headers);
    let record = traffic.requests().get(1).expect("a record");
    let lines = "set-cookie: [hidden]\nx-other: shown\nx-marked: [hidden]\n";
    assert_eq!(record.response_headers(), lines);
}

#[test]
fn all_texts_of_a_request_are_kept_in_any_order() {
    let traffic = Traffic::new();
    let mut request = request("/a/b?c=d");
    let capture = Capture::start(&traffic, Host::Spot, &mut request);
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
    let subscribe = r#"{"op":"subscribe","args":["spot/ticker:BTC_USDT"]}"#;
    assert_eq!(redact::message(subscribe), None);
}

#[test]
fn a_request_without_a_response_is_recorded_when_its_handles_are_dropped() {
    let traffic = Traffic::new();
    let mut request = request("/a");
    let capture = Capture::start(&traffic, Host::Spot, &mut request);
    drop(request);
    assert_eq!(traffic.requests().len(), 0);
    drop(capture);
    let record = traffic.requests().get(1).expect("a record");
    assert_eq!(record.status, None);
    assert!(record.is_refused());
}

#[test]
fn records_are_bounded_in_number_and_bytes_and_the_dropped_ones_are_counted() {
    struct Sized(usize);
    impl Weighed for Sized {
        fn weight(&self) -> usize {
            self.0
        }
    }
    let mut ring = Ring::new(3, 100);
    for _ in 0..5 {
        ring.push(Sized(10));
    }
    assert_eq!((ring.len(), ring.bytes(), ring.dropped(), ring.last()), (3, 30, 2, 5));
    assert!(ring.get(2).is_none() && ring.get(3).is_some());
    ring.push(Sized(85));
    assert_eq!((ring.len(), ring.bytes()), (2, 95));
    ring.push(Sized(1_000));
    assert_eq!((ring.len(), ring.bytes(), ring.dropped()), (1, 1_000, 6));
    assert_eq!(ring.after(0).map(|record| record.0).collect::<Vec<_>>(), [7]);
}

#[test]
fn bodies_and_headers_are_truncated() {
    let body = Payload::new(&Bytes::from(vec![b'x'; MAX_BODY + 1]));
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
    let capture = Capture::start(&traffic, Host::Spot, &mut request);
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
    let open = |number| traffic.open_socket(Host::Spot, false, number);
    let first = open(1).expect("recorded");
    for number in 2..=64 {
        open(number).expect("recorded");
    }
    assert!(open(65).is_none());
    assert_eq!(traffic.unrecorded_sockets(), 1);
    first.ended();
    assert!(open(66).is_some());
    let numbers: Vec<u64> = traffic.sockets().iter().map(|socket| socket.number).collect();
    assert_eq!((numbers.len(), numbers.contains(&1), numbers[0]), (64, false, 66));
}
