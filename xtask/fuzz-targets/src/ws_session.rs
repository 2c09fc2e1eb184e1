//! Arbitrary inputs of a session in any order, including arbitrary frames. The first byte selects market and access,
//! each further byte an input.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitmart_ws::session::{Action, Session};
use bitmart_ws::{Access, Limits, Market, ReconnectReason};

/// Topics of published frames, and others.
const TOPICS: [&str; 8] = [
    "spot/ticker:BTC_USDT",
    "spot/depth/increase100:BTC_USDT",
    "spot/user/orders:ALL_SYMBOLS",
    "futures/ticker:BTCUSDT",
    "futures/klineBin1m:BTCUSDT",
    "futures/depthIncrease20:BTCUSDT@200ms",
    "futures/depthIncrease20:BTCUSDT",
    "futures/order",
];

/// Runs one input. Panics if a property does not hold.
pub fn run(input: &[u8]) {
    let Some((&first, mut rest)) = input.split_first() else { return };
    let mut driver = Driver::new(first);
    while let Some((&kind, after)) = rest.split_first() {
        rest = driver.step(kind, after);
        driver.run_actions();
    }
    // Time alone must not make a session spin.
    driver.wait(Duration::from_secs(600));
}

#[derive(Clone, Copy, PartialEq)]
enum Connection {
    None,
    Connecting,
    Open,
}

/// A session and its connection, driven by the bytes of an input.
struct Driver {
    limits: Limits,
    session: Session,
    connection: Connection,
    now: Instant,
    /// Times of the messages sent on this connection.
    sent: Vec<Instant>,
}

impl Driver {
    fn new(choice: u8) -> Self {
        let market = if choice & 1 == 0 { Market::Spot } else { Market::Futures };
        let access = if choice & 2 == 0 { Access::Public } else { Access::Private };
        let mut limits = Limits::for_endpoint(market, access);
        if choice & 4 != 0 {
            // Small, so that inputs reach the limits.
            limits.topics_per_message = 2;
            limits.messages_per_window = 8;
            limits.messages_reserved = 3;
            limits.topics_per_connection = 4;
        }
        let session = Session::new(market, access, limits, u64::from(choice));
        Self {
            limits,
            session,
            connection: Connection::None,
            now: Instant::now(),
            sent: Vec::new(),
        }
    }

    /// Applies the input that `kind` selects and returns the rest.
    fn step<'a>(&mut self, kind: u8, rest: &'a [u8]) -> &'a [u8] {
        let topic = TOPICS[usize::from(kind >> 4) % TOPICS.len()];
        let now = self.now;
        match kind & 0x0f {
            0 => self.session.subscribe(now, Arc::from(topic)),
            1 => self.session.unsubscribe(now, topic),
            2 => self.session.request_snapshot(now, topic),
            3 => self.session.resubscribe(now, topic),
            4 if self.connection == Connection::Connecting => {
                self.connection = Connection::Open;
                self.sent.clear();
                self.session.connected(now);
            }
            5 if self.connection != Connection::None => {
                self.connection = Connection::None;
                self.session.disconnected(now, ReconnectReason::Closed { code: None, text: None });
            }
            6 => self.wait(Duration::from_millis(u64::from(kind >> 4) * 700)),
            7 => self.wait(Duration::from_secs(u64::from(kind >> 4) * 5)),
            8 if self.connection == Connection::Open && kind & 16 == 0 => {
                self.session.frame_received(now);
            }
            8 if self.connection == Connection::Open => {
                let wants_pong = self.session.ping_received(now);
                if wants_pong {
                    self.check_sent("pong");
                }
            }
            9 => {
                let more = TOPICS.iter().map(|topic| Arc::from(*topic));
                self.session.subscribe_all(now, more.take(usize::from(kind >> 4)));
            }
            // A frame: of the length in the next byte, or all bytes that are left.
            kind if self.connection == Connection::Open => {
                let Some((&length, rest)) = rest.split_first() else { return rest };
                let all = kind & 1 == 0;
                let length = if all { rest.len() } else { usize::from(length).min(rest.len()) };
                let (frame, rest) = rest.split_at(length);
                let text = String::from_utf8_lossy(frame);
                if let Some(channel) = self.session.receive(now, &text) {
                    assert!(text.contains(channel));
                }
                return rest;
            }
            _ => {}
        }
        rest
    }

    /// Advances time and fires every deadline.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.session.deadline().filter(|deadline| *deadline <= end) {
            assert!(deadline > self.now, "a deadline in the past would spin");
            self.now = deadline;
            self.session.tick(self.now);
            self.run_actions();
        }
        self.now = end;
        self.session.tick(self.now);
        self.run_actions();
    }

    /// Runs the actions of the session until it has none.
    fn run_actions(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Connect { .. } => {
                    assert!(self.connection == Connection::None, "one connection at a time");
                    self.connection = Connection::Connecting;
                }
                Action::Close => self.connection = Connection::None,
                Action::Login => self.check_sent("login"),
                Action::Send(text) => self.check_sent(&text),
                // Notices need no reaction.
                _ => {}
            }
        }
        let _ = (self.session.status(), self.session.is_idle(), self.session.desired_topics());
    }

    /// Checks a message that the session sends.
    fn check_sent(&mut self, text: &str) {
        assert!(self.connection == Connection::Open, "frames need a connection");
        assert!(text.len() <= self.limits.bytes_per_message);
        assert!(!text.is_empty());
        self.sent.push(self.now);
        let window = self.limits.message_window;
        let recent = self.sent.iter().filter(|sent| self.now < **sent + window).count();
        assert!(recent <= self.limits.messages_per_window, "{recent} frames within the window");
    }
}
