//! Messages of one or two collectors, and what a subscription sees of them.

use std::time::{Duration, Instant};

use bitmart_ws::ReconnectReason;
use bytes::Bytes;

use super::merger::{Merger, Output};
use crate::nats::message::{Kind, Lagged, Message, json};

const TTL: Duration = Duration::from_secs(2);
/// Longer than any loss may reach back.
const LONG: Duration = Duration::from_secs(100);

fn message(kind: Kind, term: u64, number: u64, payload: &str) -> Message {
    let payload = Bytes::copy_from_slice(payload.as_bytes());
    Message { kind, term, number, received: 7, collector: "a".to_owned(), snapshot: None, payload }
}

fn frame(term: u64, number: u64, text: &str) -> Message {
    message(Kind::Frame, term, number, text)
}

/// Short names of the outputs.
fn names(out: &mut Vec<Output>) -> Vec<String> {
    let name = |output| match output {
        Output::Connected => "up".to_owned(),
        Output::Frame(frame, _) => String::from_utf8_lossy(&frame).into_owned(),
        Output::Reconnecting(_) => "down".to_owned(),
        Output::Lagged(missed) => format!("lost {missed}"),
        other => format!("{other:?}"),
    };
    out.drain(..).map(name).collect()
}

fn run(merger: &mut Merger, input: usize, now: Instant, messages: &[Message]) -> Vec<String> {
    let mut out = Vec::new();
    for message in messages {
        merger.message(input, message, now, &mut out);
    }
    names(&mut out)
}

#[test]
fn missing_numbers_are_a_loss_and_repeated_ones_are_ignored() {
    let (mut merger, now) = (Merger::new(1, TTL), Instant::now());
    let messages =
        [frame(1, 0, "a"), frame(1, 1, "b"), frame(1, 1, "b"), frame(1, 0, "z"), frame(1, 5, "c")];
    assert_eq!(run(&mut merger, 0, now, &messages), ["up", "a", "b", "lost 3", "c"]);
    let lagged = json(&Lagged { missed: 12 });
    let lagged = Message { payload: lagged, ..message(Kind::Lagged, 1, 6, "") };
    assert_eq!(run(&mut merger, 0, now, &[lagged]), ["lost 12"]);
}

#[test]
fn a_higher_term_is_a_gap_and_a_lower_one_is_ignored() {
    let (mut merger, now) = (Merger::new(1, TTL), Instant::now());
    let messages = [
        frame(1, 0, "a"),
        message(Kind::Subscribed, 2, 0, ""),
        frame(1, 1, "stale"),
        frame(2, 1, "b"),
    ];
    assert_eq!(run(&mut merger, 0, now, &messages), ["up", "a", "down", "up", "b"]);
    let mut out = Vec::new();
    merger.replaced(0, 3, "a lease".to_owned(), now, &mut out);
    assert_eq!(names(&mut out), ["down"]);
    assert_eq!(run(&mut merger, 0, now, &[frame(2, 2, "stale"), frame(3, 0, "c")]), ["up", "c"]);
}

#[test]
fn a_holder_that_was_silent_needs_a_new_beginning() {
    let (mut merger, now) = (Merger::new(1, TTL), Instant::now());
    run(&mut merger, 0, now, &[frame(1, 0, "a")]);
    let mut out = Vec::new();
    let reason = ReconnectReason::Lost { detail: String::new() };
    merger.silent(0, reason, TTL, now, &mut out);
    assert_eq!(names(&mut out), ["down"]);
    assert_eq!(run(&mut merger, 0, now, &[frame(1, 1, "b")]), [""; 0]);
    assert!(merger.is_behind(0));
    assert_eq!(run(&mut merger, 0, now, &[frame(2, 0, "c")]), ["up", "c"], "another holder");
}

#[test]
fn a_reader_that_comes_late_begins_with_the_history() {
    let (mut merger, now) = (Merger::new(1, TTL), Instant::now());
    assert_eq!(run(&mut merger, 0, now, &[frame(1, 5, "f")]), [""; 0]);
    assert!(merger.is_behind(0));
    let mut merger = Merger::new(1, TTL);
    let mut out = Vec::new();
    merger.join(0, &frame(1, 5, "f"), now, &mut out);
    assert_eq!(names(&mut out), ["up"]);
    assert_eq!(run(&mut merger, 0, now, &[frame(1, 5, "f"), frame(1, 6, "g")]), ["g"]);
}

#[test]
fn another_collector_covers_a_loss_if_it_has_delivered_long_enough() {
    let start = Instant::now();
    for (up_for, covered) in [(LONG, true), (TTL / 2, false)] {
        let mut merger = Merger::new(2, TTL);
        run(&mut merger, 0, start, &[frame(1, 0, "a")]);
        assert_eq!(run(&mut merger, 1, start, &[frame(9, 0, "a")]), [""; 0], "the same event");
        let now = start + up_for;
        let mut out = Vec::new();
        let reason = ReconnectReason::Lost { detail: String::new() };
        merger.silent(0, reason, TTL, now, &mut out);
        let expected: &[&str] = if covered { &[] } else { &["down", "up"] };
        assert_eq!(names(&mut out), expected);
        assert_eq!(run(&mut merger, 1, now, &[frame(9, 1, "b")]), ["b"]);
    }
}

#[test]
fn a_loss_of_one_of_two_collectors_is_covered_by_the_other() {
    let start = Instant::now();
    let mut merger = Merger::new(2, TTL);
    run(&mut merger, 0, start, &[frame(1, 0, "a")]);
    run(&mut merger, 1, start, &[frame(9, 0, "a")]);
    let now = start + LONG;
    assert_eq!(run(&mut merger, 0, now, &[frame(1, 2, "c")]), ["c"]);
    // Now the first is complete since `now` only, so a loss of the second is a loss.
    assert_eq!(run(&mut merger, 1, now, &[frame(9, 5, "d")]), ["lost 4", "d"]);
}

#[test]
fn both_collectors_down_is_down() {
    let start = Instant::now();
    let mut merger = Merger::new(2, TTL);
    run(&mut merger, 0, start, &[frame(1, 0, "a")]);
    run(&mut merger, 1, start, &[frame(9, 0, "a")]);
    let now = start + LONG;
    let down = |term, number| message(Kind::Reconnecting, term, number, r#"{"reason":"closed"}"#);
    assert_eq!(run(&mut merger, 0, now, &[down(1, 1)]), [""; 0]);
    assert_eq!(run(&mut merger, 1, now, &[down(9, 1)]), ["down"]);
    assert_eq!(run(&mut merger, 1, now, &[message(Kind::Resynced, 9, 2, "")]), ["up"]);
}

fn lost() -> ReconnectReason {
    ReconnectReason::Lost { detail: String::new() }
}

#[test]
fn an_input_that_is_behind_joins_alone_and_repeats_nothing() {
    let (mut merger, now) = (Merger::new(2, TTL), Instant::now());
    assert_eq!(run(&mut merger, 0, now, &[frame(1, 0, "a"), frame(1, 1, "b")]), ["up", "a", "b"]);
    // This reader came before the first heartbeat of the other.
    assert_eq!(run(&mut merger, 1, now, &[frame(9, 5, "a")]), [""; 0]);
    assert!(merger.is_behind(1));
    let mut out = Vec::new();
    merger.join(1, &frame(9, 5, "a"), now, &mut out);
    assert_eq!(names(&mut out), [""; 0]);
    assert!(!merger.is_behind(1), "it joins once");
    assert_eq!(run(&mut merger, 1, now, &[frame(9, 6, "b")]), [""; 0], "passed before");
    assert_eq!(run(&mut merger, 0, now, &[frame(1, 2, "c")]), ["c"]);
    assert_eq!(run(&mut merger, 1, now, &[frame(9, 7, "c"), frame(9, 8, "d")]), ["d"]);
}

#[test]
fn the_backlog_of_a_holder_that_was_cut_off_repeats_nothing() {
    let (mut merger, now) = (Merger::new(2, TTL), Instant::now());
    run(&mut merger, 0, now, &[frame(1, 0, "a")]);
    run(&mut merger, 1, now, &[frame(9, 0, "a")]);
    let (mut out, later) = (Vec::new(), now + LONG);
    merger.silent(1, lost(), TTL, later, &mut out);
    assert_eq!(names(&mut out), [""; 0], "covered by the first");
    assert_eq!(run(&mut merger, 0, later, &[frame(1, 1, "b"), frame(1, 2, "c")]), ["b", "c"]);
    assert_eq!(run(&mut merger, 1, later, &[frame(9, 1, "b")]), [""; 0]);
    merger.join(1, &frame(9, 1, "b"), later, &mut out);
    assert_eq!(names(&mut out), [""; 0]);
    assert!(!merger.is_behind(1));
    assert_eq!(run(&mut merger, 1, later, &[frame(9, 2, "c"), frame(9, 3, "d")]), ["d"]);
}

#[test]
fn a_new_beginning_is_a_reported_gap_and_repeats_nothing() {
    let (mut merger, now) = (Merger::new(2, TTL), Instant::now());
    run(&mut merger, 0, now, &[frame(1, 0, "a"), frame(1, 1, "b")]);
    let mut out = Vec::new();
    merger.begin_again(lost(), &mut out);
    assert_eq!(names(&mut out), ["down"]);
    merger.begin_again(lost(), &mut out);
    assert_eq!(names(&mut out), [""; 0], "reported once");
    merger.join(1, &frame(9, 0, "a"), now, &mut out);
    assert_eq!(names(&mut out), ["up"]);
    assert_eq!(run(&mut merger, 1, now, &[frame(9, 1, "b"), frame(9, 2, "c")]), ["c"]);
}

#[test]
fn a_topic_that_the_collector_does_not_receive_is_down() {
    let (mut merger, now) = (Merger::new(1, TTL), Instant::now());
    let down = |number| message(Kind::Down, 1, number, "");
    assert_eq!(run(&mut merger, 0, now, &[down(0)]), [""; 0], "it never delivered");
    assert_eq!(run(&mut merger, 0, now, &[frame(1, 1, "a"), down(2)]), ["up", "a", "down"]);
    assert_eq!(run(&mut merger, 0, now, &[down(3)]), [""; 0]);
}

#[test]
fn an_input_that_is_down_already_does_not_interrupt_the_other() {
    let (mut merger, now) = (Merger::new(2, TTL), Instant::now());
    run(&mut merger, 0, now, &[frame(1, 0, "a")]);
    let down = message(Kind::Reconnecting, 9, 0, r#"{"reason":"closed"}"#);
    assert_eq!(run(&mut merger, 1, now, &[down]), [""; 0]);
    assert_eq!(run(&mut merger, 0, now, &[frame(1, 1, "b")]), ["b"]);
}

#[test]
fn the_highest_number_is_no_overflow() {
    let (mut merger, now) = (Merger::new(1, TTL), Instant::now());
    let mut out = Vec::new();
    merger.join(0, &frame(1, u64::MAX, "a"), now, &mut out);
    assert_eq!(names(&mut out), ["up"]);
    let last = [frame(1, u64::MAX, "b"), frame(1, 3, "c")];
    assert_eq!(run(&mut merger, 0, now, &last), ["b"]);
}
