use std::task::{Context, Poll, Waker};

use super::*;

fn next(reader: &Reader<u32>) -> Poll<Option<Result<Update<u32>, Error>>> {
    reader.poll_next(&mut Context::from_waker(Waker::noop()))
}

fn all(reader: &Reader<u32>) -> Vec<Update<u32>> {
    let item = || match next(reader) {
        Poll::Ready(item) => item?.ok(),
        Poll::Pending => None,
    };
    std::iter::from_fn(item).collect()
}

#[test]
fn updates_come_in_order_and_the_queue_ends_with_its_writer() {
    let (writer, reader) = queue(8, Overflow::Lag, Arc::default());
    assert!(next(&reader).is_pending(), "nothing yet");
    assert!(writer.push(Update::Subscribed) && writer.push(Update::Data(1)));
    drop(writer);
    assert_eq!(all(&reader), [Update::Subscribed, Update::Data(1)]);
    assert!(matches!(next(&reader), Poll::Ready(None)), "the end");
}

#[test]
fn a_slow_reader_of_market_data_learns_how_much_it_missed() {
    let (writer, reader) = queue(4, Overflow::Lag, Arc::default());
    for value in 0..10 {
        assert!(writer.push(Update::Data(value)));
    }
    let updates = all(&reader);
    let received = updates.len() - 1;
    assert_eq!(updates[0], Update::Lagged(10 - u64::try_from(received).expect("few")));
    assert_eq!(updates.last(), Some(&Update::Data(9)), "the newest is there");
}

#[test]
fn the_last_word_of_the_lifecycle_survives_an_overflow() {
    let (writer, reader) = queue(4, Overflow::Lag, Arc::default());
    writer.push(Update::Data(1));
    writer.push(Update::Reconnecting(crate::ReconnectReason::closed()));
    writer.push(Update::Resynced);
    writer.push(Update::Data(2));
    writer.push(Update::Data(3));
    assert_eq!(all(&reader), [Update::Lagged(2), Update::Resynced, Update::Data(3)]);
}

#[test]
fn a_gap_is_told_however_often_the_connection_fell_silent_after_it() {
    for silences in 0..20 {
        let (writer, reader) = queue(3, Overflow::Lag, Arc::default());
        writer.push(Update::Reconnecting(crate::ReconnectReason::closed()));
        writer.push(Update::Resynced);
        for _ in 0..silences {
            writer.push(Update::Stale(Instant::now()));
            writer.push(Update::Alive);
        }
        let updates = all(&reader);
        assert!(updates.contains(&Update::Resynced), "{updates:?}");
        assert!(silences == 0 || updates.last() == Some(&Update::Alive), "{updates:?}");
    }
}

#[test]
fn a_slow_reader_of_private_data_gets_what_was_queued_and_then_an_error() {
    let (writer, reader) = queue(4, Overflow::End, Arc::default());
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
fn a_writer_learns_that_nobody_reads() {
    let (writer, reader) = queue(4, Overflow::Lag, Arc::default());
    reader.close();
    assert!(writer.reader_is_gone());
    assert!(!writer.push(Update::Data(1)));
}

#[test]
fn a_loss_says_since_when_whenever_it_is_read() {
    let heard = Arc::<Heard>::default();
    let start = Instant::now();
    let at = |seconds: u64| Some(start + std::time::Duration::from_secs(seconds));
    let (writer, reader) = queue(2, Overflow::End, heard.clone());
    assert!(writer.push(Update::Data(1)));
    heard.note(at(5));
    let cut = crate::ReconnectReason::closed();
    assert!(writer.push(Update::Reconnecting(cut)));
    heard.note(at(9));
    assert!(!writer.push(Update::Data(2)), "full");
    heard.note(at(60));
    assert_eq!(reader.heard(), at(60));
    let mut stamps = Vec::new();
    while let Poll::Ready(Some(_)) = next(&reader) {
        stamps.push(reader.last_received());
    }
    assert_eq!(stamps, [None, at(5), at(9)], "data, the cut, the overflow");
}

#[test]
fn market_data_that_was_dropped_is_missing_since_the_first_of_it() {
    let heard = Arc::<Heard>::default();
    let start = Instant::now();
    let (writer, reader) = queue(2, Overflow::Lag, heard.clone());
    for value in 0..9_u8 {
        heard.note(Some(start + std::time::Duration::from_secs(value.into())));
        writer.push(Update::Data(value.into()));
    }
    assert!(matches!(next(&reader), Poll::Ready(Some(Ok(Update::Lagged(_))))));
    assert_eq!(reader.last_received(), Some(start));
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_read_late_says_when_it_came() {
    let (writer, reader) = queue(4, Overflow::End, Arc::default());
    assert_eq!(reader.received_at(), None);
    let came = tokio::time::Instant::now().into_std();
    assert!(writer.push(Update::Resynced));
    tokio::time::advance(std::time::Duration::from_secs(40)).await;
    assert!(next(&reader).is_ready());
    assert_eq!(reader.received_at().map(|at| at.instant), Some(came));
}
