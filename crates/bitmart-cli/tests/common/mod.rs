//! A sandbox in this process, and the program run against it.

use std::process::{Command, Stdio};

use bitmart::sandbox::{Config, Fault, HostUrls, Sandbox};
use tokio::runtime::Runtime;

/// A sandbox whose ready line lies in a file, as `--env` takes it.
pub(crate) struct Place {
    pub(crate) key: String,
    pub(crate) secret: String,
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    /// Last, so that the sandbox ends before its threads.
    _runtime: Runtime,
}

impl Place {
    /// The next request to `path` is done, but its answer gets lost.
    pub(crate) fn lose_next_answer(&self, path: &str) {
        self.sandbox.inject(Fault::DropAfter.on(path).times(1));
    }
}

/// What a run of the program left behind.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn sandbox() -> Place {
    let runtime = Runtime::new().expect("threads");
    let sandbox = runtime.block_on(Sandbox::start(Config::new())).expect("it starts");
    let folder = tempfile::tempdir().expect("a folder");
    let host = |host: &HostUrls| {
        serde_json::json!({
            "rest": host.rest, "ws_public": host.ws_public, "ws_private": host.ws_private,
        })
    };
    let (spot, futures) = (host(sandbox.spot()), host(sandbox.futures()));
    let credentials = sandbox.credentials();
    let (key, secret) = (credentials.key.clone(), credentials.secret.clone());
    let ready = serde_json::json!({
        "spot": spot,
        "futures": futures,
        "credentials": { "key": key, "secret": secret, "memo": credentials.memo },
        "root_certificate": null,
    });
    std::fs::write(folder.path().join("ready.json"), ready.to_string()).expect("a file");
    Place { key, secret, folder, sandbox, _runtime: runtime }
}

/// Runs the program against `place`, without a terminal, keys or a home of its own.
pub(crate) fn bitmart(place: &Place, words: &[&str]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(words)
        .arg("--env")
        .arg(place.folder.path().join("ready.json"))
        .env_clear()
        .env("HOME", place.folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Outcome {
        code: output.status.code().expect("it ended by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
