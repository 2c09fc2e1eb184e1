//! Requests that a scripted transport expects.

use std::fmt;

use http::Method;

use super::SentRequest;
use super::sent_request::auth_text;
use crate::protocol::endpoint::Auth;
use crate::recording::Json;

/// A request that a [`ScriptedTransport`](super::ScriptedTransport) expects.
///
/// Only what is specified is checked: `ExpectedRequest::get("/system/time")` accepts any query. The given
/// parameters and fields must be present with their values. Others are allowed unless
/// [`no_other_fields`](Self::no_other_fields) is set.
#[derive(Clone, Debug)]
#[must_use = "pass it to a `ScriptedTransport`"]
pub struct ExpectedRequest {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Vec<(String, Json)>,
    absent: Vec<String>,
    no_other_fields: bool,
    auth: Option<Auth>,
}

impl ExpectedRequest {
    /// Expects a `GET` request for a path, such as `/spot/quotation/v3/ticker`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path.into())
    }

    /// Expects a `POST` request to a path.
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
            no_other_fields: false,
            auth: None,
        }
    }

    /// Expects a query parameter.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Expects a field of the body. Strings and numbers differ: `"1"` is not `1`.
    ///
    /// ```
    /// use bitmart_rest::testing::ExpectedRequest;
    /// use bitmart_rest::recording::Json;
    ///
    /// let ids = Json::parse(r#"["1","2"]"#)?;
    /// let cancel = ExpectedRequest::post("/spot/v4/cancel_orders")
    ///     .signed()
    ///     .body("symbol", "BTC_USDT")
    ///     .body("orderIds", ids);
    /// # Ok::<(), bitmart_rest::recording::JsonError>(())
    /// ```
    pub fn body(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.body.push((name.into(), value.into()));
        self
    }

    /// Expects that neither the query nor the body has a field of this name.
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.absent.push(name.into());
        self
    }

    /// Expects that query and body have no other fields than the specified ones.
    pub fn no_other_fields(mut self) -> Self {
        self.no_other_fields = true;
        self
    }

    /// Expects a signed request.
    pub fn signed(self) -> Self {
        self.auth(Auth::Signed)
    }

    /// Expects a request with the API key and without a signature.
    pub fn keyed(self) -> Self {
        self.auth(Auth::Keyed)
    }

    /// Expects a request without API key and signature.
    pub fn unsigned(self) -> Self {
        self.auth(Auth::None)
    }

    fn auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// The differences, one line each; empty if `request` is as expected.
    pub(super) fn differences(&self, request: &SentRequest) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, expected: &dyn fmt::Display, sent: &dyn fmt::Display| {
            found.push(format!("{what}: expected {expected}, but {sent} was sent"));
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
        compare("query parameter", &self.query, &query, self.no_other_fields, &mut found);
        compare("body field", &self.body, &body, self.no_other_fields, &mut found);
        let present = query.iter().map(|(name, _)| name).chain(body.iter().map(|(name, _)| name));
        for name in present.filter(|name| self.absent.contains(name)) {
            found.push(format!("`{name}`: expected to be absent, but was sent"));
        }
        found
    }
}

/// Adds a line for each field that is missing, has another value, or is not expected.
fn compare<V: fmt::Display + PartialEq>(
    kind: &str,
    expected: &[(String, V)],
    sent: &[(String, V)],
    no_other_fields: bool,
    found: &mut Vec<String>,
) {
    for (name, value) in expected {
        match sent.iter().find(|(known, _)| known == name) {
            Some((_, other)) if other == value => {}
            Some((_, other)) => {
                found.push(format!("{kind} `{name}`: expected {value}, but {other} was sent"));
            }
            None => found.push(format!("{kind} `{name}`: expected {value}, but it is missing")),
        }
    }
    let is_named = |name: &String| expected.iter().any(|(known, _)| known == name);
    for (name, value) in sent.iter().filter(|(name, _)| no_other_fields && !is_named(name)) {
        found.push(format!("{kind} `{name}`: not expected, but {value} was sent"));
    }
}

/// `POST /spot/v2/submit_order, signed`.
impl fmt::Display for ExpectedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        match self.auth {
            Some(auth) => write!(f, ", {}", auth_text(auth)),
            None => Ok(()),
        }
    }
}
