//! Connecting, logging in, staying alive and ending.

use super::*;

#[test]
fn nothing_happens_without_a_topic() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    assert_eq!((run.session.deadline(), run.actions()), (None, vec![]));
    assert!(run.session.is_idle());
}

#[test]
fn the_first_topic_connects_at_once_and_a_second_does_not_again() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    assert_eq!(run.actions(), [Action::Connect { delay: Duration::ZERO }]);
    run.subscribe("spot/trade:BTC_USDT");
    assert_eq!(run.actions(), []);
}

#[test]
fn topics_wait_for_the_connection_and_go_out_in_one_frame() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    run.subscribe("spot/trade:BTC_USDT");
    run.actions();
    run.session.connected(run.now);
    assert_eq!(run.sent(), [subscribe_frame(&[TICKER, "spot/trade:BTC_USDT"])]);
}

#[test]
fn a_missing_acknowledgement_gives_the_connection_up() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    run.session.connected(run.now);
    run.actions();
    run.now += Duration::from_secs(9);
    run.receive("pong");
    run.advance(Duration::from_secs(1));
    let actions = run.actions();
    let reason = ReconnectReason::Unanswered { waited_for: "subscription" };
    assert_eq!(actions[..2], [Action::Close, Action::Emit(Notice::Reconnecting { reason })]);
    assert!(matches!(actions[2], Action::Connect { .. }));
}

#[test]
fn a_lost_connection_is_replayed_and_resynced() {
    let mut run = Run::spot(&[TICKER]);
    run.session.closed(run.now, closed());
    let actions = run.actions();
    assert_eq!(actions[0], Action::Emit(Notice::Reconnecting { reason: closed() }));
    assert!(matches!(actions[1..], [Action::Connect { delay }] if delay > Duration::ZERO));
    run.now += Duration::from_secs(2);
    run.session.connected(run.now);
    assert_eq!(run.sent(), [subscribe_frame(&[TICKER])], "the frame is really sent again");
    run.receive(&acknowledged(TICKER));
    assert_eq!(run.notices(), [Notice::Resynced { topic: TICKER.into() }]);
}

#[test]
fn a_replay_comes_in_frames_within_the_limits() {
    let names: Vec<_> = (0..50).map(|index| format!("spot/ticker:C{index:02}_USDT")).collect();
    let mut run = Run::new(Dialect::Spot, Access::Public);
    for name in &names {
        run.subscribe(name);
    }
    run.session.connected(run.now);
    let frames: Vec<_> = names
        .chunks(20)
        .map(|chunk| subscribe_frame(&chunk.iter().map(String::as_str).collect::<Vec<_>>()))
        .collect();
    assert_eq!(run.sent(), frames);

    let mut run = Run::new(Dialect::Futures, Access::Public);
    let names: Vec<_> =
        (0..200).map(|index| format!("futures/depthIncrease20:C{index}USDT@200ms")).collect();
    for name in &names {
        run.subscribe(name);
    }
    run.session.connected(run.now);
    let frames = run.sent();
    assert!(frames.iter().all(|frame| frame.len() < 2_000));
    assert!(
        names.iter().all(|name| frames.iter().any(|frame| frame.contains(&format!("\"{name}\""))))
    );
}

#[test]
fn a_failed_attempt_waits_longer_each_time() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    run.actions();
    let mut delays = Vec::new();
    for _ in 0..8 {
        run.now += Duration::from_secs(40);
        run.session.closed(run.now, closed());
        match &run.actions()[..] {
            [Action::Emit(_), Action::Connect { delay }] => delays.push(*delay),
            other => panic!("{other:?}"),
        }
    }
    assert!(
        delays[0] <= Duration::from_millis(500) && delays[7] >= Duration::from_secs(15),
        "{delays:?}"
    );
}

#[test]
fn backoff_starts_over_only_after_a_healthy_connection() {
    for (lasted, most) in [(1, Duration::from_secs(30)), (3, Duration::from_millis(500))] {
        let mut run = Run::new(Dialect::Spot, Access::Public);
        run.subscribe(TICKER);
        for _ in 0..8 {
            run.now += Duration::from_secs(40);
            run.session.closed(run.now, closed());
        }
        run.now += Duration::from_secs(40);
        run.session.connected(run.now);
        run.receive(&acknowledged(TICKER));
        run.now += Duration::from_secs(lasted);
        run.actions();
        run.session.closed(run.now, closed());
        let actions = run.actions();
        let Some(Action::Connect { delay }) = actions.last() else { panic!("{actions:?}") };
        assert!(*delay <= most && *delay > most / 3, "{lasted} s gave {delay:?}");
    }
}

#[test]
fn a_server_that_accepts_and_closes_meets_no_storm() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    let mut attempts = 0;
    while run.now < run.start + Duration::from_secs(60) {
        for action in run.actions() {
            if let Action::Connect { delay } = action {
                attempts += 1;
                run.now += delay;
            }
        }
        run.session.connected(run.now);
        run.session.closed(run.now, closed());
    }
    assert!((2..=30).contains(&attempts), "{attempts} attempts in a minute");
}

#[test]
fn the_heartbeat_is_in_the_dialect_and_on_time() {
    for (dialect, ping) in [(Dialect::Spot, "ping"), (Dialect::Futures, r#"{"action":"ping"}"#)] {
        let mut run = Run::new(dialect, Access::Public);
        run.subscribe(TICKER);
        run.session.connected(run.now);
        run.receive(&acknowledged(TICKER));
        run.receive(&format!(r#"{{"action":"subscribe","group":"{TICKER}","success":true}}"#));
        run.actions();
        assert_eq!(run.wake(), Duration::from_secs(10));
        assert_eq!(run.sent(), [ping]);
        run.now += Duration::from_secs(5);
        run.receive(r#"{"group":"System","data":"pong+1"}"#);
        assert_eq!(run.wake(), Duration::from_secs(20), "answers do not put the next one off");
        assert_eq!(run.sent(), [ping]);
    }
}

#[test]
fn silence_beyond_the_bound_reconnects_and_any_frame_counts_as_life() {
    let mut run = Run::spot(&[TICKER]);
    for frame in ["pong", r#"{"table":"spot/ticker","data":[]}"#, "garbage"] {
        run.now += Duration::from_secs(19);
        run.receive(frame);
        run.session.tick(run.now);
        assert!(run.notices().is_empty());
    }
    run.now += Duration::from_secs(19);
    run.session.heard(run.now);
    let since = run.now;
    run.advance(Duration::from_secs(19));
    assert_eq!(run.notices(), [Notice::Stale { since }], "a protocol ping is life too");
    run.advance(Duration::from_secs(1));
    let reason = ReconnectReason::Silent { limit: Duration::from_secs(20) };
    assert_eq!(run.notices(), [Notice::Reconnecting { reason }]);
}

#[test]
fn a_connection_that_falls_silent_is_stale_once_and_alive_when_it_is_heard_again() {
    let mut run = Run::spot(&[TICKER]);
    let since = run.now;
    while run.now < since + Duration::from_secs(15) {
        assert!(run.notices().is_empty(), "a heartbeat without an answer is given 5 s");
        run.wake();
    }
    assert_eq!(run.notices(), [Notice::Stale { since }]);
    assert_eq!(run.session.status().condition, Condition::Stale { since });
    run.advance(Duration::from_secs(1));
    assert_eq!(run.notices(), [], "said once");
    run.receive("pong");
    assert_eq!(run.notices(), [Notice::Alive]);
    assert!(matches!(run.session.status().condition, Condition::Open { .. }));
    let since = run.now;
    run.advance(Duration::from_secs(15));
    assert_eq!(run.notices(), [Notice::Stale { since }], "and said again the next time");
}

#[test]
fn an_empty_connection_lingers_and_is_closed_before_the_venue_does_it() {
    let mut run = Run::new(Dialect::Futures, Access::Public);
    run.subscribe(BOOK);
    run.session.connected(run.now);
    run.receive(&format!(r#"{{"action":"subscribe","group":"{BOOK}","success":true}}"#));
    run.unsubscribe(BOOK);
    run.actions();
    let closed_after = run.wake();
    assert!(closed_after < Duration::from_secs(5));
    assert!(run.actions().contains(&Action::Close));
    assert!(run.session.is_idle());
    assert_eq!(run.session.deadline(), None);
}

#[test]
fn a_new_topic_in_time_keeps_the_empty_connection() {
    let mut run = Run::spot(&[TICKER]);
    run.unsubscribe(TICKER);
    run.receive(&format!(r#"{{"event":"unsubscribe","topic":"{TICKER}"}}"#));
    run.subscribe("spot/trade:BTC_USDT");
    run.receive(&acknowledged("spot/trade:BTC_USDT"));
    run.actions();
    for _ in 0..10 {
        run.advance(Duration::from_secs(10));
        run.receive("pong");
    }
    assert!(!run.actions().contains(&Action::Close));
}

#[test]
fn a_topic_given_up_while_connecting_cancels_the_attempt() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    run.actions();
    run.unsubscribe(TICKER);
    assert_eq!(
        run.actions(),
        [Action::Emit(Notice::Unsubscribed { topic: TICKER.into() }), Action::Close]
    );
    assert!(run.session.is_idle());
    run.subscribe(TICKER);
    assert_eq!(
        run.actions(),
        [Action::Connect { delay: Duration::from_secs(2) }],
        "attempts keep their distance"
    );
}

#[test]
fn frames_meant_for_a_lost_connection_are_not_sent_on_the_next() {
    let mut run = Run::spot(&[TICKER]);
    run.subscribe("spot/trade:BTC_USDT");
    run.session.closed(run.now, closed());
    assert!(run.sent().is_empty());
}

#[test]
fn the_message_limit_is_kept_and_the_heartbeat_still_gets_through() {
    let mut limits = Limits::of(Dialect::Spot, Access::Public);
    limits.topics_per_message = 1;
    let mut run = Run::with(Dialect::Spot, Access::Public, &limits);
    for index in 0..115 {
        run.subscribe(&format!("spot/ticker:C{index}_USDT"));
    }
    run.session.connected(run.now);
    let first = run.sent();
    assert_eq!(first.len(), 90);
    for frame in first {
        run.receive(&acknowledged(frame.split('"').nth(7).expect("a topic")));
    }
    run.now += Duration::from_millis(9_999);
    run.session.tick(run.now);
    assert_eq!(run.sent(), [""; 0]);
    run.advance(Duration::from_millis(1));
    let rest = run.sent();
    assert_eq!(rest.len(), 26, "25 topics and a heartbeat: {rest:?}");
}

#[test]
fn a_full_connection_refuses_another_topic() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    for index in 0..115 {
        run.subscribe(&format!("spot/ticker:C{index}_USDT"));
    }
    assert!(run.notices().is_empty());
    run.subscribe(TICKER);
    assert!(matches!(&run.notices()[..], [Notice::Rejected { topic, .. }] if &**topic == TICKER));
}

#[test]
fn complaints_about_the_connection_reconnect() {
    let mut run = Run::spot(&[TICKER]);
    run.receive(r#"{"event":"error","errorCode":"94002","errorMessage":"too many connections"}"#);
    assert!(matches!(
        run.notices()[..],
        [Notice::Reconnecting { reason: ReconnectReason::Refused(_) }]
    ));
}

#[test]
fn a_session_that_follows_another_keeps_its_distance_and_its_backoff() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    for _ in 0..8 {
        run.now += Duration::from_secs(40);
        run.session.closed(run.now, closed());
    }
    let actions = run.actions();
    let Some(Action::Connect { delay }) = actions.last() else { panic!("{actions:?}") };
    let (limits, expected) = (Limits::of(Dialect::Spot, Access::Public), *delay);
    let pace = run.session.pace(run.now);
    run.session = Session::resume(Dialect::Spot, Access::Public, limits, pace);
    run.subscribe(TICKER);
    let delay = expected + limits.connect_spacing;
    assert_eq!(run.actions(), [Action::Connect { delay }], "after the attempt that was planned");
    run.now += delay;
    run.session.closed(run.now, closed());
    let actions = run.actions();
    let Some(Action::Connect { delay }) = actions.last() else { panic!("{actions:?}") };
    assert!(*delay >= Duration::from_secs(15), "the backoff goes on: {delay:?}");
}
