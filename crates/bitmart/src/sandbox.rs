//! The local exchange: a re-export of [`bitmart_sandbox`], and its addresses and credentials as the types
//! of the clients.
//!
//! ```
//! # #[cfg(feature = "rest")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bitmart::sandbox::{self, Config, Sandbox};
//!
//! let exchange = Sandbox::start(Config::new()).await?;
//! let client = bitmart::rest::Client::builder()
//!     .environment(sandbox::environment(&exchange))
//!     .credentials(sandbox::credentials(&exchange)?)
//!     .build()?;
//! println!("{:?}", client.spot().ticker("BTC_USDT").await?.last_price);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "rest"))]
//! # fn main() {}
//! ```

use bitmart_auth::{Credentials, CredentialsError};
#[doc(no_inline)]
pub use bitmart_sandbox::*;
use bitmart_types::Environment;

/// Returns the addresses of a sandbox and, with TLS, its certificate.
pub fn environment(sandbox: &Sandbox) -> Environment {
    // A sandbox writes a line that can be read. An environment without addresses connects to nothing.
    Environment::from_ready_line(&sandbox.ready_line())
        .unwrap_or_else(|_| Environment::custom("sandbox"))
}

/// Returns the first API key of a sandbox.
///
/// # Errors
/// The sandbox is configured with an invalid key.
pub fn credentials(sandbox: &Sandbox) -> Result<Credentials, CredentialsError> {
    let key = sandbox.credentials();
    Credentials::new(key.key.as_str(), key.secret.as_str(), key.memo.as_str())
}
