//! API errors.

mod codes;
mod rejection;

use std::borrow::Cow;

use self::codes::TABLE;
pub(crate) use self::rejection::rejection_error;
use crate::generated::{Codes, Group, Route};

/// An error response of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WireError {
    pub(crate) status: u16,
    pub(crate) code: u32,
    pub(crate) message: Cow<'static, str>,
    /// An explanation for the developer of the client, sent in the header `X-Sandbox-Reason`. It is not part of the body
    /// and contains no secret.
    pub(crate) reason: Option<Box<str>>,
}

impl WireError {
    /// Replaces the documented message, for codes whose message is a template or needs an explanation.
    #[must_use]
    pub(crate) fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds an explanation for the developer of the client.
    #[must_use]
    pub(crate) fn with_reason(mut self, reason: impl Into<Box<str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// Groups of endpoints that have different codes for the same rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorFamily {
    /// Spot, margin and savings.
    Spot,
    /// Futures.
    Futures,
    /// Deposits, withdrawals and transfers between spot and funding.
    Account,
    /// Transfers to and from futures.
    FuturesTransfer,
    /// Transfers between accounts.
    SubAccount,
}

impl ErrorFamily {
    /// The family of an endpoint.
    pub(crate) fn of(route: &Route) -> Self {
        match route.group {
            Group::SpotSubAccount | Group::FuturesSubAccount => Self::SubAccount,
            Group::FuturesTransfer => Self::FuturesTransfer,
            Group::SpotAccount if route.codes == Codes::Account => Self::Account,
            Group::Affiliate
            | Group::FuturesAccount
            | Group::FuturesMarket
            | Group::FuturesPlan
            | Group::FuturesTrading => Self::Futures,
            Group::Broker
            | Group::Earn
            | Group::EarnFixed
            | Group::EarnFlexible
            | Group::Margin
            | Group::SpotAccount
            | Group::SpotAlgo
            | Group::SpotMarket
            | Group::SpotTrading
            | Group::System => Self::Spot,
        }
    }
}

/// Looks a code up in the table of documented errors.
pub(crate) fn error(code: u32) -> WireError {
    let (status, message) = TABLE
        .binary_search_by_key(&code, |row| row.0)
        .map_or((500, "Internal Server Error"), |at| (TABLE[at].1, TABLE[at].2));
    WireError { status, code, message: Cow::Borrowed(message), reason: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_lookup_finds_every_code() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(TABLE.iter().all(|row| error(row.0).message == row.2));
    }

    /// `tests/codes.rs` tests that every row of the table in the README is correct.
    #[test]
    fn every_code_is_in_the_readme() {
        let readme = include_str!("../../README.md");
        let (_, after) = readme.split_once("## Error codes").expect("the section");
        let (table, _) = after.split_once("## Money").expect("the next section");
        let missing: Vec<_> =
            TABLE.iter().filter(|row| !table.contains(&row.0.to_string())).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
