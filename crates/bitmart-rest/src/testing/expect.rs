//! What a scripted transport expects.

use std::fmt;

use http::Method;

use super::sent::auth_text;
use super::{Json, SentRequest};
use crate::wire::endpoint::Auth;

/// A request that a [`ScriptedTransport`](super::ScriptedTransport) expects.
///
/// What is not said does not matter: `Expect::get("/system/time")` takes any query. Members that
/// are named must be there with that value; others may be, unless
/// [`and_no_more`](Self::and_no_more) says that there are none.
#[derive(Clone, Debug)]
#[must_use = "hand it to a `ScriptedTransport`"]
pub struct Expect {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Vec<(String, Json)>,
    absent: Vec<String>,
    is_complete: bool,
    auth: Option<Auth>,
}

impl Expect {
    /// A `GET` of this path: `/spot/quotation/v3/ticker`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path.into())
    }

    /// A `POST` to this path.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path.into())
    }

    fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            body: Vec::new(),
            absent: Vec::new(),
            is_complete: false,
            auth: None,
        }
    }

    /// With this parameter in the query.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// With this member in the body. A text is not a number: `"1"` and `1` differ.
    ///
    /// ```
    /// use bitmart_rest::testing::{Expect, Json};
    ///
    /// let ids = Json::read(r#"["1","2"]"#)?;
    /// let cancel = Expect::post("/spot/v4/cancel_orders")
    ///     .signed()
    ///     .body("symbol", "BTC_USDT")
    ///     .body("orderIds", ids);
    /// # Ok::<(), bitmart_rest::testing::JsonError>(())
    /// ```
    pub fn body(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.body.push((name.into(), value.into()));
        self
    }

    /// Without a parameter or member of this name.
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.absent.push(name.into());
        self
    }

    /// Query and body have no other members than those that are named.
    pub fn and_no_more(mut self) -> Self {
        self.is_complete = true;
        self
    }

    /// With key and signature.
    pub fn signed(self) -> Self {
        self.auth(Auth::Signed)
    }

    /// With the key and no signature.
    pub fn keyed(self) -> Self {
        self.auth(Auth::Keyed)
    }

    /// With neither key nor signature.
    pub fn unsigned(self) -> Self {
        self.auth(Auth::None)
    }

    fn auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// What differs, a line for each; none when the request is the expected one.
    pub(super) fn differences(&self, request: &SentRequest) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, expected: &dyn fmt::Display, came: &dyn fmt::Display| {
            found.push(format!("{what}: expected {expected}, came {came}"));
        };
        if self.method != request.method {
            differ("method", &self.method, &request.method);
        }
        if self.path != request.path() {
            differ("path", &self.path, &request.path());
        }
        if let Some(auth) = self.auth.filter(|auth| *auth != request.auth()) {
            differ("signature", &auth_text(auth), &auth_text(request.auth()));
        }
        let query = request.query_pairs();
        let body = match request.json() {
            Some(Json::Object(members)) => members,
            None if !request.body.is_empty() && !self.body.is_empty() => {
                differ("body", &"JSON", &format_args!("{} other bytes", request.body.len()));
                Vec::new()
            }
            _ => Vec::new(),
        };
        compare("query parameter", &self.query, &query, self.is_complete, &mut found);
        compare("body member", &self.body, &body, self.is_complete, &mut found);
        let there = query.iter().map(|(name, _)| name).chain(body.iter().map(|(name, _)| name));
        for name in there.filter(|name| self.absent.contains(name)) {
            found.push(format!("`{name}`: expected not to be there, but is"));
        }
        found
    }
}

/// Adds a line for each member that lacks, has another value, or is one too many.
fn compare<V: fmt::Display + PartialEq>(
    kind: &str,
    expected: &[(String, V)],
    came: &[(String, V)],
    is_complete: bool,
    found: &mut Vec<String>,
) {
    for (name, value) in expected {
        match came.iter().find(|(known, _)| known == name) {
            Some((_, other)) if other == value => {}
            Some((_, other)) => {
                found.push(format!("{kind} `{name}`: expected {value}, came {other}"));
            }
            None => found.push(format!("{kind} `{name}`: expected {value}, is not there")),
        }
    }
    let is_named = |name: &String| expected.iter().any(|(known, _)| known == name);
    for (name, value) in came.iter().filter(|(name, _)| is_complete && !is_named(name)) {
        found.push(format!("{kind} `{name}`: not expected, came as {value}"));
    }
}

/// `POST /spot/v2/submit_order, signed`.
impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        match self.auth {
            Some(auth) => write!(f, ", {}", auth_text(auth)),
            None => Ok(()),
        }
    }
}
