//! Consequences of an audit that finds a missing fill.

use std::time::Duration;

use bitmart_types::{Timestamp, dec};

use super::{AccountSync, Change, Page, Request, Snapshot};
use crate::{AccountEvent, AccountState, Assumptions, Fill, Health, Instrument, Market};

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
        trade_role: None,
        timestamp: Some(at(seconds)),
    }
}

fn fetch(sync: &mut AccountSync, now: Timestamp, fills: Vec<Fill>) -> Option<Timestamp> {
    let request = sync.poll_request(now);
    let Some(Request::Fetch { id, from, .. }) = request else { panic!("{request:?}") };
    sync.fetch_page(now, SPOT, id, Page { fills, ..Page::default() });
    sync.fetch_completed(now, SPOT, id, Snapshot::default());
    from
}

fn fills(events: &[AccountEvent]) -> Vec<&str> {
    fn trade(event: &AccountEvent) -> Option<&str> {
        match event {
            AccountEvent::Fill(fill) => Some(fill.trade_id.as_str()),
            _ => None,
        }
    }
    events.iter().filter_map(trade).collect()
}

#[test]
fn a_fill_that_an_audit_finds_is_applied_and_the_range_is_fetched_before_the_market_is_live() {
    let mut sync = AccountSync::new(AccountState::new(), Assumptions::default());
    sync.set_audit_interval(at(0), Some(Duration::from_secs(100)));
    sync.follow(at(0), SPOT);
    assert_eq!(sync.poll_request(at(0)), Some(Request::Open { market: SPOT }));
    sync.streams_opened(at(0), SPOT, 1);
    fetch(&mut sync, at(10), Vec::new());
    sync.apply(at(60), SPOT, 0, Change::Fill(fill("1", 60)));
    sync.processed_until(SPOT, 0, at(100));
    let Some(Request::Audit { id, from, .. }) = sync.poll_request(at(100)) else { panic!() };
    while sync.poll_event().is_some() {}

    sync.audit_completed(at(101), SPOT, id, &[fill("1", 60), fill("2", 61)]);
    let events: Vec<_> = std::iter::from_fn(|| sync.poll_event()).collect();
    let [AccountEvent::AuditMismatch(report), .., AccountEvent::Health { health, .. }] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(report.not_received, [fill("2", 61)]);
    assert!(matches!(health, Health::CatchingUp { complete_until } if *complete_until < at(61)));
    assert_eq!(fills(&events), ["2"]);

    // Whatever hid the fill may have hidden more.
    let known = || vec![fill("1", 60), fill("2", 61), fill("3", 90)];
    let fetched_from = fetch(&mut sync, at(101), known());
    assert!(fetched_from.is_some_and(|fetched| fetched <= from), "{fetched_from:?}");
    let due = sync.deadline().expect("a fetch is due");
    fetch(&mut sync, due, known());
    assert_eq!(sync.health(SPOT), Some(Health::Live));
    let events: Vec<_> = std::iter::from_fn(|| sync.poll_event()).collect();
    assert_eq!(fills(&events), ["3"], "each fill counts once");
}
