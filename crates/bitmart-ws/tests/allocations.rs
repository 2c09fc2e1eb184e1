//! How often receiving a frame asks for memory.

use std::fmt::Write as _;
use std::io::Write as _;

use bitmart_ws::event::{Event, SpotDepthIncrease, SpotTicker};
use bitmart_ws::inflate::Inflater;
use flate2::{Compression, write::DeflateEncoder};

/// Allocations of a frame once inflater and list of entries have been used.
fn allocations<E: Event>(text: &str) -> u64 {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("writes to memory");
    let frame = encoder.finish().expect("writes to memory");
    let mut inflater = Inflater::new();
    let mut entries: Vec<E> = Vec::new();
    let mut receive = || {
        entries.clear();
        let text = inflater.inflate(&frame).expect("deflate");
        E::decode(text, &mut entries).expect("decodes");
        assert_eq!(entries.len(), 1);
    };
    receive();
    allocation_counter::measure(receive).count_total
}

/// A book of so many levels a side, with `space` after each comma between levels.
fn book(levels: u32, space: &str) -> String {
    let mut rows = String::new();
    for level in 0..levels {
        let comma = if level == 0 { String::new() } else { format!(",{space}") };
        write!(rows, r#"{comma}["{}.{level:02}","0.{level:05}"]"#, 67_000 + level).expect("text");
    }
    format!(
        r#"{{"data":[{{"asks":[{rows}],"bids":[{rows}],"ms_t":1698292343610,"symbol":"BTC_USDT","type":"snapshot","version":4}}],"table":"spot/depth/increase100"}}"#
    )
}

#[test]
fn a_book_allocates_once_a_side() {
    assert_eq!(allocations::<SpotDepthIncrease>(&book(50, "")), 2);
    // Blanks make it a case for the general decoder, which needs one more.
    assert_eq!(allocations::<SpotDepthIncrease>(&book(50, " ")), 3);
}

#[test]
fn a_ticker_allocates_nothing() {
    let fixture = include_str!("../fixtures/spot-ticker/sample.json");
    let fixture: serde_json::Value = serde_json::from_str(fixture).expect("JSON");
    assert_eq!(allocations::<SpotTicker>(&fixture["frame"].to_string()), 0);
}
