//! The [`Endpoint`] trait: metadata as constants, the request as data, the response as a type.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::protocol::payload::{EncodeError, Payload};
use crate::protocol::validate::ValidationError;

/// HTTP method of an endpoint. The exchange uses these two only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Parameters travel in the query string.
    Get,
    /// Parameters travel as a JSON object in the body; without parameters the body is `{}`.
    Post,
}

/// Which of the exchange's two hosts serves an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// Spot, margin, funding and sub-accounts.
    Spot,
    /// Futures.
    Futures,
}

/// What a request must carry to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Auth {
    /// Nothing.
    None,
    /// The API key.
    Keyed,
    /// The API key, a timestamp and a signature.
    Signed,
}

/// What a request changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// Nothing: safe to send again.
    Read,
    /// Orders and positions.
    Trade,
    /// Money moves between wallets, accounts or out of the exchange.
    Transfer,
    /// Settings of the account.
    Account,
}

/// The envelope of a response: the members around its data.
///
/// With every envelope, a response that has a `code` and no `success` is judged by that code,
/// because the gateway in front of all endpoints rejects requests in that form, and one with
/// `success: false` is a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Envelope {
    /// `code` (1000 is success), `message`, `trace` and `data`.
    #[default]
    Standard,
    /// `errno` in a text, `message`, `data` and `success`, which decides.
    Errno,
    /// `code`, `msg`, `data`, `errorData` and `success`, which decides.
    AccountInfo,
    /// Nothing: the whole body is the data.
    None,
}

/// The subject that a rate limit is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitScope {
    /// The caller's IP address.
    Ip,
    /// The API key.
    Key,
    /// The user, over all of its keys.
    Uid,
}

/// A published rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RateLimit {
    /// Requests per window.
    pub count: u32,
    /// Length of the window in seconds.
    pub window_secs: u32,
    /// The subject that requests are counted for.
    pub scope: LimitScope,
}

impl RateLimit {
    /// A limit of `count` requests per `window_secs` seconds, counted by `scope`.
    pub const fn new(count: u32, window_secs: u32, scope: LimitScope) -> Self {
        Self { count, window_secs, scope }
    }
}

/// The metadata of one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// Stable name, as in the API description: `spot_klines`.
    pub id: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path, with a leading slash and without a query. An invalid path does not compile.
    pub path: &'static str,
    /// Which host serves it.
    pub host: Host,
    /// What the request must carry.
    pub auth: Auth,
    /// What the request changes.
    pub effect: Effect,
    /// Published rate limit; `None` if no source states one.
    pub limit: Option<RateLimit>,
    /// The envelope of a response.
    pub envelope: Envelope,
}

impl Metadata {
    /// Metadata of a public read without a published limit. Refine it with the other functions.
    pub const fn new(id: &'static str, method: Method, host: Host, path: &'static str) -> Self {
        Self {
            id,
            method,
            path,
            host,
            auth: Auth::None,
            effect: Effect::Read,
            limit: None,
            envelope: Envelope::Standard,
        }
    }
    /// Sets what the request must carry.
    #[must_use]
    pub const fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }
    /// Sets what the request changes.
    #[must_use]
    pub const fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }
    /// Sets the published limit.
    #[must_use]
    pub const fn limit(mut self, count: u32, window_secs: u32, scope: LimitScope) -> Self {
        self.limit = Some(RateLimit::new(count, window_secs, scope));
        self
    }
    /// Sets the envelope of a response.
    #[must_use]
    pub const fn envelope(mut self, envelope: Envelope) -> Self {
        self.envelope = envelope;
        self
    }
}

/// One endpoint of the exchange: implement it to add an endpoint that this crate lacks.
///
/// Send it with `Client::send`, or with an HTTP stack of your own between
/// [`Encoder`](crate::endpoint::Encoder) and [`decode`](crate::endpoint::decode).
///
/// ```
/// use bitmart_rest::endpoint::{Auth, Effect, EncodeError, Endpoint, Host, Metadata, Method, Payload};
///
/// #[derive(serde::Serialize)]
/// struct CancelAll {
///     symbol: String,
/// }
///
/// impl Endpoint for CancelAll {
///     type Response = bitmart_rest::Empty;
///     const METADATA: Metadata =
///         Metadata::new("cancel_all", Method::Post, Host::Spot, "/spot/v4/cancel_all")
///             .auth(Auth::Signed)
///             .effect(Effect::Trade);
///
///     fn encode(&self, payload: &mut Payload) -> Result<(), EncodeError> {
///         payload.json(self)
///     }
/// }
///
/// # #[cfg(feature = "client")]
/// # async fn example(client: bitmart_rest::Client) -> Result<(), bitmart_rest::Error> {
/// client.send(CancelAll { symbol: "BTC_USDT".into() }).await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request to the exchange",
    label = "expected a request, such as `spot::QueryTicker`",
    note = "the modules `spot`, `futures`, `margin`, `account`, … hold the requests",
    note = "implement `Endpoint` to send a request that this crate lacks"
)]
pub trait Endpoint {
    /// What the `data` member of the response decodes into.
    type Response: DeserializeOwned;

    /// Path, authentication, limits and effect.
    const METADATA: Metadata;

    /// Sets the `recvWindow` of a request that takes one and does not have it set. A client with a
    /// default window calls it before [`validate`](Self::validate).
    fn default_recv_window(&mut self, _window: Duration) {}

    /// Checks the parameters against the exchange's published rules, before anything is sent.
    ///
    /// # Errors
    /// Names the first parameter that breaks a rule.
    fn validate(&self) -> Result<(), ValidationError> {
        Ok(())
    }

    /// Writes the parameters: query pairs for [`Method::Get`], one JSON object for [`Method::Post`].
    /// A body written for [`Method::Get`] is an error when the request is sent.
    ///
    /// # Errors
    /// When a parameter cannot be written.
    fn encode(&self, payload: &mut Payload) -> Result<(), EncodeError>;
}
