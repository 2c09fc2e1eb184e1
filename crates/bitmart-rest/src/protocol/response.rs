//! Decodes the bytes of a response: opens the envelope, then yields the data or the error.

mod encoding;
mod envelope;
mod error_page;

use std::collections::BTreeMap;

use bitmart_types::codec;
use bitmart_types::json::{self, JsonFault, path_at};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;

use crate::error::{ApiError, Error, ResponseInfo, Unexpected};
use crate::protocol::endpoint::{Effect, Endpoint, Envelope, Metadata};
use crate::protocol::rate_limit::RateLimitState;

pub(crate) use self::encoding::inflated;
use self::envelope::{Members, flag, integer, text};
pub(crate) use self::envelope::{whole, without_padding};
pub(crate) use self::error_page::{advice, text as reason_text};

/// The code of success.
pub(crate) const SUCCESS: i64 = 1000;

/// Messages of success, compared ignoring case and punctuation at the end. Some responses have no message. The last
/// ones say that a list is empty.
const SUCCESS_MESSAGES: &[&str] = &[
    "ok",
    "success",
    "succeed",
    "succeeded",
    "successful",
    "successfully",
    "operation successful",
    "done",
    "no data",
    "no record",
    "no records",
];

/// Levels of objects that are searched for a value. Deeper ones count as values.
const MAX_LEVELS: u8 = 8;

/// Default maximum size of a response body: 16 MiB.
pub(crate) const DEFAULT_MAX_BODY: usize = 16 << 20;

/// Decodes the response to a request of type `E` that your own HTTP stack received.
///
/// The envelope's `code` decides between success and failure, never the HTTP status alone. A response
/// that is not an envelope, such as a proxy's HTML page, leaves the [`Outcome`](crate::Outcome)
/// unknown.
///
/// With the `client` feature a body encoded as `gzip` or `deflate` is inflated, to 16 MiB at most.
/// Pass the headers unchanged: a body that your stack has already inflated is recognized.
///
/// # Errors
/// The exchange reported an error, or the response is not a valid one of the exchange.
///
/// ```
/// use bitmart_rest::endpoint::{EncodeError, Endpoint, Host, Metadata, Method, Payload, decode};
///
/// #[derive(serde::Deserialize)]
/// struct ServerTime {
///     server_time: i64,
/// }
/// struct ReadTime;
/// impl Endpoint for ReadTime {
///     type Response = ServerTime;
///     const METADATA: Metadata = Metadata::new("time", Method::Get, Host::Spot, "/system/time");
///     fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
///         Ok(())
///     }
/// }
///
/// let body = r#"{"code":1000,"message":"OK","data":{"server_time":1527777538000}}"#;
/// let time = decode::<ReadTime>(http::StatusCode::OK, &http::HeaderMap::new(), &body.into())?;
/// assert_eq!(time.server_time, 1_527_777_538_000);
/// # Ok::<(), bitmart_rest::Error>(())
/// ```
pub fn decode<E: Endpoint>(
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<E::Response, Error> {
    let metadata = const { &E::METADATA };
    let body = inflated(headers, body, DEFAULT_MAX_BODY)
        .map_err(|error| Error::transport(metadata, error))?;
    let rate_limit = RateLimitState::from_headers(headers);
    let response = ResponseParts::new(metadata, status, headers, rate_limit, &body);
    response.data(&response.open()?.data)
}

/// A complete response, and the endpoint that it belongs to.
pub(crate) struct ResponseParts<'a> {
    metadata: &'static Metadata,
    status: StatusCode,
    headers: &'a HeaderMap,
    rate_limit: Option<RateLimitState>,
    /// Inflated.
    body: &'a Bytes,
}

/// The success envelope.
pub(crate) struct SuccessEnvelope {
    /// JSON text of the data, `null` when there is none.
    pub(crate) data: Bytes,
    #[cfg_attr(not(feature = "client"), expect(dead_code, reason = "part of detailed responses"))]
    pub(crate) trace: Option<String>,
}

/// Whether an envelope reports success.
enum EnvelopeStatus {
    Success,
    Failure {
        code: Option<i64>,
        /// A textual code, such as `errno` of the account group.
        text_code: Option<String>,
    },
}

impl<'a> ResponseParts<'a> {
    pub(crate) fn new(
        metadata: &'static Metadata,
        status: StatusCode,
        headers: &'a HeaderMap,
        rate_limit: Option<RateLimitState>,
        body: &'a Bytes,
    ) -> Self {
        Self { metadata, status, headers, rate_limit, body }
    }

    /// Opens the envelope: returns the data of a success, or the error. Not generic, so that it is
    /// compiled once for all endpoints.
    pub(crate) fn open(&self) -> Result<SuccessEnvelope, Error> {
        let members = match members(without_padding(self.body)) {
            // A list has no member that could report an error.
            Err((Unexpected::NoCode, None)) if self.metadata.envelope == Envelope::None => {
                return self.bare();
            }
            members => members.map_err(|(reason, source)| {
                let error = self.foreign(reason);
                match source {
                    Some(source) => error.with_source(source),
                    None => error,
                }
            })?,
        };
        if members.is_contradictory || errno_contradicts(&members) {
            return Err(self.unexpected(Unexpected::CodesDiffer));
        }
        let Some(status) = self.status(&members) else {
            return match self.metadata.envelope {
                Envelope::None => self.bare(),
                _ => Err(self.foreign(Unexpected::NoCode)),
            };
        };
        // Usually one of the two holds the text; the other is absent or empty. Read only where they are needed.
        let messages = || [members.message, members.msg].into_iter().flatten().filter_map(text);
        let trace = members.trace.and_then(text);
        // Both an empty text and "N/A" have been observed for a missing trace.
        let trace = trace.filter(|trace| !trace.is_empty() && trace != "N/A");
        if let EnvelopeStatus::Failure { code, text_code } = status {
            let message = messages().reduce(|one, other| if one.is_empty() { other } else { one });
            let message = text_code.into_iter().chain(message).collect::<Vec<_>>().join(": ");
            let error = ApiError { status: self.status, code, message, trace };
            return Err(Error::api(self.metadata, error).with_response(self.response()));
        }
        if !self.status.is_success() {
            return Err(self.unexpected(Unexpected::StatusContradictsCode));
        }
        let data = members.data.map_or("null", RawValue::get);
        // Observed: the code of success with the message "This service is down".
        let denies =
            || members.replaced_message_denies || messages().any(|message| !is_success(&message));
        if denies() && is_empty(data) {
            return Err(self.unexpected(Unexpected::MessageContradictsCode));
        }
        // Which of the two belongs to this request is unknown.
        if members.has_two_data {
            let source = serde_json::Error::duplicate_field("data");
            return Err(Error::decode(self.metadata, "data".to_owned(), source.into())
                .with_response(self.response()));
        }
        Ok(SuccessEnvelope {
            data: members.data.map_or(Bytes::from_static(b"null"), |data| self.part(data)),
            trace,
        })
    }

    /// The part of the body that `text` was read from, without a copy.
    fn part(&self, text: &RawValue) -> Bytes {
        self.body.slice_ref(text.get().as_bytes())
    }

    /// Success or failure; `None` if no member decides.
    fn status(&self, members: &Members<'_>) -> Option<EnvelopeStatus> {
        let code = members.code.and_then(integer);
        let success = members.success.and_then(flag);
        let (success, number) = match self.metadata.envelope {
            // The code decides about success, but not against a flag that denies it.
            Envelope::Standard | Envelope::None => (success.filter(|success| !success), code),
            Envelope::AccountInfo => (success, code),
            Envelope::Errno => (success, members.errno.and_then(integer).or(code)),
        };
        match (success, code) {
            (Some(true), _) | (None, Some(SUCCESS)) => Some(EnvelopeStatus::Success),
            (Some(false), _) => Some(EnvelopeStatus::Failure {
                // The code of success beside a flag of failure does not name the failure.
                code: number.filter(|code| *code != SUCCESS),
                text_code: members.errno.and_then(text_code),
            }),
            (None, Some(code)) => {
                Some(EnvelopeStatus::Failure { code: Some(code), text_code: None })
            }
            (None, None) => members.errno.filter(|errno| names_failure(errno)).map(|errno| {
                EnvelopeStatus::Failure { code: integer(errno), text_code: text_code(errno) }
            }),
        }
    }

    /// Takes the whole body as data.
    fn bare(&self) -> Result<SuccessEnvelope, Error> {
        if !self.status.is_success() {
            return Err(self.foreign(Unexpected::NoCode));
        }
        let text = without_padding(self.body);
        let data: &RawValue = serde_json::from_slice(text).map_err(|source| {
            self.unexpected(Unexpected::NotJson).with_source(JsonFault::from(source))
        })?;
        Ok(SuccessEnvelope { data: self.part(data), trace: None })
    }

    /// Decodes the data. The only step that is generic over the response type.
    pub(crate) fn data<T: DeserializeOwned>(&self, data: &[u8]) -> Result<T, Error> {
        // A part of a valid JSON text is valid UTF-8.
        let data = std::str::from_utf8(data).unwrap_or_default();
        json::from_str(data).or_else(|source| {
            // A confirmed write may have `true`, an empty text or an empty list in place of an object; that is
            // an error only if the result must have an id. Lists may be absent from data that says nothing else:
            // what it says may be an error, or rows under another name.
            let object = if data.starts_with('{') { data } else { "{}" };
            let may_lack =
                is_empty(data) || (self.metadata.effect != Effect::Read && is_confirmation(data));
            let read = may_lack.then(|| json::from_str_without_rows(object).ok()).flatten();
            read.ok_or_else(|| self.decode_error(data, source))
        })
    }

    fn decode_error(&self, data: &str, source: serde_json::Error) -> Error {
        let path = path_at("data", data, source.line(), source.column());
        Error::decode(self.metadata, path, source.into()).with_response(self.response())
    }

    /// The error for a response that may come from a proxy instead of the exchange.
    fn foreign(&self, reason: Unexpected) -> Error {
        let (reason, detail) = error_page::classify(reason, self.status, self.headers, self.body);
        let error = self.unexpected(reason);
        match detail {
            Some(detail) => error.with_detail(detail),
            None => error,
        }
    }

    fn unexpected(&self, reason: Unexpected) -> Error {
        Error::unexpected(self.metadata, reason).with_response(self.response())
    }

    fn response(&self) -> ResponseInfo {
        ResponseInfo { status: self.status, rate_limit: self.rate_limit, body: self.body.clone() }
    }
}

/// Whether `errno` names a failure although code or flag report success, so that the outcome is unknown.
fn errno_contradicts(members: &Members<'_>) -> bool {
    let reports_success = match members.success.and_then(flag) {
        Some(success) => success,
        None => members.code.and_then(integer) == Some(SUCCESS),
    };
    reports_success && members.errno.is_some_and(names_failure)
}

/// Reads the envelope's members from a text without padding. The error classifies other bodies.
fn members(body: &[u8]) -> Result<Members<'_>, (Unexpected, Option<JsonFault>)> {
    match body.first() {
        None => Err((Unexpected::Empty, None)),
        Some(b'<') => Err((Unexpected::Html, None)),
        // serde would accept an array as the members of an envelope, by position.
        Some(b'[') => Err((Unexpected::NoCode, None)),
        // Checking the whole body for UTF-8 at once takes less than checking each member. A member that is
        // ignored may be something else.
        Some(_) => match std::str::from_utf8(body) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(body),
        }
        .map_err(|source| {
            let reason = if source.is_eof() { Unexpected::Truncated } else { Unexpected::NotJson };
            (reason, Some(source.into()))
        }),
    }
}

/// An `errno` that is a name and no number.
fn text_code(errno: &RawValue) -> Option<String> {
    text(errno).filter(|text| text.parse::<i64>().is_err())
}

/// Whether an `errno` is a number or a name of a failure. `OK`, 0 and the code of success are none.
fn names_failure(errno: &RawValue) -> bool {
    match integer(errno) {
        Some(number) => ![0, SUCCESS].contains(&number),
        None => text(errno).is_some_and(|name| !is_success(&name)),
    }
}

fn is_success(message: &str) -> bool {
    let message = message.trim().trim_end_matches(['.', '!']);
    message.is_empty()
        || SUCCESS_MESSAGES.iter().any(|success| message.eq_ignore_ascii_case(success))
}

/// Whether the data says nothing: no value, a list without items, or an object of which no member says
/// anything. A number of zero in an object counts rows.
fn is_empty(data: &str) -> bool {
    fn says_nothing(data: &str, levels: u8) -> bool {
        match data.as_bytes().first() {
            Some(b'{') if levels > 0 => serde_json::from_str::<BTreeMap<String, &RawValue>>(data)
                .is_ok_and(|members| {
                    members.values().all(|value| {
                        let value = value.get();
                        matches!(value, "0" | "\"0\"") || says_nothing(value, levels - 1)
                    })
                }),
            Some(b'[') => data[1..].trim_ascii_start().starts_with(']'),
            Some(b'"') => codec::is_blank(data.trim_matches('"')),
            _ => data == "null",
        }
    }
    says_nothing(data, MAX_LEVELS)
}

/// Whether a value in place of an object confirms a write: `true` or a text of success. `false` and 0 deny it.
fn is_confirmation(data: &str) -> bool {
    match data.as_bytes().first() {
        Some(b'"') => {
            let text = data.trim_matches('"');
            text.eq_ignore_ascii_case("true") || is_success(text)
        }
        _ => data == "true" || data == "1",
    }
}

#[cfg(test)]
mod tests;
