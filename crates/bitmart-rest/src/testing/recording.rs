//! Requests and responses as files, without what is about the account.

use std::fmt;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};

use super::Json;
use super::redact::Redactor;
use crate::catalog::{self, EndpointEntry};
use crate::wire::endpoint::{Auth, Envelope, Method};

/// A request with its response, in the format that `cargo xtask conformance` of the repository
/// reads: a JSON object with `source`, `method`, `path`, `query` or `body`, `status` and
/// `response`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording {
    /// Who recorded it.
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
    /// A request to a described endpoint, with its parameters as an object, and the response.
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

    /// Reads a file's text; `None` when it is a recording of something else, such as a frame.
    ///
    /// # Errors
    /// When it is no JSON or its members are of another form.
    pub fn read(text: &str) -> Result<Option<Self>, ReadError> {
        let json = Json::read(text).map_err(|error| ReadError::new(error.to_string()))?;
        let (Some(method), Some(path)) = (json.member("method"), json.member("path")) else {
            return Ok(None);
        };
        let text = |value: &Json, name: &str| match value {
            Json::Text(text) => Ok(text.clone()),
            _ => Err(ReadError::new(format!("`{name}` is no text"))),
        };
        let status = match json.member("status") {
            None => 200,
            Some(Json::Number(digits)) => digits
                .parse()
                .ok()
                .filter(|status| http::StatusCode::from_u16(*status).is_ok())
                .ok_or_else(|| ReadError::new("`status` is no HTTP status"))?,
            Some(_) => return Err(ReadError::new("`status` is no number")),
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

    /// The entry of the endpoint, if it is described.
    pub fn entry(&self) -> Option<&'static EndpointEntry> {
        let method = match self.method.as_str() {
            "GET" => Method::Get,
            "POST" => Method::Post,
            _ => return None,
        };
        catalog::find_route(method, &self.path)
    }

    /// The JSON object of a file.
    pub fn to_json(&self) -> Json {
        let mut members = vec![
            ("source", Json::from(self.source.as_str())),
            ("method", Json::from(self.method.as_str())),
            ("path", Json::from(self.path.as_str())),
        ];
        members.extend(self.query.clone().map(|query| ("query", query)));
        members.extend(self.body.clone().map(|body| ("body", body)));
        if let Some(response) = &self.response {
            members.push(("status", Json::from(u32::from(self.status))));
            members.push(("response", response.clone()));
        }
        Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Name of the endpoint, fit for a file.
    pub(super) fn id(&self) -> String {
        if let Some(entry) = self.entry() {
            return entry.metadata.id.to_owned();
        }
        let fit = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
        self.path.trim_matches('/').chars().map(fit).collect()
    }
}

/// Replaces what is about the account in what is recorded.
///
/// Kept are the exchange's own words: symbols, currencies, networks, states, sides, types, codes
/// and flags. Everything else becomes a stand-in of the same form, also where nobody knows the
/// member: keys, ids, addresses, names, traces, texts, prices and amounts. Sign, point, zeros and
/// the count of digits of a number stay; zero stays zero; times move by a secret number of hours.
/// Equal ids have equal stand-ins within one run, so that an order is the same one in all files.
/// Another run has others.
pub struct Redaction {
    /// For what everybody is told: its prices and the time of the run are known, and would be a key
    /// to the rest.
    public: Redactor,
    account: Redactor,
}

impl Redaction {
    /// With this secret; who knows it can guess what was replaced.
    pub fn new(secret: &[u8]) -> Self {
        Self { public: Redactor::new(secret, "public"), account: Redactor::new(secret, "account") }
    }

    /// With a secret that nobody knows.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn random() -> std::io::Result<Self> {
        let mut secret = [0; 32];
        SystemRandom::new()
            .fill(&mut secret)
            .map_err(|_| std::io::Error::other("no random numbers"))?;
        Ok(Self::new(&secret))
    }

    /// The recording without what is about the account. An endpoint that is not described counts as
    /// the account's.
    #[must_use]
    pub fn recording(&self, recording: Recording) -> Recording {
        let entry = recording.entry();
        let columns = |path: &str| {
            let entry = entry?;
            let path = match entry.metadata.envelope {
                Envelope::None => path.strip_prefix("data").unwrap_or(path),
                _ => path.strip_prefix("data")?,
            };
            let path = path.trim_start_matches('.');
            let field = entry.fields.iter().find(|field| field.path == path)?;
            Some(field.column).filter(|column| !column.is_empty())
        };
        let is_public = entry.is_some_and(|entry| entry.metadata.auth == Auth::None);
        let redactor = if is_public { &self.public } else { &self.account };
        let question = |tree: Json| redactor.of_questions().tree(&tree, &|_| None);
        Recording {
            query: recording.query.map(question),
            body: recording.body.map(question),
            response: recording.response.map(|tree| redactor.tree(&tree, &columns)),
            ..recording
        }
    }

    /// A frame of a WebSocket channel without what is about the account.
    #[must_use]
    pub fn frame(&self, is_private: bool, frame: &Json) -> Json {
        let redactor = if is_private { &self.account } else { &self.public };
        redactor.tree(frame, &|_| None)
    }
}

/// Shows nothing: the secret would tell what was replaced.
impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction").finish_non_exhaustive()
    }
}

/// A file that is no recording.
#[derive(Debug)]
pub struct ReadError {
    path: Option<PathBuf>,
    reason: String,
}

impl ReadError {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { path: None, reason: reason.into() }
    }

    pub(super) fn at(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ReadError {}
