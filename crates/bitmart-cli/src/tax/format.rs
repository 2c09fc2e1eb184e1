//! The formats: whose they are, whether their tool was seen to import them, and what they cannot carry.

use bitmart::Timestamp;

use super::line::{Line, cells, description};
use super::{rows, rp2};
use crate::ledger::Entry;
use crate::timezone::Zone;

/// Columns of a file, and what stands in its name besides that of the user; empty for the only one.
pub(super) struct Table {
    pub(super) part: &'static str,
    pub(super) columns: &'static [&'static str],
}

/// A row, and the place of its table.
pub(super) type Row = (usize, Vec<String>);

/// Everything that rows are made with.
pub(super) struct Terms {
    pub(super) zone: Zone,
    /// What a USDT is worth in the currency of the tax return, as the user says.
    pub(super) usdt_price: Option<bitmart::Decimal>,
}

/// A format of a tool.
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) tables: &'static [Table],
    /// Whether a test imports our files with the tool itself.
    pub(super) verified: bool,
    pub(super) rows: fn(&Terms, &Entry, &Line) -> Vec<Row>,
    /// What is not in the file although it moved money.
    pub(super) lacks: &'static [super::line::What],
}

pub(super) const FORMATS: [Format; 7] = [
    rp2::FORMAT,
    rows::BITTYTAX,
    rows::KOINLY,
    rows::COINTRACKING,
    rows::ROTKI,
    rows::COINLEDGER,
    Format {
        name: GENERIC,
        tables: &[Table { part: "", columns: &COLUMNS }],
        verified: true,
        // Rows of this format are movements and not lines.
        rows: |_, _, _| Vec::new(),
        lacks: &[],
    },
];

/// Every movement, wallet by wallet, with nothing left out.
pub(super) const GENERIC: &str = "generic";

const COLUMNS: [&str; 17] = [
    "time_utc",
    "time_local",
    "entry",
    "entry_kind",
    "kind",
    "wallet",
    "coin",
    "amount",
    "taxable",
    "symbol",
    "price",
    "order_id",
    "trade_id",
    "tx_hash",
    "dataset",
    "row",
    "note",
];

pub(super) fn find(name: &str) -> Option<&'static Format> {
    static KNOWN: [Format; 7] = FORMATS;
    KNOWN.iter().find(|format| format.name == name)
}

/// The rows of an entry in a format.
pub(super) fn rows_of(format: &Format, terms: &Terms, entry: &Entry, lines: &[Line]) -> Vec<Row> {
    if format.name == GENERIC {
        return rows::generic(terms, entry);
    }
    let wanted = lines.iter().filter(|line| !format.lacks.contains(&line.what));
    wanted.flat_map(|line| (format.rows)(terms, entry, line)).collect()
}

/// `2025-03-30 01:00:00`, UTC.
pub(super) fn seconds(time: Timestamp) -> String {
    let text: String = time.to_string().chars().take(19).collect();
    text.replace('T', " ")
}

/// Sent, received and fee, each an amount and its coin, and the description.
pub(super) fn sides(entry: &Entry, line: &Line) -> [String; 7] {
    let [sent, sent_coin] = cells(line.sent.as_ref());
    let [received, received_coin] = cells(line.received.as_ref());
    let [fee, fee_coin] = cells(line.fee.as_ref());
    [sent, sent_coin, received, received_coin, fee, fee_coin, description(entry, line)]
}
