//! Events, fetches and audits of the state machine.

use bitmart_rest::history::HistoryError;
use bitmart_types::{Decimal, Timestamp, dec};
use bitmart_ws::ReconnectReason;

use super::watermark::TICK;
use super::{Change, LossCause, Page, Request, Snapshot};
use crate::sync::AccountSync;
use crate::{
    AccountEvent, AccountState, Assumptions, Balance, CatchUpError, Fill, Health, MalformedItem,
    Market, test_support,
};

const SPOT: Market = Market::Spot;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn fill(trade: &str, seconds: i64) -> Fill {
    test_support::fill("1", trade, Some(at(seconds)))
}

/// A tracker whose market has two streams and is live from second 11 on.
fn live() -> AccountSync {
    let mut sync = AccountSync::new(AccountState::new(), Assumptions::default());
    sync.follow(at(0), SPOT);
    assert_eq!(sync.poll_request(at(0)), Some(Request::Open { market: SPOT }));
    sync.streams_opened(at(0), SPOT, 2);
    fetch(&mut sync, 0);
    assert!(matches!(sync.health(SPOT), Some(Health::CatchingUp { .. })), "too early");
    fetch(&mut sync, 10);
    assert_eq!(event_names(&mut sync), ["CatchingUp", "CaughtUp", "Live"]);
    sync
}

/// Runs a fetch that completes immediately without rows.
fn fetch(sync: &mut AccountSync, seconds: i64) {
    let Some(Request::Fetch { id, .. }) = sync.poll_request(at(seconds)) else {
        panic!("expected a fetch at {seconds}")
    };
    sync.fetch_completed(at(seconds), SPOT, id, Snapshot::default());
}

fn event_names(sync: &mut AccountSync) -> Vec<&'static str> {
    let event = || sync.poll_event();
    let name = |event| match event {
        AccountEvent::Health { health: Health::Live, .. } => "Live",
        AccountEvent::Health { health: Health::Stale, .. } => "Stale",
        AccountEvent::Health { health: Health::CatchingUp { .. }, .. } => "CatchingUp",
        AccountEvent::Health { health: Health::Failed, .. } => "Failed",
        AccountEvent::Reconnecting { .. } => "Reconnecting",
        AccountEvent::Overflowed { .. } => "Overflowed",
        AccountEvent::CaughtUp(_) => "CaughtUp",
        AccountEvent::CatchUpFailed { .. } => "CatchUpFailed",
        AccountEvent::AuditMismatch(_) => "AuditMismatch",
        AccountEvent::Malformed { .. } => "Malformed",
        AccountEvent::Fill(_) => "Fill",
        other => panic!("{other:?}"),
    };
    std::iter::from_fn(event).map(name).collect()
}

fn disconnected() -> LossCause {
    LossCause::Reconnecting(ReconnectReason::Closed { code: None, text: None })
}

#[test]
fn idle_streams_of_a_market_cause_one_event_at_the_begin_and_one_at_the_end() {
    let mut sync = live();
    sync.stream_idle(SPOT, 0, true);
    sync.stream_idle(SPOT, 1, true);
    assert_eq!(event_names(&mut sync), ["Stale"]);
    sync.stream_idle(SPOT, 0, false);
    assert_eq!(sync.health(SPOT), Some(Health::Stale), "the other stream is still idle");
    sync.stream_idle(SPOT, 1, false);
    assert_eq!(event_names(&mut sync), ["Live"], "nothing was missed, so there is no catch-up");
}

#[test]
fn a_loss_of_all_streams_causes_one_event_at_the_begin_and_one_at_the_end() {
    let mut sync = live();
    for stream in [0, 1] {
        sync.stream_lost(at(20), SPOT, stream, Some(at(20)), disconnected());
    }
    assert_eq!(event_names(&mut sync), ["Reconnecting", "CatchingUp"]);
    assert!(
        matches!(sync.health(SPOT), Some(Health::CatchingUp { complete_until }) if complete_until <= at(20))
    );
    // Another loss before the market is live.
    for stream in [0, 1] {
        sync.stream_lost(at(21), SPOT, stream, Some(at(20)), disconnected());
        sync.stream_up(at(22), SPOT, stream, at(22));
    }
    assert_eq!(event_names(&mut sync), <[&str; 0]>::default());
    fetch(&mut sync, 30);
    assert_eq!(event_names(&mut sync), ["CaughtUp", "Live"]);
}

#[test]
fn repeated_failures_of_a_fetch_are_one_change_of_health() {
    let mut sync = live();
    sync.stream_lost(at(20), SPOT, 0, Some(at(20)), LossCause::Overflowed);
    assert_eq!(event_names(&mut sync), ["Overflowed", "CatchingUp"]);
    sync.poll_request(at(20));
    sync.streams_opened(at(20), SPOT, 2);
    let mut now = at(20);
    for _ in 0..3 {
        now = now.max(sync.deadline().expect("a retry is scheduled"));
        let Some(Request::Fetch { id, .. }) = sync.poll_request(now) else { panic!("a fetch") };
        let error = CatchUpError::Rest(HistoryError::Unreadable { at: now });
        sync.fetch_failed(now, SPOT, id, error);
    }
    let names = event_names(&mut sync);
    assert_eq!(names.iter().filter(|name| **name == "CatchUpFailed").count(), 3);
    assert_eq!(names.iter().filter(|name| **name == "Failed").count(), 1, "{names:?}");
}

#[test]
fn a_loss_read_late_needs_a_single_fetch() {
    let mut sync = live();
    for stream in [0, 1] {
        sync.stream_lost(at(60), SPOT, stream, Some(at(20)), disconnected());
        sync.stream_up(at(60), SPOT, stream, at(23));
    }
    fetch(&mut sync, 60);
    assert_eq!(sync.health(SPOT), Some(Health::Live));
    assert_eq!(sync.complete_until(SPOT), Some(at(55)));
}

#[test]
fn pages_are_applied_at_once_but_only_a_completed_fetch_advances_the_watermark() {
    let mut sync = live();
    sync.stream_lost(at(20), SPOT, 0, Some(at(20)), disconnected());
    sync.stream_up(at(22), SPOT, 0, at(22));
    let complete = sync.complete_until(SPOT);
    let Some(Request::Fetch { id, .. }) = sync.poll_request(at(30)) else { panic!("a fetch") };
    event_names(&mut sync);
    let page = || Page { fills: vec![fill("7", 21)], ..Page::default() };
    sync.fetch_page(at(31), SPOT, id, page());
    assert_eq!(event_names(&mut sync), ["Fill"]);
    assert_eq!(sync.complete_until(SPOT), complete);
    let error = CatchUpError::Rest(HistoryError::Unreadable { at: at(31) });
    sync.fetch_failed(at(31), SPOT, id, error);
    assert_eq!(sync.complete_until(SPOT), complete, "a failed fetch proves nothing");
    let again = sync.poll_request(sync.deadline().expect("a retry is scheduled"));
    let Some(Request::Fetch { id, .. }) = again else { panic!("a fetch") };
    event_names(&mut sync);
    sync.fetch_page(at(40), SPOT, id, page());
    sync.fetch_completed(at(40), SPOT, id, Snapshot::default());
    assert_eq!(event_names(&mut sync), ["CaughtUp", "Live"], "the fill counts once");
}

#[test]
fn a_hanging_fetch_does_not_delay_the_fetch_after_a_later_loss() {
    let mut sync = live();
    sync.stream_lost(at(20), SPOT, 0, Some(at(20)), disconnected());
    sync.stream_up(at(22), SPOT, 0, at(22));
    let Some(Request::Fetch { id: slow, .. }) = sync.poll_request(at(22)) else { panic!() };
    sync.fetch_page(at(26), SPOT, slow, Page::default());
    assert_eq!(sync.poll_request(at(30)), None, "a fetch with progress delays the next one");
    sync.stream_lost(at(30), SPOT, 0, Some(at(30)), disconnected());
    sync.stream_up(at(32), SPOT, 0, at(32));
    fetch(&mut sync, 50);
    assert_eq!(sync.health(SPOT), Some(Health::Live));
    event_names(&mut sync);
    // The slow fetch completes with outdated balances.
    let balances = vec![("BTC".into(), Balance::new(dec!(1)))];
    sync.fetch_completed(at(90), SPOT, slow, Snapshot { balances, ..Snapshot::default() });
    assert_eq!(sync.state().balances().count(), 0);
    assert_eq!(event_names(&mut sync), <[&str; 0]>::default());
}

#[test]
fn a_fetch_without_progress_does_not_delay_the_next_one() {
    let mut sync = live();
    sync.stream_lost(at(20), SPOT, 0, Some(at(20)), disconnected());
    sync.stream_up(at(22), SPOT, 0, at(22));
    assert!(matches!(sync.poll_request(at(22)), Some(Request::Fetch { .. })));
    assert_eq!((sync.poll_request(at(26)), sync.deadline()), (None, Some(at(27) + TICK)));
    fetch(&mut sync, 28);
    assert_eq!(sync.health(SPOT), Some(Health::Live));
}

/// Applies a message of the stream of balances.
fn balance(sync: &mut AccountSync, seconds: i64, amount: Decimal) {
    sync.apply(at(seconds), SPOT, 1, Change::Balance("BTC".into(), Balance::new(amount)));
}

/// Runs a fetch that completes immediately with this balance.
fn fetch_balance(sync: &mut AccountSync, seconds: i64, amount: Decimal) {
    let Some(Request::Fetch { id, .. }) = sync.poll_request(at(seconds)) else {
        panic!("expected a fetch at {seconds}")
    };
    let balances = vec![("BTC".into(), Balance::new(amount))];
    sync.fetch_completed(at(seconds), SPOT, id, Snapshot { balances, ..Snapshot::default() });
}

fn tracked_balance(sync: &AccountSync) -> Option<Decimal> {
    sync.state().balance(SPOT, &"BTC".into()).map(|balance| balance.available)
}

#[test]
fn a_row_that_may_be_older_than_a_message_is_ignored_and_a_newer_one_is_not() {
    for (message, expected) in [(54, dec!(2)), (55, dec!(1)), (60, dec!(1))] {
        let mut sync = live();
        sync.stream_lost(at(20), SPOT, 0, Some(at(20)), disconnected());
        sync.stream_up(at(22), SPOT, 0, at(22));
        balance(&mut sync, message, dec!(1));
        fetch_balance(&mut sync, 60, dec!(2));
        assert_eq!(sync.health(SPOT), Some(Health::Live));
        assert_eq!(tracked_balance(&sync), Some(expected), "{message}");
    }
}

#[test]
fn a_loss_read_late_does_not_expose_the_messages_of_another_stream_after_it() {
    let mut sync = live();
    // Both streams were disconnected from second 20 to 23. All of it is read at second 60.
    sync.stream_lost(at(60), SPOT, 1, Some(at(20)), disconnected());
    sync.stream_up(at(60), SPOT, 1, at(23));
    balance(&mut sync, 60, dec!(2));
    sync.stream_lost(at(60), SPOT, 0, Some(at(20)), disconnected());
    sync.stream_up(at(60), SPOT, 0, at(23));
    fetch_balance(&mut sync, 60, dec!(1));
    assert_eq!(sync.health(SPOT), Some(Health::Live));
    assert_eq!(tracked_balance(&sync), Some(dec!(2)));
}

#[test]
fn a_message_read_late_before_a_loss_does_not_hide_the_row_after_it() {
    let mut sync = live();
    // The message of second 19 is read at second 60, together with the loss after it.
    balance(&mut sync, 60, dec!(1));
    sync.stream_lost(at(60), SPOT, 1, Some(at(20)), disconnected());
    sync.stream_up(at(60), SPOT, 1, at(23));
    fetch_balance(&mut sync, 60, dec!(2));
    assert_eq!(sync.health(SPOT), Some(Health::Live));
    assert_eq!(tracked_balance(&sync), Some(dec!(2)));
}

#[test]
fn reopened_streams_have_no_messages_from_before() {
    let mut sync = live();
    balance(&mut sync, 20, dec!(1));
    sync.stream_lost(at(20), SPOT, 0, Some(at(20)), LossCause::Overflowed);
    sync.poll_request(at(20));
    sync.streams_opened(at(21), SPOT, 2);
    fetch_balance(&mut sync, 21, dec!(2));
    assert_eq!(tracked_balance(&sync), Some(dec!(2)));
}

#[test]
fn a_malformed_message_is_an_event_and_a_loss() {
    let mut sync = live();
    sync.malformed(SPOT, MalformedItem::missing_field("position of BTCUSDT", "position_type"));
    let cause = LossCause::Malformed { received_by: at(20) };
    sync.stream_lost(at(20), SPOT, 0, Some(at(19)), cause);
    assert_eq!(event_names(&mut sync), ["Malformed", "CatchingUp"]);
}

#[test]
fn a_fetch_that_fails_while_the_streams_are_opened_does_not_open_them_again() {
    let mut sync = live();
    sync.stream_lost(at(20), SPOT, 0, Some(at(20)), disconnected());
    sync.stream_up(at(21), SPOT, 0, at(21));
    let Some(Request::Fetch { id, .. }) = sync.poll_request(at(22)) else { panic!("a fetch") };
    sync.stream_lost(at(23), SPOT, 1, Some(at(23)), LossCause::Overflowed);
    assert_eq!(sync.poll_request(at(23)), Some(Request::Open { market: SPOT }));
    sync.fetch_failed(at(24), SPOT, id, CatchUpError::RowsMissing);
    assert_eq!(sync.poll_request(at(60)), None, "the streams are being opened");
    sync.streams_opened(at(61), SPOT, 2);
    assert!(matches!(sync.poll_request(at(61)), Some(Request::Fetch { .. })));
}

#[test]
fn reports_of_one_fill_that_contradict_each_other_are_an_event_and_count_once() {
    let mut sync = live();
    sync.apply(at(20), SPOT, 0, Change::Fill(fill("7", 20)));
    sync.apply(at(20), SPOT, 0, Change::Fill(Fill { timestamp: None, ..fill("7", 20) }));
    assert_eq!(event_names(&mut sync), ["Fill"]);
    let other = |price, size| Change::Fill(Fill { price, size, ..fill("7", 20) });
    for (price, size, expected) in [(dec!(5), dec!(2), "size"), (dec!(6), dec!(1), "price")] {
        sync.apply(at(21), SPOT, 0, other(price, size));
        let Some(AccountEvent::Malformed { item, .. }) = sync.poll_event() else {
            panic!("silent")
        };
        let text = format!("fill 7 of order 1: its {expected} contradicts an earlier report");
        assert_eq!(item.to_string(), text);
        assert!(sync.poll_event().is_none());
    }
    assert_eq!(sync.state().fills(SPOT, &"1".into()).len(), 1);
    assert_eq!(sync.health(SPOT), Some(Health::Live), "nothing was missed");
}
