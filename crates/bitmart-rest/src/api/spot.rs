//! Spot market data and orders.

mod algo;
mod enums;
mod market;
mod rules;
mod trading;

pub use algo::*;
pub use bitmart_types::spot::*;
pub use bitmart_types::{Side, TradeRole};
pub use enums::{
    AlgoExecution, AlgoOrderType, CancelSource, KlineStep, QueryState, SelfTradePrevention,
    TradeStatus,
};
pub use market::*;
pub use rules::OrderRules;
pub(crate) use trading::OrderFields;
pub use trading::*;

/// The spot endpoints: `client.spot()`.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    pub(crate) client: &'a crate::Client,
}

#[cfg(feature = "client")]
impl crate::Client {
    /// Spot market data and orders.
    pub fn spot(&self) -> Spot<'_> {
        Spot { client: self }
    }
}
