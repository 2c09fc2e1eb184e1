//! The wire format: parameters and signatures of requests, envelopes and data of responses.

pub(crate) mod duration;
pub(crate) mod endpoint;
pub(crate) mod payload;
pub(crate) mod rate_limit;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod validate;

pub use endpoint::{
    Auth, Effect, Endpoint, Envelope, Host, LimitScope, Metadata, Method, RateLimit,
};
pub use payload::{EncodeError, Payload};
pub use rate_limit::{RateLimitState, ThrottleReason, Throttled};
pub use request::Encoder;
pub use response::decode;
pub use validate::ValidationError;
