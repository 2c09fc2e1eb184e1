//! A sandbox in this process, and the program run against it.

#![allow(dead_code, reason = "each test file uses what it needs")]

pub(crate) mod everything;
pub(crate) mod export;
pub(crate) mod month;
pub(crate) mod page;
#[cfg(unix)]
pub(crate) mod terminal;
pub(crate) mod traders;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::Duration;

use bitmart::sandbox::{Config, Fault, HostUrls, Sandbox};
use tokio::runtime::Runtime;

/// All tests of a file are done long before.
const LONGEST: Duration = Duration::from_secs(900);

/// A sandbox whose ready line lies in a file, as `--env` takes it.
pub(crate) struct Place {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) memo: String,
    /// Base address of the spot host.
    pub(crate) spot: String,
    folder: tempfile::TempDir,
    pub(crate) sandbox: Sandbox,
    /// Last, so that the sandbox ends before its threads.
    runtime: Runtime,
}

impl Place {
    /// The file with the ready line.
    pub(crate) fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    /// A folder that is a home for the program.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a future on the threads of the sandbox.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Waits until a request to `path` has arrived and is held back.
    pub(crate) fn wait_until_held(&self, path: &str) {
        self.runtime.block_on(self.sandbox.until_held(path));
    }

    /// Waits until none to `path` is held back any more.
    pub(crate) fn wait_until_free(&self, path: &str) {
        self.runtime.block_on(self.sandbox.until_free(path));
    }

    /// The next request to `path` is done, but its answer gets lost.
    pub(crate) fn lose_next_answer(&self, path: &str) {
        self.sandbox.inject(Fault::DropAfter.on(path).times(1));
    }
}

/// Stands for an exit code when a signal ended the program.
pub(crate) const SIGNALLED: i32 = -1;

/// What a run of the program left behind.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn sandbox() -> Place {
    sandbox_of(Config::new())
}

pub(crate) fn sandbox_of(config: Config) -> Place {
    end_what_hangs();
    let runtime = Runtime::new().expect("threads");
    let sandbox = runtime.block_on(Sandbox::start(config)).expect("it starts");
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
    let (memo, spot) = (credentials.memo.clone(), sandbox.spot().rest.clone());
    Place { key, secret, memo, spot, folder, sandbox, runtime }
}

/// Ends this process when a program that it waits for does not end: a test that hangs says nothing.
fn end_what_hangs() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        std::thread::spawn(|| {
            std::thread::sleep(LONGEST);
            eprintln!("a test waits for ever");
            std::process::abort();
        });
    });
}

/// Runs the program against `place`, without a terminal, keys or a home of its own.
pub(crate) fn bitmart(place: &Place, words: &[&str]) -> Outcome {
    let ready = place.ready_file();
    let words = [words, &["--env", ready.to_str().expect("a name in UTF-8")]].concat();
    at_home(place.folder.path(), &words, "")
}

/// Runs the program with `home` for a home and `input` as its standard input.
pub(crate) fn at_home(home: &Path, words: &[&str], input: &str) -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(words)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    // A program that ended before it read everything closed the pipe.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Outcome {
        code: output.status.code().unwrap_or(SIGNALLED),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
