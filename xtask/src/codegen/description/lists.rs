//! How the exchange serves lists: histories, pages, states of rows.

use serde::Deserialize;

/// How the exchange serves a history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    /// Longest window of a request.
    pub(crate) window_days: u32,
    /// A response with so many rows may be incomplete.
    pub(crate) page_size: u32,
    /// Unit of the window's ends: `ms`, the default, or `s`.
    #[serde(default)]
    pub(crate) unit: Unit,
    /// Whether a window has numbered pages.
    #[serde(default)]
    pub(crate) numbered: bool,
    /// Error code of an empty window.
    pub(crate) empty_code: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Unit {
    #[default]
    #[serde(rename = "ms")]
    Millis,
    #[serde(rename = "s")]
    Seconds,
}

/// Which rows are not final: those with a pending value, or those without a final one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct States {
    /// Name of the field below the row.
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) pending: Vec<String>,
    #[serde(default, rename = "final")]
    pub(crate) finals: Vec<String>,
}

/// How a list without times is limited.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// Parameter with the number of rows.
    pub(crate) size: String,
    /// Maximum number of rows of a response.
    pub(crate) max: u32,
    /// Parameter with the number of the page; absent where only the newest rows are returned.
    pub(crate) page: Option<String>,
}

/// A field that counts contracts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContractAmount {
    /// Distinguishes several counts of a row.
    #[serde(default)]
    pub(crate) name: String,
    /// Name of the field below the row.
    pub(crate) count: String,
    /// Name of the field with the price of one unit.
    pub(crate) price: String,
}
