//! Subjects of topics: one for each topic name, whatever characters it contains.

use std::fmt::Write as _;

use bitmart_ws::Market;

/// Longest name of a topic in bytes. NATS limits a protocol line to 4 KiB.
pub(crate) const MAX_NAME_BYTES: usize = 200;

pub(crate) fn is_prefix(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.len() <= 32 && text.bytes().all(allowed)
}

/// The part of a topic's subject behind the prefix: `spot.trade.BTC_USDT`.
///
/// Tokens are the parts of the channel and the symbol (`-` if there is none). Characters other than ASCII letters,
/// digits, `_` and `-` are written as `%` and two hexadecimal digits for each byte. A name that does not begin with its
/// market gets the market as an additional token, and a private one the token `-private`. So different topics have
/// different subjects, and no name yields a wildcard.
pub(crate) fn suffix(market: Market, is_private: bool, name: &str) -> String {
    let mut subject = String::with_capacity(name.len() + 8);
    if is_private {
        subject.push_str("-private.");
    }
    let (channel, symbol) = match name.split_once(':') {
        Some((channel, symbol)) => (channel, Some(symbol)),
        None => (name, None),
    };
    let market = match market {
        Market::Spot => "spot",
        Market::Futures => "futures",
    };
    if channel.split('/').next() != Some(market) {
        subject.push('-');
        subject.push_str(market);
        subject.push('.');
    }
    for part in channel.split('/') {
        push_token(&mut subject, part);
        subject.push('.');
    }
    match symbol {
        Some(symbol) => push_token(&mut subject, symbol),
        None => subject.push('-'),
    }
    subject
}

fn push_token(subject: &mut String, token: &str) {
    if token.is_empty() {
        // Never the result of an escape.
        subject.push('%');
    }
    for (index, byte) in token.bytes().enumerate() {
        // A leading `-` marks the tokens that are not part of the name.
        let is_plain = byte.is_ascii_alphanumeric() || byte == b'_' || (byte == b'-' && index > 0);
        if is_plain {
            subject.push(char::from(byte));
        } else {
            let _ = write!(subject, "%{byte:02X}");
        }
    }
}

/// The subject of a topic as published by the holder of one replica.
pub(crate) fn of_replica(prefix: &str, replica: usize, suffix: &str) -> String {
    match replica {
        0 => format!("{prefix}.{suffix}"),
        _ => format!("{prefix}-r{replica}.{suffix}"),
    }
}

/// A hash that is the same in every version and on every machine: FNV-1a, mixed.
pub(crate) fn stable_hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// The shard of a topic.
pub(crate) fn shard(suffix: &str, shards: usize) -> usize {
    let shards = u64::try_from(shards.max(1)).unwrap_or(1);
    usize::try_from(stable_hash(&[suffix]) % shards).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn usual_topics_have_readable_subjects() {
        let subjects = [
            (Market::Spot, "spot/trade:BTC_USDT", "spot.trade.BTC_USDT"),
            (Market::Spot, "spot/depth/increase100:BTC_USDT", "spot.depth.increase100.BTC_USDT"),
            (Market::Futures, "futures/ticker", "futures.ticker.-"),
            (Market::Futures, "futures/depth5:X@200ms", "futures.depth5.X%40200ms"),
        ];
        for (market, name, subject) in subjects {
            assert_eq!(suffix(market, false, name), subject);
        }
        assert_eq!(of_replica("bitmart", 0, "a.b"), "bitmart.a.b");
        assert_eq!(of_replica("bitmart", 2, "a.b"), "bitmart-r2.a.b");
    }

    #[test]
    fn different_topics_have_different_and_valid_subjects() {
        let names = [
            "",
            ":",
            "/",
            "a",
            "a:",
            "a:b",
            "a/b",
            "a/b:",
            "a:b/c",
            "a/b:c",
            "a.b:c",
            "a:b.c",
            "*",
            ">",
            "a:>",
            "a: b",
            "a:\r\nPUB x",
            "a:%",
            "a:%25",
            "-spot/a:b",
            "spot",
            "spot:",
            "spot/",
            "spot/a:b",
            "spot/:",
            "a:-",
            "a:ü",
            "spot/a:b:c",
            "spot/a/b:c",
            "-private/a",
            "$SYS/x",
            "a:\0",
        ];
        let mut seen = HashSet::new();
        for name in names {
            for market in [Market::Spot, Market::Futures] {
                for is_private in [false, true] {
                    let subject = suffix(market, is_private, name);
                    let is_valid =
                        |byte: u8| byte.is_ascii_alphanumeric() || b"_-%.".contains(&byte);
                    assert!(subject.bytes().all(is_valid), "{name:?}: {subject}");
                    assert!(
                        subject.split('.').all(|token| !token.is_empty()),
                        "{name:?}: {subject}"
                    );
                    assert!(seen.insert(subject.clone()), "{name:?}: {subject} twice");
                }
            }
        }
    }

    #[test]
    fn a_hash_never_changes() {
        // Collectors of different versions must agree.
        assert_ne!(stable_hash(&["ab"]), stable_hash(&["a", "b"]));
        assert_eq!(shard("spot.trade.BTC_USDT", 8), 4);
    }
}
