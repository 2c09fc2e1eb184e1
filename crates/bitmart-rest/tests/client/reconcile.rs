//! Reconciling orders with an unknown outcome, under paused time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitmart_auth::Credentials;
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::reconcile::Reconciled;
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_rest::transport::TransportErrorKind;
use bitmart_rest::{Client, RetryClass};
use bitmart_types::{ClientOrderId, Environment};
use tokio::time::Instant;

use crate::mock::{OffsetClock, START_MILLIS};

const NOT_FOUND: &str = r#"{"code":50005,"message":"Trade Id not found","trace":"t","data":{}}"#;
const FOUND: &str = r#"{"code":1000,"message":"success","trace":"t","data":{"orderId":"1",
    "clientOrderId":"abc","symbol":"BTC_USDT","side":"buy","orderMode":"spot","type":"limit",
    "state":"new","cancelSource":"","stpMode":"","price":"1","priceAvg":"0","size":"1",
    "filledSize":"0","notional":"1","filledNotional":"0","createTime":1,"updateTime":1}}"#;
const NOTHING: &str = r#"{"code":1000,"message":"Ok","trace":"t","data":[]}"#;
const FORBIDDEN: &str = r#"{"code":30002,"message":"X-BM-KEY not found","trace":"t","data":{}}"#;

/// A response from a body, `status|body` or `status|body|Retry-After`. `None` breaks the connection.
fn scripted(text: Option<&'static str>) -> ScriptedResponse {
    let Some(text) = text else {
        return ScriptedResponse::maybe_sent(TransportErrorKind::Interrupted);
    };
    let (status, text) = text.split_once('|').unwrap_or(("200", text));
    let (body, wait) = text.split_once('|').unwrap_or((text, ""));
    let response = ScriptedResponse::raw(body).status(status.parse().unwrap());
    if wait.is_empty() { response } else { response.header("Retry-After", wait) }
}

const TIME: &str = "/system/time";

/// The exchange's time `passed` after the start of the test.
fn time(passed: Duration) -> ScriptedResponse {
    let millis = START_MILLIS + i64::try_from(passed.as_millis()).unwrap();
    ScriptedResponse::raw(format!(
        r#"{{"code":1000,"message":"OK","trace":"t","data":{{"server_time":{millis}}}}}"#
    ))
}

/// A client and its exchange, which responds by the number of the request, from 0. Requests for the time
/// are not counted.
fn client_with(response: fn(usize) -> Option<&'static str>) -> (Client, ScriptedTransport) {
    client_with_limiter(response, Limiter::new(LimitPolicy::Off))
}

fn client_with_limiter(
    response: fn(usize) -> Option<&'static str>,
    limiter: Limiter,
) -> (Client, ScriptedTransport) {
    let (count, start) = (AtomicUsize::new(0), Instant::now());
    let script = ScriptedTransport::from_fn(move |request| {
        if request.path() == TIME {
            return time(start.elapsed());
        }
        scripted(response(count.fetch_add(1, Ordering::SeqCst)))
    });
    (client_of(&script, limiter, 0), script)
}

/// A client whose clock is ahead of the exchange's, which shows [`START_MILLIS`] at the start.
fn client_of(script: &ScriptedTransport, limiter: Limiter, ahead_millis: i64) -> Client {
    Client::builder()
        .environment(Environment::live())
        .credentials(Credentials::new("key", "secret", "memo").unwrap())
        .clock(OffsetClock { start: Instant::now(), offset_millis: ahead_millis })
        .limiter(limiter)
        .transport(script.clone())
        .build()
        .unwrap()
}

fn client_order_id() -> ClientOrderId {
    ClientOrderId::new("abc").unwrap()
}

#[tokio::test(start_paused = true)]
async fn finds_an_order_that_is_listed_late() {
    let (client, script) = client_with(|n| Some(if n < 3 { NOT_FOUND } else { FOUND }));
    let begin = Instant::now();
    let result = client.spot().reconcile(&client_order_id()).await.unwrap();
    assert!(matches!(result, Reconciled::Placed(order) if order.order_id == "1"));
    assert_eq!(script.count(), 4);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_order_counts_as_not_placed_only_after_its_signature_has_expired() {
    let (client, script) = client_with(|_| Some(NOT_FOUND));
    let begin = Instant::now();
    assert_eq!(client.spot().reconcile(&client_order_id()).await.unwrap(), Reconciled::NotPlaced);
    let last = script.requests().last().unwrap().sent_at;
    assert!(
        last - begin > Duration::from_secs(60),
        "the last query was sent after {:?}",
        last - begin
    );
}

/// A client whose clock is `ahead` seconds ahead of its exchange's, and the exchange. The order is listed
/// `listed_after` seconds after the start.
fn client_ahead(ahead: i64, listed_after: u64) -> (Client, ScriptedTransport) {
    let start = Instant::now();
    let script = ScriptedTransport::from_fn(move |request| match start.elapsed() {
        passed if request.path() == TIME => time(passed),
        passed => scripted(Some(if passed.as_secs() < listed_after { NOT_FOUND } else { FOUND })),
    });
    (client_of(&script, Limiter::new(LimitPolicy::Off), ahead * 1000), script)
}

#[tokio::test(start_paused = true)]
async fn an_order_held_up_until_its_signature_expires_is_found_whatever_the_clock_shows() {
    for ahead in [-59, -30, 0, 15, 30, 45, 59] {
        // The exchange accepts a signature until 60 seconds after its time, and lists the order later.
        let last = u64::try_from((60 + ahead).max(1)).unwrap();
        for listed in [1, last / 2, last, last + 14] {
            let (client, _) = client_ahead(ahead, listed);
            let result = client.spot().reconcile(&client_order_id()).await.unwrap();
            assert!(matches!(result, Reconciled::Placed(_)), "{ahead} s ahead, {listed} s late");
        }
        let (client, script) = client_ahead(ahead, u64::MAX);
        let begin = Instant::now();
        assert_eq!(
            client.spot().reconcile(&client_order_id()).await.unwrap(),
            Reconciled::NotPlaced
        );
        let longest = Duration::from_secs(81 + u64::try_from(ahead.max(0)).unwrap());
        assert!(begin.elapsed() <= longest, "{ahead} s ahead: {:?}", begin.elapsed());
        // What proves it was sent after the time was known.
        assert_eq!(script.requests().iter().rev().nth(1).unwrap().path(), TIME);
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_exchanges_time_an_order_never_counts_as_not_placed() {
    let script = ScriptedTransport::from_fn(|request| {
        scripted((request.path() != TIME).then_some(NOT_FOUND))
    });
    let client = client_of(&script, Limiter::new(LimitPolicy::Off), 0);
    client.spot().reconcile(&client_order_id()).await.expect_err("the outcome is unknown");
}

#[tokio::test(start_paused = true)]
async fn an_order_signed_before_the_clock_was_corrected_is_found() {
    // The clock was 45 seconds ahead when the order was signed.
    let start = Instant::now();
    let script = ScriptedTransport::from_fn(move |request| match start.elapsed() {
        passed if request.path() == TIME => time(passed),
        passed => scripted(Some(if passed.as_secs() < 100 { NOT_FOUND } else { FOUND })),
    });
    let client = client_of(&script, Limiter::new(LimitPolicy::Off), 45_000);
    let query = bitmart_rest::spot::QueryOrderByClientId::new(client_order_id());
    let error = client.spot().order_by_client_id(query).await.unwrap_err();
    assert_eq!(error.code(), Some(50_005));
    client.sync_clock().await.unwrap();
    assert!(client.clock().offset_millis() < -44_000);
    let result = client.spot().reconcile(&client_order_id()).await.unwrap();
    assert!(matches!(result, Reconciled::Placed(_)), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_ahead_beyond_any_accepted_signature_proves_nothing() {
    let (client, _) = client_ahead(3600, u64::MAX);
    let begin = Instant::now();
    assert_eq!(client.spot().reconcile(&client_order_id()).await.unwrap(), Reconciled::Unclear);
    assert!(begin.elapsed() < Duration::from_secs(80));
}

#[tokio::test(start_paused = true)]
async fn queries_are_repeated_over_broken_connections_which_never_mean_not_placed() {
    let (client, _) = client_with(|n| if n < 5 { None } else { Some(FOUND) });
    assert!(matches!(
        client.spot().reconcile(&client_order_id()).await.unwrap(),
        Reconciled::Placed(_)
    ));

    let (client, _) = client_with(|_| None);
    client.spot().reconcile(&client_order_id()).await.expect_err("the outcome is unknown");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_query_is_an_error_at_once() {
    let (client, script) = client_with(|_| Some(FORBIDDEN));
    client.spot().reconcile(&client_order_id()).await.expect_err("the key is unknown");
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn queries_are_repeated_during_maintenance_and_throttling_which_never_mean_not_placed() {
    const MAINTENANCE: &str = r#"{"code":30016,"message":"Service maintenance","trace":"t"}"#;
    const TOO_MANY: &str = r#"{"code":30013,"message":"Request too many requests","trace":"t"}"#;
    const GONE: &str = r#"{"code":50032,"message":"Order does not exist","trace":"t"}"#;
    for response in [
        |n| Some(if n < 5 { MAINTENANCE } else { FOUND }),
        |n| Some(if n < 5 { TOO_MANY } else { FOUND }),
        |n| Some(if n < 5 { GONE } else { FOUND }),
        |n| Some(if n < 5 { "<html>" } else { FOUND }),
    ] {
        let (client, _) = client_with(response);
        assert!(matches!(
            client.spot().reconcile(&client_order_id()).await.unwrap(),
            Reconciled::Placed(_)
        ));
    }
    for response in [|_| Some(MAINTENANCE), |_| Some(TOO_MANY), |_| Some(GONE), |_| Some("<html>")]
    {
        let (client, _) = client_with(response);
        client.spot().reconcile(&client_order_id()).await.expect_err("the outcome is unknown");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_last_query_is_repeated() {
    // Not found until the end, then a broken connection, then not found again.
    static BEGIN: Mutex<Option<Instant>> = Mutex::new(None);
    let (client, _) = client_with(|_| {
        let mut begin = BEGIN.lock().unwrap();
        let begin = *begin.get_or_insert_with(Instant::now);
        let passed = begin.elapsed();
        let fails = passed >= Duration::from_secs(75) && passed < Duration::from_secs(76);
        (!fails).then_some(NOT_FOUND)
    });
    assert_eq!(client.spot().reconcile(&client_order_id()).await.unwrap(), Reconciled::NotPlaced);
}

const BAN: &str = r#"418|{"code":30017,"message":"rejected","trace":"t"}"#;
const LONG_BAN: &str = r#"418|{"code":30017,"message":"rejected","trace":"t"}|600"#;
const BAN_PAGE: &str = "418|<html></html>";

#[tokio::test(start_paused = true)]
async fn waits_without_queries_until_a_short_ban_ends() {
    for response in [(|n| Some(if n == 0 { BAN } else { FOUND })) as fn(usize) -> _, |n| {
        Some(if n == 0 { BAN_PAGE } else { FOUND })
    }] {
        for limiter in [Limiter::default(), Limiter::new(LimitPolicy::Off)] {
            let (client, script) = client_with_limiter(response, limiter);
            let begin = Instant::now();
            let found = client.spot().reconcile(&client_order_id()).await.unwrap();
            assert!(matches!(found, Reconciled::Placed(_)));
            let sent = script.requests();
            assert_eq!(sent.len(), 2);
            assert!(
                sent[1].sent_at - begin >= Duration::from_secs(60),
                "{:?}",
                sent[1].sent_at - begin
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_ban_is_reported_at_once_with_its_end() {
    for limiter in [Limiter::default(), Limiter::new(LimitPolicy::Off)] {
        let (client, script) = client_with_limiter(|_| Some(LONG_BAN), limiter);
        let begin = Instant::now();
        let error = client.spot().reconcile(&client_order_id()).await.expect_err("banned");
        let RetryClass::Banned { wait, until } = error.retry_class() else { panic!("{error}") };
        assert_eq!(wait, Duration::from_secs(600));
        assert!(until.is_some() && error.to_string().contains("Banned until"), "{error}");
        assert_eq!((script.count(), begin.elapsed()), (1, Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_ban_beyond_the_deadline_is_an_error() {
    // The second ban ends after the deadline.
    let (client, script) = client_with(|_| Some(BAN));
    let begin = Instant::now();
    let error =
        client.spot().reconcile(&client_order_id()).await.expect_err("the outcome is unknown");
    assert!(error.retry_class().is_banned());
    assert_eq!(script.count(), 2);
    assert!(begin.elapsed() < Duration::from_secs(105));
}

#[tokio::test(start_paused = true)]
async fn futures_orders_are_not_queried_during_a_ban() {
    let (client, script) = client_with(|n| Some(if n == 1 { LONG_BAN } else { NOTHING }));
    let error =
        client.futures().reconcile("BTCUSDT", &client_order_id()).await.expect_err("banned");
    assert!(error.retry_class().is_banned());
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_retry_after_requests() {
    const RETRY_AFTER_40: &str =
        r#"503|{"code":30014,"message":"Service unavailable","trace":"t"}|40"#;
    let (client, script) = client_with(|n| Some(if n == 0 { RETRY_AFTER_40 } else { FOUND }));
    client.spot().reconcile(&client_order_id()).await.unwrap();
    let sent = script.requests();
    assert!(sent[1].sent_at - sent[0].sent_at >= Duration::from_secs(40));
}

/// A list of `count` futures orders with other client order ids.
fn open_orders_with_other_ids(count: usize) -> &'static str {
    let row = |n: usize| {
        format!(
            r#"{{"order_id":"{n}","client_order_id":"x{n}","price":"1","size":"1","symbol":"BTCUSDT",
            "state":2,"side":1,"type":"limit","leverage":"1","open_type":"cross",
            "deal_avg_price":"0","deal_size":"0","create_time":1,"update_time":1}}"#
        )
    };
    let rows = (0..count).map(row).collect::<Vec<_>>().join(",");
    Box::leak(format!(r#"{{"code":1000,"message":"Ok","trace":"t","data":[{rows}]}}"#).into())
}

#[tokio::test(start_paused = true)]
async fn a_full_page_of_open_futures_orders_leaves_the_result_unclear() {
    let full = |n| Some(if n % 2 == 0 { open_orders_with_other_ids(100) } else { NOTHING });
    let (client, _) = client_with(full);
    let result = client.futures().reconcile("BTCUSDT", &client_order_id()).await.unwrap();
    assert_eq!(result, Reconciled::Unclear);

    let short = |n| Some(if n % 2 == 0 { open_orders_with_other_ids(99) } else { NOTHING });
    let (client, _) = client_with(short);
    let result = client.futures().reconcile("BTCUSDT", &client_order_id()).await.unwrap();
    assert_eq!(result, Reconciled::NotPlaced);
}

#[tokio::test(start_paused = true)]
async fn a_full_page_of_futures_history_that_ignores_the_id_leaves_the_result_unclear() {
    let (client, _) =
        client_with(|n| Some(if n % 2 == 0 { NOTHING } else { open_orders_with_other_ids(200) }));
    let result = client.futures().reconcile("BTCUSDT", &client_order_id()).await.unwrap();
    assert_eq!(result, Reconciled::Unclear);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_id_error_of_the_futures_history_means_not_found() {
    const UNKNOWN: &str = r#"{"code":40037,"message":"The order id is not exist","trace":"t"}"#;
    let (client, _) = client_with(|n| Some(if n % 2 == 0 { NOTHING } else { UNKNOWN }));
    let result = client.futures().reconcile("BTCUSDT", &client_order_id()).await.unwrap();
    assert_eq!(result, Reconciled::NotPlaced);
}

#[tokio::test(start_paused = true)]
async fn futures_orders_are_queried_in_open_orders_and_then_in_the_history() {
    let (client, script) = client_with(|_| Some(NOTHING));
    let result = client.futures().reconcile("BTCUSDT", &client_order_id()).await.unwrap();
    assert_eq!(result, Reconciled::NotPlaced);
    let sent = script.requests();
    assert_eq!(sent[0].path(), "/contract/private/get-open-orders");
    assert_eq!(sent[1].path(), "/contract/private/order-history");
}
