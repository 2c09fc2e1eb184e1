//! Translates `ticker BTC_USDT` to topics on the wire.

use bitmart::ws::event::Event;
use bitmart::ws::topic::Topic;
use bitmart::ws::{Market, catalog};

use crate::normalize;

/// The kinds of data that can be watched, with the symbols they take.
pub(crate) const KINDS: [(&str, &str); 7] = [
    ("ticker", "symbols"),
    ("trades", "symbols"),
    ("book", "symbols"),
    ("klines", "symbols"),
    ("orders", "symbols, or none for all"),
    ("balances", "none, or currencies of futures"),
    ("positions", "none"),
];

/// Options of topics.
#[derive(Clone, Debug)]
pub(crate) struct TopicOptions {
    /// Levels of each side of a book.
    pub(crate) levels: u32,
    /// Length of a candle, as in topics.
    pub(crate) step: String,
    pub(crate) futures: bool,
}

impl Default for TopicOptions {
    fn default() -> Self {
        Self { levels: 5, step: "1m".to_owned(), futures: false }
    }
}

/// A topic by its name on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChannelTopic {
    pub(crate) market: Market,
    pub(crate) private: bool,
    pub(crate) name: String,
}

impl ChannelTopic {
    fn public(market: Market, name: String) -> Self {
        Self { market, private: false, name }
    }

    fn private(market: Market, name: String) -> Self {
        Self { market, private: true, name }
    }

    /// Parses a name such as `spot/ticker:BTC_USDT`.
    pub(crate) fn from_wire_name(name: &str) -> Result<Self, String> {
        let market = match name.split_once('/') {
            Some(("spot", _)) => Market::Spot,
            Some(("futures", _)) => Market::Futures,
            _ => return Err(format!("{name:?}: topics begin with spot/ or futures/")),
        };
        let channel = name.split(':').next().unwrap_or(name);
        let known = catalog::channel(market, channel);
        let known = known.ok_or_else(|| format!("{name:?}: unknown channel {channel}"))?;
        Ok(Self { market, private: known.private, name: name.to_owned() })
    }

    /// The topic for events of type `T`.
    pub(crate) fn topic<T: Event>(&self) -> Topic<T> {
        if self.private {
            Topic::private(self.market, self.name.as_str())
        } else {
            Topic::public(self.market, self.name.as_str())
        }
    }
}

/// The topics of a kind for these symbols.
pub(crate) fn topics(
    kind: &str,
    symbols: &[String],
    options: &TopicOptions,
) -> Result<Vec<ChannelTopic>, String> {
    let levels = options.levels;
    if symbols.is_empty() {
        return match (kind, options.futures) {
            ("orders", false) => Ok(vec![ChannelTopic::private(
                Market::Spot,
                "spot/user/orders:ALL_SYMBOLS".to_owned(),
            )]),
            ("orders", true) => {
                Ok(vec![ChannelTopic::private(Market::Futures, "futures/order".to_owned())])
            }
            ("balances", false) => {
                let name = "spot/user/balance:BALANCE_UPDATE".to_owned();
                Ok(vec![ChannelTopic::private(Market::Spot, name)])
            }
            ("positions", _) => {
                Ok(vec![ChannelTopic::private(Market::Futures, "futures/position".to_owned())])
            }
            ("balances", true) => Err("balances of futures need a currency: USDT".to_owned()),
            _ => Err(format!("{kind} needs a symbol: BTC_USDT or BTCUSDT")),
        };
    }
    let one = |symbol: &String| {
        let symbol = normalize::symbol(symbol);
        if !symbol.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return Err(format!("{symbol:?} is not a symbol"));
        }
        let is_spot = symbol.contains('_');
        Ok(match (kind, is_spot) {
            ("ticker", true) => ChannelTopic::public(Market::Spot, format!("spot/ticker:{symbol}")),
            ("ticker", false) => {
                ChannelTopic::public(Market::Futures, format!("futures/ticker:{symbol}"))
            }
            ("trades", true) => ChannelTopic::public(Market::Spot, format!("spot/trade:{symbol}")),
            ("trades", false) => {
                ChannelTopic::public(Market::Futures, format!("futures/trade:{symbol}"))
            }
            ("book", true) => {
                ChannelTopic::public(Market::Spot, format!("spot/depth{levels}:{symbol}"))
            }
            ("book", false) => {
                ChannelTopic::public(Market::Futures, format!("futures/depthAll{levels}:{symbol}"))
            }
            ("klines", true) => {
                ChannelTopic::public(Market::Spot, format!("spot/kline{}:{symbol}", options.step))
            }
            ("klines", false) => ChannelTopic::public(
                Market::Futures,
                format!("futures/klineBin{}:{symbol}", options.step),
            ),
            ("orders", true) => {
                ChannelTopic::private(Market::Spot, format!("spot/user/order:{symbol}"))
            }
            ("balances", false) => {
                ChannelTopic::private(Market::Futures, format!("futures/asset:{symbol}"))
            }
            ("orders", false) => {
                return Err("orders of futures cannot be selected by contract: use --futures without a symbol".to_owned());
            }
            _ => return Err(format!("{kind} does not take {symbol}")),
        })
    };
    symbols.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{ChannelTopic, TopicOptions, topics};

    fn names(kind: &str, symbols: &[&str], futures: bool) -> Result<Vec<String>, String> {
        let symbols: Vec<_> = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        let options = TopicOptions { futures, ..TopicOptions::default() };
        Ok(topics(kind, &symbols, &options)?.into_iter().map(|topic| topic.name).collect())
    }

    #[test]
    fn kinds_and_symbols_become_topics_of_the_catalog() {
        let both = ["btc_usdt", "BTCUSDT"];
        for (kind, wanted) in [
            ("ticker", ["spot/ticker:BTC_USDT", "futures/ticker:BTCUSDT"]),
            ("trades", ["spot/trade:BTC_USDT", "futures/trade:BTCUSDT"]),
            ("book", ["spot/depth5:BTC_USDT", "futures/depthAll5:BTCUSDT"]),
            ("klines", ["spot/kline1m:BTC_USDT", "futures/klineBin1m:BTCUSDT"]),
        ] {
            let topics = names(kind, &both, false).expect("topics");
            assert_eq!(topics, wanted);
            assert!(
                topics.iter().all(
                    |name| ChannelTopic::from_wire_name(name).is_ok_and(|topic| !topic.private)
                )
            );
        }
        for (kind, symbols, futures) in [
            ("orders", &[][..], false),
            ("orders", &["BTC_USDT"], false),
            ("orders", &[], true),
            ("balances", &[], false),
            ("balances", &["USDT"], true),
            ("positions", &[], false),
        ] {
            let topics = names(kind, symbols, futures).expect("topics");
            assert!(
                ChannelTopic::from_wire_name(&topics[0]).is_ok_and(|topic| topic.private),
                "{topics:?}"
            );
        }
        assert!(names("ticker", &[], false).is_err() && names("ticker", &["a b"], false).is_err());
        assert!(
            ChannelTopic::from_wire_name("spot/nothing:BTC_USDT").is_err()
                && ChannelTopic::from_wire_name("x").is_err()
        );
    }
}
