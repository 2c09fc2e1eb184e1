//! Invalid values of a policy.

use std::fmt;
use std::time::Duration;

use crate::dialect::{Access, Market};

/// An invalid value of a [`ConnectionPolicy`](super::ConnectionPolicy).
///
/// It is the source of the [`ConfigError`](bitmart_types::ConfigError) with which
/// [`ClientBuilder::build`](crate::ClientBuilder::build) fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    setting: &'static str,
    market: Market,
    access: Access,
    source: LimitSource,
    rule: String,
}

/// Where a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitSource {
    /// The exchange publishes it
    /// ([`PublishedLimits`](crate::catalog::PublishedLimits)).
    Exchange,
    /// This library sets it, because the exchange publishes none or the value would make no sense.
    Library,
}

impl PolicyError {
    /// Returns the setting: the name of the method that sets it, such as `idle_timeout`, or a field of
    /// the backoff, such as `backoff.base`.
    pub fn setting(&self) -> &'static str {
        self.setting
    }

    /// Returns the market of the endpoint on which the value is invalid.
    pub fn market(&self) -> Market {
        self.market
    }

    /// Returns the access of the endpoint on which the value is invalid.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Completes the sentence "`setting` …".
    pub(crate) fn reason(&self) -> String {
        let endpoint = match (self.market, self.access) {
            (Market::Spot, Access::Public) => "public spot",
            (Market::Spot, Access::Private) => "private spot",
            (Market::Futures, Access::Public) => "public futures",
            (Market::Futures, Access::Private) => "private futures",
        };
        let source = match self.source {
            LimitSource::Exchange => "a limit of the exchange",
            LimitSource::Library => "a limit of this library",
        };
        format!("of {endpoint} connections {} ({source})", self.rule)
    }

    /// Returns where the limit comes from.
    pub fn limit_source(&self) -> LimitSource {
        self.source
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.setting, self.reason())
    }
}

impl std::error::Error for PolicyError {}

/// Compares values with the limits of one endpoint.
#[derive(Clone, Copy)]
pub(super) struct Check {
    pub(super) market: Market,
    pub(super) access: Access,
}

impl Check {
    fn require(
        self,
        valid: bool,
        setting: &'static str,
        source: LimitSource,
        rule: impl FnOnce() -> String,
    ) -> Result<(), PolicyError> {
        if valid {
            return Ok(());
        }
        let Self { market, access } = self;
        Err(PolicyError { setting, market, access, source, rule: rule() })
    }

    pub(super) fn count(
        self,
        setting: &'static str,
        value: usize,
        max: usize,
        source: LimitSource,
    ) -> Result<(), PolicyError> {
        self.require(value > 0, setting, LimitSource::Library, || {
            "must be at least 1, not 0".to_owned()
        })?;
        self.require(value <= max, setting, source, || {
            format!("must be at most {max}, not {value}")
        })
    }

    pub(super) fn positive(
        self,
        setting: &'static str,
        value: Duration,
    ) -> Result<(), PolicyError> {
        let rule = || "must be longer than zero".to_owned();
        self.require(!value.is_zero(), setting, LimitSource::Library, rule)
    }

    pub(super) fn at_most(
        self,
        setting: &'static str,
        value: Duration,
        max: Duration,
        source: LimitSource,
    ) -> Result<(), PolicyError> {
        let rule = || format!("must be at most {max:?}, not {value:?}");
        self.require(value <= max, setting, source, rule)
    }

    pub(super) fn at_least(
        self,
        setting: &'static str,
        value: Duration,
        min: Duration,
        source: LimitSource,
    ) -> Result<(), PolicyError> {
        let rule = || format!("must be at least {min:?}, not {value:?}");
        self.require(value >= min, setting, source, rule)
    }

    /// Requires a value below the time after which the exchange closes such a connection.
    pub(super) fn below(
        self,
        setting: &'static str,
        value: Duration,
        closes_after: Duration,
        connection: &str,
    ) -> Result<(), PolicyError> {
        let rule = || {
            format!(
                "must be less than {closes_after:?}, not {value:?}: the exchange closes {connection} \
                 then"
            )
        };
        self.require(value < closes_after, setting, LimitSource::Exchange, rule)
    }

    pub(super) fn longer_than(
        self,
        setting: &'static str,
        value: Duration,
        other: &str,
        than: Duration,
    ) -> Result<(), PolicyError> {
        let rule = || format!("of {value:?} must be longer than `{other}`, {than:?}");
        self.require(value > than, setting, LimitSource::Library, rule)
    }
}
