//! Subscriptions and snapshot requests.

use super::*;

#[test]
fn each_acknowledgement_confirms_its_topic() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    harness.subscribe("spot/trade:BTC_USDT");
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(&acknowledged("spot/trade:BTC_USDT"));
    assert_eq!(harness.events(), [subscribed("spot/trade:BTC_USDT")]);
    harness.receive(&acknowledged(TICKER));
    assert_eq!(harness.events(), [subscribed(TICKER)]);
}

#[test]
fn sends_and_parses_futures_commands() {
    let mut harness = Harness::new(Market::Futures, Access::Public);
    harness.subscribe(BOOK);
    harness.session.connected(harness.now);
    assert_eq!(harness.sent(), [format!(r#"{{"action":"subscribe","args":["{BOOK}"]}}"#)]);
    harness.receive(&format!(
        r#"{{"action":"subscribe","group":"{BOOK}","success":true,"request":{{"action":"subscribe","args":["{BOOK}"]}}}}"#
    ));
    assert_eq!(harness.events(), [subscribed(BOOK)]);
    harness.receive(
        r#"{"action":"subscribe","group":"futures/depthIncrease20:BTCUSDT@100ms","success":true}"#,
    );
    assert_eq!(harness.events(), []);
}

#[test]
fn attributes_an_acknowledgement_with_another_suffix() {
    let mut harness = Harness::new(Market::Futures, Access::Public);
    harness.subscribe("futures/depthIncrease20:BTCUSDT");
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(
        r#"{"action":"subscribe","group":"futures/depthIncrease20:BTCUSDT@100ms","success":true}"#,
    );
    assert_eq!(harness.events(), [subscribed("futures/depthIncrease20:BTCUSDT")]);
}

#[test]
fn returns_the_channel_of_data_frames() {
    let mut harness = Harness::spot(&[TICKER]);
    let channel = harness.session.receive(harness.now, r#"{"table":"spot/ticker","data":[]}"#);
    assert_eq!(channel, Some("spot/ticker"));
    assert_eq!(harness.actions(), []);
}

#[test]
fn the_first_data_confirms_a_topic_and_its_later_acknowledgement_is_ignored() {
    let ether = "spot/ticker:ETH_USDT";
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    harness.subscribe(ether);
    harness.session.connected(harness.now);
    harness.actions();
    let data = r#"{"table":"spot/ticker","data":[{"symbol":"BTC_USDT"}]}"#;
    harness.receive(data);
    assert_eq!(harness.events(), [subscribed(TICKER)], "the other symbol is not confirmed");
    harness.receive(&acknowledged(TICKER));
    harness.receive(data);
    assert_eq!(harness.events(), []);
    harness.receive(&rejected(90_004, "Invalid channel param"));
    assert!(
        matches!(&harness.events()[..], [SessionEvent::Rejected { topic, .. }] if &**topic == ether),
        "the rejection can only concern the other topic"
    );
}

#[test]
fn futures_data_confirms_the_topic_of_its_group() {
    let mut harness = Harness::new(Market::Futures, Access::Public);
    harness.subscribe(BOOK);
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(
        r#"{"group":"futures/depthIncrease20:ETHUSDT@200ms","data":{"symbol":"ETHUSDT"}}"#,
    );
    assert_eq!(harness.events(), []);
    harness.receive(&format!(r#"{{"group":"{BOOK}","data":{{"symbol":"BTCUSDT"}}}}"#));
    assert_eq!(harness.events(), [subscribed(BOOK)]);
}

#[test]
fn unsubscribing_sends_a_command() {
    let mut harness = Harness::spot(&[TICKER, "spot/trade:BTC_USDT"]);
    harness.unsubscribe(TICKER);
    assert_eq!(harness.sent(), [format!(r#"{{"op":"unsubscribe","args":["{TICKER}"]}}"#)]);
    harness.receive(&format!(r#"{{"event":"unsubscribe","topic":"{TICKER}"}}"#));
    assert_eq!(harness.events(), [SessionEvent::Unsubscribed { topic: TICKER.into() }]);
    harness.session.disconnected(harness.now, closed());
    harness.session.connected(harness.now);
    assert_eq!(
        harness.sent(),
        [subscribe_frame(&["spot/trade:BTC_USDT"])],
        "the other topic is not subscribed again"
    );
}

#[test]
fn unsubscribes_after_the_acknowledgement_if_dropped_before_it() {
    let mut harness = Harness::spot(&["spot/trade:BTC_USDT"]);
    harness.subscribe(TICKER);
    harness.actions();
    harness.unsubscribe(TICKER);
    assert_eq!(harness.actions(), []);
    harness.receive(&acknowledged(TICKER));
    assert_eq!(
        harness.actions(),
        [Action::Send(format!(r#"{{"op":"unsubscribe","args":["{TICKER}"]}}"#))]
    );
}

#[test]
fn resubscribes_a_topic_that_is_being_unsubscribed() {
    let mut harness = Harness::spot(&[TICKER]);
    harness.unsubscribe(TICKER);
    harness.subscribe(TICKER);
    harness.actions();
    harness.receive(&format!(r#"{{"event":"unsubscribe","topic":"{TICKER}"}}"#));
    assert_eq!(harness.sent(), [subscribe_frame(&[TICKER])]);
    harness.receive(&acknowledged(TICKER));
    assert_eq!(harness.events(), [SessionEvent::Resynced { topic: TICKER.into() }]);
}

#[test]
fn a_second_subscription_to_a_topic_needs_no_frame() {
    let mut harness = Harness::spot(&[TICKER]);
    harness.subscribe(TICKER);
    assert_eq!(harness.actions(), [Action::Emit(subscribed(TICKER))]);
}

#[test]
fn a_snapshot_request_waits_for_the_confirmation_and_ends_with_its_topic() {
    let (book, other) = ("spot/depth/increase100:BTC_USDT", "spot/depth/increase100:ETH_USDT");
    let mut harness = Harness::spot(&[TICKER]);
    harness.subscribe(book);
    harness.subscribe(other);
    harness.actions();
    harness.session.request_snapshot(harness.now, book);
    harness.session.request_snapshot(harness.now, other);
    assert_eq!(harness.sent(), [""; 0]);
    harness.receive(&acknowledged(book));
    assert_eq!(harness.sent(), [format!(r#"{{"op":"request","args":["{book}"]}}"#)]);
    harness.receive(&rejected(90_004, "Invalid channel param"));
    harness.subscribe(other);
    harness.receive(&acknowledged(other));
    assert!(!harness.sent().iter().any(|text| text.contains("request")), "removed with its topic");
}

#[test]
fn variants_of_one_topic_exclude_each_other() {
    let (plain, fast) = ("futures/depthIncrease5:BTCUSDT", "futures/depthIncrease5:BTCUSDT@100ms");
    let acknowledgement =
        |action, topic| format!(r#"{{"action":"{action}","group":"{topic}","success":true}}"#);
    let mut harness = Harness::new(Market::Futures, Access::Public);
    harness.subscribe(plain);
    harness.session.connected(harness.now);
    harness.receive(&acknowledgement("subscribe", plain));
    harness.actions();
    harness.subscribe(fast);
    harness.subscribe("futures/depthIncrease5:BTCUSDTM");
    let actions = harness.actions();
    assert!(
        matches!(&actions[..], [Action::Emit(SessionEvent::Rejected { topic, rejection }), Action::Send(_)]
            if &**topic == fast && rejection.text.contains(plain)),
        "{actions:?}"
    );
    harness.unsubscribe(plain);
    harness.subscribe(fast);
    let sent = harness.sent();
    assert!(matches!(&sent[..], [text] if text.contains("unsubscribe")), "{sent:?}");
    harness.receive(&acknowledgement("unsubscribe", plain));
    assert_eq!(harness.sent(), [format!(r#"{{"action":"subscribe","args":["{fast}"]}}"#)]);
}

#[test]
fn requests_a_snapshot_only_for_a_confirmed_topic() {
    let book = "spot/depth/increase100:BTC_USDT";
    let mut harness = Harness::spot(&[book]);
    harness.session.request_snapshot(harness.now, book);
    assert_eq!(harness.sent(), [format!(r#"{{"op":"request","args":["{book}"]}}"#)]);
    harness.session.request_snapshot(harness.now, TICKER);
    assert_eq!(harness.actions(), []);
    harness.receive(r#"{"event":"request","errorCode":"90004","errorMessage":"no"}"#);
    assert!(
        matches!(&harness.events()[..], [SessionEvent::RequestRejected { topic, .. }] if &**topic == book)
    );
    harness.session.request_snapshot(harness.now, book);
    harness.actions();
    harness.now += Duration::from_secs(11);
    harness.receive("pong");
    harness.session.tick(harness.now);
    assert!(
        harness.events().is_empty(),
        "requests are not acknowledged, so a missing acknowledgement means nothing"
    );
}

/// Waits for the acknowledgement timeout, with pongs that prevent the idle timeout.
fn wait_for_timeout(harness: &mut Harness) {
    for _ in 0..10 {
        harness.receive("pong");
        harness.advance(Duration::from_secs(1));
    }
}

#[test]
fn rejects_only_the_topic_that_is_never_acknowledged() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    harness.subscribe("spot/trade:BTC_USDT");
    harness.session.connected(harness.now);
    harness.receive(&acknowledged(TICKER));
    harness.actions();
    wait_for_timeout(&mut harness);
    assert!(harness.sent().contains(&subscribe_frame(&["spot/trade:BTC_USDT"])), "sent again");
    wait_for_timeout(&mut harness);
    let events = harness.events();
    let [SessionEvent::Rejected { topic, rejection }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(&**topic, "spot/trade:BTC_USDT");
    assert!(rejection.text.contains("not acknowledged"), "{rejection}");
    wait_for_timeout(&mut harness);
    assert!(harness.events().is_empty(), "the connection continues");
    assert_eq!(harness.session.desired_topics(), 1);
}

#[test]
fn a_topic_that_is_never_acknowledged_is_unsubscribed_and_counts_until_then() {
    let mut limits = Limits::for_endpoint(Market::Spot, Access::Public);
    limits.topics_per_connection = 2;
    let mut harness = Harness::with(Market::Spot, Access::Public, &limits);
    harness.subscribe(TICKER);
    harness.subscribe("spot/a:X");
    harness.session.connected(harness.now);
    harness.receive(&acknowledged(TICKER));
    wait_for_timeout(&mut harness);
    wait_for_timeout(&mut harness);
    // Only the acknowledgements may have been lost.
    let unsubscribe = r#"{"op":"unsubscribe","args":["spot/a:X"]}"#;
    assert_eq!(harness.sent().last().map(String::as_str), Some(unsubscribe));
    harness.subscribe("spot/b:X");
    assert_eq!(harness.sent(), [""; 0]);
    harness.receive(r#"{"event":"unsubscribe","topic":"spot/a:X"}"#);
    assert_eq!(harness.sent(), [subscribe_frame(&["spot/b:X"])]);
}

#[test]
fn late_data_confirms_a_topic_that_was_retried() {
    let mut harness = Harness::new(Market::Spot, Access::Public);
    harness.subscribe(TICKER);
    harness.subscribe("spot/trade:BTC_USDT");
    harness.session.connected(harness.now);
    harness.receive(&acknowledged(TICKER));
    wait_for_timeout(&mut harness);
    harness.actions();
    harness.receive(r#"{"table":"spot/trade","data":[{"symbol":"BTC_USDT"}]}"#);
    assert_eq!(harness.events(), [subscribed("spot/trade:BTC_USDT")]);
    wait_for_timeout(&mut harness);
    wait_for_timeout(&mut harness);
    assert!(harness.events().is_empty());
}

#[test]
fn forgets_a_topic_after_two_unacknowledged_unsubscriptions() {
    let mut harness = Harness::spot(&[TICKER, "spot/trade:BTC_USDT"]);
    harness.unsubscribe(TICKER);
    wait_for_timeout(&mut harness);
    let sent = harness.sent();
    let again = sent.iter().filter(|text| text.contains("unsubscribe")).count();
    assert_eq!(again, 2, "{sent:?}");
    wait_for_timeout(&mut harness);
    assert_eq!(harness.events(), [SessionEvent::Unsubscribed { topic: TICKER.into() }]);
}

#[test]
fn forgets_a_dropped_topic_that_is_never_acknowledged() {
    let mut harness = Harness::spot(&[TICKER]);
    harness.subscribe("spot/trade:BTC_USDT");
    harness.unsubscribe("spot/trade:BTC_USDT");
    wait_for_timeout(&mut harness);
    assert_eq!(
        harness.events(),
        [SessionEvent::Unsubscribed { topic: "spot/trade:BTC_USDT".into() }]
    );
}

#[test]
fn a_connection_lost_while_a_topic_is_renewed_ends_with_a_resync() {
    let mut harness = Harness::spot(&[TICKER]);
    harness.session.resubscribe(harness.now, TICKER);
    harness.actions();
    harness.receive(&format!(r#"{{"event":"unsubscribe","topic":"{TICKER}"}}"#));
    harness.actions();
    let reason = ReconnectReason::Closed { code: None, text: None };
    harness.session.disconnected(harness.now, reason);
    harness.actions();
    harness.now += Duration::from_secs(2);
    harness.session.connected(harness.now);
    harness.actions();
    harness.receive(&acknowledged(TICKER));
    // All subscribers know that the connection was lost.
    assert_eq!(harness.events(), [SessionEvent::Resynced { topic: TICKER.into() }]);
}

#[test]
fn a_topic_is_renewed_even_if_the_message_limit_is_used_up() {
    let mut harness = Harness::spot(&[TICKER]);
    let unsubscribe = format!(r#"{{"op":"unsubscribe","args":["{TICKER}"]}}"#);
    let mut sent = Vec::new();
    // Snapshot requests until nothing more may be sent.
    for _ in 0..200 {
        harness.session.request_snapshot(harness.now, TICKER);
        let more = harness.sent();
        if more.is_empty() {
            break;
        }
        sent.extend(more);
    }
    harness.session.resubscribe(harness.now, TICKER);
    assert_eq!((harness.sent(), harness.events()), (Vec::<String>::new(), Vec::new()));
    let renewed = (0..30).any(|_| {
        harness.now += Duration::from_secs(1);
        harness.receive("pong");
        harness.session.tick(harness.now);
        harness.sent().contains(&unsubscribe)
    });
    assert!(renewed, "after {} requests", sent.len());
}

#[test]
fn resubscribing_unsubscribes_and_subscribes_again() {
    let mut harness = Harness::spot(&[TICKER]);
    harness.session.resubscribe(harness.now, TICKER);
    harness.session.resubscribe(harness.now, TICKER);
    assert_eq!(harness.sent(), [format!(r#"{{"op":"unsubscribe","args":["{TICKER}"]}}"#)]);
    harness.receive(&format!(r#"{{"event":"unsubscribe","topic":"{TICKER}"}}"#));
    assert_eq!(harness.sent(), [subscribe_frame(&[TICKER])]);
    harness.receive(&acknowledged(TICKER));
    // Others may have read the topic before, and what happened in between is missing.
    assert_eq!(harness.events(), [SessionEvent::Resynced { topic: TICKER.into() }]);
}

#[test]
fn a_topic_beyond_the_limit_waits_for_an_unsubscription() {
    let mut limits = Limits::for_endpoint(Market::Spot, Access::Public);
    limits.topics_per_connection = 1;
    let mut harness = Harness::with(Market::Spot, Access::Public, &limits);
    harness.subscribe("spot/a:X");
    harness.session.connected(harness.now);
    harness.receive(&acknowledged("spot/a:X"));
    harness.actions();
    harness.unsubscribe("spot/a:X");
    harness.subscribe("spot/b:X");
    assert_eq!(harness.sent(), [r#"{"op":"unsubscribe","args":["spot/a:X"]}"#]);
    harness.receive(r#"{"event":"unsubscribe","topic":"spot/a:X"}"#);
    assert_eq!(harness.sent(), [r#"{"op":"subscribe","args":["spot/b:X"]}"#]);
}
