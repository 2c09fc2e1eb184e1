//! The tools for tests say what went wrong, and when.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bitmart_rest::testing::{
    Expect, Json, Recorder, Replayer, Reply, ScriptedTransport, transport_conformance,
};
use bitmart_rest::transport::{Body, HyperTransport, Transport, from_fn};
use bitmart_rest::{
    Client, ErrorKind, LimitPolicy, Limiter, Outcome, TransportError, TransportErrorKind, spot,
};
use bitmart_types::dec;
use bytes::Bytes;

use crate::endpoint::{ORDER, PLACED, ReadOrder, client};

/// What a panic says.
fn words(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or("no text", |text| text).to_owned(),
    }
}

/// The panic of an order.
async fn panic_of(client: Client) -> Box<dyn std::any::Any + Send> {
    let task = tokio::spawn(async move { client.send(ORDER).await });
    task.await.unwrap_err().into_panic()
}

fn client_of(transport: &ScriptedTransport) -> Client {
    client("https://spot").transport(transport.clone()).build().unwrap()
}

#[tokio::test]
async fn a_script_is_played_in_its_order() {
    let read = Expect::get("/order").unsigned().query("id", 7).and_no_more();
    let exchange = ScriptedTransport::new()
        .expect(
            Expect::post("/place").signed().body("symbol", "BTC_USDT").without("size"),
            Reply::data(r#"{"order_id":"1"}"#),
        )
        .expect_times(2, &read, &Reply::raw(PLACED).header("X-BM-RateLimit-Limit", 40))
        .expect(Expect::post("/place"), Reply::error(50020, "Balance not enough"));
    let client = client_of(&exchange);
    assert_eq!(client.send(ORDER).await.unwrap().order_id, "1");
    for _ in 0..2 {
        assert_eq!(client.send(ReadOrder).await.unwrap().order_id, "7");
    }
    let error = client.send(ORDER).await.unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Some(50020), Outcome::Rejected));
    exchange.finish();
    assert_eq!(exchange.paths(), ["/place", "/order", "/order", "/place"]);
    assert_eq!(exchange.requests()[1].query("id").as_deref(), Some("7"));
    let body = exchange.requests()[0].json().unwrap();
    assert_eq!(body.member("symbol"), Some(&Json::from("BTC_USDT")));
}

#[tokio::test]
async fn another_request_than_the_expected_one_fails_with_what_differs() {
    let expected = Expect::post("/place")
        .signed()
        .body("symbol", "ETH_USDT")
        .body("size", 1)
        .query("id", "a b")
        .and_no_more();
    let exchange = ScriptedTransport::new().expect(expected, Reply::raw(PLACED));
    let client = client_of(&exchange);
    let panic = panic_of(client.clone()).await;
    let wanted = "request 1 is not the expected one\n  \
                  expected: POST /place, signed\n      \
                  came: POST /place, signed\n  \
                  query parameter `id`: expected a b, is not there\n  \
                  body member `symbol`: expected \"ETH_USDT\", came \"BTC_USDT\"\n  \
                  body member `size`: expected 1, is not there";
    assert_eq!(words(panic), wanted);
    // Whoever has not seen it sees it at the end, once.
    let again = catch_unwind(AssertUnwindSafe(|| exchange.finish())).unwrap_err();
    assert_eq!(words(again), wanted);
    exchange.finish();
}

#[tokio::test]
async fn what_differs_is_named_for_paths_methods_signatures_and_surplus_members() {
    for (expected, says) in [
        (Expect::get("/place"), "method: expected GET, came POST"),
        (Expect::post("/other"), "path: expected /other, came /place"),
        (Expect::post("/place").unsigned(), "signature: expected unsigned, came signed"),
        (
            Expect::post("/place").and_no_more(),
            "body member `symbol`: not expected, came as \"BTC_USDT\"",
        ),
        (Expect::post("/place").without("symbol"), "`symbol`: expected not to be there, but is"),
        (Expect::post("/place").body("symbol", 1), "expected 1, came \"BTC_USDT\""),
    ] {
        let exchange = ScriptedTransport::new().expect(expected, Reply::never());
        let client = client_of(&exchange);
        let panic = panic_of(client.clone()).await;
        let text = words(panic);
        assert!(text.contains(says), "{text}");
        assert!(!text.contains("canary"), "{text}");
        catch_unwind(AssertUnwindSafe(|| exchange.finish())).unwrap_err();
    }
}

#[tokio::test]
async fn a_request_too_many_fails_in_a_task_as_well() {
    let exchange = ScriptedTransport::new();
    let client = client_of(&exchange);
    let task = tokio::spawn(async move { client.send(ReadOrder).await });
    assert!(task.await.unwrap_err().is_panic(), "and nobody looks at it");
    let panic = catch_unwind(AssertUnwindSafe(|| drop(exchange))).unwrap_err();
    let wanted = "request 1 is one too many\n  expected: none\n      came: GET /order, unsigned";
    assert_eq!(words(panic), wanted);
}

#[tokio::test]
async fn a_request_that_does_not_come_fails_at_the_end() {
    let script = || {
        ScriptedTransport::new()
            .expect(Expect::get("/order"), Reply::raw(PLACED))
            .expect(Expect::post("/place").signed(), Reply::raw(PLACED))
    };
    let wanted = "1 requests did not come, after 1 that did\n  expected: POST /place, signed";
    for end in [ScriptedTransport::finish as fn(&ScriptedTransport), |_| {}] {
        let exchange = script();
        client_of(&exchange).send(ReadOrder).await.unwrap();
        let panic = catch_unwind(AssertUnwindSafe(move || end(&exchange))).unwrap_err();
        assert_eq!(words(panic), wanted);
    }
    // A failure of the test itself is not hidden by it, nor does it abort.
    let exchange = script();
    let panic = catch_unwind(AssertUnwindSafe(move || {
        let _exchange = exchange;
        panic!("the test's own {}", "failure");
    }));
    assert_eq!(words(panic.unwrap_err()), "the test's own failure");
}

#[tokio::test(start_paused = true)]
async fn replies_fail_wait_and_break_as_told() {
    let reply = Reply::raw(PLACED).after(Duration::from_secs(5));
    let exchange = ScriptedTransport::new()
        .expect(Expect::post("/place"), reply)
        .expect(Expect::post("/place"), Reply::never())
        .expect(Expect::post("/place"), Reply::not_sent(TransportErrorKind::Connect))
        .expect(Expect::post("/place"), Reply::maybe_sent(TransportErrorKind::Interrupted))
        .expect(Expect::post("/place"), Reply::raw("{").then_cut())
        .expect(Expect::post("/place"), Reply::raw("<html>").status(502));
    let client = client_of(&exchange);
    let start = tokio::time::Instant::now();
    client.send(ORDER).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(5));
    let error = client.send(ORDER).await.unwrap_err();
    assert!(error.is_timeout() && error.outcome() == Outcome::Unknown);
    for outcome in [Outcome::NotSent, Outcome::Unknown, Outcome::Unknown, Outcome::Unknown] {
        assert_eq!(client.send(ORDER).await.unwrap_err().outcome(), outcome);
    }
    exchange.finish();
}

/// An exchange that gives every order an id of its own and tells it again.
fn exchange() -> impl Transport {
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

fn spot(transport: impl Transport) -> Client {
    client("https://spot")
        .transport(transport)
        .limiter(Limiter::new(LimitPolicy::Off))
        .build()
        .unwrap()
}

#[tokio::test]
async fn what_was_recorded_is_played_again_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("recordings");
    let recorder = Recorder::new(exchange(), &folder).unwrap();
    let client = spot(recorder.clone());
    let order = || spot::NewOrder::limit_buy("BTC_USDT", dec!(1.5), dec!(60000));
    let first = client.spot().submit_order(order()).await.unwrap();
    let second = client.spot().submit_order(order()).await.unwrap();
    assert_ne!(first.order_id, second.order_id);
    let ticker = client.spot().ticker("BTC_USDT").await.unwrap();
    assert_eq!((recorder.summary().files, recorder.summary().not_kept.len()), (3, 0));
    assert!(Recorder::new(exchange(), &folder).is_err(), "it writes over nothing");

    let text = std::fs::read_to_string(folder.join("rest/spot_submit_order-1.json")).unwrap();
    for secret in [first.order_id.as_str(), "60000", "memo", "x-bm", "X-BM", "trace-12345"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains("BTC_USDT"), "{text}");

    // Amounts and ids of a request are stand-ins in the files.
    let replayer = Replayer::open(&folder).unwrap();
    let replayer = replayer.ignore("client_order_id").ignore("size").ignore("price");
    let client = spot(replayer.clone());
    let again = client.spot().ticker("BTC_USDT").await.unwrap();
    assert_eq!(again.symbol, ticker.symbol);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(client.spot().submit_order(order()).await.unwrap().order_id);
    }
    assert!(ids[0] != ids[1] && ids[1] == ids[2], "in order, and then the last: {ids:?}");
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
async fn what_cannot_be_recorded_is_exchanged_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let script = ScriptedTransport::new()
        .expect(Expect::get("/order"), Reply::raw("<html>").status(502))
        .expect(Expect::get("/order"), Reply::not_sent(TransportErrorKind::Connect))
        .expect(Expect::get("/order"), Reply::raw(PLACED));
    let recorder = Recorder::new(script, folder.path()).unwrap();
    let client = spot(recorder.clone());
    assert_eq!(client.send(ReadOrder).await.unwrap_err().status().unwrap().as_u16(), 502);
    assert_eq!(client.send(ReadOrder).await.unwrap_err().outcome(), Outcome::NotSent);
    assert_eq!(client.send(ReadOrder).await.unwrap().order_id, "7");
    let summary = recorder.summary();
    assert_eq!((summary.files, summary.not_kept.len()), (1, 2), "{summary:?}");
    assert!(summary.not_kept[0].contains("no JSON"), "{summary:?}");
}

#[tokio::test]
async fn a_transport_that_breaks_the_rules_is_found_out() {
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
    for name in ["an error status is a response, once", "closed before the response"] {
        assert!(report.faults().contains(&name), "{report}");
    }
    let panic = catch_unwind(|| report.assert_passed()).unwrap_err();
    assert!(words(panic).contains("FAILED  closed before the response: 2 requests arrived"));
}

#[tokio::test]
async fn a_transport_that_collects_and_inflates_is_found_out() {
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
    let wanted = ["a compressed body stays compressed", "a body without end is not collected"];
    assert_eq!(report.faults(), wanted, "{report}");
}
