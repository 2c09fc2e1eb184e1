//! Keys in the keyring of the system. Their profile in the configuration file only says so.

use bitmart::Credentials;
#[cfg(feature = "keyring")]
use bitmart::auth::CredentialsError;

use crate::failure::Failure;
#[cfg(feature = "keyring")]
use crate::failure::chain;

/// Under which name the keyring has the keys of this program.
#[cfg(feature = "keyring")]
const SERVICE: &str = "bitmart";

/// Stores key, secret and memo.
#[cfg(feature = "keyring")]
pub(super) fn store(profile: &str, values: [&str; 3]) -> Result<(), Failure> {
    // None of them has a line break: the library would have refused it.
    let text = values.join("\n");
    entry(profile)?.set_password(&text).map_err(|error| unusable(&error))
}

/// The key of a profile.
#[cfg(feature = "keyring")]
pub(crate) fn load(profile: &str) -> Result<Credentials, Failure> {
    let text = entry(profile)?.get_password().map_err(|error| unusable(&error))?;
    let mut lines = text.lines().map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    Credentials::new(line(), line(), line())
        .map_err(|error: CredentialsError| Failure::usage(chain(&error)))
}

/// Forgets the key of a profile.
#[cfg(feature = "keyring")]
pub(super) fn remove(profile: &str) -> Result<(), Failure> {
    match entry(profile)?.delete_credential() {
        Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
        Err(error) => Err(unusable(&error)),
    }
}

#[cfg(feature = "keyring")]
fn entry(profile: &str) -> Result<keyring::Entry, Failure> {
    if let Err(error) = keyring::Entry::store_status() {
        return Err(unusable(error));
    }
    keyring::Entry::new(SERVICE, profile).map_err(|error| unusable(&error))
}

#[cfg(feature = "keyring")]
fn unusable(error: &keyring::Error) -> Failure {
    let words = match error {
        // It carries what was stored.
        keyring::Error::BadEncoding(_) => "the stored key is no text".to_owned(),
        error => chain(error),
    };
    Failure::machine(format!("the keyring of the system: {words}"))
        .with_advice("without --keyring `bitmart auth add` uses a file that only you can read")
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
    Failure::usage("this program was built without the keyring of the system")
        .with_advice("cargo install --features keyring builds it in")
}
