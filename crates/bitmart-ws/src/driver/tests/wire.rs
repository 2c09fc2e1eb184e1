//! What goes over one connection, well-formed or not.

use std::time::Duration;

use super::*;
use crate::client::Client;
use crate::dialect::Limits;
use crate::event::DecodeErrorKind;
use crate::reason::ReconnectReason;
use crate::testing::own::{BINARY, PING, PONG, TEXT, frame, parts, venue, venue_with};
use crate::testing::{ScriptedServer, ServerConnection};
use crate::topic;

/// A connection with the ticker subscribed.
async fn open() -> (ScriptedServer, Client, ServerConnection, Subscription<RawEvent>) {
    let (mut venue, client) = venue();
    let (peer, subscription) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
            peer.accept_command().await;
            peer
        },
        client.subscribe(ticker()),
    );
    let mut subscription = subscription.expect("subscribed");
    assert!(matches!(next(&mut subscription).await, Update::Subscribed));
    (venue, client, peer, subscription)
}

async fn violation(subscription: &mut Subscription<RawEvent>) -> String {
    match next(subscription).await {
        Update::Reconnecting(ReconnectReason::Protocol { detail }) => detail,
        other => panic!("{other:?} instead of a violation"),
    }
}

#[tokio::test(start_paused = true)]
async fn data_arrives_compressed_and_plain_with_every_entry() {
    let (_venue, _client, mut peer, mut tickers) = open().await;
    peer.push(&tick(1)).await;
    peer.send_frame(true, BINARY, &deflate(&data("spot/ticker", "BTC_USDT", &[2, 3]))).await;
    peer.push(&data("spot/ticker:BTC_USDT", "BTC_USDT", &[4])).await;
    for expected in 1..=4 {
        assert_eq!(value(&mut tickers).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_arrives_in_pieces_survives_timers_and_commands() {
    let (_venue, client, mut peer, mut tickers) = open().await;
    let text = tick(7);
    let whole = frame(true, BINARY, &deflate(&text).repeat(1));
    for split in 1..whole.len() {
        peer.send_bytes(&whole[..split]).await;
        if split % 2 == 0 {
            // The heartbeat takes its turn in the middle of the read.
            tokio::time::advance(Duration::from_secs(10)).await;
            assert_eq!(peer.next_frame().await.map(parts).expect("open"), (TEXT, b"ping".to_vec()));
        } else {
            // So does a command, and its answer must wait for the frame to be complete.
            let trades = tokio::spawn({
                let client = client.clone();
                async move { client.subscribe(trade()).await }
            });
            assert!(peer.next_text().await.contains("subscribe"));
            peer.send_bytes(&whole[split..]).await;
            peer.push(r#"{"event":"subscribe","topic":"spot/trade:BTC_USDT"}"#).await;
            drop(patient(trades).await.expect("no panic").expect("subscribed"));
            let operation = peer.accept_command().await.operation;
            assert_eq!((operation.as_str(), value(&mut tickers).await), ("unsubscribe", 7));
            continue;
        }
        peer.send_bytes(&whole[split..]).await;
        assert_eq!(value(&mut tickers).await, 7, "split at {split}");
    }
}

#[tokio::test(start_paused = true)]
async fn fragments_are_put_together() {
    let (_venue, _client, mut peer, mut tickers) = open().await;
    let text = tick(5);
    let (front, back) = text.as_bytes().split_at(9);
    peer.send_frame(false, TEXT, front).await;
    peer.send_frame(true, PING, b"between").await;
    peer.send_frame(true, 0, back).await;
    assert_eq!(value(&mut tickers).await, 5);
    assert_eq!(peer.next_frame().await.map(parts).expect("open"), (PONG, b"between".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn fragments_beyond_the_cap_end_the_connection() {
    let (mut venue, _client, mut peer, mut tickers) = open().await;
    peer.send_frame(false, TEXT, &vec![b' '; 600_000]).await;
    peer.send_frame(false, 0, &vec![b' '; 600_000]).await;
    assert!(violation(&mut tickers).await.contains("1 MiB"));
    venue.accept().await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_announces_too_much_ends_the_connection_at_its_header() {
    let (mut venue, _client, mut peer, mut tickers) = open().await;
    let header = [&[0x82, 127][..], &10_000_000_u64.to_be_bytes()].concat();
    peer.send_bytes(&header).await;
    assert!(violation(&mut tickers).await.contains("too large"));
    venue.accept().await;
}

#[tokio::test(start_paused = true)]
async fn frames_that_cannot_be_read_are_told_and_many_in_a_row_end_the_connection() {
    let most = Limits::of(Dialect::Spot, Access::Public).unreadable_frames;
    let bomb = deflate(&" ".repeat(64 << 20));
    assert!(bomb.len() < 1 << 20);
    let cut = deflate(&tick(1));
    let frames = [
        (BINARY, &b"\xff\xff\xff garbage"[..], DecodeErrorKind::Encoding),
        (BINARY, &bomb, DecodeErrorKind::Encoding),
        (BINARY, &cut[..cut.len() / 2], DecodeErrorKind::Truncated),
        (TEXT, b"<html>not JSON</html>", DecodeErrorKind::Syntax),
        (TEXT, br#"{"table":"spot/ticker","data":[,]}"#, DecodeErrorKind::Syntax),
    ];
    for (opcode, payload, kind) in frames {
        let (mut venue, _client, mut peer, mut tickers) = open().await;
        let expect_faults =
            async |peer: &mut ServerConnection, tickers: &mut Subscription<RawEvent>, count| {
                for _ in 0..count {
                    peer.send_frame(true, opcode, payload).await;
                    let update = next(tickers).await;
                    let Update::Malformed(fault) = update else { panic!("{update:?}") };
                    assert_eq!((fault.kind(), fault.entry()), (kind, None));
                    assert_eq!(fault.raw_length(), payload.len());
                    assert!(payload.starts_with(fault.raw()) && !fault.raw().is_empty());
                }
            };
        expect_faults(&mut peer, &mut tickers, most - 1).await;
        peer.push(&tick(2)).await;
        assert_eq!(value(&mut tickers).await, 2, "the connection goes on and counts anew");
        expect_faults(&mut peer, &mut tickers, most).await;
        assert!(violation(&mut tickers).await.contains("in a row"));
        venue.accept().await;
    }
}

#[tokio::test(start_paused = true)]
async fn text_that_is_not_utf8_is_told_and_the_frames_behind_it_are_read() {
    let most = Limits::of(Dialect::Spot, Access::Public).unreadable_frames;
    let (mut venue, _client, mut peer, mut tickers) = open().await;
    for count in [most - 1, most] {
        for _ in 0..count {
            peer.send_frame(true, TEXT, b"{\"table\":\"\xff\"}").await;
            let update = next(&mut tickers).await;
            let Update::Malformed(fault) = update else { panic!("{update:?}") };
            assert_eq!(fault.kind(), DecodeErrorKind::Encoding);
        }
        if count < most {
            peer.push(&tick(2)).await;
            assert_eq!(value(&mut tickers).await, 2, "the connection goes on and counts anew");
        }
    }
    assert!(violation(&mut tickers).await.contains("in a row"));
    venue.accept().await;
}

#[tokio::test(start_paused = true)]
async fn bytes_behind_a_frame_are_told_and_the_frame_counts() {
    let (_venue, _client, mut peer, mut tickers) = open().await;
    for _ in 0..9 {
        peer.send_frame(true, BINARY, &[&deflate(&tick(3))[..], b"more"].concat()).await;
        assert_eq!(value(&mut tickers).await, 3);
        let update = next(&mut tickers).await;
        let Update::Malformed(fault) = update else { panic!("{update:?}") };
        assert_eq!((fault.kind(), fault.raw()), (DecodeErrorKind::Trailing, &b"more"[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_entry_goes_to_those_of_its_symbol_between_its_neighbours() {
    let (mut venue, client) = venue();
    let (peer, bitcoin, ether) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
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
    let mut told = Vec::new();
    for subscription in [&mut bitcoin, &mut ether] {
        assert!(matches!(patient(subscription.next()).await, Some(Ok(Update::Subscribed))));
        let count = if told.is_empty() { 4 } else { 2 };
        for _ in 0..count {
            told.push(match patient(subscription.next()).await.expect("goes on").expect("fine") {
                Update::Data(trade) => trade.price.to_string(),
                Update::Malformed(fault) => format!("fault {:?}", fault.entry()),
                other => panic!("{other:?}"),
            });
        }
    }
    let bitcoin = ["1", "fault Some(1)", "fault Some(3)", "3"];
    assert_eq!(told[..4], bitcoin, "its own symbol in any case, and what names none");
    assert_eq!(told[4..], ["2", "fault Some(3)"]);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_does_not_decode_is_an_update_and_not_the_end() {
    let (_venue, _client, mut peer, mut tickers) = open().await;
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
async fn a_protocol_ping_is_answered_with_its_own_payload() {
    let (_venue, _client, mut peer, _tickers) = open().await;
    peer.send_frame(true, PING, b"are you there").await;
    assert_eq!(
        peer.next_frame().await.map(parts).expect("open"),
        (PONG, b"are you there".to_vec())
    );
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_given_up() {
    let (mut venue, client) = venue_with(512, |builder| builder);
    let (mut peer, tickers) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
            peer.accept_command().await;
            peer
        },
        client.subscribe(ticker()),
    );
    let mut tickers = tickers.expect("subscribed");
    next(&mut tickers).await;
    // Pongs fill the stream, because nobody reads them here.
    for _ in 0..8 {
        peer.send_frame(true, PING, &[0; 125]).await;
    }
    let Update::Reconnecting(ReconnectReason::Lost { detail }) = next(&mut tickers).await else {
        panic!("the connection goes on");
    };
    assert!(detail.contains("write"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn events_go_to_the_subscriptions_of_their_symbol_and_are_shared_by_all_of_one_topic() {
    let (_venue, client, mut peer, mut bitcoin) = open().await;
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
async fn a_futures_group_with_another_suffix_is_routed() {
    let (mut venue, client) = venue();
    let topic = Topic::<RawEvent>::public(Dialect::Futures, "futures/depthIncrease20:BTCUSDT");
    let (peer, depth) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
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
async fn a_variant_of_a_topic_can_follow_another_but_gets_a_connection_of_its_own_beside_it() {
    let futures = |name| Topic::<RawEvent>::public(Dialect::Futures, name);
    let (slow, fast) = ("futures/depthIncrease20:BTCUSDT", "futures/depthIncrease20:BTCUSDT@100ms");
    let answer = |verb, topic| format!(r#"{{"action":"{verb}","group":"{topic}","success":true}}"#);
    let (mut venue, client) = venue();
    let (mut peer, depth) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
            peer.next_text().await;
            peer.push(&answer("subscribe", slow)).await;
            peer
        },
        client.subscribe(futures(slow)),
    );
    let depth = depth.expect("subscribed");
    let (other, beside) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
            assert!(peer.next_text().await.contains(fast));
            peer.push(&answer("subscribe", fast)).await;
            peer
        },
        client.subscribe(futures(fast)),
    );
    drop((depth, beside.expect("subscribed"), other));
    let ((), depth) = tokio::join!(
        async {
            assert!(peer.next_text().await.contains("unsubscribe"));
            peer.push(&format!(r#"{{"group":"{fast}","data":{{"symbol":"BTCUSDT","v":1}}}}"#))
                .await;
            peer.push(&answer("unsubscribe", slow)).await;
            assert!(peer.next_text().await.contains(fast));
            peer.push(&answer("subscribe", fast)).await;
            peer.push(&format!(r#"{{"group":"{fast}","data":{{"symbol":"BTCUSDT","v":2}}}}"#))
                .await;
        },
        client.subscribe(futures(fast)),
    );
    let mut depth = depth.expect("subscribed");
    assert!(matches!(next(&mut depth).await, Update::Subscribed));
    assert_eq!(value(&mut depth).await, 2, "nothing of the other variant");
}

#[tokio::test(start_paused = true)]
async fn a_request_goes_out_and_topics_without_snapshots_refuse_it() {
    let (mut venue, client) = venue();
    let book = spot("spot/depth/increase100:BTC_USDT");
    let (mut peer, books) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
            peer.accept_command().await;
            peer
        },
        client.subscribe(book.clone()),
    );
    let books = books.expect("subscribed");
    client.request(&book).await.expect("sent");
    assert_eq!(
        peer.next_text().await,
        r#"{"op":"request","args":["spot/depth/increase100:BTC_USDT"]}"#
    );
    books.request().await.expect("sent");
    assert!(peer.next_text().await.contains("request"));
    let error = client.request(&ticker()).await.expect_err("no snapshots");
    assert_eq!(error.kind(), crate::ErrorKind::Unsupported);
}
