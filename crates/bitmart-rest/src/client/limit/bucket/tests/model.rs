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
