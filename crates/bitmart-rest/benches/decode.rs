//! From the bytes of a response to its model, compared with parsing into borrowed strings and into a tree.
//!
//! The lower bound is `serde_json` into borrowed strings: it reads every byte, but creates no decimals,
//! timestamps and symbols, and validates nothing. Many clients parse into a tree.

use std::hint::black_box;

use bitmart_rest::endpoint::{Endpoint, decode};
use bitmart_rest::spot;
use bitmart_testkit::bench::Comparison;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

const TICKER: &str = r#"{"symbol":"BTC_USDT","last":"30000.00","v_24h":"582.08066","qv_24h":"4793098.48","open_24h":"28596.30","high_24h":"31012.44","low_24h":"12.44","fluctuation":"0.04909","bid_px":"30000","bid_sz":"1","ask_px":"31012.44","ask_sz":"69994.75267","ts":"1691671091933"}"#;
const ROW: &str = r#"["BTC_USDT","30000.00","582.08066","4793098.48","28596.30","31012.44","12.44","0.04909","30000","1","31012.44","69994.75267","1691671091933"]"#;
const LEVEL: &str = r#"["31012.44","69994.75267"]"#;

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

/// The fields of a ticker as strings, found by name as in the model.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read by the deserializer only")]
struct TickerTexts<'a> {
    symbol: &'a str,
    last: &'a str,
    v_24h: &'a str,
    qv_24h: &'a str,
    open_24h: &'a str,
    high_24h: &'a str,
    low_24h: &'a str,
    fluctuation: &'a str,
    bid_px: &'a str,
    bid_sz: &'a str,
    ask_px: &'a str,
    ask_sz: &'a str,
    ts: &'a str,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read by the deserializer only")]
struct BookTexts<'a> {
    ts: &'a str,
    symbol: &'a str,
    #[serde(borrow)]
    asks: Vec<[&'a str; 2]>,
    #[serde(borrow)]
    bids: Vec<[&'a str; 2]>,
}

fn main() {
    let levels = vec![LEVEL; 50].join(",");
    let book = format!(
        r#"{{"ts":"1691672864874","symbol":"BTC_USDT","asks":[{levels}],"bids":[{levels}]}}"#
    );
    let tickers = format!("[{}]", vec![ROW; 1000].join(","));
    compare::<spot::QueryDepth, BookTexts<'static>>("order book of 50 levels a side", &book);
    compare::<spot::QueryTicker, TickerTexts<'static>>("ticker", TICKER);
    compare::<spot::ListTickers, Vec<[&'static str; 13]>>("1,000 tickers", &tickers);
}

/// Compares the variants for one response. The text is leaked, so that a type without a lifetime can borrow
/// it.
fn compare<E: Endpoint, B: Deserialize<'static>>(title: &str, data: &str) {
    let text = format!(r#"{{"message":"success","code":1000,"trace":"1","data":{data}}}"#);
    let text: &'static str = text.leak();
    let body = Bytes::from_static(text.as_bytes());
    let headers = HeaderMap::new();
    assert!(
        decode::<E>(StatusCode::OK, &headers, &body).is_ok()
            && serde_json::from_str::<Envelope<B>>(text).is_ok(),
        "both variants must decode the response"
    );
    let title = format!("{title}: {} bytes", text.len());
    Comparison::new(title, "serde_json to texts", || {
        serde_json::from_str::<Envelope<B>>(black_box(text)).map(|envelope| envelope.data).is_ok()
    })
    .candidate("bitmart-rest", || decode::<E>(StatusCode::OK, &headers, black_box(&body)).is_ok())
    .candidate("serde_json::Value", || {
        serde_json::from_str::<serde_json::Value>(black_box(text)).is_ok()
    })
    .run();
}
