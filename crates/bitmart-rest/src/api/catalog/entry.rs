//! The entry of an endpoint.

use bytes::Bytes;
use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::recode::{self, Check};
use super::{ContractAmount, Field, HistoryEntry, Paging, Parameter, RecodeError, Role, RowStates};
use crate::endpoint::{Endpoint, Metadata, Method, Payload};
use crate::history::History;

/// An endpoint, with its types erased.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EndpointEntry {
    /// Path, host, authentication, limit and effect.
    pub metadata: Metadata,
    /// The group of the client's methods: `spot` for `client.spot()`.
    pub group: &'static str,
    /// The Rust method of the client: `client.spot().klines(..)`. Empty for endpoints of your own.
    pub call: &'static str,
    /// A short description.
    pub title: &'static str,
    /// The permission that the API key needs; `None` if none is needed or no source states it.
    pub permission: Option<&'static str>,
    /// The accounts or symbols that it works for, if not all: the exchange may reject any other request.
    pub availability: Option<&'static str>,
    /// The role of the endpoint, if programs treat it specially.
    pub role: Option<Role>,
    /// Remarks on unexpected behavior.
    pub quirks: &'static [&'static str],
    /// Error codes to expect, each with its meaning here.
    pub errors: &'static [&'static str],
    /// Differences between recorded data and the model that are accepted.
    pub ignores: &'static [Ignore],
    /// The parameters, in the order of the description.
    pub parameters: &'static [Parameter],
    /// JSON path of the rows below the data: `records[]`. `None` if the data is a single row.
    pub rows: Option<&'static str>,
    /// The documented fields of the data.
    pub fields: &'static [Field],
    /// Paths of the fields without which the data, or a row of it, is useless. A row in which one cannot be decoded is
    /// faulty; any other field may be absent.
    pub essential: &'static [&'static str],
    /// Other spellings of fields that are decoded as well.
    pub aliases: &'static [Alias],
    /// Whether the exchange does not document the response: see [`Unverified`](crate::Unverified).
    pub is_unverified: bool,
    /// How to page through a span of time, for histories.
    pub history: Option<HistoryEntry>,
    /// Which rows of a history are not final; `None` if all are, or no source states it.
    pub states: Option<RowStates>,
    /// How many rows a list without times returns; `None` if it returns all.
    pub paging: Option<Paging>,
    /// Fields that count contracts.
    pub contract_amounts: &'static [ContractAmount],
    encode_request: fn(&str, Check) -> Result<Payload, RecodeError>,
    recode_response: fn(StatusCode, &Bytes) -> Result<String, RecodeError>,
}

/// Another spelling of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alias {
    /// JSON path of the field below the data: `[].mark_price`.
    pub path: &'static str,
    /// Its other name: `fair_price`.
    pub other_name: &'static str,
    /// Where it occurs.
    pub source: &'static str,
}

impl Alias {
    /// The field at `path` is also called `other_name`, according to `source`.
    pub const fn new(path: &'static str, other_name: &'static str, source: &'static str) -> Self {
        Self { path, other_name, source }
    }
}

/// A difference between a recording and the model that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignore {
    /// JSON path below the data: `records[].fee`; of a parameter `query.N` or `body.subAccount`.
    pub path: &'static str,
    /// Reason.
    pub reason: &'static str,
}

impl Ignore {
    /// Accepts the difference at `path` because of `reason`.
    pub const fn new(path: &'static str, reason: &'static str) -> Self {
        Self { path, reason }
    }
}

impl EndpointEntry {
    /// Creates the entry of the endpoint `E`, which may be one of your own.
    pub const fn of<E>(title: &'static str) -> Self
    where
        E: Endpoint + DeserializeOwned,
        E::Response: Serialize,
    {
        Self {
            metadata: E::METADATA,
            group: "",
            call: "",
            title,
            permission: None,
            availability: None,
            role: None,
            quirks: &[],
            errors: &[],
            parameters: &[],
            rows: None,
            fields: &[],
            ignores: &[],
            essential: &[],
            aliases: &[],
            is_unverified: false,
            history: None,
            states: None,
            paging: None,
            contract_amounts: &[],
            encode_request: recode::encode_request::<E>,
            recode_response: recode::recode_response::<E>,
        }
    }
    /// Sets the group.
    #[must_use]
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }
    /// Sets the Rust method.
    #[must_use]
    pub const fn call(mut self, call: &'static str) -> Self {
        self.call = call;
        self
    }
    /// Sets the accounts or symbols that it works for.
    #[must_use]
    pub const fn availability(mut self, availability: &'static str) -> Self {
        self.availability = Some(availability);
        self
    }
    /// Sets the role.
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }
    /// Sets the permission that the API key needs.
    #[must_use]
    pub const fn permission(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }
    /// Sets the remarks on unexpected behavior.
    #[must_use]
    pub const fn quirks(mut self, quirks: &'static [&'static str]) -> Self {
        self.quirks = quirks;
        self
    }
    /// Sets the error codes to expect.
    #[must_use]
    pub const fn errors(mut self, errors: &'static [&'static str]) -> Self {
        self.errors = errors;
        self
    }
    /// Sets the parameters.
    #[must_use]
    pub const fn parameters(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }
    /// Sets the path of the rows.
    #[must_use]
    pub const fn rows(mut self, path: &'static str) -> Self {
        self.rows = Some(path);
        self
    }
    /// Marks it as a history, of request type `H`.
    #[must_use]
    pub const fn history<H>(mut self) -> Self
    where
        H: History<Row: Serialize + DeserializeOwned>,
    {
        self.history = Some(HistoryEntry::of::<H>());
        self
    }
    /// Sets which rows are not final.
    #[must_use]
    pub const fn states(mut self, states: RowStates) -> Self {
        self.states = Some(states);
        self
    }
    /// Sets how many rows are returned.
    #[must_use]
    pub const fn paging(mut self, paging: Paging) -> Self {
        self.paging = Some(paging);
        self
    }
    /// Sets the fields that count contracts.
    #[must_use]
    pub const fn contract_amounts(mut self, amounts: &'static [ContractAmount]) -> Self {
        self.contract_amounts = amounts;
        self
    }
    /// Sets the documented fields.
    #[must_use]
    pub const fn fields(mut self, fields: &'static [Field]) -> Self {
        self.fields = fields;
        self
    }
    /// Sets the paths of the essential fields.
    #[must_use]
    pub const fn essential(mut self, essential: &'static [&'static str]) -> Self {
        self.essential = essential;
        self
    }
    /// Sets the other spellings of fields.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [Alias]) -> Self {
        self.aliases = aliases;
        self
    }
    /// Marks the response as undocumented.
    #[must_use]
    pub const fn unverified(mut self) -> Self {
        self.is_unverified = true;
        self
    }
    /// Sets the accepted differences.
    #[must_use]
    pub const fn ignores(mut self, ignores: &'static [Ignore]) -> Self {
        self.ignores = ignores;
        self
    }

    /// Decodes the JSON object of a request's parameters into the typed request and encodes that
    /// again: as a JSON object of texts for a query, or as the body of a POST. Ranges are not checked.
    ///
    /// # Errors
    /// If the parameters do not decode or encode.
    pub fn recode_request(&self, parameters: &str) -> Result<String, RecodeError> {
        let payload = (self.encode_request)(parameters, Check::Form)?;
        Ok(match self.metadata.method {
            Method::Get => query_object(payload.query_text()),
            Method::Post => String::from_utf8_lossy(payload.body()).into_owned(),
        })
    }

    /// Decodes the JSON object of a request's parameters into the typed request, checks it, and
    /// encodes it, ready to be sent with `Client::send_raw`.
    ///
    /// ```
    /// use bitmart_rest::catalog;
    ///
    /// let ticker = catalog::find("/spot/quotation/v3/ticker").expect("described");
    /// let payload = ticker.encode_request(r#"{"symbol": "BTC_USDT"}"#)?;
    /// assert_eq!(payload.query_text(), "symbol=BTC_USDT");
    /// # Ok::<(), catalog::RecodeError>(())
    /// ```
    ///
    /// # Errors
    /// If the parameters do not decode or encode, or break a published rule.
    pub fn encode_request(&self, parameters: &str) -> Result<Payload, RecodeError> {
        (self.encode_request)(parameters, Check::Rules)
    }

    /// Decodes a response with its envelope into the typed data and encodes that again as JSON text. A row that does
    /// not decode is replaced by an object with the member `$fault`.
    ///
    /// # Errors
    /// If the response is an error of the exchange or does not decode.
    pub fn recode_response(&self, status: StatusCode, body: &Bytes) -> Result<String, RecodeError> {
        (self.recode_response)(status, body)
    }
}

fn query_object(query: &str) -> String {
    let text = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let members: Map<String, Value> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (text(name), Value::String(text(value))))
        .collect();
    Value::Object(members).to_string()
}
