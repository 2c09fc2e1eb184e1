//! Frames of one connection, valid and invalid.

use std::time::Duration;

use super::*;
use crate::client::Client;
use crate::dialect::Limits;
use crate::event::DecodeErrorKind;
use crate::reason::ReconnectReason;
use crate::testing::test_support::{
    BINARY, PING, PONG, TEXT, frame, parts, server_and_client, server_and_client_with,
};
use crate::testing::{ScriptedServer, ServerConnection};
use crate::topic;

/// Opens a connection with the ticker subscribed.
async fn open() -> (ScriptedServer, Client, ServerConnection, Subscription<RawEvent>) {
    let (mut server, client) = server_and_client();
    let (peer, subscription) = tokio::join!(
        async {
            let mut peer = server.accept().await;
            peer.accept_command().await;
            peer
        },
        client.subscribe(ticker()),
    );
    let mut subscription = subscription.expect("subscribed");
    assert!(matches!(next(&mut subscription).await, Update::Subscribed));
    (server, client, peer, subscription)
}

async fn violation(subscription: &mut Subscription<RawEvent>) -> String {
    match next(subscription).await {
        Update::Reconnecting(ReconnectReason::Protocol { detail }) => detail,
        other => panic!("{other:?} instead of a violation"),
    }
}

#[tokio::test(start_paused = true)]
async fn delivers_every_entry_of_compressed_and_plain_frames() {
    let (_server, _client, mut peer, mut tickers) = open().await;
    peer.push(&tick(1)).await;
    peer.send_frame(BINARY, &deflate(data("spot/ticker", "BTC_USDT", &[2, 3]))).await;
    peer.push(&data("spot/ticker:BTC_USDT", "BTC_USDT", &[4])).await;
    for expected in 1..=4 {
        assert_eq!(value(&mut tickers).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_partly_read_frame_survives_timers_and_commands() {
    let (_server, client, mut peer, mut tickers) = open().await;
    let text = tick(7);
    let complete = frame(true, BINARY, &deflate(&text));
    for split in 1..complete.len() {
        peer.send_bytes(&complete[..split]).await;
        if split % 2 == 0 {
            // A heartbeat is sent in the middle of the read.
            tokio::time::advance(Duration::from_secs(10)).await;
            assert_eq!(peer.next_frame().await.map(parts).expect("open"), (TEXT, b"ping".to_vec()));
        } else {
            // So is a command; its acknowledgement follows the complete frame.
            let trades = tokio::spawn({
                let client = client.clone();
                async move { client.subscribe(trade()).await }
            });
            assert!(peer.next_text().await.contains("subscribe"));
            peer.send_bytes(&complete[split..]).await;
            peer.push(r#"{"event":"subscribe","topic":"spot/trade:BTC_USDT"}"#).await;
            drop(with_timeout(trades).await.expect("no panic").expect("subscribed"));
            let operation = peer.accept_command().await.operation;
            assert_eq!((operation.as_str(), value(&mut tickers).await), ("unsubscribe", 7));
            continue;
        }
        peer.send_bytes(&complete[split..]).await;
        assert_eq!(value(&mut tickers).await, 7, "split at {split}");
    }
}

#[tokio::test(start_paused = true)]
async fn assembles_fragmented_messages() {
    let (_server, _client, mut peer, mut tickers) = open().await;
    let text = tick(5);
    let (front, back) = text.as_bytes().split_at(9);
    peer.send_fragment(TEXT, front).await;
    peer.send_frame(PING, b"between").await;
    peer.send_frame(0, back).await;
    assert_eq!(value(&mut tickers).await, 5);
    assert_eq!(peer.next_frame().await.map(parts).expect("open"), (PONG, b"between".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn fragments_beyond_the_maximum_size_end_the_connection() {
    let (mut server, _client, mut peer, mut tickers) = open().await;
    peer.send_fragment(TEXT, &vec![b' '; 600_000]).await;
    peer.send_fragment(0, &vec![b' '; 600_000]).await;
    assert!(violation(&mut tickers).await.contains("1 MiB"));
    server.accept().await;
}

#[tokio::test(start_paused = true)]
async fn an_oversized_frame_ends_the_connection_at_its_header() {
    let (mut server, _client, mut peer, mut tickers) = open().await;
    let header = [&[0x82, 127][..], &10_000_000_u64.to_be_bytes()].concat();
    peer.send_bytes(&header).await;
    assert!(violation(&mut tickers).await.contains("too large"));
    server.accept().await;
}

#[tokio::test(start_paused = true)]
async fn reports_unreadable_frames_and_ends_the_connection_after_many_in_a_row() {
    let most = Limits::for_endpoint(Market::Spot, Access::Public).max_unreadable_frames;
    let bomb = deflate(" ".repeat(64 << 20));
    assert!(bomb.len() < 1 << 20);
    let cut = deflate(tick(1));
    let frames = [
        (BINARY, &b"\xff\xff\xff garbage"[..], DecodeErrorKind::Encoding),
        (BINARY, &bomb, DecodeErrorKind::Encoding),
        (BINARY, &cut[..cut.len() / 2], DecodeErrorKind::Truncated),
        (TEXT, b"<html>not JSON</html>", DecodeErrorKind::Syntax),
        (TEXT, br#"{"table":"spot/ticker","data":[,]}"#, DecodeErrorKind::Syntax),
        // Data whose channel is hidden by escapes, or missing.
        (TEXT, br#"{"table":"spot\/ticker","data":[{}]}"#, DecodeErrorKind::Shape),
        (TEXT, br#"{"data":[{}],"tab\u006ce":"spot/ticker"}"#, DecodeErrorKind::Shape),
    ];
    for (opcode, payload, kind) in frames {
        let (mut server, _client, mut peer, mut tickers) = open().await;
        let expect_errors =
            async |peer: &mut ServerConnection, tickers: &mut Subscription<RawEvent>, count| {
                for _ in 0..count {
                    peer.send_frame(opcode, payload).await;
                    let update = next(tickers).await;
                    let Update::Malformed(error) = update else { panic!("{update:?}") };
                    assert_eq!((error.kind(), error.entry()), (kind, None));
                    assert_eq!(error.raw_length(), payload.len());
                    assert!(payload.starts_with(error.raw()) && !error.raw().is_empty());
                }
            };
        expect_errors(&mut peer, &mut tickers, most - 1).await;
        peer.push(&tick(2)).await;
        assert_eq!(value(&mut tickers).await, 2, "the connection continues and counts anew");
        expect_errors(&mut peer, &mut tickers, most).await;
        assert!(violation(&mut tickers).await.contains("in a row"));
        server.accept().await;
    }
}

#[tokio::test(start_paused = true)]
async fn reports_text_that_is_not_utf8_and_reads_the_frames_after_it() {
    let most = Limits::for_endpoint(Market::Spot, Access::Public).max_unreadable_frames;
    let (mut server, _client, mut peer, mut tickers) = open().await;
    for count in [most - 1, most] {
        for _ in 0..count {
            let payload = b"{\"table\":\"\xff\"}";
            peer.send_frame(TEXT, payload).await;
            let update = next(&mut tickers).await;
            let Update::Malformed(error) = update else { panic!("{update:?}") };
            assert_eq!((error.kind(), error.raw()), (DecodeErrorKind::Encoding, &payload[..]));
        }
        if count < most {
            peer.push(&tick(2)).await;
            assert_eq!(value(&mut tickers).await, 2, "the connection continues and counts anew");
        }
    }
    assert!(violation(&mut tickers).await.contains("in a row"));
    server.accept().await;
}

#[tokio::test(start_paused = true)]
async fn reports_trailing_bytes_and_delivers_the_frame_before_them() {
    let (_server, _client, mut peer, mut tickers) = open().await;
    for _ in 0..9 {
        peer.send_frame(BINARY, &[&deflate(tick(3))[..], b"more"].concat()).await;
        assert_eq!(value(&mut tickers).await, 3);
        let update = next(&mut tickers).await;
        let Update::Malformed(error) = update else { panic!("{update:?}") };
        assert_eq!((error.kind(), error.raw()), (DecodeErrorKind::Trailing, &b"more"[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_malformed_entry_is_reported_in_order_to_the_subscriptions_of_its_symbol() {
    let (mut server, client) = server_and_client();
    let (peer, bitcoin, ether) = tokio::join!(
        async {
            let mut peer = server.accept().await;
            peer.accept_command().await;
            peer
        },
        client.subscribe(topic::spot::trades("BTC_USDT")),
        client.subscribe(topic::spot::trades("ETH_USDT")),
    );
    let (mut peer, mut bitcoin) = (peer, bitcoin.expect("subscribed"));
    let mut ether = ether.expect("subscribed");
    let entry = |symbol: &str, price| {
        format!(r#"{{"symbol":"{symbol}","price":"{price}","side":"buy","size":"1"}}"#)
    };
    let entries =
        [entry("BTC_USDT", "1"), entry("BTC_USDT", "?"), entry("ETH_USDT", "2"), "{}".to_owned()]
            .join(",");
    peer.push(&format!(
        r#"{{"table":"spot/trade","data":[{entries},{}]}}"#,
        entry("btc_usdt", "3")
    ))
    .await;
    let mut received = Vec::new();
    for subscription in [&mut bitcoin, &mut ether] {
        assert!(matches!(with_timeout(subscription.next()).await, Some(Ok(Update::Subscribed))));
        let count = if received.is_empty() { 4 } else { 2 };
        for _ in 0..count {
            received.push(
                match with_timeout(subscription.next()).await.expect("an update").expect("no error")
                {
                    Update::Data(trade) => trade.price.to_string(),
                    Update::Malformed(error) => format!("error {:?}", error.entry()),
                    other => panic!("{other:?}"),
                },
            );
        }
    }
    let bitcoin = ["1", "error Some(1)", "error Some(3)", "3"];
    assert_eq!(
        received[..4],
        bitcoin,
        "its own symbol in upper or lower case, and entries without a symbol"
    );
    assert_eq!(received[4..], ["2", "error Some(3)"]);
}

#[tokio::test(start_paused = true)]
async fn a_malformed_frame_does_not_end_the_subscription() {
    let (_server, _client, mut peer, mut tickers) = open().await;
    peer.push(r#"{"data":[{"symbol":"BTC_USDT","v":1},,,],"table":"spot/ticker"}"#).await;
    peer.push(&tick(2)).await;
    loop {
        if let Update::Malformed(error) = next(&mut tickers).await {
            assert!(!error.to_string().contains("\"v\""), "no payload in errors: {error}");
            break;
        }
    }
    assert_eq!(value(&mut tickers).await, 2);
}

#[tokio::test(start_paused = true)]
async fn answers_a_ping_with_its_payload() {
    let (_server, _client, mut peer, _tickers) = open().await;
    peer.send_frame(PING, b"are you there").await;
    assert_eq!(
        peer.next_frame().await.map(parts).expect("open"),
        (PONG, b"are you there".to_vec())
    );
}

#[tokio::test(start_paused = true)]
async fn reconnects_when_the_peer_does_not_read() {
    let (mut server, client) = server_and_client_with(512, |builder| builder);
    let (mut peer, tickers) = tokio::join!(
        async {
            let mut peer = server.accept().await;
            peer.accept_command().await;
            peer
        },
        client.subscribe(ticker()),
    );
    let mut tickers = tickers.expect("subscribed");
    next(&mut tickers).await;
    // The client's pongs fill the stream, because the peer does not read them.
    for _ in 0..8 {
        peer.send_frame(PING, &[0; 125]).await;
    }
    let Update::Reconnecting(ReconnectReason::Lost { detail }) = next(&mut tickers).await else {
        panic!("the connection continues");
    };
    assert!(detail.contains("write"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn delivers_events_by_symbol_to_all_subscriptions_of_a_topic() {
    let (_server, client, mut peer, mut bitcoin) = open().await;
    let (_, ether, again) = tokio::join!(
        peer.accept_command(),
        client.subscribe(spot("spot/ticker:ETH_USDT")),
        client.subscribe(ticker()),
    );
    let (mut ether, mut again) =
        (ether.expect("subscribed"), again.expect("subscribed without a frame"));
    assert!(matches!(next(&mut ether).await, Update::Subscribed));
    assert!(matches!(next(&mut again).await, Update::Subscribed));
    peer.push(&data("spot/ticker", "ETH_USDT", &[1])).await;
    peer.push(&data("spot/ticker", "BTC_USDT", &[2])).await;
    peer.push(&data("spot/ticker", "SOL_USDT", &[3])).await;
    assert_eq!(value(&mut ether).await, 1);
    assert_eq!(value(&mut bitcoin).await, 2);
    assert_eq!(value(&mut again).await, 2);
    drop(again);
    peer.push(&data("spot/ticker", "BTC_USDT", &[4])).await;
    assert_eq!(value(&mut bitcoin).await, 4, "the other subscription keeps the topic");
}

#[tokio::test(start_paused = true)]
async fn routes_a_futures_group_with_another_suffix() {
    let (mut server, client) = server_and_client();
    let topic = Topic::<RawEvent>::public(Market::Futures, "futures/depthIncrease20:BTCUSDT");
    let (peer, depth) = tokio::join!(
        async {
            let mut peer = server.accept().await;
            peer.next_text().await;
            peer.push(r#"{"action":"subscribe","group":"futures/depthIncrease20:BTCUSDT","success":true}"#).await;
            peer
        },
        client.subscribe(topic),
    );
    let (mut peer, mut depth) = (peer, depth.expect("subscribed"));
    next(&mut depth).await;
    peer.push(
        r#"{"data":{"symbol":"BTCUSDT","v":1},"group":"futures/depthIncrease20:BTCUSDT@100ms"}"#,
    )
    .await;
    assert_eq!(value(&mut depth).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_variant_of_a_topic_gets_its_own_connection_until_the_other_is_unsubscribed() {
    let futures = |name| Topic::<RawEvent>::public(Market::Futures, name);
    let (slow, fast) = ("futures/depthIncrease20:BTCUSDT", "futures/depthIncrease20:BTCUSDT@100ms");
    let acknowledgement =
        |action, topic| format!(r#"{{"action":"{action}","group":"{topic}","success":true}}"#);
    let (mut server, client) = server_and_client();
    let (mut peer, depth) = tokio::join!(
        async {
            let mut peer = server.accept().await;
            peer.next_text().await;
            peer.push(&acknowledgement("subscribe", slow)).await;
            peer
        },
        client.subscribe(futures(slow)),
    );
    let depth = depth.expect("subscribed");
    let (other, second) = tokio::join!(
        async {
            let mut peer = server.accept().await;
            assert!(peer.next_text().await.contains(fast));
            peer.push(&acknowledgement("subscribe", fast)).await;
            peer
        },
        client.subscribe(futures(fast)),
    );
    drop((depth, second.expect("subscribed"), other));
    let ((), depth) = tokio::join!(
        async {
            assert!(peer.next_text().await.contains("unsubscribe"));
            peer.push(&format!(r#"{{"group":"{fast}","data":{{"symbol":"BTCUSDT","v":1}}}}"#))
                .await;
            peer.push(&acknowledgement("unsubscribe", slow)).await;
            assert!(peer.next_text().await.contains(fast));
            peer.push(&acknowledgement("subscribe", fast)).await;
            peer.push(&format!(r#"{{"group":"{fast}","data":{{"symbol":"BTCUSDT","v":2}}}}"#))
                .await;
        },
        client.subscribe(futures(fast)),
    );
    let mut depth = depth.expect("subscribed");
    assert!(matches!(next(&mut depth).await, Update::Subscribed));
    assert_eq!(value(&mut depth).await, 2, "no data of the other variant");
}

#[tokio::test(start_paused = true)]
async fn requests_snapshots_only_for_topics_that_have_them() {
    let (mut server, client) = server_and_client();
    let book = spot("spot/depth/increase100:BTC_USDT");
    let (mut peer, books) = tokio::join!(
        async {
            let mut peer = server.accept().await;
            peer.accept_command().await;
            peer
        },
        client.subscribe(book.clone()),
    );
    let books = books.expect("subscribed");
    client.request_snapshot(&book).await.expect("sent");
    assert_eq!(
        peer.next_text().await,
        r#"{"op":"request","args":["spot/depth/increase100:BTC_USDT"]}"#
    );
    books.request_snapshot().await.expect("sent");
    assert!(peer.next_text().await.contains("request"));
    let error = client.request_snapshot(&ticker()).await.expect_err("no snapshots");
    assert_eq!(error.kind(), crate::ErrorKind::Unsupported);
}
