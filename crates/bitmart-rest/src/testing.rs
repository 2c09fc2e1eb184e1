//! Test tools for programs that use this crate. Needs the feature `testing`.
//!
//! - [`ScriptedTransport`] simulates the exchange without a network: it expects requests in a given
//!   order, returns scripted responses, and fails the test with the differences.
//! - [`Recorder`] writes the traffic of another transport to files, without account data;
//!   [`Replayer`] responds from such files.
//! - [`transport_conformance`] checks a custom transport against a server that misbehaves.
//!
//! Testing a strategy with an exchange that loses the response to an order:
//!
//! ```
//! use bitmart_rest::auth::Credentials;
//! use bitmart_rest::testing::{ExpectedRequest, ScriptedResponse, ScriptedTransport};
//! use bitmart_rest::types::dec;
//! use bitmart_rest::{Client, Outcome, spot};
//! use bitmart_rest::transport::TransportErrorKind;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let exchange = ScriptedTransport::new()
//!     .expect(
//!         ExpectedRequest::post("/spot/v2/submit_order")
//!             .signed()
//!             .body("symbol", "BTC_USDT")
//!             .body("size", "0.001"),
//!         ScriptedResponse::maybe_sent(TransportErrorKind::Interrupted),
//!     )
//!     .expect(
//!         ExpectedRequest::get("/system/time").unsigned(),
//!         ScriptedResponse::data(r#"{"server_time":1700000000000}"#),
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
//! // Fails if an expected request was not sent.
//! exchange.finish();
//! # Ok(())
//! # }
//! ```

mod conformance;
mod expected_request;
mod recorder;
mod replayer;
mod scripted_response;
mod scripted_transport;
mod sent_request;

pub use self::conformance::{Check, ConformanceReport, transport_conformance};
pub use self::expected_request::ExpectedRequest;
pub use self::recorder::{Recorder, Summary};
pub use self::replayer::Replayer;
pub use self::scripted_response::ScriptedResponse;
pub use self::scripted_transport::ScriptedTransport;
pub use self::sent_request::SentRequest;
