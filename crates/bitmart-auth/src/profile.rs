//! Credentials from profiles in a configuration file.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::IgnoredAny};
use zeroize::Zeroizing;

use crate::{
    Credentials,
    error::{CredentialField, CredentialsError, CredentialsErrorKind as Kind},
};

/// Maximum size of the configuration file, in bytes.
const SIZE_LIMIT: u64 = 64 * 1024;

impl Credentials {
    /// Reads credentials from a profile in `~/.bitmart/config.toml`. The usual name is `default`.
    ///
    /// ```toml
    /// [default]
    /// key = "…"
    /// secret = "…"
    /// memo = "…"
    /// ```
    ///
    /// Other keys in a table are ignored, so programs can store their own settings there.
    ///
    /// # Errors
    /// The file cannot be read or parsed, other users of the machine have access to it (checked on
    /// Unix only), the profile or one of its values is missing, or a value is invalid as in
    /// [`new`](Credentials::new). Credentials that the program `bitmart` stored in the keyring of the
    /// operating system are not read.
    #[cfg_attr(docsrs, doc(cfg(feature = "profile")))]
    pub fn from_profile(name: &str) -> Result<Self, CredentialsError> {
        let home = home(|name| env::var_os(name)).ok_or(Kind::NoHomeDirectory)?;
        Self::from_profile_file(home.join(".bitmart").join("config.toml"), name)
    }

    /// Reads credentials from a profile in the file at `path`.
    ///
    /// # Errors
    /// Like [`from_profile`](Self::from_profile).
    #[cfg_attr(docsrs, doc(cfg(feature = "profile")))]
    pub fn from_profile_file(path: impl AsRef<Path>, name: &str) -> Result<Self, CredentialsError> {
        let path = path.as_ref();
        let bytes = read(path)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| malformed(path, bytes.get(..error.valid_up_to())))?;
        let mut profiles: BTreeMap<String, Profile> = toml::from_str(text).map_err(|error| {
            // The parser's own message is dropped: it quotes the line, which may contain a secret.
            malformed(path, error.span().and_then(|span| bytes.get(..span.start)))
        })?;

        let Some(profile) = profiles.remove(name) else {
            return Err(Kind::UnknownProfile {
                path: path.to_owned(),
                profile: name.to_owned(),
                available: profiles.into_keys().collect(),
            }
            .into());
        };
        if profile.is_in_keyring() {
            return Err(Kind::InKeyring { path: path.to_owned(), profile: name.to_owned() }.into());
        }
        let missing =
            |field| Kind::MissingField { path: path.to_owned(), profile: name.to_owned(), field };
        Self::from_zeroizing(
            profile.key.ok_or_else(|| missing(CredentialField::Key))?,
            &profile.secret.ok_or_else(|| missing(CredentialField::Secret))?,
            &profile.memo.ok_or_else(|| missing(CredentialField::Memo))?,
        )
        .map_err(|error| error.with_origin(|_| format!("profile [{name}] in {}", path.display())))
    }
}

/// One table of the file. Without `Debug`: it holds secrets.
#[derive(Deserialize)]
struct Profile {
    key: Option<Zeroizing<String>>,
    secret: Option<Zeroizing<String>>,
    memo: Option<Zeroizing<String>>,
    keyring: Option<Marker>,
}

/// The entry `keyring`. Only `true` is a marker of the program `bitmart`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Marker {
    Flag(bool),
    Other(IgnoredAny),
}

impl Profile {
    /// Whether the program `bitmart` stored the credentials in the keyring of the operating system.
    fn is_in_keyring(&self) -> bool {
        let is_complete = self.key.is_some() && self.secret.is_some() && self.memo.is_some();
        matches!(self.keyring, Some(Marker::Flag(true))) && !is_complete
    }
}

/// The home directory. An empty variable counts as not set.
fn home(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    variable("HOME").or_else(|| variable("USERPROFILE")).map(PathBuf::from)
}

/// Reads a file that only its owner can access, up to the size limit.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CredentialsError> {
    let unreadable = |error| {
        let path = path.to_owned();
        CredentialsError::with_source(Kind::Unreadable { path }, error)
    };

    let file = File::open(path).map_err(unreadable)?;
    check_permissions(&file, path)?;

    let mut bytes = Zeroizing::new(Vec::new());
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(Kind::TooLarge { path: path.to_owned(), limit: SIZE_LIMIT }.into());
    }
    Ok(bytes)
}

/// Checks the open file, so that it cannot be replaced after the check.
#[cfg(unix)]
fn check_permissions(file: &File, path: &Path) -> Result<(), CredentialsError> {
    use std::os::unix::fs::MetadataExt as _;

    let path = path.to_owned();
    let mode = match file.metadata() {
        Ok(metadata) => metadata.mode() & 0o777,
        Err(error) => {
            return Err(CredentialsError::with_source(Kind::Unreadable { path }, error));
        }
    };
    let is_open_to_others = mode & 0o077 != 0;
    if is_open_to_others {
        return Err(Kind::InsecurePermissions { path, mode }.into());
    }
    Ok(())
}

/// Other systems protect a home directory by other means.
#[cfg(not(unix))]
fn check_permissions(_: &File, _: &Path) -> Result<(), CredentialsError> {
    Ok(())
}

/// The error for a file that is malformed after these bytes.
fn malformed(path: &Path, before: Option<&[u8]>) -> CredentialsError {
    let line = before.map(|before| before.split(|byte| *byte == b'\n').count());
    Kind::Malformed { path: path.to_owned(), line }.into()
}

#[cfg(test)]
mod tests;
