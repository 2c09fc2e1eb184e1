#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod credentials;
mod error;
#[cfg(feature = "profile")]
mod profile;
mod sign;

pub use credentials::Credentials;
pub use error::{CredentialField, CredentialsError, CredentialsErrorKind, StrayCharacters};
pub use sign::Signature;
