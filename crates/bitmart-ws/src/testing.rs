//! A scripted exchange, for tests of programs that use this crate. Needs the feature `testing`.
//!
//! A [`ScriptedServer`] lives in memory: it uses no sockets and no ports, and with a paused tokio clock
//! time passes only as the test demands. The client connects to it through its connector. The test
//! holds the server's end of each connection as a [`ServerConnection`] and scripts what the exchange
//! does.
//!
//! A bot that must not quote while its stream is down, with a test:
//!
//! ```
//! use bitmart_ws::event::RawEvent;
//! use bitmart_ws::testing::ScriptedServer;
//! use bitmart_ws::{Market, Subscription, Update};
//! use bitmart_ws::topic::Topic;
//!
//! /// Quotes only while its stream is connected.
//! #[derive(Default)]
//! struct Bot {
//!     is_quoting: bool,
//!     disconnects: u32,
//! }
//!
//! impl Bot {
//!     async fn handle_next(&mut self, tickers: &mut Subscription<RawEvent>) {
//!         match tickers.next().await {
//!             Some(Ok(Update::Subscribed | Update::Resynced)) => self.is_quoting = true,
//!             Some(Ok(Update::Reconnecting(_))) => {
//!                 self.is_quoting = false;
//!                 self.disconnects += 1;
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
//! let topic = Topic::<RawEvent>::public(Market::Spot, "spot/ticker:BTC_USDT");
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
//! bot.handle_next(&mut tickers).await;
//! assert!(bot.is_quoting);
//!
//! // The exchange closes the connection, and the bot stops quoting.
//! connection.close(1001, "going away").await;
//! bot.handle_next(&mut tickers).await;
//! assert!(!bot.is_quoting && bot.disconnects == 1);
//!
//! // The client reconnects and resubscribes by itself.
//! let mut second = server.accept().await;
//! second.expect_subscribe(&["spot/ticker:BTC_USDT"]).await;
//! bot.handle_next(&mut tickers).await;
//! assert!(bot.is_quoting);
//! # Ok(())
//! # }
//! ```

mod command;
mod connection;
mod server;
#[cfg(test)]
pub(crate) mod test_support;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::command::ClientCommand;
pub use self::connection::{Frame, ServerConnection};
pub use self::server::ScriptedServer;

/// How long a wait may take by the tokio clock.
const WAIT_TIMEOUT: Duration = Duration::from_secs(3600);

/// Waits with a timeout, so that a missing event fails the test instead of hanging it.
pub(crate) async fn with_timeout<F: Future>(what: &str, future: F) -> F::Output {
    let Ok(output) = tokio::time::timeout(WAIT_TIMEOUT, future).await else {
        panic!("{what} did not arrive within {WAIT_TIMEOUT:?}")
    };
    output
}
