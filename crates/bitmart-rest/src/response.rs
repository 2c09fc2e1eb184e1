//! From an answer's bytes to data or an error.

use bitmart_types::json::{self, JsonFault, path_at};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::endpoint::{Endpoint, Envelope, Metadata};
use crate::error::{Answer, ApiError, Error, Unexpected};
use crate::rate::RateLimitState;

/// The code of success.
const SUCCESS: i64 = 1000;

/// Messages of success, compared without regard to case. Some answers have none.
const SUCCESS_MESSAGES: &[&str] = &["ok", "success"];

/// Longest message and trace that are kept, in characters.
const TEXT_KEPT: usize = 256;

/// Decodes the answer to a request of type `E` that your own HTTP stack brought back.
///
/// The envelope's `code` decides between success and failure, never the HTTP status alone. An answer
/// that is not an envelope, such as a proxy's HTML page, leaves the [`Outcome`](crate::Outcome)
/// unknown.
///
/// # Errors
/// The exchange's error, or why the answer is not understood.
///
/// ```
/// use bitmart_rest::{Endpoint, EncodeError, Host, Metadata, Method, Payload, decode};
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
    let rate_limit = RateLimitState::from_headers(headers);
    let answer = Received::new(const { &E::METADATA }, status, rate_limit, body);
    answer.data(&answer.open()?.data)
}

/// A complete answer to a request.
pub(crate) struct Received<'a> {
    metadata: &'static Metadata,
    status: StatusCode,
    rate_limit: Option<RateLimitState>,
    body: &'a Bytes,
}

/// The success envelope.
pub(crate) struct Opened {
    /// JSON text of the data, `null` when there is none.
    pub(crate) data: Bytes,
    #[cfg_attr(not(feature = "client"), expect(dead_code, reason = "told in detailed answers"))]
    pub(crate) trace: Option<String>,
}

/// The members of all envelopes. Their types vary between answers, so that they are read one by one.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    errno: Option<&'a RawValue>,
    #[serde(borrow)]
    success: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    msg: Option<&'a RawValue>,
    #[serde(borrow)]
    trace: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// What an envelope says about the request.
enum Verdict {
    Success,
    Failure {
        /// 0 where the answer has no number for it.
        code: i64,
        /// The answer's word for it.
        word: Option<String>,
    },
}

impl<'a> Received<'a> {
    pub(crate) fn new(
        metadata: &'static Metadata,
        status: StatusCode,
        rate_limit: Option<RateLimitState>,
        body: &'a Bytes,
    ) -> Self {
        Self { metadata, status, rate_limit, body }
    }

    /// Opens the envelope: the data of a success, or the error. The same code for all endpoints.
    pub(crate) fn open(&self) -> Result<Opened, Error> {
        let members = match members(self.body) {
            // A list cannot say that something went wrong.
            Err((Unexpected::NoCode, None)) if self.metadata.envelope == Envelope::None => {
                return self.bare();
            }
            members => members.map_err(|(reason, source)| {
                let error = self.unexpected(reason);
                match source {
                    Some(source) => error.with_source(source),
                    None => error,
                }
            })?,
        };
        let Some(verdict) = self.verdict(&members) else {
            return match self.metadata.envelope {
                Envelope::None => self.bare(),
                _ => Err(self.unexpected(Unexpected::NoCode)),
            };
        };
        // The text is in one of the two, and the other may be there and empty.
        let texts = [members.message, members.msg].into_iter().flatten().filter_map(text);
        let message = texts.reduce(|one, other| if one.is_empty() { other } else { one });
        let trace = members.trace.and_then(text);
        // Both spellings of "no trace" have been seen.
        let trace = trace.filter(|trace| !trace.is_empty() && trace != "N/A");
        if let Verdict::Failure { code, word } = verdict {
            let message = word.into_iter().chain(message).collect::<Vec<_>>().join(": ");
            let error = ApiError { status: self.status, code, message, trace };
            return Err(Error::api(self.metadata, error).with_answer(self.answer()));
        }
        if !self.status.is_success() {
            return Err(self.unexpected(Unexpected::StatusContradictsCode));
        }
        let data = members.data.map_or("null", RawValue::get);
        // Seen: the code of success with the message "This service is down".
        if is_empty(data) && !message.is_none_or(|message| is_success(&message)) {
            return Err(self.unexpected(Unexpected::MessageContradictsCode));
        }
        Ok(Opened {
            data: members.data.map_or(Bytes::from_static(b"null"), |data| self.part(data)),
            trace,
        })
    }

    /// The bytes of a part of the body.
    fn part(&self, text: &RawValue) -> Bytes {
        self.body.slice_ref(text.get().as_bytes())
    }

    /// Success or failure; `None` where the members do not say.
    fn verdict(&self, members: &Members<'_>) -> Option<Verdict> {
        let code = members.code.and_then(integer);
        let success = members.success.and_then(flag);
        let (success, number) = match self.metadata.envelope {
            Envelope::Standard | Envelope::None => (None, code),
            Envelope::AccountInfo => (success, code),
            Envelope::Errno => (success, members.errno.and_then(integer).or(code)),
        };
        match (success, code) {
            (Some(true), _) | (None, Some(SUCCESS)) => Some(Verdict::Success),
            (Some(false), _) => Some(Verdict::Failure {
                // A code of success beside a flag of failure is no code of that failure.
                code: number.filter(|code| *code != SUCCESS).unwrap_or_default(),
                word: members.errno.and_then(text).filter(|word| word.parse::<i64>().is_err()),
            }),
            (None, Some(code)) => Some(Verdict::Failure { code, word: None }),
            (None, None) => None,
        }
    }

    /// The whole body as data.
    fn bare(&self) -> Result<Opened, Error> {
        if !self.status.is_success() {
            return Err(self.unexpected(Unexpected::NoCode));
        }
        let data: &RawValue = serde_json::from_slice(self.body).map_err(|source| {
            self.unexpected(Unexpected::NotJson).with_source(JsonFault::from(source))
        })?;
        Ok(Opened { data: self.part(data), trace: None })
    }

    /// Decodes the data. The only step that is compiled once per type.
    pub(crate) fn data<T: DeserializeOwned>(&self, data: &[u8]) -> Result<T, Error> {
        // A part of a JSON text, so that it is valid.
        let data = std::str::from_utf8(data).unwrap_or_default();
        json::from_str(data).map_err(|source| self.decode_error(data, source))
    }

    fn decode_error(&self, data: &str, source: serde_json::Error) -> Error {
        let path = path_at("data", data, source.line(), source.column());
        Error::decode(self.metadata, path, source.into()).with_answer(self.answer())
    }
    fn unexpected(&self, reason: Unexpected) -> Error {
        Error::unexpected(self.metadata, reason).with_answer(self.answer())
    }
    fn answer(&self) -> Answer {
        Answer { status: self.status, rate_limit: self.rate_limit, body: self.body.clone() }
    }
}

/// Reads the envelope's members, or says what the body is instead.
fn members(body: &[u8]) -> Result<Members<'_>, (Unexpected, Option<JsonFault>)> {
    match body.trim_ascii_start().first() {
        None => Err((Unexpected::Empty, None)),
        Some(b'<') => Err((Unexpected::Html, None)),
        // An array must not pass for the members of an envelope in their order.
        Some(b'[') => Err((Unexpected::NoCode, None)),
        Some(_) => serde_json::from_slice(body).map_err(|source| {
            let reason = if source.is_eof() { Unexpected::Truncated } else { Unexpected::NotJson };
            (reason, Some(source.into()))
        }),
    }
}

fn is_success(message: &str) -> bool {
    let message = message.trim();
    message.is_empty()
        || SUCCESS_MESSAGES.iter().any(|success| message.eq_ignore_ascii_case(success))
}

/// Whether the data says nothing: `null`, an empty text or an object without members.
fn is_empty(data: &str) -> bool {
    data == "null"
        || data == r#""""#
        || data
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .is_some_and(|members| members.trim_ascii().is_empty())
}

/// A code is a number or, in some answers, text.
fn integer(value: &RawValue) -> Option<i64> {
    value.get().trim_matches('"').parse().ok()
}

fn flag(value: &RawValue) -> Option<bool> {
    value.get().parse().ok()
}

/// Text of bounded length; anything but a JSON string counts as absent.
fn text(value: &RawValue) -> Option<String> {
    let mut text: String = serde_json::from_str(value.get()).ok()?;
    if let Some((end, _)) = text.char_indices().nth(TEXT_KEPT) {
        text.truncate(end);
    }
    Some(text)
}

#[cfg(test)]
mod tests;
