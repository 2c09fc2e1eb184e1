//! Every duration that a user can set, at its extremes: `Duration::MAX` is a common spelling of *never*.

use std::time::Duration;

use bitmart_rest::dead_man::DeadManSwitch;
use bitmart_rest::futures::CancelAllAfter;
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_rest::transport::HyperTransport;
use bitmart_rest::transport::TransportErrorKind;
use bitmart_rest::{ClientBuilder, Error, ErrorKind, Outcome, RetryPolicy};

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, ReadOrder, client};
use crate::server::{Server, ok};

/// All settings of the client that take any duration.
fn settings(builder: ClientBuilder, one: Duration) -> ClientBuilder {
    builder
        .timeout(one)
        .idle_timeout(one)
        .limiter(Limiter::new(LimitPolicy::WaitUpTo(one)))
        .retry_reads(RetryPolicy::within(one).first_pause(one))
}

#[tokio::test]
async fn the_longest_durations_mean_never() {
    let server = Server::start(|_| ok(ORDER_RESPONSE)).await;
    let never = Duration::MAX;
    let own = HyperTransport::builder().connect_timeout(never).idle_timeout(never);
    let own = own.fresh_connection_for_writes(true).build().unwrap();
    // The connect timeout of a client must be shorter than its timeout.
    let long =
        client(&server.address).connect_timeout(never.saturating_sub(Duration::from_nanos(1)));
    for builder in [client(&server.address), client(&server.address).transport(own), long] {
        let client = settings(builder, never).build().unwrap();
        for _ in 0..2 {
            assert_eq!(client.send(PLACE_ORDER).await.unwrap().order_id, "7");
            assert_eq!(client.send(ReadOrder).await.unwrap().order_id, "7");
        }
    }
}

#[tokio::test]
async fn zero_durations_time_out_at_most() {
    let server = Server::start(|_| ok(ORDER_RESPONSE)).await;
    let own = || HyperTransport::builder().connect_timeout(Duration::ZERO);
    let own = own().idle_timeout(Duration::ZERO).build().unwrap();
    for builder in [client(&server.address), client(&server.address).transport(own)] {
        let client = settings(builder, Duration::ZERO).build().unwrap();
        // A response may arrive before the timer is read.
        for result in [client.send(PLACE_ORDER).await, client.send(ReadOrder).await] {
            assert!(result.as_ref().map_or_else(Error::is_timeout, |_| true), "{result:?}");
        }
    }
    assert!(client(&server.address).connect_timeout(Duration::ZERO).build().is_err());
}

#[tokio::test]
async fn a_recv_window_out_of_range_is_rejected() {
    for invalid in [Duration::ZERO, Duration::MAX] {
        let builder = client("https://spot").recv_window(invalid);
        assert_eq!(builder.build().unwrap_err().setting(), "recv_window");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_man_switch_accepts_or_rejects_the_extremes() {
    let refused =
        || ScriptedTransport::always(ScriptedResponse::not_sent(TransportErrorKind::Connect));
    for one in [Duration::ZERO, Duration::MAX] {
        let client = client("https://spot").transport(refused()).build().unwrap();
        let switch = || DeadManSwitch::builder(client.clone()).pair("BTC_USDT");
        assert_eq!(switch().timeout(one).start().unwrap_err().setting(), "timeout");
        let switch = switch().stale_after(one).cancel_timeout(one).start().unwrap();
        assert_eq!(switch.beat(), !one.is_zero());
        switch.trigger();
        // With the longest timeout it goes on canceling.
        let ended = tokio::time::timeout(Duration::from_secs(600), switch.wait_until_ended()).await;
        assert_eq!(ended.is_ok(), one.is_zero());
    }
    let longest = Duration::from_secs(u32::MAX.into());
    let client = client("https://spot").transport(refused()).build().unwrap();
    let request = CancelAllAfter::new("BTCUSDT", Duration::MAX);
    let error = client.futures().cancel_all_after(request).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Validation(_)), "{error}");
    assert_eq!(error.outcome(), Outcome::NotSent);
    let switch = DeadManSwitch::builder(client).contract("BTCUSDT").timeout(longest);
    let switch = switch.start().unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(switch.beat());
    switch.trigger();
}
