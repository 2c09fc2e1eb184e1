//! The order and the end of a queue, what a full one drops, and up to when and at what time its updates were received.

use std::task::{Context, Poll, Waker};

use super::*;

/// A queue in a test without receive times.
fn queue_of(capacity: usize, overflow: Overflow) -> (Writer<u32>, Reader<u32>) {
    queue(capacity, overflow, Arc::default())
}

fn next(reader: &Reader<u32>) -> Poll<Option<Result<Update<u32>, Error>>> {
    reader.poll_next(&mut Context::from_waker(Waker::noop()))
}

/// The updates up to the first pause, error or end.
fn drain(reader: &Reader<u32>) -> Vec<Update<u32>> {
    let item = || match next(reader) {
        Poll::Ready(item) => item?.ok(),
        Poll::Pending => None,
    };
    std::iter::from_fn(item).collect()
}

#[test]
fn delivers_updates_in_order_and_ends_with_the_writer() {
    let (writer, reader) = queue_of(8, Overflow::Lag);
    assert!(next(&reader).is_pending(), "nothing yet");
    assert!(writer.push(Update::Subscribed) && writer.push(Update::Data(1)));
    drop(writer);
    assert!(!reader.is_terminated());
    assert_eq!(drain(&reader), [Update::Subscribed, Update::Data(1)]);
    assert!(matches!(next(&reader), Poll::Ready(None)), "the end");
    assert!(reader.is_terminated());
}

#[test]
fn lag_reports_how_many_events_were_dropped() {
    let (writer, reader) = queue_of(4, Overflow::Lag);
    for value in 0..10 {
        assert!(writer.push(Update::Data(value)));
    }
    // The queue is full, and drops its 4 events, at the pushes of 4 and 8.
    assert_eq!(drain(&reader), [Update::Lagged(8), Update::Data(8), Update::Data(9)]);
}

#[test]
fn the_latest_update_about_the_connection_survives_an_overflow() {
    let (writer, reader) = queue_of(4, Overflow::Lag);
    writer.push(Update::Data(1));
    writer.push(Update::Reconnecting(crate::ReconnectReason::closed()));
    writer.push(Update::Resynced);
    writer.push(Update::Data(2));
    writer.push(Update::Data(3));
    // Lost are the events 1 and 2. `Reconnecting` is outdated by `Resynced` and is no event.
    assert_eq!(drain(&reader), [Update::Lagged(2), Update::Resynced, Update::Data(3)]);
}

#[test]
fn a_resync_survives_any_number_of_stale_and_alive_updates() {
    for idle_periods in 0..20 {
        let (writer, reader) = queue_of(3, Overflow::Lag);
        writer.push(Update::Reconnecting(crate::ReconnectReason::closed()));
        writer.push(Update::Resynced);
        for _ in 0..idle_periods {
            writer.push(Update::Stale(Instant::now()));
            writer.push(Update::Alive);
        }
        let updates = drain(&reader);
        assert!(updates.contains(&Update::Resynced), "{updates:?}");
        assert!(idle_periods == 0 || updates.last() == Some(&Update::Alive), "{updates:?}");
    }
}

#[test]
fn a_full_private_queue_delivers_what_was_queued_and_then_an_error() {
    let (writer, reader) = queue_of(4, Overflow::End);
    let accepted = (0..10).filter(|&value| writer.push(Update::Data(value))).count();
    assert_eq!(accepted, 4);
    for value in 0..4 {
        let item = next(&reader);
        assert!(matches!(item, Poll::Ready(Some(Ok(Update::Data(queued)))) if queued == value));
    }
    let Poll::Ready(Some(Err(error))) = next(&reader) else { panic!("no error") };
    assert_eq!(error.kind(), ErrorKind::Overflow);
    assert!(error.to_string().contains("REST"), "{error}");
    assert!(matches!(next(&reader), Poll::Ready(None)), "the error is the last item");
}

#[test]
fn a_closed_queue_rejects_updates() {
    let (writer, reader) = queue_of(4, Overflow::Lag);
    reader.close();
    assert!(writer.is_closed());
    assert!(!writer.push(Update::Data(1)));
}

#[test]
fn delivered_until_is_what_was_complete_at_the_push_of_the_last_item() {
    let tracker = Arc::<ReceiveTracker>::default();
    let start = Instant::now();
    let at = |seconds: u64| Some(start + std::time::Duration::from_secs(seconds));
    let (writer, reader) = queue(2, Overflow::End, tracker.clone());
    assert!(writer.push(Update::Data(1)));
    tracker.advance(at(5));
    let cut = crate::ReconnectReason::closed();
    assert!(writer.push(Update::Reconnecting(cut)));
    tracker.advance(at(9));
    assert!(!writer.push(Update::Data(2)), "full");
    tracker.advance(at(60));
    assert_eq!(reader.received_until(), at(60));
    let mut delivered_until = Vec::new();
    while let Poll::Ready(Some(_)) = next(&reader) {
        delivered_until.push(reader.delivered_until());
    }
    assert_eq!(delivered_until, [None, at(5), at(9)], "data, the cut, the overflow");
}

#[test]
fn after_lag_delivered_until_is_what_was_complete_at_the_push_of_the_first_dropped_event() {
    let tracker = Arc::<ReceiveTracker>::default();
    let start = Instant::now();
    let (writer, reader) = queue(2, Overflow::Lag, tracker.clone());
    for value in 0..9_u8 {
        // Everything that arrived by then was pushed, without this event.
        tracker.advance(Some(start + std::time::Duration::from_secs(value.into())));
        writer.push(Update::Data(value.into()));
    }
    assert!(matches!(next(&reader), Poll::Ready(Some(Ok(Update::Lagged(_))))));
    assert_eq!(reader.delivered_until(), Some(start));
}

#[tokio::test(start_paused = true)]
async fn the_receive_time_of_an_update_without_a_frame_is_that_of_its_push() {
    let (writer, reader) = queue_of(4, Overflow::End);
    assert_eq!(reader.received_at(), None);
    let pushed_at = tokio::time::Instant::now().into_std();
    assert!(writer.push(Update::Resynced));
    tokio::time::advance(std::time::Duration::from_secs(40)).await;
    assert!(next(&reader).is_ready());
    assert_eq!(reader.received_at().map(|at| at.instant), Some(pushed_at));
}
