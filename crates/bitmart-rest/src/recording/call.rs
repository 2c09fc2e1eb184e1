//! A REST request with its response, as a file.

use std::fmt;
#[cfg(feature = "testing")]
use std::path::Path;
use std::path::PathBuf;

use super::Json;
use crate::catalog::{self, EndpointEntry};
use crate::protocol::endpoint::Method;

/// A REST request with its response, in the format that `cargo xtask conformance` of the repository
/// reads: a JSON object with `source`, `method`, `path`, `query` or `body`, `status` and
/// `response`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording {
    /// The program that recorded it.
    pub source: String,
    /// `GET` or `POST`.
    pub method: String,
    /// Path of the endpoint.
    pub path: String,
    /// Parameters of the query, decoded, as an object.
    pub query: Option<Json>,
    /// The body of the request.
    pub body: Option<Json>,
    /// HTTP status of the response.
    pub status: u16,
    /// The body of the response; `None` in a recording of the request alone.
    pub response: Option<Json>,
}

impl Recording {
    /// A recording of a request to a documented endpoint; `parameters` is an object.
    pub fn new(
        source: &str,
        entry: &EndpointEntry,
        parameters: Json,
        status: u16,
        response: Json,
    ) -> Self {
        let (method, query, body) = match entry.metadata.method {
            Method::Get => ("GET", Some(parameters), None),
            Method::Post => ("POST", None, Some(parameters)),
        };
        Self {
            source: source.to_owned(),
            method: method.to_owned(),
            path: entry.metadata.path.to_owned(),
            query,
            body,
            status,
            response: Some(response),
        }
    }

    /// Parses the text of a file; `None` if it records something else, such as a frame.
    ///
    /// # Errors
    /// If the text is not JSON or a member has the wrong type.
    pub fn parse(text: &str) -> Result<Option<Self>, RecordingError> {
        let json = Json::parse(text).map_err(|error| RecordingError::new(error.to_string()))?;
        let (Some(method), Some(path)) = (json.member("method"), json.member("path")) else {
            return Ok(None);
        };
        let text = |value: &Json, name: &str| match value {
            Json::Text(text) => Ok(text.clone()),
            _ => Err(RecordingError::new(format!("`{name}` is not a string"))),
        };
        let status = match json.member("status") {
            None => 200,
            Some(Json::Number(digits)) => digits
                .parse()
                .ok()
                .filter(|status| http::StatusCode::from_u16(*status).is_ok())
                .ok_or_else(|| RecordingError::new("`status` is not an HTTP status"))?,
            Some(_) => return Err(RecordingError::new("`status` is not a number")),
        };
        Ok(Some(Self {
            source: json.member("source").map(Json::cell).unwrap_or_default(),
            method: text(method, "method")?,
            path: text(path, "path")?,
            query: json.member("query").cloned(),
            body: json.member("body").cloned(),
            status,
            response: json.member("response").cloned(),
        }))
    }

    /// The catalog entry of the endpoint, if it is documented.
    pub fn entry(&self) -> Option<&'static EndpointEntry> {
        let method = match self.method.as_str() {
            "GET" => Method::Get,
            "POST" => Method::Post,
            _ => return None,
        };
        catalog::find_route(method, &self.path)
    }

    /// The recording as the JSON object of its file.
    pub fn to_json(&self) -> Json {
        let mut members = vec![
            ("source", Json::from(self.source.as_str())),
            ("method", Json::from(self.method.as_str())),
            ("path", Json::from(self.path.as_str())),
        ];
        members.extend(self.query.clone().map(|query| ("query", query)));
        members.extend(self.body.clone().map(|body| ("body", body)));
        members.push(("status", Json::from(u32::from(self.status))));
        members.extend(self.response.clone().map(|response| ("response", response)));
        Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The name of its file, without number and extension: the id of the endpoint, or its path if it is not documented.
    #[cfg(feature = "testing")]
    pub(crate) fn file_stem(&self) -> String {
        if let Some(entry) = self.entry() {
            return entry.metadata.id.to_owned();
        }
        let to_safe = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
        self.path.trim_matches('/').chars().map(to_safe).collect()
    }
}

/// A file that is not a readable recording.
#[derive(Debug)]
pub struct RecordingError {
    path: Option<PathBuf>,
    reason: String,
}

impl RecordingError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { path: None, reason: reason.into() }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for RecordingError {}
