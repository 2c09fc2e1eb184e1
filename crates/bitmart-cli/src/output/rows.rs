//! From the data of an answer to rows with named columns.

use super::json::Json;

/// Rows and the names of their columns, in order. A row may lack a column.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_field_names, reason = "a table of rows has rows")]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<(usize, Json)>>,
    /// Where the rows stand in the data: `[]`, `orders[]`, or nowhere when the data is the row.
    place: String,
}

/// Names a column of positional rows: its path in the data (`[]`, `orders[]`) and its index.
pub(crate) type ColumnName<'a> = &'a dyn Fn(&str, usize) -> Option<String>;

/// The rows of `data`: its members if it is a list, those of its only list if it has exactly one,
/// else the data itself as one row.
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

/// `data` itself as one row, whatever lists are in it.
pub(crate) fn one_row(data: &Json) -> Rows {
    of_list(std::slice::from_ref(data), "", &|_, _| None)
}

/// The list that `data` is or has, by the rule of [`rows`]; `None` when the data itself would be the row.
pub(crate) fn list(data: &Json) -> Option<&[Json]> {
    match data {
        Json::List(items) => Some(items),
        Json::Object(members) => only_list(members).map(|(_, items)| items),
        _ => None,
    }
}

/// The list among the members of an object, if there is exactly one.
fn only_list(members: &[(String, Json)]) -> Option<(&str, &[Json])> {
    let mut lists = members.iter().filter_map(|(name, value)| match value {
        Json::List(items) => Some((name.as_str(), items.as_slice())),
        _ => None,
    });
    let first = lists.next()?;
    lists.next().is_none().then_some(first)
}

/// The rows of a list that stands at `path` in the data.
pub(super) fn of_list(items: &[Json], path: &str, name: ColumnName<'_>) -> Rows {
    let mut table = Rows { place: path.to_owned(), ..Rows::default() };
    for item in items {
        table.push(item, &|_, index| name(path, index));
    }
    table
}

impl Rows {
    /// No rows, but columns.
    pub(crate) fn with_columns(columns: Vec<String>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// Where a column stands in the data, as documents name it: `orders[].price`.
    pub(super) fn path(&self, column: usize) -> String {
        let dot = if self.place.is_empty() { "" } else { "." };
        format!("{}{dot}{}", self.place, self.columns[column])
    }

    /// The same rows with these columns, in this order.
    pub(super) fn of_columns(self, columns: Vec<String>) -> Self {
        let place = |name: &String| self.columns.iter().position(|known| known == name);
        let places: Vec<_> = columns.iter().map(place).collect();
        let row = |row: &Vec<(usize, Json)>| {
            let cell = |(new, old): (usize, &Option<usize>)| {
                let (_, value) = row.iter().find(|(column, _)| Some(*column) == *old)?;
                Some((new, value.clone()))
            };
            places.iter().enumerate().filter_map(cell).collect()
        };
        Self { rows: self.rows.iter().map(row).collect(), columns, place: self.place }
    }

    /// Changes each value that `change` has another one for; it is told the path of its column.
    pub(super) fn change(&mut self, change: impl Fn(&str, &Json) -> Option<Json>) {
        let paths: Vec<_> = (0..self.columns.len()).map(|column| self.path(column)).collect();
        for (column, value) in self.rows.iter_mut().flatten() {
            if let Some(changed) = change(&paths[*column], value) {
                *value = changed;
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

    /// Objects within objects become columns like `fee.rate`; lists stay whole.
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

    /// A row with all its cells, blanks included.
    pub(crate) fn cells(&self, row: &[(usize, Json)]) -> Vec<Json> {
        let mut cells = vec![Json::Null; self.columns.len()];
        for (index, value) in row {
            cells[*index] = value.clone();
        }
        cells
    }

    /// A row as an object of its own columns.
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
        let rows = rows(&Json::read(text).expect("JSON"), &name);
        (rows.columns, rows.rows.len())
    }

    #[test]
    fn lists_of_any_kind_become_rows() {
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
