//! The catalogue of channels and published limits, generated from the description in `api/*.toml`.

use std::time::Duration;

use crate::{
    dialect::{self, Access, Control, Incoming, Market},
    event::{DecodeError, Recoded},
    generated::{self, CHANNELS},
    peek,
};

/// A channel of the exchange.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Channel {
    /// The market, and with it the server.
    pub market: Market,
    /// Pattern of its topics, with placeholders in braces: `spot/ticker:{symbol}`.
    pub pattern: &'static str,
    /// Short description.
    pub title: &'static str,
    /// Address of its section in BitMart's documentation, or of the page if it has no anchor. `None`
    /// if BitMart does not document it.
    pub docs: Option<&'static str>,
    /// Whether it requires a login.
    pub private: bool,
    /// Whether a snapshot can be requested, with the command `request`.
    pub supports_request: bool,
    /// Wire names of an entry's fields; fields of inner objects are written `outer.inner`.
    pub fields: &'static [&'static str],
    /// Essential fields: an entry without one of them is a fault. If an inner object is optional, its
    /// essential fields are required only when it is present.
    pub essential: &'static [&'static str],
    /// Fields that were sent under another name before: the present name, and the earlier one. Both are decoded.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Paths where [`recode`] may write the same value in another spelling, each with the reason.
    pub ignores: &'static [(&'static str, &'static str)],
    pub(crate) recode: fn(&str) -> Result<Recoded, DecodeError>,
}

/// Limits of the public or private connections of a market: published by BitMart, or observed where
/// it publishes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedLimits {
    /// Simultaneous connections from one address, of all programs together.
    pub connections_per_address: usize,
    /// Topics per connection. `None` if no limit is published.
    pub topics_per_connection: Option<usize>,
    /// Topics per command. `None` if no limit is published.
    pub topics_per_message: Option<usize>,
    /// Largest command in bytes.
    pub bytes_per_message: usize,
    /// Rate of frames that the client may send on one connection, pings included. `None` if no limit is published.
    pub messages: Option<Rate>,
    /// Rate of connection attempts from one address. `None` if no limit is published.
    pub connects: Option<Rate>,
    /// Time without a frame from the client after which the server closes the connection.
    pub idle_close: Duration,
    /// Time without a subscription after which the server closes the connection.
    pub no_topic_close: Duration,
    /// By how much the timestamp of a login may differ from the server's clock.
    pub login_valid: Duration,
}

/// A count per window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// Largest count within the window.
    pub count: usize,
    /// Length of the window.
    pub window: Duration,
}

impl PublishedLimits {
    /// Returns the limits of the public or private connections of a market.
    pub const fn new(market: Market, access: Access) -> Self {
        match (market, access) {
            (Market::Spot, Access::Public) => generated::SPOT_PUBLIC,
            (Market::Spot, Access::Private) => generated::SPOT_PRIVATE,
            (Market::Futures, Access::Public) => generated::FUTURES_PUBLIC,
            (Market::Futures, Access::Private) => generated::FUTURES_PRIVATE,
        }
    }
}

/// Returns all channels that this crate has types for.
pub fn channels() -> &'static [Channel] {
    CHANNELS
}

/// Returns the channel of a topic, or of the `"table"` or `"group"` of a frame. Symbol and `@…` suffix
/// are ignored.
pub fn channel(market: Market, name: &str) -> Option<&'static Channel> {
    let name = without_symbol(name);
    let channels = || CHANNELS.iter().filter(|channel| channel.market == market);
    let exact = channels().find(|channel| matches_pattern(without_symbol(channel.pattern), name));
    // The case of a futures group varies.
    exact.or_else(|| {
        let name = name.to_ascii_lowercase();
        channels().filter(|channel| channel.market == Market::Futures).find(|channel| {
            let pattern = without_symbol(channel.pattern).to_ascii_lowercase();
            matches_pattern(&pattern, &name)
        })
    })
}

/// Decodes a data frame by its channel and encodes the typed events again, so that both texts can be
/// compared. `None` if the frame names no channel of the catalogue.
///
/// # Errors
///
/// The frame as a whole cannot be decoded. Undecodable entries are in [`Recoded::faults`].
pub fn recode(market: Market, text: &str) -> Result<Option<Recoded>, DecodeError> {
    peek::frame_name(text)
        .and_then(|name| channel(market, name))
        .map(|channel| (channel.recode)(text))
        .transpose()
}

/// Returns whether this is a control frame: an acknowledgement, a rejection, or the response to a
/// login or a ping.
pub fn is_control(market: Market, text: &str) -> bool {
    match dialect::classify(market, text) {
        Incoming::Control(control) => control != Control::Unknown,
        Incoming::Data { .. } => false,
    }
}

/// Returns the name without its symbol.
fn without_symbol(name: &str) -> &str {
    name.split_once(':').map_or(name, |(channel, _)| channel)
}

/// Returns whether `name` matches `pattern`, whose placeholder, if any, takes levels or an interval.
/// Both start with a digit.
fn matches_pattern(pattern: &str, name: &str) -> bool {
    match pattern.split_once('{') {
        None => pattern == name,
        Some((front, _)) => name.strip_prefix(front).is_some_and(|value| {
            value.starts_with(|c: char| c.is_ascii_digit())
                && value.chars().all(|c| c.is_ascii_alphanumeric())
        }),
    }
}
