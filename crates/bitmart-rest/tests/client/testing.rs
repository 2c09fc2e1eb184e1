//! The test tools of the module `testing`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::recording::Json;
use bitmart_rest::testing::{
    ExpectedRequest, Recorder, Replayer, ScriptedResponse, ScriptedTransport, transport_conformance,
};
use bitmart_rest::transport::{
    Body, HyperTransport, Reservation, ReservationFuture, Transport, TransportFuture, from_fn,
};
use bitmart_rest::transport::{TransportError, TransportErrorKind};
use bitmart_rest::{Client, ErrorKind, Outcome, spot};
use bitmart_types::dec;
use bytes::Bytes;

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, ReadOrder, client};

/// The message of a panic.
fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or("no text", |text| text).to_owned(),
    }
}

/// The panic of sending an order.
async fn order_panic(client: Client) -> Box<dyn std::any::Any + Send> {
    let task = tokio::spawn(async move { client.send(PLACE_ORDER).await });
    task.await.unwrap_err().into_panic()
}

fn client_with(transport: &ScriptedTransport) -> Client {
    client("https://spot").transport(transport.clone()).build().unwrap()
}

#[tokio::test]
async fn a_script_is_matched_in_order() {
    let read = ExpectedRequest::get("/order").unsigned().query("id", 7).no_other_fields();
    let exchange = ScriptedTransport::new()
        .expect(
            ExpectedRequest::post("/place").signed().body("symbol", "BTC_USDT").without("size"),
            ScriptedResponse::data(r#"{"order_id":"1"}"#),
        )
        .expect_times(
            2,
            &read,
            &ScriptedResponse::raw(ORDER_RESPONSE).header("X-BM-RateLimit-Limit", 40),
        )
        .expect(
            ExpectedRequest::post("/place"),
            ScriptedResponse::error(50020, "Balance not enough"),
        );
    let client = client_with(&exchange);
    assert_eq!(client.send(PLACE_ORDER).await.unwrap().order_id, "1");
    for _ in 0..2 {
        assert_eq!(client.send(ReadOrder).await.unwrap().order_id, "7");
    }
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Some(50020), Outcome::Rejected));
    exchange.finish();
    assert_eq!(exchange.paths(), ["/place", "/order", "/order", "/place"]);
    assert_eq!(exchange.requests()[1].query("id").as_deref(), Some("7"));
    let body = exchange.requests()[0].json().unwrap();
    assert_eq!(body.member("symbol"), Some(&Json::from("BTC_USDT")));
}

#[tokio::test]
async fn an_unexpected_request_panics_with_the_differences() {
    let expected = ExpectedRequest::post("/place")
        .signed()
        .body("symbol", "ETH_USDT")
        .body("size", 1)
        .query("id", "a b")
        .no_other_fields();
    let exchange = ScriptedTransport::new().expect(expected, ScriptedResponse::raw(ORDER_RESPONSE));
    let client = client_with(&exchange);
    let panic = order_panic(client.clone()).await;
    let wanted = "request 1 is not the expected one\n  \
                  expected: POST /place, signed\n      \
                  sent: POST /place, signed\n  \
                  query parameter `id`: expected a b, but it is missing\n  \
                  body field `symbol`: expected \"ETH_USDT\", but \"BTC_USDT\" was sent\n  \
                  body field `size`: expected 1, but it is missing";
    assert_eq!(message(panic), wanted);
    // `finish` repeats the failure once.
    let again = catch_unwind(AssertUnwindSafe(|| exchange.finish())).unwrap_err();
    assert_eq!(message(again), wanted);
    exchange.finish();
}

#[tokio::test]
async fn differences_of_path_method_signature_and_fields_are_named() {
    for (expected, difference) in [
        (ExpectedRequest::get("/place"), "method: expected GET, but POST was sent"),
        (ExpectedRequest::post("/other"), "path: expected /other, but /place was sent"),
        (
            ExpectedRequest::post("/place").unsigned(),
            "signature: expected unsigned, but signed was sent",
        ),
        (
            ExpectedRequest::post("/place").no_other_fields(),
            "body field `symbol`: not expected, but \"BTC_USDT\" was sent",
        ),
        (
            ExpectedRequest::post("/place").without("symbol"),
            "`symbol`: expected to be absent, but was sent",
        ),
        (
            ExpectedRequest::post("/place").body("symbol", 1),
            "expected 1, but \"BTC_USDT\" was sent",
        ),
    ] {
        let exchange = ScriptedTransport::new().expect(expected, ScriptedResponse::never());
        let client = client_with(&exchange);
        let panic = order_panic(client.clone()).await;
        let text = message(panic);
        assert!(text.contains(difference), "{text}");
        assert!(!text.contains("canary"), "{text}");
        catch_unwind(AssertUnwindSafe(|| exchange.finish())).unwrap_err();
    }
}

#[tokio::test]
async fn a_request_after_the_end_of_the_script_fails_even_in_an_unobserved_task() {
    let exchange = ScriptedTransport::new();
    let client = client_with(&exchange);
    let task = tokio::spawn(async move { client.send(ReadOrder).await });
    assert!(task.await.unwrap_err().is_panic(), "the panic is not observed");
    let panic = catch_unwind(AssertUnwindSafe(|| drop(exchange))).unwrap_err();
    let wanted = "request 1 is unexpected\n  expected: none\n      sent: GET /order, unsigned";
    assert_eq!(message(panic), wanted);
}

#[tokio::test]
async fn a_missing_request_fails_at_the_end() {
    let script = || {
        ScriptedTransport::new()
            .expect(ExpectedRequest::get("/order"), ScriptedResponse::raw(ORDER_RESPONSE))
            .expect(ExpectedRequest::post("/place").signed(), ScriptedResponse::raw(ORDER_RESPONSE))
    };
    let wanted =
        "1 expected requests were not sent, after 1 that were\n  expected: POST /place, signed";
    for end in [ScriptedTransport::finish as fn(&ScriptedTransport), |_| {}] {
        let exchange = script();
        client_with(&exchange).send(ReadOrder).await.unwrap();
        let panic = catch_unwind(AssertUnwindSafe(move || end(&exchange))).unwrap_err();
        assert_eq!(message(panic), wanted);
    }
    // A panic of the test itself is neither hidden nor turned into an abort.
    let exchange = script();
    let panic = catch_unwind(AssertUnwindSafe(move || {
        let _exchange = exchange;
        panic!("the test's own {}", "failure");
    }));
    assert_eq!(message(panic.unwrap_err()), "the test's own failure");
}

#[tokio::test(start_paused = true)]
async fn scripted_responses_delay_fail_and_disconnect() {
    let response = ScriptedResponse::raw(ORDER_RESPONSE).delay(Duration::from_secs(5));
    let exchange = ScriptedTransport::new()
        .expect(ExpectedRequest::post("/place"), response)
        .expect(ExpectedRequest::post("/place"), ScriptedResponse::never())
        .expect(
            ExpectedRequest::post("/place"),
            ScriptedResponse::not_sent(TransportErrorKind::Connect),
        )
        .expect(
            ExpectedRequest::post("/place"),
            ScriptedResponse::maybe_sent(TransportErrorKind::Interrupted),
        )
        .expect(ExpectedRequest::post("/place"), ScriptedResponse::raw("{").then_disconnect())
        .expect(ExpectedRequest::post("/place"), ScriptedResponse::raw("<html>").status(502));
    let client = client_with(&exchange);
    let start = tokio::time::Instant::now();
    client.send(PLACE_ORDER).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(5));
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert!(error.is_timeout() && error.outcome() == Outcome::Unknown);
    for outcome in [Outcome::NotSent, Outcome::Unknown, Outcome::Unknown, Outcome::Unknown] {
        assert_eq!(client.send(PLACE_ORDER).await.unwrap_err().outcome(), outcome);
    }
    exchange.finish();
}

/// An exchange that assigns a new id to every order.
fn exchange_with_new_ids() -> impl Transport {
    let ids = std::sync::atomic::AtomicU64::new(118_100_034_543_076_010);
    from_fn(move |request: http::Request<Bytes>| {
        let id = ids.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let data = match request.uri().path() {
            "/spot/v2/submit_order" => format!(r#"{{"order_id":"{id}"}}"#),
            _ => r#"{"symbol":"BTC_USDT","last":"67000.5","v_24h":"1","qv_24h":"1",
                "open_24h":"1","high_24h":"1","low_24h":"1","fluctuation":"0.1","bid_px":"1",
                "bid_sz":"1","ask_px":"1","ask_sz":"1","ts":"1690000000123"}"#
                .to_owned(),
        };
        let text = format!(r#"{{"code":1000,"message":"OK","trace":"trace-12345","data":{data}}}"#);
        async move { Ok(http::Response::new(Body::from(Bytes::from(text)))) }
    })
}

fn unlimited_client(transport: impl Transport) -> Client {
    client("https://spot")
        .transport(transport)
        .limiter(Limiter::new(LimitPolicy::Off))
        .build()
        .unwrap()
}

#[tokio::test]
async fn only_recorded_requests_are_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("recordings");
    let recorder = Recorder::new(exchange_with_new_ids(), &folder).unwrap();
    let client = unlimited_client(recorder.clone());
    let order = || spot::NewOrder::limit_buy("BTC_USDT", dec!(1.5), dec!(60000));
    let first = client.spot().submit_order(order()).await.unwrap();
    let second = client.spot().submit_order(order()).await.unwrap();
    assert_ne!(first.order_id, second.order_id);
    let ticker = client.spot().ticker("BTC_USDT").await.unwrap();
    assert_eq!((recorder.summary().files, recorder.summary().not_recorded.len()), (3, 0));
    assert!(
        Recorder::new(exchange_with_new_ids(), &folder).is_err(),
        "existing recordings are not overwritten"
    );

    let text = std::fs::read_to_string(folder.join("rest/spot_submit_order-1.json")).unwrap();
    for secret in [first.order_id.as_str(), "60000", "memo", "x-bm", "X-BM", "trace-12345"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains("BTC_USDT"), "{text}");

    // Amounts and ids are replaced in recordings.
    let replayer = Replayer::open(&folder).unwrap();
    let replayer = replayer.ignore("client_order_id").ignore("size").ignore("price");
    let client = unlimited_client(replayer.clone());
    let again = client.spot().ticker("BTC_USDT").await.unwrap();
    assert_eq!(again.symbol, ticker.symbol);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(client.spot().submit_order(order()).await.unwrap().order_id);
    }
    assert!(ids[0] != ids[1] && ids[1] == ids[2], "in order, then the last one again: {ids:?}");
    assert_eq!(replayer.unused(), Vec::<std::path::PathBuf>::new());

    for error in [
        client.spot().ticker("ETH_USDT").await.unwrap_err(),
        client
            .spot()
            .submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(5)))
            .await
            .unwrap_err(),
        client.system().time().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::Other));
        assert_eq!(error.outcome(), Outcome::NotSent);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("was not recorded"), "{source}");
    }
}

#[tokio::test]
async fn exchanges_that_cannot_be_recorded_are_forwarded_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let script = ScriptedTransport::new()
        .expect(ExpectedRequest::get("/order"), ScriptedResponse::raw("<html>").status(502))
        .expect(
            ExpectedRequest::get("/order"),
            ScriptedResponse::not_sent(TransportErrorKind::Connect),
        )
        .expect(ExpectedRequest::get("/order"), ScriptedResponse::raw(ORDER_RESPONSE));
    let recorder = Recorder::new(script, folder.path()).unwrap();
    let client = unlimited_client(recorder.clone());
    assert_eq!(client.send(ReadOrder).await.unwrap_err().status().unwrap().as_u16(), 502);
    assert_eq!(client.send(ReadOrder).await.unwrap_err().outcome(), Outcome::NotSent);
    assert_eq!(client.send(ReadOrder).await.unwrap().order_id, "7");
    let summary = recorder.summary();
    assert_eq!((summary.files, summary.not_recorded.len()), (1, 2), "{summary:?}");
    assert!(summary.not_recorded[0].contains("no JSON"), "{summary:?}");
}

#[tokio::test]
async fn conformance_detects_repeated_requests_and_false_not_sent_errors() {
    // Sends everything twice, and claims that nothing was sent when it fails.
    let inner = HyperTransport::builder().build().unwrap();
    let bad = from_fn(move |request: http::Request<Bytes>| {
        let inner = inner.clone();
        async move {
            drop(inner.send(request.clone()).await);
            inner
                .send(request)
                .await
                .map_err(|_| TransportError::not_sent(TransportErrorKind::Other))
        }
    });
    let report = transport_conformance(&bad).await;
    for name in
        ["an error status is returned without a retry", "a connection closed before the response"]
    {
        assert!(report.faults().contains(&name), "{report}");
    }
    let panic = catch_unwind(|| report.assert_passed()).unwrap_err();
    assert!(
        message(panic)
            .contains("FAILED  a connection closed before the response: 2 requests arrived")
    );
}

#[tokio::test]
async fn conformance_detects_a_transport_that_collects_and_inflates() {
    let inner = HyperTransport::builder().build().unwrap();
    let bad = from_fn(move |request: http::Request<Bytes>| {
        let inner = inner.clone();
        async move {
            let (mut head, body) = inner.send(request).await?.into_parts();
            let body = body.collect(usize::MAX).await?;
            head.headers.remove("content-encoding");
            Ok(http::Response::from_parts(head, Body::from(body)))
        }
    });
    let report = transport_conformance(&bad).await;
    let wanted = [
        "a compressed body stays compressed",
        "an endless body is not collected",
        "`reserve` is forwarded",
    ];
    assert_eq!(report.faults(), wanted, "{report}");
}

/// Wraps a transport; forwards `reserve` if `forwards_reserve` is set.
struct Wrapper {
    inner: HyperTransport,
    forwards_reserve: bool,
}

impl Transport for Wrapper {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        self.inner.send(request)
    }
    fn reserve<'a>(&'a self, host: &'a http::uri::Authority) -> ReservationFuture<'a> {
        if self.forwards_reserve {
            return self.inner.reserve(host);
        }
        Box::pin(std::future::ready(Reservation::unlimited()))
    }
}

#[tokio::test]
async fn conformance_detects_a_wrapper_that_does_not_forward_reserve() {
    for (forwards_reserve, faults) in [(true, vec![]), (false, vec!["`reserve` is forwarded"])] {
        let inner = HyperTransport::builder().build().unwrap();
        let report = transport_conformance(&Wrapper { inner, forwards_reserve }).await;
        assert_eq!(report.faults(), faults, "{report}");
    }
}
