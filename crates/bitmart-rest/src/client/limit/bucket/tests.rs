//! The bucket compared with a model: a list of granted permits.

use proptest::prelude::*;

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
fn a_lower_limit_of_a_longer_window_does_not_allow_more_at_once() {
    let (mut bucket, start) = (bucket(), Instant::now());
    // 20 in 10 windows is slower than 3 in one window, and would allow 20 at once.
    bucket.settle(stated(0, 20, WINDOW * 10), start);
    let tickets = granted_tickets(&mut bucket, start);
    assert_eq!(tickets.len(), 3);
    bucket.queue.clear();
    for ticket in tickets {
        bucket.responded(ticket, start);
    }
    // 20 are 6 times 3 and a part: 3 in a sixth of the 1,000 ms, which is between 166 and 167 ms.
    assert_eq!(count_granted(&mut bucket, start + Duration::from_millis(166)), 0);
    bucket.queue.clear();
    assert_eq!(count_granted(&mut bucket, start + Duration::from_millis(167)), 3);
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
    let (mut bucket, start) = (bucket(), Instant::now());
    bucket.settle(stated(600, 600, WINDOW * 20), start);
    assert_eq!(count_granted(&mut bucket, start + WINDOW * 19), 0);
    bucket.queue.clear();
    assert_eq!(count_granted(&mut bucket, start + WINDOW * 20), 3);
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

/// A step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Join,
    /// Lets milliseconds pass; callers that are due poll again.
    Pass(u64),
    /// A waiting caller leaves.
    Cancel(usize),
    /// A caller returns its permit without sending.
    Return(usize),
    /// A response arrives.
    Response(usize),
    Headers(u32, u32),
    Pause(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Join),
        6 => (0..80_u64).prop_map(Step::Pass),
        2 => (0..9_usize).prop_map(Step::Cancel),
        1 => (0..9_usize).prop_map(Step::Return),
        2 => (0..9_usize).prop_map(Step::Response),
        1 => (0..6_u32, 1..6_u32).prop_map(|(used, limit)| Step::Headers(used, limit)),
        1 => (0..300_u64).prop_map(Step::Pause),
    ]
}

/// A granted permit.
struct Granted {
    ticket: Ticket,
    at: Instant,
    /// When its request got a response.
    end: Option<Instant>,
}

impl Granted {
    /// Whether the exchange may have counted the request within the window before `now`.
    fn is_in_use(&self, now: Instant) -> bool {
        self.end.is_none_or(|end| end + WINDOW > now)
    }
}

/// The bucket and its expected state.
struct Model {
    bucket: Bucket,
    now: Instant,
    /// Waiting callers in order, and when each polls next.
    waiting: Vec<(Ticket, Instant)>,
    /// The granted permits, except returned ones.
    granted: Vec<Granted>,
    /// Whether each request gets its response when it gets its permit.
    responds_at_once: bool,
    paused_until: Instant,
    /// The limit in force.
    limit: usize,
}

impl Model {
    fn new(now: Instant) -> Self {
        let limit = PERMITS as usize;
        let (waiting, granted) = (Vec::new(), Vec::new());
        let responds_at_once = false;
        Self { bucket: bucket(), now, waiting, granted, responds_at_once, paused_until: now, limit }
    }

    /// Polls for a caller. A grant must respect the limit, the pause and the order.
    fn poll(&mut self, ticket: Ticket) {
        let position = self.waiting.iter().position(|(waiting, _)| *waiting == ticket).unwrap();
        match self.bucket.poll(ticket, self.now) {
            Ok(()) => {
                self.waiting.remove(position);
                self.granted.push(Granted { ticket, at: self.now, end: None });
                assert!(self.now >= self.paused_until, "granted during a pause");
                let in_use = self.granted.iter().filter(|one| one.is_in_use(self.now)).count();
                assert!(in_use <= self.limit, "{in_use} in a window");
                // Earlier callers must still get a permit.
                assert!(in_use + position <= self.limit, "overtook earlier callers");
                if self.responds_at_once {
                    self.respond_all();
                }
            }
            Err(delay) => {
                assert!(delay.at > self.now, "must be polled again at once");
                self.waiting[position].1 = delay.at;
            }
        }
    }

    /// Lets time pass from one due time to the next.
    fn pass(&mut self, until: Instant) {
        while let Some(due) = self.waiting.iter().map(|(_, due)| *due).min()
            && due <= until
        {
            self.now = self.now.max(due);
            let tickets: Vec<_> =
                self.waiting.iter().filter(|(_, due)| *due <= self.now).map(|(t, _)| *t).collect();
            for ticket in tickets {
                self.poll(ticket);
            }
        }
        self.now = until;
    }

    fn poll_all(&mut self) {
        let tickets: Vec<_> = self.waiting.iter().map(|(ticket, _)| *ticket).collect();
        for ticket in tickets {
            self.poll(ticket);
        }
    }

    fn respond_all(&mut self) {
        for one in self.granted.iter_mut().filter(|one| one.end.is_none()) {
            one.end = Some(self.now);
            self.bucket.responded(one.ticket, self.now);
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Join => {
                let ticket = self.bucket.join(self.now);
                self.waiting.push((ticket, self.now));
                self.poll(ticket);
            }
            Step::Pass(millis) => self.pass(self.now + Duration::from_millis(millis)),
            Step::Cancel(position) if position < self.waiting.len() => {
                let (ticket, _) = self.waiting.remove(position);
                assert_eq!(self.bucket.leave(ticket), !self.waiting.is_empty());
                self.poll_all();
            }
            Step::Return(position)
                if self.granted.get(position).is_some_and(|one| one.end.is_none()) =>
            {
                let Granted { ticket, .. } = self.granted.remove(position);
                self.bucket.leave(ticket);
                self.poll_all();
            }
            Step::Response(position) => {
                if let Some(one) = self.granted.get_mut(position).filter(|one| one.end.is_none()) {
                    one.end = Some(self.now);
                    self.bucket.responded(one.ticket, self.now);
                }
            }
            Step::Headers(used, limit) => {
                self.bucket.settle(stated(used, limit, WINDOW), self.now);
                self.limit = PERMITS.min(limit) as usize;
            }
            Step::Pause(millis) => {
                let at = self.now + Duration::from_millis(millis);
                self.bucket.pause(at);
                self.paused_until = self.paused_until.max(at);
            }
            Step::Cancel(_) | Step::Return(_) => {}
        }
    }
}

proptest! {
    #[test]
    fn no_window_exceeds_the_limit_and_every_caller_gets_a_permit(
        steps in prop::collection::vec(step(), 1..120)
    ) {
        let mut model = Model::new(Instant::now());
        for step in &steps {
            model.step(step);
        }
        // All requests get their responses. One window per caller is the slowest possible pace, plus one
        // for permits in use for longer because of responses.
        model.respond_all();
        model.responds_at_once = true;
        let pause = model.paused_until.saturating_duration_since(model.now);
        let turns = u32::try_from(model.waiting.len()).unwrap() + 2;
        model.pass(model.now + pause + WINDOW * turns);
        prop_assert!(model.waiting.is_empty(), "{} callers are still waiting", model.waiting.len());
    }

    #[test]
    fn an_abandoned_wait_has_no_effect(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        // The same history with and without a caller that joins and leaves again.
        let start = Instant::now();
        let (mut with, mut without) = (Model::new(start), Model::new(start));
        for step in &steps {
            with.step(step);
            without.step(step);
            let ticket = with.bucket.join(with.now);
            let _ = with.bucket.poll(ticket, with.now);
            with.bucket.leave(ticket);
            let grants = |model: &Model| model.granted.iter().map(|one| one.at).collect::<Vec<_>>();
            prop_assert_eq!(grants(&with), grants(&without));
        }
    }
}
