//! Canaries: recognizable stand-ins for secrets, to see whether any get out.

use std::fmt::Debug;

/// A stand-in for an API key.
pub const KEY: &str = "CANARYkey0123456789abcdef";
/// A stand-in for an API secret.
pub const SECRET: &str = "CANARYsecret0123456789abcdef";
/// A stand-in for a memo.
pub const MEMO: &str = "CANARYmemo";

/// Panics when `text` shows a canary or any of `more`, such as a signature.
///
/// # Panics
/// When it does.
#[track_caller]
pub fn assert_hidden(text: &str, more: &[&str]) {
    assert!(!text.contains("CANARY"), "a canary got out: {text}");
    for secret in more {
        assert!(!text.contains(secret), "a secret got out: {text}");
    }
}

/// [`assert_hidden`] over both `Debug` forms of a value.
///
/// # Panics
/// When either form shows a canary or any of `more`.
#[track_caller]
pub fn assert_debug_hides(value: &impl Debug, more: &[&str]) {
    assert_hidden(&format!("{value:?}"), more);
    assert_hidden(&format!("{value:#?}"), more);
}

#[cfg(test)]
mod tests {
    use super::{KEY, MEMO, SECRET, assert_debug_hides, assert_hidden};

    #[test]
    fn harmless_text_passes() {
        assert_debug_hides(&("harmless", 1), &["secret"]);
    }

    #[test]
    fn every_canary_is_caught() {
        for canary in [KEY, SECRET, MEMO] {
            let caught = std::panic::catch_unwind(|| assert_hidden(canary, &[]));
            assert!(caught.is_err());
        }
    }

    #[test]
    fn further_secrets_are_caught() {
        let caught = std::panic::catch_unwind(|| assert_debug_hides(&"a b c", &["b"]));
        assert!(caught.is_err());
    }
}
