//! A transport that writes down what another one exchanges.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tracing::warn;

use super::SentRequest;
use crate::protocol::response::{DEFAULT_MAX_BODY, inflated};
use crate::recording::{Json, Recording, Redaction};
use crate::transport::{Body, ReservationFuture, Transport, TransportError, TransportFuture};

/// Sends through another transport and writes each request with its response into a folder, a file
/// for each: `rest/system_time-1.json`.
///
/// The files hold no key, signature or memo, and placeholders for everything that may be about the
/// account: see [`Redaction`]. They are in the format of the repository's fixtures, and a
/// [`Replayer`](super::Replayer) responds from them. Headers are not recorded. An exchange that
/// cannot be recorded takes place all the same, and the [`summary`](Self::summary) names it.
///
/// It is meant for tests: files are written while the client waits, and responses are collected, 16
/// MiB at most.
///
/// ```no_run
/// use bitmart_rest::Client;
/// use bitmart_rest::testing::Recorder;
/// use bitmart_rest::transport::HyperTransport;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let recorder = Recorder::new(HyperTransport::builder().build()?, "recordings")?;
/// let client = Client::builder().transport(recorder.clone()).build()?;
/// client.spot().ticker("BTC_USDT").await?;
/// assert_eq!(recorder.summary().files, 1);
/// # Ok(())
/// # }
/// ```
pub struct Recorder<T> {
    inner: Arc<T>,
    shared: Arc<Shared>,
}

/// Clones record into the same folder.
impl<T> Clone for Recorder<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), shared: Arc::clone(&self.shared) }
    }
}

struct Shared {
    folder: PathBuf,
    redaction: Redaction,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of files of each endpoint.
    files: BTreeMap<String, usize>,
    not_recorded: Vec<String>,
}

/// What a [`Recorder`] has written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Files that are in the folder.
    pub files: usize,
    /// Endpoint and reason of each exchange that is not.
    pub not_recorded: Vec<String>,
}

impl<T: Transport> Recorder<T> {
    /// Records into a new folder, or an empty one.
    ///
    /// # Errors
    /// When the folder cannot be created or is not empty, or the system provides no random
    /// numbers.
    pub fn new(inner: T, folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        let rest = folder.join("rest");
        create_private_folder(&folder)?;
        if fs::read_dir(&folder)?.next().is_some() {
            let text = format!("{} is not empty", folder.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        create_private_folder(&rest)?;
        let redaction = Redaction::random()?;
        let shared = Shared { folder: rest, redaction, state: Mutex::default() };
        Ok(Self { inner: Arc::new(inner), shared: Arc::new(shared) })
    }

    /// What was written so far.
    pub fn summary(&self) -> Summary {
        let state = self.shared.state();
        Summary { files: state.files.values().sum(), not_recorded: state.not_recorded.clone() }
    }
}

impl<T: Transport> Transport for Recorder<T> {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        let sent = SentRequest::new(&request);
        Box::pin(async move {
            let response = match self.inner.send(request).await {
                Ok(response) => response,
                Err(error) => {
                    self.shared.not_recorded(sent.path(), &error);
                    return Err(error);
                }
            };
            let (head, body) = response.into_parts();
            let body = match body.collect(DEFAULT_MAX_BODY).await {
                Ok(body) => body,
                Err(error) => {
                    self.shared.not_recorded(sent.path(), &error);
                    return Err(error);
                }
            };
            if let Err(reason) = self.shared.record(&sent, head.status, &head.headers, &body) {
                self.shared.not_recorded(sent.path(), &reason);
            }
            Ok(http::Response::from_parts(head, Body::from(body)))
        })
    }

    fn reserve<'a>(&'a self, host: &'a http::uri::Authority) -> ReservationFuture<'a> {
        self.inner.reserve(host)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_recorded(&self, path: &str, reason: &dyn fmt::Display) {
        warn!("not recorded: {path}: {reason}");
        self.state().not_recorded.push(format!("{path}: {reason}"));
    }

    /// Writes the exchange into a file.
    ///
    /// # Errors
    /// The reason why there is no file.
    fn record(
        &self,
        sent: &SentRequest,
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<(), String> {
        let text = inflated(headers, body, DEFAULT_MAX_BODY)
            .map_err(|error: TransportError| error.to_string())?;
        let json = |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).ok()?;
            Json::parse(text).ok()
        };
        let response = json(&text).ok_or("the response is no JSON")?;
        let pairs = sent.query_pairs();
        let is_get = sent.method == http::Method::GET;
        let query = || {
            let members = pairs.iter().map(|(name, value)| (name.clone(), value.clone().into()));
            Json::Object(members.collect())
        };
        let body = if sent.body.is_empty() {
            None
        } else {
            Some(json(&sent.body).ok_or("the body of the request is no JSON")?)
        };
        let recording = self.redaction.recording(Recording {
            source: "recorder".to_owned(),
            method: sent.method.to_string(),
            path: sent.path().to_owned(),
            query: (is_get || !pairs.is_empty()).then(query),
            body,
            status: status.as_u16(),
            response: Some(response),
        });
        let text = recording.to_json().pretty() + "\n";
        // No request has the key in its parameters or body, and no response is known to repeat it. This
        // is a second check, because recordings are published. Shorter keys are found in any text.
        if sent.header("x-bm-key").is_some_and(|key| key.len() > 4 && text.contains(key)) {
            return Err("it shows the key".to_owned());
        }
        let stem = recording.file_stem();
        // Held while the file is written, so that numbers follow the order of the responses.
        let mut state = self.state();
        let number = state.files.get(&stem).copied().unwrap_or_default() + 1;
        create_private_file(&self.folder.join(format!("{stem}-{number}.json")), &text)
            .map_err(|error| error.to_string())?;
        state.files.insert(stem, number);
        Ok(())
    }
}

/// Creates a folder that only the user may read, and its parents.
fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Creates a file that only the user may read. It must not exist.
fn create_private_file(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

impl<T> fmt::Debug for Recorder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("folder", &self.shared.folder).finish_non_exhaustive()
    }
}
