//! The exchange's error codes: what kind of trouble each one is, what to do about it, and whether
//! the same request may be sent again.
//!
//! The catalogue holds every code that BitMart publishes. A code that is not in it is kept as it
//! came, has no category, and proves nothing: the [`Outcome`](crate::Outcome) is `Unknown`.
//!
//! Where BitMart's documents read a code in different ways, the catalogue takes the reading that
//! cannot make a request that took effect look refused; the advice names the others.
//!
//! ```
//! use bitmart_rest::code::{self, Category, TryAgain};
//!
//! let known = code::lookup(50020).unwrap();
//! assert_eq!(known.category, Category::InsufficientFunds);
//! assert_eq!(known.try_again, TryAgain::AfterChange);
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
use crate::wire::endpoint::Effect;

/// What kind of trouble an error code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Key, signature or memo are wrong.
    Authentication,
    /// The request's timestamp is outside the exchange's window.
    Clock,
    /// The key, the account or the address may not do this.
    Permission,
    /// Too many requests; stop before it becomes a ban.
    RateLimited,
    /// Banned after going on despite rate limiting.
    Banned,
    /// The function is switched off for a while.
    Maintenance,
    /// The endpoint was switched off for good.
    Deprecated,
    /// A parameter is missing or wrong.
    InvalidRequest,
    /// The symbol, contract or currency exists but cannot be used for this, perhaps for a while.
    Instrument,
    /// A trading or account rule forbids it: size, price band, position, address not verified.
    Refused,
    /// The wallet does not hold enough.
    InsufficientFunds,
    /// No order has this id: it is a wrong one, or of another symbol or account, or of an order that is
    /// forgotten by now.
    OrderNotFound,
    /// The order was filled or cancelled before.
    OrderNotOpen,
    /// A client order id or request number was used before.
    DuplicateId,
    /// There is nothing to answer with; some reads say it with an error code.
    NoData,
    /// Something failed inside the exchange. Whether the request took effect is not known.
    ServerFault,
}

/// Whether the same request may be sent again after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TryAgain {
    /// It was refused and had no effect. The same request may work later.
    Later,
    /// It was refused and had no effect. The same request is refused again until something
    /// changes: its parameters, the account, the key, the clock.
    AfterChange,
    /// It was refused and had no effect. The same request will not work.
    Never,
    /// The code does not prove that it had no effect. A read can be sent again at once; before a
    /// write is sent again, look up what happened.
    AfterQuery,
}

/// An error code of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorCode {
    /// The code.
    pub code: i64,
    /// HTTP status that BitMart documents for it. The answer may have another one.
    pub status: Option<u16>,
    /// What kind of trouble it stands for.
    pub category: Category,
    /// Whether the same request may be sent again.
    pub try_again: TryAgain,
    /// The text that BitMart documents for it, `%s` and `%d` standing for values. Empty where the
    /// code is documented without a text. Answers word it differently now and then.
    pub message: &'static str,
    /// Further documented texts of the same code.
    pub other_messages: &'static [&'static str],
    /// What to do about it.
    pub advice: &'static str,
}

/// One row of the catalogue; status 0 where none is documented.
const fn row(
    code: i64,
    status: u16,
    category: Category,
    message: &'static str,
    advice: &'static str,
) -> ErrorCode {
    let status = if status == 0 { None } else { Some(status) };
    let try_again = category.try_again();
    ErrorCode { code, status, category, try_again, message, other_messages: &[], advice }
}

impl ErrorCode {
    const fn also(mut self, messages: &'static [&'static str]) -> Self {
        self.other_messages = messages;
        self
    }
    /// Where the code says more than its category.
    const fn try_again(mut self, try_again: TryAgain) -> Self {
        self.try_again = try_again;
        self
    }
    /// Whether the code proves that the request had no effect.
    pub fn proves_refusal(&self) -> bool {
        self.try_again != TryAgain::AfterQuery
    }
}

impl Category {
    const fn try_again(self) -> TryAgain {
        match self {
            Self::RateLimited | Self::Banned | Self::Maintenance => TryAgain::Later,
            Self::Deprecated | Self::OrderNotFound | Self::OrderNotOpen | Self::DuplicateId => {
                TryAgain::Never
            }
            Self::ServerFault => TryAgain::AfterQuery,
            Self::Authentication
            | Self::Clock
            | Self::Permission
            | Self::InvalidRequest
            | Self::Instrument
            | Self::Refused
            | Self::InsufficientFunds
            | Self::NoData => TryAgain::AfterChange,
        }
    }
}

const NOT_OPEN: &str =
    "It may have been filled or cancelled before; query the order to learn its final state.";
const NOT_FOUND: &str =
    "Check id and symbol; the exchange forgets an order that was cancelled without a fill soon.";
/// What `NOT_FOUND` and `NOT_OPEN` mean where an order was to be changed or cancelled.
const NOT_FOUND_BY_CHANGE: &str =
    "Check id and symbol; it may have been filled or cancelled before: query the order.";
/// What `NOT_OPEN` means where an order was asked for: there is nothing else to query it with.
const NOT_OPEN_BY_QUERY: &str =
    "It may have been filled or cancelled before; look for it in the order history.";
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

/// What is known about `code`; `None` for a code that no source lists.
pub fn lookup(code: i64) -> Option<&'static ErrorCode> {
    let section = SECTIONS.iter().find(|section| section.last().is_some_and(|c| code <= c.code))?;
    let place = section.binary_search_by_key(&code, |entry| entry.code).ok()?;
    Some(&section[place])
}

/// What kind of trouble `code` stands for; `None` for a code that no source lists.
pub fn category(code: i64) -> Option<Category> {
    lookup(code).map(|entry| entry.category)
}

/// What to do about `code`. One code stands for four faults of time, told apart by `message` only. What an
/// order that is not found means depends on what was asked, too: [`Error::advice`](crate::Error::advice)
/// knows it.
pub fn advice(code: i64, message: &str) -> Option<&'static str> {
    match clock_fault(code, message) {
        Some(fault) => Some(fault.advice()),
        None => lookup(code).map(|entry| entry.advice),
    }
}

/// What to do about an answer to a request with this effect.
pub(crate) fn advice_for(effect: Effect, code: i64, message: &str) -> Option<&'static str> {
    match (category(code), effect) {
        (Some(Category::OrderNotFound), Effect::Trade) => Some(NOT_FOUND_BY_CHANGE),
        (Some(Category::OrderNotOpen), Effect::Read) => Some(NOT_OPEN_BY_QUERY),
        _ => advice(code, message),
    }
}

/// Which fault of time `code` and `message` stand for, if any.
pub fn clock_fault(code: i64, message: &str) -> Option<ClockFault> {
    ClockFault::of(code, message)
}

#[cfg(test)]
mod tests;
