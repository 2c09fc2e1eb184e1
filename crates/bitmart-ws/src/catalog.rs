//! The channels of both dialects, as the description in `api/*.toml` lists them.

use std::time::Duration;

use crate::{
    dialect::{Access, Control, Dialect, Incoming},
    event::{DecodeError, Recoded},
    generated::{self, CHANNELS},
    peek,
};

/// A channel of the venue.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Channel {
    /// The WebSocket it lives on.
    pub dialect: Dialect,
    /// Its topics, with names in braces: `spot/ticker:{symbol}`.
    pub pattern: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Whether it needs a login.
    pub private: bool,
    /// Whether a `request` for one frame is answered.
    pub request: bool,
    /// Names of an entry's fields on the wire; fields of inner objects are written `outer.inner`.
    pub fields: &'static [&'static str],
    /// Those of the fields without which an entry means nothing: one that lacks one of them is a
    /// fault. Where an inner object may be absent as a whole, its essential fields count when it is
    /// there.
    pub essential: &'static [&'static str],
    /// Other names of fields that have been seen: the present one, and the other.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Places where [`recode`] may write another spelling of the same value, and why.
    pub ignores: &'static [(&'static str, &'static str)],
    pub(crate) recode: fn(&str) -> Result<Recoded, DecodeError>,
}

/// What BitMart publishes about one side of a dialect, or what was observed where it publishes
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedLimits {
    /// Connections from one address at a time, by all programs together.
    pub connections_per_address: usize,
    /// Topics on one connection.
    pub topics_per_connection: Option<usize>,
    /// Topics in one command.
    pub topics_per_message: Option<usize>,
    /// Length of one command in bytes.
    pub bytes_per_message: usize,
    /// Frames that the client may send, pings included.
    pub messages: Option<Rate>,
    /// Attempts to connect.
    pub connects: Option<Rate>,
    /// Silence of the client after which the server closes.
    pub idle_close: Duration,
    /// Time without a subscription after which the server closes.
    pub no_topic_close: Duration,
    /// How far the timestamp of a login may be off. The client signs each login when it sends it.
    pub login_valid: Duration,
}

/// So many in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// How many.
    pub count: usize,
    /// In which time.
    pub window: Duration,
}

impl PublishedLimits {
    /// The limits of this side of this dialect.
    pub const fn of(dialect: Dialect, access: Access) -> Self {
        match (dialect, access) {
            (Dialect::Spot, Access::Public) => generated::SPOT_PUBLIC,
            (Dialect::Spot, Access::Private) => generated::SPOT_PRIVATE,
            (Dialect::Futures, Access::Public) => generated::FUTURES_PUBLIC,
            (Dialect::Futures, Access::Private) => generated::FUTURES_PRIVATE,
        }
    }
}

/// Every channel that this crate has types for.
pub fn channels() -> &'static [Channel] {
    CHANNELS
}

/// The channel of a topic or of the `"table"` or `"group"` of a frame; symbol and `@…` suffix do
/// not matter.
pub fn channel(dialect: Dialect, name: &str) -> Option<&'static Channel> {
    let name = base(name);
    CHANNELS.iter().find(|channel| channel.dialect == dialect && fits(base(channel.pattern), name))
}

/// Decodes a data frame by its channel and writes it again from the typed events, so that both
/// texts can be compared. `None` when the channel is not in the catalog.
///
/// # Errors
///
/// The frame as a whole cannot be read. Entries that cannot are in [`Recoded::faults`].
pub fn recode(dialect: Dialect, text: &str) -> Result<Option<Recoded>, DecodeError> {
    peek::channel(text)
        .and_then(|name| channel(dialect, name))
        .map(|channel| (channel.recode)(text))
        .transpose()
}

/// Whether this is a frame that a connection acts on instead of passing it on: an acknowledgement, a
/// refusal, the answer to a login or a ping.
pub fn is_control(dialect: Dialect, text: &str) -> bool {
    match dialect.classify(text) {
        Incoming::Control(control) => control != Control::Unknown,
        Incoming::Data { .. } => false,
    }
}

/// The name up to its symbol.
fn base(name: &str) -> &str {
    name.split_once(':').map_or(name, |(base, _)| base)
}

/// Whether `name` is `pattern` with its placeholder, if any, filled in: levels and steps start with
/// a digit.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('{') {
        None => pattern == name,
        Some((front, _)) => name.strip_prefix(front).is_some_and(|value| {
            value.starts_with(|c: char| c.is_ascii_digit())
                && value.chars().all(|c| c.is_ascii_alphanumeric())
        }),
    }
}
