//! Rows with named columns from the data of a response.

use super::json::Json;

/// Rows and the names of their columns. A row may lack a column.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_field_names, reason = "a table of rows has rows")]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<(usize, Json)>>,
    /// The path of the rows in the data: `[]`, `orders[]`, or empty if the data is the row.
    path: String,
}

/// Names a column of rows that are lists, by the path of the rows (`[]`, `orders[]`) and the index.
pub(crate) type ColumnName<'a> = &'a dyn Fn(&str, usize) -> Option<String>;

/// The rows of `data`: the items of a list, those of the only list in an object, else the data itself as
/// one row.
pub(crate) fn rows(data: &Json, name: ColumnName<'_>) -> Rows {
    match data {
        Json::List(items) => of_list(items, "[]", name),
        Json::Object(members) => match only_list(members) {
            Some((member, items)) => of_list(items, &format!("{member}[]"), name),
            None => of_list(std::slice::from_ref(data), "", name),
        },
        Json::Null => Rows::default(),
        scalar => of_list(std::slice::from_ref(scalar), "", name),
    }
}

/// `data` itself as one row, even if it contains lists.
pub(crate) fn one_row(data: &Json) -> Rows {
    of_list(std::slice::from_ref(data), "", &|_, _| None)
}

/// The list that [`rows`] takes its rows from; `None` if the data itself is the row.
pub(crate) fn list(data: &Json) -> Option<&[Json]> {
    match data {
        Json::List(items) => Some(items),
        Json::Object(members) => only_list(members).map(|(_, items)| items),
        _ => None,
    }
}

/// The only list among the members of an object; `None` if there are none or several.
fn only_list(members: &[(String, Json)]) -> Option<(&str, &[Json])> {
    let mut lists = members.iter().filter_map(|(name, value)| match value {
        Json::List(items) => Some((name.as_str(), items.as_slice())),
        _ => None,
    });
    let first = lists.next()?;
    lists.next().is_none().then_some(first)
}

/// The rows of the list at `path` in the data.
pub(super) fn of_list(items: &[Json], path: &str, name: ColumnName<'_>) -> Rows {
    let mut table = Rows { path: path.to_owned(), ..Rows::default() };
    for item in items {
        table.push(item, &|_, index| name(path, index));
    }
    table
}

impl Rows {
    /// Columns without rows.
    pub(crate) fn with_columns(columns: Vec<String>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// The documented path of a column: `orders[].price`.
    pub(super) fn path(&self, column: usize) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("{}{dot}{}", self.path, self.columns[column])
    }

    /// The same rows with these columns, in this order.
    pub(super) fn with_only(self, columns: Vec<String>) -> Self {
        let position = |name: &String| self.columns.iter().position(|known| known == name);
        let positions: Vec<_> = columns.iter().map(position).collect();
        let row = |row: &Vec<(usize, Json)>| {
            let cell = |(new, old): (usize, &Option<usize>)| {
                let (_, value) = row.iter().find(|(column, _)| Some(*column) == *old)?;
                Some((new, value.clone()))
            };
            positions.iter().enumerate().filter_map(cell).collect()
        };
        Self { rows: self.rows.iter().map(row).collect(), columns, path: self.path }
    }

    /// Replaces each value for which `replacement` returns another one. It takes the path of the column.
    pub(super) fn replace(&mut self, replacement: impl Fn(&str, &Json) -> Option<Json>) {
        let paths: Vec<_> = (0..self.columns.len()).map(|column| self.path(column)).collect();
        for (column, value) in self.rows.iter_mut().flatten() {
            if let Some(replaced) = replacement(&paths[*column], value) {
                *value = replaced;
            }
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, item: &Json, name: ColumnName<'_>) {
        let mut row = Vec::new();
        match item {
            Json::Object(members) => self.flatten("", members, &mut row),
            Json::List(cells) => {
                for (index, cell) in cells.iter().enumerate() {
                    let column = name("", index).unwrap_or_else(|| index.to_string());
                    row.push((self.column(column), cell.clone()));
                }
            }
            scalar => row.push((self.column("value".to_owned()), scalar.clone())),
        }
        self.rows.push(row);
    }

    /// Nested objects become columns such as `fee.rate`; lists become one cell.
    fn flatten(&mut self, prefix: &str, members: &[(String, Json)], row: &mut Vec<(usize, Json)>) {
        for (name, value) in members {
            let column = format!("{prefix}{name}");
            match value {
                Json::Object(inner) if !inner.is_empty() => {
                    self.flatten(&format!("{column}."), inner, row);
                }
                value => row.push((self.column(column), value.clone())),
            }
        }
    }

    fn column(&mut self, name: String) -> usize {
        self.columns.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.columns.push(name);
            self.columns.len() - 1
        })
    }

    /// The cells of a row, with null for missing ones.
    pub(crate) fn cells(&self, row: &[(usize, Json)]) -> Vec<Json> {
        let mut cells = vec![Json::Null; self.columns.len()];
        for (index, value) in row {
            cells[*index] = value.clone();
        }
        cells
    }

    /// A row as an object, without missing columns.
    pub(crate) fn object(&self, row: &[(usize, Json)]) -> Json {
        let member = |(index, value): &(usize, Json)| (self.columns[*index].clone(), value.clone());
        Json::Object(row.iter().map(member).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, rows};

    fn columns(text: &str) -> (Vec<String>, usize) {
        let name = |path: &str, index: usize| {
            (path == "[]").then(|| ["time", "open"].get(index).map(|name| (*name).to_owned()))?
        };
        let rows = rows(&Json::parse(text).expect("JSON"), &name);
        (rows.columns, rows.rows.len())
    }

    #[test]
    fn every_kind_of_list_becomes_rows() {
        let objects = r#"[{"a":1,"b":{"c":2}},{"d":3}]"#;
        assert_eq!(columns(objects), (vec!["a".into(), "b.c".into(), "d".into()], 2));
        assert_eq!(columns("[[1,2,3]]"), (vec!["time".into(), "open".into(), "2".into()], 1));
        assert_eq!(columns(r#"["BTC_USDT"]"#), (vec!["value".into()], 1));
        assert_eq!(columns(r#"{"total":2,"list":[{"a":1},{"a":2}]}"#), (vec!["a".into()], 2));
        let two = r#"{"asks":[[1,2]],"bids":[]}"#;
        assert_eq!(columns(two), (vec!["asks".into(), "bids".into()], 1));
        assert_eq!(columns("null"), (vec![], 0));
    }
}
