//! Reasons for rejections, for the developer of the client: in a response header and, if configured, on standard error.
//! The text is bounded and contains no secret.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use hyper::header::HeaderValue;

/// Maximum length of a reason in bytes.
const MAX_LENGTH: usize = 512;
/// Maximum number of lines on standard error per window.
const MAX_LINES: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);

/// A reason as one line of printable ASCII, truncated to the maximum length.
pub(crate) fn bounded(text: &str) -> String {
    let plain =
        |letter: char| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' };
    text.chars().take(MAX_LENGTH).map(plain).collect()
}

/// The value of the header `X-Sandbox-Reason`.
pub(crate) fn header(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&bounded(text)).ok()
}

/// Writes reasons to standard error, with a rate limit.
#[derive(Debug)]
pub(crate) struct Reasons {
    window: Option<Mutex<Window>>,
}

impl Reasons {
    pub(crate) fn new(on: bool) -> Self {
        Self { window: on.then(|| Mutex::new(Window::new(Instant::now()))) }
    }

    /// Reports why a request was rejected. `what` is a path or an address, `code` the code of the response.
    pub(crate) fn report(&self, what: &str, code: &str, reason: &str) {
        let Some(window) = &self.window else { return };
        let now = Instant::now();
        let allowed = window.lock().unwrap_or_else(PoisonError::into_inner).allow(now);
        let Some(suppressed) = allowed else { return };
        if suppressed > 0 {
            eprintln!("bitmart-sandbox: {suppressed} more rejections were not reported");
        }
        eprintln!(
            "{}",
            bounded(&format!("bitmart-sandbox: {what} rejected with {code}: {reason}"))
        );
    }
}

#[derive(Debug)]
struct Window {
    from: Instant,
    lines: u32,
    suppressed: u64,
}

impl Window {
    fn new(from: Instant) -> Self {
        Self { from, lines: 0, suppressed: 0 }
    }

    /// Returns the number of lines suppressed before this one, or `None` if this line is suppressed as well.
    fn allow(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.from) >= WINDOW {
            (self.from, self.lines) = (now, 0);
        }
        if self.lines >= MAX_LINES {
            self.suppressed = self.suppressed.saturating_add(1);
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line_of_ascii() {
        let text = bounded(&format!("caf\u{e9}\r\n{}", "x".repeat(2_000)));
        assert_eq!(text.len(), MAX_LENGTH);
        assert!(text.starts_with("caf???x"), "{text}");
        assert!(header(&text).is_some());
    }

    #[test]
    fn lines_are_limited_and_suppressed_lines_are_counted() {
        let from = Instant::now();
        let mut window = Window::new(from);
        for _ in 0..MAX_LINES {
            assert_eq!(window.allow(from), Some(0));
        }
        assert_eq!((window.allow(from), window.allow(from)), (None, None));
        assert_eq!(window.allow(from + WINDOW), Some(2));
        assert_eq!(window.allow(from + WINDOW), Some(0));
    }
}
