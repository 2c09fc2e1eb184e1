//! Logins, accepted and rejected.

use super::*;

fn login_acknowledged(market: Market) -> &'static str {
    match market {
        Market::Spot => r#"{"event":"login"}"#,
        Market::Futures => r#"{"action":"access","success":true}"#,
    }
}

#[test]
fn logs_in_before_subscribing() {
    let mut harness = Harness::new(Market::Spot, Access::Private);
    harness.subscribe(ORDERS);
    harness.actions();
    harness.session.connected(harness.now);
    assert_eq!(harness.actions(), [Action::Login]);
    harness.subscribe("spot/user/order:BTC_USDT");
    assert_eq!(harness.actions(), []);
    harness.receive(login_acknowledged(Market::Spot));
    assert_eq!(harness.sent(), [subscribe_frame(&["spot/user/order:BTC_USDT", ORDERS])]);
}

#[test]
fn a_permanently_rejected_login_ends_the_session_with_advice() {
    let cases = [
        (r#"{"event":"login","errorCode":"91011","errorMessage":"Param sign is wrong"}"#, "memo"),
        (r#"{"event":"login","error_code":91004,"error_message":"x"}"#, "expired"),
    ];
    for (frame, advice) in cases {
        let mut harness = Harness::new(Market::Spot, Access::Private);
        harness.subscribe(ORDERS);
        harness.session.connected(harness.now);
        harness.actions();
        harness.receive(frame);
        let actions = harness.actions();
        let [Action::Close, Action::Emit(SessionEvent::LoginRejected { rejection })] = &actions[..]
        else {
            panic!("{actions:?}")
        };
        assert!(rejection.login_advice().contains(advice));
        assert!(harness.session.is_failed());
        harness.session.disconnected(harness.now, closed());
        assert_eq!((harness.actions(), harness.session.deadline()), (vec![], None), "no loop");
        harness.subscribe(ORDERS);
        assert!(
            matches!(harness.events()[..], [SessionEvent::Rejected { .. }]),
            "every subscription gets an event"
        );
    }
}

/// Connects and rejects the login. Returns the delay before the next attempt, if there is one.
fn reject_login(harness: &mut Harness, frame: &str) -> Option<Duration> {
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(frame);
    let actions = harness.actions();
    match &actions[..] {
        [
            Action::Close,
            Action::Emit(SessionEvent::Reconnecting { reason: ReconnectReason::Rejected(_) }),
            Action::Connect { delay },
        ] => {
            harness.now += *delay;
            Some(*delay)
        }
        [Action::Close, Action::Emit(SessionEvent::LoginRejected { .. })] => None,
        _ => panic!("{actions:?} after {frame}"),
    }
}

/// A rejection by futures, which sends no code: its text fits transient and permanent causes.
const UNEXPLAINED: &str = r#"{"action":"access","success":false,"error":"access failed: openapi auth: apiKey 880d5edecs**** failed: openapi auth failed"}"#;

#[test]
fn a_transiently_rejected_login_is_retried_with_backoff() {
    let frames = [
        r#"{"action":"access","success":false,"error":"authentication is temporarily unavailable"}"#,
        r#"{"event":"login","errorCode":"91022","errorMessage":"Param timestamp range. Within a minute"}"#,
        r#"{"event":"login","errorCode":"90007","errorMessage":"please try later"}"#,
        r#"{"event":"login","errorCode":"95000","errorMessage":"Internal system error"}"#,
    ];
    for frame in frames {
        let market = if frame.contains("event") { Market::Spot } else { Market::Futures };
        let mut harness = Harness::new(market, Access::Private);
        harness.subscribe(ORDERS);
        let delays: Vec<_> = (0..20).filter_map(|_| reject_login(&mut harness, frame)).collect();
        assert_eq!(delays.len(), 20, "retried without limit: {frame}");
        assert!(delays[0] < Duration::from_secs(3), "{delays:?}");
        assert!(delays[10..].iter().all(|delay| *delay >= Duration::from_secs(15)), "{delays:?}");
        harness.session.connected(harness.now);
        harness.receive(login_acknowledged(market));
        assert_eq!(harness.sent().len(), 1, "the topic is subscribed after all");
    }
}

#[test]
fn a_login_with_unexplained_rejections_is_abandoned_after_five_attempts() {
    let mut harness = Harness::new(Market::Futures, Access::Private);
    harness.subscribe("futures/order");
    for _ in 1..5 {
        reject_login(&mut harness, UNEXPLAINED).expect("another attempt");
    }
    assert_eq!(reject_login(&mut harness, UNEXPLAINED), None);
    assert!(harness.session.is_failed());
    // The replacement session waits even longer.
    let pacing = harness.session.pacing(harness.now);
    let limits = Limits::for_endpoint(Market::Futures, Access::Private);
    let mut next = Session::with_pacing(Market::Futures, Access::Private, limits, pacing);
    next.subscribe(harness.now, "futures/order".into());
    let Some(Action::Connect { delay }) = next.poll_action() else { panic!("it connects") };
    assert!(delay >= Duration::from_secs(4), "{delay:?}");
}

#[test]
fn an_acknowledged_topic_resets_the_count_of_unexplained_rejections() {
    let mut harness = Harness::new(Market::Futures, Access::Private);
    harness.subscribe("futures/order");
    for _ in 0..3 {
        for _ in 1..5 {
            reject_login(&mut harness, UNEXPLAINED).expect("another attempt");
        }
        harness.session.connected(harness.now);
        harness.receive(login_acknowledged(Market::Futures));
        harness.receive(r#"{"action":"subscribe","group":"futures/order","success":true}"#);
        harness.now += Duration::from_secs(3);
        harness.session.disconnected(harness.now, closed());
        harness.actions();
    }
}

#[test]
fn a_topic_rejected_as_not_logged_in_reconnects_and_ends_after_five_attempts() {
    let rejections = [
        (Market::Spot, rejected(91_006, "User not logged in")),
        // "authenication" is the exchange's own spelling.
        (
            Market::Futures,
            r#"{"action":"subscribe","group":"futures/order","success":false,"error":"futures/order need authenication"}"#.to_owned(),
        ),
    ];
    for (market, rejection) in rejections {
        let mut harness = Harness::new(market, Access::Private);
        harness.subscribe("futures/order");
        let mut attempt = || {
            harness.actions();
            harness.session.connected(harness.now);
            harness.receive(login_acknowledged(market));
            harness.receive(&rejection);
            harness.events()
        };
        for _ in 1..5 {
            let events = attempt();
            assert!(matches!(events[..], [SessionEvent::Reconnecting { .. }]), "{events:?}");
        }
        let events = attempt();
        assert!(matches!(events[..], [SessionEvent::Rejected { .. }]), "{events:?}");
    }
}

#[test]
fn redacts_the_api_key_in_rejections() {
    let mut harness = Harness::new(Market::Futures, Access::Private);
    harness.subscribe("futures/order");
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(UNEXPLAINED);
    let events = harness.events();
    let [SessionEvent::Reconnecting { reason: ReconnectReason::Rejected(rejection) }] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(
        rejection.text,
        "access failed: openapi auth: apiKey **** failed: openapi auth failed"
    );
}

#[test]
fn an_unacknowledged_login_ends_the_connection() {
    let mut harness = Harness::new(Market::Spot, Access::Private);
    harness.subscribe(ORDERS);
    harness.session.connected(harness.now);
    harness.actions();
    assert_eq!(harness.advance_to_deadline(), Duration::from_secs(10));
    let reason = ReconnectReason::NotAcknowledged { operation: "login" };
    assert_eq!(harness.events(), [SessionEvent::Reconnecting { reason }]);
}
