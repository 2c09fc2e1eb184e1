//! What the columns of a dataset are, as the catalogue of endpoints has it.

use bitmart::rest::catalog::{EndpointEntry, Field, TimeUnit};

use super::reference::is_one_row;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Names something.
    Id,
    /// A number that stands for a word.
    Code,
    Time(TimeUnit),
    Decimal,
    Integer,
    Flag,
    Text,
    /// A list, as JSON.
    List,
}

/// A documented column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) field: &'static Field,
    pub(crate) kind: Kind,
    /// Every row has it.
    pub(crate) is_required: bool,
    /// Fields of the members of a list, with the column's name left out.
    pub(crate) inner: Vec<(&'static str, &'static Field)>,
}

/// The columns in the order of the description. What stands beside the list that the rows come from is no
/// column.
pub(crate) fn columns(entry: &EndpointEntry) -> Vec<Column> {
    let place = place(entry);
    let mut columns: Vec<Column> = Vec::new();
    for field in entry.fields {
        let Some(path) = field.path.strip_prefix(&*place) else { continue };
        let path = path.strip_prefix('.').unwrap_or(path);
        let is_required = entry.essential.contains(&field.path);
        if path.starts_with('[') {
            // A column of a row that is a list begins with its name.
            let name = field.form.split(", ").next().unwrap_or(path).to_owned();
            let kind = kind(field, &name);
            columns.push(Column { name, field, kind, is_required, inner: Vec::new() });
        } else if let Some((name, inner)) = path.split_once("[]") {
            let inner = (inner.trim_start_matches('.'), field);
            if let Some(column) = columns.iter_mut().find(|column| column.name == name) {
                column.inner.push(inner);
            } else {
                let (name, inner) = (name.to_owned(), vec![inner]);
                columns.push(Column { name, field, kind: Kind::List, is_required, inner });
            }
        } else {
            let kind = kind(field, path);
            let name = path.to_owned();
            columns.push(Column { name, field, kind, is_required, inner: Vec::new() });
        }
    }
    columns
}

/// Whether the rows of the endpoint are lists of values, without names.
pub(crate) fn is_positional(entry: &EndpointEntry) -> bool {
    let place = place(entry);
    entry.fields.iter().any(|field| field.path.strip_prefix(&*place).is_some_and(is_column))
}

fn is_column(path: &str) -> bool {
    path.starts_with('[')
}

/// Where the rows stand in the data: `wallet[]`, or nowhere when the data is one row. The same rule as that
/// of `output::rows`: it is the only list.
fn place(entry: &EndpointEntry) -> String {
    if is_one_row(entry.metadata.id) {
        return String::new();
    }
    let mut lists = entry.fields.iter().filter_map(|field| Some(field.path.split_once("[]")?.0));
    let Some(first) = lists.next() else { return String::new() };
    if first.contains(['.', '{']) || lists.any(|list| list != first && !list.contains(['.', '{'])) {
        return String::new();
    }
    format!("{first}[]")
}

fn kind(field: &Field, name: &str) -> Kind {
    let mut parts = field.form.split(", ");
    let mut form = parts.next().unwrap_or_default();
    if form == name {
        form = parts.next().unwrap_or_default();
    }
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if field.is_id {
        Kind::Id
    } else if let Some(unit) = field.time_unit() {
        Kind::Time(unit)
    } else if !field.values.is_empty() {
        let is_code = field.values.iter().all(|meaning| is_digits(meaning.value));
        if is_code { Kind::Code } else { Kind::Text }
    } else if form.starts_with("decimal") || form == "integer text" {
        Kind::Decimal
    } else if form.starts_with("integer") {
        let is_name =
            name == "id" || name.ends_with("Id") || name.ends_with("_id") || name == "cid";
        if is_name { Kind::Id } else { Kind::Integer }
    } else if matches!(form, "true or false" | "boolean" | "flag") {
        Kind::Flag
    } else {
        Kind::Text
    }
}

impl Column {
    /// The type, and the unit with what else is said of the form.
    pub(crate) fn type_and_unit(&self) -> (&'static str, String) {
        let mut parts = self.field.form.split(", ");
        let mut first = parts.next().unwrap_or_default();
        if first == self.name {
            first = parts.next().unwrap_or_default();
        }
        let kind = match self.kind {
            Kind::Id => "id",
            Kind::Code => "code",
            Kind::Time(_) => "time",
            Kind::Decimal => "decimal",
            Kind::Integer => "integer",
            Kind::Flag => "true or false",
            Kind::Text => "text",
            Kind::List => "list",
        };
        let unit = match self.kind {
            Kind::List => String::new(),
            Kind::Text if first != "text" => self.field.form.to_owned(),
            _ => parts.collect::<Vec<_>>().join(", "),
        };
        (kind, unit)
    }

    /// The word for a value out of a list.
    pub(crate) fn word(&self, value: &str) -> &'static str {
        let known = self.field.values.iter().find(|meaning| meaning.value == value);
        known.map_or("", |meaning| meaning.name)
    }
}

#[cfg(test)]
mod tests {
    use bitmart::rest::catalog::{ENDPOINTS, EndpointEntry};

    use super::{Kind, columns};

    fn entry(id: &str) -> &'static EndpointEntry {
        ENDPOINTS.iter().find(|entry| entry.metadata.id == id).expect(id)
    }

    fn names(id: &str) -> Vec<String> {
        columns(entry(id)).into_iter().map(|column| column.name).collect()
    }

    #[test]
    fn columns_are_those_of_the_rows() {
        assert_eq!(names("spot_klines"), ["t", "o", "h", "l", "c", "v", "qv"]);
        assert_eq!(names("futures_leverage_brackets"), ["symbol", "brackets"]);
        assert_eq!(names("account_trade_fee")[..2], ["symbol", "buy_taker_fee_rate"]);
        assert!(names("margin_accounts").contains(&"base.available".to_owned()));
        assert_eq!(names("account_info")[0], "cid");
        assert!(!names("futures_transfers").contains(&"total".to_owned()));
    }

    #[test]
    fn what_names_something_is_no_number() {
        let kind = |id: &str, name: &str| {
            let found = columns(entry(id)).into_iter().find(|column| column.name == name);
            found.expect(name).kind
        };
        assert_eq!(kind("spot_account_trades", "tradeId"), Kind::Id);
        assert_eq!(kind("affiliate_rebates", "trade_user_id"), Kind::Id);
        assert_eq!(kind("futures_collateral_interest", "account_id"), Kind::Id);
        assert_eq!(kind("futures_fills", "side"), Kind::Code);
        assert_eq!(kind("spot_account_trades", "side"), Kind::Text);
        assert_eq!(kind("futures_fills", "vol"), Kind::Decimal);
        assert!(matches!(kind("spot_klines", "t"), Kind::Time(_)));
    }
}
