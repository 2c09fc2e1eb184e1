//! Rows that are in no ledger, and why: nothing is lost silently.

use std::fmt::Write as _;

use super::Movement;

/// Most rows of one kind of problem that are told by their ids.
const TOLD: usize = 20;

/// What is not in the ledger, by dataset and reason.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

#[derive(Debug)]
struct Problem {
    dataset: String,
    why: &'static str,
    rows: u64,
    told: Vec<String>,
}

impl Problems {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes a row. `lost` is what it would have moved.
    pub(super) fn add(&mut self, dataset: &str, why: &'static str, row: &str, lost: &[Movement]) {
        let same = |known: &Problem| known.dataset == dataset && known.why == why;
        let at = self.0.iter().position(same).unwrap_or_else(|| {
            let dataset = dataset.to_owned();
            self.0.push(Problem { dataset, why, rows: 0, told: Vec::new() });
            self.0.len() - 1
        });
        let problem = &mut self.0[at];
        problem.rows += 1;
        if problem.told.len() < TOLD {
            let mut told =
                if row.is_empty() { "a row without an id".to_owned() } else { row.into() };
            for (place, lost) in lost.iter().enumerate() {
                let before = if place == 0 { " (" } else { ", " };
                // Writing to a text cannot fail.
                let _ = write!(told, "{before}{} {}", lost.amount.normalize(), lost.coin);
            }
            told += if lost.is_empty() { "" } else { ")" };
            problem.told.push(told);
        }
    }

    /// A line for each dataset and reason.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |problem: &Problem| {
            let Problem { dataset, why, rows, told } = problem;
            let more = *rows - told.len() as u64;
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let noun = if *rows == 1 { "row" } else { "rows" };
            format!("{dataset}: {rows} {noun} not in the ledger: {why}: {}{more}", told.join("; "))
        };
        self.0.iter().map(line).collect()
    }
}
