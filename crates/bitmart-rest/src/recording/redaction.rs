//! Replaces account data in recordings.

use std::fmt;

use ring::rand::{SecureRandom as _, SystemRandom};

use super::redactor::Redactor;
use super::{Json, Recording};
use crate::protocol::endpoint::{Auth, Envelope};

/// Replaces account data in recordings.
///
/// The exchange's vocabulary is kept: symbols, currencies, networks, channels, codes, flags, and known
/// words for states, sides, types and wallets. So are numbers of up to three digits below the names of
/// those, and words of letters in messages. Every other value becomes a placeholder of the same form,
/// including members that are not documented: keys, ids, addresses, names, traces, texts, prices and
/// amounts. Numbers keep sign, decimal point, zeros and the count of digits; zero stays zero; times
/// move by a secret number of hours. Equal ids get equal placeholders within one run, so that an order
/// can be followed through all files. Another run uses other placeholders.
pub struct Redaction {
    /// Separate from `account`: public prices and the time of the run are known, and would reveal the
    /// replacements in account data.
    public: Redactor,
    account: Redactor,
}

impl Redaction {
    /// Uses this secret. Whoever knows it can guess the replaced values.
    pub fn new(secret: &[u8]) -> Self {
        Self { public: Redactor::new(secret, "public"), account: Redactor::new(secret, "account") }
    }

    /// Uses a random secret, which is not stored.
    ///
    /// # Errors
    /// If the operating system provides no random numbers.
    pub fn random() -> std::io::Result<Self> {
        let mut secret = [0; 32];
        SystemRandom::new()
            .fill(&mut secret)
            .map_err(|_| std::io::Error::other("no random numbers"))?;
        Ok(Self::new(&secret))
    }

    /// Replaces account data in a recorded call. An undocumented endpoint counts as private.
    #[must_use]
    pub fn recording(&self, recording: Recording) -> Recording {
        let entry = recording.entry();
        let columns = |path: &str| {
            let entry = entry?;
            let path = match entry.metadata.envelope {
                Envelope::None => path.strip_prefix("data").unwrap_or(path),
                _ => path.strip_prefix("data")?,
            };
            let path = path.trim_start_matches('.');
            let field = entry.fields.iter().find(|field| field.path == path)?;
            Some(field.column).filter(|column| !column.is_empty())
        };
        let is_public = entry.is_some_and(|entry| entry.metadata.auth == Auth::None);
        let redactor = if is_public { &self.public } else { &self.account };
        let request = |tree: Json| redactor.for_requests().tree(&tree, &|_| None);
        Recording {
            query: recording.query.map(request),
            body: recording.body.map(request),
            response: recording.response.map(|tree| redactor.tree(&tree, &columns)),
            ..recording
        }
    }

    /// Replaces account data in a frame of a WebSocket channel.
    #[must_use]
    pub fn frame(&self, is_private: bool, frame: &Json) -> Json {
        let redactor = if is_private { &self.account } else { &self.public };
        redactor.tree(frame, &|_| None)
    }
}

/// Shows no field: the secret would reveal the replaced values.
impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction").finish_non_exhaustive()
    }
}
