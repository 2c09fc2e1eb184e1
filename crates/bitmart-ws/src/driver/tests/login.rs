//! Logins, accepted and rejected.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bitmart_types::{Clock, Correction, Timestamp};
use tokio::runtime::Handle;

use super::*;
use crate::error::ErrorKind;
use crate::testing::test_support::{server_and_client, server_and_client_with};
use crate::testing::{ScriptedServer, ServerConnection};

const LOGIN_REJECTED: &str =
    r#"{"event":"login","errorCode":"91011","errorMessage":"Param sign is wrong"}"#;

/// A clock that advances by one millisecond on each call.
#[derive(Debug)]
struct StepClock(AtomicI64);

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[tokio::test(start_paused = true)]
async fn logs_in_before_subscribing_and_signs_each_login_with_the_current_time() {
    let (mut server, client) = server_and_client_with(1 << 16, |builder| {
        with_account(builder).clock(StepClock(AtomicI64::new(1_000)))
    });
    let login = async |server: &mut ScriptedServer| {
        let mut peer = server.accept().await;
        let text = peer.next_text().await;
        peer.push(r#"{"event":"login"}"#).await;
        let topics = peer.accept_command().await.arguments;
        assert_eq!(topics, ["spot/user/orders:ALL_SYMBOLS"]);
        (peer, text)
    };
    let ((peer, first), subscription) =
        tokio::join!(login(&mut server), client.subscribe(orders()));
    let mut subscription = subscription.expect("subscribed");
    assert!(first.starts_with(r#"{"op":"login","args":["canary-key","10"#), "{first}");
    drop(peer);
    let (mut peer, second) = login(&mut server).await;
    let signed_at = |login: &str| {
        let login: serde_json::Value = serde_json::from_str(login).expect("JSON");
        login["args"][1].as_str().and_then(|time| time.parse::<i64>().ok()).expect("a time")
    };
    assert!(signed_at(&second) > signed_at(&first), "{first}, {second}");
    peer.push(&data("spot/user/order", "BTC_USDT", &[1])).await;
    peer.push(&data("spot/user/orders", "ETH_USDT", &[2])).await;
    assert!(matches!(next(&mut subscription).await, Update::Subscribed));
    assert!(matches!(next(&mut subscription).await, Update::Reconnecting(_)));
    assert!(matches!(next(&mut subscription).await, Update::Resynced));
    assert_eq!((value(&mut subscription).await, value(&mut subscription).await), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_permanently_rejected_login_is_not_repeated() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (mut server, client) = server_and_client_with(1 << 16, with_account);
    let ((), result) = tokio::join!(
        async {
            let mut peer = server.accept().await;
            peer.next_text().await;
            peer.push(LOGIN_REJECTED).await;
        },
        client.subscribe(orders()),
    );
    let error = result.expect_err("rejected");
    assert_eq!(error.kind(), ErrorKind::LoginRejected);
    assert!(error.to_string().contains("memo"), "the message says what to check: {error}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    tasks_end(before).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(!server.drop_pending_connection(), "no attempt without a new subscription");
}

#[tokio::test(start_paused = true)]
async fn a_login_rejected_after_a_reconnection_ends_the_subscription() {
    let (mut server, client) = server_and_client_with(1 << 16, with_account);
    let (peer, subscription) = tokio::join!(
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
    drop(peer);
    let mut peer = server.accept().await;
    peer.next_text().await;
    peer.push(LOGIN_REJECTED).await;
    assert_eq!(last_error(&mut subscription).await.kind(), ErrorKind::LoginRejected);
}

#[tokio::test(start_paused = true)]
async fn a_private_topic_without_credentials_fails_without_connecting() {
    let (mut server, client) = server_and_client();
    let error = client.subscribe(orders()).await.expect_err("no credentials");
    assert_eq!(error.kind(), ErrorKind::MissingCredentials);
    assert!(!server.drop_pending_connection());
}

/// Waits for a connection and rejects its login with this code.
async fn reject_login(server: &mut ScriptedServer, code: u32) -> String {
    let mut peer = server.accept().await;
    let login = peer.next_text().await;
    peer.push(&format!(r#"{{"event":"login","errorCode":"{code}","errorMessage":"no"}}"#)).await;
    login
}

/// Waits for a connection, accepts its login and acknowledges its first command.
async fn accept_login(server: &mut ScriptedServer) -> (ServerConnection, String) {
    let mut peer = server.accept().await;
    let login = peer.next_text().await;
    peer.push(r#"{"event":"login"}"#).await;
    peer.accept_command().await;
    (peer, login)
}

#[tokio::test(start_paused = true)]
async fn repeated_subscriptions_keep_the_backoff_of_rejected_logins() {
    let (mut server, client) = server_and_client_with(1 << 16, with_account);
    let start = tokio::time::Instant::now();
    let mut attempts = 0;
    let rejecting = async {
        loop {
            reject_login(&mut server, 91_011).await;
            attempts += 1;
        }
    };
    let retrying = async {
        while start.elapsed() < Duration::from_secs(600) {
            let error = client.subscribe(orders()).await.expect_err("rejected");
            if error.kind() == ErrorKind::LoginRejected {
                assert_eq!(error.rejection().and_then(|rejection| rejection.code), Some(91_011));
            } else {
                assert_eq!(error.kind(), ErrorKind::Timeout, "the delay is longer: {error}");
            }
        }
    };
    tokio::select! {
        () = rejecting => {}
        () = retrying => {}
    }
    assert!((20..=45).contains(&attempts), "{attempts} attempts in 10 minutes");
    tokio::time::sleep(Duration::from_secs(120)).await;
    let ((_peer, _), subscription) =
        tokio::join!(accept_login(&mut server), client.subscribe(orders()));
    subscription.expect("the cause was corrected, and the same client logs in");
}

#[tokio::test(start_paused = true)]
async fn a_subscription_right_after_a_rejected_login_logs_in_again() {
    let (mut server, client) = server_and_client_with(1 << 16, with_account);
    for _ in 0..3 {
        let (_, result) =
            tokio::join!(reject_login(&mut server, 91_002), client.subscribe(orders()));
        assert_eq!(result.expect_err("rejected").kind(), ErrorKind::LoginRejected);
    }
    let ((_peer, _), result) = tokio::join!(accept_login(&mut server), client.subscribe(orders()));
    result.expect("subscribed");
}

/// A clock that is slow until it is corrected.
#[derive(Debug, Default)]
struct SlowClock(AtomicI64);

impl Clock for SlowClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(if self.0.load(Ordering::Relaxed) == 0 { 1_000 } else { 100_000 })
    }

    fn correct(&self) -> Correction<'_> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.0.fetch_add(1, Ordering::Relaxed);
        })
    }
}

#[tokio::test(start_paused = true)]
async fn corrects_the_clock_after_a_login_rejected_for_its_time() {
    let (mut server, client) = server_and_client_with(1 << 16, |builder| {
        with_account(builder).clock(SlowClock::default())
    });
    let ((peer, login), subscription) =
        tokio::join!(accept_login(&mut server), client.subscribe(orders()));
    assert!(login.contains(r#""1000""#), "{login}");
    let mut subscription = subscription.expect("subscribed");
    assert!(matches!(next(&mut subscription).await, Update::Subscribed));
    drop(peer);
    reject_login(&mut server, 91_022).await;
    let (mut peer, login) = accept_login(&mut server).await;
    assert!(login.contains(r#""100000""#), "the corrected time: {login}");
    for _ in 0..2 {
        assert!(matches!(next(&mut subscription).await, Update::Reconnecting(_)));
    }
    assert!(matches!(next(&mut subscription).await, Update::Resynced));
    peer.push(&data("spot/user/order", "BTC_USDT", &[1])).await;
    assert_eq!(value(&mut subscription).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_clock_correction_that_hangs_does_not_block_reconnections() {
    #[derive(Debug)]
    struct HangingClock;
    impl Clock for HangingClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1)
        }
        fn correct(&self) -> Correction<'_> {
            Box::pin(std::future::pending())
        }
    }
    let (mut server, client) =
        server_and_client_with(1 << 16, |builder| with_account(builder).clock(HangingClock));
    let serving = async {
        reject_login(&mut server, 91_022).await;
        accept_login(&mut server).await
    };
    let (_, result) = tokio::join!(serving, client.subscribe(orders()));
    result.expect("subscribed");
}
