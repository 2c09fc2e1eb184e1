//! Subscribing, unsubscribing, requests and refusals.

use super::*;

#[test]
fn each_acknowledgement_confirms_its_topic() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    run.subscribe("spot/trade:BTC_USDT");
    run.session.connected(run.now);
    run.actions();
    run.receive(&acknowledged("spot/trade:BTC_USDT"));
    assert_eq!(run.notices(), [subscribed("spot/trade:BTC_USDT")]);
    run.receive(&acknowledged(TICKER));
    assert_eq!(run.notices(), [subscribed(TICKER)]);
}

#[test]
fn futures_speaks_its_own_dialect() {
    let mut run = Run::new(Dialect::Futures, Access::Public);
    run.subscribe(BOOK);
    run.session.connected(run.now);
    assert_eq!(run.sent(), [format!(r#"{{"action":"subscribe","args":["{BOOK}"]}}"#)]);
    run.receive(&format!(
        r#"{{"action":"subscribe","group":"{BOOK}","success":true,"request":{{"action":"subscribe","args":["{BOOK}"]}}}}"#
    ));
    assert_eq!(run.notices(), [subscribed(BOOK)]);
    run.receive(
        r#"{"action":"subscribe","group":"futures/depthIncrease20:BTCUSDT@100ms","success":true}"#,
    );
    assert_eq!(run.notices(), []);
}

#[test]
fn an_answer_with_another_suffix_still_finds_its_topic() {
    let mut run = Run::new(Dialect::Futures, Access::Public);
    run.subscribe("futures/depthIncrease20:BTCUSDT");
    run.session.connected(run.now);
    run.actions();
    run.receive(
        r#"{"action":"subscribe","group":"futures/depthIncrease20:BTCUSDT@100ms","success":true}"#,
    );
    assert_eq!(run.notices(), [subscribed("futures/depthIncrease20:BTCUSDT")]);
}

#[test]
fn data_frames_are_handed_back_with_their_channel() {
    let mut run = Run::spot(&[TICKER]);
    let channel = run.session.receive(run.now, r#"{"table":"spot/ticker","data":[]}"#);
    assert_eq!(channel, Some("spot/ticker"));
    assert_eq!(run.actions(), []);
}

#[test]
fn the_first_data_of_a_topic_confirms_it_and_the_later_acknowledgement_says_nothing_new() {
    let ether = "spot/ticker:ETH_USDT";
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    run.subscribe(ether);
    run.session.connected(run.now);
    run.actions();
    let data = r#"{"table":"spot/ticker","data":[{"symbol":"BTC_USDT"}]}"#;
    run.receive(data);
    assert_eq!(run.notices(), [subscribed(TICKER)], "the other symbol still waits");
    run.receive(&acknowledged(TICKER));
    run.receive(data);
    assert_eq!(run.notices(), []);
    run.receive(&refused(90_004, "Invalid channel param"));
    assert!(
        matches!(&run.notices()[..], [Notice::Rejected { topic, .. }] if &**topic == ether),
        "a refusal can only mean the topic that is left"
    );
}

#[test]
fn futures_data_confirms_its_group() {
    let mut run = Run::new(Dialect::Futures, Access::Public);
    run.subscribe(BOOK);
    run.session.connected(run.now);
    run.actions();
    run.receive(r#"{"group":"futures/depthIncrease20:ETHUSDT@200ms","data":{"symbol":"ETHUSDT"}}"#);
    assert_eq!(run.notices(), []);
    run.receive(&format!(r#"{{"group":"{BOOK}","data":{{"symbol":"BTCUSDT"}}}}"#));
    assert_eq!(run.notices(), [subscribed(BOOK)]);
}

#[test]
fn a_duplicate_is_not_an_error() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    run.session.connected(run.now);
    run.actions();
    run.receive(&refused(90_008, "Duplicate subscription"));
    assert_eq!(run.notices(), [subscribed(TICKER)]);
}

#[test]
fn a_refusal_without_a_topic_finds_the_only_one_in_flight() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe("spot/nonsense:BTC_USDT");
    run.session.connected(run.now);
    run.actions();
    run.receive(&refused(90_004, "Invalid channel param"));
    let rejection = Rejection::new(Some(90_004), "Invalid channel param");
    assert_eq!(
        run.notices(),
        [Notice::Rejected { topic: "spot/nonsense:BTC_USDT".into(), rejection }]
    );
    assert_eq!(run.session.desired_topics(), 0);
}

#[test]
fn a_refusal_among_many_falls_on_the_one_that_is_not_acknowledged() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    for topic in ["spot/a:X", "spot/b:X", "spot/c:X"] {
        run.subscribe(topic);
    }
    run.session.connected(run.now);
    run.actions();
    run.receive(&refused(90_004, "Invalid channel param"));
    assert_eq!(run.notices(), [], "three topics are open");
    run.receive(&acknowledged("spot/a:X"));
    run.receive(&acknowledged("spot/c:X"));
    let notices = run.notices();
    assert!(
        matches!(&notices[..], [_, _, Notice::Rejected { topic, .. }] if &**topic == "spot/b:X"),
        "{notices:?}"
    );
}

#[test]
fn a_refusal_of_a_whole_frame_is_resolved_topic_by_topic() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe("spot/a:X");
    run.subscribe("spot/b:X");
    run.session.connected(run.now);
    run.actions();
    run.receive(&refused(90_004, "Invalid channel param"));
    for _ in 0..9 {
        run.advance(Duration::from_secs(1));
        run.receive("pong");
    }
    run.actions();
    run.advance(Duration::from_secs(1));
    assert!(
        run.sent().contains(&subscribe_frame(&["spot/a:X"])),
        "one topic, nothing else in flight"
    );
    run.receive(&refused(90_004, "Invalid channel param"));
    let actions = run.actions();
    assert!(
        matches!(&actions[..], [
            Action::Emit(Notice::Rejected { topic, .. }),
            Action::Send(next),
        ] if &**topic == "spot/a:X" && *next == subscribe_frame(&["spot/b:X"])),
        "{actions:?}"
    );
    run.receive(&acknowledged("spot/b:X"));
    assert_eq!(run.notices(), [subscribed("spot/b:X")]);
}

#[test]
fn a_passing_refusal_is_tried_again_after_a_pause() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    run.session.connected(run.now);
    run.actions();
    run.receive(&refused(95_000, "Internal system error"));
    assert_eq!(run.actions(), []);
    assert_eq!(run.wake(), Duration::from_secs(5));
    assert_eq!(run.sent(), [subscribe_frame(&[TICKER])]);
}

#[test]
fn unsubscribing_really_tells_the_server() {
    let mut run = Run::spot(&[TICKER, "spot/trade:BTC_USDT"]);
    run.unsubscribe(TICKER);
    assert_eq!(run.sent(), [format!(r#"{{"op":"unsubscribe","args":["{TICKER}"]}}"#)]);
    run.receive(&format!(r#"{{"event":"unsubscribe","topic":"{TICKER}"}}"#));
    assert_eq!(run.notices(), [Notice::Unsubscribed { topic: TICKER.into() }]);
    run.session.closed(run.now, closed());
    run.session.connected(run.now);
    assert_eq!(run.sent(), [subscribe_frame(&["spot/trade:BTC_USDT"])], "it is not replayed");
}

#[test]
fn a_topic_dropped_before_its_acknowledgement_is_unsubscribed_after_it() {
    let mut run = Run::spot(&["spot/trade:BTC_USDT"]);
    run.subscribe(TICKER);
    run.actions();
    run.unsubscribe(TICKER);
    assert_eq!(run.actions(), []);
    run.receive(&acknowledged(TICKER));
    assert_eq!(
        run.actions(),
        [Action::Send(format!(r#"{{"op":"unsubscribe","args":["{TICKER}"]}}"#))]
    );
}

#[test]
fn a_topic_wanted_again_while_it_is_unsubscribed_comes_back() {
    let mut run = Run::spot(&[TICKER]);
    run.unsubscribe(TICKER);
    run.subscribe(TICKER);
    run.actions();
    run.receive(&format!(r#"{{"event":"unsubscribe","topic":"{TICKER}"}}"#));
    assert_eq!(run.sent(), [subscribe_frame(&[TICKER])]);
    run.receive(&acknowledged(TICKER));
    assert_eq!(run.notices(), [subscribed(TICKER)]);
}

#[test]
fn a_second_subscription_to_a_topic_is_answered_without_a_frame() {
    let mut run = Run::spot(&[TICKER]);
    run.subscribe(TICKER);
    assert_eq!(run.actions(), [Action::Emit(subscribed(TICKER))]);
}

#[test]
fn a_request_waits_for_the_confirmation_and_goes_with_its_topic() {
    let (book, other) = ("spot/depth/increase100:BTC_USDT", "spot/depth/increase100:ETH_USDT");
    let mut run = Run::spot(&[TICKER]);
    run.subscribe(book);
    run.subscribe(other);
    run.actions();
    run.session.request(run.now, book);
    run.session.request(run.now, other);
    assert_eq!(run.sent(), [""; 0]);
    run.receive(&acknowledged(book));
    assert_eq!(run.sent(), [format!(r#"{{"op":"request","args":["{book}"]}}"#)]);
    run.receive(&refused(90_004, "Invalid channel param"));
    run.subscribe(other);
    run.receive(&acknowledged(other));
    assert!(!run.sent().iter().any(|text| text.contains("request")), "it went with its topic");
}

#[test]
fn variants_of_one_topic_exclude_each_other() {
    let (plain, fast) = ("futures/depthIncrease5:BTCUSDT", "futures/depthIncrease5:BTCUSDT@100ms");
    let answer = |verb, topic| format!(r#"{{"action":"{verb}","group":"{topic}","success":true}}"#);
    let mut run = Run::new(Dialect::Futures, Access::Public);
    run.subscribe(plain);
    run.session.connected(run.now);
    run.receive(&answer("subscribe", plain));
    run.actions();
    run.subscribe(fast);
    run.subscribe("futures/depthIncrease5:BTCUSDTM");
    let actions = run.actions();
    assert!(
        matches!(&actions[..], [Action::Emit(Notice::Rejected { topic, rejection }), Action::Send(_)]
            if &**topic == fast && rejection.text.contains(plain)),
        "{actions:?}"
    );
    run.unsubscribe(plain);
    run.subscribe(fast);
    let sent = run.sent();
    assert!(matches!(&sent[..], [text] if text.contains("unsubscribe")), "{sent:?}");
    run.receive(&answer("unsubscribe", plain));
    assert_eq!(run.sent(), [format!(r#"{{"action":"subscribe","args":["{fast}"]}}"#)]);
}

#[test]
fn a_request_asks_for_a_snapshot_of_a_confirmed_topic_only() {
    let book = "spot/depth/increase100:BTC_USDT";
    let mut run = Run::spot(&[book]);
    run.session.request(run.now, book);
    assert_eq!(run.sent(), [format!(r#"{{"op":"request","args":["{book}"]}}"#)]);
    run.session.request(run.now, TICKER);
    assert_eq!(run.actions(), []);
    run.receive(r#"{"event":"request","errorCode":"90004","errorMessage":"no"}"#);
    assert!(
        matches!(&run.notices()[..], [Notice::RequestRejected { topic, .. }] if &**topic == book)
    );
    run.session.request(run.now, book);
    run.actions();
    run.now += Duration::from_secs(11);
    run.receive("pong");
    run.session.tick(run.now);
    assert!(
        run.notices().is_empty(),
        "requests are not acknowledged, so a missing answer means nothing"
    );
}

/// A pong each second, so that only the missing answer can be the trouble.
fn wait_for_an_answer(run: &mut Run) {
    for _ in 0..10 {
        run.receive("pong");
        run.advance(Duration::from_secs(1));
    }
}

#[test]
fn a_topic_that_is_never_acknowledged_ends_alone() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    run.subscribe("spot/trade:BTC_USDT");
    run.session.connected(run.now);
    run.receive(&acknowledged(TICKER));
    run.actions();
    wait_for_an_answer(&mut run);
    assert!(run.sent().contains(&subscribe_frame(&["spot/trade:BTC_USDT"])), "asked again");
    wait_for_an_answer(&mut run);
    let notices = run.notices();
    let [Notice::Rejected { topic, rejection }] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!(&**topic, "spot/trade:BTC_USDT");
    assert!(rejection.text.contains("not acknowledged"), "{rejection}");
    wait_for_an_answer(&mut run);
    assert!(run.notices().is_empty(), "the connection lives on");
    assert_eq!(run.session.desired_topics(), 1);
}

#[test]
fn a_late_acknowledgement_of_a_topic_that_was_asked_for_again_confirms_it() {
    let mut run = Run::new(Dialect::Spot, Access::Public);
    run.subscribe(TICKER);
    run.subscribe("spot/trade:BTC_USDT");
    run.session.connected(run.now);
    run.receive(&acknowledged(TICKER));
    wait_for_an_answer(&mut run);
    run.actions();
    run.receive(r#"{"table":"spot/trade","data":[{"symbol":"BTC_USDT"}]}"#);
    assert_eq!(run.notices(), [subscribed("spot/trade:BTC_USDT")]);
    wait_for_an_answer(&mut run);
    wait_for_an_answer(&mut run);
    assert!(run.notices().is_empty());
}

#[test]
fn a_topic_that_cannot_be_unsubscribed_is_forgotten_after_the_second_try() {
    let mut run = Run::spot(&[TICKER, "spot/trade:BTC_USDT"]);
    run.unsubscribe(TICKER);
    wait_for_an_answer(&mut run);
    let sent = run.sent();
    let again = sent.iter().filter(|text| text.contains("unsubscribe")).count();
    assert_eq!(again, 2, "{sent:?}");
    wait_for_an_answer(&mut run);
    assert_eq!(run.notices(), [Notice::Unsubscribed { topic: TICKER.into() }]);
}

#[test]
fn a_topic_dropped_while_its_answer_is_overdue_leaves_nothing_behind() {
    let mut run = Run::spot(&[TICKER]);
    run.subscribe("spot/trade:BTC_USDT");
    run.unsubscribe("spot/trade:BTC_USDT");
    wait_for_an_answer(&mut run);
    assert_eq!(run.notices(), [Notice::Unsubscribed { topic: "spot/trade:BTC_USDT".into() }]);
}

#[test]
fn a_renewed_topic_is_unsubscribed_and_subscribed_again() {
    let mut run = Run::spot(&[TICKER]);
    run.session.renew(run.now, TICKER);
    run.session.renew(run.now, TICKER);
    assert_eq!(run.sent(), [format!(r#"{{"op":"unsubscribe","args":["{TICKER}"]}}"#)]);
    run.receive(&format!(r#"{{"event":"unsubscribe","topic":"{TICKER}"}}"#));
    assert_eq!(run.sent(), [subscribe_frame(&[TICKER])]);
    run.receive(&acknowledged(TICKER));
    assert_eq!(run.notices(), [subscribed(TICKER)]);
}

#[test]
fn a_topic_waits_for_the_place_of_one_that_is_on_its_way_out() {
    let mut limits = Limits::of(Dialect::Spot, Access::Public);
    limits.topics_per_connection = 1;
    let mut run = Run::with(Dialect::Spot, Access::Public, &limits);
    run.subscribe("spot/a:X");
    run.session.connected(run.now);
    run.receive(&acknowledged("spot/a:X"));
    run.actions();
    run.unsubscribe("spot/a:X");
    run.subscribe("spot/b:X");
    assert_eq!(run.sent(), [r#"{"op":"unsubscribe","args":["spot/a:X"]}"#]);
    run.receive(r#"{"event":"unsubscribe","topic":"spot/a:X"}"#);
    assert_eq!(run.sent(), [r#"{"op":"subscribe","args":["spot/b:X"]}"#]);
}

#[test]
fn a_topic_wanted_again_whose_unsubscription_is_put_off_is_answered() {
    let mut run = Run::spot(&[TICKER]);
    run.unsubscribe(TICKER);
    run.subscribe(TICKER);
    run.actions();
    run.receive(r#"{"event":"unsubscribe","errorCode":"90007","errorMessage":"too many"}"#);
    assert_eq!(run.notices(), [subscribed(TICKER)]);
}

#[test]
fn a_private_topic_refused_for_a_reason_that_nobody_knows_is_tried_five_times() {
    let refusal =
        r#"{"action":"subscribe","group":"futures/order","success":false,"error":"busy"}"#;
    let mut run = Run::new(Dialect::Futures, Access::Private);
    run.subscribe("futures/order");
    run.session.connected(run.now);
    run.receive(r#"{"action":"access","success":true}"#);
    let asked = |run: &mut Run| run.sent().iter().any(|frame| frame.contains("futures/order"));
    for _ in 1..5 {
        assert!(asked(&mut run));
        run.receive(refusal);
        assert_eq!(run.notices(), []);
        run.advance(Duration::from_secs(5));
    }
    assert!(asked(&mut run));
    run.receive(refusal);
    let notices = run.notices();
    assert!(matches!(notices[..], [Notice::Rejected { .. }]), "{notices:?}");
}

#[test]
fn a_topic_that_does_not_exist_is_refused_at_once() {
    for (access, error) in [
        (Access::Private, "group [futures/asset:XYZ] not exist"),
        (Access::Private, "Invalid channel: not found futures/asset:XYZ"),
        (Access::Public, "whatever it is"),
    ] {
        let mut run = Run::new(Dialect::Futures, access);
        run.subscribe("futures/asset:XYZ");
        run.session.connected(run.now);
        run.receive(r#"{"action":"access","success":true}"#);
        run.actions();
        run.receive(&format!(
            r#"{{"action":"subscribe","group":"futures/asset:XYZ","success":false,"error":"{error}"}}"#
        ));
        assert!(matches!(run.notices()[..], [Notice::Rejected { .. }]), "{error}");
    }
}
