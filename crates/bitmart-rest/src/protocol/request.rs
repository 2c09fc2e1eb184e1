//! Encodes an endpoint as an HTTP request, signed and ready to send.

use std::fmt;

use bitmart_auth::Credentials;
use bitmart_types::{Environment, Timestamp};
use bytes::Bytes;
#[cfg(feature = "client")]
use http::header::ACCEPT_ENCODING;
use http::header::{CONTENT_TYPE, InvalidHeaderValue, USER_AGENT};
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};

use crate::error::Error;
use crate::protocol::endpoint::{Auth, Endpoint, Host, Metadata, Method};
use crate::protocol::payload::{EncodeError, Payload};
use bitmart_types::ConfigError;

const KEY: HeaderName = HeaderName::from_static("x-bm-key");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-bm-timestamp");
const SIGN: HeaderName = HeaderName::from_static("x-bm-sign");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
#[cfg(feature = "client")]
const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const BLANK: HeaderValue = HeaderValue::from_static("");

/// The exchange's proxy blocks the default user agents of some HTTP libraries.
const DEFAULT_USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("bitmart-rust/", env!("CARGO_PKG_VERSION")));

/// Maximum number of headers, including those that an HTTP stack adds (host, length).
const HEADERS: usize = 8;

/// Encodes endpoints as HTTP requests, for use with your own HTTP stack.
///
/// Send the request unchanged: the signature covers the exact bytes of its body. Pass the response to
/// [`decode`](crate::endpoint::decode). The client of the `client` feature works the same way.
///
/// ```
/// use bitmart_rest::endpoint::{EncodeError, Encoder, Endpoint, Host, Metadata, Method, Payload};
/// use bitmart_types::{Environment, Timestamp};
///
/// struct ReadTicker {
///     symbol: String,
/// }
/// impl Endpoint for ReadTicker {
///     type Response = serde_json::Value;
///     const METADATA: Metadata =
///         Metadata::new("ticker", Method::Get, Host::Spot, "/spot/quotation/v3/ticker");
///     fn encode(&self, payload: &mut Payload) -> Result<(), EncodeError> {
///         payload.query("symbol", &self.symbol);
///         Ok(())
///     }
/// }
///
/// let encoder = Encoder::new(&Environment::live())?;
/// let ticker = ReadTicker { symbol: "BTC_USDT".into() };
/// let request = encoder.encode(&ticker, Timestamp::from_millis(1_700_000_000_000))?;
/// assert_eq!(
///     request.uri(),
///     "https://api-cloud.bitmart.com/spot/quotation/v3/ticker?symbol=BTC_USDT"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Encoder {
    spot: Option<Base>,
    futures: Option<Base>,
    credentials: Option<Credentials>,
    headers: Headers,
}

/// The address of a host, parsed once.
#[derive(Clone)]
struct Base {
    scheme: Scheme,
    authority: Authority,
    /// Path of a gateway, put before the endpoint's path. Paths are not signed.
    prefix: String,
}

/// Header templates by kind of request, with blanks for timestamp and signature. Cloning a template
/// is faster than inserting the headers one by one.
#[derive(Clone)]
struct Headers {
    user_agent: HeaderValue,
    key: HeaderValue,
    /// By method and authentication.
    kinds: [[HeaderMap; 3]; 2],
}

impl Encoder {
    /// Creates an encoder for the hosts of `environment`, without credentials.
    ///
    /// # Errors
    /// An address is not `http://` or `https://` followed by a host and an optional port.
    pub fn new(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            spot: Base::parse("spot_rest", &environment.spot_rest)?,
            futures: Base::parse("futures_rest", &environment.futures_rest)?,
            credentials: None,
            headers: Headers::new(DEFAULT_USER_AGENT, BLANK),
        })
    }
    /// Adds the credentials for endpoints that need them. Other requests do not carry the key.
    ///
    /// # Errors
    /// The key contains characters that are not allowed in a header.
    pub fn with_credentials(mut self, credentials: Credentials) -> Result<Self, ConfigError> {
        let mut key = HeaderValue::from_str(credentials.key()).map_err(|_| {
            ConfigError::new(
                "credentials",
                "have a key with characters that are not allowed in a header",
            )
        })?;
        key.set_sensitive(true);
        self.headers = Headers::new(self.headers.user_agent, key);
        self.credentials = Some(credentials);
        Ok(self)
    }
    /// Replaces the `User-Agent` header.
    ///
    /// # Errors
    /// The name contains characters that are not allowed in a header.
    pub fn with_user_agent(mut self, name: &str) -> Result<Self, ConfigError> {
        let user_agent = HeaderValue::from_str(name).map_err(|source| {
            ConfigError::new("user_agent", "has characters that are not allowed in a header")
                .with_source(source)
        })?;
        self.headers = Headers::new(user_agent, self.headers.key);
        Ok(self)
    }

    /// Validates and encodes `endpoint`, and signs it with the time `now` if it has to be signed.
    ///
    /// # Errors
    /// A parameter is invalid or cannot be encoded, or credentials or the host are missing. The
    /// [`Outcome`](crate::Outcome) is always `NotSent`.
    pub fn encode<E: Endpoint>(
        &self,
        endpoint: &E,
        now: Timestamp,
    ) -> Result<Request<Bytes>, Error> {
        let payload = encode(endpoint)?;
        self.request(const { &E::METADATA }, path::<E>(), payload, now)
    }

    /// Like [`encode`](Self::encode), for parameters that are already encoded.
    ///
    /// # Errors
    /// The path is invalid, or credentials or the host are missing.
    pub fn encode_raw(
        &self,
        metadata: &'static Metadata,
        payload: Payload,
        now: Timestamp,
    ) -> Result<Request<Bytes>, Error> {
        self.request(metadata, runtime_path(metadata)?, payload, now)
    }

    /// The authority that serves this endpoint; `None` if the environment lacks the host.
    #[cfg(feature = "client")]
    pub(crate) fn authority(&self, metadata: &Metadata) -> Option<&Authority> {
        self.base(metadata.host).map(|base| &base.authority)
    }

    /// The authority that serves this endpoint, and its port.
    #[cfg(feature = "client")]
    pub(crate) fn server(&self, metadata: &Metadata) -> Option<(&Authority, u16)> {
        let base = self.base(metadata.host)?;
        let usual = if base.scheme == http::uri::Scheme::HTTPS { 443 } else { 80 };
        Some((&base.authority, base.authority.port_u16().unwrap_or(usual)))
    }

    fn base(&self, host: Host) -> Option<&Base> {
        match host {
            Host::Spot => self.spot.as_ref(),
            Host::Futures => self.futures.as_ref(),
        }
    }

    /// Not generic, so that it is compiled once for all endpoints.
    pub(crate) fn request(
        &self,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
        now: Timestamp,
    ) -> Result<Request<Bytes>, Error> {
        let base = self.base(metadata.host).ok_or_else(|| Error::missing_host(metadata))?;
        let uri = base.join(path, payload.query_text());
        let uri = uri.map_err(|source| Error::encode(metadata, source))?;
        let body = match metadata.method {
            Method::Get if payload.body().is_empty() => Vec::new(),
            // Without the body the request would have another meaning.
            Method::Get => return Err(Error::encode(metadata, EncodeError::body_of_get())),
            Method::Post => payload.into_body(),
        };

        let mut headers = self.headers.of(metadata);
        let credentials =
            || self.credentials.as_ref().ok_or_else(|| Error::missing_credentials(metadata));
        let body = match metadata.auth {
            Auth::None => body.into(),
            Auth::Keyed => credentials().map(|_| body.into())?,
            Auth::Signed => sign(credentials()?, &mut headers, now, body)
                .map_err(|source| Error::encode(metadata, source))?,
        };

        let mut request = Request::new(body);
        *request.method_mut() = match metadata.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
        };
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// The path of `E`, parsed when the endpoint is compiled.
pub(crate) fn path<E: Endpoint>() -> PathAndQuery {
    const { PathAndQuery::from_static(E::METADATA.path) }
}

/// The path of an endpoint whose metadata is known at run time only.
pub(crate) fn runtime_path(metadata: &'static Metadata) -> Result<PathAndQuery, Error> {
    PathAndQuery::try_from(metadata.path).map_err(|error| Error::encode(metadata, error))
}

/// Validates and encodes the parameters of `endpoint`.
pub(crate) fn encode<E: Endpoint>(endpoint: &E) -> Result<Payload, Error> {
    let metadata = const { &E::METADATA };
    let mut payload = Payload::new();
    endpoint.validate().map_err(|error| Error::validation(metadata, error))?;
    endpoint.encode(&mut payload).map_err(|error| Error::encode(metadata, error))?;
    Ok(payload)
}

impl Base {
    /// Returns `None` for an empty address: the environment lacks the host.
    fn parse(setting: &'static str, address: &str) -> Result<Option<Self>, ConfigError> {
        if address.is_empty() {
            return Ok(None);
        }
        let uri: Uri = address.parse().map_err(|source| {
            ConfigError::new(setting, "is not a valid address").with_source(source)
        })?;
        let parts = uri.into_parts();
        match (parts.scheme, parts.authority, parts.path_and_query) {
            (Some(scheme), Some(authority), None) => Self::checked(scheme, authority, ""),
            (Some(scheme), Some(authority), Some(path)) if path.query().is_none() => {
                Self::checked(scheme, authority, path.path().trim_end_matches('/'))
            }
            _ => None,
        }
        .map(Some)
        .ok_or_else(|| {
            let reason = "must be http:// or https:// with a host and no query or user name";
            ConfigError::new(setting, reason)
        })
    }

    fn checked(scheme: Scheme, authority: Authority, prefix: &str) -> Option<Self> {
        let known = scheme == Scheme::HTTPS || scheme == Scheme::HTTP;
        (known && !authority.as_str().contains('@')).then(|| Self {
            scheme,
            authority,
            prefix: prefix.to_owned(),
        })
    }

    fn join(&self, path: PathAndQuery, query: &str) -> Result<Uri, http::Error> {
        let path = if query.is_empty() && self.prefix.is_empty() {
            path
        } else {
            let mark = if query.is_empty() { "" } else { "?" };
            let text = [self.prefix.as_str(), path.as_str(), mark, query].concat();
            PathAndQuery::from_maybe_shared(Bytes::from(text))?
        };
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Ok(Uri::from_parts(parts)?)
    }
}

impl Headers {
    fn new(user_agent: HeaderValue, key: HeaderValue) -> Self {
        let kinds = [Method::Get, Method::Post].map(|method| {
            [Auth::None, Auth::Keyed, Auth::Signed].map(|auth| {
                let mut headers = HeaderMap::with_capacity(HEADERS);
                headers.insert(USER_AGENT, user_agent.clone());
                if method == Method::Post {
                    headers.insert(CONTENT_TYPE, JSON);
                }
                // Market data of all symbols is large; responses about an account are small.
                #[cfg(feature = "client")]
                if auth == Auth::None {
                    headers.insert(ACCEPT_ENCODING, GZIP);
                }
                if auth >= Auth::Keyed {
                    headers.insert(KEY, key.clone());
                }
                if auth >= Auth::Signed {
                    headers.insert(TIMESTAMP, BLANK);
                    headers.insert(SIGN, BLANK);
                }
                headers
            })
        });
        Self { user_agent, key, kinds }
    }

    fn of(&self, metadata: &Metadata) -> HeaderMap {
        self.kinds[metadata.method as usize][metadata.auth as usize].clone()
    }
}

/// Fills in timestamp and signature, and returns the body.
///
/// Body, timestamp and signature share one allocation.
fn sign(
    credentials: &Credentials,
    headers: &mut HeaderMap,
    now: Timestamp,
    body: Vec<u8>,
) -> Result<Bytes, InvalidHeaderValue> {
    let signature = credentials.sign_request(now.as_millis(), &body);
    let mut text = body;
    let timestamp_from = text.len();
    text.extend_from_slice(signature.timestamp().as_bytes());
    let sign_from = text.len();
    text.extend_from_slice(signature.as_str().as_bytes());

    let mut body = Bytes::from(text);
    let mut sign = HeaderValue::from_maybe_shared(body.split_off(sign_from))?;
    sign.set_sensitive(true);
    let timestamp = HeaderValue::from_maybe_shared(body.split_off(timestamp_from))?;
    let (mut timestamp, mut sign) = (Some(timestamp), Some(sign));
    // Most values are not blank, and comparing names takes longer.
    for (name, blank) in headers.iter_mut().filter(|(_, value)| value.is_empty()) {
        let value = match name {
            name if *name == TIMESTAMP => timestamp.take(),
            name if *name == SIGN => sign.take(),
            _ => None,
        };
        if let Some(value) = value {
            *blank = value;
        }
    }
    Ok(body)
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = |base: &Option<Base>| {
            base.as_ref().map(|base| format!("{}://{}{}", base.scheme, base.authority, base.prefix))
        };
        f.debug_struct("Encoder")
            .field("spot", &address(&self.spot))
            .field("futures", &address(&self.futures))
            .field("credentials", &self.credentials.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
