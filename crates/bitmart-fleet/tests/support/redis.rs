//! A Redis server of a test, on a socket in a folder of its own.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) struct Server {
    folder: TempDir,
    process: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let process = spawn(&folder);
        let server = Self { folder, process };
        server.wait();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// Sends one command as an operator would.
    pub(crate) fn command(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(self.url())?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query(&mut client.get_connection()?)
    }

    /// Ends the process as `kill -9` does. Nothing is saved.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }

    /// Ends the process in order.
    pub(crate) fn shut_down(&mut self) {
        let _ = self.command(&["SHUTDOWN"]);
        self.process.wait().expect("it ends");
    }

    /// Starts it again, with what is saved in its folder.
    pub(crate) fn restart(&mut self) {
        let _ = std::fs::remove_file(self.socket());
        self.process = spawn(&self.folder);
        self.wait();
    }

    fn wait(&self) {
        let end = Instant::now() + Duration::from_secs(30);
        while UnixStream::connect(self.socket()).is_err() || self.command(&["PING"]).is_err() {
            assert!(Instant::now() < end, "redis-server does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Saves on request and at the end only.
fn spawn(folder: &TempDir) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--dir"]);
    command.arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
    command.current_dir(folder.path()).spawn().expect("redis-server is installed")
}
