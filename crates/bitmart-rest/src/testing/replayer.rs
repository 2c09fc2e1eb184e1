//! A transport that responds from recordings.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;

use super::SentRequest;
use crate::recording::{Json, Recording, RecordingError};
use crate::transport::{Body, Transport, TransportError, TransportErrorKind, TransportFuture};

/// Maximum size of a file, in bytes: a response of 16 MiB, escaped, and the rest of the recording.
const LARGEST_FILE: u64 = 64 << 20;

/// Responses from recordings: those of a [`Recorder`](super::Recorder), of `bitmart probe`, or the
/// repository's fixtures.
///
/// A request is responded to by a recording of the same method, path and parameters, whatever their
/// order. If there are several, each responds once in the order of their files, and the last one
/// from then on. A recording without parameters matches any parameters. A text and a number of the
/// same digits are equal in a query and differ in a body.
///
/// Recordings hold placeholders for ids, so that a request must name the id that a recorded response
/// shows, and times are moved: [`ignore`](Self::ignore) parameters that the program makes up.
///
/// What was not recorded fails as *not sent*, and the error says what was recorded of that path.
///
/// ```no_run
/// use bitmart_rest::Client;
/// use bitmart_rest::testing::Replayer;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let replayer = Replayer::open("recordings")?.ignore("clientOrderId");
/// let client = Client::builder().transport(replayer).build()?;
/// let ticker = client.spot().ticker("BTC_USDT").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Replayer(Arc<Shared>);

struct Shared {
    recordings: Vec<(PathBuf, Recording)>,
    ignored: BTreeSet<String>,
    /// How often each recording was the response.
    use_counts: Mutex<Vec<usize>>,
}

impl Replayer {
    /// Reads all `*.json` files in the folder and below it. Files of other kinds, such as frames,
    /// and recordings without a response are left out.
    ///
    /// # Errors
    /// When a file cannot be read, is larger than 64 MiB or is no JSON, or there is no recording.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let folder = folder.as_ref();
        let mut files = Vec::new();
        collect(folder, &mut files)?;
        files.sort_by_key(|path| sort_key(path));
        let mut recordings = Vec::new();
        for path in files {
            let to_error =
                |error: std::io::Error| RecordingError::new(error.to_string()).in_file(&path);
            if fs::metadata(&path).map_err(to_error)?.len() > LARGEST_FILE {
                return Err(RecordingError::new("it is larger than 64 MiB").in_file(&path));
            }
            let text = fs::read_to_string(&path).map_err(to_error)?;
            match Recording::parse(&text).map_err(|error| error.in_file(&path))? {
                Some(recording) if recording.response.is_some() => {
                    recordings.push((path, recording));
                }
                _ => {}
            }
        }
        if recordings.is_empty() {
            return Err(RecordingError::new("there is no recording").in_file(folder));
        }
        Ok(Self::of(recordings))
    }

    /// Responses from these recordings, in this order.
    pub fn new(recordings: impl IntoIterator<Item = Recording>) -> Self {
        let named = recordings.into_iter().enumerate();
        Self::of(named.map(|(index, one)| (format!("recording {index}").into(), one)).collect())
    }

    fn of(recordings: Vec<(PathBuf, Recording)>) -> Self {
        let use_counts = Mutex::new(vec![0; recordings.len()]);
        Self(Arc::new(Shared { recordings, ignored: BTreeSet::new(), use_counts }))
    }

    /// Pays no attention to the parameter of this name, in queries and in bodies.
    #[must_use = "it is the transport"]
    pub fn ignore(self, name: impl Into<String>) -> Self {
        let mut ignored = self.0.ignored.clone();
        ignored.insert(name.into());
        let recordings = self.0.recordings.clone();
        let use_counts = Mutex::new(self.0.use_counts().clone());
        Self(Arc::new(Shared { recordings, ignored, use_counts }))
    }

    /// Files of the recordings that were no response so far.
    pub fn unused(&self) -> Vec<PathBuf> {
        let use_counts = self.0.use_counts();
        let counted = self.0.recordings.iter().zip(use_counts.iter());
        counted.filter(|(_, count)| **count == 0).map(|((path, _), _)| path.clone()).collect()
    }
}

impl Shared {
    fn use_counts(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.use_counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The recording of the request.
    fn find(&self, request: &SentRequest) -> Result<&Recording, NotRecorded> {
        let query = Json::Object(
            request.query_pairs().into_iter().map(|(name, value)| (name, value.into())).collect(),
        );
        let body = request.json().unwrap_or(Json::Null);
        let is_of_endpoint =
            |one: &Recording| one.path == request.path() && one.method == request.method.as_str();
        let is_same = |recorded: Option<&Json>, sent: &Json, values_as_text: bool| {
            recorded.is_none_or(|recorded| {
                self.parameters(recorded, values_as_text) == self.parameters(sent, values_as_text)
            })
        };
        let mut use_counts = self.use_counts();
        let matching = self.recordings.iter().enumerate().filter(|(_, (_, one))| {
            is_of_endpoint(one)
                && is_same(one.query.as_ref(), &query, true)
                && is_same(one.body.as_ref(), &body, false)
        });
        let matching: Vec<_> = matching.map(|(index, (_, one))| (index, one)).collect();
        let unused = matching.iter().find(|(index, _)| use_counts.get(*index) == Some(&0));
        if let Some(&(index, recording)) = unused.or(matching.last()) {
            if let Some(count) = use_counts.get_mut(index) {
                *count += 1;
            }
            return Ok(recording);
        }
        let others = self.recordings.iter().map(|(_, one)| one).filter(|one| is_of_endpoint(one));
        let shown =
            |json: &Json| if *json == Json::Null { String::new() } else { json.to_string() };
        Err(NotRecorded {
            request: request.to_string(),
            parameters: if body == Json::Null { shown(&query) } else { shown(&body) },
            recorded: others
                .filter_map(|one| one.query.as_ref().or(one.body.as_ref()))
                .map(shown)
                .collect(),
        })
    }

    /// The members sorted by name, without those that are ignored or null. An object without members
    /// is the same as no parameters. With `values_as_text`, a number is the same as its text.
    fn parameters(&self, json: &Json, values_as_text: bool) -> Vec<(String, Json)> {
        let Json::Object(members) = json else {
            return match json {
                Json::Null => Vec::new(),
                other => vec![(String::new(), other.clone())],
            };
        };
        let mut kept: Vec<_> = members
            .iter()
            .filter(|(name, value)| !self.ignored.contains(name) && *value != Json::Null)
            .map(|(name, value)| {
                let value = if values_as_text { Json::Text(value.cell()) } else { value.clone() };
                (name.clone(), value)
            })
            .collect();
        kept.sort_by(|left, right| left.0.cmp(&right.0));
        kept
    }
}

impl Transport for Replayer {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            let failed = TransportError::not_sent(TransportErrorKind::Other);
            let recording = match self.0.find(&SentRequest::new(&request)) {
                Ok(recording) => recording,
                Err(nothing) => return Err(failed.with_source(nothing)),
            };
            let text = recording.response.as_ref().map(Json::to_string).unwrap_or_default();
            http::Response::builder()
                .status(recording.status)
                .header(CONTENT_TYPE, "application/json")
                .body(Body::from(Bytes::from(text)))
                .map_err(|error| failed.with_source(error))
        })
    }
}

/// A request without a recording.
#[derive(Debug)]
struct NotRecorded {
    request: String,
    parameters: String,
    recorded: Vec<String>,
}

impl fmt::Display for NotRecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} was not recorded", self.request, self.parameters)?;
        match self.recorded.as_slice() {
            [] => f.write_str("; nothing of this path was"),
            recorded => write!(f, "; recorded of this path: {}", recorded.join(", ")),
        }
    }
}

impl std::error::Error for NotRecorded {}

impl fmt::Debug for Replayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replayer")
            .field("recordings", &self.0.recordings.len())
            .finish_non_exhaustive()
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), RecordingError> {
    let to_error = |error: std::io::Error| RecordingError::new(error.to_string()).in_file(folder);
    for entry in fs::read_dir(folder).map_err(to_error)? {
        let entry = entry.map_err(to_error)?;
        let path = entry.path();
        // Links are not followed, so that the walk comes to an end.
        if entry.file_type().map_err(to_error)?.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

/// Sorts files by folder, name and number, so that `name-10` comes behind `name-9`.
fn sort_key(path: &Path) -> (Option<PathBuf>, String, usize) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let parent = path.parent().map(Path::to_owned);
    match stem.rsplit_once('-').and_then(|(name, number)| Some((name, number.parse().ok()?))) {
        Some((name, number)) => (parent, name.to_owned(), number),
        None => (parent, stem, 0),
    }
}
