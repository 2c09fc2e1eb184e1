//! Credentials from profiles in a configuration file.

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;
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
    /// The file cannot be read or parsed, other users of the machine can read it (checked on Unix
    /// only), the profile or one of its values is missing, or a value is invalid as in
    /// [`new`](Credentials::new).
    #[cfg_attr(docsrs, doc(cfg(feature = "profile")))]
    pub fn from_profile(name: &str) -> Result<Self, CredentialsError> {
        let home = env::var_os("HOME")
            .or_else(|| env::var_os("USERPROFILE"))
            .filter(|home| !home.is_empty())
            .ok_or(Kind::NoHomeDirectory)?;
        let path = PathBuf::from(home).join(".bitmart").join("config.toml");
        Self::from_profile_file(path, name)
    }

    /// Reads credentials from a profile in the file at `path`.
    ///
    /// # Errors
    /// Like [`from_profile`](Self::from_profile).
    #[cfg_attr(docsrs, doc(cfg(feature = "profile")))]
    pub fn from_profile_file(path: impl AsRef<Path>, name: &str) -> Result<Self, CredentialsError> {
        let path = path.as_ref();
        let text = read(path)?;
        let mut profiles: BTreeMap<String, Profile> =
            toml::from_str(&text).map_err(|error| malformed(path, &text, &error))?;

        let Some(profile) = profiles.remove(name) else {
            return Err(Kind::UnknownProfile {
                path: path.to_owned(),
                profile: name.to_owned(),
                available: profiles.into_keys().collect(),
            }
            .into());
        };
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
}

fn read(path: &Path) -> Result<Zeroizing<String>, CredentialsError> {
    let unreadable = |error| {
        let path = path.to_owned();
        CredentialsError::with_source(Kind::Unreadable { path }, error)
    };

    let file = File::open(path).map_err(unreadable)?;
    check_permissions(&file, path)?;

    let mut text = Zeroizing::new(String::new());
    file.take(SIZE_LIMIT + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > SIZE_LIMIT {
        return Err(Kind::TooLarge { path: path.to_owned(), limit: SIZE_LIMIT }.into());
    }
    Ok(text)
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
    let others = mode & 0o077;
    if others != 0 {
        return Err(Kind::InsecurePermissions { path, mode }.into());
    }
    Ok(())
}

/// Other systems protect a home directory by other means.
#[cfg(not(unix))]
fn check_permissions(_: &File, _: &Path) -> Result<(), CredentialsError> {
    Ok(())
}

/// Drops the parser's own message: it quotes the line, which may contain a secret.
fn malformed(path: &Path, text: &str, error: &toml::de::Error) -> CredentialsError {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    Kind::Malformed { path: path.to_owned(), line }.into()
}

#[cfg(test)]
mod tests;
