//! The program at a pseudo-terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::process::send_signal;
use super::{Place, at_sandbox, program};

/// A running program and its terminal.
pub(crate) struct Session {
    terminal: File,
    child: Child,
    /// Everything that the terminal has shown.
    shown: String,
    /// The end of the text that the last [`Session::wait_for`] found.
    position: usize,
}

impl Session {
    /// Runs the program against `place`, with standard input and error at the terminal.
    pub(crate) fn start(place: &Place, words: &[&str]) -> Self {
        Self::spawn(at_sandbox(place, words), None)
    }

    /// Runs the program without an environment, with standard input and error at the terminal.
    pub(crate) fn start_at_home(home: &Path, words: &[&str]) -> Self {
        let mut command = program(home);
        command.args(words);
        Self::spawn(command, None)
    }

    /// Runs the program against `place` with everything at a terminal of this size.
    pub(crate) fn start_sized(place: &Place, rows: u16, columns: u16, words: &[&str]) -> Self {
        let mut command = at_sandbox(place, words);
        command.env("TERM", "xterm-256color");
        Self::spawn(command, Some((rows, columns)))
    }

    fn spawn(mut command: Command, size: Option<(u16, u16)>) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        // Programs of other tests must not keep it open.
        fcntl_setfd(&terminal, FdFlags::CLOEXEC).expect("a terminal");
        grantpt(&terminal).expect("a terminal");
        unlockpt(&terminal).expect("a terminal");
        let name = ptsname(&terminal, Vec::new()).expect("a name");
        let open = || -> Stdio {
            let path = name.to_str().expect("a path");
            OpenOptions::new().read(true).write(true).open(path).expect("a terminal").into()
        };
        command.stdin(open()).stderr(open()).stdout(Stdio::null());
        if let Some((ws_row, ws_col)) = size {
            let size = Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
            tcsetwinsize(&terminal, size).expect("a size");
            command.stdout(open());
        }
        let child = command.spawn().expect("it runs");
        // The command holds the terminal open, which would hide the end of the program.
        drop(command);
        Self { terminal: File::from(terminal), child, shown: String::new(), position: 0 }
    }

    /// Everything that the terminal has shown so far.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    fn read(&mut self) -> std::io::Result<usize> {
        let mut bytes = [0; 4096];
        let count = self.terminal.read(&mut bytes)?;
        self.shown += &String::from_utf8_lossy(&bytes[..count]);
        Ok(count)
    }

    /// Reads until the terminal shows `text` after the text of the last call.
    pub(crate) fn wait_for(&mut self, text: &str) {
        loop {
            if let Some(at) = self.shown[self.position..].find(text) {
                self.position += at + text.len();
                return;
            }
            if let Err(error) = self.read() {
                panic!("{text:?}: {error}: {}", self.shown);
            }
        }
    }

    /// Reads until the output contains `text`, with or without escape sequences.
    pub(crate) fn wait_for_screen(&mut self, text: &str) {
        while !self.shown.contains(text) && !without_escapes(&self.shown).contains(text) {
            self.read().expect("the program draws");
        }
    }

    /// Reads until the program has ended. Returns its output if it was successful.
    pub(crate) fn output(mut self) -> String {
        // The read fails once the other end is closed.
        while matches!(self.read(), Ok(1..)) {}
        assert!(self.child.wait().expect("it ends").success(), "{}", self.shown);
        self.shown
    }

    /// Whether the terminal echoes its input.
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.terminal).expect("a terminal").local_modes.contains(LocalModes::ECHO)
    }

    /// Types a line.
    pub(crate) fn answer(&mut self, text: &str) {
        self.press(&format!("{text}\n"));
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).expect("typed");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send_signal(&self.child, signal);
    }

    /// Waits for the exit code.
    pub(crate) fn wait(&mut self) -> i32 {
        self.child.wait().expect("it ends").code().unwrap_or(super::SIGNALLED)
    }

    /// Waits for the exit code and closes the terminal.
    pub(crate) fn end(mut self) -> i32 {
        self.wait()
    }
}

/// Removes escape sequences.
fn without_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            // `ESC [ … letter`; an incomplete sequence is removed as well.
            letters.by_ref().skip(1).find(char::is_ascii_alphabetic);
        } else {
            out.push(letter);
        }
    }
    out
}
