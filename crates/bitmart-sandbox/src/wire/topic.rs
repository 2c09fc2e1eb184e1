//! Parsing of topic names.

use smol_str::SmolStr;

use crate::generated::{
    Host,
    channels::{Argument, CHANNELS, Channel, ChannelId, UNTYPED, Variant},
};

/// A channel with its symbol or currency, which is empty for channels about all. Topics of the same channel and symbol
/// are adjacent in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Topic {
    pub(crate) channel: ChannelId,
    pub(crate) symbol: SmolStr,
    /// Levels of a book; 0 for other channels.
    pub(crate) levels: usize,
    /// Length of a candle in minutes; 0 for other channels.
    pub(crate) minutes: u64,
    /// The name as the client sent it.
    pub(crate) text: SmolStr,
    /// Whether the channel supports `request`.
    pub(crate) takes_requests: bool,
}

impl Topic {
    /// The lower bound of the topics with this channel and symbol.
    pub(crate) fn first_of(channel: ChannelId, symbol: SmolStr) -> Self {
        let text = SmolStr::default();
        Self { channel, symbol, levels: 0, minutes: 0, text, takes_requests: false }
    }

    /// Whether the topic requires a login.
    pub(crate) fn is_private(&self) -> bool {
        self.channel.is_private()
    }
}

/// Whether only the name of the channel of a topic is known, so that the sandbox does not serve it.
pub(crate) fn is_unserved(host: Host, text: &str) -> bool {
    UNTYPED.iter().any(|(of, name)| *of == host && text.starts_with(name))
}

/// Whether a text is a topic of either host.
pub(crate) fn is_topic(text: &str) -> bool {
    [Host::Spot, Host::Futures].iter().any(|host| parse(*host, text).is_some())
}

/// Parses a topic; `None` if the host does not have the channel. The symbol is not checked.
pub(crate) fn parse(host: Host, text: &str) -> Option<Topic> {
    let (name, argument) = match text.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (text, None),
    };
    let named = |row: &Channel| Some(row.names.iter().find(|row| row.0 == name)?.1);
    let here = CHANNELS.iter().filter(|row| row.id.host() == host && fits(row, argument));
    let (row, variant) = here.into_iter().find_map(|row| Some((row, named(row)?)))?;
    let symbol = match row.argument {
        Argument::Symbol => argument
            .map_or("", |argument| argument.split_once('@').map_or(argument, |parts| parts.0)),
        Argument::None | Argument::Word(_) => "",
    };
    let (levels, minutes) = match variant {
        Variant::None => (0, 0),
        Variant::Levels(levels) => (levels, 0),
        Variant::Interval(interval) => (0, minutes(interval)?),
    };
    Some(Topic {
        channel: row.id,
        symbol: symbol.into(),
        levels,
        minutes,
        text: text.into(),
        takes_requests: row.request,
    })
}

/// Whether a topic of a channel may have this argument, or none.
fn fits(row: &Channel, argument: Option<&str>) -> bool {
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

/// The minutes of an interval: a number, and `m`, `H`, `D`, `W` or `M`, a month of 30 days.
fn minutes(interval: &str) -> Option<u64> {
    let (count, unit) = interval.split_at_checked(interval.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => 1,
        "H" => 60,
        "D" => 1_440,
        "W" => 10_080,
        "M" => 43_200,
        _ => return None,
    };
    Some(count.parse::<u64>().ok()? * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::channels::{FuturesPublic, SpotPrivate, SpotPublic};

    #[test]
    fn documented_topics_are_parsed() {
        let spot = |text| {
            parse(Host::Spot, text)
                .map(|topic| (topic.channel, topic.symbol.to_string(), topic.minutes))
        };
        let public = |channel, minutes| {
            Some((ChannelId::SpotPublic(channel), "BTC_USDT".to_owned(), minutes))
        };
        assert_eq!(spot("spot/depth/increase100:BTC_USDT"), public(SpotPublic::DepthUpdates, 0));
        assert_eq!(spot("spot/kline1M:BTC_USDT"), public(SpotPublic::Klines, 43_200));
        let all = ChannelId::SpotPrivate(SpotPrivate::AllUserOrders);
        assert_eq!(spot("spot/user/orders:ALL_SYMBOLS"), Some((all, String::new(), 0)));
        assert_eq!(spot("spot/user/orders:BTC_USDT"), None);
        assert_eq!(spot("spot/depth7:BTC_USDT"), None);
        assert_eq!(spot("futures/ticker:BTCUSDT"), None);
        let futures = |text| {
            let topic = parse(Host::Futures, text)?;
            match topic.channel {
                ChannelId::FuturesPublic(channel) => Some((channel, topic.levels)),
                _ => None,
            }
        };
        assert_eq!(
            futures("futures/depthIncrease20:BTCUSDT@200ms"),
            Some((FuturesPublic::DepthUpdates, 20))
        );
        assert_eq!(futures("futures/depthIncrease20:BTCUSDT@300ms"), None);
        assert_eq!(futures("futures/depth20:BTCUSDT"), Some((FuturesPublic::SideDepth, 20)));
        assert_eq!(futures("futures/ticker"), Some((FuturesPublic::AllTickers, 0)));
        assert_eq!(futures("futures/ticker:"), None);
        assert_eq!(futures("futures/order:BTCUSDT"), None);
    }

    #[test]
    fn every_described_interval_has_minutes() {
        for (name, variant) in CHANNELS.iter().flat_map(|row| row.names) {
            if let Variant::Interval(interval) = variant {
                assert!(minutes(interval).is_some_and(|minutes| minutes > 0), "{name}");
            }
        }
    }
}
