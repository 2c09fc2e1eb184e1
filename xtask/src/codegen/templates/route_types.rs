//! What the sandbox knows about each route: the facts of the API description, as plain data.

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

/// What a request must carry.
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
    /// That of quotations.
    Quotation,
    /// That of spot, and of all endpoints without a range of their own.
    Spot,
    /// That of the account.
    Account,
    /// That of futures.
    Futures,
}

/// What a limit counts by.
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

/// JSON form of a parameter; in a query everything is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A decimal number in a text.
    Decimal,
    /// An integer.
    Integer,
    /// `true` or `false`.
    Flag,
    /// A list: of texts, or of objects with the fields in [`Param::items`].
    List,
}

/// Whether a parameter must be there.
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
    /// Whether it must be there.
    pub(crate) presence: Presence,
    /// Documented values; empty where they are not listed.
    pub(crate) values: &'static [&'static str],
    /// Least value of an integer.
    pub(crate) min: Option<i64>,
    /// Greatest value of an integer, or of a list's length.
    pub(crate) max: Option<i64>,
    /// Fields of the objects in a list.
    pub(crate) items: &'static [Param],
}

impl Param {
    const fn new(name: &'static str, kind: Kind, presence: Presence) -> Self {
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
    const fn values(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        self
    }
    const fn min(mut self, min: i64) -> Self {
        self.min = Some(min);
        self
    }
    const fn max(mut self, max: i64) -> Self {
        self.max = Some(max);
        self
    }
    const fn items(mut self, items: &'static [Param]) -> Self {
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
    /// What a request must carry.
    pub(crate) auth: Auth,
    /// What the key must be allowed to do.
    pub(crate) permission: Option<&'static str>,
    /// Whether it may change anything.
    pub(crate) changes: bool,
    /// Published limit.
    pub(crate) limit: Option<Limit>,
    /// The envelope of a response.
    pub(crate) envelope: Envelope,
    /// Parameters: of the query for GET, of the body for POST.
    pub(crate) params: &'static [Param],
    /// Parameters that clients send and no document knows.
    pub(crate) undocumented: &'static [&'static str],
}

impl Limit {
    const fn new(count: u32, window_secs: u32, scope: Scope) -> Self {
        Self {
            count,
            window_secs,
            scope,
        }
    }
}

/// Every described route, in the order of the description.
pub(crate) fn routes() -> impl Iterator<Item = &'static Route> {
    EndpointId::ALL.into_iter().map(EndpointId::route)
}
