//! A scripted exchange for the tests of programs that use this crate. Needs the feature `testing`.
//!
//! A [`ScriptedServer`] lives in memory: no sockets, no ports, and time passes only as the test
//! says when the tokio clock is paused. The client dials it through its connector; the test holds
//! the server's end of each connection as a [`ServerConnection`] and says what the exchange does.
//!
//! A bot that must not quote while its stream is down, and a test of that:
//!
//! ```
//! use bitmart_ws::event::RawEvent;
//! use bitmart_ws::testing::ScriptedServer;
//! use bitmart_ws::{Dialect, Subscription, Topic, Update};
//!
//! /// Quotes only while it knows that the stream is whole.
//! #[derive(Default)]
//! struct Bot {
//!     is_quoting: bool,
//!     gaps: u32,
//! }
//!
//! impl Bot {
//!     async fn see_next(&mut self, tickers: &mut Subscription<RawEvent>) {
//!         match tickers.next().await {
//!             Some(Ok(Update::Subscribed | Update::Resynced)) => self.is_quoting = true,
//!             Some(Ok(Update::Reconnecting(_))) => {
//!                 self.is_quoting = false;
//!                 self.gaps += 1;
//!             }
//!             Some(Ok(_)) => {}
//!             Some(Err(_)) | None => self.is_quoting = false,
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::time::pause();
//! // In a test: `#[tokio::test(start_paused = true)]`.
//! let mut server = ScriptedServer::new();
//! let client = server.client_builder().build()?;
//! let topic = Topic::<RawEvent>::public(Dialect::Spot, "spot/ticker:BTC_USDT");
//!
//! let (connection, tickers) = tokio::join!(
//!     async {
//!         let mut connection = server.accept().await;
//!         connection.expect_subscribe(&["spot/ticker:BTC_USDT"]).await;
//!         connection
//!     },
//!     client.subscribe(topic),
//! );
//! let (mut bot, mut tickers) = (Bot::default(), tickers?);
//! bot.see_next(&mut tickers).await;
//! assert!(bot.is_quoting);
//!
//! // The exchange closes the connection. The bot stops before anything else comes.
//! connection.close(1001, "going away").await;
//! bot.see_next(&mut tickers).await;
//! assert!(!bot.is_quoting && bot.gaps == 1);
//!
//! // The client connects again and subscribes again, by itself.
//! let mut second = server.accept().await;
//! second.expect_subscribe(&["spot/ticker:BTC_USDT"]).await;
//! bot.see_next(&mut tickers).await;
//! assert!(bot.is_quoting);
//! # Ok(())
//! # }
//! ```

mod command;
mod connection;
#[cfg(test)]
pub(crate) mod own;
mod server;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::command::ClientCommand;
pub use self::connection::{Frame, ServerConnection};
pub use self::server::ScriptedServer;

/// Time of the tokio clock after which a wait counts as failed.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Waits, so that a missing event fails the test instead of hanging it.
pub(crate) async fn patient<F: Future>(what: &str, future: F) -> F::Output {
    let Ok(output) = tokio::time::timeout(PATIENCE, future).await else {
        panic!("{what} did not come within {PATIENCE:?}")
    };
    output
}
