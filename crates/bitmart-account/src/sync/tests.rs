//! What is told: one event per change of health, and every difference that an audit finds.

use std::time::Duration;

use bitmart_rest::history::HistoryError;
use bitmart_types::{Timestamp, dec};
use bitmart_ws::ReconnectReason;

use super::watermark::TICK;
use super::{Cause, Page, Report, Request, Snapshot};
use crate::{
    AccountEvent, AccountState, AccountSync, Assumptions, CatchUpError, Fill, Health, Instrument,
    Market, Unread,
};

const SPOT: Market = Market::Spot;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn fill(trade: &str, seconds: i64) -> Fill {
    Fill {
        trade_id: trade.into(),
        order_id: "1".into(),
        instrument: Instrument::Pair("BTC_USDT".into()),
        price: dec!(5),
        size: dec!(1),
        fee: None,
        fee_currency: None,
        role: None,
        time: Some(at(seconds)),
    }
}

/// A machine whose market has two streams and is live from second 11 on.
fn live() -> AccountSync {
    let mut sync = AccountSync::new(AccountState::new(), Assumptions::default());
    sync.follow(at(0), SPOT);
    assert_eq!(sync.poll_request(at(0)), Some(Request::Open { market: SPOT }));
    sync.opened(at(0), SPOT, 2);
    fetch(&mut sync, 0);
    assert!(matches!(sync.health(SPOT), Some(Health::CatchingUp { .. })), "too early");
    fetch(&mut sync, 10);
    assert_eq!(told(&mut sync), ["CatchingUp", "CaughtUp", "Live"]);
    sync
}

/// A fetch that begins then and comes back at once without any rows.
fn fetch(sync: &mut AccountSync, seconds: i64) {
    let Some(Request::Fetch { id, .. }) = sync.poll_request(at(seconds)) else {
        panic!("a fetch is wanted at {seconds}")
    };
    sync.fetched(at(seconds), SPOT, id, Snapshot::default());
}

fn told(sync: &mut AccountSync) -> Vec<&'static str> {
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
        AccountEvent::AuditFailed(_) => "AuditFailed",
        AccountEvent::Unreadable { .. } => "Unreadable",
        AccountEvent::Fill(_) => "Fill",
        other => panic!("{other:?}"),
    };
    std::iter::from_fn(event).map(name).collect()
}

fn cut() -> Cause {
    Cause::Reconnecting(ReconnectReason::Closed { code: None, text: None })
}

#[test]
fn silence_is_told_once_for_all_streams_of_a_market_and_so_is_its_end() {
    let mut sync = live();
    sync.silent(SPOT, 0, true);
    sync.silent(SPOT, 1, true);
    assert_eq!(told(&mut sync), ["Stale"]);
    sync.silent(SPOT, 0, false);
    assert_eq!(sync.health(SPOT), Some(Health::Stale), "the other one is still silent");
    sync.silent(SPOT, 1, false);
    assert_eq!(told(&mut sync), ["Live"], "nothing was missed, so nothing was caught up");
}

#[test]
fn a_loss_of_all_streams_is_one_event_of_a_market_and_so_is_its_end() {
    let mut sync = live();
    for stream in [0, 1] {
        sync.lost(at(20), SPOT, stream, Some(at(20)), cut());
    }
    assert_eq!(told(&mut sync), ["Reconnecting", "CatchingUp"]);
    assert!(matches!(sync.health(SPOT), Some(Health::CatchingUp { since }) if since <= at(20)));
    // Again before it is whole.
    for stream in [0, 1] {
        sync.lost(at(21), SPOT, stream, Some(at(20)), cut());
        sync.up(at(22), SPOT, stream, at(22));
    }
    assert_eq!(told(&mut sync), <[&str; 0]>::default());
    fetch(&mut sync, 30);
    assert_eq!(told(&mut sync), ["CaughtUp", "Live"]);
}

#[test]
fn a_fetch_that_fails_again_and_again_is_one_change_of_health() {
    let mut sync = live();
    sync.lost(at(20), SPOT, 0, Some(at(20)), Cause::Overflowed);
    assert_eq!(told(&mut sync), ["Overflowed", "CatchingUp"]);
    sync.poll_request(at(20));
    sync.opened(at(20), SPOT, 2);
    let mut now = at(20);
    for _ in 0..3 {
        now = now.max(sync.deadline().expect("it goes on"));
        let Some(Request::Fetch { id, .. }) = sync.poll_request(now) else { panic!("a fetch") };
        let error = CatchUpError::Rest(HistoryError::Unreadable { at: now });
        sync.fetch_failed(now, SPOT, id, error);
    }
    let told = told(&mut sync);
    assert_eq!(told.iter().filter(|word| **word == "CatchUpFailed").count(), 3);
    assert_eq!(told.iter().filter(|word| **word == "Failed").count(), 1, "{told:?}");
}

#[test]
fn a_loss_that_is_read_late_needs_one_fetch_if_the_streams_were_up_long_before() {
    let mut sync = live();
    for stream in [0, 1] {
        sync.lost(at(60), SPOT, stream, Some(at(20)), cut());
        sync.up(at(60), SPOT, stream, at(23));
    }
    fetch(&mut sync, 60);
    assert_eq!(sync.health(SPOT), Some(Health::Live));
    assert_eq!(sync.whole_until(SPOT), Some(at(55)));
}

#[test]
fn rows_of_a_fetch_count_as_they_come_and_prove_nothing_before_it_is_whole() {
    let mut sync = live();
    sync.lost(at(20), SPOT, 0, Some(at(20)), cut());
    sync.up(at(22), SPOT, 0, at(22));
    let whole = sync.whole_until(SPOT);
    let Some(Request::Fetch { id, .. }) = sync.poll_request(at(30)) else { panic!("a fetch") };
    told(&mut sync);
    let page = || Page { fills: vec![fill("7", 21)], ..Page::default() };
    sync.page(at(31), SPOT, id, page());
    assert_eq!(told(&mut sync), ["Fill"]);
    assert_eq!(sync.whole_until(SPOT), whole);
    let error = CatchUpError::Rest(HistoryError::Unreadable { at: at(31) });
    sync.fetch_failed(at(31), SPOT, id, error);
    assert_eq!(sync.whole_until(SPOT), whole, "a part proves nothing");
    let again = sync.poll_request(sync.deadline().expect("it is tried again"));
    let Some(Request::Fetch { id, .. }) = again else { panic!("a fetch") };
    told(&mut sync);
    sync.page(at(40), SPOT, id, page());
    sync.fetched(at(40), SPOT, id, Snapshot::default());
    assert_eq!(told(&mut sync), ["CaughtUp", "Live"], "the fill counts once");
}

#[test]
fn a_fetch_that_hangs_does_not_hold_up_one_that_began_after_a_later_loss() {
    let mut sync = live();
    sync.lost(at(20), SPOT, 0, Some(at(20)), cut());
    sync.up(at(22), SPOT, 0, at(22));
    let Some(Request::Fetch { id: slow, .. }) = sync.poll_request(at(22)) else { panic!() };
    sync.page(at(26), SPOT, slow, Page::default());
    assert_eq!(sync.poll_request(at(30)), None, "it is waited for while it tells something");
    sync.lost(at(30), SPOT, 0, Some(at(30)), cut());
    sync.up(at(32), SPOT, 0, at(32));
    fetch(&mut sync, 50);
    assert_eq!(sync.health(SPOT), Some(Health::Live));
    told(&mut sync);
    // It comes back at last, with balances of long ago.
    let old = crate::Balance { available: dec!(1), frozen: None, position_margin: None };
    let balances = vec![("BTC".into(), old)];
    sync.fetched(at(90), SPOT, slow, Snapshot { balances, ..Snapshot::default() });
    assert_eq!(sync.state().balances().count(), 0);
    assert_eq!(told(&mut sync), <[&str; 0]>::default());
}

#[test]
fn a_fetch_that_tells_nothing_is_not_waited_for() {
    let mut sync = live();
    sync.lost(at(20), SPOT, 0, Some(at(20)), cut());
    sync.up(at(22), SPOT, 0, at(22));
    assert!(matches!(sync.poll_request(at(22)), Some(Request::Fetch { .. })));
    assert_eq!((sync.poll_request(at(26)), sync.deadline()), (None, Some(at(27) + TICK)));
    fetch(&mut sync, 28);
    assert_eq!(sync.health(SPOT), Some(Health::Live));
}

#[test]
fn what_cannot_be_read_is_an_event_and_a_loss() {
    let mut sync = live();
    sync.unreadable(SPOT, Unread::lacking("position of BTCUSDT", "position_type"));
    let cause = Cause::Unreadable { before: at(20) };
    sync.lost(at(20), SPOT, 0, Some(at(19)), cause);
    assert_eq!(told(&mut sync), ["Unreadable", "CatchingUp"]);
}

/// The next audit, which is due at this time. Gives its id.
fn audit(sync: &mut AccountSync, seconds: i64) -> u64 {
    for stream in [0, 1] {
        sync.read(SPOT, stream, at(seconds));
    }
    match sync.poll_request(at(seconds)) {
        Some(Request::Audit { id, from, until, .. }) => {
            assert!(at(seconds - 610) <= from && until <= at(seconds), "the last ten minutes");
            id
        }
        other => panic!("an audit is due at {seconds}: {other:?}"),
    }
}

#[test]
fn audits_come_at_an_interval_and_on_demand_and_correct_nothing() {
    let mut sync = live();
    sync.audit_every(at(11), Some(Duration::from_secs(100)));
    assert_eq!(sync.poll_request(at(110)), None, "not yet");
    assert_eq!(sync.deadline(), Some(at(111)));
    sync.report(at(60), SPOT, Report::Fill(fill("1", 60)));
    sync.report(at(61), SPOT, Report::Fill(fill("2", 61)));
    let id = audit(&mut sync, 111);
    sync.audited(SPOT, id, &[fill("1", 60), fill("2", 61)]);
    assert_eq!(told(&mut sync), ["Fill", "Fill"], "no difference");
    // One that was never counted, and one that the exchange does not list.
    sync.audit(at(150), SPOT);
    let id = audit(&mut sync, 150);
    sync.audited(SPOT, id, &[fill("1", 60), fill("3", 62)]);
    let Some(AccountEvent::AuditFailed(report)) = sync.poll_event() else { panic!("an alarm") };
    assert_eq!(report.missing, [fill("3", 62)]);
    assert_eq!(report.surplus, [("1".into(), "2".into())]);
    assert!(sync.poll_event().is_none(), "the fill was not taken in");
    assert_eq!(sync.state().fills(SPOT, &"1".into()).len(), 2);
    // The interval begins anew with the one on demand.
    let id = audit(&mut sync, 250);
    sync.audit_failed(SPOT, id);
    let audits = sync.audits(SPOT).expect("it is followed");
    assert_eq!((audits.done, audits.unanswered, audits.compared), (2, 1, 4));
    assert_eq!((audits.missing, audits.surplus), (1, 1));
}

#[test]
fn an_audit_waits_until_the_market_is_live_and_none_comes_without_an_interval() {
    let mut sync = live();
    sync.audit_every(at(11), None);
    assert_eq!(sync.deadline(), None);
    sync.lost(at(20), SPOT, 0, Some(at(20)), cut());
    sync.audit(at(20), SPOT);
    assert_eq!(sync.poll_request(at(21)), None);
    sync.up(at(22), SPOT, 0, at(22));
    fetch(&mut sync, 60);
    assert!(matches!(sync.poll_request(at(60)), Some(Request::Audit { .. })));
}

#[test]
fn the_interval_of_audits_is_that_of_markets_that_are_followed_later_too() {
    let mut sync = AccountSync::new(AccountState::new(), Assumptions::default());
    sync.audit_every(at(0), None);
    sync.follow(at(0), SPOT);
    sync.poll_request(at(0));
    sync.opened(at(0), SPOT, 1);
    fetch(&mut sync, 10);
    assert_eq!((sync.health(SPOT), sync.deadline()), (Some(Health::Live), None));
}
