//! Candles, in both forms that are known of them.

use bitmart_types::{ContractSymbol, Decimal, Rows, Timestamp, wire};
use serde::{Deserialize, Serialize};

use crate::event::{
    Candle, DecodeError, Event, candle::CandleObject, decode_entries, each::each, told,
};

/// An entry of a `futures/klineBin` or `futures/markPriceKlineBin` channel: the candle of the
/// running interval, after each change.
///
/// The documents show one candle in the object itself; another client reads a list `items`. Both
/// are read, and a list gives one event for each of its candles, in its order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FuturesKline {
    /// The contract.
    pub symbol: ContractSymbol,
    /// Its candle, volume in contracts.
    pub candle: Candle,
}

impl Event for FuturesKline {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        let mut entries: Vec<KlineEntry> = Vec::new();
        let result = decode_entries(text, &mut entries);
        for entry in entries {
            let mut candles = Vec::new();
            entry.take_apart(text, &mut candles);
            for candle in candles {
                out.push(candle?);
            }
        }
        result
    }

    fn decode_each(text: &str, out: &mut Vec<Result<Self, DecodeError>>) {
        let mut entries: Vec<Result<KlineEntry, DecodeError>> = Vec::new();
        each(text, decode_entries, &mut entries);
        for entry in entries {
            match entry {
                Ok(entry) => entry.take_apart(text, out),
                Err(fault) => out.push(Err(fault)),
            }
        }
    }

    fn symbol(&self) -> Option<&str> {
        Some(self.symbol.as_str())
    }
}

/// An entry as it is on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Wire")]
pub(crate) struct KlineEntry {
    symbol: ContractSymbol,
    #[serde(flatten)]
    form: Form,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Form {
    Flat(CandleObject),
    List { items: Rows<CandleObject> },
}

impl KlineEntry {
    /// Its candles and what is none, in their order.
    fn take_apart(self, frame: &str, out: &mut Vec<Result<FuturesKline, DecodeError>>) {
        let Self { symbol, form } = self;
        let event =
            |candle: CandleObject| FuturesKline { symbol: symbol.clone(), candle: candle.into() };
        match form {
            Form::Flat(candle) => out.push(Ok(event(candle))),
            Form::List { items } => {
                let (candles, faults) = items.into_parts();
                let mut candles = candles.into_iter().map(|candle| Ok(event(candle)));
                let first = out.len();
                for fault in faults {
                    let before = (first + fault.index).saturating_sub(out.len());
                    out.extend(candles.by_ref().take(before));
                    let path = format!("data.items[{}]", fault.index);
                    out.push(Err(DecodeError::of_row(frame, &path, fault)));
                }
                out.extend(candles);
            }
        }
    }
}

/// The members of both forms.
#[derive(Deserialize)]
struct Wire {
    #[serde(deserialize_with = "told")]
    symbol: ContractSymbol,
    #[serde(default)]
    items: Option<Rows<CandleObject>>,
    #[serde(default, rename = "o", with = "wire::decimal_opt")]
    open: Option<Decimal>,
    #[serde(default, rename = "h", with = "wire::decimal_opt")]
    high: Option<Decimal>,
    #[serde(default, rename = "l", with = "wire::decimal_opt")]
    low: Option<Decimal>,
    #[serde(default, rename = "c", with = "wire::decimal_opt")]
    close: Option<Decimal>,
    #[serde(default, rename = "v", with = "wire::decimal_opt")]
    volume: Option<Decimal>,
    #[serde(default, rename = "ts", with = "wire::seconds_opt")]
    time: Option<Timestamp>,
}

impl Wire {
    fn flat(&self) -> Option<CandleObject> {
        Some(CandleObject {
            open: self.open?,
            high: self.high?,
            low: self.low?,
            close: self.close?,
            volume: self.volume,
            time: self.time?,
        })
    }
}

impl TryFrom<Wire> for KlineEntry {
    type Error = &'static str;

    fn try_from(mut wire: Wire) -> Result<Self, Self::Error> {
        let form = match wire.items.take() {
            Some(items) => Form::List { items },
            None => Form::Flat(wire.flat().ok_or("expected `items`, or all of o, h, l, c, ts")?),
        };
        Ok(Self { symbol: wire.symbol, form })
    }
}
