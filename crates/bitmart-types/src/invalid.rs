//! The error for invalid values.

use std::fmt;

use smol_str::SmolStr;

/// Maximum length of the value in the error, in characters.
const VALUE_SHOWN: usize = 64;

/// A value that the exchange would not accept, with the parameter and the rule that it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    what: &'static str,
    value: SmolStr,
    rule: &'static str,
}

impl InvalidValue {
    /// Creates the error for a parameter `what`, such as `symbol`. `rule` completes "expected …".
    pub fn new(what: &'static str, value: &str, rule: &'static str) -> Self {
        let end = value.char_indices().nth(VALUE_SHOWN).map_or(value.len(), |(end, _)| end);
        Self { what, value: SmolStr::new(&value[..end]), rule }
    }
    /// The parameter, such as `symbol`.
    pub fn what(&self) -> &'static str {
        self.what
    }
    /// The value, cut after 64 characters.
    pub fn value(&self) -> &str {
        &self.value
    }
    /// The expected form.
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
