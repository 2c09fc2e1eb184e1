//! The error of values that break a rule.

use std::fmt;

use smol_str::SmolStr;

/// Longest piece of a value in the error.
const KEPT: usize = 64;

/// A value that the exchange would not accept: names the parameter, the value and the rule that it
/// breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    what: &'static str,
    value: SmolStr,
    rule: &'static str,
}

impl InvalidValue {
    /// An error about `what` (such as `symbol`) being `value`; `rule` completes "expected …".
    pub fn new(what: &'static str, value: &str, rule: &'static str) -> Self {
        let end = value.char_indices().nth(KEPT).map_or(value.len(), |(end, _)| end);
        Self { what, value: SmolStr::new(&value[..end]), rule }
    }
    /// What the value was meant to be.
    pub fn what(&self) -> &'static str {
        self.what
    }
    /// The value, cut after 64 characters.
    pub fn value(&self) -> &str {
        &self.value
    }
    /// The rule it breaks.
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} is not valid: expected {}", self.what, self.value, self.rule)
    }
}

impl std::error::Error for InvalidValue {}
