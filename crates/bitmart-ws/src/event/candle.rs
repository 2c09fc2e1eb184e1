//! Candles of both dialects.

use bitmart_types::{Decimal, Timestamp, positional, wire};
use serde::{Deserialize, Serialize};

/// Prices and volume of one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candle {
    /// When the interval began, in whole seconds on the wire. It need not lie on the border of the
    /// interval (observed). The documents call that of a mark price candle the time of the push.
    pub time: Timestamp,
    /// First price, in quote currency.
    pub open: Decimal,
    /// Highest price, in quote currency.
    pub high: Decimal,
    /// Lowest price, in quote currency.
    pub low: Decimal,
    /// Last price so far, in quote currency.
    pub close: Decimal,
    /// Volume so far, where it was told. Spot: in base currency. Futures: in contracts.
    pub volume: Option<Decimal>,
}

positional! {
    /// A candle as spot writes it: `[time,"open","high","low","close","volume"]`.
    struct CandleRow {
        time: Timestamp as wire::seconds,
        open: Decimal as wire::decimal,
        high: Decimal as wire::decimal,
        low: Decimal as wire::decimal,
        close: Decimal as wire::decimal,
        volume: Option<Decimal> as wire::decimal_opt,
    }
}

/// A candle as futures writes it: `{"o":"…","h":"…","l":"…","c":"…","v":"…","ts":…}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CandleObject {
    #[serde(rename = "o", with = "wire::decimal")]
    pub(super) open: Decimal,
    #[serde(rename = "h", with = "wire::decimal")]
    pub(super) high: Decimal,
    #[serde(rename = "l", with = "wire::decimal")]
    pub(super) low: Decimal,
    #[serde(rename = "c", with = "wire::decimal")]
    pub(super) close: Decimal,
    #[serde(rename = "v", default, with = "wire::decimal_opt")]
    pub(super) volume: Option<Decimal>,
    #[serde(rename = "ts", with = "wire::seconds")]
    pub(super) time: Timestamp,
}

impl From<CandleObject> for Candle {
    fn from(candle: CandleObject) -> Self {
        let CandleObject { open, high, low, close, volume, time } = candle;
        Self { time, open, high, low, close, volume }
    }
}

/// A candle as a row.
pub(super) mod row {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Candle, CandleRow};

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Candle, D::Error> {
        let CandleRow { time, open, high, low, close, volume } =
            CandleRow::deserialize(deserializer)?;
        Ok(Candle { time, open, high, low, close, volume })
    }

    pub(in super::super) fn serialize<S: Serializer>(
        candle: &Candle,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let &Candle { time, open, high, low, close, volume } = candle;
        CandleRow { time, open, high, low, close, volume }.serialize(serializer)
    }
}
