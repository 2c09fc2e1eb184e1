//! Keys in the keyring of the operating system. The configuration file only contains a marker for them.

use bitmart::Credentials;
#[cfg(feature = "keyring")]
use bitmart::auth::CredentialsError;

use crate::failure::Failure;
#[cfg(feature = "keyring")]
use crate::failure::chain;

/// The service name of this program in the keyring.
#[cfg(feature = "keyring")]
const SERVICE: &str = "bitmart";

/// Stores key, secret and memo.
#[cfg(feature = "keyring")]
pub(super) fn store(profile: &str, values: [&str; 3]) -> Result<(), Failure> {
    // The library rejects line breaks in a key.
    let text = values.join("\n");
    entry(profile)?.set_password(&text).map_err(|error| keyring_failure(&error))
}

/// Loads the key of a profile.
#[cfg(feature = "keyring")]
pub(crate) fn load(profile: &str) -> Result<Credentials, Failure> {
    let text = entry(profile)?.get_password().map_err(|error| keyring_failure(&error))?;
    let mut lines = text.lines().map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    Credentials::new(line(), line(), line())
        .map_err(|error: CredentialsError| Failure::usage(chain(&error)))
}

/// Removes the key of a profile.
#[cfg(feature = "keyring")]
pub(super) fn remove(profile: &str) -> Result<(), Failure> {
    match entry(profile)?.delete_credential() {
        Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
        Err(error) => Err(keyring_failure(&error)),
    }
}

/// Fails if there is no keyring, before the prompt for a secret.
#[cfg(feature = "keyring")]
pub(super) fn check_support() -> Result<(), Failure> {
    if let Err(error) = keyring::Entry::store_status() {
        return Err(keyring_failure(error));
    }
    Ok(())
}

#[cfg(feature = "keyring")]
fn entry(profile: &str) -> Result<keyring::Entry, Failure> {
    check_support()?;
    keyring::Entry::new(SERVICE, profile).map_err(|error| keyring_failure(&error))
}

#[cfg(feature = "keyring")]
fn keyring_failure(error: &keyring::Error) -> Failure {
    let text = match error {
        // This error contains the stored value.
        keyring::Error::BadEncoding(_) => "the stored key is not text".to_owned(),
        error => chain(error),
    };
    Failure::io(format!("the keyring of the operating system: {text}")).with_advice(
        "without --keyring `bitmart auth add` stores the key in a file that only you can read",
    )
}

#[cfg(not(feature = "keyring"))]
pub(super) fn check_support() -> Result<(), Failure> {
    Err(absent())
}

#[cfg(not(feature = "keyring"))]
pub(super) fn store(_: &str, _: [&str; 3]) -> Result<(), Failure> {
    Err(absent())
}

#[cfg(not(feature = "keyring"))]
pub(crate) fn load(_: &str) -> Result<Credentials, Failure> {
    Err(absent())
}

#[cfg(not(feature = "keyring"))]
pub(super) fn remove(_: &str) -> Result<(), Failure> {
    Err(absent())
}

#[cfg(not(feature = "keyring"))]
fn absent() -> Failure {
    Failure::usage("this program was built without support for the keyring")
        .with_advice("install it with cargo install bitmart-cli --features keyring")
}
