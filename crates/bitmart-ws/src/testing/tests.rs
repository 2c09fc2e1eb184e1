//! The scripted server speaks both markets and reports what went wrong.

use bitmart_auth::Credentials;

use super::*;
use crate::dialect::Market;
use crate::error::ErrorKind;
use crate::event::RawEvent;
use crate::reason::ReconnectReason;
use crate::topic::Topic;
use crate::update::Update;

const TICKER: &str = "spot/ticker:BTC_USDT";
const FUTURES: &str = "futures/ticker:BTCUSDT";

fn public(name: &str) -> Topic<RawEvent> {
    let market = if name.starts_with("spot") { Market::Spot } else { Market::Futures };
    Topic::public(market, name)
}

#[tokio::test(start_paused = true)]
async fn serves_and_rejects_subscriptions_of_both_dialects() {
    for (name, data) in [
        (TICKER, r#"{"data":[{"symbol":"BTC_USDT"}],"table":"spot/ticker"}"#),
        (FUTURES, r#"{"data":{"symbol":"BTCUSDT"},"group":"futures/ticker:BTCUSDT"}"#),
    ] {
        let mut server = ScriptedServer::new();
        let client = server.client_builder().build().expect("a client");
        let (mut connection, stream) = tokio::join!(
            async {
                let mut connection = server.accept().await;
                connection.expect_subscribe(&[name]).await;
                connection
            },
            client.subscribe(public(name)),
        );
        let mut stream = stream.expect("subscribed");
        assert!(matches!(stream.next().await, Some(Ok(Update::Subscribed))));
        connection.push(data).await;
        connection.push_deflated(data).await;
        connection.ping(b"payload").await;
        for _ in 0..2 {
            assert!(matches!(stream.next().await, Some(Ok(Update::Data(_)))), "{name}");
        }
        // Longer than the idle timeout.
        connection.answer_heartbeats(Duration::from_secs(300)).await;
        connection.close(1012, "restart").await;
        let reason = ReconnectReason::Closed { code: Some(1012), text: Some("restart".into()) };
        let update = stream.next().await;
        assert!(
            matches!(&update, Some(Ok(Update::Reconnecting(why))) if *why == reason),
            "{update:?}"
        );
        let mut second = server.accept().await;
        let command = second.next_command().await;
        second.reject(&command, 90_004, "Invalid channel param").await;
        let error = loop {
            match stream.next().await.expect("an end") {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Rejected, "{name}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_client_retries_a_rejected_handshake_and_reconnects_after_a_stall() {
    let mut server = ScriptedServer::new();
    let client = server.client_builder().build().expect("a client");
    let serve = async {
        server.reject("503 Service Unavailable", &[]).await;
        let mut connection = server.accept().await;
        connection.expect_subscribe(&[TICKER]).await;
        connection
    };
    let (mut connection, stream) = tokio::join!(serve, client.subscribe(public(TICKER)));
    let mut stream = stream.expect("subscribed");
    // The rejection may be reported first.
    while !matches!(stream.next().await.expect("an update"), Ok(Update::Subscribed)) {}
    connection.stall(Duration::from_secs(60)).await;
    assert!(matches!(stream.next().await, Some(Ok(Update::Stale(_)))));
    let update = stream.next().await;
    assert!(
        matches!(update, Some(Ok(Update::Reconnecting(ReconnectReason::IdleTimeout { .. })))),
        "{update:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn acknowledges_logins_and_redacts_them() {
    for (market, name) in
        [(Market::Spot, "spot/user/orders:ALL_SYMBOLS"), (Market::Futures, "futures/order")]
    {
        let mut server = ScriptedServer::new();
        let keys = Credentials::new("canary-key", "canary-secret", "canary-memo").expect("keys");
        let client = server.client_builder().credentials(keys).build().expect("a client");
        let topic = Topic::<RawEvent>::private(market, name);
        let (login, stream) = tokio::join!(
            async {
                let mut connection = server.accept().await;
                let login = connection.expect_login().await;
                connection.expect_subscribe(&[name]).await;
                login
            },
            client.subscribe(topic),
        );
        stream.expect("subscribed");
        assert_eq!(login.arguments[0], "canary-key");
        assert!(!format!("{login:?}").contains("canary"), "{login:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unexpected_command_panics_with_both_commands() {
    let mut server = ScriptedServer::new();
    let client = server.client_builder().build().expect("a client");
    let serve = tokio::spawn(async move {
        let mut connection = server.accept().await;
        connection.expect_unsubscribe(&[FUTURES]).await;
    });
    let error = tokio::select! {
        result = serve => result.expect_err("another command"),
        _ = client.subscribe(public(TICKER)) => unreachable!("never acknowledged"),
    };
    let text = error.into_panic().downcast::<String>().expect("a text");
    let expected = "unexpected command\n  expected: unsubscribe [\"futures/ticker:BTCUSDT\"]\n  \
                  received: subscribe [\"spot/ticker:BTC_USDT\"]";
    assert_eq!(*text, expected);
}

#[tokio::test(start_paused = true)]
async fn a_missing_connection_panics_after_the_timeout() {
    let mut server = ScriptedServer::new();
    let nobody = tokio::spawn(async move { server.accept().await });
    let panic = nobody.await.expect_err("no connection").into_panic();
    let text = panic.downcast::<String>().expect("a text");
    assert!(text.contains("a connection did not arrive"), "{text}");
}
