//! The commands of a client.

use std::fmt;

use serde_json::Value;

use crate::dialect::Market;

/// A command of a client: a login, a subscription, an unsubscription or a snapshot request.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCommand {
    /// The market in which it is written.
    pub market: Market,
    /// `login`, `access`, `subscribe`, `unsubscribe` or `request`.
    pub operation: String,
    /// The topics; for a login the key, the time and the signature.
    pub arguments: Vec<String>,
}

impl ClientCommand {
    /// Parses a command of either market.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let (market, operation) = match (value.get("op"), value.get("action")) {
            (Some(operation), _) => (Market::Spot, operation),
            (None, operation) => (Market::Futures, operation?),
        };
        let arguments = value.get("args")?.as_array()?.iter();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            market,
            operation: text(operation)?,
            arguments: arguments.map(text).collect::<Option<_>>()?,
        })
    }

    /// Whether the command is a login.
    pub fn is_login(&self) -> bool {
        matches!(self.operation.as_str(), "login" | "access")
    }
}

/// Redacts the arguments of a login.
impl fmt::Debug for ClientCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ClientCommand");
        shown.field("market", &self.market).field("operation", &self.operation);
        if self.is_login() {
            return shown.finish_non_exhaustive();
        }
        shown.field("arguments", &self.arguments).finish()
    }
}
