//! Decoding requests and responses into their types, and encoding them again.

use std::fmt;

use bitmart_types::json::{from_str_strict, path_at};
use bitmart_types::show_faults;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Serialize, de::DeserializeOwned};

use crate::endpoint::{EncodeError, Endpoint, Payload, decode};
use crate::{Error, ValidationError};

/// How closely a request is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Whether it decodes.
    Form,
    /// Whether it decodes and satisfies the published rules.
    Rules,
}

pub(super) fn encode_request<E: Endpoint + DeserializeOwned>(
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

pub(super) fn recode_response<E>(status: StatusCode, body: &Bytes) -> Result<String, RecodeError>
where
    E: Endpoint,
    E::Response: Serialize,
{
    let data = decode::<E>(status, &HeaderMap::new(), body).map_err(RecodeError::Response)?;
    show_faults(|| serde_json::to_string(&data)).map_err(RecodeError::Model)
}

/// Why recorded data cannot be decoded into its type and encoded again.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecodeError {
    /// The parameters do not decode into the request type.
    Parameters {
        /// Path of the parameter: `orderParams[0].side`.
        path: String,
        /// The error.
        error: serde_json::Error,
    },
    /// The request breaks a published rule.
    Invalid(ValidationError),
    /// The request does not encode.
    Encode(EncodeError),
    /// The response is an error or does not decode.
    Response(Error),
    /// The response contains no list of rows.
    NoRows,
    /// The model does not encode.
    Model(serde_json::Error),
}

impl fmt::Display for RecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameters { path, .. } => write!(f, "parameter `{path}` does not decode"),
            Self::Invalid(_) => f.write_str("the request breaks a published rule"),
            Self::Encode(_) => f.write_str("the request does not encode"),
            Self::Response(_) => f.write_str("the response does not decode"),
            Self::NoRows => f.write_str("it holds no list of rows"),
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
            Self::Response(error) => Some(error),
            Self::NoRows => None,
        }
    }
}
