//! From an answer's bytes to data or an error.

mod encoding;
mod members;
mod page;

use bitmart_types::json::{self, JsonFault, path_at};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::client::rate::RateLimitState;
use crate::error::{Answer, ApiError, Error, Unexpected};
use crate::wire::endpoint::{Endpoint, Envelope, Metadata};

pub(crate) use self::encoding::inflated;
use self::members::{Members, flag, integer, text};
pub(crate) use self::members::{whole, without_padding};
pub(crate) use self::page::{advice, text as reason_text};

/// The code of success.
pub(crate) const SUCCESS: i64 = 1000;

/// Messages of success, compared without regard to case. Some answers have none.
const SUCCESS_MESSAGES: &[&str] = &["ok", "success"];

/// Largest body of an answer, in bytes, unless it is set: 16 MiB.
pub(crate) const LARGEST_BODY: usize = 16 << 20;

/// Decodes the answer to a request of type `E` that your own HTTP stack brought back.
///
/// The envelope's `code` decides between success and failure, never the HTTP status alone. An answer
/// that is not an envelope, such as a proxy's HTML page, leaves the [`Outcome`](crate::Outcome)
/// unknown.
///
/// With the `client` feature a body that its headers call `gzip` or `deflate` is inflated, to 16 MiB
/// at most. Hand the headers over as they are: a body that your stack has inflated already is read
/// as it is.
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
    let metadata = const { &E::METADATA };
    let body =
        inflated(headers, body, LARGEST_BODY).map_err(|error| Error::transport(metadata, error))?;
    let rate_limit = RateLimitState::from_headers(headers);
    let answer = Received::new(metadata, status, headers, rate_limit, &body);
    answer.data(&answer.open()?.data)
}

/// A complete answer to a request.
pub(crate) struct Received<'a> {
    metadata: &'static Metadata,
    status: StatusCode,
    headers: &'a HeaderMap,
    rate_limit: Option<RateLimitState>,
    /// Inflated.
    body: &'a Bytes,
}

/// The success envelope.
pub(crate) struct Opened {
    /// JSON text of the data, `null` when there is none.
    pub(crate) data: Bytes,
    #[cfg_attr(not(feature = "client"), expect(dead_code, reason = "told in detailed answers"))]
    pub(crate) trace: Option<String>,
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
        headers: &'a HeaderMap,
        rate_limit: Option<RateLimitState>,
        body: &'a Bytes,
    ) -> Self {
        Self { metadata, status, headers, rate_limit, body }
    }

    /// Opens the envelope: the data of a success, or the error. The same code for all endpoints.
    pub(crate) fn open(&self) -> Result<Opened, Error> {
        let members = match members(without_padding(self.body)) {
            // A list cannot say that something went wrong.
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
        if members.is_contradictory {
            return Err(self.unexpected(Unexpected::CodesDiffer));
        }
        let Some(verdict) = self.verdict(&members) else {
            return match self.metadata.envelope {
                Envelope::None => self.bare(),
                _ => Err(self.foreign(Unexpected::NoCode)),
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
            return Err(self.foreign(Unexpected::NoCode));
        }
        let text = without_padding(self.body);
        let data: &RawValue = serde_json::from_slice(text).map_err(|source| {
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
    /// The error of an answer that may be somebody else's.
    fn foreign(&self, reason: Unexpected) -> Error {
        let (reason, detail) = page::read(reason, self.status, self.headers, self.body);
        let error = self.unexpected(reason);
        match detail {
            Some(detail) => error.with_detail(detail),
            None => error,
        }
    }
    fn unexpected(&self, reason: Unexpected) -> Error {
        Error::unexpected(self.metadata, reason).with_answer(self.answer())
    }
    fn answer(&self) -> Answer {
        Answer { status: self.status, rate_limit: self.rate_limit, body: self.body.clone() }
    }
}

/// Reads the envelope's members from a text without padding, or says what the body is instead.
fn members(body: &[u8]) -> Result<Members<'_>, (Unexpected, Option<JsonFault>)> {
    match body.first() {
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

#[cfg(test)]
mod tests;
