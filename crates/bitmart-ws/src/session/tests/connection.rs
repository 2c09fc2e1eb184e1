//! Connecting, message limits and reconnections.

use super::*;

#[test]
fn nothing_happens_without_a_topic() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    assert_eq!((harness.session.deadline(), harness.actions()), (None, vec![]));
    assert!(harness.session.is_idle());
}

#[test]
fn only_the_first_topic_connects() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    assert_eq!(harness.actions(), [Action::Connect { delay: Duration::ZERO }]);
    harness.subscribe("spot/trade:BTC_USDT");
    assert_eq!(harness.actions(), []);
}

#[test]
fn topics_wait_for_the_connection_and_share_a_frame() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    harness.subscribe("spot/trade:BTC_USDT");
    harness.actions();
    harness.session.connected(harness.now);
    assert_eq!(harness.sent(), [subscribe_frame(&[TICKER, "spot/trade:BTC_USDT"])]);
}

#[test]
fn a_missing_first_acknowledgement_ends_the_connection() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    harness.session.connected(harness.now);
    harness.actions();
    harness.now += Duration::from_secs(9);
    harness.receive("pong");
    harness.advance(Duration::from_secs(1));
    let actions = harness.actions();
    let reason = ReconnectReason::NotAcknowledged { operation: "subscription" };
    assert_eq!(actions[..2], [Action::Close, Action::Emit(SessionEvent::Reconnecting { reason })]);
    assert!(matches!(actions[2], Action::Connect { .. }));
}

#[test]
fn pings_are_answered_now_and_then_although_the_message_limit_is_used_up() {
    let mut harness = Harness::spot(&[TICKER]);
    while {
        harness.session.request_snapshot(harness.now, TICKER);
        !harness.sent().is_empty()
    } {}
    // A flood: the heartbeats must keep their share.
    let mut pongs = 0;
    for _ in 0..50 {
        pongs += u32::from(harness.session.ping_received(harness.now));
        harness.now += Duration::from_millis(100);
    }
    assert_eq!(pongs, 1);
    assert!(harness.session.ping_received(harness.now), "5 s later");
}

#[test]
fn resubscribes_after_a_lost_connection() {
    let mut harness = Harness::spot(&[TICKER]);
    harness.session.disconnected(harness.now, closed());
    let actions = harness.actions();
    assert_eq!(actions[0], Action::Emit(SessionEvent::Reconnecting { reason: closed() }));
    assert!(matches!(actions[1..], [Action::Connect { delay }] if delay > Duration::ZERO));
    harness.now += Duration::from_secs(2);
    harness.session.connected(harness.now);
    assert_eq!(harness.sent(), [subscribe_frame(&[TICKER])], "the frame is sent again");
    harness.receive(&acknowledged(TICKER));
    assert_eq!(harness.events(), [SessionEvent::Resynced { topic: TICKER.into() }]);
}

#[test]
fn splits_subscriptions_into_frames_within_the_limits() {
    let names: Vec<_> = (0..50).map(|index| format!("spot/ticker:C{index:02}_USDT")).collect();
    let mut harness = Harness::new(Market::Spot, Access::Public);
    for name in &names {
        harness.subscribe(name);
    }
    harness.session.connected(harness.now);
    let frames: Vec<_> = names
        .chunks(20)
        .map(|chunk| subscribe_frame(&chunk.iter().map(String::as_str).collect::<Vec<_>>()))
        .collect();
    assert_eq!(harness.sent(), frames);

    let mut harness = Harness::new(Market::Futures, Access::Public);
    let names: Vec<_> =
        (0..200).map(|index| format!("futures/depthIncrease20:C{index}USDT@200ms")).collect();
    for name in &names {
        harness.subscribe(name);
    }
    harness.session.connected(harness.now);
    let frames = harness.sent();
    assert!(frames.iter().all(|frame| frame.len() < 2_000));
    assert!(
        names.iter().all(|name| frames.iter().any(|frame| frame.contains(&format!("\"{name}\""))))
    );
}

#[test]
fn each_failed_attempt_increases_the_delay() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    harness.actions();
    let mut delays = Vec::new();
    for _ in 0..8 {
        harness.now += Duration::from_secs(40);
        harness.session.disconnected(harness.now, closed());
        match &harness.actions()[..] {
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
fn only_a_healthy_connection_resets_the_backoff() {
    for (lasted, max_delay) in [(1, Duration::from_secs(30)), (3, Duration::from_millis(500))] {
        let mut harness = Harness::new(Market::Spot, Access::Public);
        harness.subscribe(TICKER);
        for _ in 0..8 {
            harness.now += Duration::from_secs(40);
            harness.session.disconnected(harness.now, closed());
        }
        harness.now += Duration::from_secs(40);
        harness.session.connected(harness.now);
        harness.receive(&acknowledged(TICKER));
        harness.now += Duration::from_secs(lasted);
        harness.actions();
        harness.session.disconnected(harness.now, closed());
        let actions = harness.actions();
        let Some(Action::Connect { delay }) = actions.last() else { panic!("{actions:?}") };
        assert!(*delay <= max_delay && *delay > max_delay / 3, "{lasted} s gave {delay:?}");
    }
}

#[test]
fn backs_off_from_a_server_that_accepts_and_closes() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    let mut attempts = 0;
    while harness.now < harness.start + Duration::from_secs(60) {
        for action in harness.actions() {
            if let Action::Connect { delay } = action {
                attempts += 1;
                harness.now += delay;
            }
        }
        harness.session.connected(harness.now);
        harness.session.disconnected(harness.now, closed());
    }
    assert!((2..=30).contains(&attempts), "{attempts} attempts in a minute");
}

#[test]
fn unsubscribing_while_connecting_cancels_the_attempt() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    harness.actions();
    harness.unsubscribe(TICKER);
    assert_eq!(
        harness.actions(),
        [Action::Emit(SessionEvent::Unsubscribed { topic: TICKER.into() }), Action::Close]
    );
    assert!(harness.session.is_idle());
    harness.subscribe(TICKER);
    assert_eq!(
        harness.actions(),
        [Action::Connect { delay: Duration::from_secs(2) }],
        "attempts keep the spacing"
    );
}

#[test]
fn drops_unsent_frames_of_a_lost_connection() {
    let mut harness = Harness::spot(&[TICKER]);
    harness.subscribe("spot/trade:BTC_USDT");
    harness.session.disconnected(harness.now, closed());
    assert!(harness.sent().is_empty());
}

#[test]
fn keeps_the_message_limit_and_reserves_the_heartbeat() {
    let mut limits = Limits::for_endpoint(Market::Spot, Access::Public);
    limits.topics_per_message = 1;
    let mut harness = Harness::with(Market::Spot, Access::Public, &limits);
    for index in 0..115 {
        harness.subscribe(&format!("spot/ticker:C{index}_USDT"));
    }
    harness.session.connected(harness.now);
    let first = harness.sent();
    assert_eq!(first.len(), 90);
    for frame in first {
        harness.receive(&acknowledged(frame.split('"').nth(7).expect("a topic")));
    }
    harness.now += Duration::from_millis(9_999);
    harness.session.tick(harness.now);
    assert_eq!(harness.sent(), [""; 0]);
    harness.advance(Duration::from_millis(1));
    let later = harness.sent();
    assert_eq!(later.len(), 26, "25 topics and a heartbeat: {later:?}");
}

#[test]
fn a_heartbeat_that_waits_for_a_permit_has_a_deadline_in_the_future() {
    let mut limits = Limits::for_endpoint(Market::Spot, Access::Public);
    // Fewer permits than heartbeats within a window.
    limits.messages_per_window = 2;
    limits.messages_reserved = 1;
    limits.heartbeat_interval = Duration::from_secs(1);
    let mut harness = Harness::with(Market::Spot, Access::Public, &limits);
    harness.subscribe(TICKER);
    harness.session.connected(harness.now);
    harness.receive(&acknowledged(TICKER));
    for _ in 0..20 {
        let deadline = harness.session.deadline().expect("a deadline");
        assert!(deadline > harness.now, "a deadline that has passed would spin");
        harness.now = deadline;
        harness.receive("pong");
        harness.session.tick(harness.now);
    }
}

#[test]
fn a_limit_of_no_topics_in_a_frame_counts_as_one() {
    let mut limits = Limits::for_endpoint(Market::Spot, Access::Public);
    limits.topics_per_message = 0;
    let mut harness = Harness::with(Market::Spot, Access::Public, &limits);
    harness.subscribe("spot/a:X");
    harness.subscribe("spot/b:X");
    harness.session.connected(harness.now);
    assert_eq!(harness.sent(), [subscribe_frame(&["spot/a:X"]), subscribe_frame(&["spot/b:X"])]);
}

#[test]
fn rejects_topics_beyond_the_topic_limit() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    for index in 0..115 {
        harness.subscribe(&format!("spot/ticker:C{index}_USDT"));
    }
    assert!(harness.events().is_empty());
    harness.subscribe(TICKER);
    assert!(
        matches!(&harness.events()[..], [SessionEvent::Rejected { topic, .. }] if &**topic == TICKER)
    );
}

#[test]
fn a_rejection_of_the_connection_reconnects() {
    let mut harness = Harness::spot(&[TICKER]);
    harness
        .receive(r#"{"event":"error","errorCode":"94002","errorMessage":"too many connections"}"#);
    assert!(matches!(
        harness.events()[..],
        [SessionEvent::Reconnecting { reason: ReconnectReason::Rejected(_) }]
    ));
}

#[test]
fn a_replacement_session_continues_the_pacing() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    for _ in 0..8 {
        harness.now += Duration::from_secs(40);
        harness.session.disconnected(harness.now, closed());
    }
    let actions = harness.actions();
    let Some(Action::Connect { delay }) = actions.last() else { panic!("{actions:?}") };
    let (limits, expected) = (Limits::for_endpoint(Market::Spot, Access::Public), *delay);
    let pacing = harness.session.pacing(harness.now);
    harness.session = Session::with_pacing(Market::Spot, Access::Public, limits, pacing);
    harness.subscribe(TICKER);
    let delay = expected + limits.connect_spacing;
    assert_eq!(
        harness.actions(),
        [Action::Connect { delay }],
        "after the attempt that was planned"
    );
    harness.now += delay;
    harness.session.disconnected(harness.now, closed());
    let actions = harness.actions();
    let Some(Action::Connect { delay }) = actions.last() else { panic!("{actions:?}") };
    assert!(*delay >= Duration::from_secs(15), "the backoff continues: {delay:?}");
}

#[test]
fn any_duration_of_the_limits_is_accepted() {
    for duration in [Duration::ZERO, Duration::from_secs(1 << 62), Duration::MAX] {
        for access in [Access::Public, Access::Private] {
            let default = Limits::for_endpoint(Market::Spot, access);
            let limits = Limits {
                connect_window: duration,
                message_window: duration,
                connect_timeout: duration,
                connect_spacing: duration,
                heartbeat_interval: duration,
                idle_timeout: duration,
                stale_after: duration,
                acknowledgement_timeout: duration,
                login_timeout: duration,
                unused_timeout: duration,
                topic_retry_delay: duration,
                backoff_base: duration,
                backoff_cap: duration,
                healthy_after: duration,
                handshake_retry_delay: duration,
                max_retry_after: duration,
                ..default
            };
            let mut harness = Harness::with(Market::Spot, access, &limits);
            for _ in 0..3 {
                harness.subscribe(TICKER);
                harness.session.connected(harness.now);
                harness.receive(&acknowledged(TICKER));
                let _ = harness.session.deadline();
                harness.advance(Duration::from_secs(1));
                harness.unsubscribe(TICKER);
                harness.advance(Duration::from_secs(1));
                let _ = harness.session.deadline();
                let wait = Some(Duration::MAX);
                let reason = ReconnectReason::HandshakeRejected {
                    status: 429,
                    page: None,
                    retry_after: wait,
                };
                harness.session.disconnected(harness.now, reason);
                harness.advance(Duration::from_secs(1));
                let _ = harness.session.pacing(harness.now);
            }
        }
    }
}
