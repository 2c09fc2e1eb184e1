//! Canaries: recognizable stand-ins for secrets, to detect leaks.

use std::fmt::Debug;

/// A stand-in for an API key.
pub const KEY: &str = "CANARYkey0123456789abcdef";
/// A stand-in for an API secret.
pub const SECRET: &str = "CANARYsecret0123456789abcdef";
/// A stand-in for a memo.
pub const MEMO: &str = "CANARYmemo";

/// Asserts that `text` contains no canary and none of `more`, such as a signature.
///
/// # Panics
/// The text contains one.
#[track_caller]
pub fn assert_hidden(text: &str, more: &[&str]) {
    assert!(!text.contains("CANARY"), "leaked a canary: {text}");
    for secret in more {
        assert!(!text.contains(secret), "leaked a secret: {text}");
    }
}

/// Applies [`assert_hidden`] to both `Debug` forms of a value.
///
/// # Panics
/// Either form contains a canary or any of `more`.
#[track_caller]
pub fn assert_debug_hides(value: &impl Debug, more: &[&str]) {
    assert_hidden(&format!("{value:?}"), more);
    assert_hidden(&format!("{value:#?}"), more);
}

#[cfg(test)]
mod tests {
    use super::{KEY, MEMO, SECRET, assert_debug_hides, assert_hidden};

    #[test]
    fn accepts_harmless_text() {
        assert_debug_hides(&("harmless", 1), &["secret"]);
    }

    #[test]
    fn detects_every_canary() {
        for canary in [KEY, SECRET, MEMO] {
            let caught = std::panic::catch_unwind(|| assert_hidden(canary, &[]));
            assert!(caught.is_err());
        }
    }

    #[test]
    fn detects_further_secrets() {
        let caught = std::panic::catch_unwind(|| assert_debug_hides(&"a b c", &["b"]));
        assert!(caught.is_err());
    }
}
