//! Compares recorded JSON with what the models write.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use bitmart_types::{Decimal, codec, json};
use serde::Deserialize;

use crate::node::Node;
use crate::time::{self, WireTime};
use crate::{Difference, Expected, OtherUnit};

/// Whether the models may omit members that are recorded without a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmptyMembers {
    /// A request: it omits parameters that are not set.
    MayBeOmitted,
    /// A response or frame: a model that omits a member does not know it.
    MustBeKept,
}

/// The rules of a comparison.
pub(crate) struct Comparison<'a> {
    /// Whether a difference at this path is accepted. Paths begin below the root and have `[]` for every index.
    pub(crate) is_ignored: &'a dyn Fn(&str) -> bool,
    /// The name of the field that the models write for the member at this path, if that is an alias.
    pub(crate) own_name: &'a dyn Fn(&str) -> Option<&'a str>,
    /// Whether the field at this path is a time, for which zero means no value.
    pub(crate) is_time: &'a dyn Fn(&str) -> bool,
    /// Losses that the recording declares.
    pub(crate) expected: &'a Expected,
    pub(crate) empty_members: EmptyMembers,
    /// Path of the root in the recording.
    pub(crate) root: &'a str,
}

/// The result of a comparison.
#[derive(Default)]
pub(crate) struct Findings {
    /// The differences.
    pub(crate) differences: Vec<Difference>,
    /// Declared losses that occurred.
    pub(crate) lost: Vec<String>,
    /// Number of declared members that became `None`.
    pub(crate) unreadable: usize,
    /// Times in a unit that differs from the description.
    pub(crate) units: Vec<OtherUnit>,
}

/// A path below the root: as it is, such as `rows[2].fee`, and as a pattern, `rows[].fee`.
#[derive(Clone, Default)]
struct Location {
    exact: String,
    pattern: String,
}

impl Location {
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
    /// Compares the recording with what the models wrote.
    pub(crate) fn compare_roots(&self, recorded: &Node, got: &Node) -> Findings {
        let found = RefCell::default();
        self.compare(&Location::default(), recorded, Some(got), &found);
        found.into_inner()
    }

    fn compare(
        &self,
        at: &Location,
        recorded: &Node,
        got: Option<&Node>,
        found: &RefCell<Findings>,
    ) {
        match (recorded, got) {
            (_, Some(Node::Object(members))) if members.contains_key(FAULT_KEY) => {
                let path = self.path(at);
                if self.expected.faults.contains(&path) {
                    found.borrow_mut().lost.push(path);
                } else {
                    self.differ(at, &"a row that decodes", &members[FAULT_KEY], found);
                }
            }
            (Node::Object(recorded), Some(Node::Object(got))) => {
                self.members(at, recorded, got, found);
            }
            (Node::List(recorded), Some(Node::List(got))) => {
                // Models skip rows that are null.
                let is_short = recorded.len() > got.len();
                let is_row = |row: &&Node| !is_short || **row != Node::Null;
                let mut got = got.iter();
                for (index, value) in recorded.iter().enumerate() {
                    if is_row(&value) {
                        self.compare(&at.item(index), value, got.next(), found);
                    }
                }
                // The model may write columns that the recorded row lacks, without a value.
                for (index, value) in got.enumerate().filter(|(_, value)| !is_written_empty(value))
                {
                    self.differ(&at.item(recorded.len() + index), &"nothing", value, found);
                }
            }
            // An invalid list.
            (recorded, Some(Node::List(rows))) if rows.first().is_some_and(is_fault) => {
                self.compare(at, recorded, rows.first(), found);
            }
            (recorded, Some(got)) if is_same(recorded, got) => {}
            (recorded, Some(got)) if is_zero(recorded) && is_no_value(got) && self.is_time(at) => {}
            (recorded, Some(got)) if !is_no_value(recorded) && is_written_empty(got) => {
                let path = self.path(at);
                if self.expected.unreadable.contains(&path) {
                    let mut found = found.borrow_mut();
                    found.lost.push(path);
                    found.unreadable += 1;
                } else {
                    self.differ(at, recorded, got, found);
                }
            }
            (recorded, Some(got)) => match same_time(recorded, got) {
                Some((from, to)) if from.unit != to.unit => found
                    .borrow_mut()
                    .units
                    .push(OtherUnit { path: self.path(at), described: to.unit, found: from.unit }),
                Some(_) => {}
                None => self.differ(at, recorded, got, found),
            },
            (recorded, None)
                if self.empty_members == EmptyMembers::MayBeOmitted && is_no_value(recorded) => {}
            (recorded, None) => self.differ(at, recorded, &"nothing", found),
        }
    }

    fn members(
        &self,
        at: &Location,
        recorded: &BTreeMap<String, Node>,
        got: &BTreeMap<String, Node>,
        found: &RefCell<Findings>,
    ) {
        let mut aliased = Vec::new();
        for (key, value) in recorded {
            let place = at.member(key);
            // If both names are present, the field's own name wins, unless it has no value.
            let own = (self.own_name)(&place.pattern).filter(|_| !got.contains_key(key));
            match own {
                Some(own) if recorded.get(own).is_none_or(is_no_value) => {
                    aliased.push(own);
                    self.compare(&place, value, got.get(own), found);
                }
                Some(_) => {}
                None if aliased.contains(&key.as_str()) => {}
                None => {
                    let is_superseded = is_no_value(value)
                        && recorded.keys().any(|other| {
                            (self.own_name)(&at.member(other).pattern) == Some(key.as_str())
                        });
                    if !is_superseded {
                        self.compare(&place, value, got.get(key), found);
                    }
                }
            }
        }
        for (key, value) in got {
            let is_known = recorded.contains_key(key) || aliased.contains(&key.as_str());
            if !is_known && !is_written_empty(value) {
                self.differ(&at.member(key), &"nothing", value, found);
            }
        }
    }

    fn is_time(&self, at: &Location) -> bool {
        (self.is_time)(&at.pattern)
    }

    /// The path in the recording.
    fn path(&self, at: &Location) -> String {
        let below = if at.exact.is_empty() || at.exact.starts_with('[') { "" } else { "." };
        format!("{}{below}{}", self.root, at.exact)
    }

    fn differ(
        &self,
        at: &Location,
        expected: &dyn fmt::Display,
        got: &dyn fmt::Display,
        found: &RefCell<Findings>,
    ) {
        if !(self.is_ignored)(&at.pattern) {
            let difference = Difference::new(self.path(at), expected.to_string(), got.to_string());
            found.borrow_mut().differences.push(difference);
        }
    }
}

/// The member under which the models write a row that does not decode.
const FAULT_KEY: &str = "$fault";

fn is_fault(node: &Node) -> bool {
    matches!(node, Node::Object(members) if members.contains_key(FAULT_KEY))
}

fn is_same(recorded: &Node, got: &Node) -> bool {
    recorded == got
        || (is_no_value(recorded) && is_written_empty(got))
        || decimal(recorded).is_some_and(|value| decimal(got) == Some(value))
        || flag(recorded).is_some_and(|value| flag(got) == Some(value))
        || is_same_keyword(recorded, got)
}

/// Keywords compare without case and surrounding spaces, as the enumerations read them: `Cross` is `cross`. A text
/// with a digit is an id, an address or a number.
fn is_same_keyword(recorded: &Node, got: &Node) -> bool {
    let is_keyword =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    match (recorded, got) {
        (Node::Text(recorded), Node::Text(got)) => {
            is_keyword(got) && recorded.trim().eq_ignore_ascii_case(got)
        }
        _ => false,
    }
}

/// Whether this is one of the exchange's spellings of "no value".
fn is_no_value(node: &Node) -> bool {
    match node {
        Node::Null => true,
        Node::Text(text) => codec::is_no_value(text),
        _ => false,
    }
}

/// Whether this is what the models write for an absent value: for a time that is a zero. A recorded zero is a value
/// and must be kept.
fn is_written_empty(node: &Node) -> bool {
    is_no_value(node) || matches!(node, Node::Number(digits) if digits == "0")
}

/// Whether this is a zero in any spelling.
fn is_zero(node: &Node) -> bool {
    decimal(node).is_some_and(|value| value.is_zero())
}

/// The two times, if both are spellings of the same time; the written one may be less exact.
fn same_time(recorded: &Node, got: &Node) -> Option<(WireTime, WireTime)> {
    let (recorded, got) = (time_of(recorded)?, time_of(got)?);
    (time::is_same(recorded, got)).then_some((recorded, got))
}

fn time_of(node: &Node) -> Option<WireTime> {
    match node {
        Node::Text(text) | Node::Number(text) => WireTime::parse(text),
        _ => None,
    }
}

/// A decimal as the models read it, without the places that do not fit.
fn decimal(node: &Node) -> Option<Decimal> {
    #[derive(Deserialize)]
    struct Read(#[serde(with = "codec::decimal")] Decimal);

    match node {
        Node::Text(text) | Node::Number(text) => {
            let text = serde_json::to_string(text).ok()?;
            json::from_str::<Read>(&text).ok().map(|read| read.0)
        }
        _ => None,
    }
}

/// The value of a flag. Texts and numbers count if the other side is a boolean.
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
