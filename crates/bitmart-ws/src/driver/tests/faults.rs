//! Misbehaving servers and networks.

use super::*;
use crate::client::Client;
use crate::driver::suspend::tests::SUSPENDED;
use crate::reason::ReconnectReason;
use crate::testing::test_support::{BINARY, CLOSE, PING, PONG, frame, parts, server_and_client};

/// A connection with the ticker subscribed.
async fn open() -> (ScriptedServer, Client, ServerConnection, Subscription<RawEvent>) {
    let (mut server, client) = server_and_client();
    let (peer, subscription) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let mut subscription = subscription.expect("subscribed");
    assert!(matches!(next(&mut subscription).await, Update::Subscribed));
    (server, client, peer, subscription)
}

#[tokio::test(start_paused = true)]
async fn a_cut_at_any_byte_of_a_frame_loses_only_that_frame_and_reconnects() {
    let (mut server, _client, mut peer, mut tickers) = open().await;
    let complete = frame(true, BINARY, &deflate(tick(7)));
    for cut in 0..complete.len() {
        peer.push(&tick(1)).await;
        peer.send_bytes(&complete[..cut]).await;
        drop(peer);
        assert_eq!(value(&mut tickers).await, 1, "the complete frame arrives");
        assert!(matches!(next(&mut tickers).await, Update::Reconnecting(_)), "cut at {cut}");
        peer = serve(&mut server).await;
        assert!(matches!(next(&mut tickers).await, Update::Resynced));
    }
    peer.send_bytes(&complete).await;
    assert_eq!(value(&mut tickers).await, 7);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_is_stale_and_then_replaced() {
    let (mut server, _client, peer, mut tickers) = open().await;
    // The peer neither reads nor writes, and its end stays open.
    assert!(matches!(next(&mut tickers).await, Update::Stale(_)));
    let lost = next(&mut tickers).await;
    assert!(matches!(lost, Update::Reconnecting(ReconnectReason::IdleTimeout { .. })), "{lost:?}");
    serve(&mut server).await;
    assert!(matches!(next(&mut tickers).await, Update::Resynced));
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn ignores_repeated_and_unexpected_acknowledgements() {
    let (_server, client, mut peer, mut tickers) = open().await;
    let again = r#"{"event":"subscribe","topic":"spot/ticker:BTC_USDT"}"#;
    peer.push(again).await;
    peer.push(r#"{"event":"unsubscribe","topic":"spot/ticker:OTHER_USDT"}"#).await;
    peer.push(&tick(1)).await;
    assert_eq!(value(&mut tickers).await, 1, "nothing but data");
    let ((), trades) = tokio::join!(
        async {
            peer.accept_command().await;
            peer.push(r#"{"event":"subscribe","topic":"spot/trade:BTC_USDT"}"#).await;
        },
        client.subscribe(trade()),
    );
    let mut trades = trades.expect("subscribed");
    peer.push(&data("spot/trade", "BTC_USDT", &[5])).await;
    assert!(matches!(next(&mut trades).await, Update::Subscribed));
    assert_eq!(value(&mut trades).await, 5);
}

#[tokio::test(start_paused = true)]
async fn resubscribes_an_unacknowledged_topic_without_affecting_others() {
    let (_server, client, mut peer, mut tickers) = open().await;
    let subscribing = tokio::spawn(async move { client.subscribe(trade()).await });
    let command = peer.next_text().await;
    assert!(command.contains("spot/trade:BTC_USDT"), "{command}");
    peer.push(&tick(1)).await;
    assert_eq!(value(&mut tickers).await, 1);
    assert_eq!(peer.accept_command().await.arguments, ["spot/trade:BTC_USDT"], "sent again");
    subscribing.await.expect("no panic").expect("subscribed");
    peer.push(&tick(2)).await;
    assert_eq!(value(&mut tickers).await, 2, "the same connection all along");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_pings_exhausts_neither_the_message_limit_nor_the_heartbeats() {
    let (_server, _client, mut peer, mut tickers) = open().await;
    let mut flood = Vec::new();
    for number in 0..1_000_u32 {
        flood.extend(frame(true, PING, &number.to_be_bytes()));
    }
    peer.send_bytes(&flood).await;
    peer.push(&tick(1)).await;
    assert_eq!(value(&mut tickers).await, 1, "data is not delayed");
    let mut pongs = 0;
    loop {
        let (opcode, payload) = peer.next_frame().await.map(parts).expect("open");
        if payload == b"ping" {
            break;
        }
        assert_eq!(opcode, PONG);
        pongs += 1;
    }
    assert!((1..100).contains(&pongs), "{pongs}");
}

#[tokio::test(start_paused = true)]
async fn reconnects_after_the_machine_was_suspended_for_hours() {
    let (mut server, _client, peer, mut tickers) = open().await;
    let (start, hours) = (tokio::time::Instant::now(), Duration::from_secs(32_400));
    // Neither tokio's clock nor its timers advance.
    SUSPENDED.set(hours);
    let Update::Reconnecting(ReconnectReason::Suspended { duration }) = next(&mut tickers).await
    else {
        panic!("expected a lost connection")
    };
    assert_eq!(duration.as_secs(), hours.as_secs());
    // Before it would have counted as stale for want of traffic.
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    drop(peer);
    serve(&mut server).await;
    assert!(matches!(next(&mut tickers).await, Update::Resynced));
}

#[tokio::test(start_paused = true)]
async fn invalid_frames_end_the_connection_and_not_the_subscription() {
    let begin = |opcode| frame(false, opcode, b"{");
    let violations = [
        // A continuation without a beginning, a message inside another, a fragmented ping, reserved
        // bits, an unknown opcode.
        frame(true, 0, b"}"),
        [begin(BINARY), begin(BINARY)].concat(),
        frame(false, PING, b""),
        vec![0xf1, 0x00],
        vec![0x83, 0x00],
        // Masked with a zero key and with others.
        vec![0x81, 0x80 | 2, 0, 0, 0, 0, b'{', b'}'],
        vec![0x82, 0x80 | 1, 1, 2, 3, 4, b'x'],
        vec![0x89, 0x80, 0, 0, 0, 0],
        vec![0x88, 0x80, 1, 2, 3, 4],
    ];
    for bytes in violations {
        let (mut server, _client, mut peer, mut tickers) = open().await;
        peer.send_bytes(&bytes).await;
        let lost = next(&mut tickers).await;
        assert!(
            matches!(lost, Update::Reconnecting(ReconnectReason::Protocol { .. })),
            "{lost:?} after {bytes:?}"
        );
        serve(&mut server).await;
        assert!(matches!(next(&mut tickers).await, Update::Resynced));
    }
}

#[tokio::test(start_paused = true)]
async fn reports_the_code_and_text_of_a_close_frame() {
    let (mut server, _client, mut peer, mut tickers) = open().await;
    peer.send_frame(CLOSE, &[&1009_u16.to_be_bytes()[..], b"too \x1blong"].concat()).await;
    let lost = next(&mut tickers).await;
    let Update::Reconnecting(reason) = lost else { panic!("{lost:?}") };
    assert_eq!(reason.to_string(), "closed by the server with code 1009: too \u{fffd}long");
    serve(&mut server).await;
}
