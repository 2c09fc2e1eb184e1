//! Random interleavings of commands, acknowledgements, disconnections and time, compared with a model of
//! the server.

mod frames;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

use frames::{acknowledgement, logged_in, name, rejection};

#[derive(Clone, Debug)]
enum Step {
    Subscribe(u8),
    Unsubscribe(u8),
    Request(u8),
    /// The attempt to connect succeeds or fails.
    Connect(bool),
    /// The server acknowledges its oldest command.
    Acknowledge,
    /// The server rejects one topic of its oldest command.
    Reject(u32),
    /// The server rejects its oldest command as a whole.
    RejectFrame,
    Data(u8),
    InvalidFrame,
    Disconnect,
    Wait(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..40_u8).prop_map(Step::Subscribe),
        4 => (0..40_u8).prop_map(Step::Unsubscribe),
        1 => (0..40_u8).prop_map(Step::Request),
        4 => proptest::bool::weighted(0.8).prop_map(Step::Connect),
        8 => Just(Step::Acknowledge),
        1 => prop::sample::select(vec![90_004, 90_007, 90_008, 95_000]).prop_map(Step::Reject),
        1 => Just(Step::RejectFrame),
        2 => (0..40_u8).prop_map(Step::Data),
        1 => Just(Step::InvalidFrame),
        1 => Just(Step::Disconnect),
        4 => (0..15_000_u16).prop_map(Step::Wait),
    ]
}

/// The server's end of one connection.
struct Server {
    logged_in: bool,
    subscribed: BTreeSet<String>,
    /// Unacknowledged commands with their remaining topics.
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
    /// Subscriptions that were neither confirmed nor rejected.
    unconfirmed: BTreeSet<String>,
    /// Topics that the session may have forgotten: the server ignored two commands to unsubscribe.
    forgotten: BTreeSet<String>,
}

impl Model {
    fn new(dialect: Dialect, access: Access) -> Self {
        let mut limits = Limits::for_endpoint(dialect, access);
        // Small, so that the limits are reached.
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
            unconfirmed: BTreeSet::new(),
            forgotten: BTreeSet::new(),
        }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Subscribe(number) => {
                let topic = name(*number);
                self.desired.insert(topic.clone());
                self.unconfirmed.insert(topic.clone());
                self.session.subscribe(self.now, topic.into());
            }
            Step::Unsubscribe(number) => {
                let topic = name(*number);
                self.desired.remove(&topic);
                self.unconfirmed.remove(&topic);
                self.session.unsubscribe(self.now, &topic);
            }
            Step::Request(number) => self.session.request_snapshot(self.now, &name(*number)),
            Step::Connect(success) => self.finish_connecting(*success),
            Step::Acknowledge => self.respond(None),
            Step::Reject(code) => self.respond(Some(*code)),
            Step::RejectFrame => match self.take_oldest() {
                // A rejected login would end the session, which other tests cover.
                Some(login) if login.operation == "login" => self.log_in(),
                Some(Command { operation, topics, .. }) => {
                    self.remove_rejected(&operation, &topics);
                    self.receive(&rejection(self.dialect, &operation, None, 90_004));
                }
                None => {}
            },
            Step::Data(number) => self.send_data(&name(*number)),
            Step::InvalidFrame if self.server.is_some() => self.receive("\u{0}{not json"),
            Step::InvalidFrame => {}
            Step::Disconnect => {
                if self.server.take().is_some() {
                    self.session.disconnected(self.now, ReconnectReason::closed());
                }
            }
            Step::Wait(millis) => self.wait(Duration::from_millis((*millis).into())),
        }
        self.settle();
    }

    /// Takes the server's oldest command. Commands older than the acknowledgement timeout are lost.
    fn take_oldest(&mut self) -> Option<Command> {
        let (now, limit) = (self.now, self.limits.acknowledgement_timeout);
        let commands = &mut self.server.as_mut()?.commands;
        commands.retain(|command| now < command.sent + limit);
        commands.pop_front()
    }

    fn finish_connecting(&mut self, success: bool) {
        let Some(start) = self.connecting.take() else {
            return;
        };
        self.wait(start.saturating_duration_since(self.now));
        self.record_attempt(start);
        if success {
            self.server = Some(Server {
                logged_in: self.access == Access::Public,
                subscribed: BTreeSet::new(),
                commands: VecDeque::new(),
                sent: Vec::new(),
                pinged: self.now,
            });
            self.forgotten.clear();
            self.session.connected(self.now);
        } else {
            self.session.disconnected(self.now, ReconnectReason::Lost { detail: "no".to_owned() });
        }
    }

    /// Checks the spacing of a connection attempt.
    fn record_attempt(&mut self, start: Instant) {
        if let Some(last) = self.attempts.last() {
            let distance = start.saturating_duration_since(*last);
            assert!(distance >= self.limits.connect_spacing, "{distance:?} after the last attempt");
        }
        self.attempts.push(start);
    }

    /// Acknowledges one topic of the oldest command, or rejects it with this code.
    fn respond(&mut self, rejection_code: Option<u32>) {
        let Some(Command { operation, mut topics, sent }) = self.take_oldest() else { return };
        if operation == "login" {
            return self.log_in();
        }
        let Some(server) = &mut self.server else { return };
        let Some(topic) = topics.pop() else { return };
        if !topics.is_empty() {
            server.commands.push_front(Command { operation: operation.clone(), topics, sent });
        }
        let duplicate = server.subscribed.contains(&topic) && operation == "subscribe";
        let response = match (rejection_code, &*operation) {
            // A server sends that code only for a subscribed topic.
            (Some(code), _) if code != 90_008 || duplicate => {
                if code == 90_004 || self.dialect == Dialect::Futures {
                    self.remove_rejected(&operation, std::slice::from_ref(&topic));
                }
                rejection(self.dialect, &operation, Some(&topic), code)
            }
            (_, "subscribe") => {
                server.subscribed.insert(topic.clone());
                let carried = server.subscribed.difference(&self.forgotten).count();
                assert!(carried <= self.limits.topics_per_connection, "{carried} topics");
                acknowledgement(self.dialect, &operation, &topic)
            }
            (_, "unsubscribe") => {
                server.subscribed.remove(&topic);
                acknowledgement(self.dialect, &operation, &topic)
            }
            _ => return,
        };
        self.receive(&response);
    }

    /// Sends data of a topic that the server carries.
    fn send_data(&mut self, topic: &str) {
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

    /// A server does not carry a topic that it rejected permanently.
    fn remove_rejected(&mut self, operation: &str, topics: &[String]) {
        if let Some(server) = self.server.as_mut().filter(|_| operation != "request") {
            server.subscribed.retain(|topic| !topics.contains(topic));
        }
    }

    fn receive(&mut self, text: &str) {
        self.session.receive(self.now, text);
        self.settle();
    }

    /// Advances the time and meets every deadline.
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
                    // A canceled attempt counts if it had started.
                    if let Some(start) = self.connecting.take().filter(|&start| start <= self.now) {
                        self.record_attempt(start);
                    }
                    self.server = None;
                }
                Action::Login => self.command("login".to_owned(), Vec::new()),
                Action::Send(text) => self.sent(&text),
                Action::Emit(event) => self.handle_event(event),
            }
        }
        if let Some(server) = self.server.as_ref().filter(|server| server.logged_in) {
            let elapsed = self.now - server.pinged;
            assert!(elapsed <= self.limits.heartbeat_interval, "no heartbeat for {elapsed:?}");
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
            .and_then(|name| name.as_str())
            .expect("a name");
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

    fn handle_event(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Subscribed { topic } | SessionEvent::Resynced { topic } => {
                self.unconfirmed.remove(&*topic);
            }
            SessionEvent::Rejected { topic, .. } => {
                self.desired.remove(&*topic);
                self.unconfirmed.remove(&*topic);
            }
            SessionEvent::LoginRejected { .. } => panic!("no login is rejected here"),
            SessionEvent::Unsubscribed { topic } => {
                assert!(!self.desired.contains(&*topic), "{topic} is still desired");
                if self.server.as_ref().is_some_and(|server| server.subscribed.contains(&*topic)) {
                    self.forgotten.insert(topic.to_string());
                }
            }
            SessionEvent::RequestRejected { .. }
            | SessionEvent::Reconnecting { .. }
            | SessionEvent::Alive => {}
            SessionEvent::Stale { since } => {
                assert_eq!(self.now - since, self.limits.stale_after, "reported in time");
            }
        }
    }

    /// Lets the server behave from now on, and checks that every subscription recovers.
    fn recover(&mut self) {
        for _ in 0..240 {
            self.finish_connecting(true);
            self.settle();
            while self.server.as_ref().is_some_and(|server| !server.commands.is_empty()) {
                self.respond(None);
                self.settle();
            }
            if self.server.is_some() {
                self.receive("pong");
            }
            self.wait(Duration::from_millis(500));
        }
        assert_eq!(
            self.unconfirmed,
            BTreeSet::new(),
            "every subscription is confirmed or rejected"
        );
        let mut subscribed =
            self.server.as_ref().map(|server| server.subscribed.clone()).unwrap_or_default();
        subscribed.retain(|topic| self.desired.contains(topic) || !self.forgotten.contains(topic));
        assert_eq!(subscribed, self.desired, "the server carries exactly the desired topics");
        if self.desired.is_empty() {
            assert!(self.session.is_idle(), "no connection without a topic");
        }
    }
}

proptest! {
    // The same cases every time, so that a run can be repeated; the fuzz target explores.
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_session_keeps_the_limits_and_recovers_from_any_sequence_of_events(
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
