//! Each setting of a connection policy changes what the client does.

use std::error::Error as _;
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::client::Client;
use crate::error::ErrorKind;
use crate::reason::ReconnectReason;
use crate::testing::Frame;
use crate::testing::own::venue_with;
use crate::{Backoff, ConnectionPolicy, PolicyError};

fn with(policy: ConnectionPolicy) -> (ScriptedServer, Client) {
    venue_with(1 << 16, |client| client.connection_policy(policy))
}

fn new() -> ConnectionPolicy {
    ConnectionPolicy::new()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Subscribes to one topic and takes the first update.
async fn subscribed(
    venue: &mut ScriptedServer,
    client: &Client,
) -> (ServerConnection, Subscription<RawEvent>) {
    let (peer, tickers) = tokio::join!(serve(venue), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    assert!(matches!(next(&mut tickers).await, Update::Subscribed));
    (peer, tickers)
}

#[tokio::test(start_paused = true)]
async fn the_backoff_sets_the_pauses_after_failures() {
    let backoff = Backoff::new(seconds(40), seconds(160));
    let (mut venue, client) = venue_with(1 << 16, |client| {
        client.connection_policy(new().backoff(backoff)).subscribe_within(seconds(3_000))
    });
    let subscribing = tokio::spawn(async move { client.subscribe(ticker()).await });
    drop(venue.accept_stream().await);
    for step in [40, 80, 160, 160] {
        let begin = Instant::now();
        drop(venue.accept_stream().await);
        let pause = begin.elapsed();
        assert!(seconds(step / 2) <= pause && pause <= seconds(step + 1), "{pause:?} of {step} s");
    }
    subscribing.abort();
}

#[tokio::test(start_paused = true)]
async fn only_a_connection_that_lasted_ends_the_backoff() {
    for (lasts, step) in [(99, 80), (101, 40)] {
        let backoff = Backoff::new(seconds(40), seconds(160)).healthy_after(seconds(100));
        let (mut venue, client) = with(new().backoff(backoff));
        let (mut peer, _tickers) = subscribed(&mut venue, &client).await;
        drop(peer);
        // The first pause was 40 s: the next one is longer unless this connection lasts.
        peer = serve(&mut venue).await;
        let end = Instant::now() + seconds(lasts);
        while let Ok(heartbeat) = tokio::time::timeout_at(end, peer.next_frame()).await {
            assert!(heartbeat.is_some());
            peer.push("pong").await;
        }
        let begin = Instant::now();
        drop(peer);
        venue.accept_stream().await;
        let pause = begin.elapsed();
        assert!(
            seconds(step / 2) <= pause && pause <= seconds(step + 1),
            "{pause:?} after {lasts} s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_connection_sooner_when_asked_to() {
    let (mut venue, client) = with(new().silence(seconds(8)).heartbeat(seconds(2)));
    let (mut peer, mut tickers) = subscribed(&mut venue, &client).await;
    let begin = Instant::now();
    assert_eq!(peer.next_frame().await.expect("a heartbeat").payload, b"ping");
    assert_eq!(begin.elapsed(), seconds(2));
    assert!(matches!(next(&mut tickers).await, Update::Stale(_)));
    assert_eq!(begin.elapsed(), seconds(5));
    let update = next(&mut tickers).await;
    let silent = ReconnectReason::Silent { limit: seconds(8) };
    assert!(matches!(update, Update::Reconnecting(reason) if reason == silent));
    assert_eq!(begin.elapsed(), seconds(8));
}

#[tokio::test(start_paused = true)]
async fn an_empty_connection_lingers_as_long_as_it_is_told() {
    for linger in [1, 7, 200] {
        // Futures, which this venue has as well, closes after 5 s.
        let (mut venue, client) = venue_with(1 << 16, |client| {
            let policy = new().linger(seconds(linger));
            client.connection_policy_of(Dialect::Spot, Access::Public, policy)
        });
        let (mut peer, tickers) = subscribed(&mut venue, &client).await;
        drop(tickers);
        assert_eq!(peer.accept_command().await.operation, "unsubscribe");
        let begin = Instant::now();
        while let Some(Frame { payload, .. }) = peer.next_frame().await {
            if payload == b"ping" {
                peer.push("pong").await;
            }
        }
        assert_eq!(begin.elapsed(), seconds(linger));
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_to_connect_takes_no_longer_than_its_time() {
    let (mut venue, client) = with(new().connect_timeout(seconds(25)));
    let subscribing = tokio::spawn(async move { client.subscribe(ticker()).await });
    let begin = Instant::now();
    let _silent = venue.accept_request().await;
    let _second = venue.accept_request().await;
    assert!(seconds(25) <= begin.elapsed() && begin.elapsed() < seconds(28));
    subscribing.abort();
}

#[tokio::test(start_paused = true)]
async fn topics_and_connections_are_as_few_as_asked_for() {
    let (mut venue, client) = with(new().topics_per_connection(1).connections_per_side(2));
    let (_first, _tickers) = subscribed(&mut venue, &client).await;
    let (_second, trades) = tokio::join!(serve(&mut venue), client.subscribe(trade()));
    let _trades = trades.expect("on a connection of its own");
    let error = client.subscribe(spot("spot/ticker:MORE_USDT")).await.expect_err("full");
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.to_string().contains("2 connections of 1 topics"), "{error}");
}

#[test]
fn a_policy_beyond_the_venue_is_refused_on_the_sides_that_the_client_can_use() {
    let build = |policy| Client::builder().connection_policy(policy).build();
    let error = build(new().connections_per_side(21)).expect_err("spot allows 20");
    assert_eq!(error.kind(), ErrorKind::Config);
    let source = error.source().and_then(|source| source.downcast_ref::<PolicyError>());
    let refused = source.expect("typed");
    assert_eq!(
        (refused.setting(), refused.dialect(), refused.access()),
        ("connections_per_side", Dialect::Spot, Access::Public)
    );
    let private = new().connections_per_side(15);
    assert!(build(private).is_ok(), "10 private ones are allowed, and there are no credentials");
    let builder = || with_account(Client::builder().connection_policy(private));
    assert_eq!(builder().build().expect_err("private, too").kind(), ErrorKind::Config);
    let own = builder().connection_policy_of(Dialect::Spot, Access::Private, new());
    let client = own.build().expect("a policy of its own");
    assert_eq!(client.limits(Dialect::Spot, Access::Private).connections, 10);
    assert_eq!(client.limits(Dialect::Spot, Access::Public).connections, 15);
}
