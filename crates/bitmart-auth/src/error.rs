//! What can be wrong with credentials.

use std::{fmt, path::PathBuf};

/// One of the three values that make up [`Credentials`](crate::Credentials).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The API key, also called access key.
    Key,
    /// The secret key.
    Secret,
    /// The free text that was chosen when the key was created.
    Memo,
}

impl Field {
    /// The environment variable that holds it.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Key => "BITMART_API_KEY",
            Self::Secret => "BITMART_API_SECRET",
            Self::Memo => "BITMART_API_MEMO",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "API key",
            Self::Secret => "API secret",
            Self::Memo => "API memo",
        })
    }
}

/// Credentials that cannot be used. Never shows a value.
#[derive(Debug)]
pub struct CredentialsError {
    kind: CredentialsErrorKind,
    /// Where an unusable value came from.
    place: Option<String>,
    source: Option<std::io::Error>,
}

/// Why the credentials cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsErrorKind {
    /// A value is empty.
    Empty {
        /// Which one.
        field: Field,
    },
    /// A value holds a character that cannot be part of it.
    BadCharacter {
        /// Which one.
        field: Field,
        /// Where, in characters from 0.
        position: usize,
    },
    /// Something that does not belong to a value was copied along.
    Stray {
        /// Which value.
        field: Field,
        /// What is around it.
        stray: Stray,
    },
    /// An environment variable is not set or not text.
    VariableNotSet {
        /// Which one.
        field: Field,
    },
    /// Neither `HOME` nor `USERPROFILE` says where the configuration file is.
    NoHome,
    /// The configuration file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
    },
    /// Other users of this machine can read the configuration file.
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The configuration file is too large to be one.
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size that is read, in bytes.
        limit: u64,
    },
    /// The configuration file is not TOML, or a value in it is not text.
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, where known.
        line: Option<usize>,
    },
    /// The configuration file has no such profile.
    NoProfile {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        profile: String,
        /// The profiles that there are.
        available: Vec<String>,
    },
    /// A profile lacks a value.
    MissingInProfile {
        /// The file.
        path: PathBuf,
        /// The profile.
        profile: String,
        /// The value that it lacks.
        field: Field,
    },
}

/// What gets copied along with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stray {
    /// It stands in quotes.
    Quotes,
    /// A blank or tab in front.
    BlankInFront,
    /// A blank or tab at its end.
    BlankAtEnd,
    /// A line break in front or at its end.
    LineBreak,
    /// The mark that some editors put in front of a file in UTF-8.
    ByteOrderMark,
}

impl Stray {
    /// What is around a value, if anything.
    pub(crate) fn around(value: &str) -> Option<Self> {
        const PAIRS: [(char, char); 5] = [
            ('"', '"'),
            ('\'', '\''),
            ('`', '`'),
            ('\u{201c}', '\u{201d}'),
            ('\u{2018}', '\u{2019}'),
        ];
        let (first, last) = (value.chars().next()?, value.chars().next_back()?);
        let line = |letter| matches!(letter, '\n' | '\r');
        if first == '\u{feff}' || last == '\u{feff}' {
            Some(Self::ByteOrderMark)
        } else if line(first) || line(last) {
            Some(Self::LineBreak)
        } else if first.is_whitespace() {
            Some(Self::BlankInFront)
        } else if last.is_whitespace() {
            Some(Self::BlankAtEnd)
        } else {
            let quoted = value.chars().nth(1).is_some() && PAIRS.contains(&(first, last));
            quoted.then_some(Self::Quotes)
        }
    }
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quotes => "stands in quotes",
            Self::BlankInFront => "has a blank in front",
            Self::BlankAtEnd => "has a blank at its end",
            Self::LineBreak => "has a line break around it",
            Self::ByteOrderMark => "has a UTF-8 byte-order mark in front",
        })
    }
}

impl CredentialsError {
    /// Why.
    pub fn kind(&self) -> &CredentialsErrorKind {
        &self.kind
    }

    #[cfg(feature = "profile")]
    pub(crate) fn with_source(kind: CredentialsErrorKind, source: std::io::Error) -> Self {
        Self { kind, place: None, source: Some(source) }
    }

    /// Says of an unusable value where it came from; other errors name their place themselves.
    pub(crate) fn found_in(self, place: impl FnOnce(Field) -> String) -> Self {
        use CredentialsErrorKind::{BadCharacter, Empty, Stray};

        match self.kind {
            Empty { field } | BadCharacter { field, .. } | Stray { field, .. } => {
                Self { place: Some(place(field)), ..self }
            }
            _ => self,
        }
    }
}

impl From<CredentialsErrorKind> for CredentialsError {
    fn from(kind: CredentialsErrorKind) -> Self {
        Self { kind, place: None, source: None }
    }
}

/// What to do about a memo that is not there.
const MEMO_HINT: &str = "the memo is the free text that you chose when you created the key, not \
                         your account id";

/// What the configuration file looks like.
const FORM: &str = "tables such as [default] with key = \"…\", secret = \"…\" and memo = \"…\"";

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CredentialsErrorKind as Kind;

        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        match &self.kind {
            Kind::Empty { field: Field::Memo } => write!(f, "the API memo is empty: {MEMO_HINT}"),
            Kind::Empty { field } => write!(f, "the {field} is empty"),
            Kind::BadCharacter { field, position } => write!(
                f,
                "the {field} has a character at position {position} that cannot be part of it: \
                 was more copied along?"
            ),
            Kind::Stray { field, stray } => write!(
                f,
                "the {field} {stray}, which was copied along and is no part of it: take it away"
            ),
            Kind::VariableNotSet { field } => {
                write!(f, "the environment variable {} is not set", field.variable())?;
                match field {
                    Field::Memo => write!(f, ": {MEMO_HINT}"),
                    Field::Key | Field::Secret => Ok(()),
                }
            }
            Kind::NoHome => f.write_str(
                "neither HOME nor USERPROFILE is set, so there is no place to look for \
                 .bitmart/config.toml: name the file",
            ),
            Kind::Unreadable { path } => {
                write!(f, "cannot read {}: it should be a file with {FORM}", path.display())
            }
            Kind::Exposed { path, mode } => write!(
                f,
                "{path} holds secrets but others can read it (mode {mode:03o}): run \
                 `chmod 600 {path}`",
                path = path.display()
            ),
            Kind::TooLarge { path, limit } => write!(
                f,
                "{} is larger than {limit} bytes, so it is not a configuration file",
                path.display()
            ),
            Kind::Malformed { path, line } => {
                write!(f, "{}", path.display())?;
                if let Some(line) = line {
                    write!(f, ", line {line}")?;
                }
                write!(f, ": expected {FORM}")
            }
            Kind::NoProfile { path, profile, available } => write!(
                f,
                "{} has no profile [{profile}]; it has: {}",
                path.display(),
                if available.is_empty() { "none".to_owned() } else { available.join(", ") }
            ),
            Kind::MissingInProfile { path, profile, field } => {
                write!(f, "profile [{profile}] in {} has no {field}", path.display())?;
                match field {
                    Field::Memo => write!(f, ": {MEMO_HINT}"),
                    Field::Key | Field::Secret => Ok(()),
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
