//! Arbitrary bytes as a binary frame, and arbitrary text as the entries of each channel.
//!
//! If the first byte is even, the rest is inflated and decoded; if odd, the rest is text. The second byte selects the
//! channel whose entries it is decoded as.

use std::cell::RefCell;

use bitmart_ws::Market;
use bitmart_ws::catalog::{self, Channel};
use bitmart_ws::event::{Event, RawEvent, decode_entries};
use bitmart_ws::inflate::{InflateError, Inflater};
use bitmart_ws::peek;
use bitmart_ws::spot;

/// The most bytes of an inflated frame: few, so that inputs reach it.
const LIMIT: usize = 40_000;

thread_local! {
    /// Shared by all inputs, as by the frames of a connection.
    static INFLATER: RefCell<Inflater> = RefCell::new(Inflater::with_limit(LIMIT));
}

/// Runs one input. Panics if a property does not hold.
pub fn run(input: &[u8]) {
    let [kind, channel, rest @ ..] = input else { return };
    let channels = catalog::channels();
    let channel = &channels[usize::from(*channel) % channels.len()];
    if kind % 2 == 0 {
        INFLATER.with_borrow_mut(|inflater| {
            // Compared with a new inflater: a frame must not depend on the one before it.
            let fresh = Inflater::with_limit(LIMIT).inflate(rest).map(str::to_owned);
            let text = inflater.inflate(rest);
            assert_eq!(text.map(str::to_owned), fresh);
            match text {
                Ok(text) => {
                    assert!(text.len() <= LIMIT);
                    decode(channel, text);
                }
                Err(InflateError::TooLarge { limit }) => assert_eq!(limit, LIMIT),
                Err(_) => {}
            }
        });
    } else if let Ok(text) = std::str::from_utf8(rest) {
        decode(channel, text);
    }
}

fn decode(channel: &Channel, text: &str) {
    frame(Market::Spot, text);
    frame(Market::Futures, text);
    let name = name(channel.pattern);
    let key = if channel.market == Market::Spot { "table" } else { "group" };
    // Both documented orders of the members.
    frame(channel.market, &format!(r#"{{"data":{text},"{key}":"{name}"}}"#));
    frame(channel.market, &format!(r#"{{"{key}":"{name}","data":{text}}}"#));
}

/// Decodes a frame in every way.
fn frame(market: Market, text: &str) {
    let _ = catalog::is_control(market, text);
    if let Some(frame_name) = peek::frame_name(text) {
        assert!(text.contains(frame_name));
    }
    decodes_alike::<spot::Depth>(text);
    decodes_alike::<spot::DepthUpdate>(text);
    // Entries decode one by one as they do together.
    let (mut all_at_once, mut one_by_one): (Vec<spot::Depth>, Vec<_>) = Default::default();
    let is_valid = spot::Depth::decode(text, &mut all_at_once).is_ok();
    spot::Depth::decode_each(text, &mut one_by_one);
    assert!(!is_valid || one_by_one.into_iter().eq(all_at_once.into_iter().map(Ok)), "{text}");
    let mut raw: Vec<RawEvent> = Vec::new();
    if RawEvent::decode(text, &mut raw).is_ok() {
        assert!(raw.iter().all(|entry| text.contains(entry.json.get())));
    }
    // A type reads what it has written, and writes it again unchanged.
    let Ok(Some(written)) = catalog::recode(market, text) else { return };
    if written.text.contains("$fault") {
        return;
    }
    let again = catalog::recode(market, &written.text);
    assert_eq!(again, Ok(Some(written.clone())), "{text}");
}

/// The fast decoder of an event and the general one return the same.
fn decodes_alike<E>(text: &str)
where
    E: Event + PartialEq + std::fmt::Debug + for<'de> serde::Deserialize<'de>,
{
    let (mut fast, mut general): (Vec<E>, Vec<E>) = Default::default();
    let result = E::decode(text, &mut fast);
    assert_eq!(result, decode_entries(text, &mut general));
    assert_eq!(fast, general);
}

/// A channel name that matches the pattern.
fn name(pattern: &str) -> String {
    let mut name = String::new();
    for part in pattern.split_inclusive(['{', '}']) {
        match part.strip_suffix('}') {
            Some("levels") => name.push_str("50"),
            Some("interval") => name.push_str("1m"),
            Some("speed") => name.push_str("@100ms"),
            Some(_) => name.push_str("BTC_USDT"),
            None => name.push_str(part.trim_end_matches('{')),
        }
    }
    name
}
