//! Dropped subscriptions, dropped clients and shutdowns.

use tokio::runtime::Handle;

use super::*;
use crate::error::ErrorKind;
use crate::testing::own::{CLOSE, parts, venue};

#[tokio::test(start_paused = true)]
async fn a_dropped_subscription_is_unsubscribed_and_the_connection_closed_after_a_while() {
    let (mut venue, client) = venue();
    let (mut peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    drop(tickers);
    peer.expect_unsubscribe(&["spot/ticker:BTC_USDT"]).await;
    while let Some((opcode, _)) = peer.next_frame().await.map(parts) {
        if opcode == CLOSE {
            break;
        }
        peer.push("pong").await;
    }
    assert!(peer.next_frame().await.is_none());
    let (_, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    tickers.expect("a new connection for a new topic");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_subscription_leaves_nothing_behind() {
    let (mut venue, client) = venue();
    let mut waiting = Box::pin(client.subscribe(ticker()));
    let mut peer = tokio::select! {
        _ = &mut waiting => panic!("nothing was acknowledged"),
        peer = venue.accept() => peer,
    };
    let command = tokio::select! {
        _ = &mut waiting => panic!("nothing was acknowledged"),
        command = peer.next_text() => command,
    };
    assert!(command.contains("subscribe"));
    drop(waiting);
    peer.push(r#"{"event":"subscribe","topic":"spot/ticker:BTC_USDT"}"#).await;
    assert_eq!(peer.accept_command().await.operation, "unsubscribe");
}

#[tokio::test(start_paused = true)]
async fn every_task_ends_with_the_last_handle() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (mut venue, client) = venue();
    let (mut peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    assert_eq!(
        Handle::current().metrics().num_alive_tasks(),
        before + 1,
        "one task per connection"
    );
    drop(client);
    peer.push(&tick(1)).await;
    next(&mut tickers).await;
    assert_eq!(value(&mut tickers).await, 1, "a subscription outlives the client");
    drop(tickers);
    tasks_end(before).await;
    while let Some((opcode, _)) = peer.next_frame().await.map(parts) {
        assert!(opcode == CLOSE || opcode == crate::testing::own::TEXT);
    }
}

#[tokio::test(start_paused = true)]
async fn every_task_ends_while_connecting_too() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (mut venue, client) = venue();
    let waiting = tokio::spawn(async move { client.subscribe(ticker()).await });
    let _stream = venue.accept_stream().await;
    waiting.abort();
    assert!(waiting.await.is_err_and(|error| error.is_cancelled()));
    tasks_end(before).await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_every_subscription() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (mut venue, client) = venue();
    let (_peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    client.shutdown().await;
    assert_eq!(last_error(&mut tickers).await.kind(), ErrorKind::ShutDown);
    tasks_end(before).await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_nobody_waits_for_ends_every_connection_all_the_same() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (mut venue, client) = venue();
    let (_peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    let contract = Topic::<RawEvent>::public(Dialect::Futures, "futures/ticker:BTCUSDT");
    let (_other, futures) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
            peer.next_text().await;
            peer.push(r#"{"action":"subscribe","group":"futures/ticker:BTCUSDT","success":true}"#)
                .await;
            peer
        },
        client.subscribe(contract),
    );
    let (mut tickers, mut futures) = (tickers.expect("subscribed"), futures.expect("subscribed"));
    tokio::select! {
        biased;
        () = client.shutdown() => panic!("two connections do not close in one poll"),
        () = std::future::ready(()) => {}
    }
    for subscription in [&mut tickers, &mut futures] {
        assert_eq!(last_error(subscription).await.kind(), ErrorKind::ShutDown);
    }
    tasks_end(before).await;
}

#[tokio::test(start_paused = true)]
async fn connections_keep_their_distance_across_a_shutdown() {
    let (mut venue, client) = venue();
    let mut attempts = Vec::new();
    for _ in 0..5 {
        let (_peer, tickers) = tokio::join!(
            async {
                let peer = serve(&mut venue).await;
                attempts.push(tokio::time::Instant::now());
                peer
            },
            client.subscribe(ticker())
        );
        tickers.expect("subscribed");
        client.shutdown().await;
    }
    let distances: Vec<_> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(distances.iter().all(|distance| distance.as_secs() >= 2), "{distances:?}");
}
