//! Connections: how they begin, end and are replaced.

use std::time::Duration;

use bitmart_types::Service;

use super::*;
use crate::client::Client;
use crate::error::ErrorKind;
use crate::reason::ReconnectReason;
use crate::testing::ClientCommand;
use crate::testing::test_support::{CLOSE, server_and_client, server_and_client_with};

#[tokio::test(start_paused = true)]
async fn reconnects_and_resubscribes_after_a_close_frame() {
    let (mut server, client) = server_and_client();
    let (mut peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    assert!(matches!(next(&mut tickers).await, Update::Subscribed));
    peer.push(&tick(1)).await;
    peer.send_frame(CLOSE, &1001_u16.to_be_bytes()).await;
    let mut second = server.accept().await;
    let ClientCommand { operation, arguments: topics, .. } = second.accept_command().await;
    assert_eq!(
        (operation.as_str(), &topics[..]),
        ("subscribe", &["spot/ticker:BTC_USDT".to_owned()][..])
    );
    second.push(&tick(2)).await;
    assert_eq!(value(&mut tickers).await, 1);
    let reason = ReconnectReason::Closed { code: Some(1001), text: None };
    assert!(matches!(next(&mut tickers).await, Update::Reconnecting(other) if other == reason));
    assert!(matches!(next(&mut tickers).await, Update::Resynced));
    assert_eq!(value(&mut tickers).await, 2);
}

#[tokio::test(start_paused = true)]
async fn delivers_data_that_precedes_the_acknowledgement_after_subscribed_and_resynced() {
    let (mut server, client) = server_and_client();
    let serve_data_first = async |server: &mut ScriptedServer, number| {
        let mut peer = server.accept().await;
        peer.next_text().await;
        peer.push(&tick(number)).await;
        peer.push(r#"{"event":"subscribe","topic":"spot/ticker:BTC_USDT"}"#).await;
        peer.push(&tick(number + 1)).await;
        peer
    };
    let (peer, tickers) =
        tokio::join!(serve_data_first(&mut server, 1), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    assert!(matches!(next(&mut tickers).await, Update::Subscribed));
    assert_eq!((value(&mut tickers).await, value(&mut tickers).await), (1, 2));
    drop(peer);
    let _peer = serve_data_first(&mut server, 3).await;
    assert!(matches!(next(&mut tickers).await, Update::Reconnecting(_)));
    assert!(matches!(next(&mut tickers).await, Update::Resynced));
    assert_eq!((value(&mut tickers).await, value(&mut tickers).await), (3, 4));
}

#[tokio::test(start_paused = true)]
async fn reconnects_after_a_cut_connection() {
    let (mut server, client) = server_and_client();
    let (peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    next(&mut tickers).await;
    drop(peer);
    serve(&mut server).await;
    assert!(matches!(next(&mut tickers).await, Update::Reconnecting(_)));
    assert!(matches!(next(&mut tickers).await, Update::Resynced));
}

#[tokio::test(start_paused = true)]
async fn the_watermark_of_a_loss_does_not_depend_on_when_it_is_read() {
    let (mut server, client) = server_and_client();
    let (mut peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    next(&mut tickers).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let begin = tokio::time::Instant::now().into_std();
    for number in 1..3 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        peer.push(&tick(number)).await;
        assert_eq!(value(&mut tickers).await, number);
    }
    let cut = tokio::time::Instant::now().into_std();
    drop(peer);
    let _second = serve(&mut server).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(matches!(next(&mut tickers).await, Update::Reconnecting(_)));
    let watermark = tickers.delivered_until().expect("a watermark");
    assert!(begin <= watermark && watermark <= cut, "{:?} before the cut", cut - watermark);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_becomes_stale_and_then_reconnects() {
    let (mut server, client) = server_and_client();
    let (_peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    next(&mut tickers).await;
    let begin = tokio::time::Instant::now();
    assert!(matches!(next(&mut tickers).await, Update::Stale(since) if since <= begin.into_std()));
    assert_eq!(begin.elapsed().as_secs(), 15);
    let update = next(&mut tickers).await;
    assert!(
        matches!(update, Update::Reconnecting(ReconnectReason::IdleTimeout { .. })),
        "{update:?}"
    );
    assert_eq!(begin.elapsed().as_secs(), 20);
    serve(&mut server).await;
    assert!(matches!(next(&mut tickers).await, Update::Resynced));
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_an_idle_connection_open_for_hours() {
    let (mut server, client) = server_and_client();
    let (mut peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    next(&mut tickers).await;
    let begin = tokio::time::Instant::now();
    for _ in 0..720 {
        assert_eq!(peer.next_frame().await.expect("open").payload, b"ping");
        peer.push("pong").await;
    }
    assert_eq!(begin.elapsed().as_secs(), 7_200);
    peer.push(&tick(1)).await;
    assert_eq!(value(&mut tickers).await, 1, "no other update in between");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_topic_is_an_error_with_the_text_of_the_exchange() {
    let (mut server, client) = server_and_client();
    let (_, result) = tokio::join!(
        async {
            let mut peer = server.accept().await;
            peer.next_text().await;
            peer.push(r#"{"event":"subscribe","errorCode":"90004","errorMessage":"Invalid channel param"}"#).await;
            peer
        },
        client.subscribe(ticker()),
    );
    let error = result.expect_err("rejected");
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.rejection().and_then(|rejection| rejection.code), Some(90_004));
    assert!(error.to_string().contains("Invalid channel param"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_topic_rejected_after_a_reconnection_ends_only_its_subscription() {
    let (mut server, client) = server_and_client();
    let (peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    drop(peer);
    let mut second = server.accept().await;
    second.next_text().await;
    second
        .push(r#"{"event":"subscribe","errorCode":"92001","errorMessage":"Invalid symbol param"}"#)
        .await;
    assert_eq!(last_error(&mut tickers).await.kind(), ErrorKind::Rejected);
    let (_, trades) = tokio::join!(second.accept_command(), client.subscribe(trade()));
    trades.expect("the connection continues");
}

#[tokio::test(start_paused = true)]
async fn subscribing_to_a_service_without_an_address_is_a_config_error() {
    let environment = ScriptedServer::environment().with(Service::FuturesWsPrivate, "");
    let (_server, client) =
        server_and_client_with(64, |builder| with_account(builder).environment(environment));
    let topic = Topic::<RawEvent>::private(Market::Futures, "futures/order");
    let error = client.subscribe(topic).await.expect_err("no such address");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_of_market_data_lags_and_every_event_is_counted() {
    let (mut server, client) = server_and_client_with(1 << 22, |builder| builder.queue_capacity(8));
    let (mut peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    next(&mut tickers).await;
    for number in 0..1_000 {
        peer.push(&tick(number)).await;
    }
    // The driver has read everything once it answers this ping.
    peer.send_frame(crate::testing::test_support::PING, b"").await;
    peer.next_frame().await;
    let (mut seen, mut lagged) = (0, 0);
    loop {
        match next(&mut tickers).await {
            Update::Lagged(missed) => lagged += missed,
            Update::Data(event) => {
                seen += 1;
                if value_of(&event) == 999 {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(lagged > 0 && seen + lagged == 1_000, "{seen} seen, {lagged} missed");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_of_private_data_gets_an_overflow_error() {
    let (mut server, client) =
        server_and_client_with(1 << 22, |builder| with_account(builder).queue_capacity(8));
    let (mut peer, subscription) = tokio::join!(
        async {
            let mut peer = server.accept().await;
            peer.next_text().await;
            peer.push(r#"{"event":"login"}"#).await;
            peer.accept_command().await;
            peer
        },
        client.subscribe(orders()),
    );
    let mut subscription = subscription.expect("subscribed");
    for number in 0..100 {
        peer.push(&data("spot/user/order", "BTC_USDT", &[number])).await;
    }
    assert_eq!(peer.accept_command().await.operation, "unsubscribe", "the topic is unsubscribed");
    assert!(matches!(next(&mut subscription).await, Update::Subscribed));
    for expected in 0..7 {
        assert_eq!(value(&mut subscription).await, expected, "what was queued is still there");
    }
    let error = last_error(&mut subscription).await;
    assert_eq!(error.kind(), ErrorKind::Overflow);
}

#[tokio::test(start_paused = true)]
async fn backs_off_from_a_server_that_accepts_and_disconnects() {
    let (mut server, client) = server_and_client_with(1 << 16, |builder| {
        builder.subscribe_timeout(Duration::from_secs(60))
    });
    let mut attempts = 0;
    let disconnecting = async {
        loop {
            drop(server.accept().await);
            attempts += 1;
        }
    };
    let error = tokio::select! {
        result = client.subscribe(ticker()) => result.expect_err("never acknowledged"),
        () = disconnecting => unreachable!("the attempts continue"),
    };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!((3..=30).contains(&attempts), "{attempts} attempts in a minute");
}

#[test]
fn debug_output_contains_no_credentials() {
    let builder = with_account(Client::builder());
    let shown = format!("{builder:?}");
    let shown = format!("{shown} {:?}", builder.build().expect("a client"));
    assert!(!shown.contains("canary"), "{shown}");
}
