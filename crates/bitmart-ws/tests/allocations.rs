//! Counts the allocations of receiving a frame.

use std::fmt::Write as _;

use bitmart_testkit::deflate;
use bitmart_ws::event::Event;
use bitmart_ws::inflate::Inflater;
use bitmart_ws::{futures, spot};

/// Returns the allocations of a frame, after the inflater and the list of entries were used once.
fn allocations<E: Event>(text: &str) -> u64 {
    let frame = deflate(text);
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

/// Returns a book with this number of levels a side and `space` after each comma between levels.
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
    assert_eq!(allocations::<spot::DepthUpdate>(&book(50, "")), 2);
    assert_eq!(allocations::<spot::DepthUpdate>(&book(50, " ")), 2);
}

#[test]
fn a_complete_book_allocates_once_a_side() {
    let without_version = |text: &str| text.replace(r#","type":"snapshot","version":4"#, "");
    assert_eq!(allocations::<spot::Depth>(&without_version(&book(50, ""))), 2);
    assert_eq!(allocations::<spot::Depth>(&without_version(&book(50, " "))), 2);
    assert_eq!(allocations::<futures::SideDepth>(&published("futures-depth/sample")), 1);
    assert_eq!(allocations::<futures::Depth>(&published("futures-depth-all/sample")), 2);
}

#[test]
fn tickers_and_trades_allocate_nothing() {
    assert_eq!(allocations::<spot::Ticker>(&published("spot-ticker/sample")), 0);
    assert_eq!(allocations::<spot::Trade>(&published("spot-trade/sample")), 0);
    assert_eq!(allocations::<futures::Ticker>(&published("futures-ticker/sample")), 0);
    assert_eq!(allocations::<futures::BookTicker>(&published("futures-bookticker/sample")), 0);
    assert_eq!(allocations::<futures::Trade>(&published("futures-trade/sample")), 0);
}

/// Returns the frame of a published sample.
fn published(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).expect("readable");
    serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["frame"].to_string()
}
