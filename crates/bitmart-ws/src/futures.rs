//! Events of the futures channels. [`topic::futures`](crate::topic::futures) has their topics. Sizes
//! are whole contracts.

mod account;
mod depth;
mod kline;
mod market;
mod order;

pub use account::*;
pub use depth::*;
pub use kline::*;
pub use market::*;
pub use order::*;
