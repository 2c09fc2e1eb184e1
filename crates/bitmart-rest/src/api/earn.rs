//! Savings, flexible and fixed.
//!
//! The exchange documents none of these responses. What third parties report is typed with every
//! field optional, and the JSON text is kept: see [`Unverified`](crate::Unverified).

mod change;
mod enums;
mod fixed;
mod flexible;
mod generated;
mod overview;

pub use enums::{AutoSubscribe, FixedRenewal, RecordType};
pub use fixed::*;
pub use flexible::*;
pub use generated::*;
pub use overview::{AutoSaving, Holding};

/// The endpoints of savings: `client.earn()`.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug)]
pub struct Earn<'a> {
    client: &'a crate::Client,
}

#[cfg(feature = "client")]
impl crate::Client {
    /// Savings, flexible and fixed.
    pub fn earn(&self) -> Earn<'_> {
        Earn { client: self }
    }
}
