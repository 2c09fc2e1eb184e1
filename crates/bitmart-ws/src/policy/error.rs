//! Values that a policy cannot have.

use std::fmt;
use std::time::Duration;

use crate::dialect::{Access, Dialect};

/// A value of a [`ConnectionPolicy`](super::ConnectionPolicy) that is refused.
///
/// It is the source of the [`Error`](crate::Error) with which
/// [`ClientBuilder::build`](crate::ClientBuilder::build) fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    setting: &'static str,
    dialect: Dialect,
    access: Access,
    source: LimitSource,
    rule: String,
}

/// Where a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitSource {
    /// The exchange: the description of its API
    /// ([`PublishedLimits`](crate::catalog::PublishedLimits)).
    Venue,
    /// This library: the venue states nothing, or the value would make no sense.
    Crate,
}

impl PolicyError {
    /// The setting, by the name of the method that sets it; of the backoff with the field behind a
    /// dot.
    pub fn setting(&self) -> &'static str {
        self.setting
    }

    /// The dialect on whose side the value is refused.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The side on which the value is refused.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Whose limit it is.
    pub fn limit_source(&self) -> LimitSource {
        self.source
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, rule, .. } = self;
        let side = match (self.dialect, self.access) {
            (Dialect::Spot, Access::Public) => "public spot",
            (Dialect::Spot, Access::Private) => "private spot",
            (Dialect::Futures, Access::Public) => "public futures",
            (Dialect::Futures, Access::Private) => "private futures",
        };
        let source = match self.source {
            LimitSource::Venue => "the description of BitMart's API",
            LimitSource::Crate => "this library",
        };
        write!(f, "`{setting}` of {side} connections {rule} (limit of {source})")
    }
}

impl std::error::Error for PolicyError {}

/// Compares values with the limits of one side.
#[derive(Clone, Copy)]
pub(super) struct Check {
    pub(super) dialect: Dialect,
    pub(super) access: Access,
}

impl Check {
    fn refuse_unless(
        self,
        fits: bool,
        setting: &'static str,
        source: LimitSource,
        rule: impl FnOnce() -> String,
    ) -> Result<(), PolicyError> {
        if fits {
            return Ok(());
        }
        let Self { dialect, access } = self;
        Err(PolicyError { setting, dialect, access, source, rule: rule() })
    }

    pub(super) fn count(
        self,
        setting: &'static str,
        asked: usize,
        most: usize,
        source: LimitSource,
    ) -> Result<(), PolicyError> {
        self.refuse_unless(asked > 0, setting, LimitSource::Crate, || {
            "must be at least 1, not 0".to_owned()
        })?;
        self.refuse_unless(asked <= most, setting, source, || {
            format!("must be at most {most}, not {asked}")
        })
    }

    pub(super) fn positive(
        self,
        setting: &'static str,
        asked: Duration,
    ) -> Result<(), PolicyError> {
        let rule = || "must be longer than nothing".to_owned();
        self.refuse_unless(!asked.is_zero(), setting, LimitSource::Crate, rule)
    }

    pub(super) fn at_most(
        self,
        setting: &'static str,
        asked: Duration,
        most: Duration,
        source: LimitSource,
    ) -> Result<(), PolicyError> {
        let rule = || format!("must be at most {most:?}, not {asked:?}");
        self.refuse_unless(asked <= most, setting, source, rule)
    }

    pub(super) fn at_least(
        self,
        setting: &'static str,
        asked: Duration,
        least: Duration,
        source: LimitSource,
    ) -> Result<(), PolicyError> {
        let rule = || format!("must be at least {least:?}, not {asked:?}");
        self.refuse_unless(asked >= least, setting, source, rule)
    }

    /// Shorter than the time after which the venue closes.
    pub(super) fn below(
        self,
        setting: &'static str,
        asked: Duration,
        closes: Duration,
        what: &str,
    ) -> Result<(), PolicyError> {
        let rule =
            || format!("must be less than {closes:?}, not {asked:?}: the venue closes {what} then");
        self.refuse_unless(asked < closes, setting, LimitSource::Venue, rule)
    }

    pub(super) fn longer(
        self,
        setting: &'static str,
        asked: Duration,
        other: &str,
        than: Duration,
    ) -> Result<(), PolicyError> {
        let rule = || format!("of {asked:?} must be longer than `{other}`, {than:?}");
        self.refuse_unless(asked > than, setting, LimitSource::Crate, rule)
    }
}
