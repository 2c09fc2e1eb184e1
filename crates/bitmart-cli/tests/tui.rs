//! The whole screen at a terminal of its own.

#![cfg(all(unix, feature = "tui"))]

mod common;

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use common::{Place, sandbox};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// How a program gives the screen back.
const SCREEN_BACK: &str = "\u{1b}[?1049l";

struct Session {
    terminal: File,
    child: Child,
    /// What was written, without colours and movements.
    text: String,
    raw: String,
}

impl Session {
    fn start(place: &Place, words: &[&str]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).expect("a terminal");
        unlockpt(&terminal).expect("a terminal");
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).expect("a size");
        let name = ptsname(&terminal, Vec::new()).expect("a name");
        let open = || -> Stdio {
            let path = name.to_str().expect("a path");
            OpenOptions::new().read(true).write(true).open(path).expect("a terminal").into()
        };
        let ready = place.ready_file();
        let child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
            .args(words)
            .args(["--env", ready.to_str().expect("text")])
            .env_clear()
            .env("HOME", ready.parent().expect("a folder"))
            .env("TERM", "xterm-256color")
            .stdin(open())
            .stdout(open())
            .stderr(open())
            .spawn()
            .expect("it runs");
        let (text, raw) = (String::new(), String::new());
        Self { terminal: File::from(terminal), child, text, raw }
    }

    /// Reads on until the screen said `wanted`.
    fn wait_for(&mut self, wanted: &str) {
        let mut bytes = [0; 4096];
        while !self.text.contains(wanted) && !self.raw.contains(wanted) {
            let count = self.terminal.read(&mut bytes).expect("the program draws");
            self.raw += &String::from_utf8_lossy(&bytes[..count]);
            self.text = plain(&self.raw);
        }
    }

    fn press(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).expect("pressed");
    }
}

/// Leaves escape sequences out.
fn plain(raw: &str) -> String {
    let mut out = String::new();
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            // `ESC [ … letter`; the end of a sequence may not be there yet.
            letters.by_ref().skip(1).find(char::is_ascii_alphabetic);
        } else {
            out.push(letter);
        }
    }
    out
}

#[test]
fn a_market_is_shown_live_and_the_terminal_is_given_back() {
    let place = sandbox();
    let mut session = Session::start(&place, &["tui", "BTC_USDT"]);
    for wanted in ["SANDBOX", "BTC_USDT", "candles of 1 min", "spread", "connected", "USDT"] {
        session.wait_for(wanted);
    }
    // Another length of candles. Only what changes of the title is written.
    session.press("\t\t\t");
    session.wait_for("h ─");
    session.press("q");
    session.wait_for(SCREEN_BACK);
    assert_eq!(session.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn an_unknown_market_is_an_error_and_not_an_empty_screen() {
    let place = sandbox();
    let mut session = Session::start(&place, &["tui", "NO_SUCH"]);
    session.wait_for("error: ");
    assert_eq!(session.child.wait().expect("it ends").code(), Some(4));
    assert!(!session.raw.contains("\u{1b}[?1049h"), "the screen was taken: {:?}", session.raw);
}
