//! API credentials: key, secret and memo.

use std::{
    env::{self, VarError},
    fmt,
    sync::Arc,
};

use ring::hmac;
use zeroize::Zeroizing;

use crate::error::{CredentialField, CredentialsError, CredentialsErrorKind, StrayCharacters};

/// API credentials: what the exchange needs to authenticate a request.
///
/// Cheap to clone. `Debug` shows nothing of the content, and there is no `Display` and no
/// serialization. Key and memo are wiped from memory when the last clone is dropped. Instead
/// of the secret, the HMAC state derived from it is stored; ring does not wipe that state.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    key: Zeroizing<String>,
    /// `#memo#`, as it is signed.
    framed_memo: Zeroizing<String>,
    signing: hmac::Key,
}

impl Credentials {
    /// Creates credentials from the three values that BitMart shows when a key is created.
    ///
    /// The memo is the free text that you chose for the key. It is not your account id and not the
    /// name of the account; it is part of every signature and case-sensitive.
    ///
    /// # Errors
    /// A value is empty, is wrapped in quotes, starts or ends with whitespace, a line break or a
    /// byte-order mark, or contains characters that it cannot have. The error names the value and the
    /// position, never the content.
    pub fn new(
        key: impl Into<String>,
        secret: impl Into<String>,
        memo: impl Into<String>,
    ) -> Result<Self, CredentialsError> {
        Self::from_zeroizing(
            Zeroizing::new(key.into()),
            &Zeroizing::new(secret.into()),
            &Zeroizing::new(memo.into()),
        )
    }

    /// Like [`new`](Self::new), from values that are wiped on every return path.
    pub(crate) fn from_zeroizing(
        key: Zeroizing<String>,
        secret: &Zeroizing<String>,
        memo: &Zeroizing<String>,
    ) -> Result<Self, CredentialsError> {
        check(CredentialField::Key, &key)?;
        check(CredentialField::Secret, secret)?;
        check(CredentialField::Memo, memo)?;

        let signing = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut framed_memo = Zeroizing::new(String::with_capacity(memo.len() + 2));
        framed_memo.extend(["#", memo.as_str(), "#"]);
        Ok(Self(Arc::new(Inner { key, framed_memo, signing })))
    }

    /// Reads credentials from the environment variables `BITMART_API_KEY`, `BITMART_API_SECRET` and
    /// `BITMART_API_MEMO`.
    ///
    /// # Errors
    /// A variable is not set or not valid Unicode, or a value is invalid as in [`new`](Self::new).
    pub fn from_env() -> Result<Self, CredentialsError> {
        Self::from_variables(|name| env::var(name))
    }

    /// Like [`from_env`](Self::from_env), but reads the three variables from another source, such as
    /// a secret store.
    ///
    /// # Errors
    /// `lookup` returns `None` for a variable, or a value is invalid as in [`new`](Self::new).
    pub fn from_lookup(
        mut lookup: impl FnMut(&str) -> Option<String>,
    ) -> Result<Self, CredentialsError> {
        Self::from_variables(|name| lookup(name).ok_or(VarError::NotPresent))
    }

    fn from_variables(
        mut read: impl FnMut(&str) -> Result<String, VarError>,
    ) -> Result<Self, CredentialsError> {
        let mut value = |field: CredentialField| match read(field.env_var()) {
            Ok(value) => Ok(Zeroizing::new(value)),
            Err(VarError::NotPresent) => Err(CredentialsErrorKind::VariableNotSet { field }),
            Err(VarError::NotUnicode(value)) => {
                // Wipes the value.
                drop(Zeroizing::new(value.into_encoded_bytes()));
                Err(CredentialsErrorKind::VariableNotUnicode { field })
            }
        };
        let key = value(CredentialField::Key)?;
        let secret = value(CredentialField::Secret)?;
        let memo = value(CredentialField::Memo)?;
        Self::from_zeroizing(key, &secret, &memo)
            .map_err(|error| error.with_origin(|field| field.env_var().to_owned()))
    }

    /// Returns the API key, for the `X-BM-KEY` header and the WebSocket login. Mark the header as
    /// sensitive.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// Returns `#memo#`, the middle part of every signed message.
    pub(crate) fn framed_memo(&self) -> &[u8] {
        self.0.framed_memo.as_bytes()
    }

    pub(crate) fn signing(&self) -> &hmac::Key {
        &self.0.signing
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

/// Key and secret are printable ASCII. The memo is free text without control characters.
fn check(field: CredentialField, value: &str) -> Result<(), CredentialsError> {
    if value.is_empty() {
        return Err(CredentialsErrorKind::Empty { field }.into());
    }
    // Checked here, because the exchange reports such a value only as a wrong signature.
    if let Some(found) = StrayCharacters::detect(value) {
        return Err(CredentialsErrorKind::HasStrayCharacters { field, found }.into());
    }
    let is_allowed = |c: char| match field {
        CredentialField::Key | CredentialField::Secret => c.is_ascii_graphic(),
        CredentialField::Memo => !c.is_control(),
    };
    match value.chars().position(|c| !is_allowed(c)) {
        Some(position) => Err(CredentialsErrorKind::InvalidCharacter { field, position }.into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
