//! The channels of the API description.

use super::Host;

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

/// A channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    /// The listener that serves it.
    pub(crate) host: Host,
    /// Its names: one, or one per number of levels or interval.
    pub(crate) names: &'static [&'static str],
    /// The part after the colon.
    pub(crate) argument: Argument,
    /// Suffixes that may follow the argument; empty if it has none.
    pub(crate) speeds: &'static [&'static str],
    /// Whether it requires a login.
    pub(crate) private: bool,
    /// Whether it supports `request`.
    pub(crate) request: bool,
}
