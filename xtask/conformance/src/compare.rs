//! What counts as the same.

use std::fmt;

use bitmart_types::{Decimal, wire};

use crate::Fault;
use crate::node::Node;

/// Whether members that are recorded without a value may be absent from what came out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blank {
    /// They may: a request leaves out what it does not set.
    MayGo,
    /// They must stay: a model that drops them does not know the member.
    MustStay,
}

/// A comparison of something recorded with what the models made of it.
pub(crate) struct Comparison<'a> {
    /// Whether the difference at this path, below the root and with `[]` for every index, is accepted.
    pub(crate) is_ignored: &'a dyn Fn(&str) -> bool,
    pub(crate) blank: Blank,
    /// Path of the root in the recording.
    pub(crate) root: &'a str,
}

/// A place in the tree, in both spellings.
#[derive(Clone, Default)]
struct Place {
    exact: String,
    pattern: String,
}

impl Place {
    fn member(&self, key: &str) -> Self {
        let dot = if self.exact.is_empty() { "" } else { "." };
        Self {
            exact: format!("{}{dot}{key}", self.exact),
            pattern: format!("{}{dot}{key}", self.pattern),
        }
    }
    fn item(&self, index: usize) -> Self {
        Self { exact: format!("{}[{index}]", self.exact), pattern: format!("{}[]", self.pattern) }
    }
}

impl Comparison<'_> {
    /// The differences between the recording and what came out.
    pub(crate) fn faults(&self, recorded: &Node, got: &Node) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.compare(&Place::default(), recorded, Some(got), &mut faults);
        faults
    }

    fn compare(&self, at: &Place, recorded: &Node, got: Option<&Node>, faults: &mut Vec<Fault>) {
        match (recorded, got) {
            (Node::Object(recorded), Some(Node::Object(got))) => {
                for (key, value) in recorded {
                    self.compare(&at.member(key), value, got.get(key), faults);
                }
                for (key, value) in got {
                    if !recorded.contains_key(key) && !is_unset(value) {
                        self.fault(&at.member(key), &"nothing", value, faults);
                    }
                }
            }
            (Node::List(recorded), Some(Node::List(got))) => {
                for (index, value) in recorded.iter().enumerate() {
                    self.compare(&at.item(index), value, got.get(index), faults);
                }
                for (index, value) in got.iter().enumerate().skip(recorded.len()) {
                    self.fault(&at.item(index), &"nothing", value, faults);
                }
            }
            (recorded, Some(got)) if is_same(recorded, got) => {}
            (recorded, Some(got)) => self.fault(at, recorded, got, faults),
            (recorded, None) if self.blank == Blank::MayGo && is_nothing(recorded) => {}
            (recorded, None) => self.fault(at, recorded, &"nothing", faults),
        }
    }

    fn fault(
        &self,
        at: &Place,
        expected: &dyn fmt::Display,
        got: &dyn fmt::Display,
        faults: &mut Vec<Fault>,
    ) {
        if !(self.is_ignored)(&at.pattern) {
            let below = if at.exact.is_empty() || at.exact.starts_with('[') { "" } else { "." };
            let path = format!("{}{below}{}", self.root, at.exact);
            faults.push(Fault::new(path, expected.to_string(), got.to_string()));
        }
    }
}

fn is_same(recorded: &Node, got: &Node) -> bool {
    recorded == got
        || (is_nothing(recorded) && is_unset(got))
        || decimal(recorded).is_some_and(|value| decimal(got) == Some(value))
        || flag(recorded).is_some_and(|value| flag(got) == Some(value))
        || is_same_word(recorded, got)
}

/// Capitals and blanks around a word have no meaning: `Cross` and `cross` stand for one thing, and
/// the enumerations read both. Whatever has a digit is an id, an address or a number, not a word.
fn is_same_word(recorded: &Node, got: &Node) -> bool {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    match (recorded, got) {
        (Node::Text(recorded), Node::Text(got)) => {
            is_word(got) && recorded.trim().eq_ignore_ascii_case(got)
        }
        _ => false,
    }
}

/// A spelling of "no value".
fn is_nothing(node: &Node) -> bool {
    match node {
        Node::Null => true,
        Node::Text(text) => wire::is_no_value(text),
        _ => false,
    }
}

/// What the models write where there is no value: for a time that is not set that is a zero. A
/// recorded zero is a value and must stay one.
fn is_unset(node: &Node) -> bool {
    is_nothing(node) || matches!(node, Node::Number(digits) if digits == "0")
}

fn decimal(node: &Node) -> Option<Decimal> {
    match node {
        Node::Text(text) | Node::Number(text) => {
            let text = without_zeros(text);
            Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
        }
        _ => None,
    }
}

/// The exchange writes up to 30 decimal places, more than a `Decimal` has room for; those at the end
/// are zeros.
fn without_zeros(text: &str) -> &str {
    match text.split_once('.') {
        Some((_, places)) if places.bytes().all(|b| b.is_ascii_digit()) => {
            text.trim_end_matches('0').trim_end_matches('.')
        }
        _ => text,
    }
}

/// The meaning of a flag; text and numbers count where the other side is a boolean.
fn flag(node: &Node) -> Option<bool> {
    match node {
        Node::Bool(value) => Some(*value),
        Node::Text(text) | Node::Number(text) => match text.as_str() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
