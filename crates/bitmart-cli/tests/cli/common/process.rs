//! The program as a child process that a test observes and signals.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{Outcome, Place, SIGNALLED, at_sandbox, program};

/// The running program. Its standard error is read line by line.
pub(crate) struct Running {
    child: Child,
    err: BufReader<ChildStderr>,
    read: String,
}

impl Running {
    pub(crate) fn start(place: &Place, words: &[&str]) -> Self {
        Self::spawn(at_sandbox(place, words))
    }

    /// Starts the program with all of its words.
    pub(crate) fn start_at_home(home: &Path, words: &[&str]) -> Self {
        let mut command = program(home);
        command.args(words);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let err = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, err, read: String::new() }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send_signal(&self.child, signal);
    }

    /// Reads standard error until a line contains this text.
    pub(crate) fn wait_for(&mut self, text: &str) {
        loop {
            let mut line = String::new();
            let read = self.err.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended before it printed {text:?}: {}", self.read);
            self.read += &line;
            if line.contains(text) {
                return;
            }
        }
    }

    pub(crate) fn end(mut self) -> Outcome {
        self.err.read_to_string(&mut self.read).expect("text");
        let output = self.child.wait_with_output().expect("it ends");
        Outcome {
            code: output.status.code().unwrap_or(SIGNALLED),
            out: String::from_utf8(output.stdout).expect("text"),
            err: self.read,
        }
    }
}

pub(crate) fn send_signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("sent");
}
