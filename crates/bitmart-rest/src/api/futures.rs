//! Futures contracts, accounts, orders and sub-accounts.

mod account;
mod check;
mod checked_values;
mod enums;
mod intent;
mod market;
mod plan;
mod rules;
mod sub_account;
mod trading;
mod transfer;

pub use account::*;
pub use bitmart_types::TradeRole;
pub use bitmart_types::futures::*;
pub use enums::{
    ContractStatus, ContractType, FlowName, FlowType, FundTransferDirection, KlineStep,
    OpenOrderFilter, OrderMode, PlanCategory, PlanOrderType, PlanType, ProductType, RepaymentType,
    SelfTradePrevention, TradingAccount, TransferDirection, TransferState, TriggerDirection,
};
pub use market::*;
pub use plan::*;
pub use rules::Rules;
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
    /// Futures contracts, accounts and orders.
    pub fn futures(&self) -> Futures<'_> {
        Futures { client: self }
    }
}
