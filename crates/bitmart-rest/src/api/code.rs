//! The exchange's error codes: their categories, what to do about them, and whether the same request
//! may be sent again.
//!
//! The catalogue contains every code that BitMart publishes. Any other code is passed on unchanged,
//! has no category, and proves nothing: the [`Outcome`](crate::Outcome) is `Unknown`.
//!
//! Where BitMart's documents contradict each other, the catalogue takes the reading that cannot make a
//! request that took effect look rejected; the advice names the others.
//!
//! ```
//! use bitmart_rest::code::{self, Category, RetryAdvice};
//!
//! let known = code::lookup(50020).unwrap();
//! assert_eq!(known.category, Category::InsufficientFunds);
//! assert_eq!(known.retry, RetryAdvice::AfterChange);
//! assert_eq!(known.message, "Balance not enough");
//! assert!(code::lookup(12345).is_none());
//! ```

mod account;
mod clock;
mod common;
mod futures;
mod market;
mod spot;

pub use self::clock::ClockFault;
use crate::protocol::endpoint::Effect;

/// The category of an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Key, signature or memo are wrong.
    Authentication,
    /// The request's timestamp is outside the exchange's window.
    Clock,
    /// The key, the account or the IP address lacks the permission.
    Permission,
    /// Too many requests; continuing leads to a ban.
    RateLimited,
    /// Banned after continuing despite rate limiting.
    Banned,
    /// The function is temporarily disabled.
    Maintenance,
    /// The endpoint was removed.
    Deprecated,
    /// A parameter is missing or wrong.
    InvalidRequest,
    /// The symbol, contract or currency exists but cannot be used for this, perhaps temporarily.
    Instrument,
    /// A trading or account rule forbids it: size, price band, position, address not verified.
    RuleViolation,
    /// The wallet has insufficient funds.
    InsufficientFunds,
    /// No order has this id: the id is wrong, belongs to another symbol or account, or the exchange no
    /// longer keeps the order.
    OrderNotFound,
    /// The order was already filled or canceled.
    OrderNotOpen,
    /// The client order id or request number was already used.
    DuplicateId,
    /// There is no data; some reads report that with an error code.
    NoData,
    /// An internal error of the exchange. Whether the request took effect is unknown.
    ServerFault,
}

/// Whether the same request may be sent again after an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryAdvice {
    /// It was rejected and had no effect. The same request may succeed later.
    Later,
    /// It was rejected and had no effect. The same request is rejected again until something
    /// changes: its parameters, the account, the key or the clock.
    AfterChange,
    /// It was rejected and had no effect. The same request will never succeed.
    Never,
    /// The code does not prove that it had no effect. A read can be sent again at once; query the result
    /// of a write before sending it again.
    AfterQuery,
}

/// An error code of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorCode {
    /// The code.
    pub code: i64,
    /// HTTP status that BitMart documents for it. Responses may have another one.
    pub status: Option<u16>,
    /// Its category.
    pub category: Category,
    /// Whether the same request may be sent again.
    pub retry: RetryAdvice,
    /// The message that BitMart documents for it, with `%s` and `%d` for values. Empty if the code is
    /// documented without a message. Responses sometimes differ from it.
    pub message: &'static str,
    /// Other documented messages of the same code.
    pub other_messages: &'static [&'static str],
    /// What to do about it.
    pub advice: &'static str,
}

/// One row of the catalogue; status 0 if none is documented.
const fn row(
    code: i64,
    status: u16,
    category: Category,
    message: &'static str,
    advice: &'static str,
) -> ErrorCode {
    let status = if status == 0 { None } else { Some(status) };
    let retry = category.retry_advice();
    ErrorCode { code, status, category, retry, message, other_messages: &[], advice }
}

impl ErrorCode {
    const fn also(mut self, messages: &'static [&'static str]) -> Self {
        self.other_messages = messages;
        self
    }
    /// Overrides the advice of the category.
    const fn retry(mut self, retry: RetryAdvice) -> Self {
        self.retry = retry;
        self
    }
    /// Whether the code proves that the request had no effect.
    pub fn proves_rejection(&self) -> bool {
        self.retry != RetryAdvice::AfterQuery
    }
}

impl Category {
    const fn retry_advice(self) -> RetryAdvice {
        match self {
            Self::RateLimited | Self::Banned | Self::Maintenance => RetryAdvice::Later,
            Self::Deprecated | Self::OrderNotFound | Self::OrderNotOpen | Self::DuplicateId => {
                RetryAdvice::Never
            }
            Self::ServerFault => RetryAdvice::AfterQuery,
            Self::Authentication
            | Self::Clock
            | Self::Permission
            | Self::InvalidRequest
            | Self::Instrument
            | Self::RuleViolation
            | Self::InsufficientFunds
            | Self::NoData => RetryAdvice::AfterChange,
        }
    }
}

const NOT_OPEN: &str =
    "It may have been filled or canceled before; query the order to learn its final state.";
const NOT_FOUND: &str =
    "Check id and symbol; the exchange forgets an order that was canceled without a fill soon.";
/// Replaces `NOT_FOUND` and `NOT_OPEN` for requests that change or cancel an order.
const NOT_FOUND_BY_CHANGE: &str =
    "Check id and symbol; it may have been filled or canceled before: query the order.";
/// Replaces `NOT_OPEN` for queries: there is no other way to query the order.
const NOT_OPEN_BY_QUERY: &str =
    "It may have been filled or canceled before; see the order history.";
const CLIENT_ID: &str = "A client order id has 1 to 32 letters and digits.";
const DUPLICATE: &str =
    "An order with this client order id exists; query it before choosing another id.";
const RULES: &str = "Compare size, price and size × price with the symbol's limits.";
const INTERNAL: &str = "A service inside the exchange failed.";

/// Ascending, from one section to the next and within each.
const SECTIONS: [&[ErrorCode]; 5] =
    [common::CODES, futures::CODES, spot::CODES, account::CODES, market::CODES];

/// All known codes, ascending.
pub fn all() -> impl Iterator<Item = &'static ErrorCode> {
    SECTIONS.iter().copied().flatten()
}

/// The catalogue's entry for `code`; `None` for an undocumented code.
pub fn lookup(code: i64) -> Option<&'static ErrorCode> {
    let section = SECTIONS.iter().find(|section| section.last().is_some_and(|c| code <= c.code))?;
    let place = section.binary_search_by_key(&code, |entry| entry.code).ok()?;
    Some(&section[place])
}

/// The category of `code`; `None` for an undocumented code.
pub fn category(code: i64) -> Option<Category> {
    lookup(code).map(|entry| entry.category)
}

/// What to do about `code`. One code has four kinds of clock errors that only `message` distinguishes.
/// For orders that are not found, [`Error::advice`](crate::Error::advice) also considers the request.
pub fn advice(code: i64, message: &str) -> Option<&'static str> {
    match clock_fault(code, message) {
        Some(fault) => Some(fault.advice()),
        None => lookup(code).map(|entry| entry.advice),
    }
}

/// What to do about `code` in the response to a request with this effect.
pub(crate) fn advice_for(effect: Effect, code: i64, message: &str) -> Option<&'static str> {
    match (category(code), effect) {
        (Some(Category::OrderNotFound), Effect::Trade) => Some(NOT_FOUND_BY_CHANGE),
        (Some(Category::OrderNotOpen), Effect::Read) => Some(NOT_OPEN_BY_QUERY),
        _ => advice(code, message),
    }
}

/// The kind of clock error of `code` and `message`, if it is one.
pub fn clock_fault(code: i64, message: &str) -> Option<ClockFault> {
    ClockFault::from_code(code, message)
}

#[cfg(test)]
mod tests;
