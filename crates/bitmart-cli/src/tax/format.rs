//! The formats of the tax tools: their columns, whether an import was tested, and what they cannot represent.

use bitmart::Timestamp;

use super::line::{Line, cells, description};
use super::{rows, rp2};
use crate::ledger::Entry;
use crate::timezone::Zone;

/// The columns of one of the files of a format. A format of one file has no suffix.
pub(super) struct Table {
    /// Suffix of the file's name.
    pub(super) part: &'static str,
    pub(super) columns: &'static [&'static str],
}

/// A row, and the position of its table in the format.
pub(super) type Row = (usize, Vec<String>);

/// Settings that rows depend on.
pub(super) struct Settings {
    pub(super) zone: Zone,
    /// Price of a USDT in the currency of the tax return, as the user states it.
    pub(super) usdt_price: Option<bitmart::Decimal>,
}

/// The format of a tax tool.
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) tables: &'static [Table],
    /// Whether a test imports the files with the tool itself.
    pub(super) verified: bool,
    pub(super) rows: fn(&Settings, &Entry, &Line) -> Vec<Row>,
    /// Kinds of lines that the format cannot represent.
    pub(super) unsupported: &'static [super::line::LineKind],
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
        // This format has a row per movement and not per line: see `rows_of`.
        rows: |_, _, _| Vec::new(),
        unsupported: &[],
    },
];

/// The format of this program, with every movement.
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

/// Returns the rows of an entry in a format.
pub(super) fn rows_of(
    format: &Format,
    settings: &Settings,
    entry: &Entry,
    lines: &[Line],
) -> Vec<Row> {
    if format.name == GENERIC {
        return rows::generic(settings, entry);
    }
    let supported = lines.iter().filter(|line| !format.unsupported.contains(&line.kind));
    supported.flat_map(|line| (format.rows)(settings, entry, line)).collect()
}

/// Formats a time as `2025-03-30 01:00:00`, in UTC.
pub(super) fn seconds(time: Timestamp) -> String {
    let text: String = time.to_string().chars().take(19).collect();
    text.replace('T', " ")
}

/// Returns sent, received and fee, each as amount and coin, and the description.
pub(super) fn line_cells(entry: &Entry, line: &Line) -> [String; 7] {
    let [sent, sent_coin] = cells(line.sent.as_ref());
    let [received, received_coin] = cells(line.received.as_ref());
    let [fee, fee_coin] = cells(line.fee.as_ref());
    [sent, sent_coin, received, received_coin, fee, fee_coin, description(entry, line)]
}
