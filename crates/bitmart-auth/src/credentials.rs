//! The key, the secret and the memo.

use std::{env, fmt, sync::Arc};

use ring::hmac;
use zeroize::Zeroizing;

use crate::error::{CredentialsError, CredentialsErrorKind, Field, Stray};

/// What the exchange needs to know who is calling.
///
/// Cheap to clone. `Debug` shows nothing of the content, and there is no `Display` and no
/// serialization. Key and memo are wiped from memory when the last clone is dropped. The secret
/// itself is not kept: only the state of the keyed hash that was derived from it is, inside of
/// ring, which does not wipe it.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    key: Zeroizing<String>,
    /// `#memo#`, as it stands in the message.
    framed_memo: Zeroizing<String>,
    signing: hmac::Key,
}

impl Credentials {
    /// Credentials from the three values that BitMart shows when a key is created.
    ///
    /// The memo is the free text that you chose for the key. It is not your account id and not the
    /// name of the account; it is part of every signature and case-sensitive.
    ///
    /// # Errors
    /// When a value is empty, stands in quotes, has a blank, a line break or a byte-order mark around it
    /// that was copied along, or holds characters that cannot be part of it. The error names the value and the place, never the content.
    pub fn new(
        key: impl Into<String>,
        secret: impl Into<String>,
        memo: impl Into<String>,
    ) -> Result<Self, CredentialsError> {
        Self::from_wiped(
            Zeroizing::new(key.into()),
            &Zeroizing::new(secret.into()),
            &Zeroizing::new(memo.into()),
        )
    }

    /// Takes values that wipe themselves, so that an early return wipes them as well.
    pub(crate) fn from_wiped(
        key: Zeroizing<String>,
        secret: &Zeroizing<String>,
        memo: &Zeroizing<String>,
    ) -> Result<Self, CredentialsError> {
        check(Field::Key, &key)?;
        check(Field::Secret, secret)?;
        check(Field::Memo, memo)?;

        let signing = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut framed_memo = Zeroizing::new(String::with_capacity(memo.len() + 2));
        framed_memo.extend(["#", memo.as_str(), "#"]);
        Ok(Self(Arc::new(Inner { key, framed_memo, signing })))
    }

    /// Credentials from the environment variables `BITMART_API_KEY`, `BITMART_API_SECRET` and
    /// `BITMART_API_MEMO`.
    ///
    /// # Errors
    /// When a variable is not set, or like [`new`](Self::new).
    pub fn from_env() -> Result<Self, CredentialsError> {
        Self::from_lookup(|name| env::var(name).ok())
    }

    /// Like [`from_env`](Self::from_env), with another source for the three variables, such as the
    /// values of a secret store.
    ///
    /// # Errors
    /// When `lookup` does not know a variable, or like [`new`](Self::new).
    pub fn from_lookup(
        mut lookup: impl FnMut(&str) -> Option<String>,
    ) -> Result<Self, CredentialsError> {
        let mut value = |field: Field| match lookup(field.variable()) {
            Some(value) => Ok(Zeroizing::new(value)),
            None => Err(CredentialsErrorKind::VariableNotSet { field }),
        };
        Self::from_wiped(value(Field::Key)?, &value(Field::Secret)?, &value(Field::Memo)?)
            .map_err(|error| error.found_in(|field| field.variable().to_owned()))
    }

    /// The API key, for the `X-BM-KEY` header and the WebSocket login. Mark the header as
    /// sensitive.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// `#memo#`, the middle of every message.
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

/// Key and secret are visible ASCII. The memo is free text, but never holds control characters.
fn check(field: Field, value: &str) -> Result<(), CredentialsError> {
    if value.is_empty() {
        return Err(CredentialsErrorKind::Empty { field }.into());
    }
    // Signed with it, a request would be refused as if the value itself were wrong.
    if let Some(stray) = Stray::around(value) {
        return Err(CredentialsErrorKind::Stray { field, stray }.into());
    }
    let fits = |c: char| match field {
        Field::Key | Field::Secret => c.is_ascii_graphic(),
        Field::Memo => !c.is_control(),
    };
    match value.chars().position(|c| !fits(c)) {
        Some(position) => Err(CredentialsErrorKind::BadCharacter { field, position }.into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
