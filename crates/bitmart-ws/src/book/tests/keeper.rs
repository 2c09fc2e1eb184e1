use super::{event, level, snapshot, update};
use crate::book::{BookKeeper, KeeperStep};
use crate::event::DepthKind;

fn keeper() -> BookKeeper {
    let mut keeper = BookKeeper::new();
    assert_eq!(
        keeper.on_update(snapshot(10, &[level(99, 1)], &[level(101, 1)])),
        KeeperStep::Changed
    );
    keeper
}

#[test]
fn the_first_snapshot_is_not_requested() {
    let keeper = keeper();
    assert!(keeper.book().is_whole());
}

#[test]
fn joining_in_the_middle_asks_at_once_and_once() {
    let mut keeper = BookKeeper::new();
    assert_eq!(keeper.on_update(update(5, &[], &[])), KeeperStep::NeedsSnapshot);
    assert_eq!(keeper.on_update(update(6, &[], &[])), KeeperStep::Unchanged);
    assert_eq!(keeper.on_update(snapshot(6, &[], &[])), KeeperStep::Changed);
}

#[test]
fn a_gap_asks_once_and_a_snapshot_heals_it() {
    let mut keeper = keeper();
    assert_eq!(keeper.on_update(update(13, &[], &[])), KeeperStep::NeedsSnapshot);
    assert_eq!(keeper.on_update(update(14, &[], &[])), KeeperStep::Unchanged);
    assert!(!keeper.book().is_whole());
    assert_eq!(keeper.on_update(snapshot(14, &[level(98, 1)], &[])), KeeperStep::Changed);
    assert_eq!(keeper.on_update(update(15, &[], &[])), KeeperStep::Changed);
    assert_eq!(keeper.book().best_bid(), Some(level(98, 1)));
}

#[test]
fn every_loss_asks_once() {
    let mut keeper = keeper();
    for version in [20, 40] {
        let asked = (version..version + 10).filter(|version| {
            keeper.on_update(update(*version, &[], &[])) == KeeperStep::NeedsSnapshot
        });
        assert_eq!(asked.count(), 1);
        assert_eq!(keeper.on_update(snapshot(version + 9, &[], &[])), KeeperStep::Changed);
    }
}

#[test]
fn a_crossed_snapshot_does_not_ask_for_the_next_at_once() {
    let mut keeper = keeper();
    let crossed = [level(100, 1)];
    assert_eq!(keeper.on_update(snapshot(11, &crossed, &crossed)), KeeperStep::Unchanged);
    assert!(!keeper.book().is_whole());
    assert_eq!(keeper.on_update(update(12, &[], &[])), KeeperStep::Unchanged);
}

#[test]
fn a_reconnection_waits_for_the_snapshot_of_the_new_subscription() {
    let mut keeper = keeper();
    keeper.on_reconnect();
    assert!(!keeper.book().is_whole());
    assert_eq!(keeper.on_update(snapshot(3, &[level(1, 1)], &[])), KeeperStep::Changed);
    assert_eq!(keeper.book().version(), Some(3));
}

#[test]
fn a_kind_that_nobody_knows_does_not_flood_the_venue() {
    let mut keeper = keeper();
    let kind = DepthKind::from("delta");
    let asked = (11..111)
        .filter(|version| {
            keeper.on_update(event(&kind, *version, &[], &[])) == KeeperStep::NeedsSnapshot
        })
        .count();
    assert_eq!(asked, 1);
}

#[test]
fn missed_events_give_the_book_up_at_once() {
    let mut keeper = keeper();
    assert_eq!(keeper.on_missed_events(), KeeperStep::NeedsSnapshot);
    assert!(!keeper.book().is_whole());
}
