//! Topic names.

use smol_str::SmolStr;

use crate::generated::{
    Host,
    channels::{Argument, CHANNELS, Channel as Described},
};

/// What a topic delivers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Channel {
    SpotTicker,
    SpotBookTicker,
    SpotTrade,
    /// Full book of this many levels.
    SpotDepth(usize),
    /// Snapshot and updates of 100 levels.
    SpotIncrease,
    /// Candles of this many minutes.
    SpotKline(u64),
    SpotOrder,
    SpotOrders,
    SpotBalance,
    FuturesTicker,
    FuturesTickers,
    FuturesTrade,
    /// One side of the book per frame.
    FuturesDepth(usize),
    FuturesDepthAll(usize),
    FuturesIncrease(usize),
    FuturesBookTicker,
    FuturesKline(u64),
    FuturesMarkKline(u64),
    FuturesFundingRate,
    FuturesOrder,
    FuturesAsset,
    FuturesPosition,
}

/// A channel, and the symbol (or currency) it is about; empty where it is about all. Topics about the
/// same stand together in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Topic {
    pub(super) channel: Channel,
    pub(super) symbol: SmolStr,
    /// As the client wrote it.
    pub(super) text: SmolStr,
    pub(super) host: HostKey,
    /// Needs a login.
    pub(super) private: bool,
    /// Answers a request.
    pub(super) request: bool,
}

impl Topic {
    /// What stands before all topics of this channel and symbol.
    pub(super) fn before(channel: Channel, symbol: SmolStr) -> Self {
        let (text, host) = (SmolStr::default(), HostKey::Spot);
        Self { channel, symbol, text, host, private: false, request: false }
    }
}

/// `Host` with an order, to be a map key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostKey {
    Spot,
    Futures,
}

impl From<Host> for HostKey {
    fn from(host: Host) -> Self {
        match host {
            Host::Spot => Self::Spot,
            Host::Futures => Self::Futures,
        }
    }
}

/// Channels that some client knows and the sandbox does not serve: no source says what they deliver.
const UNSERVED: [&str; 3] = ["futures/unicast", "v2/depthAll", "v2/depthIncrease"];

/// Whether a topic is of a channel that exists, although it is not served here.
pub(super) fn is_unserved(text: &str) -> bool {
    UNSERVED.iter().any(|name| text.starts_with(name))
}

/// Reads a topic; none for a channel that does not exist. Whether the symbol exists is another
/// question.
pub(super) fn parse(host: Host, text: &str) -> Option<Topic> {
    let (name, argument) = match text.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (text, None),
    };
    let described = CHANNELS
        .iter()
        .find(|row| row.host == host && row.names.contains(&name) && fits(row, argument))?;
    let symbol = match described.argument {
        Argument::Symbol => argument
            .map_or("", |argument| argument.split_once('@').map_or(argument, |parts| parts.0)),
        Argument::None | Argument::Word(_) => "",
    };
    Some(Topic {
        host: host.into(),
        text: text.into(),
        channel: channel(name, symbol.is_empty())?,
        symbol: symbol.into(),
        private: described.private,
        request: described.request,
    })
}

fn fits(row: &Described, argument: Option<&str>) -> bool {
    match (row.argument, argument) {
        (Argument::None, None) => true,
        (Argument::Word(word), Some(argument)) => word == argument,
        (Argument::Symbol, Some(argument)) => match argument.find('@') {
            Some(at) => at > 0 && row.speeds.contains(&&argument[at..]),
            None => !argument.is_empty(),
        },
        _ => false,
    }
}

/// What a channel delivers; none for a name the sandbox does not serve.
fn channel(name: &str, about_all: bool) -> Option<Channel> {
    Some(match name {
        "spot/ticker" => Channel::SpotTicker,
        "spot/bookTicker" => Channel::SpotBookTicker,
        "spot/trade" => Channel::SpotTrade,
        "spot/depth5" => Channel::SpotDepth(5),
        "spot/depth20" => Channel::SpotDepth(20),
        "spot/depth50" => Channel::SpotDepth(50),
        "spot/depth/increase100" => Channel::SpotIncrease,
        "spot/user/order" => Channel::SpotOrder,
        "spot/user/orders" => Channel::SpotOrders,
        "spot/user/balance" => Channel::SpotBalance,
        "futures/ticker" if about_all => Channel::FuturesTickers,
        "futures/ticker" => Channel::FuturesTicker,
        "futures/trade" => Channel::FuturesTrade,
        "futures/bookticker" => Channel::FuturesBookTicker,
        "futures/fundingRate" => Channel::FuturesFundingRate,
        "futures/order" => Channel::FuturesOrder,
        "futures/position" => Channel::FuturesPosition,
        "futures/asset" => Channel::FuturesAsset,
        _ => {
            if let Some(levels) = name.strip_prefix("futures/depthIncrease") {
                Channel::FuturesIncrease(depth(levels)?)
            } else if let Some(levels) = name.strip_prefix("futures/depthAll") {
                Channel::FuturesDepthAll(depth(levels)?)
            } else if let Some(levels) = name.strip_prefix("futures/depth") {
                Channel::FuturesDepth(depth(levels)?)
            } else if let Some(step) = name.strip_prefix("futures/markPriceKlineBin") {
                Channel::FuturesMarkKline(minutes(step)?)
            } else if let Some(step) = name.strip_prefix("futures/klineBin") {
                Channel::FuturesKline(minutes(step)?)
            } else {
                Channel::SpotKline(minutes(name.strip_prefix("spot/kline")?)?)
            }
        }
    })
}

fn depth(levels: &str) -> Option<usize> {
    levels.parse().ok().filter(|levels| [5, 20, 50].contains(levels))
}

fn minutes(step: &str) -> Option<u64> {
    Some(match step {
        "1m" => 1,
        "3m" => 3,
        "5m" => 5,
        "15m" => 15,
        "30m" => 30,
        "1H" => 60,
        "2H" => 120,
        "4H" => 240,
        "1D" => 1_440,
        "1W" => 10_080,
        "1M" => 43_200,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_as_documented() {
        let spot =
            |text| parse(Host::Spot, text).map(|topic| (topic.channel, topic.symbol.to_string()));
        let btc = || "BTC_USDT".to_owned();
        assert_eq!(spot("spot/depth/increase100:BTC_USDT"), Some((Channel::SpotIncrease, btc())));
        assert_eq!(spot("spot/kline1M:BTC_USDT"), Some((Channel::SpotKline(43_200), btc())));
        assert_eq!(
            spot("spot/user/orders:ALL_SYMBOLS"),
            Some((Channel::SpotOrders, String::new()))
        );
        assert_eq!(spot("spot/user/orders:BTC_USDT"), None);
        assert_eq!(spot("spot/depth7:BTC_USDT"), None);
        assert_eq!(spot("futures/ticker:BTCUSDT"), None);
        let futures = |text| parse(Host::Futures, text).map(|topic| topic.channel);
        assert_eq!(
            futures("futures/depthIncrease20:BTCUSDT@200ms"),
            Some(Channel::FuturesIncrease(20))
        );
        assert_eq!(futures("futures/depthIncrease20:BTCUSDT@300ms"), None);
        assert_eq!(futures("futures/depth20:BTCUSDT"), Some(Channel::FuturesDepth(20)));
        assert_eq!(futures("futures/ticker"), Some(Channel::FuturesTickers));
        assert_eq!(futures("futures/ticker:"), None);
        assert_eq!(futures("futures/order:BTCUSDT"), None);
    }

    #[test]
    fn every_described_channel_is_served() {
        for row in CHANNELS {
            for name in row.names {
                let about_all = row.argument == Argument::None;
                assert!(channel(name, about_all).is_some(), "{name} is not served");
            }
        }
    }
}
