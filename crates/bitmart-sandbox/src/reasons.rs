//! Why a request was rejected, for the developer of the client: in a header of the response and, if
//! configured, on standard error. The text is bounded and holds no secret.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use hyper::header::HeaderValue;

/// Longest reason in bytes.
const LENGTH: usize = 512;
/// Lines on standard error within a window.
const LINES: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);

/// A reason in printable ASCII on one line, cut where it is too long.
pub(crate) fn bounded(text: &str) -> String {
    let plain =
        |letter: char| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' };
    text.chars().take(LENGTH).map(plain).collect()
}

/// The value of the header `X-Sandbox-Reason`.
pub(crate) fn header(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&bounded(text)).ok()
}

/// Writes reasons to standard error, a few at a time.
#[derive(Debug)]
pub(crate) struct Reasons {
    window: Option<Mutex<Window>>,
}

impl Reasons {
    pub(crate) fn new(on: bool) -> Self {
        Self { window: on.then(|| Mutex::new(Window::new(Instant::now()))) }
    }

    /// Reports why a request was rejected: `what` is a path or an address, `code` that of the response.
    pub(crate) fn report(&self, what: &str, code: &str, why: &str) {
        let Some(window) = &self.window else { return };
        let now = Instant::now();
        let passed = window.lock().unwrap_or_else(PoisonError::into_inner).pass(now);
        let Some(missed) = passed else { return };
        if missed > 0 {
            eprintln!("bitmart-sandbox: {missed} more rejections were left out");
        }
        eprintln!("{}", bounded(&format!("bitmart-sandbox: {what} rejected with {code}: {why}")));
    }
}

#[derive(Debug)]
struct Window {
    from: Instant,
    lines: u32,
    missed: u64,
}

impl Window {
    fn new(from: Instant) -> Self {
        Self { from, lines: 0, missed: 0 }
    }

    /// Whether a line may be written, and then how many were left out before it.
    fn pass(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.from) >= WINDOW {
            (self.from, self.lines) = (now, 0);
        }
        if self.lines >= LINES {
            self.missed = self.missed.saturating_add(1);
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.missed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line_of_ascii() {
        let text = bounded(&format!("caf\u{e9}\r\n{}", "x".repeat(2_000)));
        assert_eq!(text.len(), LENGTH);
        assert!(text.starts_with("caf???x"), "{text}");
        assert!(header(&text).is_some());
    }

    #[test]
    fn lines_are_bounded_and_what_is_left_out_is_counted() {
        let from = Instant::now();
        let mut window = Window::new(from);
        for _ in 0..LINES {
            assert_eq!(window.pass(from), Some(0));
        }
        assert_eq!((window.pass(from), window.pass(from)), (None, None));
        assert_eq!(window.pass(from + WINDOW), Some(2));
        assert_eq!(window.pass(from + WINDOW), Some(0));
    }
}
