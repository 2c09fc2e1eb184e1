//! Logins and what follows when they are refused.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bitmart_types::{Clock, Timestamp};
use tokio::runtime::Handle;

use super::*;
use crate::error::ErrorKind;
use crate::testing::{Venue, venue, venue_with};

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
    let login = async |venue: &mut Venue| {
        let mut peer = venue.accept().await;
        let text = peer.text().await;
        peer.say(r#"{"event":"login"}"#).await;
        let (_, topics) = peer.acknowledge().await;
        assert_eq!(topics, ["spot/user/orders:ALL_SYMBOLS"]);
        (peer, text)
    };
    let ((peer, first), subscription) = tokio::join!(login(&mut venue), client.subscribe(orders()));
    let mut subscription = subscription.expect("subscribed");
    assert!(first.starts_with(r#"{"op":"login","args":["canary-key","1000","#), "{first}");
    drop(peer);
    let (mut peer, second) = login(&mut venue).await;
    assert!(second.contains(r#""1001""#), "{second}");
    peer.say(&data("spot/user/order", "BTC_USDT", &[1])).await;
    peer.say(&data("spot/user/orders", "ETH_USDT", &[2])).await;
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
            peer.text().await;
            peer.say(LOGIN_REFUSED).await;
        },
        client.subscribe(orders()),
    );
    let error = result.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::LoginRefused);
    assert!(error.to_string().contains("memo"), "it says what to check: {error}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    tasks_end(before).await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert!(!venue.is_dialled(), "nobody knocks again on his own");
}

#[tokio::test(start_paused = true)]
async fn a_login_refused_after_a_reconnection_ends_the_subscription() {
    let (mut venue, client) = venue_with(1 << 16, with_account);
    let (peer, subscription) = tokio::join!(
        async {
            let mut peer = venue.accept().await;
            peer.text().await;
            peer.say(r#"{"event":"login"}"#).await;
            peer.acknowledge().await;
            peer
        },
        client.subscribe(orders()),
    );
    let mut subscription = subscription.expect("subscribed");
    drop(peer);
    let mut peer = venue.accept().await;
    peer.text().await;
    peer.say(LOGIN_REFUSED).await;
    assert_eq!(last_error(&mut subscription).await.kind(), ErrorKind::LoginRefused);
}

#[tokio::test(start_paused = true)]
async fn private_topics_without_credentials_do_not_even_connect() {
    let (mut venue, client) = venue();
    let error = client.subscribe(orders()).await.expect_err("no credentials");
    assert_eq!(error.kind(), ErrorKind::CredentialsMissing);
    assert!(!venue.is_dialled());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_retries_a_refused_login_gets_the_error_and_does_not_knock_again() {
    let (mut venue, client) = venue_with(1 << 16, with_account);
    let refuse = async {
        let mut peer = venue.accept().await;
        peer.text().await;
        peer.say(LOGIN_REFUSED).await;
    };
    let ((), result) = tokio::join!(refuse, client.subscribe(orders()));
    result.expect_err("refused");
    for _ in 0..100 {
        let error = client.subscribe(orders()).await.expect_err("still refused");
        assert_eq!(error.kind(), ErrorKind::LoginRefused);
        assert_eq!(error.rejection().and_then(|rejection| rejection.code), Some(91_011));
    }
    assert!(!venue.is_dialled());
    let (_peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    tickers.expect("public topics need no login");
}
