//! The program at a terminal of its own.

#![allow(dead_code, reason = "each test file uses what it needs")]

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::Place;

pub(crate) struct Session {
    terminal: File,
    child: Child,
    seen: String,
}

impl Session {
    pub(crate) fn start(place: &Place, words: &[&str]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).expect("a terminal");
        unlockpt(&terminal).expect("a terminal");
        let name = ptsname(&terminal, Vec::new()).expect("a name");
        let open = || -> Stdio {
            let path = name.to_str().expect("a path");
            OpenOptions::new().read(true).write(true).open(path).expect("a terminal").into()
        };
        let child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
            .args(words)
            .args(["--env", place.ready_file().to_str().expect("a name in UTF-8")])
            .env_clear()
            .env("HOME", place.home())
            .stdin(open())
            .stderr(open())
            .stdout(Stdio::null())
            .spawn()
            .expect("it runs");
        Self { terminal: File::from(terminal), child, seen: String::new() }
    }

    /// Reads on until the terminal shows `text`, and forgets what was before it.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let mut bytes = [0; 1024];
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let count = self.terminal.read(&mut bytes);
            let count = count.unwrap_or_else(|error| panic!("{text:?}: {error}: {}", self.seen));
            self.seen += &String::from_utf8_lossy(&bytes[..count]);
        }
    }

    pub(crate) fn answer(&mut self, text: &str) {
        self.terminal.write_all(format!("{text}\n").as_bytes()).expect("it is typed");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("sent");
    }

    /// The exit code.
    pub(crate) fn end(mut self) -> i32 {
        self.child.wait().expect("it ends").code().unwrap_or(super::SIGNALLED)
    }
}
