//! Slots of connections: timeouts, and which connection makes room.

use futures_util::FutureExt;

use super::*;

const CAPACITY: Capacity = Capacity { heads: 2, served: 2 };

fn end_reason(slot: &Slot) -> Option<EndReason> {
    slot.wait_for_end().now_or_never()
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_head_starts_with_its_first_byte() {
    let slot = Slots::new(CAPACITY).acquire();
    tokio::time::advance(HEAD_TIMEOUT * 3).await;
    assert_eq!(end_reason(&slot), None, "no head has begun, and it may be idle for longer");
    slot.bytes_arrived();
    tokio::time::advance(HEAD_TIMEOUT / 2).await;
    // Further bytes do not restart the timeout.
    slot.bytes_arrived();
    assert_eq!(end_reason(&slot), None);
    tokio::time::advance(HEAD_TIMEOUT / 2).await;
    assert_eq!(end_reason(&slot), Some(EndReason::Overdue));
}

#[tokio::test(start_paused = true)]
async fn a_complete_head_stops_the_timeout_and_the_next_head_starts_another() {
    let slot = Slots::new(CAPACITY).acquire();
    slot.bytes_arrived();
    let busy = slot.begin_request().expect("a slot");
    // Bytes of a body.
    slot.bytes_arrived();
    tokio::time::advance(HEAD_TIMEOUT * 2).await;
    assert_eq!(end_reason(&slot), None);
    drop(busy);
    tokio::time::advance(HEAD_TIMEOUT * 2).await;
    assert_eq!(end_reason(&slot), None, "idle");
    slot.bytes_arrived();
    tokio::time::advance(HEAD_TIMEOUT).await;
    assert_eq!(end_reason(&slot), Some(EndReason::Overdue));
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_head_ends_a_while_after_it_became_idle() {
    let slot = Slots::new(CAPACITY).acquire();
    tokio::time::advance(IDLE_TIMEOUT / 2).await;
    assert_eq!(end_reason(&slot), None);
    let busy = slot.begin_request().expect("a slot");
    tokio::time::advance(IDLE_TIMEOUT * 2).await;
    assert_eq!(end_reason(&slot), None, "a request is in progress");
    drop(busy);
    let since = Instant::now();
    assert_eq!(slot.wait_for_end().await, EndReason::Idle);
    assert_eq!(since.elapsed().as_secs(), IDLE_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_begins_during_the_wait_is_overdue_on_time() {
    let slot = Slots::new(CAPACITY).acquire();
    let begun = async {
        tokio::time::sleep(HEAD_TIMEOUT * 5 / 2).await;
        slot.bytes_arrived();
        Instant::now()
    };
    let (reason, begun) = tokio::join!(slot.wait_for_end(), begun);
    assert_eq!(reason, EndReason::Overdue);
    assert_eq!(begun.elapsed().as_secs(), HEAD_TIMEOUT.as_secs());
}

#[tokio::test]
async fn the_oldest_incomplete_head_is_dropped_instead_of_a_served_connection() {
    let slots = Slots::new(CAPACITY);
    let served = slots.acquire();
    let _busy = served.begin_request().expect("a slot");
    let heads: Vec<_> = (0..5).map(|_| slots.acquire()).collect();
    let reasons: Vec<_> = heads.iter().map(|slot| end_reason(slot)).collect();
    assert_eq!(
        reasons,
        [Some(EndReason::Dropped), Some(EndReason::Dropped), Some(EndReason::Dropped), None, None]
    );
    assert_eq!(end_reason(&served), None);
}

/// A request may arrive before its connection notices that its slot was taken.
#[tokio::test]
async fn a_request_on_a_dropped_connection_does_not_begin() {
    let slots = Slots::new(CAPACITY);
    let idle = slots.acquire();
    drop(idle.begin_request().expect("a slot"));
    let served = [slots.acquire(), slots.acquire()];
    let busy = served.each_ref().map(|slot| slot.begin_request().expect("a slot"));
    // There is room again, but not for the connection that was idle when there was none.
    drop(busy);
    idle.bytes_arrived();
    assert!(idle.begin_request().is_none());
    let heads = [slots.acquire(), slots.acquire(), slots.acquire()];
    assert!(heads[0].begin_request().is_none(), "its head was the oldest of three");
    assert!(heads[1].begin_request().is_some());
    drop((idle, served, heads));
    let table = slots.table();
    assert_eq!((table.heads.len(), table.idle.len(), table.busy), (0, 0, 0));
}

#[tokio::test]
async fn an_idle_connection_is_dropped_and_a_busy_one_is_not() {
    let slots = Slots::new(CAPACITY);
    let idle = slots.acquire();
    drop(idle.begin_request().expect("a slot"));
    let busy = slots.acquire();
    let first = busy.begin_request().expect("a slot");
    let second = slots.acquire().begin_request().expect("the idle connection is dropped");
    assert_eq!((end_reason(&idle), end_reason(&busy)), (Some(EndReason::Dropped), None));
    assert!(slots.acquire().begin_request().is_none(), "both are busy");
    drop((first, second));
    assert!(slots.acquire().begin_request().is_some());
}

#[tokio::test]
async fn all_slots_are_released() {
    let slots = Slots::new(CAPACITY);
    for turn in 0..50 {
        let slot = slots.acquire();
        slot.bytes_arrived();
        if turn % 2 == 0 {
            let busy = slot.begin_request().expect("a slot");
            let next = slot.begin_request().expect("a second request on the same connection");
            drop(busy);
            if turn % 4 == 0 {
                slot.release();
            }
            drop(next);
        }
        if turn % 3 == 0 {
            slot.bytes_arrived();
        }
    }
    let table = slots.table();
    assert_eq!((table.heads.len(), table.idle.len(), table.busy), (0, 0, 0));
}
