//! The process of the sandbox, its memory and processor time.

use std::{fs, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::Failure;

/// A running sandbox, killed on drop.
pub(crate) struct Program {
    _child: Child,
    id: u32,
    ready: Value,
}

impl Program {
    pub(crate) async fn start(path: &str, options: &[&str]) -> Result<Self, Failure> {
        let mut child = Command::new(path)
            .arg("--no-limits")
            .args(options)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id().ok_or("the sandbox ended at once")?;
        let out = child.stdout.take().ok_or("no standard output")?;
        let line = BufReader::new(out).lines().next_line().await?.ok_or("no ready line")?;
        Ok(Self { _child: child, id, ready: serde_json::from_str(&line)? })
    }

    /// A text of the ready line, by its JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> Result<&str, Failure> {
        let text = self.ready.pointer(pointer).and_then(Value::as_str);
        text.ok_or_else(|| format!("the ready line has no {pointer}").into())
    }

    /// Host and port of an address of the ready line.
    pub(crate) fn authority(&self, pointer: &str) -> Result<&str, Failure> {
        let url = self.text(pointer)?;
        Ok(url.trim_start_matches("http://"))
    }

    /// Resident memory in MiB; `None` without `/proc`.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kib / 1_024)
    }

    /// Processor time of all threads so far; `None` without `/proc`.
    pub(crate) fn processor(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id)).ok()?;
        // The name in brackets may hold blanks; user and system time are fields 14 and 15.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        // Hundredths of a second on every Linux.
        Some(Duration::from_millis(ticks * 10))
    }
}

/// Prints how many percent of a core the markets need without any client.
pub(crate) async fn measure_idle(path: &str) -> Result<(), Failure> {
    const TIME: u64 = 10;
    let program = Program::start(path, &[]).await?;
    let before = program.processor();
    tokio::time::sleep(Duration::from_secs(TIME)).await;
    if let Some((before, after)) = before.zip(program.processor()) {
        let percent = after.saturating_sub(before).as_millis() / u128::from(TIME * 10);
        println!("idle: {percent} % of a core for 30 markets");
    }
    Ok(())
}

/// Samples of a program's memory.
pub(crate) struct Memory(Vec<String>);

impl Memory {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn sample(&mut self, program: &Program) {
        self.0.push(program.memory().map_or("?".to_owned(), |memory| memory.to_string()));
    }

    /// All samples in a line.
    pub(crate) fn report(&self) -> String {
        format!("memory in MiB, from start to end: {}", self.0.join(" "))
    }
}
