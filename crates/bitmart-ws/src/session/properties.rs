//! Random interleavings of commands, answers, cuts and time against a model of the server.

mod frames;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

use frames::{acknowledgement, logged_in, name, refusal};

#[derive(Clone, Debug)]
enum Step {
    Subscribe(u8),
    Unsubscribe(u8),
    Request(u8),
    /// The attempt to connect succeeds or fails.
    Connect(bool),
    /// The server answers its oldest command.
    Answer,
    /// The server refuses its oldest command, one answer for each topic.
    Refuse(u32),
    /// The server refuses its oldest command with one answer for all of it.
    RefuseAtOnce,
    Data(u8),
    Garbage,
    Cut,
    Wait(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..40_u8).prop_map(Step::Subscribe),
        4 => (0..40_u8).prop_map(Step::Unsubscribe),
        1 => (0..40_u8).prop_map(Step::Request),
        4 => proptest::bool::weighted(0.8).prop_map(Step::Connect),
        8 => Just(Step::Answer),
        1 => prop::sample::select(vec![90_004, 90_007, 90_008, 95_000]).prop_map(Step::Refuse),
        1 => Just(Step::RefuseAtOnce),
        2 => (0..40_u8).prop_map(Step::Data),
        1 => Just(Step::Garbage),
        1 => Just(Step::Cut),
        4 => (0..15_000_u16).prop_map(Step::Wait),
    ]
}

/// The server's end of one connection.
struct Server {
    logged_in: bool,
    subscribed: BTreeSet<String>,
    /// Commands without an answer: the operation and what is left of its topics.
    commands: VecDeque<Command>,
    /// When the client sent something.
    sent: Vec<Instant>,
    pinged: Instant,
}

struct Command {
    operation: String,
    topics: Vec<String>,
    sent: Instant,
}

struct Model {
    session: Session,
    dialect: Dialect,
    access: Access,
    limits: Limits,
    now: Instant,
    /// When the attempt to connect starts, if there is one.
    connecting: Option<Instant>,
    /// When the last attempts started.
    attempts: Vec<Instant>,
    server: Option<Server>,
    desired: BTreeSet<String>,
    /// Subscriptions that were not answered yet.
    unanswered: BTreeSet<String>,
    /// Topics that the session may have given up: the server let two commands to unsubscribe pass.
    deaf: BTreeSet<String>,
}

impl Model {
    fn new(dialect: Dialect, access: Access) -> Self {
        let mut limits = Limits::of(dialect, access);
        // Small, so that the limits are met.
        limits.topics_per_message = 3;
        limits.messages_per_window = 12;
        limits.messages_reserved = 3;
        limits.topics_per_connection = 10;
        Self {
            session: Session::new(dialect, access, limits, 9),
            dialect,
            access,
            limits,
            now: Instant::now(),
            connecting: None,
            attempts: Vec::new(),
            server: None,
            desired: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            deaf: BTreeSet::new(),
        }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Subscribe(number) => {
                let topic = name(*number);
                self.desired.insert(topic.clone());
                self.unanswered.insert(topic.clone());
                self.session.subscribe(self.now, topic.into());
            }
            Step::Unsubscribe(number) => {
                let topic = name(*number);
                self.desired.remove(&topic);
                self.unanswered.remove(&topic);
                self.session.unsubscribe(self.now, &topic);
            }
            Step::Request(number) => self.session.request(self.now, &name(*number)),
            Step::Connect(success) => self.finish_connecting(*success),
            Step::Answer => self.answer(None),
            Step::Refuse(code) => self.answer(Some(*code)),
            Step::RefuseAtOnce => match self.oldest() {
                // A refused login would end the session, which the tables cover.
                Some(login) if login.operation == "login" => self.log_in(),
                Some(Command { operation, topics, .. }) => {
                    self.refuse(&operation, &topics);
                    self.receive(&refusal(self.dialect, &operation, None, 90_004));
                }
                None => {}
            },
            Step::Data(number) => self.data(&name(*number)),
            Step::Garbage if self.server.is_some() => self.receive("\u{0}{not json"),
            Step::Garbage => {}
            Step::Cut => {
                if self.server.take().is_some() {
                    self.session.closed(self.now, ReconnectReason::closed());
                }
            }
            Step::Wait(millis) => self.wait(Duration::from_millis((*millis).into())),
        }
        self.settle();
    }

    /// The server's oldest command. One that waited longer than the client does is lost.
    fn oldest(&mut self) -> Option<Command> {
        let (now, limit) = (self.now, self.limits.acknowledge_within);
        let commands = &mut self.server.as_mut()?.commands;
        commands.retain(|command| now < command.sent + limit);
        commands.pop_front()
    }

    fn finish_connecting(&mut self, success: bool) {
        let Some(start) = self.connecting.take() else {
            return;
        };
        self.wait(start.saturating_duration_since(self.now));
        self.attempt(start);
        if success {
            self.server = Some(Server {
                logged_in: self.access == Access::Public,
                subscribed: BTreeSet::new(),
                commands: VecDeque::new(),
                sent: Vec::new(),
                pinged: self.now,
            });
            self.deaf.clear();
            self.session.connected(self.now);
        } else {
            self.session.closed(self.now, ReconnectReason::Lost { detail: "no".to_owned() });
        }
    }

    /// Checks an attempt to connect against the published rate.
    fn attempt(&mut self, start: Instant) {
        if let Some(last) = self.attempts.last() {
            let distance = start.saturating_duration_since(*last);
            assert!(distance >= self.limits.connect_spacing, "{distance:?} after the last attempt");
        }
        self.attempts.push(start);
    }

    /// Answers one topic of the oldest command.
    fn answer(&mut self, refuse: Option<u32>) {
        let Some(Command { operation, mut topics, sent }) = self.oldest() else { return };
        if operation == "login" {
            return self.log_in();
        }
        let Some(server) = &mut self.server else { return };
        let Some(topic) = topics.pop() else { return };
        if !topics.is_empty() {
            server.commands.push_front(Command { operation: operation.clone(), topics, sent });
        }
        let duplicate = server.subscribed.contains(&topic) && operation == "subscribe";
        let answer = match (refuse, &*operation) {
            // A server says that only of what it has.
            (Some(code), _) if code != 90_008 || duplicate => {
                if code == 90_004 || self.dialect == Dialect::Futures {
                    self.refuse(&operation, std::slice::from_ref(&topic));
                }
                refusal(self.dialect, &operation, Some(&topic), code)
            }
            (_, "subscribe") => {
                server.subscribed.insert(topic.clone());
                let carried = server.subscribed.difference(&self.deaf).count();
                assert!(carried <= self.limits.topics_per_connection, "{carried} topics");
                acknowledgement(self.dialect, &operation, &topic)
            }
            (_, "unsubscribe") => {
                server.subscribed.remove(&topic);
                acknowledgement(self.dialect, &operation, &topic)
            }
            _ => return,
        };
        self.receive(&answer);
    }

    /// Data of a topic that the server carries.
    fn data(&mut self, topic: &str) {
        if !self.server.as_ref().is_some_and(|server| server.subscribed.contains(topic)) {
            return;
        }
        let (table, symbol) = topic.split_once(':').expect("a symbol");
        let entries = format!(r#""data":[{{"symbol":"{symbol}"}}]"#);
        self.receive(&match self.dialect {
            Dialect::Spot => format!(r#"{{"table":"{table}",{entries}}}"#),
            Dialect::Futures => format!(r#"{{"group":"{topic}",{entries}}}"#),
        });
    }

    fn log_in(&mut self) {
        if let Some(server) = &mut self.server {
            server.logged_in = true;
            server.pinged = self.now;
        }
        self.receive(&logged_in(self.dialect));
    }

    /// A server that finds a topic wrong for good does not carry it.
    fn refuse(&mut self, operation: &str, topics: &[String]) {
        if let Some(server) = self.server.as_mut().filter(|_| operation != "request") {
            server.subscribed.retain(|topic| !topics.contains(topic));
        }
    }

    fn receive(&mut self, text: &str) {
        self.session.receive(self.now, text);
        self.settle();
    }

    /// Lets time pass, with every deadline kept.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.session.deadline().filter(|&deadline| deadline <= end) {
            assert!(deadline > self.now, "a deadline that has passed would spin");
            self.now = deadline;
            self.session.tick(self.now);
            self.settle();
        }
        self.now = end;
        self.session.tick(self.now);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Connect { delay } => {
                    let free = self.connecting.is_none() && self.server.is_none();
                    assert!(free, "one connection at a time");
                    self.connecting = Some(self.now + delay);
                }
                Action::Close => {
                    // An attempt that is given up counts if it had started.
                    if let Some(start) = self.connecting.take().filter(|&start| start <= self.now) {
                        self.attempt(start);
                    }
                    self.server = None;
                }
                Action::Login => self.command("login".to_owned(), Vec::new()),
                Action::Send(text) => self.sent(&text),
                Action::Emit(notice) => self.noticed(notice),
            }
        }
        if let Some(server) = self.server.as_ref().filter(|server| server.logged_in) {
            let quiet = self.now - server.pinged;
            assert!(quiet <= self.limits.ping_interval, "no heartbeat for {quiet:?}");
        }
    }

    fn sent(&mut self, text: &str) {
        assert!(text.len() <= self.limits.bytes_per_message);
        if text == self.dialect.ping() {
            self.command("ping".to_owned(), Vec::new());
            return;
        }
        let command: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let operation = command
            .get("op")
            .or(command.get("action"))
            .and_then(|word| word.as_str())
            .expect("a word");
        let topics: Vec<String> = serde_json::from_value(command["args"].clone()).expect("topics");
        assert!((1..=self.limits.topics_per_message).contains(&topics.len()));
        assert!(
            self.server.as_ref().is_some_and(|server| server.logged_in),
            "commands follow the login"
        );
        self.command(operation.to_owned(), topics);
    }

    fn command(&mut self, operation: String, topics: Vec<String>) {
        let (now, window) = (self.now, self.limits.message_window);
        let server = self.server.as_mut().expect("frames need a connection");
        server.sent.push(now);
        let recent = server.sent.iter().filter(|&&sent| now < sent + window).count();
        assert!(recent <= self.limits.messages_per_window, "{recent} frames within the window");
        if operation == "ping" {
            server.pinged = now;
        } else {
            server.commands.push_back(Command { operation, topics, sent: now });
        }
    }

    fn noticed(&mut self, notice: Notice) {
        match notice {
            Notice::Subscribed { topic } | Notice::Resynced { topic } => {
                self.unanswered.remove(&*topic);
            }
            Notice::Rejected { topic, .. } => {
                self.desired.remove(&*topic);
                self.unanswered.remove(&*topic);
            }
            Notice::LoginRefused { .. } => panic!("no login is refused here"),
            Notice::Unsubscribed { topic } => {
                assert!(!self.desired.contains(&*topic), "{topic} is still wanted");
                if self.server.as_ref().is_some_and(|server| server.subscribed.contains(&*topic)) {
                    self.deaf.insert(topic.to_string());
                }
            }
            Notice::RequestRejected { .. } | Notice::Reconnecting { .. } | Notice::Alive => {}
            Notice::Stale { since } => {
                assert_eq!(self.now - since, self.limits.stale_after, "told in time");
            }
        }
    }

    /// From here on the server behaves. Everything must come right.
    fn recover(&mut self) {
        for _ in 0..240 {
            self.finish_connecting(true);
            self.settle();
            while self.server.as_ref().is_some_and(|server| !server.commands.is_empty()) {
                self.answer(None);
                self.settle();
            }
            if self.server.is_some() {
                self.receive("pong");
            }
            self.wait(Duration::from_millis(500));
        }
        assert_eq!(self.unanswered, BTreeSet::new(), "every subscription is answered");
        let mut subscribed =
            self.server.as_ref().map(|server| server.subscribed.clone()).unwrap_or_default();
        subscribed.retain(|topic| self.desired.contains(topic) || !self.deaf.contains(topic));
        assert_eq!(subscribed, self.desired, "the server sends what is wanted and nothing else");
        if self.desired.is_empty() {
            assert!(self.session.is_idle(), "no connection without a topic");
        }
    }
}

proptest! {
    // The same cases every time, so that a run can be repeated; the fuzz target explores.
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_session_keeps_the_limits_and_recovers(
        steps in prop::collection::vec(step(), 0..120),
        spot: bool,
        private: bool,
    ) {
        let dialect = if spot { Dialect::Spot } else { Dialect::Futures };
        let access = if private { Access::Private } else { Access::Public };
        let mut model = Model::new(dialect, access);
        for step in &steps {
            model.apply(step);
        }
        model.recover();
    }
}
