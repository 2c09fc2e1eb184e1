//! What a detailed response tells.

use std::time::Duration;

use bitmart_rest::http::uri::Authority;
use bitmart_rest::testing::{Reply, ScriptedTransport};
use bitmart_rest::transport::{Reservation, ReservationFuture, Transport, TransportFuture};
use bitmart_rest::{
    EncodeError, Endpoint, Host, LimitPolicy, LimitScope, Limiter, Metadata, Method, Payload,
    RetryPolicy, http,
};
use bytes::Bytes;

use crate::endpoint::{ORDER, PLACED, Placed, client};
use crate::mock::response;

/// What a response takes to come.
const TRIP: Duration = Duration::from_millis(30);

/// A read, one in two seconds.
struct Seldom;

impl Endpoint for Seldom {
    type Response = Placed;
    const METADATA: Metadata =
        Metadata::new("seldom", Method::Get, Host::Spot, "/seldom").limit(1, 2, LimitScope::Ip);
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

fn limiter() -> Limiter {
    Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(5))).headroom(0)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_two_seconds_for_a_permit_says_so() {
    let script = ScriptedTransport::response(|_| response(200, &[], PLACED).after(TRIP));
    let client = client("https://spot").transport(script).limiter(limiter()).build().unwrap();
    let first = client.send_detailed(Seldom).await.unwrap();
    assert_eq!((first.waited, first.latency, first.total), (Duration::ZERO, TRIP, TRIP));
    let second = client.send_detailed(Seldom).await.unwrap();
    assert_eq!(second.waited, Duration::from_secs(2));
    assert_eq!((second.latency, second.total), (TRIP, second.waited + TRIP));
}

#[tokio::test(start_paused = true)]
async fn the_waits_of_all_attempts_count_and_the_pauses_between_them_only_in_the_total() {
    let unavailable = r#"{"code":30014,"message":"Service unavailable","trace":"1"}"#;
    let asked = std::sync::atomic::AtomicU32::new(0);
    let script = ScriptedTransport::response(move |_| {
        let reply = match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 | 1 => response(503, &[], unavailable),
            _ => response(200, &[], PLACED),
        };
        reply.after(TRIP)
    });
    let policy = RetryPolicy::within(Duration::from_secs(60)).first_pause(Duration::from_secs(1));
    let client = client("https://spot").transport(script).limiter(limiter());
    let client = client.retry_reads(policy).build().unwrap();
    let response = client.send_detailed(Seldom).await.unwrap();
    // Each attempt after the first begins two seconds after the one before, and pauses are half to
    // all of one and of two seconds.
    assert_eq!(response.latency, TRIP);
    assert_eq!(response.total, TRIP * 3 + Duration::from_secs(4));
    let pauses = response.total.saturating_sub(TRIP * 3 + response.waited);
    assert!(pauses >= Duration::from_millis(1500), "{pauses:?}");
    assert!(response.waited >= Duration::from_secs(1), "{:?}", response.waited);
}

/// Makes every request wait for its place.
struct Crowded(ScriptedTransport);

impl Transport for Crowded {
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
async fn the_wait_for_a_place_on_a_connection_counts() {
    let crowded = Crowded(ScriptedTransport::always(response(200, &[], PLACED)));
    let client = client("https://spot").transport(crowded).build().unwrap();
    let response = client.send_detailed(ORDER).await.unwrap();
    assert_eq!(response.waited, Duration::from_millis(700));
    assert_eq!((response.latency, response.total), (Duration::ZERO, response.waited));
}

#[tokio::test]
async fn a_detailed_response_tells_everything() {
    let reply = Reply::raw(PLACED)
        .header("X-BM-RateLimit-Remaining", 3)
        .header("X-BM-RateLimit-Limit", 40)
        .header("X-BM-RateLimit-Reset", 2);
    let transport = ScriptedTransport::always(reply);
    let client = client("https://spot").transport(transport).build().unwrap();
    let response = client.send_detailed(ORDER).await.unwrap();
    assert_eq!(response.data.order_id, "7");
    assert_eq!(response.status.as_u16(), 200);
    assert_eq!(response.trace.as_deref(), Some("t1"));
    assert_eq!(&response.raw[..], PLACED.as_bytes());
    let state = response.rate_limit.unwrap();
    assert_eq!((state.used, state.limit, state.left()), (3, 40, 37));
    assert_eq!(state.window, Duration::from_secs(2));
    assert!(!format!("{response:?}").contains("code"), "the raw body is not shown");
}
