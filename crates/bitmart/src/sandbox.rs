//! The embedded exchange: everything of [`bitmart_sandbox`], and its addresses and keys in the form
//! that the clients of this crate take.
//!
//! ```
//! # #[cfg(feature = "rest")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bitmart::sandbox::{self, Config, Sandbox};
//!
//! let exchange = Sandbox::start(Config::new()).await?;
//! let client = bitmart::rest::Client::builder()
//!     .environment(sandbox::environment(&exchange)?)
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
use bitmart_types::{Environment, ReadyLineError};

/// Where a sandbox listens, and its certificate if it speaks TLS.
///
/// # Errors
/// When the certificate cannot be read, which no sandbox causes.
pub fn environment(sandbox: &Sandbox) -> Result<Environment, ReadyLineError> {
    Environment::from_ready_line(&sandbox.ready_line())
}

/// The sandbox's first key.
///
/// # Errors
/// When the sandbox was configured with a key that no client could send.
pub fn credentials(sandbox: &Sandbox) -> Result<Credentials, CredentialsError> {
    let key = sandbox.credentials();
    Credentials::new(key.key.as_str(), key.secret.as_str(), key.memo.as_str())
}
