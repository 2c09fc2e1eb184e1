//! Rate limits: what the client does about them, and where their permits are counted.
//!
//! The feature `client` adds the `Limiter`, its `LimitPolicy`, and `BudgetStore`, which counts permits in a place
//! that several processes share.

#[cfg(feature = "client")]
pub use crate::client::limit::{
    Budget, BudgetFuture, BudgetRate, BudgetRefusal, BudgetStore, LimitPolicy, Limiter,
    LocalBudgets, PermitId, RequestEnd,
};
pub use crate::protocol::{RateLimitState, ThrottleReason, Throttled};
