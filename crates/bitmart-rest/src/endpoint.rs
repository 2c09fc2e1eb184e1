//! What endpoints are made of, for programs that add their own or have their own HTTP stack.
//!
//! An [`Endpoint`] is a request type with [`Metadata`] and a response type; every request of this crate is one.
//! An [`Encoder`] turns it into a signed HTTP request, [`decode`] reads the response. Programs that only call
//! the exchange through a `Client` need none of this.

pub use crate::protocol::{
    Auth, Effect, EncodeError, Encoder, Endpoint, Envelope, Host, LimitScope, Metadata, Method,
    Payload, RateLimit, decode,
};
