//! The effect of each setting of a connection policy.

use std::error::Error as _;
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::client::Client;
use crate::error::ErrorKind;
use crate::reason::ReconnectReason;
use crate::testing::Frame;
use crate::testing::test_support::server_and_client_with;
use crate::{Backoff, ConnectionPolicy, PolicyError};

fn server_and_client_of(policy: ConnectionPolicy) -> (ScriptedServer, Client) {
    server_and_client_with(1 << 16, |client| client.connection_policy(policy))
}

fn default_policy() -> ConnectionPolicy {
    ConnectionPolicy::default()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Subscribes to one topic and reads the first update.
async fn subscribed(
    server: &mut ScriptedServer,
    client: &Client,
) -> (ServerConnection, Subscription<RawEvent>) {
    let (peer, tickers) = tokio::join!(serve(server), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    assert!(matches!(next(&mut tickers).await, Update::Subscribed));
    (peer, tickers)
}

#[tokio::test(start_paused = true)]
async fn the_backoff_sets_the_delays_after_failed_attempts() {
    let backoff = Backoff::new(seconds(40), seconds(160));
    let (mut server, client) = server_and_client_with(1 << 16, |client| {
        client
            .connection_policy(default_policy().backoff(backoff))
            .subscribe_timeout(seconds(3_000))
    });
    let subscribing = tokio::spawn(async move { client.subscribe(ticker()).await });
    drop(server.accept_stream().await);
    for step in [40, 80, 160, 160] {
        let begin = Instant::now();
        drop(server.accept_stream().await);
        let delay = begin.elapsed();
        assert!(seconds(step / 2) <= delay && delay <= seconds(step + 1), "{delay:?} of {step} s");
    }
    subscribing.abort();
}

#[tokio::test(start_paused = true)]
async fn only_a_healthy_connection_resets_the_backoff() {
    for (lasted, step) in [(99, 80), (101, 40)] {
        let backoff = Backoff::new(seconds(40), seconds(160)).healthy_after(seconds(100));
        let (mut server, client) = server_and_client_of(default_policy().backoff(backoff));
        let (mut peer, _tickers) = subscribed(&mut server, &client).await;
        drop(peer);
        // The first delay was 40 s. The next one is longer unless this connection lasts.
        peer = serve(&mut server).await;
        let end = Instant::now() + seconds(lasted);
        while let Ok(heartbeat) = tokio::time::timeout_at(end, peer.next_frame()).await {
            assert!(heartbeat.is_some());
            peer.push("pong").await;
        }
        let begin = Instant::now();
        drop(peer);
        server.accept_stream().await;
        let delay = begin.elapsed();
        assert!(
            seconds(step / 2) <= delay && delay <= seconds(step + 1),
            "{delay:?} after {lasted} s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_idle_timeout_ends_a_connection_sooner() {
    let (mut server, client) = server_and_client_of(
        default_policy().idle_timeout(seconds(8)).heartbeat_interval(seconds(2)),
    );
    let (mut peer, mut tickers) = subscribed(&mut server, &client).await;
    let begin = Instant::now();
    assert_eq!(peer.next_frame().await.expect("a heartbeat").payload, b"ping");
    assert_eq!(begin.elapsed(), seconds(2));
    assert!(matches!(next(&mut tickers).await, Update::Stale(_)));
    assert_eq!(begin.elapsed(), seconds(5));
    let update = next(&mut tickers).await;
    let idle = ReconnectReason::IdleTimeout { limit: seconds(8) };
    assert!(matches!(update, Update::Reconnecting(reason) if reason == idle));
    assert_eq!(begin.elapsed(), seconds(8));
}

#[tokio::test(start_paused = true)]
async fn the_unused_timeout_closes_a_connection_without_topics() {
    for timeout in [1, 7, 200] {
        // Only for spot: futures, which this server serves as well, closes after 5 s.
        let (mut server, client) = server_and_client_with(1 << 16, |client| {
            let policy = default_policy().unused_timeout(seconds(timeout));
            client.endpoint_policy(Market::Spot, Access::Public, policy)
        });
        let (mut peer, tickers) = subscribed(&mut server, &client).await;
        drop(tickers);
        assert_eq!(peer.accept_command().await.operation, "unsubscribe");
        let begin = Instant::now();
        while let Some(Frame { payload, .. }) = peer.next_frame().await {
            if payload == b"ping" {
                peer.push("pong").await;
            }
        }
        assert_eq!(begin.elapsed(), seconds(timeout));
    }
}

#[tokio::test(start_paused = true)]
async fn the_connect_timeout_bounds_an_attempt() {
    let (mut server, client) = server_and_client_of(default_policy().connect_timeout(seconds(25)));
    let subscribing = tokio::spawn(async move { client.subscribe(ticker()).await });
    let begin = Instant::now();
    let _silent = server.accept_request().await;
    let _second = server.accept_request().await;
    assert!(seconds(25) <= begin.elapsed() && begin.elapsed() < seconds(28));
    subscribing.abort();
}

#[tokio::test(start_paused = true)]
async fn limits_topics_per_connection_and_connections_per_endpoint() {
    let (mut server, client) =
        server_and_client_of(default_policy().topics_per_connection(1).connections_per_endpoint(2));
    let (_first, _tickers) = subscribed(&mut server, &client).await;
    let (_second, trades) = tokio::join!(serve(&mut server), client.subscribe(trade()));
    let _trades = trades.expect("on a connection of its own");
    let error = client.subscribe(spot("spot/ticker:MORE_USDT")).await.expect_err("full");
    assert_eq!(error.kind(), ErrorKind::TopicLimit);
    assert!(error.to_string().contains("2 connections of 1 topics"), "{error}");
}

#[test]
fn rejects_a_policy_beyond_the_limits_of_an_endpoint_that_the_client_can_use() {
    let build = |policy| Client::builder().connection_policy(policy).build();
    let error = build(default_policy().connections_per_endpoint(21)).expect_err("spot allows 20");
    assert_eq!(error.setting(), "connections_per_endpoint");
    let source = error.source().and_then(|source| source.downcast_ref::<PolicyError>());
    let error = source.expect("a policy error");
    assert_eq!(
        (error.setting(), error.market(), error.access()),
        ("connections_per_endpoint", Market::Spot, Access::Public)
    );
    let private = default_policy().connections_per_endpoint(15);
    assert!(
        build(private).is_ok(),
        "10 are allowed on private endpoints, but there are no credentials"
    );
    let builder = || with_account(Client::builder().connection_policy(private));
    let error = builder().build().expect_err("private endpoints as well");
    assert_eq!(error.setting(), "connections_per_endpoint");
    let own = builder().endpoint_policy(Market::Spot, Access::Private, default_policy());
    let client = own.build().expect("a policy of its own");
    assert_eq!(client.limits(Market::Spot, Access::Private).connections, 10);
    assert_eq!(client.limits(Market::Spot, Access::Public).connections, 15);
}
