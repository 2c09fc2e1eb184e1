//! The channels of the API description.

use super::Host;

/// A channel, by listener and by whether it requires a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ChannelId {
    /// A public channel of the spot host.
    SpotPublic(SpotPublic),
    /// A private channel of the spot host.
    SpotPrivate(SpotPrivate),
    /// A public channel of the futures host.
    FuturesPublic(FuturesPublic),
    /// A private channel of the futures host.
    FuturesPrivate(FuturesPrivate),
}

impl ChannelId {
    /// The listener that serves it.
    pub(crate) fn host(self) -> Host {
        match self {
            Self::SpotPublic(_) | Self::SpotPrivate(_) => Host::Spot,
            Self::FuturesPublic(_) | Self::FuturesPrivate(_) => Host::Futures,
        }
    }

    /// Whether it requires a login.
    pub(crate) fn is_private(self) -> bool {
        matches!(self, Self::SpotPrivate(_) | Self::FuturesPrivate(_))
    }
}

/// The part of a topic after the colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// No colon.
    None,
    /// A pair or contract.
    Symbol,
    /// This fixed text.
    Word(&'static str),
}

/// What distinguishes the names of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Nothing: there is one name.
    None,
    /// The number of levels of a book.
    Levels(usize),
    /// The length of a candle, as the exchange writes it.
    Interval(&'static str),
}

/// The facts of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    /// Its id.
    pub(crate) id: ChannelId,
    /// Its names: one, or one per number of levels or interval.
    pub(crate) names: &'static [(&'static str, Variant)],
    /// The part after the colon.
    pub(crate) argument: Argument,
    /// Suffixes that may follow the argument; empty if it has none.
    pub(crate) speeds: &'static [&'static str],
    /// Whether it supports `request`.
    pub(crate) request: bool,
}
