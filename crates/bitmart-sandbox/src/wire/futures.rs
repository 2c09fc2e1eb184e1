//! Futures: orders, plan orders, positions, market data and money.

mod fields;
pub(crate) mod funds;
pub(crate) mod history;
pub(crate) mod market;
pub(crate) mod orders;
pub(crate) mod plans;
pub(crate) mod positions;
mod rows;
pub(crate) mod settings;
pub(crate) mod stream;
pub(crate) mod tp_sl;
