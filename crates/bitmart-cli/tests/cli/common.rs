//! A sandbox in the test process, and the program that runs against it.

pub(crate) mod everything;
pub(crate) mod export;
pub(crate) mod month;
pub(crate) mod page;
#[cfg(unix)]
pub(crate) mod process;
pub(crate) mod scripted;
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

/// Timeout of all tests together.
const TIMEOUT: Duration = Duration::from_secs(1800);

/// A sandbox with its ready line in a file for `--env`.
pub(crate) struct Place {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) memo: String,
    /// Base address of the spot host.
    pub(crate) spot: String,
    folder: tempfile::TempDir,
    pub(crate) sandbox: Sandbox,
    /// Dropped last, after the sandbox.
    runtime: Runtime,
}

impl Place {
    /// The file with the ready line.
    pub(crate) fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    /// The home folder of the program.
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

    /// Waits until no request to `path` is held back any more.
    pub(crate) fn wait_until_free(&self, path: &str) {
        self.runtime.block_on(self.sandbox.until_free(path));
    }

    /// The next request to `path` takes effect, but its response is lost.
    pub(crate) fn lose_next_response(&self, path: &str) {
        self.sandbox.inject(Fault::DropAfter.on(path).times(1));
    }
}

/// The exit code of a program that a signal ended.
pub(crate) const SIGNALLED: i32 = -1;

/// The exit code and output of the program.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn sandbox() -> Place {
    sandbox_of(Config::new())
}

/// A sandbox without rate limits, for tests with many requests.
pub(crate) fn unlimited_sandbox() -> Place {
    sandbox_of(Config::new().rate_limits(false))
}

pub(crate) fn sandbox_of(config: Config) -> Place {
    abort_after_timeout();
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

/// Aborts a test process that hangs.
fn abort_after_timeout() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        std::thread::spawn(|| {
            std::thread::sleep(TIMEOUT);
            eprintln!("a test did not finish in time");
            std::process::abort();
        });
    });
}

/// A limit order that stays open.
pub(crate) const LIMIT_ORDER: [&str; 9] =
    ["spot", "submit-order", "BTC_USDT", "buy", "limit", "--size", "0.01", "--price", "50000"];
/// A market order.
pub(crate) const MARKET_ORDER: [&str; 7] =
    ["spot", "submit-order", "BTC_USDT", "buy", "market", "--notional", "50"];

/// The words of a command that is not confirmed.
pub(crate) fn with_yes<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [words, &["--yes"]].concat()
}

/// The program with `home` as its only environment variable and without standard input.
pub(crate) fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bitmart"));
    command.env_clear().env("HOME", home).stdin(Stdio::null());
    command
}

/// The program with its words against `place`.
pub(crate) fn at_sandbox(place: &Place, words: &[&str]) -> Command {
    let mut command = program(place.home());
    command.args(words).arg("--env").arg(place.ready_file());
    command
}

/// Runs the program against `place`, without a terminal or a stored key.
pub(crate) fn bitmart(place: &Place, words: &[&str]) -> Outcome {
    let ready = place.ready_file();
    let words = [words, &["--env", ready.to_str().expect("a name in UTF-8")]].concat();
    at_home(place.home(), &words, "")
}

/// Runs the program with this home folder and standard input.
pub(crate) fn at_home(home: &Path, words: &[&str], input: &str) -> Outcome {
    let mut child = program(home)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    // The write fails if the program ends without reading its input.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Outcome {
        code: output.status.code().unwrap_or(SIGNALLED),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
