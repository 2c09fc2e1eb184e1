//! What counts as the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use bitmart_types::{Decimal, wire};
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::node::Node;
use crate::time::{self, Instant};
use crate::{Expected, Fault, OtherUnit};

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
    /// The field's own name for the spelling at this path.
    pub(crate) own_name: &'a dyn Fn(&str) -> Option<&'a str>,
    /// Whether the field at this path is a time, which a zero does not tell.
    pub(crate) is_time: &'a dyn Fn(&str) -> bool,
    /// What the recording says that it loses.
    pub(crate) expected: &'a Expected,
    pub(crate) blank: Blank,
    /// Path of the root in the recording.
    pub(crate) root: &'a str,
}

/// What a comparison finds.
#[derive(Default)]
pub(crate) struct Found {
    /// The differences.
    pub(crate) faults: Vec<Fault>,
    /// Paths that the recording lists and that were lost indeed.
    pub(crate) lost: Vec<String>,
    /// Members that were lost, as the recording lists them.
    pub(crate) unreadable: usize,
    /// Times in another unit than described.
    pub(crate) units: Vec<OtherUnit>,
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
    pub(crate) fn find(&self, recorded: &Node, got: &Node) -> Found {
        let found = RefCell::default();
        self.compare(&Place::default(), recorded, Some(got), &found);
        found.into_inner()
    }

    fn compare(&self, at: &Place, recorded: &Node, got: Option<&Node>, found: &RefCell<Found>) {
        match (recorded, got) {
            (_, Some(Node::Object(members))) if members.contains_key(FAULT) => {
                let path = self.path(at);
                if self.expected.faults.contains(&path) {
                    found.borrow_mut().lost.push(path);
                } else {
                    self.fault(at, &"a row that decodes", &members[FAULT], found);
                }
            }
            (Node::Object(recorded), Some(Node::Object(got))) => {
                self.members(at, recorded, got, found);
            }
            (Node::List(recorded), Some(Node::List(got))) => {
                // A row that is null is no row.
                let is_short = recorded.len() > got.len();
                let is_row = |row: &&Node| !is_short || **row != Node::Null;
                let mut got = got.iter();
                for (index, value) in recorded.iter().enumerate() {
                    if is_row(&value) {
                        self.compare(&at.item(index), value, got.next(), found);
                    }
                }
                // Columns that the row does not have yet may be written without a value.
                for (index, value) in got.enumerate().filter(|(_, value)| !is_unset(value)) {
                    self.fault(&at.item(recorded.len() + index), &"nothing", value, found);
                }
            }
            // A list that is none.
            (recorded, Some(Node::List(rows))) if matches!(rows.first(), Some(Node::Object(members)) if members.contains_key(FAULT)) =>
            {
                self.compare(at, recorded, rows.first(), found);
            }
            (recorded, Some(got)) if is_same(recorded, got) => {}
            (recorded, Some(got)) if is_zero(recorded) && is_nothing(got) && self.is_time(at) => {}
            (recorded, Some(got)) if !is_nothing(recorded) && is_unset(got) => {
                let path = self.path(at);
                if self.expected.unreadable.contains(&path) {
                    let mut found = found.borrow_mut();
                    found.lost.push(path);
                    found.unreadable += 1;
                } else {
                    self.fault(at, recorded, got, found);
                }
            }
            (recorded, Some(got)) => match same_time(recorded, got) {
                Some((from, to)) if from.unit != to.unit => found
                    .borrow_mut()
                    .units
                    .push(OtherUnit { path: self.path(at), described: to.unit, found: from.unit }),
                Some(_) => {}
                None => self.fault(at, recorded, got, found),
            },
            (recorded, None) if self.blank == Blank::MayGo && is_nothing(recorded) => {}
            (recorded, None) => self.fault(at, recorded, &"nothing", found),
        }
    }

    fn members(
        &self,
        at: &Place,
        recorded: &BTreeMap<String, Node>,
        got: &BTreeMap<String, Node>,
        found: &RefCell<Found>,
    ) {
        let mut aliased = Vec::new();
        for (key, value) in recorded {
            let place = at.member(key);
            // Where both names are there, the field's own counts, unless it has no value.
            let own = (self.own_name)(&place.pattern).filter(|_| !got.contains_key(key));
            match own {
                Some(own) if recorded.get(own).is_none_or(is_nothing) => {
                    aliased.push(own);
                    self.compare(&place, value, got.get(own), found);
                }
                Some(_) => {}
                None if aliased.contains(&key.as_str()) => {}
                None => {
                    let is_given_up = is_nothing(value)
                        && recorded.keys().any(|other| {
                            (self.own_name)(&at.member(other).pattern) == Some(key.as_str())
                        });
                    if !is_given_up {
                        self.compare(&place, value, got.get(key), found);
                    }
                }
            }
        }
        for (key, value) in got {
            let is_known = recorded.contains_key(key) || aliased.contains(&key.as_str());
            if !is_known && !is_unset(value) {
                self.fault(&at.member(key), &"nothing", value, found);
            }
        }
    }

    fn is_time(&self, at: &Place) -> bool {
        (self.is_time)(&at.pattern)
    }

    /// The path in the recording.
    fn path(&self, at: &Place) -> String {
        let below = if at.exact.is_empty() || at.exact.starts_with('[') { "" } else { "." };
        format!("{}{below}{}", self.root, at.exact)
    }

    fn fault(
        &self,
        at: &Place,
        expected: &dyn fmt::Display,
        got: &dyn fmt::Display,
        found: &RefCell<Found>,
    ) {
        if !(self.is_ignored)(&at.pattern) {
            let fault = Fault::new(self.path(at), expected.to_string(), got.to_string());
            found.borrow_mut().faults.push(fault);
        }
    }
}

/// The member under which a row that does not decode is written.
const FAULT: &str = "$fault";

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

/// A whole zero, which tells no time.
fn is_zero(node: &Node) -> bool {
    decimal(node).is_some_and(|value| value.is_zero())
}

/// Two spellings of one moment. What is written may be less exact: a whole second, a millisecond.
fn same_time(recorded: &Node, got: &Node) -> Option<(Instant, Instant)> {
    let (recorded, got) = (moment(recorded)?, moment(got)?);
    (time::is_same(recorded, got)).then_some((recorded, got))
}

fn moment(node: &Node) -> Option<Instant> {
    match node {
        Node::Text(text) | Node::Number(text) => Instant::read(text),
        _ => None,
    }
}

/// Read as the models read it: exactly, or not at all.
fn decimal(node: &Node) -> Option<Decimal> {
    match node {
        Node::Text(text) | Node::Number(text) => {
            let text: StrDeserializer<'_, ValueError> = text.as_str().into_deserializer();
            wire::decimal::deserialize(text).ok()
        }
        _ => None,
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
