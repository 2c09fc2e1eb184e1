//! The versions of the published books, as snapshots store them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The versions of all books: spot pairs by symbol, contracts by symbol and depth.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Versions {
    /// Steps since the start. Some books are only pushed on every second step.
    #[serde(default, rename = "beats")]
    pub(super) steps: u64,
    pub(super) spot: BTreeMap<SmolStr, u64>,
    pub(super) futures: Vec<((SmolStr, usize), u64)>,
}
