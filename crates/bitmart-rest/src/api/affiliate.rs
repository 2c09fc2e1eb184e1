//! The affiliate program: rebates, customers and their trades.

mod customers;
mod enums;
mod generated;
mod rebates;
mod trades;

pub use customers::{
    Customer, CustomerAccount, CustomerFunding, CustomerFundingRecord, Customers, Invitation,
};
pub use enums::{CopyTrade, FundingType, Market, OrderType, RebateStatus, UserType};
pub use generated::*;
pub use rebates::{ApiRebate, Rebate, Rebates, UserRebate};
pub use trades::{CustomerTrade, CustomerTrades};

/// The endpoints of affiliates: `client.affiliate()`.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug)]
pub struct Affiliate<'a> {
    client: &'a crate::Client,
}

#[cfg(feature = "client")]
impl crate::Client {
    /// The affiliate program.
    pub fn affiliate(&self) -> Affiliate<'_> {
        Affiliate { client: self }
    }
}
