//! Dropped subscriptions, dropped clients and shutdowns.

use tokio::runtime::Handle;

use super::*;
use crate::error::ErrorKind;
use crate::testing::test_support::{CLOSE, parts, server_and_client};

#[tokio::test(start_paused = true)]
async fn dropping_a_subscription_unsubscribes_and_closes_the_unused_connection() {
    let (mut server, client) = server_and_client();
    let (mut peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    drop(tickers);
    peer.expect_unsubscribe(&["spot/ticker:BTC_USDT"]).await;
    while let Some((opcode, _)) = peer.next_frame().await.map(parts) {
        if opcode == CLOSE {
            break;
        }
        peer.push("pong").await;
    }
    assert!(peer.next_frame().await.is_none());
    let (_, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    tickers.expect("a new connection for a new subscription");
}

#[tokio::test(start_paused = true)]
async fn a_canceled_subscribe_call_unsubscribes() {
    let (mut server, client) = server_and_client();
    let mut subscribing = Box::pin(client.subscribe(ticker()));
    let mut peer = tokio::select! {
        _ = &mut subscribing => panic!("nothing was acknowledged"),
        peer = server.accept() => peer,
    };
    let command = tokio::select! {
        _ = &mut subscribing => panic!("nothing was acknowledged"),
        command = peer.next_text() => command,
    };
    assert!(command.contains("subscribe"));
    drop(subscribing);
    peer.push(r#"{"event":"subscribe","topic":"spot/ticker:BTC_USDT"}"#).await;
    assert_eq!(peer.accept_command().await.operation, "unsubscribe");
}

#[tokio::test(start_paused = true)]
async fn every_task_ends_with_the_last_handle() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (mut server, client) = server_and_client();
    let (mut peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
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
        assert!(opcode == CLOSE || opcode == crate::testing::test_support::TEXT);
    }
}

#[tokio::test(start_paused = true)]
async fn every_task_ends_while_connecting() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (mut server, client) = server_and_client();
    let subscribing = tokio::spawn(async move { client.subscribe(ticker()).await });
    let _stream = server.accept_stream().await;
    subscribing.abort();
    assert!(subscribing.await.is_err_and(|error| error.is_cancelled()));
    tasks_end(before).await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_every_subscription() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (mut server, client) = server_and_client();
    let (_peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    client.shutdown().await;
    assert_eq!(last_error(&mut tickers).await.kind(), ErrorKind::ShutDown);
    tasks_end(before).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_shutdown_future_still_ends_every_connection() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (mut server, client) = server_and_client();
    let (_peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let contract = Topic::<RawEvent>::public(Market::Futures, "futures/ticker:BTCUSDT");
    let (_other, futures) = tokio::join!(
        async {
            let mut peer = server.accept().await;
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
async fn the_spacing_of_attempts_survives_a_shutdown() {
    let (mut server, client) = server_and_client();
    let mut attempts = Vec::new();
    for _ in 0..5 {
        let (_peer, tickers) = tokio::join!(
            async {
                let peer = serve(&mut server).await;
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
