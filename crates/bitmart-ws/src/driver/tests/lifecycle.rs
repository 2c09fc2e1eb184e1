//! Beginnings, ends and what happens in between.

use std::time::Duration;

use bitmart_types::Service;

use super::*;
use crate::client::Client;
use crate::error::ErrorKind;
use crate::reason::ReconnectReason;
use crate::testing::ClientCommand;
use crate::testing::own::{CLOSE, venue, venue_with};

#[tokio::test(start_paused = true)]
async fn a_closed_connection_is_replaced_replayed_and_resynced() {
    let (mut venue, client) = venue();
    let (mut peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    assert!(matches!(next(&mut tickers).await, Update::Subscribed));
    peer.push(&tick(1)).await;
    peer.send_frame(true, CLOSE, &1001_u16.to_be_bytes()).await;
    let mut second = venue.accept().await;
    let ClientCommand { operation, arguments: topics, .. } = second.accept_command().await;
    assert_eq!(
        (operation.as_str(), &topics[..]),
        ("subscribe", &["spot/ticker:BTC_USDT".to_owned()][..])
    );
    second.push(&tick(2)).await;
    assert_eq!(value(&mut tickers).await, 1);
    let reason = ReconnectReason::Closed { code: Some(1001), text: None };
    assert!(matches!(next(&mut tickers).await, Update::Reconnecting(why) if why == reason));
    assert!(matches!(next(&mut tickers).await, Update::Resynced));
    assert_eq!(value(&mut tickers).await, 2);
}

#[tokio::test(start_paused = true)]
async fn data_before_the_acknowledgement_comes_after_the_word_that_the_topic_is_back() {
    let (mut venue, client) = venue();
    let serve_data_first = async |venue: &mut ScriptedServer, number| {
        let mut peer = venue.accept().await;
        peer.next_text().await;
        peer.push(&tick(number)).await;
        peer.push(r#"{"event":"subscribe","topic":"spot/ticker:BTC_USDT"}"#).await;
        peer.push(&tick(number + 1)).await;
        peer
    };
    let (peer, tickers) = tokio::join!(serve_data_first(&mut venue, 1), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    assert!(matches!(next(&mut tickers).await, Update::Subscribed));
    assert_eq!((value(&mut tickers).await, value(&mut tickers).await), (1, 2));
    drop(peer);
    let _peer = serve_data_first(&mut venue, 3).await;
    assert!(matches!(next(&mut tickers).await, Update::Reconnecting(_)));
    assert!(matches!(next(&mut tickers).await, Update::Resynced));
    assert_eq!((value(&mut tickers).await, value(&mut tickers).await), (3, 4));
}

#[tokio::test(start_paused = true)]
async fn a_cut_connection_is_replaced_as_well() {
    let (mut venue, client) = venue();
    let (peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    next(&mut tickers).await;
    drop(peer);
    serve(&mut venue).await;
    assert!(matches!(next(&mut tickers).await, Update::Reconnecting(_)));
    assert!(matches!(next(&mut tickers).await, Update::Resynced));
}

#[tokio::test(start_paused = true)]
async fn a_loss_that_is_read_late_is_stamped_when_it_happened() {
    let (mut venue, client) = venue();
    let (mut peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
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
    let _second = serve(&mut venue).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(matches!(next(&mut tickers).await, Update::Reconnecting(_)));
    let stamp = tickers.last_received().expect("the connection was heard");
    assert!(begin <= stamp && stamp <= cut, "{:?} before the cut", cut - stamp);
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_given_up() {
    let (mut venue, client) = venue();
    let (_peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    next(&mut tickers).await;
    let begin = tokio::time::Instant::now();
    assert!(matches!(next(&mut tickers).await, Update::Stale(since) if since <= begin.into_std()));
    assert_eq!(begin.elapsed().as_secs(), 15);
    let update = next(&mut tickers).await;
    assert!(matches!(update, Update::Reconnecting(ReconnectReason::Silent { .. })), "{update:?}");
    assert_eq!(begin.elapsed().as_secs(), 20);
    serve(&mut venue).await;
    assert!(matches!(next(&mut tickers).await, Update::Resynced));
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_a_quiet_connection_for_hours() {
    let (mut venue, client) = venue();
    let (mut peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
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
async fn a_refused_topic_is_an_error_with_the_venues_words() {
    let (mut venue, client) = venue();
    let (_, result) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
            peer.next_text().await;
            peer.push(r#"{"event":"subscribe","errorCode":"90004","errorMessage":"Invalid channel param"}"#).await;
            peer
        },
        client.subscribe(ticker()),
    );
    let error = result.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.rejection().and_then(|rejection| rejection.code), Some(90_004));
    assert!(error.to_string().contains("Invalid channel param"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_topic_refused_on_the_replay_ends_its_subscription_alone() {
    let (mut venue, client) = venue();
    let (peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    drop(peer);
    let mut second = venue.accept().await;
    second.next_text().await;
    second
        .push(r#"{"event":"subscribe","errorCode":"92001","errorMessage":"Invalid symbol param"}"#)
        .await;
    assert_eq!(last_error(&mut tickers).await.kind(), ErrorKind::Rejected);
    let (_, trades) = tokio::join!(second.accept_command(), client.subscribe(trade()));
    trades.expect("the connection lives");
}

#[tokio::test(start_paused = true)]
async fn a_missing_service_is_an_error_that_says_so() {
    let environment = ScriptedServer::environment().with(Service::FuturesWsPrivate, "");
    let (_venue, client) = venue_with(64, |builder| with_account(builder).environment(environment));
    let topic = Topic::<RawEvent>::private(Dialect::Futures, "futures/order");
    let error = client.subscribe(topic).await.expect_err("no such address");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_of_market_data_lags_and_counts() {
    let (mut venue, client) = venue_with(1 << 22, |builder| builder.queue_capacity(8));
    let (mut peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    let mut tickers = tickers.expect("subscribed");
    next(&mut tickers).await;
    for number in 0..1_000 {
        peer.push(&tick(number)).await;
    }
    // The driver has seen everything once it answers this.
    peer.send_frame(true, crate::testing::own::PING, b"").await;
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
async fn a_slow_reader_of_private_data_is_told_to_reconcile() {
    let (mut venue, client) =
        venue_with(1 << 22, |builder| with_account(builder).queue_capacity(8));
    let (mut peer, subscription) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
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
    assert_eq!(peer.accept_command().await.operation, "unsubscribe", "the topic is freed");
    assert!(matches!(next(&mut subscription).await, Update::Subscribed));
    for expected in 0..7 {
        assert_eq!(value(&mut subscription).await, expected, "what was queued is still there");
    }
    let error = last_error(&mut subscription).await;
    assert_eq!(error.kind(), ErrorKind::Overflow);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_hangs_up_meets_no_storm() {
    let (mut venue, client) =
        venue_with(1 << 16, |builder| builder.subscribe_within(Duration::from_secs(60)));
    let mut attempts = 0;
    let hang_up = async {
        loop {
            drop(venue.accept().await);
            attempts += 1;
        }
    };
    let error = tokio::select! {
        result = client.subscribe(ticker()) => result.expect_err("nobody answers"),
        () = hang_up => unreachable!("the attempts go on"),
    };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!((3..=30).contains(&attempts), "{attempts} attempts in a minute");
}

#[test]
fn nothing_secret_shows_in_debug() {
    let builder = with_account(Client::builder());
    let shown = format!("{builder:?}");
    let shown = format!("{shown} {:?}", builder.build().expect("a client"));
    assert!(!shown.contains("canary"), "{shown}");
}
