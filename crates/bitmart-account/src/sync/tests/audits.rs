//! Audits.

use super::*;

/// Starts the audit that is due at this time and returns its id.
fn audit(sync: &mut AccountSync, seconds: i64) -> u64 {
    for stream in [0, 1] {
        sync.processed_until(SPOT, stream, at(seconds));
    }
    match sync.poll_request(at(seconds)) {
        Some(Request::Audit { id, from, until, .. }) => {
            assert!(
                at(seconds - 610) <= from && until <= at(seconds),
                "an audit covers the last ten minutes"
            );
            id
        }
        other => panic!("expected an audit at {seconds}: {other:?}"),
    }
}

#[test]
fn audits_run_at_an_interval_and_on_request() {
    let mut sync = live();
    sync.set_audit_interval(at(11), Some(Duration::from_secs(100)));
    assert_eq!(sync.poll_request(at(110)), None, "not yet");
    assert_eq!(sync.deadline(), Some(at(111)));
    sync.apply(at(60), SPOT, 0, Change::Fill(fill("1", 60)));
    sync.apply(at(61), SPOT, 0, Change::Fill(fill("2", 61)));
    let id = audit(&mut sync, 111);
    sync.audit_completed(at(111), SPOT, id, &[fill("1", 60), fill("2", 61)]);
    assert_eq!(event_names(&mut sync), ["Fill", "Fill"], "no difference");
    // A fill that the exchange does not list.
    sync.request_audit(at(150), SPOT);
    let id = audit(&mut sync, 150);
    sync.audit_completed(at(150), SPOT, id, &[fill("1", 60)]);
    let Some(AccountEvent::AuditMismatch(report)) = sync.poll_event() else { panic!("an alarm") };
    assert_eq!(report.not_received, []);
    assert_eq!(report.not_on_exchange, [("1".into(), "2".into())]);
    assert!(sync.poll_event().is_none(), "the market stays live");
    assert_eq!(sync.state().fills(SPOT, &"1".into()).len(), 2);
    // A requested audit restarts the interval.
    let id = audit(&mut sync, 250);
    sync.audit_failed(SPOT, id);
    let audits = sync.audit_stats(SPOT).expect("it is followed");
    assert_eq!((audits.completed, audits.failed_queries, audits.compared), (2, 1, 3));
    assert_eq!((audits.not_received, audits.not_on_exchange), (0, 1));
}

#[test]
fn a_requested_audit_waits_until_the_market_is_live() {
    let mut sync = live();
    sync.set_audit_interval(at(11), None);
    assert_eq!(sync.deadline(), None);
    sync.stream_lost(at(20), SPOT, 0, Some(at(20)), disconnected());
    sync.request_audit(at(20), SPOT);
    assert_eq!(sync.poll_request(at(21)), None);
    sync.stream_up(at(22), SPOT, 0, at(22));
    fetch(&mut sync, 60);
    assert!(matches!(sync.poll_request(at(60)), Some(Request::Audit { .. })));
}

#[test]
fn an_audit_requested_early_begins_as_soon_as_it_can_compare_anything() {
    let mut sync = live();
    sync.set_audit_interval(at(11), None);
    sync.request_audit(at(11), SPOT);
    // 2 C + H after the start: nothing older is certain to be listed with a time after the start.
    for second in 11..15 {
        assert_eq!(sync.poll_request(at(second)), None, "{second}");
        assert!(sync.deadline() > Some(at(second)), "it stays due");
    }
    let range = (15..20).find_map(|second| {
        (0..2).for_each(|stream| sync.processed_until(SPOT, stream, at(second)));
        match sync.poll_request(at(second)) {
            Some(Request::Audit { from, until, .. }) => Some((from, until)),
            _ => None,
        }
    });
    let (from, until) = range.expect("an audit within 20 seconds");
    assert!(at(5) <= from && from < until, "{from:?} to {until:?}");
}

#[test]
fn audits_overlap_however_rare_they_are() {
    let mut sync = live();
    let hour = 3_600;
    sync.set_audit_interval(at(11), Some(Duration::from_secs(3_600)));
    let mut covered = None;
    for audit in 1..4 {
        let now = 11 + hour * audit;
        (0..2).for_each(|stream| sync.processed_until(SPOT, stream, at(now)));
        let Some(Request::Audit { id, from, until, .. }) = sync.poll_request(at(now)) else {
            panic!("expected audit {audit}")
        };
        assert!(covered.is_none_or(|covered| from <= covered), "a gap before audit {audit}");
        covered = Some(until);
        sync.audit_completed(at(now), SPOT, id, &[]);
    }
}

#[test]
fn the_audit_interval_applies_to_markets_followed_later() {
    let mut sync = AccountSync::new(AccountState::new(), Assumptions::default());
    sync.set_audit_interval(at(0), None);
    sync.follow(at(0), SPOT);
    sync.poll_request(at(0));
    sync.streams_opened(at(0), SPOT, 1);
    fetch(&mut sync, 10);
    assert_eq!((sync.health(SPOT), sync.deadline()), (Some(Health::Live), None));
}
