//! Credentials and request signing for the BitMart API. It contains no HTTP client and needs no async runtime, so it
//! works with any HTTP or WebSocket stack.
//!
//! ```
//! use bitmart_auth::Credentials;
//!
//! // The key pair that BitMart's documentation publishes as an example.
//! let credentials = Credentials::new(
//!     "80618e45710812162b04892c7ee5ead4a3cc3e56",
//!     "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9",
//!     "test001",
//! )?;
//!
//! let body = br#"{"symbol":"BTC_USDT","price":"8600","count":"100"}"#;
//! let signature = credentials.sign_request(1_589_793_796_145, body);
//! assert_eq!(
//!     signature.as_str(),
//!     "c31dc326bf87f38bfb49a3f8494961abfa291bd549d0d98d9578e87516cee46d",
//! );
//! # Ok::<(), bitmart_auth::CredentialsError>(())
//! ```
//!
//! # Where credentials come from
//!
//! - [`Credentials::new`]: three values.
//! - [`Credentials::from_env`]: `BITMART_API_KEY`, `BITMART_API_SECRET` and `BITMART_API_MEMO`.
#![cfg_attr(
    feature = "profile",
    doc = "- [`Credentials::from_profile`] (feature `profile`): a table in `~/.bitmart/config.toml`, which only its owner may be able to read."
)]
//!
//! The memo is the free text that you chose when you created the key, not your account id. A wrong memo is the most
//! common cause of "wrong signature" (code 30005).
//!
//! # What is signed
//!
//! [`Credentials::sign_request`] signs `{timestamp}#{memo}#{body}` with HMAC-SHA256, keyed with the secret. The
//! [`Signature`] is its lower-case hexadecimal form. The body is the exact text that is sent; a POST without parameters
//! sends and signs `{}`. [`Credentials::sign_websocket_login`] signs `bitmart.WebSocket` instead of a body. Signing
//! does not allocate.
//!
//! # Security
//!
//! - `Debug` of every type here shows nothing secret; there is no `Display` and no serialization.
//! - A [`CredentialsError`] names the [value](CredentialField) and the position in it, never the content.
//! - Key and memo are wiped on drop. Copies that your program holds are not. The secret is wiped as soon as the HMAC
//!   key is derived from it; that key is held by ring, which does not wipe it.
//! - No code here opens a connection or writes a file.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod credentials;
mod error;
#[cfg(feature = "profile")]
mod profile;
mod sign;

pub use credentials::Credentials;
pub use error::{CredentialField, CredentialsError, CredentialsErrorKind, StrayCharacters};
pub use sign::Signature;

/// Compiles the code blocks of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
