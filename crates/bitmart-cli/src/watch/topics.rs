//! From `ticker BTC_USDT` to the topic on the wire.

use crate::names;
use bitmart::ws::{Dialect, Topic, catalog, event::Event};

/// What can be watched, each with what its symbols are.
pub(crate) const KINDS: [(&str, &str); 7] = [
    ("ticker", "symbols"),
    ("trades", "symbols"),
    ("book", "symbols"),
    ("klines", "symbols"),
    ("orders", "symbols, or none for all"),
    ("balances", "none, or currencies of futures"),
    ("positions", "none"),
];

/// How a topic is meant: depth of a book, length of a candle.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) levels: u32,
    pub(crate) step: String,
    pub(crate) futures: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self { levels: 5, step: "1m".to_owned(), futures: false }
    }
}

/// A topic of either host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) dialect: Dialect,
    pub(crate) private: bool,
    pub(crate) name: String,
}

impl Named {
    fn public(dialect: Dialect, name: String) -> Self {
        Self { dialect, private: false, name }
    }

    fn private(dialect: Dialect, name: String) -> Self {
        Self { dialect, private: true, name }
    }

    /// A topic by its name on the wire, `spot/ticker:BTC_USDT`.
    pub(crate) fn wire(name: &str) -> Result<Self, String> {
        let dialect = match name.split_once('/') {
            Some(("spot", _)) => Dialect::Spot,
            Some(("futures", _)) => Dialect::Futures,
            _ => return Err(format!("{name:?}: topics begin with spot/ or futures/")),
        };
        let channel = name.split(':').next().unwrap_or(name);
        let known = catalog::channel(dialect, channel);
        let known = known.ok_or_else(|| format!("{name:?}: there is no channel {channel}"))?;
        Ok(Self { dialect, private: known.private, name: name.to_owned() })
    }

    /// The topic with events of a type.
    pub(crate) fn topic<T: Event>(&self) -> Topic<T> {
        if self.private {
            Topic::private(self.dialect, self.name.as_str())
        } else {
            Topic::public(self.dialect, self.name.as_str())
        }
    }
}

/// The topics of a kind for these symbols.
pub(crate) fn topics(kind: &str, symbols: &[String], wish: &Wish) -> Result<Vec<Named>, String> {
    let levels = wish.levels;
    if symbols.is_empty() {
        return match (kind, wish.futures) {
            ("orders", false) => {
                Ok(vec![Named::private(Dialect::Spot, "spot/user/orders:ALL_SYMBOLS".to_owned())])
            }
            ("orders", true) => {
                Ok(vec![Named::private(Dialect::Futures, "futures/order".to_owned())])
            }
            ("balances", false) => {
                let name = "spot/user/balance:BALANCE_UPDATE".to_owned();
                Ok(vec![Named::private(Dialect::Spot, name)])
            }
            ("positions", _) => {
                Ok(vec![Named::private(Dialect::Futures, "futures/position".to_owned())])
            }
            ("balances", true) => Err("balances of futures are told by currency: USDT".to_owned()),
            _ => Err(format!("{kind} needs a symbol: BTC_USDT or BTCUSDT")),
        };
    }
    let one = |symbol: &String| {
        let symbol = names::symbol(symbol);
        if !symbol.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return Err(format!("{symbol:?} is no symbol"));
        }
        let spot = symbol.contains('_');
        Ok(match (kind, spot) {
            ("ticker", true) => Named::public(Dialect::Spot, format!("spot/ticker:{symbol}")),
            ("ticker", false) => {
                Named::public(Dialect::Futures, format!("futures/ticker:{symbol}"))
            }
            ("trades", true) => Named::public(Dialect::Spot, format!("spot/trade:{symbol}")),
            ("trades", false) => Named::public(Dialect::Futures, format!("futures/trade:{symbol}")),
            ("book", true) => Named::public(Dialect::Spot, format!("spot/depth{levels}:{symbol}")),
            ("book", false) => {
                Named::public(Dialect::Futures, format!("futures/depthAll{levels}:{symbol}"))
            }
            ("klines", true) => {
                Named::public(Dialect::Spot, format!("spot/kline{}:{symbol}", wish.step))
            }
            ("klines", false) => {
                Named::public(Dialect::Futures, format!("futures/klineBin{}:{symbol}", wish.step))
            }
            ("orders", true) => Named::private(Dialect::Spot, format!("spot/user/order:{symbol}")),
            ("balances", false) => {
                Named::private(Dialect::Futures, format!("futures/asset:{symbol}"))
            }
            ("orders", false) => {
                return Err("orders of futures come for all contracts: --futures".to_owned());
            }
            _ => return Err(format!("{kind} takes no {symbol}")),
        })
    };
    symbols.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{Named, Wish, topics};

    fn names(kind: &str, symbols: &[&str], futures: bool) -> Result<Vec<String>, String> {
        let symbols: Vec<_> = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        let wish = Wish { futures, ..Wish::default() };
        Ok(topics(kind, &symbols, &wish)?.into_iter().map(|topic| topic.name).collect())
    }

    #[test]
    fn words_become_topics_that_the_catalogue_knows() {
        let both = ["btc_usdt", "BTCUSDT"];
        for (kind, wanted) in [
            ("ticker", ["spot/ticker:BTC_USDT", "futures/ticker:BTCUSDT"]),
            ("trades", ["spot/trade:BTC_USDT", "futures/trade:BTCUSDT"]),
            ("book", ["spot/depth5:BTC_USDT", "futures/depthAll5:BTCUSDT"]),
            ("klines", ["spot/kline1m:BTC_USDT", "futures/klineBin1m:BTCUSDT"]),
        ] {
            let named = names(kind, &both, false).expect("topics");
            assert_eq!(named, wanted);
            assert!(named.iter().all(|name| Named::wire(name).is_ok_and(|topic| !topic.private)));
        }
        for (kind, symbols, futures) in [
            ("orders", &[][..], false),
            ("orders", &["BTC_USDT"], false),
            ("orders", &[], true),
            ("balances", &[], false),
            ("balances", &["USDT"], true),
            ("positions", &[], false),
        ] {
            let named = names(kind, symbols, futures).expect("topics");
            assert!(Named::wire(&named[0]).is_ok_and(|topic| topic.private), "{named:?}");
        }
        assert!(names("ticker", &[], false).is_err() && names("ticker", &["a b"], false).is_err());
        assert!(Named::wire("spot/nothing:BTC_USDT").is_err() && Named::wire("x").is_err());
    }
}
