//! Logins, and what becomes of refused ones.

use super::*;

#[test]
fn the_login_comes_before_every_private_topic() {
    let mut run = Run::new(Dialect::Spot, Access::Private);
    run.subscribe(ORDERS);
    run.actions();
    run.session.connected(run.now);
    assert_eq!(run.actions(), [Action::Login]);
    run.subscribe("spot/user/order:BTC_USDT");
    assert_eq!(run.actions(), []);
    run.receive(r#"{"event":"login"}"#);
    assert_eq!(run.sent(), [subscribe_frame(&["spot/user/order:BTC_USDT", ORDERS])]);
}

#[test]
fn a_refused_login_ends_the_session_with_advice() {
    let cases = [
        (
            Dialect::Spot,
            r#"{"event":"login","errorCode":"91011","errorMessage":"Param sign is wrong"}"#,
            "memo",
        ),
        (Dialect::Spot, r#"{"event":"login","error_code":91004,"error_message":"x"}"#, "expired"),
    ];
    for (dialect, frame, advice) in cases {
        let mut run = Run::new(dialect, Access::Private);
        run.subscribe(ORDERS);
        run.session.connected(run.now);
        run.actions();
        run.receive(frame);
        let actions = run.actions();
        let [Action::Close, Action::Emit(Notice::LoginRefused { rejection })] = &actions[..] else {
            panic!("{actions:?}")
        };
        assert!(rejection.login_advice().contains(advice));
        assert!(run.session.is_failed());
        run.session.closed(run.now, closed());
        assert_eq!((run.actions(), run.session.deadline()), (vec![], None), "no loop");
        run.subscribe(ORDERS);
        assert!(
            matches!(run.notices()[..], [Notice::Rejected { .. }]),
            "every command is answered"
        );
    }
}

/// Connects, sends the login and has it refused. Gives the pause before the next attempt, if there is
/// to be one.
fn refuse_login(run: &mut Run, frame: &str) -> Option<Duration> {
    run.session.connected(run.now);
    run.actions();
    run.receive(frame);
    let actions = run.actions();
    match &actions[..] {
        [
            Action::Close,
            Action::Emit(Notice::Reconnecting { reason: ReconnectReason::Refused(_) }),
            Action::Connect { delay },
        ] => {
            run.now += *delay;
            Some(*delay)
        }
        [Action::Close, Action::Emit(Notice::LoginRefused { .. })] => None,
        _ => panic!("{actions:?} after {frame}"),
    }
}

const UNEXPLAINED: &str = r#"{"action":"access","success":false,"error":"access failed: openapi auth: apiKey 880d5edecs**** failed: openapi auth failed"}"#;

#[test]
fn a_login_that_is_refused_for_a_passing_reason_is_tried_again_with_growing_pauses() {
    let frames = [
        r#"{"action":"access","success":false,"error":"authentication is temporarily unavailable"}"#,
        r#"{"event":"login","errorCode":"91022","errorMessage":"Param timestamp range. Within a minute"}"#,
        r#"{"event":"login","errorCode":"90007","errorMessage":"please try later"}"#,
        r#"{"event":"login","errorCode":"95000","errorMessage":"Internal system error"}"#,
    ];
    for frame in frames {
        let spot = frame.contains("event");
        let dialect = if spot { Dialect::Spot } else { Dialect::Futures };
        let mut run = Run::new(dialect, Access::Private);
        run.subscribe(ORDERS);
        let pauses: Vec<_> = (0..20).filter_map(|_| refuse_login(&mut run, frame)).collect();
        assert_eq!(pauses.len(), 20, "never given up: {frame}");
        assert!(pauses[0] < Duration::from_secs(3), "{pauses:?}");
        assert!(pauses[10..].iter().all(|pause| *pause >= Duration::from_secs(15)), "{pauses:?}");
        run.session.connected(run.now);
        run.receive(if spot {
            r#"{"event":"login"}"#
        } else {
            r#"{"action":"access","success":true}"#
        });
        assert_eq!(run.sent().len(), 1, "the topic is subscribed after all");
    }
}

#[test]
fn a_login_refused_for_a_reason_that_nobody_knows_is_tried_five_times() {
    let mut run = Run::new(Dialect::Futures, Access::Private);
    run.subscribe("futures/order");
    for _ in 1..5 {
        refuse_login(&mut run, UNEXPLAINED).expect("another attempt");
    }
    assert_eq!(refuse_login(&mut run, UNEXPLAINED), None);
    assert!(run.session.is_failed());
    // The session that follows waits longer still.
    let pace = run.session.pace(run.now);
    let limits = Limits::of(Dialect::Futures, Access::Private);
    let mut next = Session::resume(Dialect::Futures, Access::Private, limits, pace);
    next.subscribe(run.now, "futures/order".into());
    let Some(Action::Connect { delay }) = next.poll_action() else { panic!("it connects") };
    assert!(delay >= Duration::from_secs(4), "{delay:?}");
}

#[test]
fn refusals_that_nobody_knows_count_from_the_last_topic_that_was_served() {
    let mut run = Run::new(Dialect::Futures, Access::Private);
    run.subscribe("futures/order");
    for _ in 0..3 {
        for _ in 1..5 {
            refuse_login(&mut run, UNEXPLAINED).expect("another attempt");
        }
        run.session.connected(run.now);
        run.receive(r#"{"action":"access","success":true}"#);
        run.receive(r#"{"action":"subscribe","group":"futures/order","success":true}"#);
        run.now += Duration::from_secs(3);
        run.session.closed(run.now, closed());
        run.actions();
    }
}

#[test]
fn a_connection_that_the_venue_takes_for_one_without_a_login_logs_in_again() {
    let refusals = [
        (Dialect::Spot, refused(91_006, "User not logged in")),
        (
            Dialect::Futures,
            r#"{"action":"subscribe","group":"futures/order","success":false,"error":"futures/order need authenication"}"#.to_owned(),
        ),
    ];
    for (dialect, refusal) in refusals {
        let mut run = Run::new(dialect, Access::Private);
        run.subscribe("futures/order");
        let mut attempt = || {
            run.actions();
            run.session.connected(run.now);
            run.receive(r#"{"event":"login"}"#);
            run.receive(r#"{"action":"access","success":true}"#);
            run.receive(&refusal);
            run.notices()
        };
        for _ in 1..5 {
            let notices = attempt();
            assert!(matches!(notices[..], [Notice::Reconnecting { .. }]), "{notices:?}");
        }
        let notices = attempt();
        assert!(matches!(notices[..], [Notice::Rejected { .. }]), "{notices:?}");
    }
}

#[test]
fn the_key_that_futures_repeats_is_not_passed_on() {
    let mut run = Run::new(Dialect::Futures, Access::Private);
    run.subscribe("futures/order");
    run.session.connected(run.now);
    run.actions();
    run.receive(UNEXPLAINED);
    let notices = run.notices();
    let [Notice::Reconnecting { reason: ReconnectReason::Refused(rejection) }] = &notices[..]
    else {
        panic!("{notices:?}")
    };
    assert_eq!(
        rejection.text,
        "access failed: openapi auth: apiKey **** failed: openapi auth failed"
    );
}

#[test]
fn a_login_without_an_answer_is_given_up() {
    let mut run = Run::new(Dialect::Spot, Access::Private);
    run.subscribe(ORDERS);
    run.session.connected(run.now);
    run.actions();
    assert_eq!(run.wake(), Duration::from_secs(10));
    let reason = ReconnectReason::Unanswered { waited_for: "login" };
    assert_eq!(run.notices(), [Notice::Reconnecting { reason }]);
}
