//! The types of the route tables.

use super::{EndpointId, Group};

/// HTTP method of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Parameters in the query.
    Get,
    /// Parameters in a JSON body.
    Post,
}

/// The listener that serves a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    /// The spot host.
    Spot,
    /// The futures host.
    Futures,
}

/// The authentication that a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Nothing.
    None,
    /// The key.
    Keyed,
    /// Key, timestamp and signature.
    Signed,
}

/// The envelope of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// `code`, `message`, `trace`, `data`.
    Standard,
    /// `errno`, `message`, `data`, `success`.
    Errno,
    /// `code`, `msg`, `data`, `errorData`, `success`.
    AccountInfo,
    /// Nothing.
    None,
}

/// A range of error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codes {
    /// Codes of market data.
    Quotation,
    /// Codes of spot, and of all endpoints without a separate range.
    Spot,
    /// Codes of the account endpoints.
    Account,
    /// Codes of futures.
    Futures,
}

/// What the requests of a rate limit are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The address of the caller.
    Ip,
    /// The key.
    Key,
    /// The user.
    Uid,
}

/// A published limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Requests per window.
    pub(crate) count: u32,
    /// Length of the window in seconds.
    pub(crate) window_secs: u32,
    /// What is counted.
    pub(crate) scope: Scope,
}

/// JSON form of a parameter; in a query everything is a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string.
    Text,
    /// A decimal number as string.
    Decimal,
    /// An integer.
    Integer,
    /// `true` or `false`.
    Flag,
    /// A list of strings, or of objects with the fields in [`Param::items`].
    List,
}

/// Whether a parameter is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Always.
    Required,
    /// Never.
    Optional,
    /// Depends on other parameters.
    Conditional,
}

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Param {
    /// Name on the wire, case included.
    pub(crate) name: &'static str,
    /// JSON form.
    pub(crate) kind: Kind,
    /// Whether it is required.
    pub(crate) presence: Presence,
    /// Documented values; empty if they are not listed.
    pub(crate) values: &'static [&'static str],
    /// Minimum of an integer.
    pub(crate) min: Option<i64>,
    /// Maximum of an integer, or of the length of a list.
    pub(crate) max: Option<i64>,
    /// Fields of the objects in a list.
    pub(crate) items: &'static [Param],
}

impl Param {
    pub(super) const fn new(name: &'static str, kind: Kind, presence: Presence) -> Self {
        Self {
            name,
            kind,
            presence,
            values: &[],
            min: None,
            max: None,
            items: &[],
        }
    }
    pub(super) const fn values(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        self
    }
    pub(super) const fn min(mut self, min: i64) -> Self {
        self.min = Some(min);
        self
    }
    pub(super) const fn max(mut self, max: i64) -> Self {
        self.max = Some(max);
        self
    }
    pub(super) const fn items(mut self, items: &'static [Param]) -> Self {
        self.items = items;
        self
    }
}

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// Its endpoint.
    pub(crate) id: EndpointId,
    /// The file that describes it.
    pub(crate) group: Group,
    /// HTTP method.
    pub(crate) method: Method,
    /// Path.
    pub(crate) path: &'static str,
    /// The listener that serves it.
    pub(crate) host: Host,
    /// Whether the other listener serves it as well.
    pub(crate) other_host: bool,
    /// The range of its error codes.
    pub(crate) codes: Codes,
    /// The message of a success.
    pub(crate) success: &'static str,
    /// The authentication that a request needs.
    pub(crate) auth: Auth,
    /// The permission that the key needs.
    pub(crate) permission: Option<&'static str>,
    /// Whether it may change anything.
    pub(crate) changes: bool,
    /// Published limit.
    pub(crate) limit: Option<Limit>,
    /// The envelope of a response.
    pub(crate) envelope: Envelope,
    /// Parameters: of the query for GET, of the body for POST.
    pub(crate) params: &'static [Param],
    /// Undocumented parameters that clients send.
    pub(crate) undocumented: &'static [&'static str],
}

impl Limit {
    pub(super) const fn new(count: u32, window_secs: u32, scope: Scope) -> Self {
        Self {
            count,
            window_secs,
            scope,
        }
    }
}
