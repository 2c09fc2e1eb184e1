//! One account, tracked once and read by any number of programs.
//!
//! A [`Publisher`] in each of two or more processes runs an
//! [`AccountTracker`](bitmart_account::AccountTracker). One of them holds the lease of the account and publishes what
//! its tracker reports; the others track as well, so that one that takes over has missed nothing. A [`Reader`] has the
//! same [`AccountState`](bitmart_account::AccountState), and is [live](Reader::is_live) only while
//!
//! - the tracker of the publisher is live,
//! - no message has been lost since the last snapshot, and
//! - something was received from the publisher within the [lease timeout](PublisherBuilder::lease_timeout), on the
//!   reader's clock.
//!
//! The account has a name that you choose. Neither names nor messages contain a key.
//!
//! ```no_run
//! use bitmart_account::{AccountTracker, Market};
//! use bitmart_fleet::account::{Publisher, Reader, Update};
//! use bitmart_fleet::nats::Options;
//! use {bitmart_rest as rest, bitmart_ws as ws};
//!
//! # async fn run(rest: rest::Client, ws: ws::Client) -> Result<(), Box<dyn std::error::Error>> {
//! // On two machines, with different ids:
//! let publisher = Publisher::builder(Options::new("nats://127.0.0.1:4222"), "main", move || {
//!     AccountTracker::builder(rest.clone(), ws.clone()).spot().build()
//! })
//! .id("m1")
//! .start()
//! .await?;
//!
//! // In each strategy:
//! let mut account = Reader::connect(Options::new("nats://127.0.0.1:4222"), "main").await?;
//! while let Some(update) = account.next().await {
//!     match update {
//!         Update::Live { live: true, .. } => println!("place quotes"),
//!         Update::Live { live: false, .. } => println!("cancel quotes"),
//!         Update::Fill(fill) => println!("{} at {}", fill.size, fill.price),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # publisher.stop().await;
//! # Ok(())
//! # }
//! ```

mod log;
mod message;
mod publisher;
mod reader;
mod reader_state;

pub use message::Update;
pub use publisher::{Publisher, PublisherBuilder};
pub use reader::Reader;

use crate::nats::Error;

/// Checks the name of an account. It is part of subjects and, in upper case, of the name of a bucket, so two names must
/// not differ in case only.
fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if (1..=32).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::config("the name of an account must be lower-case letters and digits, up to 32"))
}
