//! The formats of rows.

use std::io::{self, IsTerminal as _};

/// A format of rows, for commands, `watch` and the files of `export`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Format {
    /// Aligned columns for people.
    Table,
    /// The data of the response, indented.
    Json,
    /// A JSON object per row. Files of an export call it `jsonl`.
    Ndjson,
    /// Comma-separated values with a header line.
    Csv,
    /// Only as a file of an export.
    Parquet,
    /// The response body as received.
    Raw,
}

impl Format {
    /// The formats of `--output`.
    pub(crate) const OUTPUT_NAMES: [&str; 5] = ["table", "json", "ndjson", "csv", "raw"];
    /// The formats of files, for `export --format`.
    #[cfg(feature = "parquet")]
    pub(crate) const FILE_NAMES: [&str; 3] = ["jsonl", "csv", "parquet"];
    #[cfg(not(feature = "parquet"))]
    pub(crate) const FILE_NAMES: [&str; 2] = ["jsonl", "csv"];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "table" => Self::Table,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            "csv" => Self::Csv,
            "parquet" => Self::Parquet,
            "raw" => Self::Raw,
            _ => return None,
        })
    }

    /// A table on a terminal, NDJSON into a pipe or a file.
    pub(crate) fn automatic() -> Self {
        if io::stdout().is_terminal() { Self::Table } else { Self::Ndjson }
    }

    /// Whether the data is written unchanged, without a choice of columns or time format.
    pub(crate) fn is_unchanged(self) -> bool {
        matches!(self, Self::Json | Self::Raw)
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn every_listed_name_is_a_format() {
        for name in Format::OUTPUT_NAMES.iter().chain(&Format::FILE_NAMES) {
            assert!(Format::from_name(name).is_some(), "{name}");
        }
        assert_eq!(Format::from_name("NDJSON"), Format::from_name("jsonl"));
        assert_eq!(Format::from_name("xml"), None);
    }
}
