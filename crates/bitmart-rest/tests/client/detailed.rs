//! Detailed responses: timing, rate limit and raw body.

use std::time::Duration;

use bitmart_rest::endpoint::{EncodeError, Endpoint, Host, LimitScope, Metadata, Method, Payload};
use bitmart_rest::http::uri::Authority;
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_rest::transport::{Reservation, ReservationFuture, Transport, TransportFuture};
use bitmart_rest::{Outcome, RetryPolicy, http};
use bitmart_types::Timestamp;
use bytes::Bytes;

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, PlaceOrder, PlacedOrder, client};
use crate::mock::{FixedClock, response};

/// The latency of a response.
const LATENCY: Duration = Duration::from_millis(30);

/// A read with a limit of one in two seconds.
struct Limited;

impl Endpoint for Limited {
    type Response = PlacedOrder;
    const METADATA: Metadata =
        Metadata::new("limited", Method::Get, Host::Spot, "/limited").limit(1, 2, LimitScope::Ip);
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

fn limiter() -> Limiter {
    Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(5))).headroom(0)
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_permit_counts() {
    let script = ScriptedTransport::from_fn(|_| response(200, &[], ORDER_RESPONSE).delay(LATENCY));
    let client = client("https://spot").transport(script).limiter(limiter()).build().unwrap();
    let first = client.send_detailed(Limited).await.unwrap();
    assert_eq!((first.waited, first.latency, first.total), (Duration::ZERO, LATENCY, LATENCY));
    let second = client.send_detailed(Limited).await.unwrap();
    assert_eq!(second.waited, Duration::from_secs(2));
    assert_eq!((second.latency, second.total), (LATENCY, second.waited + LATENCY));
}

#[tokio::test(start_paused = true)]
async fn waits_of_all_attempts_count_but_pauses_between_them_only_in_the_total() {
    let unavailable = r#"{"code":30014,"message":"Service unavailable","trace":"1"}"#;
    let count = std::sync::atomic::AtomicU32::new(0);
    let script = ScriptedTransport::from_fn(move |_| {
        let response = match count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 | 1 => response(503, &[], unavailable),
            _ => response(200, &[], ORDER_RESPONSE),
        };
        response.delay(LATENCY)
    });
    let policy = RetryPolicy::within(Duration::from_secs(60)).first_pause(Duration::from_secs(1));
    let client = client("https://spot").transport(script).limiter(limiter());
    let client = client.retry_reads(policy).build().unwrap();
    let response = client.send_detailed(Limited).await.unwrap();
    // Each attempt after the first begins two seconds after the one before, and pauses are half to
    // all of one and of two seconds.
    assert_eq!(response.latency, LATENCY);
    assert_eq!(response.total, LATENCY * 3 + Duration::from_secs(4));
    let pauses = response.total.saturating_sub(LATENCY * 3 + response.waited);
    assert!(pauses >= Duration::from_millis(1500), "{pauses:?}");
    assert!(response.waited >= Duration::from_secs(1), "{:?}", response.waited);
}

/// Makes every request wait for a reservation.
struct SlowReservation(ScriptedTransport);

impl Transport for SlowReservation {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        self.0.send(request)
    }
    fn reserve<'a>(&'a self, _: &'a Authority) -> ReservationFuture<'a> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            Reservation::unlimited()
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_connection_counts() {
    let transport = SlowReservation(ScriptedTransport::always(response(200, &[], ORDER_RESPONSE)));
    let client = client("https://spot").transport(transport).build().unwrap();
    let response = client.send_detailed(PLACE_ORDER).await.unwrap();
    assert_eq!(response.waited, Duration::from_millis(700));
    assert_eq!((response.latency, response.total), (Duration::ZERO, response.waited));
}

#[tokio::test]
async fn a_detailed_response_contains_status_trace_rate_limit_and_raw_body() {
    let response = ScriptedResponse::raw(ORDER_RESPONSE)
        .header("X-BM-RateLimit-Remaining", 3)
        .header("X-BM-RateLimit-Limit", 40)
        .header("X-BM-RateLimit-Reset", 2);
    let transport = ScriptedTransport::always(response);
    let client = client("https://spot").transport(transport).build().unwrap();
    let response = client.send_detailed(PLACE_ORDER).await.unwrap();
    assert_eq!(response.data.order_id, "7");
    assert_eq!(response.status.as_u16(), 200);
    assert_eq!(response.trace.as_deref(), Some("t1"));
    assert_eq!(&response.raw[..], ORDER_RESPONSE.as_bytes());
    let state = response.rate_limit.unwrap();
    assert_eq!((state.used, state.limit, state.left()), (3, 40, 37));
    assert_eq!(state.window, Duration::from_secs(2));
    assert!(!format!("{response:?}").contains("code"), "the raw body is not shown");
}

#[tokio::test]
async fn a_request_is_not_sent_with_a_signature_later_than_its_limit() {
    let script = ScriptedTransport::always(response(200, &[], ORDER_RESPONSE));
    let builder = client("https://spot").clock(FixedClock(1_000));
    let client = builder.transport(script.clone()).build().unwrap();
    let send = async |latest| {
        let mut payload = Payload::new();
        payload.json(&PLACE_ORDER).unwrap();
        payload.sign_until(Timestamp::from_millis(latest));
        client.send_raw(const { &PlaceOrder::METADATA }, payload).await
    };
    let late = send(999).await.unwrap_err();
    assert_eq!((late.outcome(), script.count()), (Outcome::NotSent, 0), "{late}");
    send(1_000).await.unwrap();
    assert_eq!(script.count(), 1);
}
