//! The pacer of the bench `nats`: figures of runs that lose frames are of no use.

#[path = "../../benches/nats/pacer.rs"]
mod pacer;

use futures_util::FutureExt as _;

use self::pacer::Pacer;

/// How many frames may be sent without waiting.
fn send_all(pacer: &Pacer) -> u64 {
    let mut sent = 0;
    while pacer.send().now_or_never().flatten().is_some() {
        sent += 1;
    }
    sent
}

#[test]
fn the_slowest_reader_sets_the_pace_and_no_more_than_1000_frames_are_in_flight() {
    let pacer = Pacer::new(2_000, 2);
    assert_eq!(send_all(&pacer), 0, "not started");
    pacer.start();
    assert_eq!(send_all(&pacer), 1_000);
    let read = |from: u64, to: u64| (from..=to).for_each(|frames| pacer.has_read(frames));
    read(1, 1_000);
    assert_eq!(send_all(&pacer), 0, "the other reader has read nothing");
    read(1, 350);
    assert_eq!(send_all(&pacer), 300, "both have read three batches of 100");
    read(351, 1_000);
    assert_eq!(send_all(&pacer), 700);
    assert_eq!(pacer.unsent(), 0);
    read(1_001, 2_000);
    read(1_001, 2_000);
    assert_eq!(send_all(&pacer), 0, "all are sent");
}
