//! Paths and symbols that are nearly right, and what was probably meant.

use std::fmt::Write as _;

use hyper::Method as HttpMethod;

use crate::{
    exchange::Exchange,
    generated::{Host, Method, routes},
};

/// Longest symbol that is looked at.
const LONGEST: usize = 32;
/// Quote currencies of the venue, for symbols that are not listed here.
const QUOTES: [&str; 4] = ["USDT", "USDC", "BTC", "ETH"];

fn name(host: Host) -> &'static str {
    match host {
        Host::Spot => "spot",
        Host::Futures => "futures",
    }
}

/// What is wrong with a path or method for which a host has no route.
pub(crate) fn path(host: Host, path: &str, method: &HttpMethod) -> Option<String> {
    let bare = format!("/{}", path.trim_matches('/')).replace("//", "/");
    let mut there = routes().filter(|route| route.path == bare).peekable();
    if let Some(route) = there.find(|route| route.host == host) {
        if bare != path {
            return Some(format!("the path is {bare}, without further slashes"));
        }
        let wanted = match route.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        return Some(format!("this path takes {wanted}, not {method}"));
    }
    let elsewhere = routes().find(|route| route.path == bare).map(|route| route.host);
    let begins = if bare.starts_with("/contract/") { Some(Host::Futures) } else { None };
    match elsewhere.or(begins.filter(|other| *other != host)) {
        Some(other) => {
            let (here, there) = (name(host), name(other));
            Some(format!(
                "this is a path of the {there} host, and this is the {here} host: send it to \
                 \"{there}\".\"rest\" of the ready line"
            ))
        }
        None if ["/api", "/user"].contains(&&*bare) => {
            Some(format!("the address of the WebSocket is {bare}, without further slashes"))
        }
        None => None,
    }
}

/// What is wrong with a symbol that a host does not know.
pub(crate) fn symbol(host: Host, symbol: &str, exchange: &Exchange) -> Option<String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-/.:".contains(letter);
    if symbol.is_empty() || symbol.len() > LONGEST || !symbol.chars().all(fits) {
        return None;
    }
    let squeeze = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_uppercase()).collect()
    };
    let bare = squeeze(symbol);
    let (meant, rule, list) = match host {
        Host::Spot => {
            let listed = exchange.spot.keys().find(|listed| squeeze(listed) == bare);
            let split = || {
                let quote = QUOTES.iter().find(|quote| bare.ends_with(*quote))?;
                let base = bare.strip_suffix(quote).filter(|base| !base.is_empty())?;
                Some(format!("{base}_{quote}"))
            };
            let meant = listed.map(ToString::to_string).or_else(split);
            (
                meant,
                "a spot symbol is BASE_QUOTE in capitals, with an underscore",
                "/spot/v1/symbols",
            )
        }
        Host::Futures => {
            let rule = "a contract is BASEQUOTE in capitals, without an underscore";
            (Some(bare), rule, "/contract/public/details")
        }
    };
    let mut words = format!("{symbol} is not listed in this sandbox, {list} tells what is");
    if let Some(meant) = meant.filter(|meant| meant != symbol) {
        words = format!("{symbol} is not listed");
        // Writing to a text cannot fail.
        let _ = write!(words, ": did you mean {meant}? ({rule})");
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn symbols_are_told_what_was_meant() {
        let exchange = Exchange::new(&Config::new().market_maker(false).setup(), 0);
        for (host, given, words) in [
            (Host::Spot, "BTCUSDT", "did you mean BTC_USDT?"),
            (Host::Spot, "NOPEUSDT", "did you mean NOPE_USDT?"),
            (Host::Spot, "btc_usdt", "did you mean BTC_USDT?"),
            (Host::Spot, "BTC-USDT", "did you mean BTC_USDT?"),
            (Host::Spot, "NOPE_USDT", "/spot/v1/symbols tells what is"),
            (Host::Futures, "BTC_USDT", "did you mean BTCUSDT?"),
            (Host::Futures, "NOPE_USDT", "did you mean NOPEUSDT?"),
            (Host::Futures, "NOPEUSDT", "/contract/public/details tells what is"),
        ] {
            let told = symbol(host, given, &exchange).expect(given);
            assert!(told.contains(words), "{given}: {told}");
            // Who has written it rightly is not told how to write it.
            assert_eq!(told.contains("underscore"), words.contains("did you mean"), "{told}");
        }
        for given in ["", "caf\u{e9}", "a b", &"X".repeat(33)] {
            assert_eq!(symbol(Host::Spot, given, &exchange), None, "{given}");
        }
    }

    #[test]
    fn paths_are_told_where_they_are() {
        for (host, given, method, words) in [
            (
                Host::Spot,
                "/contract/private/submit-order",
                HttpMethod::POST,
                "path of the futures host",
            ),
            (Host::Spot, "/contract/v1/tickers", HttpMethod::GET, "path of the futures host"),
            (Host::Futures, "/spot/v2/submit_order", HttpMethod::POST, "path of the spot host"),
            (Host::Spot, "/spot/v2/submit_order", HttpMethod::GET, "takes POST, not GET"),
            (
                Host::Spot,
                "//spot/v2/submit_order/",
                HttpMethod::POST,
                "the path is /spot/v2/submit_order,",
            ),
            (Host::Spot, "/api/", HttpMethod::GET, "the WebSocket is /api,"),
        ] {
            let told = path(host, given, &method).expect(given);
            assert!(told.contains(words), "{given}: {told}");
        }
        assert_eq!(path(Host::Spot, "/nowhere", &HttpMethod::GET), None);
    }
}
