//! Parameters of an endpoint.

use std::fmt;

use serde::Deserialize;

use super::super::types;
use super::lowercase_enum;

/// One parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Param {
    /// Name on the wire.
    pub(crate) name: String,
    /// Name of the Rust field; absent where it is the wire name in snake case.
    field: Option<String>,
    #[serde(rename = "type")]
    pub(crate) rust: String,
    /// Form of an enumeration or an integer on the wire; the other types have one form.
    pub(crate) wire: Option<Wire>,
    #[serde(default)]
    pub(crate) presence: Presence,
    pub(crate) unit: Option<String>,
    pub(crate) min: Option<Bound>,
    pub(crate) max: Option<Bound>,
    pub(crate) max_length: Option<usize>,
    pub(crate) max_items: Option<usize>,
    /// What the exchange assumes without it.
    pub(crate) default: Option<String>,
    /// The documented values.
    #[serde(default)]
    pub(crate) values: Vec<String>,
    pub(crate) doc: String,
    /// Fields of the objects in a list.
    #[serde(default, rename = "item")]
    pub(crate) items: Vec<Param>,
}

/// An end of a published range: a whole number, or a decimal as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Bound {
    Whole(i64),
    Decimal(String),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Decimal(text) => f.write_str(text),
        }
    }
}

lowercase_enum!(Wire { Text, Number });

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Presence {
    Required,
    #[default]
    Optional,
    /// The documentation says when.
    Conditional,
}

impl Param {
    /// Name of the Rust field.
    pub(crate) fn field(&self) -> String {
        let name = self.field.clone().unwrap_or_else(|| types::snake_case(&self.name));
        if name == "type" { "kind".to_owned() } else { name }
    }
}
