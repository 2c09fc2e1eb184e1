//! When a bucket grants permits: in its window, after responses, headers, pauses and bans.

mod model;

use super::*;

const PERMITS: u32 = 3;
const WINDOW: Duration = Duration::from_millis(100);

fn bucket() -> Bucket {
    Bucket::new(Published::new(PERMITS, WINDOW), 0)
}

/// What the headers of a response state.
fn stated(used: u32, limit: u32, window: Duration) -> RateLimitState {
    RateLimitState { used, limit, window }
}

/// Joins the queue and requests a permit.
fn request_permit(bucket: &mut Bucket, now: Instant) -> (Ticket, Result<(), Delay>) {
    let ticket = bucket.join(now);
    let result = bucket.poll(ticket, now);
    (ticket, result)
}

/// Requests permits until one is refused, and returns the tickets of the granted ones, all in flight.
fn granted_tickets(bucket: &mut Bucket, now: Instant) -> Vec<Ticket> {
    let granted =
        (0..100).map(|_| request_permit(bucket, now)).take_while(|(_, result)| result.is_ok());
    granted.map(|(ticket, _)| ticket).collect()
}

/// Requests permits until one is refused, and returns the number of granted ones.
fn count_granted(bucket: &mut Bucket, now: Instant) -> usize {
    granted_tickets(bucket, now).len()
}

#[test]
fn waiting_callers_get_the_exact_time() {
    let (mut bucket, start) = (bucket(), Instant::now());
    assert_eq!(count_granted(&mut bucket, start), 3);
    // One is queued already: three are granted after one window, the others after two.
    for position in 1..8 {
        let (_, result) = request_permit(&mut bucket, start);
        let at = start + WINDOW * (1 + position / 3);
        assert_eq!(result, Err(Delay { at, reason: ThrottleReason::LimitReached }), "{position}");
    }
}

#[test]
fn a_permit_is_in_use_until_a_window_after_the_response() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let tickets = granted_tickets(&mut bucket, start);
    bucket.queue.clear();
    for (ticket, responds_after) in tickets.iter().zip([Duration::ZERO, WINDOW / 2, WINDOW / 2]) {
        bucket.responded(*ticket, start + responds_after);
    }
    assert_eq!(count_granted(&mut bucket, start + WINDOW), 1);
    bucket.queue.clear();
    assert_eq!(count_granted(&mut bucket, start + WINDOW * 3 / 2), 2);
}

#[test]
fn requests_without_a_response_keep_their_permits() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let tickets = granted_tickets(&mut bucket, start);
    assert_eq!(tickets.len(), 3);
    for windows in 1..5 {
        bucket.queue.clear();
        assert_eq!(count_granted(&mut bucket, start + WINDOW * windows), 0, "{windows}");
        assert_eq!(bucket.free(), Some(0));
    }
    // One was not sent after all, two end after five windows.
    bucket.queue.clear();
    let end = start + WINDOW * 5;
    bucket.leave(tickets[0]);
    bucket.responded(tickets[1], end);
    bucket.responded(tickets[2], end);
    assert_eq!(count_granted(&mut bucket, end), 1);
    bucket.queue.clear();
    assert_eq!(count_granted(&mut bucket, end + WINDOW), 2);
}

#[test]
fn a_caller_behind_a_request_without_a_response_gets_a_later_time() {
    let (mut bucket, start) = (bucket(), Instant::now());
    assert_eq!(granted_tickets(&mut bucket, start).len(), 3);
    bucket.queue.clear();
    for now in [start, start + WINDOW / 2, start + WINDOW, start + WINDOW * 9] {
        let (ticket, result) = request_permit(&mut bucket, now);
        // At the earliest one window after a response that arrives now.
        assert_eq!(result.unwrap_err().at, now + WINDOW);
        bucket.leave(ticket);
    }
}

#[test]
fn requests_of_other_programs_use_permits() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let _ = request_permit(&mut bucket, start);
    bucket.settle(stated(2, PERMITS, WINDOW), start);
    assert_eq!(count_granted(&mut bucket, start), 1);
}

#[test]
fn a_lower_count_of_the_exchange_releases_no_permit() {
    let (mut bucket, start) = (bucket(), Instant::now());
    assert!(
        request_permit(&mut bucket, start).1.is_ok()
            && request_permit(&mut bucket, start).1.is_ok()
    );
    bucket.settle(stated(0, PERMITS, WINDOW), start);
    assert_eq!(count_granted(&mut bucket, start), 1);
}

#[test]
fn a_lower_limit_is_adopted_and_a_higher_one_is_not() {
    for (limit, expected) in [(2, 2), (30, 3)] {
        let (mut bucket, start) = (bucket(), Instant::now());
        bucket.settle(stated(0, limit, WINDOW), start);
        assert_eq!(count_granted(&mut bucket, start), expected);
    }
}

#[test]
fn a_lower_limit_of_a_longer_window_is_kept_and_does_not_allow_more_at_once() {
    let (mut bucket, start) = (bucket(), Instant::now());
    // 20 in 10 windows is slower than 3 in one window, and would allow 20 at once.
    bucket.settle(stated(0, 20, WINDOW * 10), start);
    // 6 times 3 and 2 are 20.
    for (windows, expected) in [3, 3, 3, 3, 3, 3, 2, 0, 0, 0, 3, 3].into_iter().enumerate() {
        let now = start + WINDOW * u32::try_from(windows).unwrap();
        let tickets = granted_tickets(&mut bucket, now);
        assert_eq!(tickets.len(), expected, "after {windows} windows");
        bucket.queue.clear();
        for ticket in tickets {
            bucket.responded(ticket, now);
        }
    }
}

#[test]
fn what_others_used_of_a_longer_window_stays_used_while_requests_are_in_flight() {
    // 12 in 2 s less 15 % are 11 in 2.157 s; 300 in 60 s are 255.
    let seconds = Duration::from_secs;
    let (mut bucket, start) = (Bucket::new(Published::new(12, seconds(2)), 15), Instant::now());
    let tickets = granted_tickets(&mut bucket, start);
    assert_eq!(tickets.len(), 11);
    bucket.queue.clear();
    bucket.settle(stated(250, 300, seconds(60)), start);
    for ticket in tickets {
        bucket.responded(ticket, start);
    }
    // 255 less 250.
    assert_eq!(count_granted(&mut bucket, start + seconds(3)), 5);
    bucket.queue.clear();
    let (_, result) = request_permit(&mut bucket, start + seconds(59));
    assert_eq!(result.unwrap_err().at, start + seconds(60));
}

#[test]
fn a_lower_limit_ends_with_the_next_response_that_does_not_state_it() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let (ticket, _) = request_permit(&mut bucket, start);
    // Such as of a gateway: 1 in an hour.
    bucket.settle(stated(1, 1, Duration::from_secs(3600)), start);
    bucket.responded(ticket, start);
    let later = start + Duration::from_secs(60);
    assert_eq!(count_granted(&mut bucket, start + Duration::from_secs(59)), 0);
    bucket.queue.clear();
    let (ticket, result) = request_permit(&mut bucket, later);
    assert_eq!(result, Ok(()));
    bucket.settle(stated(1, PERMITS, WINDOW), later);
    bucket.responded(ticket, later);
    assert_eq!(count_granted(&mut bucket, later + WINDOW), PERMITS as usize);
}

#[test]
fn a_limit_is_learned_where_none_is_published() {
    let (mut bucket, start) = (Bucket::new(None, 0), Instant::now());
    let tickets = granted_tickets(&mut bucket, start);
    assert_eq!(tickets.len(), 100);
    for ticket in &tickets[2..] {
        bucket.responded(*ticket, start);
    }
    // The exchange reports one request; the two in flight are counted in addition.
    bucket.settle(stated(1, 3, WINDOW), start);
    assert_eq!(count_granted(&mut bucket, start), 1);
}

#[test]
fn an_exhausted_longer_window_pauses_until_its_end() {
    // Headers come with a response, whose request is still in flight for the bucket. Also a looser pace than
    // the published one, 3 in a window, pauses: 600 in 20 windows.
    for (in_flight, limit) in [(1, 600), (3, 600), (1, 30), (3, 30)] {
        let (mut bucket, start) = (bucket(), Instant::now());
        let tickets = [(); 3].map(|()| request_permit(&mut bucket, start).0);
        let (sent, not_sent) = tickets.split_at(in_flight);
        for ticket in not_sent {
            bucket.leave(*ticket);
        }
        bucket.settle(stated(limit, limit, WINDOW * 20), start);
        for ticket in sent {
            bucket.responded(*ticket, start);
        }
        assert_eq!(count_granted(&mut bucket, start + WINDOW * 19), 0, "{in_flight} of {limit}");
        bucket.queue.clear();
        assert_eq!(count_granted(&mut bucket, start + WINDOW * 20), 3, "{in_flight} of {limit}");
    }
}

#[test]
fn a_pause_delays_all_callers_until_its_end() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let end = start + WINDOW * 4;
    bucket.pause(end);
    bucket.ban(start + WINDOW * 2);
    bucket.pause(start + WINDOW * 3);
    let (ticket, result) = request_permit(&mut bucket, start + WINDOW);
    assert_eq!(result, Err(Delay { at: end, reason: ThrottleReason::Banned }));
    // The ban is over, the pause is not.
    let result = bucket.poll(ticket, start + WINDOW * 2);
    assert_eq!(result, Err(Delay { at: end, reason: ThrottleReason::TooManyRequests }));
    assert_eq!(bucket.poll(ticket, end), Ok(()));
}

#[test]
fn a_caller_that_stops_polling_does_not_block_the_queue() {
    let (mut bucket, start) = (bucket(), Instant::now());
    for ticket in granted_tickets(&mut bucket, start) {
        bucket.responded(ticket, start);
    }
    // Two callers in the queue are never polled again.
    let _ = bucket.join(start);
    let (polled, mut result) = request_permit(&mut bucket, start);
    let mut now = start;
    while let Err(delay) = result {
        assert!(delay.at > now, "no progress");
        now = delay.at;
        result = bucket.poll(polled, now);
    }
    assert!(now <= start + WINDOW * 2);
}
