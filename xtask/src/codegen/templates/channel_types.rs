//! What the sandbox knows about each channel: the facts of the API description, as plain data.

use super::Host;

/// What follows the colon of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// Nothing, not even the colon.
    None,
    /// A pair or contract.
    Symbol,
    /// This word.
    Word(&'static str),
}

/// A channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    /// The listener that serves it.
    pub(crate) host: Host,
    /// Its names: one, or one per number of levels.
    pub(crate) names: &'static [&'static str],
    /// What follows the name.
    pub(crate) argument: Argument,
    /// What may follow the argument; empty where nothing may.
    pub(crate) speeds: &'static [&'static str],
    /// Whether it needs a login.
    pub(crate) private: bool,
    /// Whether a request for one frame is answered.
    pub(crate) request: bool,
}
