use super::{event, level, snapshot, update};
use crate::book::{BookSynchronizer, SyncOutcome};
use crate::event::DepthKind;

fn synchronizer() -> BookSynchronizer {
    let mut synchronizer = BookSynchronizer::new();
    assert_eq!(
        synchronizer.on_update(snapshot(10, &[level(99, 1)], &[level(101, 1)])),
        SyncOutcome::Changed
    );
    synchronizer
}

#[test]
fn the_first_snapshot_is_not_requested() {
    let synchronizer = synchronizer();
    assert!(synchronizer.book().is_synchronized());
}

#[test]
fn an_update_before_any_snapshot_requests_one_once() {
    let mut synchronizer = BookSynchronizer::new();
    assert_eq!(synchronizer.on_update(update(5, &[], &[])), SyncOutcome::NeedsSnapshot);
    assert_eq!(synchronizer.on_update(update(6, &[], &[])), SyncOutcome::Unchanged);
    assert_eq!(synchronizer.on_update(snapshot(6, &[], &[])), SyncOutcome::Changed);
}

#[test]
fn a_sequence_gap_requests_one_snapshot_which_synchronizes_the_book() {
    let mut synchronizer = synchronizer();
    assert_eq!(synchronizer.on_update(update(13, &[], &[])), SyncOutcome::NeedsSnapshot);
    assert_eq!(synchronizer.on_update(update(14, &[], &[])), SyncOutcome::Unchanged);
    assert!(!synchronizer.book().is_synchronized());
    assert_eq!(synchronizer.on_update(snapshot(14, &[level(98, 1)], &[])), SyncOutcome::Changed);
    assert_eq!(synchronizer.on_update(update(15, &[], &[])), SyncOutcome::Changed);
    assert_eq!(synchronizer.book().best_bid(), Some(level(98, 1)));
}

#[test]
fn each_sequence_gap_requests_one_snapshot() {
    let mut synchronizer = synchronizer();
    for version in [20, 40] {
        let requests = (version..version + 10).filter(|version| {
            synchronizer.on_update(update(*version, &[], &[])) == SyncOutcome::NeedsSnapshot
        });
        assert_eq!(requests.count(), 1);
        assert_eq!(synchronizer.on_update(snapshot(version + 9, &[], &[])), SyncOutcome::Changed);
    }
}

#[test]
fn a_crossed_snapshot_does_not_request_the_next_at_once() {
    let mut synchronizer = synchronizer();
    let crossed = [level(100, 1)];
    assert_eq!(synchronizer.on_update(snapshot(11, &crossed, &crossed)), SyncOutcome::Unchanged);
    assert!(!synchronizer.book().is_synchronized());
    assert_eq!(synchronizer.on_update(update(12, &[], &[])), SyncOutcome::Unchanged);
}

#[test]
fn a_reconnect_waits_for_the_snapshot_of_the_new_subscription() {
    let mut synchronizer = synchronizer();
    synchronizer.on_reconnect();
    assert!(!synchronizer.book().is_synchronized());
    assert_eq!(synchronizer.on_update(snapshot(3, &[level(1, 1)], &[])), SyncOutcome::Changed);
    assert_eq!(synchronizer.book().version(), Some(3));
}

#[test]
fn events_of_unknown_kind_request_one_snapshot() {
    let mut synchronizer = synchronizer();
    let kind = DepthKind::from("delta");
    let requests = (11..111)
        .filter(|version| {
            synchronizer.on_update(event(&kind, *version, &[], &[])) == SyncOutcome::NeedsSnapshot
        })
        .count();
    assert_eq!(requests, 1);
}

#[test]
fn missed_events_clear_the_book_at_once() {
    let mut synchronizer = synchronizer();
    assert_eq!(synchronizer.on_missed_events(), SyncOutcome::NeedsSnapshot);
    assert!(!synchronizer.book().is_synchronized());
}
