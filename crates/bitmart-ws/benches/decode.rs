//! Decodes compressed frames into typed events: this crate, a lower bound and a simple implementation.
//!
//! The lower bound inflates with libdeflate into a fixed buffer and parses exactly this frame by hand
//! into decimals and vectors of the right size, without any check and without finding the channel. The
//! simple implementation creates a new decoder per frame and parses into a tree. Goal: at most 1.2 times
//! the lower bound. A book frame in an unusual form, with blanks or a member that is not known, takes at most
//! 1.5 times.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Read as _;

use bitmart_testkit::bench::Comparison;
use bitmart_testkit::deflate;
use bitmart_types::{Decimal, Symbol};
use bitmart_ws::event::{Event, Level};
use bitmart_ws::inflate::Inflater;
use bitmart_ws::peek;
use bitmart_ws::spot;
use flate2::read::DeflateDecoder;

const TICKER: &str = include_str!("../fixtures/spot-ticker/sample.json");
const TRADE: &str = include_str!("../fixtures/spot-trade/sample.json");

const NAIVE: &str = "new decoder, serde_json::Value";

fn main() {
    let complete = depth_frame(50).replace(r#","type":"snapshot","version":4"#, "");
    book::<spot::Depth>("depth50", &complete.replace("depth/increase100", "depth50"));
    book::<spot::DepthUpdate>("increase100, snapshot of 100 levels a side", &depth_frame(100));
    let update = depth_frame(8).replace("snapshot", "update");
    book::<spot::DepthUpdate>("increase100, update of 8 levels a side", &update);
    small::<spot::Ticker>("ticker", TICKER);
    small::<spot::Trade>("trade", TRADE);
}

/// A book in the form that the exchange sends, and in another one.
fn book<E: Event>(title: &str, text: &str) {
    let frame = deflate(text);
    let blanks = deflate(text.replace(',', ", "));
    let unknown = deflate(text.replacen(r#""ms_t""#, r#""new":[],"ms_t""#, 1));
    let mut inflaters = [(); 4].map(|()| Inflater::new());
    let [inflater, other, third, fourth] = &mut inflaters;
    let mut entries = [(); 3].map(|()| Vec::<E>::new());
    let [usual_out, blanks_out, unknown_out] = &mut entries;
    let mut bound = LowerBound::new();
    let title = format!("{title}: {} bytes, {} compressed; goal 1.20 x", text.len(), frame.len());
    let report = Comparison::new(title, "libdeflate, by hand", || {
        bound.book(black_box(&frame)).map(|(asks, bids)| asks.len() + bids.len())
    })
    .candidate("bitmart-ws", || receive(inflater, usual_out, black_box(&frame)))
    .candidate("bitmart-ws, with blanks", || receive(third, blanks_out, black_box(&blanks)))
    .candidate("bitmart-ws, unknown member", || receive(fourth, unknown_out, black_box(&unknown)))
    .candidate("bitmart-ws, inflate only", || other.inflate(black_box(&frame)).map(str::len))
    .candidate(NAIVE, || naive(black_box(&frame)))
    .run();
    let (ours, naive) = (report.ratio_percent("bitmart-ws"), report.ratio_percent(NAIVE));
    let faster = naive * 100 / ours.max(1);
    println!("  {}.{:02} times faster than the simple implementation", faster / 100, faster % 100);
}

/// A frame of a published sample.
fn small<E: Event>(title: &str, fixture: &str) {
    let Ok(fixture) = serde_json::from_str::<serde_json::Value>(fixture) else { return };
    let text = fixture["frame"].to_string();
    let frame = deflate(&text);
    let (mut inflater, mut other) = (Inflater::new(), Inflater::new());
    let mut entries: Vec<E> = Vec::new();
    let mut bound = LowerBound::new();
    let title = format!("{title}: {} bytes, {} compressed; goal 1.20 x", text.len(), frame.len());
    Comparison::new(title, "libdeflate, by hand", || bound.fields(black_box(&frame)))
        .candidate("bitmart-ws", || receive(&mut inflater, &mut entries, black_box(&frame)))
        .candidate("bitmart-ws, inflate only", || other.inflate(black_box(&frame)).map(str::len))
        .candidate(NAIVE, || naive(black_box(&frame)))
        .run();
}

/// Inflates, finds the name of the frame and decodes, as a connection does with a binary frame.
fn receive<E: Event>(inflater: &mut Inflater, out: &mut Vec<E>, frame: &[u8]) -> bool {
    out.clear();
    let Ok(text) = inflater.inflate(frame) else { return false };
    let is_spot = peek::frame_name(text).is_some_and(|name| name.starts_with("spot/"));
    is_spot && E::decode(text, out).is_ok()
}

fn naive(frame: &[u8]) -> Option<serde_json::Value> {
    let mut text = Vec::new();
    DeflateDecoder::new(frame).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The least work that turns exactly this frame into numbers.
struct LowerBound {
    inflate: libdeflater::Decompressor,
    text: Vec<u8>,
}

impl LowerBound {
    fn new() -> Self {
        Self { inflate: libdeflater::Decompressor::new(), text: vec![0; 64 << 10] }
    }

    fn inflate(&mut self, frame: &[u8]) -> Option<&[u8]> {
        let length = self.inflate.deflate_decompress(frame, &mut self.text).ok()?;
        self.text.get(..length)
    }

    /// Returns the levels of a book, asks and bids.
    fn book(&mut self, frame: &[u8]) -> Option<(Vec<Level>, Vec<Level>)> {
        let text = self.inflate(frame)?;
        let (asks, rest) = levels(text.get(r#"{"data":[{"asks":["#.len()..)?)?;
        let (bids, _) = levels(rest.get(r#"],"bids":["#.len()..)?)?;
        Some((asks, bids))
    }

    /// Returns the numbers of the only entry, in the order of the frame, and its pair.
    fn fields(&mut self, frame: &[u8]) -> Option<([Decimal; 16], Symbol)> {
        let text = self.inflate(frame)?;
        let start = text.iter().position(|byte| *byte == b'[')?;
        let (mut rest, mut numbers, mut count) = (text.get(start..)?, [Decimal::ZERO; 16], 0);
        let mut symbol = None;
        loop {
            rest = rest.get(rest.iter().position(|byte| *byte == b':')? + 1..)?;
            let quoted = usize::from(*rest.first()? == b'"');
            rest = rest.get(quoted..)?;
            if matches!(rest.first()?, b'0'..=b'9' | b'-') {
                (numbers[count], rest) = number(rest)?;
                count += 1;
            } else {
                let end = rest.iter().position(|byte| *byte == b'"')?;
                // Only the pair contains an underscore.
                let text = std::str::from_utf8(rest.get(..end)?).ok()?;
                symbol = symbol.or_else(|| text.contains('_').then(|| Symbol::from(text)));
                rest = rest.get(end..)?;
            }
            if *rest.get(quoted)? == b'}' {
                return Some((numbers, symbol?));
            }
        }
    }
}

/// Returns the levels at the start of the text, and the rest of the text.
fn levels(mut rest: &[u8]) -> Option<(Vec<Level>, &[u8])> {
    let mut levels = Vec::with_capacity(100);
    loop {
        let (price, after) = number(rest.get(2..)?)?;
        let (size, after) = number(after.get(3..)?)?;
        levels.push(Level { price, size });
        rest = after.get(2..)?;
        if *rest.first()? != b',' {
            return Some((levels, rest));
        }
        rest = rest.get(1..)?;
    }
}

/// Returns the decimal at the start of the text, and the rest of the text.
fn number(text: &[u8]) -> Option<(Decimal, &[u8])> {
    let (mut digits, mut scale, mut point) = (0_i64, 0_u32, false);
    let negative = usize::from(*text.first()? == b'-');
    for (index, byte) in text.iter().enumerate().skip(negative) {
        match byte {
            b'0'..=b'9' => {
                digits = digits * 10 + i64::from(byte - b'0');
                scale += u32::from(point);
            }
            b'.' => point = true,
            _ => {
                let digits = if negative == 1 { -digits } else { digits };
                return Some((Decimal::new(digits, scale), text.get(index..)?));
            }
        }
    }
    None
}

/// Returns a snapshot with this number of levels a side, with prices and sizes of typical length.
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
