//! The endpoints: one module for each group, with generated requests and hand-written models.

pub mod account;
pub mod affiliate;
pub mod broker;
pub mod catalog;
pub mod code;
mod convert;
pub mod earn;
pub mod futures;
pub mod margin;
pub(crate) mod model;
mod order_ref;
pub mod spot;
pub(crate) mod step;
pub mod sub_account;
pub mod system;
mod unverified;

pub use model::Empty;
pub use order_ref::OrderRef;
pub use unverified::Unverified;
