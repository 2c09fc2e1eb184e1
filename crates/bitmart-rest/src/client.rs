//! The client and what it is made of: the request pipeline, rate limits, the clock, the transport.

#[cfg(feature = "client")]
mod builder;
#[cfg(feature = "client")]
mod detailed;
#[cfg(feature = "client")]
pub(crate) mod limit;
#[cfg(feature = "client")]
pub(crate) mod observe;
#[cfg(feature = "client")]
mod pipeline;
#[cfg(feature = "client")]
mod retry;
#[cfg(feature = "client")]
mod retry_after;
#[cfg(feature = "client")]
mod synced_clock;
#[cfg(feature = "client")]
mod timers;
pub mod transport;

#[cfg(feature = "client")]
pub use builder::ClientBuilder;
#[cfg(feature = "client")]
pub use detailed::Detailed;
#[cfg(feature = "client")]
pub use pipeline::Client;
#[cfg(feature = "client")]
use pipeline::Inner;
#[cfg(feature = "client")]
pub use retry::RetryPolicy;
#[cfg(feature = "client")]
pub use synced_clock::{ClockEstimate, SyncedClock};
