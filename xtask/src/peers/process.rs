//! A running program: a command on its standard input, a line of JSON on its standard output.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::programs::{Program, Setting};
use crate::run::output;

/// Timeout of a response, far above the time of any command.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(120);

/// A child process that is killed when it is dropped, and the lines that it prints.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

/// A program under measurement.
pub(super) struct Process {
    name: &'static str,
    child: Running,
    input: Option<ChildStdin>,
}

impl Process {
    pub(super) fn start(program: &Program, setting: &Setting) -> Result<Self, String> {
        let mut command = program.command(setting);
        let mut child = Running::start(command.stdin(Stdio::piped()))
            .map_err(|error| format!("{}: {error}", program.name))?;
        let input = child.child.stdin.take();
        Ok(Self { name: program.name, child, input })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.child.id()
    }

    /// Sends a command and waits for its response.
    pub(super) fn send(&mut self, command: &str) -> Result<Value, String> {
        let failed = |why: &dyn std::fmt::Display| format!("{}: `{command}`: {why}", self.name);
        let input = self.input.as_mut().ok_or_else(|| failed(&"no input"))?;
        writeln!(input, "{command}")
            .and_then(|()| input.flush())
            .map_err(|error| failed(&error))?;
        let line =
            self.child.lines.recv_timeout(RESPONSE_TIMEOUT).map_err(|error| failed(&error))?;
        let response: Value = serde_json::from_str(&line).map_err(|error| failed(&error))?;
        match response.get("error") {
            Some(error) => Err(failed(error)),
            None => Ok(response),
        }
    }

    /// What a program has decoded, with numbers in one spelling.
    pub(super) fn values(&mut self, command: &str) -> Result<Vec<String>, String> {
        let response = self.send(command)?;
        let values = response.get("values").and_then(Value::as_array);
        let values = values.ok_or_else(|| format!("{}: no values", self.name))?;
        Ok(values
            .iter()
            .map(|value| plain(value.as_str().unwrap_or_default()).to_owned())
            .collect())
    }

    /// Processor time of all its threads so far, in nanoseconds; 0 where the system does not tell.
    pub(super) fn processor(&self) -> u64 {
        let tasks = format!("/proc/{}/task", self.child.child.id());
        let Ok(tasks) = fs::read_dir(tasks) else { return 0 };
        tasks
            .filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
            .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
            .sum()
    }

    /// Resident memory in KiB; 0 where the system does not tell.
    pub(super) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory so far in KiB.
    pub(super) fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}

/// Keeps a running program on one processor. Returns whether the system could do it.
///
/// Otherwise the scheduler decides whether client and sandbox share a processor, which changes the time of a round trip
/// by more than the clients differ.
pub(super) fn pin(id: u32, processor: u32) -> bool {
    let mut command = Command::new("taskset");
    command.args(["--all-tasks", "--cpu-list", "--pid"]);
    output(command.arg(processor.to_string()).arg(id.to_string())).is_ok()
}

impl Running {
    fn start(command: &mut Command) -> std::io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let (sender, lines) = channel();
        if let Some(out) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Self { child, lines })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server that replays recorded frames.
pub(super) struct Replay {
    child: Running,
    url: String,
}

impl Replay {
    pub(super) fn start(program: &Path, setting: &Setting) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.env("PEER_MARKET", &setting.lines[2]).stdin(Stdio::null());
        let child = Running::start(&mut command).map_err(|error| format!("replay: {error}"))?;
        let url = child
            .lines
            .recv_timeout(RESPONSE_TIMEOUT)
            .map_err(|error| format!("replay: {error}"))?;
        Ok(Self { child, url })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.child.id()
    }

    /// An address to which the number of frames is appended.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

/// A decimal number without needless zeros; other texts as they are.
fn plain(text: &str) -> &str {
    let digits = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b'-';
    if text.contains('.') && text.bytes().all(digits) {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn numbers_are_equal_whatever_their_zeros_and_other_texts_stay() {
        assert_eq!(plain("1.500"), plain("1.5"));
        assert_eq!(plain("100.0"), "100");
        assert_eq!(plain("100"), "100");
        assert_ne!(plain("1.5"), plain("1.51"));
        assert_eq!(plain("BTC_USDT0.0"), "BTC_USDT0.0");
    }
}
