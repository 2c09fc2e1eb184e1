//! Arbitrary bytes as a binary frame, and arbitrary text as the entries of each channel.
//!
//! The first byte says which: an even one inflates the rest and decodes what comes out, an odd one
//! takes the rest as text. The second byte chooses the channel whose entries it is read as.

use std::cell::RefCell;

use bitmart_ws::Dialect;
use bitmart_ws::catalog::{self, Channel};
use bitmart_ws::event::{Event, RawEvent, decode_entries};
use bitmart_ws::inflate::{InflateError, Inflater};
use bitmart_ws::peek;
use bitmart_ws::spot;

/// Small, so that it is met.
const LIMIT: usize = 40_000;

thread_local! {
    /// Used for every input, as a connection does.
    static INFLATER: RefCell<Inflater> = RefCell::new(Inflater::with_limit(LIMIT));
}

/// Runs one input. It panics when something does not hold.
pub fn run(input: &[u8]) {
    let [kind, channel, rest @ ..] = input else { return };
    let channels = catalog::channels();
    let channel = &channels[usize::from(*channel) % channels.len()];
    if kind % 2 == 0 {
        INFLATER.with_borrow_mut(|inflater| {
            // Not afterwards: a frame must not depend on the one before it.
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
    frame(Dialect::Spot, text);
    frame(Dialect::Futures, text);
    let name = name(channel.pattern);
    let key = if channel.dialect == Dialect::Spot { "table" } else { "group" };
    // The two orders that are documented.
    frame(channel.dialect, &format!(r#"{{"data":{text},"{key}":"{name}"}}"#));
    frame(channel.dialect, &format!(r#"{{"{key}":"{name}","data":{text}}}"#));
}

/// Everything that is done with a frame.
fn frame(dialect: Dialect, text: &str) {
    let _ = catalog::is_control(dialect, text);
    if let Some(channel) = peek::channel(text) {
        assert!(text.contains(channel));
    }
    // What the quick reader of books reads, the general one reads alike.
    same::<spot::Depth>(text);
    same::<spot::DepthIncrease>(text);
    // Each by itself they are read as together, wherever together they are.
    let (mut together, mut each): (Vec<spot::Depth>, Vec<_>) = Default::default();
    let is_whole = spot::Depth::decode(text, &mut together).is_ok();
    spot::Depth::decode_each(text, &mut each);
    assert!(!is_whole || each.into_iter().eq(together.into_iter().map(Ok)), "{text}");
    let mut raw: Vec<RawEvent> = Vec::new();
    if RawEvent::decode(text, &mut raw).is_ok() {
        assert!(raw.iter().all(|entry| text.contains(entry.json.get())));
    }
    // What a type writes it can read, and then writes the same.
    let Ok(Some(written)) = catalog::recode(dialect, text) else { return };
    if written.text.contains("$fault") {
        return;
    }
    let again = catalog::recode(dialect, &written.text);
    assert_eq!(again, Ok(Some(written.clone())), "{text}");
}

fn same<E>(text: &str)
where
    E: Event + PartialEq + std::fmt::Debug + for<'de> serde::Deserialize<'de>,
{
    let (mut quick, mut general): (Vec<E>, Vec<E>) = Default::default();
    let quickly = E::decode(text, &mut quick);
    assert_eq!(quickly, decode_entries(text, &mut general));
    assert_eq!(quick, general);
}

/// A name that fits the pattern.
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
