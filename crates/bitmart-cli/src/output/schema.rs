//! The documented columns and times of a response.

use bitmart::Timestamp;
use bitmart::rest::catalog::{EndpointEntry, Field, TimeUnit};

use super::json::Json;

/// The description of the data of an endpoint. It has no entry for data that the program makes itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    entry: Option<&'static EndpointEntry>,
    /// Names of the columns, and whether every row has them.
    columns: Vec<(String, bool)>,
}

impl Schema {
    pub(super) fn of_endpoint(entry: &'static EndpointEntry) -> Self {
        let columns = crate::export::columns::columns(entry);
        let columns = columns.into_iter().map(|column| (column.name, column.is_required));
        Self { entry: Some(entry), columns: columns.collect() }
    }

    #[cfg(test)]
    pub(super) fn of_columns(columns: &[(&str, bool)]) -> Self {
        let columns = columns.iter().map(|(name, required)| ((*name).to_owned(), *required));
        Self { entry: None, columns: columns.collect() }
    }

    pub(super) fn column_names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The place of a column in the description, and whether every row has it.
    pub(super) fn position(&self, column: &str) -> Option<(usize, bool)> {
        let position = self.columns.iter().position(|(known, _)| known == column)?;
        Some((position, self.columns[position].1))
    }

    /// The name of a column of rows that are lists.
    pub(super) fn positional_name(&self, path: &str, index: usize) -> Option<String> {
        positional_name(self.entry?, path, index)
    }

    /// Reads the value at a path as a time, if it is documented as one.
    pub(super) fn time(&self, path: &str, value: &Json) -> Option<Timestamp> {
        let unit = field(self.entry?, path)?.time?;
        let number = value.cell().parse::<i64>().ok().filter(|number| *number > 0)?;
        let millis = match unit {
            TimeUnit::Millis => number,
            TimeUnit::Seconds => number.saturating_mul(1000),
        };
        Some(Timestamp::from_millis(millis))
    }
}

/// The documented name of a column of rows that are lists.
pub(crate) fn positional_name(entry: &EndpointEntry, path: &str, index: usize) -> Option<String> {
    let path = format!("{path}[{index}]");
    let column = entry.fields.iter().find(|field| field.path == path)?.column;
    Some(column.to_owned()).filter(|column| !column.is_empty())
}

/// The documented field at `path`. Columns of rows that are lists go by their name: `[].t`.
fn field<'a>(entry: &'a EndpointEntry, path: &str) -> Option<&'a Field> {
    let (list, name) = path.rsplit_once('.').unwrap_or(("", path));
    let is_positional = |field: &&Field| {
        let in_list = field.path.strip_prefix(list).is_some_and(|rest| rest.starts_with('['));
        in_list && field.column == name
    };
    let found = entry.fields.iter().find(|field| field.path == path);
    found.or_else(|| entry.fields.iter().find(is_positional))
}
