//! Every endpoint as data, for tools: tables, recorders, checks of recorded traffic.
//!
//! ```
//! use bitmart_rest::{Method, catalog};
//!
//! let entry = catalog::find(Method::Get, "/system/time").expect("it is described");
//! assert_eq!(entry.metadata.id, "system_time");
//! ```

use std::fmt;

use bitmart_types::json::{from_str_strict, path_at};
use bitmart_types::show_faults;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{EncodeError, Endpoint, Error, Metadata, Method, Payload, ValidationError, decode};

mod field;
mod generated;
mod meanings;
mod parameter;

pub use field::{Field, Meaning, TimeUnit};
pub use generated::ENDPOINTS;
pub use parameter::{Form, Parameter, Presence};

/// An endpoint, with its types erased.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EndpointEntry {
    /// The facts.
    pub metadata: Metadata,
    /// Group of the client's methods that it belongs to: `spot` for `client.spot()`.
    pub group: &'static str,
    /// What it does, in a few words.
    pub title: &'static str,
    /// What the API key must be allowed to do; `None` where nothing is needed or no source says.
    pub permission: Option<&'static str>,
    /// What is surprising about it.
    pub quirks: &'static [&'static str],
    /// Error codes to expect, each with what it means here.
    pub errors: &'static [&'static str],
    /// Differences between recorded data and the model that are accepted.
    pub ignores: &'static [Ignore],
    /// The parameters, in the order of the description.
    pub parameters: &'static [Parameter],
    /// The data's documented fields.
    pub fields: &'static [Field],
    /// Paths of the fields without which the data, or a row of it, means nothing. One that cannot be
    /// read is a fault of its row; any other field may lack.
    pub essential: &'static [&'static str],
    /// Other spellings of fields that are read as well.
    pub aliases: &'static [Alias],
    /// Whether the exchange does not document the answer: see [`Unverified`](crate::Unverified).
    pub is_unverified: bool,
    encode_request: fn(&str, Check) -> Result<Payload, RecodeError>,
    recode_answer: fn(StatusCode, &Bytes) -> Result<String, RecodeError>,
}

/// Another spelling of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alias {
    /// JSON path of the field below the data: `[].mark_price`.
    pub path: &'static str,
    /// Its other name: `fair_price`.
    pub was: &'static str,
    /// Where it was seen.
    pub source: &'static str,
}

impl Alias {
    /// The field at `path` is also called `was`, says `source`.
    pub const fn new(path: &'static str, was: &'static str, source: &'static str) -> Self {
        Self { path, was, source }
    }
}

/// A difference between a recording and the model that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignore {
    /// JSON path below the data: `records[].fee`; of a parameter `query.N` or `body.subAccount`.
    pub path: &'static str,
    /// Why.
    pub reason: &'static str,
}

impl Ignore {
    /// Accepts the difference at `path` because of `reason`.
    pub const fn new(path: &'static str, reason: &'static str) -> Self {
        Self { path, reason }
    }
}

impl EndpointEntry {
    /// The entry of the endpoint `E`, which may be one of your own.
    pub const fn of<E>(title: &'static str) -> Self
    where
        E: Endpoint + DeserializeOwned,
        E::Response: Serialize,
    {
        Self {
            metadata: E::METADATA,
            group: "",
            title,
            permission: None,
            quirks: &[],
            errors: &[],
            parameters: &[],
            fields: &[],
            ignores: &[],
            essential: &[],
            aliases: &[],
            is_unverified: false,
            encode_request: encode_request::<E>,
            recode_answer: recode_answer::<E>,
        }
    }
    /// Sets the group.
    #[must_use]
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }
    /// Sets what the API key must be allowed to do.
    #[must_use]
    pub const fn permission(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }
    /// Sets what is surprising about it.
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
    /// Sets the data's documented fields.
    #[must_use]
    pub const fn fields(mut self, fields: &'static [Field]) -> Self {
        self.fields = fields;
        self
    }
    /// Sets the paths of the fields that must not lack.
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
    /// Says that the exchange does not document the answer.
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
    /// again: JSON text of an object of texts for a query, the body for a POST. Ranges are not checked.
    ///
    /// # Errors
    /// When the parameters do not decode or encode.
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
    /// use bitmart_rest::{Method, catalog};
    ///
    /// let ticker = catalog::find(Method::Get, "/spot/quotation/v3/ticker").expect("described");
    /// let payload = ticker.encode_request(r#"{"symbol": "BTC_USDT"}"#)?;
    /// assert_eq!(payload.query_text(), "symbol=BTC_USDT");
    /// # Ok::<(), catalog::RecodeError>(())
    /// ```
    ///
    /// # Errors
    /// When the parameters do not decode or encode, or break a published rule.
    pub fn encode_request(&self, parameters: &str) -> Result<Payload, RecodeError> {
        (self.encode_request)(parameters, Check::Rules)
    }

    /// Decodes an answer with its envelope into the typed data and encodes that again as JSON text.
    /// A row that does not decode is an object with the member `$fault` in its place.
    ///
    /// # Errors
    /// When the answer is an error of the exchange or does not decode.
    pub fn recode_answer(&self, status: StatusCode, body: &Bytes) -> Result<String, RecodeError> {
        (self.recode_answer)(status, body)
    }
}

/// The endpoint with this method and path.
pub fn find(method: Method, path: &str) -> Option<&'static EndpointEntry> {
    ENDPOINTS.iter().find(|entry| entry.metadata.method == method && entry.metadata.path == path)
}

/// How closely a request is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// Only whether it decodes.
    Form,
    /// Also whether it keeps the published rules.
    Rules,
}

fn encode_request<E: Endpoint + DeserializeOwned>(
    parameters: &str,
    check: Check,
) -> Result<Payload, RecodeError> {
    let request: E = from_str_strict(parameters).map_err(|error| {
        let path = path_at("", parameters, error.line(), error.column());
        RecodeError::Parameters { path: path.trim_start_matches('.').to_owned(), error }
    })?;
    if check == Check::Rules {
        request.validate().map_err(RecodeError::Invalid)?;
    }
    let mut payload = Payload::new();
    request.encode(&mut payload).map_err(RecodeError::Encode)?;
    Ok(payload)
}

fn recode_answer<E>(status: StatusCode, body: &Bytes) -> Result<String, RecodeError>
where
    E: Endpoint,
    E::Response: Serialize,
{
    let data = decode::<E>(status, &HeaderMap::new(), body).map_err(RecodeError::Answer)?;
    show_faults(|| serde_json::to_string(&data)).map_err(RecodeError::Model)
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

/// Why something recorded did not make the way through its type and back.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecodeError {
    /// The parameters do not decode into the request type.
    Parameters {
        /// Where: `orderParams[0].side`.
        path: String,
        /// Why.
        error: serde_json::Error,
    },
    /// The request breaks a published rule.
    Invalid(ValidationError),
    /// The request does not encode.
    Encode(EncodeError),
    /// The answer is an error or does not decode.
    Answer(Error),
    /// The model does not encode.
    Model(serde_json::Error),
}

impl fmt::Display for RecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameters { path, .. } => write!(f, "parameter `{path}` does not decode"),
            Self::Invalid(_) => f.write_str("the request breaks a published rule"),
            Self::Encode(_) => f.write_str("the request does not encode"),
            Self::Answer(_) => f.write_str("the answer does not decode"),
            Self::Model(_) => f.write_str("the model does not encode"),
        }
    }
}

impl std::error::Error for RecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Parameters { error, .. } | Self::Model(error) => Some(error),
            Self::Invalid(error) => Some(error),
            Self::Encode(error) => Some(error),
            Self::Answer(error) => Some(error),
        }
    }
}
