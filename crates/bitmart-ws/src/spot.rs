//! Events of the spot channels. [`topic::spot`](crate::topic::spot) has their topics.

mod balance;
mod depth;
mod market;
mod order;

pub use balance::*;
pub use depth::*;
pub use market::*;
pub use order::*;
