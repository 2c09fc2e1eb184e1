//! Errors from creating or loading credentials.

use std::{fmt, io, path::PathBuf};

/// One of the three values that make up [`Credentials`](crate::Credentials).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialField {
    /// The API key.
    Key,
    /// The API secret.
    Secret,
    /// The API memo: the free text chosen when the key was created.
    Memo,
}

impl CredentialField {
    /// Returns the name of the environment variable for this value.
    pub const fn env_var(self) -> &'static str {
        match self {
            Self::Key => "BITMART_API_KEY",
            Self::Secret => "BITMART_API_SECRET",
            Self::Memo => "BITMART_API_MEMO",
        }
    }
}

impl fmt::Display for CredentialField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "API key",
            Self::Secret => "API secret",
            Self::Memo => "API memo",
        })
    }
}

/// Invalid or missing credentials. Never contains a key, secret or memo.
///
/// The text does not repeat the cause, which is the [`source`](std::error::Error::source).
#[derive(Debug)]
pub struct CredentialsError {
    kind: CredentialsErrorKind,
    /// Where an invalid value was read from.
    origin: Option<String>,
    source: Option<io::Error>,
}

/// Why the credentials cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsErrorKind {
    /// A value is empty.
    Empty {
        /// Which value.
        field: CredentialField,
    },
    /// A value contains a character that it cannot have.
    InvalidCharacter {
        /// Which value.
        field: CredentialField,
        /// Index of the character in the value, counted from 0.
        position: usize,
    },
    /// A value is wrapped in quotes, or starts or ends with whitespace, a line break or a byte-order mark.
    HasStrayCharacters {
        /// Which value.
        field: CredentialField,
        /// The kind of characters.
        found: StrayCharacters,
    },
    /// An environment variable is not set.
    VariableNotSet {
        /// Which value.
        field: CredentialField,
    },
    /// An environment variable is not valid Unicode.
    VariableNotUnicode {
        /// Which value.
        field: CredentialField,
    },
    /// The configuration file cannot be located: neither `HOME` nor `USERPROFILE` is set.
    NoHomeDirectory,
    /// The configuration file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
    },
    /// Other users of this machine have access to the configuration file.
    InsecurePermissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The configuration file exceeds the size limit.
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// The configuration file is not UTF-8 or not TOML, or a value in it is not a string.
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, if known.
        line: Option<usize>,
    },
    /// The configuration file has no such profile.
    UnknownProfile {
        /// The file.
        path: PathBuf,
        /// The requested profile.
        profile: String,
        /// The profiles in the file.
        available: Vec<String>,
    },
    /// The credentials of a profile are in the keyring of the operating system: the program `bitmart` stored
    /// them there and reads them. This library does not.
    InKeyring {
        /// The file.
        path: PathBuf,
        /// The profile.
        profile: String,
    },
    /// A profile has no entry for a value.
    MissingField {
        /// The file.
        path: PathBuf,
        /// The profile.
        profile: String,
        /// The missing value.
        field: CredentialField,
    },
}

/// Characters around a value that are not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StrayCharacters {
    /// The value is wrapped in quotes.
    Quotes,
    /// The value starts with whitespace.
    LeadingWhitespace,
    /// The value ends with whitespace.
    TrailingWhitespace,
    /// The value starts or ends with a line break.
    LineBreak,
    /// The value starts or ends with a UTF-8 byte-order mark, which some editors write.
    ByteOrderMark,
}

impl StrayCharacters {
    /// Detects stray characters at the ends of a value.
    pub(crate) fn detect(value: &str) -> Option<Self> {
        const PAIRS: [(char, char); 5] = [
            ('"', '"'),
            ('\'', '\''),
            ('`', '`'),
            ('\u{201c}', '\u{201d}'),
            ('\u{2018}', '\u{2019}'),
        ];
        let (first, last) = (value.chars().next()?, value.chars().next_back()?);
        let is_line_break = |c| matches!(c, '\n' | '\r');
        if first == '\u{feff}' || last == '\u{feff}' {
            Some(Self::ByteOrderMark)
        } else if is_line_break(first) || is_line_break(last) {
            Some(Self::LineBreak)
        } else if first.is_whitespace() {
            Some(Self::LeadingWhitespace)
        } else if last.is_whitespace() {
            Some(Self::TrailingWhitespace)
        } else {
            let quoted = value.chars().nth(1).is_some() && PAIRS.contains(&(first, last));
            quoted.then_some(Self::Quotes)
        }
    }
}

impl fmt::Display for StrayCharacters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quotes => "is wrapped in quotes",
            Self::LeadingWhitespace => "starts with whitespace",
            Self::TrailingWhitespace => "ends with whitespace",
            Self::LineBreak => "starts or ends with a line break",
            Self::ByteOrderMark => "starts or ends with a UTF-8 byte-order mark",
        })
    }
}

impl CredentialsError {
    /// Returns the kind of error.
    pub fn kind(&self) -> &CredentialsErrorKind {
        &self.kind
    }

    #[cfg(feature = "profile")]
    pub(crate) fn with_source(kind: CredentialsErrorKind, source: io::Error) -> Self {
        Self { kind, origin: None, source: Some(source) }
    }

    /// Adds the source of an invalid value to the text. Other errors name their file or variable already.
    pub(crate) fn with_origin(self, origin: impl FnOnce(CredentialField) -> String) -> Self {
        use CredentialsErrorKind::{Empty, HasStrayCharacters, InvalidCharacter};

        match self.kind {
            Empty { field } | InvalidCharacter { field, .. } | HasStrayCharacters { field, .. } => {
                Self { origin: Some(origin(field)), ..self }
            }
            _ => self,
        }
    }
}

impl From<CredentialsErrorKind> for CredentialsError {
    fn from(kind: CredentialsErrorKind) -> Self {
        Self { kind, origin: None, source: None }
    }
}

/// Quotes a word for a POSIX shell, if it must be.
fn shell_word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/_-.".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Advice for a missing memo.
const MEMO_HINT: &str = "the memo is the free text that you chose when you created the key, not \
                         your account id";

/// The expected form of the configuration file.
const EXPECTED_FORM: &str =
    "tables such as [default] with key = \"…\", secret = \"…\" and memo = \"…\"";

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CredentialsErrorKind as Kind;

        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        match &self.kind {
            Kind::Empty { field: CredentialField::Memo } => {
                write!(f, "the API memo is empty: {MEMO_HINT}")
            }
            Kind::Empty { field } => write!(f, "the {field} is empty"),
            Kind::InvalidCharacter { field, position } => {
                write!(f, "character {} of the {field} is invalid", position.saturating_add(1))
            }
            Kind::HasStrayCharacters { field, found } => {
                write!(f, "the {field} {found}, which must be removed")
            }
            Kind::VariableNotSet { field } => {
                write!(f, "the environment variable {} is not set", field.env_var())?;
                match field {
                    CredentialField::Memo => write!(f, ": {MEMO_HINT}"),
                    CredentialField::Key | CredentialField::Secret => Ok(()),
                }
            }
            Kind::VariableNotUnicode { field } => {
                write!(f, "the environment variable {} is not valid Unicode", field.env_var())
            }
            Kind::NoHomeDirectory => f.write_str(
                "cannot locate .bitmart/config.toml: neither HOME nor USERPROFILE is set; pass the \
                 path of the file",
            ),
            Kind::Unreadable { path } => match &self.source {
                Some(cause) if cause.kind() == io::ErrorKind::NotFound => {
                    write!(f, "{} does not exist: create it with {EXPECTED_FORM}", path.display())
                }
                _ => write!(f, "cannot read {}", path.display()),
            },
            Kind::InsecurePermissions { path, mode } => write!(
                f,
                "{} contains secrets but other users have access to it (mode {mode:03o}): \
                 run `chmod 600 {}`",
                path.display(),
                shell_word(&path.to_string_lossy())
            ),
            Kind::TooLarge { path, limit } => write!(
                f,
                "{} is larger than the limit of {limit} bytes for a configuration file",
                path.display()
            ),
            Kind::Malformed { path, line } => {
                write!(f, "{}", path.display())?;
                if let Some(line) = line {
                    write!(f, ", line {line}")?;
                }
                write!(f, ": expected {EXPECTED_FORM}")
            }
            Kind::UnknownProfile { path, profile, available } => write!(
                f,
                "{} has no profile [{profile}]; it has: {}",
                path.display(),
                if available.is_empty() { "none".to_owned() } else { available.join(", ") }
            ),
            Kind::InKeyring { path, profile } => write!(
                f,
                "the credentials of profile [{profile}] in {} are in the keyring of the operating system, \
                 where only the program `bitmart` reads them: store them in the file, or pass them in \
                 another way",
                path.display()
            ),
            Kind::MissingField { path, profile, field } => {
                write!(f, "profile [{profile}] in {} has no {field}", path.display())?;
                match field {
                    CredentialField::Memo => write!(f, ": {MEMO_HINT}"),
                    CredentialField::Key | CredentialField::Secret => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for CredentialsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
