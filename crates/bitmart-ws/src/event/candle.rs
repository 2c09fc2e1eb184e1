//! Candles of both dialects.

use std::fmt;

use bitmart_types::{Decimal, Timestamp, wire};
use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
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

/// A candle as spot writes it: `[time,"open","high","low","close","volume"]`. The volume may be
/// missing or unreadable, the others may not.
struct CandleRow;

/// One column in the form of its helper.
macro_rules! column {
    ($name:ident, $type:ty, $helper:literal) => {
        #[derive(Serialize, Deserialize)]
        #[serde(transparent)]
        struct $name(#[serde(with = $helper)] $type);
    };
}
column!(Seconds, Timestamp, "wire::seconds");
column!(Price, Decimal, "wire::decimal");
column!(Volume, Option<Decimal>, "wire::decimal_opt");

impl<'de> Visitor<'de> for CandleRow {
    type Value = Candle;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of 6 columns")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut columns: A) -> Result<Candle, A::Error> {
        let short = |column| move || A::Error::custom(format_args!("row ends before `{column}`"));
        let Seconds(time) = columns.next_element()?.ok_or_else(short("time"))?;
        let Price(open) = columns.next_element()?.ok_or_else(short("open"))?;
        let Price(high) = columns.next_element()?.ok_or_else(short("high"))?;
        let Price(low) = columns.next_element()?.ok_or_else(short("low"))?;
        let Price(close) = columns.next_element()?.ok_or_else(short("close"))?;
        let volume = columns.next_element()?.and_then(|Volume(volume)| volume);
        while columns.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Candle { time, open, high, low, close, volume })
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
    use serde::{Deserializer, Serialize as _, Serializer};

    use super::{Candle, CandleRow, Price, Seconds, Volume};

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Candle, D::Error> {
        deserializer.deserialize_seq(CandleRow)
    }

    pub(in super::super) fn serialize<S: Serializer>(
        candle: &Candle,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let &Candle { time, open, high, low, close, volume } = candle;
        let (open, high, low, close) = (Price(open), Price(high), Price(low), Price(close));
        (Seconds(time), open, high, low, close, Volume(volume)).serialize(serializer)
    }
}
