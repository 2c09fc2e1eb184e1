//! What travels: parameters and signatures on the way out, the envelope and its data on the way back.

pub mod drift;
pub(crate) mod endpoint;
pub(crate) mod payload;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod validate;

pub use endpoint::{
    Auth, Effect, Endpoint, Envelope, Host, LimitScope, Metadata, Method, RateLimit,
};
pub use payload::{EncodeError, Payload};
pub use request::Encoder;
pub use response::decode;
pub use validate::ValidationError;
