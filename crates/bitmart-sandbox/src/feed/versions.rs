//! How far the books are numbered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The versions of all books: of spot pairs, and of contracts by depth.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Versions {
    /// Beats so far: some books move on every other one.
    #[serde(default)]
    pub(super) beats: u64,
    pub(super) spot: BTreeMap<SmolStr, u64>,
    pub(super) futures: Vec<((SmolStr, usize), u64)>,
}
