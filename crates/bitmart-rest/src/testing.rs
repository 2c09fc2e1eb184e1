//! Tools for the tests of programs that use this crate. Needs the feature `testing`.
//!
//! - [`ScriptedTransport`] plays the exchange without a network: it expects requests in an order,
//!   responses them as told, and fails the test with what was expected, what came and what differs.
//! - [`Recorder`] writes down what another transport exchanges, without what is about the account;
//!   [`Replayer`] responses from such files.
//! - [`transport_conformance`] tries a transport of your own against a server that misbehaves.
//!
//! A strategy under test, with an exchange that loses the response to an order:
//!
//! ```
//! use bitmart_rest::auth::Credentials;
//! use bitmart_rest::testing::{Expect, Reply, ScriptedTransport};
//! use bitmart_rest::types::dec;
//! use bitmart_rest::{Client, Outcome, TransportErrorKind, spot};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let exchange = ScriptedTransport::new()
//!     .expect(
//!         Expect::post("/spot/v2/submit_order")
//!             .signed()
//!             .body("symbol", "BTC_USDT")
//!             .body("size", "0.001"),
//!         Reply::maybe_sent(TransportErrorKind::Interrupted),
//!     )
//!     .expect(
//!         Expect::get("/system/time").unsigned(),
//!         Reply::data(r#"{"server_time":1700000000000}"#),
//!     );
//! let client = Client::builder()
//!     .credentials(Credentials::new("key", "secret", "memo")?)
//!     .transport(exchange.clone())
//!     .build()?;
//!
//! let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(60000));
//! let error = client.spot().submit_order(order).await.unwrap_err();
//! assert_eq!(error.outcome(), Outcome::Unknown);
//! assert_eq!(client.system().time().await?.server_time.as_secs(), 1_700_000_000);
//! // Fails if something that was expected has not come.
//! exchange.finish();
//! # Ok(())
//! # }
//! ```

mod conformance;
mod expect;
mod recorder;
mod replayer;
mod reply;
mod scripted;
mod sent;

pub use self::conformance::{Check, ConformanceReport, transport_conformance};
pub use self::expect::Expect;
pub use self::recorder::{Recorder, Summary};
pub use self::replayer::Replayer;
pub use self::reply::Reply;
pub use self::scripted::ScriptedTransport;
pub use self::sent::SentRequest;
#[doc(no_inline)]
pub use crate::recording::{Json, JsonError, ReadError, Recording, Redaction};
