//! Compressed frame to typed events: this crate, the lower bound and the way of a quick start.
//!
//! The lower bound inflates with libdeflate into a ready buffer and reads exactly this frame by
//! hand into decimals. The quick start makes a new decoder per frame and parses into a tree. The
//! claim is that this crate takes at most half as long as the quick start, and at most 1.4 times as
//! long as the lower bound. A book frame that is not in the usual form, here by one blank, goes
//! through serde and costs more.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Read as _, Write as _};

use bitmart_testkit::bench::Comparison;
use bitmart_types::Decimal;
use bitmart_ws::event::{Event, Level, SpotDepthIncrease, SpotTicker, SpotTrade};
use bitmart_ws::inflate::Inflater;
use bitmart_ws::{Dialect, catalog, peek};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

const TICKER: &str = include_str!("../fixtures/spot-ticker/sample.json");
const TRADE: &str = include_str!("../fixtures/spot-trade/sample.json");

fn main() {
    let text = depth_frame(50);
    let frame = deflate(&text);
    println!("book frame: {} bytes, {} compressed", text.len(), frame.len());
    let unusual = deflate(&text.replacen(',', ", ", 1));
    let (mut inflater, mut other, mut third) = (Inflater::new(), Inflater::new(), Inflater::new());
    let mut entries: Vec<SpotDepthIncrease> = Vec::new();
    let mut read_by_serde: Vec<SpotDepthIncrease> = Vec::new();
    let mut bound = LowerBound::new();
    let report = Comparison::new("book of 50 levels a side", "libdeflate, by hand", || {
        bound.read(black_box(&frame)).map(|book| book.len())
    })
    .candidate("bitmart-ws", || receive(&mut inflater, &mut entries, black_box(&frame)))
    .candidate("bitmart-ws, unusual form", || {
        receive(&mut third, &mut read_by_serde, black_box(&unusual))
    })
    .candidate("bitmart-ws, inflate only", || other.inflate(black_box(&frame)).map(str::len))
    .candidate("new decoder, serde_json::Value", || naive(black_box(&frame)))
    .run();
    let (ours, naive) = (report.ratio_percent("bitmart-ws"), "new decoder, serde_json::Value");
    let faster = report.ratio_percent(naive) * 100 / ours.max(1);
    println!("  {}.{:02} times faster than the quick start", faster / 100, faster % 100);

    small::<SpotTicker>("ticker", TICKER);
    small::<SpotTrade>("trade", TRADE);
}

/// A frame of a published sample, against the quick start.
fn small<E: Event>(title: &str, fixture: &str) {
    let Ok(fixture) = serde_json::from_str::<serde_json::Value>(fixture) else { return };
    let frame = deflate(&fixture["frame"].to_string());
    let mut inflater = Inflater::new();
    let mut entries: Vec<E> = Vec::new();
    Comparison::new(title, "new decoder, serde_json::Value", || self::naive(black_box(&frame)))
        .candidate("bitmart-ws", || receive(&mut inflater, &mut entries, black_box(&frame)))
        .run();
}

/// Inflate, find the channel, decode: what a connection does with a binary frame.
fn receive<E: Event>(inflater: &mut Inflater, out: &mut Vec<E>, frame: &[u8]) -> bool {
    out.clear();
    let Ok(text) = inflater.inflate(frame) else { return false };
    let known = peek::channel(text).and_then(|name| catalog::channel(Dialect::Spot, name));
    known.is_some() && E::decode(text, out).is_ok()
}

fn naive(frame: &[u8]) -> Option<serde_json::Value> {
    let mut text = Vec::new();
    DeflateDecoder::new(frame).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The least work that turns this very frame into levels.
struct LowerBound {
    inflate: libdeflater::Decompressor,
    text: Vec<u8>,
}

impl LowerBound {
    fn new() -> Self {
        Self { inflate: libdeflater::Decompressor::new(), text: vec![0; 64 << 10] }
    }

    fn read(&mut self, frame: &[u8]) -> Option<Vec<Level>> {
        let length = self.inflate.deflate_decompress(frame, &mut self.text).ok()?;
        let mut rest = self.text.get(..length)?;
        let mut levels = Vec::with_capacity(100);
        // Rows are the only place with `["`.
        while let Some(start) = rest.windows(2).position(|pair| pair == b"[\"") {
            let (price, after) = number(rest.get(start + 2..)?)?;
            let (size, after) = number(after.get(3..)?)?;
            levels.push(Level { price, size });
            rest = after;
        }
        Some(levels)
    }
}

/// A decimal up to its quote, and what follows from the quote on.
fn number(text: &[u8]) -> Option<(Decimal, &[u8])> {
    let (mut digits, mut scale, mut point) = (0_i64, 0_u32, false);
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits = digits * 10 + i64::from(byte - b'0');
                scale += u32::from(point);
            }
            b'.' => point = true,
            _ => return Some((Decimal::new(digits, scale), text.get(index..)?)),
        }
    }
    None
}

/// A snapshot with so many levels a side, with prices and sizes of the usual lengths.
fn depth_frame(levels: u32) -> String {
    let mut seed = 7_u32;
    let mut side = |sign: i64| {
        let mut rows = String::new();
        for level in 0..i64::from(levels) {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let price = 6_700_000 + sign * (level * 13 + i64::from(seed >> 29));
            let comma = if level == 0 { "" } else { "," };
            let (whole, cents, size) = (price / 100, price % 100, seed >> 12);
            // Writing to memory does not fail.
            let _ = write!(
                rows,
                r#"{comma}["{whole}.{cents:02}","{}.{:05}"]"#,
                size / 100_000,
                size % 100_000
            );
        }
        rows
    };
    let (asks, bids) = (side(1), side(-1));
    format!(
        r#"{{"data":[{{"asks":[{asks}],"bids":[{bids}],"ms_t":1698292343610,"symbol":"BTC_USDT","type":"snapshot","version":4}}],"table":"spot/depth/increase100"}}"#
    )
}

fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}
