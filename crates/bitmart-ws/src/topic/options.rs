//! Options of topics: levels, speeds, intervals.

/// Number of levels a side of a depth topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DepthLevels {
    /// 5 levels.
    Five,
    /// 20 levels.
    Twenty,
    /// 50 levels.
    Fifty,
}

impl DepthLevels {
    /// Returns the number of levels a side.
    pub const fn count(self) -> usize {
        match self {
            Self::Five => 5,
            Self::Twenty => 20,
            Self::Fifty => 50,
        }
    }
}

/// Requested push interval of a futures depth topic. Observed in September 2026: about once a second
/// whatever is requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DepthSpeed {
    /// The default of the exchange: no suffix in the topic.
    #[default]
    Standard,
    /// Every 100 ms.
    Ms100,
    /// Every 200 ms.
    Ms200,
}

impl DepthSpeed {
    /// Returns the suffix of the topic: empty, `@100ms` or `@200ms`.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Standard => "",
            Self::Ms100 => "@100ms",
            Self::Ms200 => "@200ms",
        }
    }
}

/// Candle interval of a spot topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpotInterval {
    /// 1 minute.
    Minutes1,
    /// 3 minutes. In the exchange's libraries, but not in its documentation.
    Minutes3,
    /// 5 minutes.
    Minutes5,
    /// 15 minutes.
    Minutes15,
    /// 30 minutes.
    Minutes30,
    /// 1 hour.
    Hours1,
    /// 2 hours.
    Hours2,
    /// 4 hours.
    Hours4,
    /// 1 day.
    Days1,
    /// 1 week.
    Weeks1,
    /// 1 month.
    Months1,
}

impl SpotInterval {
    /// All intervals, shortest first.
    pub const ALL: &'static [Self] = &[
        Self::Minutes1,
        Self::Minutes3,
        Self::Minutes5,
        Self::Minutes15,
        Self::Minutes30,
        Self::Hours1,
        Self::Hours2,
        Self::Hours4,
        Self::Days1,
        Self::Weeks1,
        Self::Months1,
    ];

    /// Returns the end of the channel name, which is case-sensitive: `1m` is a minute, `1M` a month.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minutes1 => "1m",
            Self::Minutes3 => "3m",
            Self::Minutes5 => "5m",
            Self::Minutes15 => "15m",
            Self::Minutes30 => "30m",
            Self::Hours1 => "1H",
            Self::Hours2 => "2H",
            Self::Hours4 => "4H",
            Self::Days1 => "1D",
            Self::Weeks1 => "1W",
            Self::Months1 => "1M",
        }
    }
}

/// Candle interval of a futures topic. REST has more: 3 minutes, 6 and 12 hours, 3 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FuturesInterval {
    /// 1 minute.
    Minutes1,
    /// 5 minutes.
    Minutes5,
    /// 15 minutes.
    Minutes15,
    /// 30 minutes.
    Minutes30,
    /// 1 hour.
    Hours1,
    /// 2 hours.
    Hours2,
    /// 4 hours.
    Hours4,
    /// 1 day.
    Days1,
    /// 1 week.
    Weeks1,
}

impl FuturesInterval {
    /// All intervals, shortest first.
    pub const ALL: &'static [Self] = &[
        Self::Minutes1,
        Self::Minutes5,
        Self::Minutes15,
        Self::Minutes30,
        Self::Hours1,
        Self::Hours2,
        Self::Hours4,
        Self::Days1,
        Self::Weeks1,
    ];

    /// Returns the end of the channel name, which is case-sensitive: `1m` is a minute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minutes1 => "1m",
            Self::Minutes5 => "5m",
            Self::Minutes15 => "15m",
            Self::Minutes30 => "30m",
            Self::Hours1 => "1H",
            Self::Hours2 => "2H",
            Self::Hours4 => "4H",
            Self::Days1 => "1D",
            Self::Weeks1 => "1W",
        }
    }
}
