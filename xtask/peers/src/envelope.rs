//! The models of the programs without the SDK, as one writes them by hand.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::{Failure, Values};

#[derive(Deserialize)]
pub struct Envelope<T> {
    pub code: i64,
    pub message: String,
    pub data: Option<T>,
}

impl<T> Envelope<T> {
    pub fn data(self) -> Result<T, Failure> {
        match self {
            Self { code: 1000, data: Some(data), .. } => Ok(data),
            Self { code, message, .. } => Err(format!("{code} {message}").into()),
        }
    }
}

#[derive(Deserialize)]
pub struct Placed {
    pub order_id: String,
}

#[derive(Deserialize)]
pub struct Ticker {
    pub symbol: String,
    pub last: Decimal,
    pub v_24h: Decimal,
    pub qv_24h: Decimal,
    pub open_24h: Decimal,
    pub high_24h: Decimal,
    pub low_24h: Decimal,
    pub fluctuation: Decimal,
    pub bid_px: Decimal,
    pub bid_sz: Decimal,
    pub ask_px: Decimal,
    pub ask_sz: Decimal,
    pub ts: String,
}

impl Values for Ticker {
    fn values(&self) -> Vec<String> {
        let numbers = [
            self.last,
            self.v_24h,
            self.qv_24h,
            self.open_24h,
            self.high_24h,
            self.low_24h,
            self.fluctuation,
            self.bid_px,
            self.bid_sz,
            self.ask_px,
            self.ask_sz,
        ];
        let numbers = numbers.map(|number| number.to_string());
        [self.symbol.clone()].into_iter().chain(numbers).chain([self.ts.clone()]).collect()
    }
}

#[derive(Deserialize)]
pub struct Frame {
    pub data: Vec<Book>,
}

#[derive(Deserialize)]
pub struct Book {
    pub symbol: String,
    pub ms_t: i64,
    pub asks: Vec<[Decimal; 2]>,
    pub bids: Vec<[Decimal; 2]>,
}

impl Values for Book {
    fn values(&self) -> Vec<String> {
        let levels = self.asks.iter().chain(&self.bids).flatten();
        let head = [self.symbol.clone(), self.ms_t.to_string()];
        head.into_iter().chain(levels.map(Decimal::to_string)).collect()
    }
}
