//! The bucket against a model: a plain list of what was granted when.

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

/// Joins and asks at once.
fn ask(bucket: &mut Bucket, now: Instant) -> (Ticket, Result<(), Later>) {
    let ticket = bucket.join(now);
    let answer = bucket.poll(ticket, now);
    (ticket, answer)
}

fn granted(bucket: &mut Bucket, now: Instant) -> usize {
    (0..100).take_while(|_| ask(bucket, now).1.is_ok()).count()
}

#[test]
fn those_who_wait_are_told_the_very_time() {
    let (mut bucket, start) = (bucket(), Instant::now());
    assert_eq!(granted(&mut bucket, start), 3);
    // One is in the queue by now: three go after a window, the others after two.
    for place in 1..8 {
        let (_, answer) = ask(&mut bucket, start);
        let at = start + WINDOW * (1 + place / 3);
        assert_eq!(answer, Err(Later { at, reason: ThrottleReason::LimitReached }), "{place}");
    }
}

#[test]
fn a_permit_is_in_use_until_a_window_after_the_answer() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let (slow, _) = ask(&mut bucket, start);
    assert_eq!(granted(&mut bucket, start), 2);
    bucket.answered(slow, start + WINDOW / 2);
    let mut later = bucket.queue.drain(..);
    assert!(later.next().is_some());
    drop(later);
    assert_eq!(granted(&mut bucket, start + WINDOW), 2);
}

#[test]
fn requests_of_others_take_permits_away() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let _ = ask(&mut bucket, start);
    bucket.settle(headers(2, PERMITS, WINDOW), start);
    assert_eq!(granted(&mut bucket, start), 1);
}

#[test]
fn a_count_below_our_own_gives_nothing_back() {
    let (mut bucket, start) = (bucket(), Instant::now());
    assert!(ask(&mut bucket, start).1.is_ok() && ask(&mut bucket, start).1.is_ok());
    bucket.settle(headers(0, PERMITS, WINDOW), start);
    assert_eq!(granted(&mut bucket, start), 1);
}

#[test]
fn a_lower_limit_is_adopted_and_a_higher_one_is_not() {
    for (told, expected) in [(2, 2), (30, 3)] {
        let (mut bucket, start) = (bucket(), Instant::now());
        bucket.settle(headers(0, told, WINDOW), start);
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
fn a_longer_window_that_is_used_up_holds_for_its_length() {
    let (mut bucket, start) = (bucket(), Instant::now());
    bucket.settle(headers(600, 600, WINDOW * 20), start);
    assert_eq!(granted(&mut bucket, start + WINDOW * 19), 0);
    bucket.queue.clear();
    assert_eq!(granted(&mut bucket, start + WINDOW * 20), 3);
}

#[test]
fn a_pause_holds_everybody_until_its_end() {
    let (mut bucket, start) = (bucket(), Instant::now());
    let end = start + WINDOW * 4;
    bucket.pause(end);
    bucket.ban(start + WINDOW * 2);
    bucket.pause(start + WINDOW * 3);
    let (ticket, answer) = ask(&mut bucket, start + WINDOW);
    assert_eq!(answer, Err(Later { at: end, reason: ThrottleReason::Banned }));
    // The ban is over, the pause is not.
    let answer = bucket.poll(ticket, start + WINDOW * 2);
    assert_eq!(answer, Err(Later { at: end, reason: ThrottleReason::TooManyRequests }));
    assert_eq!(bucket.poll(ticket, end), Ok(()));
}

#[test]
fn a_caller_that_never_asks_again_does_not_hold_up_the_rest() {
    let (mut bucket, start) = (bucket(), Instant::now());
    assert_eq!(granted(&mut bucket, start), 3);
    // In the queue now: the one above, and a second sleeper.
    let _ = bucket.join(start);
    let (awake, mut answer) = ask(&mut bucket, start);
    let mut now = start;
    while let Err(later) = answer {
        assert!(later.at > now, "no progress");
        now = later.at;
        answer = bucket.poll(awake, now);
    }
    assert!(now <= start + WINDOW * 2);
}

/// What may happen to a bucket.
#[derive(Clone, Debug)]
enum Step {
    Join,
    /// Everybody whose time has come asks again.
    Pass(u64),
    /// Somebody who waits goes away.
    Cancel(usize),
    /// Somebody with a permit does not send.
    GiveBack(usize),
    /// An answer arrives.
    Answer(usize),
    Headers(u32, u32),
    Pause(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Join),
        6 => (0..80_u64).prop_map(Step::Pass),
        2 => (0..9_usize).prop_map(Step::Cancel),
        1 => (0..9_usize).prop_map(Step::GiveBack),
        2 => (0..9_usize).prop_map(Step::Answer),
        1 => (0..6_u32, 1..6_u32).prop_map(|(used, limit)| Step::Headers(used, limit)),
        1 => (0..300_u64).prop_map(Step::Pause),
    ]
}

/// The bucket and what is known about it without looking inside.
struct Model {
    bucket: Bucket,
    now: Instant,
    /// Who waits, in order, and when each has to ask.
    waiting: Vec<(Ticket, Instant)>,
    /// When each permit was granted, except those given back.
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

    /// Somebody asks; a grant must be one that the limit, the pause and the order allow.
    fn ask(&mut self, ticket: Ticket) {
        let place = self.waiting.iter().position(|(waiting, _)| *waiting == ticket).unwrap();
        match self.bucket.poll(ticket, self.now) {
            Ok(()) => {
                self.waiting.remove(place);
                self.granted.push((ticket, self.now));
                assert!(self.now >= self.paused_until, "granted in a pause");
                let since = self.granted.iter().filter(|(_, at)| *at + WINDOW > self.now).count();
                assert!(since <= self.limit, "{since} in a window");
                // Those in front must still find room.
                assert!(since + place <= self.limit, "overtook those in front");
            }
            Err(later) => {
                assert!(later.at > self.now, "asks to be asked again at once");
                self.waiting[place].1 = later.at;
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
                self.ask(ticket);
            }
        }
        self.now = until;
    }

    fn everybody_asks(&mut self) {
        let tickets: Vec<_> = self.waiting.iter().map(|(ticket, _)| *ticket).collect();
        for ticket in tickets {
            self.ask(ticket);
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Join => {
                let ticket = self.bucket.join(self.now);
                self.waiting.push((ticket, self.now));
                self.ask(ticket);
            }
            Step::Pass(millis) => self.pass(self.now + Duration::from_millis(millis)),
            Step::Cancel(place) if place < self.waiting.len() => {
                let (ticket, _) = self.waiting.remove(place);
                assert_eq!(self.bucket.leave(ticket), !self.waiting.is_empty());
                self.everybody_asks();
            }
            Step::GiveBack(place) if place < self.granted.len() => {
                let (ticket, _) = self.granted.remove(place);
                self.bucket.leave(ticket);
                self.everybody_asks();
            }
            Step::Answer(place) => {
                if let Some((ticket, _)) = self.granted.get(place) {
                    self.bucket.answered(*ticket, self.now);
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
            Step::Cancel(_) | Step::GiveBack(_) => {}
        }
    }
}

proptest! {
    #[test]
    fn no_window_sees_too_many_and_nobody_waits_for_ever(
        steps in prop::collection::vec(step(), 1..120)
    ) {
        let mut model = Model::new(Instant::now());
        for step in &steps {
            model.step(step);
        }
        // Everybody's turn comes: one window each is the slowest possible pace, plus one for
        // permits that answers prolonged.
        let rest = model.paused_until.saturating_duration_since(model.now);
        let turns = u32::try_from(model.waiting.len()).unwrap() + 2;
        model.pass(model.now + rest + WINDOW * turns);
        prop_assert!(model.waiting.is_empty(), "{} wait for ever", model.waiting.len());
    }

    #[test]
    fn a_cancelled_wait_leaves_no_trace(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        // The same history, once with and once without somebody who comes and goes again.
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
