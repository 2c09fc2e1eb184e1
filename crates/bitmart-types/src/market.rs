//! The markets of the exchange.

use serde::{Deserialize, Serialize};

/// A market of the exchange: spot or futures. Each has its own hosts, orders, balances and WebSocket
/// messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(clippy::exhaustive_enums, reason = "the exchange has these two")]
pub enum Market {
    /// Spot pairs such as `BTC_USDT`, including margin trading.
    Spot,
    /// Perpetual contracts such as `BTCUSDT`.
    Futures,
}
