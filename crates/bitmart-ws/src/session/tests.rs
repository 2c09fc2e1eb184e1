//! Tests of the state transitions.

mod connection;
mod idle;
mod login;
mod rejections;
mod topics;

use std::time::{Duration, Instant};

use super::*;
use crate::reason::Rejection;

const TICKER: &str = "spot/ticker:BTC_USDT";
const ORDERS: &str = "spot/user/orders:ALL_SYMBOLS";
const BOOK: &str = "futures/depthIncrease20:BTCUSDT@200ms";

/// A session with a clock.
struct Harness {
    session: Session,
    start: Instant,
    now: Instant,
}

impl Harness {
    fn new(market: Market, access: Access) -> Self {
        Self::with(market, access, &Limits::for_endpoint(market, access))
    }

    fn with(market: Market, access: Access, limits: &Limits) -> Self {
        let now = Instant::now();
        Self { session: Session::new(market, access, *limits, 1), start: now, now }
    }

    /// Creates a spot session with these topics acknowledged.
    fn spot(topics: &[&str]) -> Self {
        let mut harness = Self::new(Market::Spot, Access::Public);
        for topic in topics {
            harness.subscribe(topic);
        }
        harness.session.connected(harness.now);
        for topic in topics {
            harness.receive(&acknowledged(topic));
        }
        harness.actions();
        harness
    }

    fn subscribe(&mut self, topic: &str) {
        self.session.subscribe(self.now, topic.into());
    }

    fn unsubscribe(&mut self, topic: &str) {
        self.session.unsubscribe(self.now, topic);
    }

    fn receive(&mut self, text: &str) {
        self.session.receive(self.now, text);
    }

    fn advance(&mut self, by: Duration) {
        self.now += by;
        self.session.tick(self.now);
    }

    /// Advances to the next deadline, which must exist, and returns the time since the start.
    fn advance_to_deadline(&mut self) -> Duration {
        let deadline = self.session.deadline().expect("a deadline");
        self.now = self.now.max(deadline);
        self.session.tick(self.now);
        self.now - self.start
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.session.poll_action()).collect()
    }

    fn sent(&mut self) -> Vec<String> {
        let texts = self.actions().into_iter().filter_map(|action| match action {
            Action::Send(text) => Some(text),
            _ => None,
        });
        texts.collect()
    }

    fn events(&mut self) -> Vec<SessionEvent> {
        let events = self.actions().into_iter().filter_map(|action| match action {
            Action::Emit(event) => Some(event),
            _ => None,
        });
        events.collect()
    }
}

fn acknowledged(topic: &str) -> String {
    format!(r#"{{"event":"subscribe","topic":"{topic}"}}"#)
}

fn rejected(code: u32, text: &str) -> String {
    format!(r#"{{"event":"subscribe","errorCode":"{code}","errorMessage":"{text}"}}"#)
}

fn subscribed(topic: &str) -> SessionEvent {
    SessionEvent::Subscribed { topic: topic.into() }
}

fn subscribe_frame(topics: &[&str]) -> String {
    format!(r#"{{"op":"subscribe","args":{}}}"#, serde_json::to_string(topics).expect("text"))
}

fn closed() -> ReconnectReason {
    ReconnectReason::Closed { code: Some(1006), text: None }
}
