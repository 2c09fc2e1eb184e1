//! Futures: market data, accounts and positions, orders, plan orders, transfers and sub-accounts.
//!
//! BitMart calls an order that waits for a trigger price a *plan order*; other exchanges say conditional
//! order.

mod account;
mod enums;
mod intent;
mod market;
mod order_to_check;
mod plan;
mod presets;
mod rules;
mod sub_account;
mod trading;
mod transfer;

pub use account::*;
pub use bitmart_types::TradeRole;
pub use bitmart_types::futures::*;
pub use enums::{
    ContractStatus, ContractType, FundingTransferDirection, KlineStep, OpenOrderFilter,
    PlanOrderFilter, PlanOrderType, ProductType, RepaymentType, SelfTradePrevention, TimeInForce,
    TpSlScope, TradingAccount, TransactionType, TransactionTypeName, TransferDirection,
    TransferState, TriggerDirection,
};
pub use market::*;
pub use plan::*;
pub use rules::OrderRules;
pub use sub_account::*;
pub use trading::*;
pub use transfer::*;

/// The futures endpoints: `client.futures()`.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug)]
pub struct Futures<'a> {
    pub(crate) client: &'a crate::Client,
}

#[cfg(feature = "client")]
impl crate::Client {
    /// The futures endpoints.
    pub fn futures(&self) -> Futures<'_> {
        Futures { client: self }
    }
}
