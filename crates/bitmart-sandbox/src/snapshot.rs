//! Snapshots of the complete state.
//!
//! Every version reads the snapshots of older versions, back to format 3. A change of the content is a new
//! format (`FORMAT`), with code that migrates the previous one (`migrate`), and a fixture of the former format in
//! `fixtures/snapshots`. A snapshot of a newer format is rejected.

use std::fmt;

use bitmart_sim::{Exchange, Inconsistent};
use serde::{Deserialize, Serialize};

use crate::{auth::DerivedKey, feed::Versions};

/// The format of snapshots. It changes with every change of their content.
pub(crate) const FORMAT: u32 = 5;
/// The oldest format that is read.
const OLDEST_FORMAT: u32 = 3;

/// The complete state of an exchange: accounts, orders, trades, books, candles, market makers, id counters,
/// the seed, the time, and the keys created at run time.
///
/// A sandbox that starts from it ([`Config::restore`](crate::Config::restore)) continues exactly like the
/// first one. It does not contain addresses and timeouts (they are configured), connections and their
/// subscriptions, faults, and counters of rate limits.
///
/// It contains no secret: keys created at run time are derived from the seed, and configured or added keys
/// have to be given again.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Snapshot(Box<Parts>);

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("seed", &self.0.seed)
            .field("now_ms", &self.0.now_ms)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parts {
    pub(crate) format: u32,
    pub(crate) seed: u64,
    pub(crate) now_ms: u64,
    /// Whether the clock was a stepped one.
    pub(crate) stepped: bool,
    /// Whether the market makers were paused.
    #[serde(rename = "held")]
    pub(crate) makers_paused: bool,
    pub(crate) keys: Vec<DerivedKey>,
    pub(crate) versions: Versions,
    pub(crate) exchange: Exchange,
}

/// A snapshot that cannot be read or written.
#[derive(Debug)]
pub struct SnapshotError(Problem);

#[derive(Debug)]
enum Problem {
    Json(serde_json::Error),
    Format(u32),
    Inconsistent(Inconsistent),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::Json(error) => write!(f, "not a snapshot of an exchange: {error}"),
            Problem::Format(format) => write!(
                f,
                "the snapshot has format {format} of another version; this version reads {OLDEST_FORMAT} to {FORMAT}"
            ),
            Problem::Inconsistent(error) => write!(f, "the snapshot is inconsistent: {error}"),
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Problem::Json(error) => Some(error),
            Problem::Inconsistent(error) => Some(error),
            Problem::Format(_) => None,
        }
    }
}

impl Snapshot {
    pub(crate) fn of(parts: Parts) -> Self {
        Self(Box::new(parts))
    }

    /// Parses the output of [`Snapshot::to_json`].
    ///
    /// # Errors
    /// If it is not a snapshot, has the format of a newer version, or its parts do not fit together.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let failed = |error| SnapshotError(Problem::Json(error));
        let head: Head = serde_json::from_slice(bytes).map_err(failed)?;
        if !(OLDEST_FORMAT..=FORMAT).contains(&head.format) {
            return Err(SnapshotError(Problem::Format(head.format)));
        }
        let mut parts: Parts = serde_json::from_slice(bytes).map_err(failed)?;
        migrate(&mut parts);
        let checked = parts.exchange.check_consistency();
        checked.map_err(|error| SnapshotError(Problem::Inconsistent(error)))?;
        Ok(Self(Box::new(parts)))
    }

    /// Serializes the snapshot as JSON.
    ///
    /// # Errors
    /// If serialization fails, which no known state causes.
    pub fn to_json(&self) -> Result<Vec<u8>, SnapshotError> {
        // The members of a `Value` are sorted, so the same state gives the same bytes.
        serde_json::to_value(&self.0)
            .and_then(|value| serde_json::to_vec(&value))
            .map_err(|error| SnapshotError(Problem::Json(error)))
    }

    /// Serializes faster, with members in any order.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, SnapshotError> {
        serde_json::to_vec(&self.0).map_err(|error| SnapshotError(Problem::Json(error)))
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    pub(crate) fn into_parts(self) -> Parts {
        *self.0
    }
}

/// Brings the content of an older format into the current one.
fn migrate(parts: &mut Parts) {
    // Format 4 has other names, which are read as aliases.
    if parts.format < 4 {
        // Format 3 did not store what counts towards the withdrawal quota, but all withdrawals.
        parts.exchange.recount_withdrawals();
    }
    parts.format = FORMAT;
}

#[cfg(test)]
mod tests;
