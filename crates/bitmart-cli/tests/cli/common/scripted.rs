//! An exchange whose responses a test writes, for what the sandbox never does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bitmart::Timestamp;
use serde_json::{Value, json};

use super::{Outcome, at_home};

/// The parameters of a request.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or_else(|_| panic!("{name} of {:?}", self.0))
    }
}

type Respond = dyn Fn(&str, &Query) -> Result<Value, i64> + Send + Sync;

/// An exchange at a free port. Its threads end with the process.
pub(crate) struct Scripted {
    folder: tempfile::TempDir,
    url: String,
}

impl Scripted {
    /// `respond` returns the data for a path, or the code of an error.
    pub(crate) fn new(
        respond: impl Fn(&str, &Query) -> Result<Value, i64> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let respond: Arc<Respond> = Arc::new(respond);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let respond = respond.clone();
                std::thread::spawn(move || serve(stream, &*respond));
            }
        });
        Self { folder: tempfile::tempdir().expect("a folder"), url }.with_key("key")
    }

    /// The API key of the program from now on.
    pub(crate) fn with_key(self, key: &str) -> Self {
        let ws = self.url.replace("http", "ws");
        let host = json!({ "rest": self.url, "ws_public": ws, "ws_private": ws });
        let ready = json!({ "spot": host, "futures": host, "root_certificate": null,
            "credentials": { "key": key, "secret": "secret", "memo": "memo" } });
        std::fs::write(self.ready_file(), ready.to_string()).expect("a file");
        self
    }

    fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    pub(crate) fn run(&self, words: &[&str]) -> Outcome {
        let ready = self.ready_file();
        let words = [words, &["--env", ready.to_str().expect("text")]].concat();
        at_home(self.folder.path(), &words, "")
    }

    /// Exports these parts of the last three days.
    pub(crate) fn export(&self, folder: &Path, what: &str, more: &[&str]) -> Outcome {
        let folder = folder.to_str().expect("text");
        let words = ["export", "--no-pauses", "--unlimited", "--days", "3", "--to", "now"];
        self.run(&[&words[..], &["--what", what, "--out", folder], more].concat())
    }

    pub(crate) fn verify(&self, folder: &Path) -> Outcome {
        self.run(&["verify", folder.to_str().expect("text")])
    }
}

fn serve(stream: TcpStream, respond: &Respond) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(600)));
    let Ok(mut out) = stream.try_clone() else { return };
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    while stream.read_line(&mut first).is_ok_and(|bytes| bytes > 0) {
        let mut length = 0;
        let mut header = String::new();
        while stream.read_line(&mut header).is_ok_and(|bytes| bytes > 2) {
            let header = std::mem::take(&mut header).to_ascii_lowercase();
            if let Some(bytes) = header.strip_prefix("content-length:") {
                length = bytes.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        let first = std::mem::take(&mut first);
        let target = first.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut query: Vec<(String, String)> =
            pairs.map(|(name, value)| (name.into(), value.into())).collect();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        for (name, value) in body.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            query.push((name.clone(), text));
        }
        let query = Query(query);
        let data = match path {
            "/system/time" => Ok(json!({ "server_time": Timestamp::now().as_millis() })),
            _ => respond(path, &query),
        };
        let (status, body) = match data {
            Ok(data) => (200, json!({ "code": 1000, "message": "OK", "trace": "t", "data": data })),
            Err(code) => (403, json!({ "code": code, "message": "no", "trace": "t", "data": {} })),
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if out.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}
