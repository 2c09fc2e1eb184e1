//! The bucket compared with a model: a list of granted permits.

use proptest::prelude::*;

use super::*;

const PERMITS: u32 = 3;
const WINDOW: Duration = Duration::from_millis(100);

fn bucket() -> Bucket {
    Bucket::new(Published::new(PERMITS, WINDOW), 0)
}

fn headers(used: u32, limit: u32, window: Duration) -> RateLimitState {
    RateLimitState { used, limit, window }
}

/// Joins the queue and requests a permit.
fn request(bucket: &mut Bucket, now: Instant) -> (Ticket, Result<(), Delay>) {
    let ticket = bucket.join(now);
    let response = bucket.poll(ticket, now);
    (ticket, response)
}

fn granted(bucket: &mut Bucket, now: Instant) -> usize {
    (0..100).take_while(|_| request(bucket, now).1.is_ok()).count()
}

#[test]
fn waiting_callers_get_the_exact_time() {
    let (mut bucket, start) = (bucket(), Instant::now());
    assert_eq!(granted(&mut bucket, start), 3);
    // One is queued already: three are granted after one window, the others after two.
    for place in 1..8 {
        let (_, response) = request(&mut bucket, start);
        let at = start + WINDOW * (1 + place / 3);
        assert_eq!(response, Err(Delay { at, reason: ThrottleReason::LimitReached }), "{place}");
    }
}

#[test]
fn a_permit_is_in_use_until_a_window_after_the_response() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let (slow, _) = request(&mut bucket, start);
    assert_eq!(granted(&mut bucket, start), 2);
    bucket.responded(slow, start + WINDOW / 2);
    let mut delay = bucket.queue.drain(..);
    assert!(delay.next().is_some());
    drop(delay);
    assert_eq!(granted(&mut bucket, start + WINDOW), 2);
}

#[test]
fn requests_of_other_programs_use_permits() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let _ = request(&mut bucket, start);
    bucket.settle(headers(2, PERMITS, WINDOW), start);
    assert_eq!(granted(&mut bucket, start), 1);
}

#[test]
fn a_lower_count_of_the_exchange_releases_no_permit() {
    let (mut bucket, start) = (bucket(), Instant::now());
    assert!(request(&mut bucket, start).1.is_ok() && request(&mut bucket, start).1.is_ok());
    bucket.settle(headers(0, PERMITS, WINDOW), start);
    assert_eq!(granted(&mut bucket, start), 1);
}

#[test]
fn a_lower_limit_is_adopted_and_a_higher_one_is_not() {
    for (limit, expected) in [(2, 2), (30, 3)] {
        let (mut bucket, start) = (bucket(), Instant::now());
        bucket.settle(headers(0, limit, WINDOW), start);
        assert_eq!(granted(&mut bucket, start), expected);
    }
}

#[test]
fn a_limit_is_learned_where_none_is_published() {
    let (mut bucket, start) = (Bucket::new(None, 0), Instant::now());
    assert_eq!(granted(&mut bucket, start), 100);
    bucket.settle(headers(1, 3, WINDOW), start);
    assert_eq!(granted(&mut bucket, start), 2);
}

#[test]
fn an_exhausted_longer_window_pauses_until_its_end() {
    let (mut bucket, start) = (bucket(), Instant::now());
    bucket.settle(headers(600, 600, WINDOW * 20), start);
    assert_eq!(granted(&mut bucket, start + WINDOW * 19), 0);
    bucket.queue.clear();
    assert_eq!(granted(&mut bucket, start + WINDOW * 20), 3);
}

#[test]
fn a_pause_delays_all_callers_until_its_end() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let end = start + WINDOW * 4;
    bucket.pause(end);
    bucket.ban(start + WINDOW * 2);
    bucket.pause(start + WINDOW * 3);
    let (ticket, response) = request(&mut bucket, start + WINDOW);
    assert_eq!(response, Err(Delay { at: end, reason: ThrottleReason::Banned }));
    // The ban is over, the pause is not.
    let response = bucket.poll(ticket, start + WINDOW * 2);
    assert_eq!(response, Err(Delay { at: end, reason: ThrottleReason::TooManyRequests }));
    assert_eq!(bucket.poll(ticket, end), Ok(()));
}

#[test]
fn a_caller_that_stops_polling_does_not_block_the_queue() {
    let (mut bucket, start) = (bucket(), Instant::now());
    assert_eq!(granted(&mut bucket, start), 3);
    // Two callers in the queue are never polled again.
    let _ = bucket.join(start);
    let (awake, mut response) = request(&mut bucket, start);
    let mut now = start;
    while let Err(delay) = response {
        assert!(delay.at > now, "no progress");
        now = delay.at;
        response = bucket.poll(awake, now);
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

/// The bucket and its expected state.
struct Model {
    bucket: Bucket,
    now: Instant,
    /// Waiting callers in order, and when each polls next.
    waiting: Vec<(Ticket, Instant)>,
    /// When each permit was granted, except returned ones.
    granted: Vec<(Ticket, Instant)>,
    paused_until: Instant,
    /// The limit in force.
    limit: usize,
}

impl Model {
    fn new(now: Instant) -> Self {
        let limit = PERMITS as usize;
        let (waiting, granted) = (Vec::new(), Vec::new());
        Self { bucket: bucket(), now, waiting, granted, paused_until: now, limit }
    }

    /// Polls for a caller. A grant must respect the limit, the pause and the order.
    fn poll(&mut self, ticket: Ticket) {
        let place = self.waiting.iter().position(|(waiting, _)| *waiting == ticket).unwrap();
        match self.bucket.poll(ticket, self.now) {
            Ok(()) => {
                self.waiting.remove(place);
                self.granted.push((ticket, self.now));
                assert!(self.now >= self.paused_until, "granted during a pause");
                let since = self.granted.iter().filter(|(_, at)| *at + WINDOW > self.now).count();
                assert!(since <= self.limit, "{since} in a window");
                // Earlier callers must still get a permit.
                assert!(since + place <= self.limit, "overtook earlier callers");
            }
            Err(delay) => {
                assert!(delay.at > self.now, "must be polled again at once");
                self.waiting[place].1 = delay.at;
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

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Join => {
                let ticket = self.bucket.join(self.now);
                self.waiting.push((ticket, self.now));
                self.poll(ticket);
            }
            Step::Pass(millis) => self.pass(self.now + Duration::from_millis(millis)),
            Step::Cancel(place) if place < self.waiting.len() => {
                let (ticket, _) = self.waiting.remove(place);
                assert_eq!(self.bucket.leave(ticket), !self.waiting.is_empty());
                self.poll_all();
            }
            Step::Return(place) if place < self.granted.len() => {
                let (ticket, _) = self.granted.remove(place);
                self.bucket.leave(ticket);
                self.poll_all();
            }
            Step::Response(place) => {
                if let Some((ticket, _)) = self.granted.get(place) {
                    self.bucket.responded(*ticket, self.now);
                }
            }
            Step::Headers(used, limit) => {
                self.bucket.settle(headers(used, limit, WINDOW), self.now);
                self.limit = self.limit.min(limit as usize);
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
        // One window per caller is the slowest possible pace, plus one for permits in use for longer
        // because of responses.
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
            let grants = |model: &Model| model.granted.iter().map(|(_, at)| *at).collect::<Vec<_>>();
            prop_assert_eq!(grants(&with), grants(&without));
        }
    }
}
