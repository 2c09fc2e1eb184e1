//! Candles, in both known wire forms.

use bitmart_types::{ContractSymbol, Decimal, Rows, Timestamp, codec};
use serde::{Deserialize, Serialize};

use crate::event::{DecodeError, Event, decode_each, decode_entries, required};

/// The candle of the current interval, sent after each change. Prices are in quote currency.
///
/// The documentation shows one candle in the entry itself; another client reads a list `items`. Both
/// decode, and a list gives one event per candle, in its order.
///
/// Documented as the
/// [kline channel](https://developer-pro.bitmart.com/en/futuresv2/#public-klinebin-channel) and the
/// [mark price kline channel](https://developer-pro.bitmart.com/en/futuresv2/#public-markprice-klinebin-channel).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[doc(alias = "futures/klineBin")]
#[doc(alias = "futures/markPriceKlineBin")]
pub struct Kline {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Start of the interval, in whole seconds on the wire. It need not be a multiple of the
    /// interval (observed). For a candle of the mark price, documented as the time of the push.
    pub timestamp: Timestamp,
    /// First price.
    pub open: Decimal,
    /// Highest price.
    pub high: Decimal,
    /// Lowest price.
    pub low: Decimal,
    /// Last price so far.
    pub close: Decimal,
    /// Volume so far, in contracts.
    pub volume: Option<Decimal>,
}

impl Event for Kline {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        let mut entries: Vec<KlineEntry> = Vec::new();
        let result = decode_entries(text, &mut entries);
        for entry in entries {
            let mut klines = Vec::new();
            entry.into_klines(text, &mut klines);
            for kline in klines {
                out.push(kline?);
            }
        }
        result
    }

    fn decode_each(text: &str, out: &mut Vec<Result<Self, DecodeError>>) {
        let mut entries: Vec<Result<KlineEntry, DecodeError>> = Vec::new();
        decode_each(text, decode_entries, &mut entries);
        for entry in entries {
            match entry {
                Ok(entry) => entry.into_klines(text, out),
                Err(fault) => out.push(Err(fault)),
            }
        }
    }

    fn symbol(&self) -> Option<&str> {
        Some(self.symbol.as_str())
    }
}

/// An entry in its wire form.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Members")]
pub(crate) struct KlineEntry {
    symbol: ContractSymbol,
    #[serde(flatten)]
    form: Form,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Form {
    Flat(Candle),
    List { items: Rows<Candle> },
}

/// A candle in its wire form: `{"o":"…","h":"…","l":"…","c":"…","v":"…","ts":…}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Candle {
    #[serde(rename = "o", with = "codec::decimal")]
    open: Decimal,
    #[serde(rename = "h", with = "codec::decimal")]
    high: Decimal,
    #[serde(rename = "l", with = "codec::decimal")]
    low: Decimal,
    #[serde(rename = "c", with = "codec::decimal")]
    close: Decimal,
    #[serde(rename = "v", default, with = "codec::decimal_opt")]
    volume: Option<Decimal>,
    #[serde(rename = "ts", with = "codec::seconds")]
    timestamp: Timestamp,
}

impl KlineEntry {
    /// Appends its candles, and the faults among them, in their order.
    fn into_klines(self, frame: &str, out: &mut Vec<Result<Kline, DecodeError>>) {
        let Self { symbol, form } = self;
        let kline = |candle: Candle| {
            let Candle { open, high, low, close, volume, timestamp } = candle;
            Kline { symbol: symbol.clone(), timestamp, open, high, low, close, volume }
        };
        match form {
            Form::Flat(candle) => out.push(Ok(kline(candle))),
            Form::List { items } => {
                let (candles, faults) = items.into_parts();
                let mut klines = candles.into_iter().map(|candle| Ok(kline(candle)));
                let first = out.len();
                for fault in faults {
                    let before = (first + fault.index).saturating_sub(out.len());
                    out.extend(klines.by_ref().take(before));
                    let path = format!("data.items[{}]", fault.index);
                    out.push(Err(DecodeError::from_row(frame, &path, fault)));
                }
                out.extend(klines);
            }
        }
    }
}

/// The members of both wire forms.
#[derive(Deserialize)]
struct Members {
    #[serde(deserialize_with = "required")]
    symbol: ContractSymbol,
    #[serde(default)]
    items: Option<Rows<Candle>>,
    #[serde(default, rename = "o", with = "codec::decimal_opt")]
    open: Option<Decimal>,
    #[serde(default, rename = "h", with = "codec::decimal_opt")]
    high: Option<Decimal>,
    #[serde(default, rename = "l", with = "codec::decimal_opt")]
    low: Option<Decimal>,
    #[serde(default, rename = "c", with = "codec::decimal_opt")]
    close: Option<Decimal>,
    #[serde(default, rename = "v", with = "codec::decimal_opt")]
    volume: Option<Decimal>,
    #[serde(default, rename = "ts", with = "codec::seconds_opt")]
    timestamp: Option<Timestamp>,
}

impl Members {
    fn candle(&self) -> Option<Candle> {
        Some(Candle {
            open: self.open?,
            high: self.high?,
            low: self.low?,
            close: self.close?,
            volume: self.volume,
            timestamp: self.timestamp?,
        })
    }
}

impl TryFrom<Members> for KlineEntry {
    type Error = &'static str;

    fn try_from(mut members: Members) -> Result<Self, Self::Error> {
        let form = match members.items.take() {
            Some(items) => Form::List { items },
            None => {
                Form::Flat(members.candle().ok_or("expected `items`, or all of o, h, l, c, ts")?)
            }
        };
        Ok(Self { symbol: members.symbol, form })
    }
}
