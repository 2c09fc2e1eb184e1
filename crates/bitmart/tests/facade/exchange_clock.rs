//! A clock for clients that follows the sandbox's stepped clock.

use std::sync::Arc;

use bitmart::Timestamp;
use bitmart::sandbox::Sandbox;
use bitmart::types::Clock;

#[derive(Debug)]
pub(crate) struct ExchangeClock(pub(crate) Arc<Sandbox>);

impl Clock for ExchangeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.now_ms()).expect("a time"))
    }
}
