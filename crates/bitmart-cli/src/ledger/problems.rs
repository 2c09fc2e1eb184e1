//! Rows that became no ledger entries, and balances that are not compared, with the reason.

use std::fmt::Write as _;

use super::Movement;

/// Maximum number of ids that are listed for a problem.
const MAX_IDS: usize = 20;

/// Rows that are not in the ledger, and balances that are not compared, by dataset and reason.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

#[derive(Debug)]
struct Problem {
    dataset: String,
    why: &'static str,
    /// The rows are in the ledger, and lack only a part.
    is_partial: bool,
    rows: u64,
    /// The first rows, by id.
    listed: Vec<String>,
}

impl Problems {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a row. `lost` are the movements that are not in the ledger.
    pub(super) fn add(&mut self, dataset: &str, why: &'static str, row: &str, lost: &[Movement]) {
        self.add_row(dataset, why, false, row, lost);
    }

    /// Adds a row that is in the ledger without its fee.
    pub(super) fn add_without_fee(&mut self, dataset: &str, row: &str) {
        self.add_row(dataset, "the fee is not known", true, row, &[]);
    }

    fn add_row(
        &mut self,
        dataset: &str,
        why: &'static str,
        is_partial: bool,
        row: &str,
        lost: &[Movement],
    ) {
        let same = |known: &Problem| known.dataset == dataset && known.why == why;
        let at = self.0.iter().position(same).unwrap_or_else(|| {
            let dataset = dataset.to_owned();
            self.0.push(Problem { dataset, why, is_partial, rows: 0, listed: Vec::new() });
            self.0.len() - 1
        });
        let problem = &mut self.0[at];
        problem.rows += 1;
        if problem.listed.len() < MAX_IDS {
            let mut text =
                if row.is_empty() { "a row without an id".to_owned() } else { row.into() };
            for (place, lost) in lost.iter().enumerate() {
                let before = if place == 0 { " (" } else { ", " };
                // Writing to a `String` does not fail.
                let _ = write!(text, "{before}{} {}", lost.amount.normalize(), lost.coin);
            }
            text += if lost.is_empty() { "" } else { ")" };
            problem.listed.push(text);
        }
    }

    /// Formats a line for each dataset and reason.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |problem: &Problem| {
            let Problem { dataset, why, is_partial, rows, listed } = problem;
            let more = *rows - listed.len() as u64;
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let noun = if *rows == 1 { "row" } else { "rows" };
            let lack = match (is_partial, dataset.starts_with("balances-")) {
                (true, _) => "complete in the ledger",
                (false, true) => "compared",
                (false, false) => "in the ledger",
            };
            format!("{dataset}: {rows} {noun} not {lack}: {why}: {}{more}", listed.join("; "))
        };
        self.0.iter().map(line).collect()
    }
}
