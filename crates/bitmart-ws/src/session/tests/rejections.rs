//! Rejections of commands.

use super::*;

#[test]
fn a_duplicate_subscription_is_not_an_error() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(&rejected(90_008, "Duplicate subscription"));
    assert_eq!(harness.events(), [subscribed(TICKER)]);
}

#[test]
fn attributes_a_rejection_without_a_topic_to_the_only_pending_topic() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe("spot/nonsense:BTC_USDT");
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(&rejected(90_004, "Invalid channel param"));
    let rejection = Rejection::new(Some(90_004), "Invalid channel param");
    assert_eq!(
        harness.events(),
        [SessionEvent::Rejected { topic: "spot/nonsense:BTC_USDT".into(), rejection }]
    );
    assert_eq!(harness.session.desired_topics(), 0);
}

#[test]
fn attributes_a_rejection_without_a_topic_to_the_unacknowledged_topic() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    for topic in ["spot/a:X", "spot/b:X", "spot/c:X"] {
        harness.subscribe(topic);
    }
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(&rejected(90_004, "Invalid channel param"));
    assert_eq!(harness.events(), [], "three topics are pending");
    harness.receive(&acknowledged("spot/a:X"));
    harness.receive(&acknowledged("spot/c:X"));
    let events = harness.events();
    assert!(
        matches!(&events[..], [_, _, SessionEvent::Rejected { topic, .. }] if &**topic == "spot/b:X"),
        "{events:?}"
    );
}

/// Asserts that `spot/a:X` was rejected, and `spot/b:X` is subscribed then.
#[track_caller]
fn assert_next_is_subscribed(actions: &[Action]) {
    assert!(
        matches!(actions, [
            Action::Emit(SessionEvent::Rejected { topic, .. }),
            Action::Send(next),
        ] if &**topic == "spot/a:X" && *next == subscribe_frame(&["spot/b:X"])),
        "{actions:?}"
    );
}

#[test]
fn retries_the_topics_of_a_rejected_frame_one_by_one() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe("spot/a:X");
    harness.subscribe("spot/b:X");
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(&rejected(90_004, "Invalid channel param"));
    for _ in 0..9 {
        harness.advance(Duration::from_secs(1));
        harness.receive("pong");
    }
    harness.actions();
    harness.advance(Duration::from_secs(1));
    assert!(
        harness.sent().contains(&subscribe_frame(&["spot/a:X"])),
        "one topic, nothing else in flight"
    );
    harness.receive(&rejected(90_004, "Invalid channel param"));
    assert_next_is_subscribed(&harness.actions());
    harness.receive(&acknowledged("spot/b:X"));
    assert_eq!(harness.events(), [subscribed("spot/b:X")]);
}

#[test]
fn no_other_topic_is_subscribed_while_one_is_retried_alone() {
    let mut harness = Harness::spot(&[TICKER]);
    harness.subscribe("spot/a:X");
    assert_eq!(harness.sent(), [subscribe_frame(&["spot/a:X"])]);
    for _ in 0..9 {
        harness.advance(Duration::from_secs(1));
        harness.receive("pong");
    }
    harness.actions();
    harness.advance(Duration::from_secs(1));
    assert!(
        harness.sent().contains(&subscribe_frame(&["spot/a:X"])),
        "not acknowledged, so sent again"
    );
    harness.subscribe("spot/b:X");
    assert_eq!(harness.sent(), Vec::<String>::new());
    // Without a name it can only be that of the topic that is in flight alone.
    harness.receive(&rejected(90_004, "Invalid channel param"));
    assert_next_is_subscribed(&harness.actions());
}

#[test]
fn retries_a_transiently_rejected_topic_after_a_delay() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(&rejected(95_000, "Internal system error"));
    assert_eq!(harness.actions(), []);
    assert_eq!(harness.advance_to_deadline(), Duration::from_secs(5));
    assert_eq!(harness.sent(), [subscribe_frame(&[TICKER])]);
}

#[test]
fn a_rejected_unsubscription_confirms_a_topic_that_is_desired_again() {
    let mut harness = Harness::spot(&[TICKER]);
    harness.unsubscribe(TICKER);
    harness.subscribe(TICKER);
    harness.actions();
    harness.receive(r#"{"event":"unsubscribe","errorCode":"90007","errorMessage":"too many"}"#);
    assert_eq!(harness.events(), [subscribed(TICKER)]);
}

#[test]
fn a_private_topic_rejected_for_an_unknown_reason_is_tried_five_times() {
    let rejection =
        r#"{"action":"subscribe","group":"futures/order","success":false,"error":"busy"}"#;
    let mut harness = Harness::new(Market::Futures, Access::Private);
    harness.subscribe("futures/order");
    harness.session.connected(harness.now);
    harness.receive(r#"{"action":"access","success":true}"#);
    let sent_again =
        |harness: &mut Harness| harness.sent().iter().any(|frame| frame.contains("futures/order"));
    for _ in 1..5 {
        assert!(sent_again(&mut harness));
        harness.receive(rejection);
        assert_eq!(harness.events(), []);
        harness.advance(Duration::from_secs(5));
    }
    assert!(sent_again(&mut harness));
    harness.receive(rejection);
    let events = harness.events();
    assert!(matches!(events[..], [SessionEvent::Rejected { .. }]), "{events:?}");
}

#[test]
fn rejects_an_unknown_topic_at_once() {
    for (access, error) in [
        (Access::Private, "group [futures/asset:XYZ] not exist"),
        (Access::Private, "Invalid channel: not found futures/asset:XYZ"),
        (Access::Public, "whatever it is"),
    ] {
        let mut harness = Harness::new(Market::Futures, access);
        harness.subscribe("futures/asset:XYZ");
        harness.session.connected(harness.now);
        harness.receive(r#"{"action":"access","success":true}"#);
        harness.actions();
        harness.receive(&format!(
            r#"{{"action":"subscribe","group":"futures/asset:XYZ","success":false,"error":"{error}"}}"#
        ));
        assert!(matches!(harness.events()[..], [SessionEvent::Rejected { .. }]), "{error}");
    }
}
