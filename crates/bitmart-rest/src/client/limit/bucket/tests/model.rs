//! The bucket compared with a model, a list of granted permits, under random steps.

use proptest::prelude::*;

use super::*;

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
    /// The headers of a response.
    Headers {
        used: u32,
        limit: u32,
        window: Duration,
    },
    Pause(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Join),
        6 => (0..80_u64).prop_map(Step::Pass),
        2 => (0..9_usize).prop_map(Step::Cancel),
        1 => (0..9_usize).prop_map(Step::Return),
        2 => (0..9_usize).prop_map(Step::Response),
        2 => (0..12_u32, 1..12_u32, 1..9_u32).prop_map(|(used, limit, halves)| {
            Step::Headers { used, limit, window: WINDOW * halves / 2 }
        }),
        1 => (0..6_u32, 1..6_u32).prop_map(|(used, limit)| {
            Step::Headers { used, limit, window: WINDOW }
        }),
        // The same limit again and again, as an exchange states it.
        4 => (0..9_u32).prop_map(|used| Step::Headers { used, limit: 8, window: WINDOW * 4 }),
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

/// A limit, and the requests that count in it besides those of the model's callers.
struct Limit {
    permits: usize,
    window: Duration,
    /// Requests that ended before are not known to count in it.
    known_since: Option<Instant>,
    /// When responses stated each request of others.
    others: Vec<Instant>,
}

impl Limit {
    /// How many requests the exchange may have counted within the window before `now`, as far as known.
    fn in_use(&self, granted: &[Granted], now: Instant) -> usize {
        let counts = |end: Instant| {
            end + self.window > now && self.known_since.is_none_or(|since| end > since)
        };
        granted.iter().filter(|one| one.end.is_none_or(counts)).count()
            + self.others.iter().filter(|stated_at| **stated_at + self.window > now).count()
    }

    /// A response stated that so many are left.
    fn state_left(&mut self, left: usize, granted: &[Granted], now: Instant) {
        for _ in (self.in_use(granted, now) + left)..self.permits {
            self.others.push(now);
        }
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
    published: Limit,
    /// What the last headers stated, if it is not the published limit.
    stated: Option<Limit>,
}

impl Model {
    fn new(now: Instant) -> Self {
        let permits = PERMITS as usize;
        Self {
            bucket: bucket(),
            now,
            waiting: Vec::new(),
            granted: Vec::new(),
            responds_at_once: false,
            paused_until: now,
            published: Limit { permits, window: WINDOW, known_since: None, others: Vec::new() },
            stated: None,
        }
    }

    /// Polls for a caller. A grant must respect the limit, the pause and the order.
    fn poll(&mut self, ticket: Ticket) {
        let position = self.waiting.iter().position(|(waiting, _)| *waiting == ticket).unwrap();
        match self.bucket.poll(ticket, self.now) {
            Ok(()) => {
                self.waiting.remove(position);
                self.granted.push(Granted { ticket, at: self.now, end: None });
                assert!(self.now >= self.paused_until, "granted during a pause");
                for limit in [&self.published].into_iter().chain(&self.stated) {
                    let in_use = limit.in_use(&self.granted, self.now);
                    let (permits, window) = (limit.permits, limit.window);
                    assert!(in_use <= permits, "{in_use} of {permits} in {window:?}");
                    // Earlier callers must still get a permit.
                    assert!(in_use + position <= permits, "overtook earlier callers");
                }
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

    fn settle(&mut self, used: usize, permits: usize, window: Duration) {
        let (now, left) = (self.now, permits.saturating_sub(used));
        if window <= WINDOW {
            let left = left.max((PERMITS as usize).saturating_sub(used));
            self.published.state_left(left, &self.granted, now);
        }
        let is_published = (permits, window) == (self.published.permits, WINDOW);
        let last = self.stated.take();
        if is_published {
            return;
        }
        let mut stated = match last {
            Some(last) if (last.permits, last.window) == (permits, window) => last,
            // Another limit begins with what is in use of the published one.
            _ => {
                let others = self.published.others.iter().copied();
                Limit {
                    permits,
                    window,
                    known_since: now.checked_sub(WINDOW),
                    others: others.filter(|stated_at| *stated_at + WINDOW > now).collect(),
                }
            }
        };
        stated.state_left(left, &self.granted, now);
        self.stated = Some(stated);
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
            Step::Headers { used, limit, window } => {
                self.bucket.settle(stated(used, limit, window), self.now);
                self.settle(used as usize, limit as usize, window);
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
        // for permits in use for longer because of responses and requests of others.
        model.respond_all();
        model.responds_at_once = true;
        // Callers poll at the time that they got, also if another limit is stated meanwhile.
        let last_poll = model.waiting.iter().map(|(_, due)| *due).max();
        let start = model.now.max(model.paused_until).max(last_poll.unwrap_or(model.now));
        let turns = u32::try_from(model.waiting.len()).unwrap() + 2;
        let window = model.stated.as_ref().map_or(WINDOW, |stated| stated.window.max(WINDOW));
        model.pass(start + window * turns);
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
