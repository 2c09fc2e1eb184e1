//! Heartbeats, and connections without traffic or topics.

use super::*;

#[test]
fn sends_heartbeats_of_the_dialect_on_time() {
    for (market, ping) in [(Market::Spot, "ping"), (Market::Futures, r#"{"action":"ping"}"#)] {
        let mut harness = Harness::new(market, Access::Public);
        harness.subscribe(TICKER);
        harness.session.connected(harness.now);
        harness.receive(&acknowledged(TICKER));
        harness.receive(&format!(r#"{{"action":"subscribe","group":"{TICKER}","success":true}}"#));
        harness.actions();
        assert_eq!(harness.advance_to_deadline(), Duration::from_secs(10));
        assert_eq!(harness.sent(), [ping]);
        harness.now += Duration::from_secs(5);
        harness.receive(r#"{"group":"System","data":"pong+1"}"#);
        assert_eq!(
            harness.advance_to_deadline(),
            Duration::from_secs(20),
            "responses do not postpone the next one"
        );
        assert_eq!(harness.sent(), [ping]);
    }
}

#[test]
fn any_frame_postpones_the_idle_timeout() {
    let mut harness = Harness::spot(&[TICKER]);
    for frame in ["pong", r#"{"table":"spot/ticker","data":[]}"#, "garbage"] {
        harness.now += Duration::from_secs(19);
        harness.receive(frame);
        harness.session.tick(harness.now);
        assert!(harness.events().is_empty());
    }
    harness.now += Duration::from_secs(19);
    harness.session.frame_received(harness.now);
    let since = harness.now;
    harness.advance(Duration::from_secs(19));
    assert_eq!(
        harness.events(),
        [SessionEvent::Stale { since }],
        "a frame without text counts, too"
    );
    harness.advance(Duration::from_secs(1));
    let reason = ReconnectReason::IdleTimeout { limit: Duration::from_secs(20) };
    assert_eq!(harness.events(), [SessionEvent::Reconnecting { reason }]);
}

#[test]
fn reports_stale_once_per_idle_period_and_alive_after_it() {
    let mut harness = Harness::spot(&[TICKER]);
    let since = harness.now;
    while harness.now < since + Duration::from_secs(15) {
        assert!(harness.events().is_empty(), "a heartbeat without a response gets 5 s");
        harness.advance_to_deadline();
    }
    assert_eq!(harness.events(), [SessionEvent::Stale { since }]);
    assert_eq!(harness.session.status().state, crate::ConnectionState::Stale { since });
    harness.advance(Duration::from_secs(1));
    assert_eq!(harness.events(), [], "reported once");
    harness.receive("pong");
    assert_eq!(harness.events(), [SessionEvent::Alive]);
    assert!(matches!(harness.session.status().state, crate::ConnectionState::Open { .. }));
    let since = harness.now;
    harness.advance(Duration::from_secs(15));
    assert_eq!(
        harness.events(),
        [SessionEvent::Stale { since }],
        "reported again for the next idle period"
    );
}

#[test]
fn closes_an_unused_connection_before_the_exchange_does() {
    let mut harness = Harness::new(Market::Futures, Access::Public);
    harness.subscribe(BOOK);
    harness.session.connected(harness.now);
    harness.receive(&format!(r#"{{"action":"subscribe","group":"{BOOK}","success":true}}"#));
    harness.unsubscribe(BOOK);
    harness.actions();
    let closed_after = harness.advance_to_deadline();
    assert!(closed_after < Duration::from_secs(5));
    assert!(harness.actions().contains(&Action::Close));
    assert!(harness.session.is_idle());
    assert_eq!(harness.session.deadline(), None);
}

#[test]
fn a_new_topic_keeps_an_unused_connection_open() {
    let mut harness = Harness::spot(&[TICKER]);
    harness.unsubscribe(TICKER);
    harness.receive(&format!(r#"{{"event":"unsubscribe","topic":"{TICKER}"}}"#));
    harness.subscribe("spot/trade:BTC_USDT");
    harness.receive(&acknowledged("spot/trade:BTC_USDT"));
    harness.actions();
    for _ in 0..10 {
        harness.advance(Duration::from_secs(10));
        harness.receive("pong");
    }
    assert!(!harness.actions().contains(&Action::Close));
}
