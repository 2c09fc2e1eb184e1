//! Hints about wrong paths and symbols: what the client probably meant.

use std::fmt::Write as _;

use bitmart_sim::Exchange;
use hyper::Method as HttpMethod;

use crate::{
    address::{PRIVATE, PUBLIC},
    generated::{EndpointId, Host, Method, routes},
    retired,
};

/// Maximum length of a symbol that gets a hint.
const MAX_LENGTH: usize = 32;
/// Quote currencies of the exchange, with which symbols of unlisted pairs are split.
const QUOTES: [&str; 4] = ["USDT", "USDC", "BTC", "ETH"];

fn name(host: Host) -> &'static str {
    match host {
        Host::Spot => "spot",
        Host::Futures => "futures",
    }
}

/// Explains why a host has no route for a path and method.
pub(crate) fn path(host: Host, path: &str, method: &HttpMethod) -> Option<String> {
    let bare = format!("/{}", path.trim_matches('/')).replace("//", "/");
    let mut routes_of_path = routes().filter(|route| route.path == bare);
    if let Some(route) = routes_of_path.find(|route| route.host == host) {
        if bare != path {
            return Some(format!("the path is {bare}, without further slashes"));
        }
        let expected = match route.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        return Some(format!("this path takes {expected}, not {method}"));
    }
    let elsewhere = routes().find(|route| route.path == bare).map(|route| route.host);
    let by_prefix = if retired::is_futures_path(&bare) { Some(Host::Futures) } else { None };
    match elsewhere.or(by_prefix.filter(|other| *other != host)) {
        Some(other) => {
            let (here, there) = (name(host), name(other));
            Some(format!(
                "this is a path of the {there} host, and this is the {here} host: send it to \
                 \"{there}\".\"rest\" of the ready line"
            ))
        }
        None if [PRIVATE, PUBLIC].contains(&&*bare) => {
            Some(format!("the address of the WebSocket is {bare}, without further slashes"))
        }
        None => None,
    }
}

/// Explains why a host does not list a symbol.
pub(crate) fn symbol(host: Host, symbol: &str, exchange: &Exchange) -> Option<String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-/.:".contains(letter);
    if symbol.is_empty() || symbol.len() > MAX_LENGTH || !symbol.chars().all(fits) {
        return None;
    }
    let normalize = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_uppercase()).collect()
    };
    let bare = normalize(symbol);
    let (meant, rule, list) = match host {
        Host::Spot => {
            let mut symbols = exchange.spot_markets().map(|market| &market.rules.symbol);
            let listed = symbols.find(|listed| normalize(listed) == bare);
            let split = || {
                let quote = QUOTES.iter().find(|quote| bare.ends_with(*quote))?;
                let base = bare.strip_suffix(quote).filter(|base| !base.is_empty())?;
                Some(format!("{base}_{quote}"))
            };
            let meant = listed.map(ToString::to_string).or_else(split);
            (
                meant,
                "a spot symbol is BASE_QUOTE in capitals, with an underscore",
                EndpointId::SpotSymbols,
            )
        }
        Host::Futures => {
            let rule = "a contract is BASEQUOTE in capitals, without an underscore";
            (Some(bare), rule, EndpointId::FuturesContracts)
        }
    };
    let list = list.route().path;
    let mut hint = format!("{symbol} is not listed in this sandbox, {list} lists the symbols");
    if let Some(meant) = meant.filter(|meant| meant != symbol) {
        hint = format!("{symbol} is not listed");
        // Writing to a string cannot fail.
        let _ = write!(hint, ": did you mean {meant}? ({rule})");
    }
    Some(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn a_hint_names_the_intended_symbol() {
        let exchange = Exchange::new(&Config::new().market_maker(false).setup(), 0);
        for (host, given, part) in [
            (Host::Spot, "BTCUSDT", "did you mean BTC_USDT?"),
            (Host::Spot, "NOPEUSDT", "did you mean NOPE_USDT?"),
            (Host::Spot, "btc_usdt", "did you mean BTC_USDT?"),
            (Host::Spot, "BTC-USDT", "did you mean BTC_USDT?"),
            (Host::Spot, "NOPE_USDT", "/spot/v1/symbols lists the symbols"),
            (Host::Futures, "BTC_USDT", "did you mean BTCUSDT?"),
            (Host::Futures, "NOPE_USDT", "did you mean NOPEUSDT?"),
            (Host::Futures, "NOPEUSDT", "/contract/public/details lists the symbols"),
        ] {
            let hint = symbol(host, given, &exchange).expect(given);
            assert!(hint.contains(part), "{given}: {hint}");
            // A well-formed symbol gets no hint about its form.
            assert_eq!(hint.contains("underscore"), part.contains("did you mean"), "{hint}");
        }
        for given in ["", "caf\u{e9}", "a b", &"X".repeat(33)] {
            assert_eq!(symbol(Host::Spot, given, &exchange), None, "{given}");
        }
    }

    #[test]
    fn a_hint_names_the_host_method_and_form_of_a_path() {
        for (host, given, method, part) in [
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
            let hint = path(host, given, &method).expect(given);
            assert!(hint.contains(part), "{given}: {hint}");
        }
        assert_eq!(path(Host::Spot, "/nowhere", &HttpMethod::GET), None);
    }
}
