//! Logins and what follows when they are refused.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bitmart_types::{Clock, Correction, Timestamp};
use tokio::runtime::Handle;

use super::*;
use crate::error::ErrorKind;
use crate::testing::own::{venue, venue_with};
use crate::testing::{ScriptedServer, ServerConnection};

const LOGIN_REFUSED: &str =
    r#"{"event":"login","errorCode":"91011","errorMessage":"Param sign is wrong"}"#;

/// A clock that moves by one millisecond each time it is asked.
#[derive(Debug)]
struct Steps(AtomicI64);

impl Clock for Steps {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[tokio::test(start_paused = true)]
async fn the_login_comes_first_and_is_signed_anew_each_time() {
    let (mut venue, client) =
        venue_with(1 << 16, |builder| with_account(builder).clock(Steps(AtomicI64::new(1_000))));
    let login = async |venue: &mut ScriptedServer| {
        let mut peer = venue.accept().await;
        let text = peer.next_text().await;
        peer.push(r#"{"event":"login"}"#).await;
        let topics = peer.accept_command().await.arguments;
        assert_eq!(topics, ["spot/user/orders:ALL_SYMBOLS"]);
        (peer, text)
    };
    let ((peer, first), subscription) = tokio::join!(login(&mut venue), client.subscribe(orders()));
    let mut subscription = subscription.expect("subscribed");
    assert!(first.starts_with(r#"{"op":"login","args":["canary-key","10"#), "{first}");
    drop(peer);
    let (mut peer, second) = login(&mut venue).await;
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
async fn a_refused_login_stops_instead_of_looping() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (mut venue, client) = venue_with(1 << 16, with_account);
    let ((), result) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
            peer.next_text().await;
            peer.push(LOGIN_REFUSED).await;
        },
        client.subscribe(orders()),
    );
    let error = result.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::LoginRefused);
    assert!(error.to_string().contains("memo"), "it says what to check: {error}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    tasks_end(before).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(!venue.has_been_dialled(), "nobody knocks again on his own");
}

#[tokio::test(start_paused = true)]
async fn a_login_refused_after_a_reconnection_ends_the_subscription() {
    let (mut venue, client) = venue_with(1 << 16, with_account);
    let (peer, subscription) = tokio::join!(
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
    drop(peer);
    let mut peer = venue.accept().await;
    peer.next_text().await;
    peer.push(LOGIN_REFUSED).await;
    assert_eq!(last_error(&mut subscription).await.kind(), ErrorKind::LoginRefused);
}

#[tokio::test(start_paused = true)]
async fn private_topics_without_credentials_do_not_even_connect() {
    let (mut venue, client) = venue();
    let error = client.subscribe(orders()).await.expect_err("no credentials");
    assert_eq!(error.kind(), ErrorKind::CredentialsMissing);
    assert!(!venue.has_been_dialled());
}

/// Waits for a connection and refuses its login with this code.
async fn refuse(venue: &mut ScriptedServer, code: u32) -> String {
    let mut peer = venue.accept().await;
    let login = peer.next_text().await;
    peer.push(&format!(r#"{{"event":"login","errorCode":"{code}","errorMessage":"no"}}"#)).await;
    login
}

/// Waits for a connection, accepts its login and acknowledges its first command.
async fn accept(venue: &mut ScriptedServer) -> (ServerConnection, String) {
    let mut peer = venue.accept().await;
    let login = peer.next_text().await;
    peer.push(r#"{"event":"login"}"#).await;
    peer.accept_command().await;
    (peer, login)
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_retries_a_refused_login_tries_again_at_growing_distances() {
    let (mut venue, client) = venue_with(1 << 16, with_account);
    let start = tokio::time::Instant::now();
    let mut attempts = 0;
    let refusing = async {
        loop {
            refuse(&mut venue, 91_011).await;
            attempts += 1;
        }
    };
    let retrying = async {
        while start.elapsed() < Duration::from_secs(600) {
            let error = client.subscribe(orders()).await.expect_err("refused");
            if error.kind() == ErrorKind::LoginRefused {
                assert_eq!(error.rejection().and_then(|rejection| rejection.code), Some(91_011));
            } else {
                assert_eq!(error.kind(), ErrorKind::Timeout, "the pause is longer: {error}");
            }
        }
    };
    tokio::select! {
        () = refusing => {}
        () = retrying => {}
    }
    assert!((20..=45).contains(&attempts), "{attempts} attempts in 10 minutes");
    tokio::time::sleep(Duration::from_secs(120)).await;
    let ((_peer, _), subscription) = tokio::join!(accept(&mut venue), client.subscribe(orders()));
    subscription.expect("the cause was corrected, and the same client goes on");
}

#[tokio::test(start_paused = true)]
async fn a_subscription_made_the_moment_the_login_is_refused_logs_in_itself() {
    let (mut venue, client) = venue_with(1 << 16, with_account);
    for _ in 0..3 {
        let (_, result) = tokio::join!(refuse(&mut venue, 91_002), client.subscribe(orders()));
        assert_eq!(result.expect_err("refused").kind(), ErrorKind::LoginRefused);
    }
    let ((_peer, _), result) = tokio::join!(accept(&mut venue), client.subscribe(orders()));
    result.expect("subscribed");
}

/// A clock that is far behind until it is corrected.
#[derive(Debug, Default)]
struct Behind(AtomicI64);

impl Clock for Behind {
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
async fn a_login_refused_for_its_time_corrects_the_clock_and_the_stream_goes_on() {
    let (mut venue, client) =
        venue_with(1 << 16, |builder| with_account(builder).clock(Behind::default()));
    let ((peer, login), subscription) =
        tokio::join!(accept(&mut venue), client.subscribe(orders()));
    assert!(login.contains(r#""1000""#), "{login}");
    let mut subscription = subscription.expect("subscribed");
    assert!(matches!(next(&mut subscription).await, Update::Subscribed));
    drop(peer);
    refuse(&mut venue, 91_022).await;
    let (mut peer, login) = accept(&mut venue).await;
    assert!(login.contains(r#""100000""#), "the corrected time: {login}");
    for _ in 0..2 {
        assert!(matches!(next(&mut subscription).await, Update::Reconnecting(_)));
    }
    assert!(matches!(next(&mut subscription).await, Update::Resynced));
    peer.push(&data("spot/user/order", "BTC_USDT", &[1])).await;
    assert_eq!(value(&mut subscription).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_never_corrects_itself_does_not_stop_the_attempts() {
    #[derive(Debug)]
    struct Stuck;
    impl Clock for Stuck {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1)
        }
        fn correct(&self) -> Correction<'_> {
            Box::pin(std::future::pending())
        }
    }
    let (mut venue, client) = venue_with(1 << 16, |builder| with_account(builder).clock(Stuck));
    let serving = async {
        refuse(&mut venue, 91_022).await;
        accept(&mut venue).await
    };
    let (_, result) = tokio::join!(serving, client.subscribe(orders()));
    result.expect("subscribed");
}
