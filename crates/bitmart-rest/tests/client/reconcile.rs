//! Finding out what became of an order, under turned time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitmart_auth::Credentials;
use bitmart_rest::reconcile::Reconciled;
use bitmart_rest::transport::{Body, Transport, TransportFuture};
use bitmart_rest::{Client, LimitPolicy, Limiter, TransportError, TransportErrorKind};
use bitmart_types::{ClientOrderId, Environment};
use bytes::Bytes;
use tokio::time::Instant;

const NOT_FOUND: &str = r#"{"code":50005,"message":"Trade Id not found","trace":"t","data":{}}"#;
const FOUND: &str = r#"{"code":1000,"message":"success","trace":"t","data":{"orderId":"1",
    "clientOrderId":"abc","symbol":"BTC_USDT","side":"buy","orderMode":"spot","type":"limit",
    "state":"new","cancelSource":"","stpMode":"","price":"1","priceAvg":"0","size":"1",
    "filledSize":"0","notional":"1","filledNotional":"0","createTime":1,"updateTime":1}}"#;
const NOTHING: &str = r#"{"code":1000,"message":"Ok","trace":"t","data":[]}"#;
const FORBIDDEN: &str = r#"{"code":30002,"message":"X-BM-KEY not found","trace":"t","data":{}}"#;

/// Answers by the number of the request, from 0. `None` breaks the connection.
#[derive(Clone)]
struct Script {
    answer: fn(usize) -> Option<&'static str>,
    asked: Arc<Mutex<Vec<(String, Instant)>>>,
}

impl Transport for Script {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        let mut asked = self.asked.lock().unwrap();
        let answer = (self.answer)(asked.len());
        asked.push((request.uri().path().to_owned(), Instant::now()));
        Box::pin(async move {
            let body = answer
                .ok_or_else(|| TransportError::maybe_sent(TransportErrorKind::Interrupted))?;
            Ok(http::Response::new(Body::from(Bytes::from(body))))
        })
    }
}

fn desk(answer: fn(usize) -> Option<&'static str>) -> (Client, Script) {
    let script = Script { answer, asked: Arc::default() };
    let client = Client::builder()
        .environment(Environment::live())
        .credentials(Credentials::new("key", "secret", "memo").unwrap())
        .limiter(Limiter::new(LimitPolicy::Off))
        .transport(script.clone())
        .build()
        .unwrap();
    (client, script)
}

fn id() -> ClientOrderId {
    ClientOrderId::new("abc").unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_order_that_shows_late_is_found() {
    let (client, script) = desk(|n| Some(if n < 3 { NOT_FOUND } else { FOUND }));
    let begin = Instant::now();
    let result = client.spot().reconcile(&id()).await.unwrap();
    assert!(matches!(result, Reconciled::Placed(order) if order.order_id == "1"));
    assert_eq!(script.asked.lock().unwrap().len(), 4);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn not_found_is_proof_only_after_the_signature_has_expired() {
    let (client, script) = desk(|_| Some(NOT_FOUND));
    let begin = Instant::now();
    assert_eq!(client.spot().reconcile(&id()).await.unwrap(), Reconciled::NotPlaced);
    let (_, last) = script.asked.lock().unwrap().last().cloned().unwrap();
    assert!(last - begin > Duration::from_secs(60), "asked last after {:?}", last - begin);
}

#[tokio::test(start_paused = true)]
async fn broken_connections_are_asked_through_and_never_mean_not_placed() {
    let (client, _) = desk(|n| if n < 5 { None } else { Some(FOUND) });
    assert!(matches!(client.spot().reconcile(&id()).await.unwrap(), Reconciled::Placed(_)));

    let (client, _) = desk(|_| None);
    client.spot().reconcile(&id()).await.expect_err("nobody knows");
}

#[tokio::test(start_paused = true)]
async fn a_refused_query_is_an_error_at_once() {
    let (client, script) = desk(|_| Some(FORBIDDEN));
    client.spot().reconcile(&id()).await.expect_err("the key is unknown");
    assert_eq!(script.asked.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn futures_are_looked_for_among_open_orders_and_then_in_the_history() {
    let (client, script) = desk(|_| Some(NOTHING));
    let result = client.futures().reconcile("BTCUSDT", &id()).await.unwrap();
    assert_eq!(result, Reconciled::NotPlaced);
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked[0].0, "/contract/private/get-open-orders");
    assert_eq!(asked[1].0, "/contract/private/order-history");
}
