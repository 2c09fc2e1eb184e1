//! The columns of a dataset, by the endpoint catalogue.

use bitmart::rest::catalog::{EndpointEntry, Field, FieldKind, TimeUnit};

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier.
    Id,
    /// A numeric code with a name.
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
    /// Whether every row has it.
    pub(crate) is_required: bool,
    /// Fields of a list's members, by their path below the column.
    pub(crate) members: Vec<(&'static str, &'static Field)>,
}

/// The columns of the rows, in the order of the description. Fields beside the list of rows are not included.
pub(crate) fn columns(entry: &EndpointEntry) -> Vec<Column> {
    let rows = entry.rows.unwrap_or_default();
    let mut columns: Vec<Column> = Vec::new();
    for field in entry.fields {
        let Some(path) = field.path.strip_prefix(rows) else { continue };
        let path = path.strip_prefix('.').unwrap_or(path);
        let is_required = entry.essential.contains(&field.path);
        if path.starts_with('[') {
            let (name, kind) = (field.column.to_owned(), kind(field, field.column));
            columns.push(Column { name, field, kind, is_required, members: Vec::new() });
        } else if let Some((name, member)) = path.split_once("[]") {
            let member = (member.trim_start_matches('.'), field);
            if let Some(column) = columns.iter_mut().find(|column| column.name == name) {
                column.members.push(member);
            } else {
                let (name, members) = (name.to_owned(), vec![member]);
                columns.push(Column { name, field, kind: Kind::List, is_required, members });
            }
        } else {
            let kind = kind(field, path);
            let name = path.to_owned();
            columns.push(Column { name, field, kind, is_required, members: Vec::new() });
        }
    }
    columns
}

/// Whether the rows of the endpoint are lists of values without names.
pub(crate) fn is_positional(entry: &EndpointEntry) -> bool {
    let rows = entry.rows.unwrap_or_default();
    entry
        .fields
        .iter()
        .any(|field| field.path.strip_prefix(rows).is_some_and(|path| path.starts_with('[')))
}

fn kind(field: &Field, name: &str) -> Kind {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if field.is_id {
        return Kind::Id;
    }
    if let Some(unit) = field.time {
        return Kind::Time(unit);
    }
    if !field.values.is_empty() {
        let is_code = field.values.iter().all(|meaning| is_digits(meaning.value));
        return if is_code { Kind::Code } else { Kind::Text };
    }
    match field.kind {
        FieldKind::Decimal => Kind::Decimal,
        FieldKind::Integer => {
            let is_name =
                name == "id" || name.ends_with("Id") || name.ends_with("_id") || name == "cid";
            if is_name { Kind::Id } else { Kind::Integer }
        }
        FieldKind::Flag => Kind::Flag,
        _ => Kind::Text,
    }
}

impl Column {
    /// The type and the unit, as text.
    pub(crate) fn type_and_unit(&self) -> (&'static str, &'static str) {
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
        (kind, if self.kind == Kind::List { "" } else { self.field.unit })
    }

    /// The name of a code.
    pub(crate) fn value_name(&self, value: &str) -> &'static str {
        let known = self.field.values.iter().find(|meaning| meaning.value == value);
        known.map_or("", |meaning| meaning.name)
    }
}

#[cfg(test)]
mod tests {
    use bitmart::rest::catalog::{EndpointEntry, find};

    use super::{Kind, columns};

    fn entry(id: &str) -> &'static EndpointEntry {
        find(id).expect(id)
    }

    fn names(id: &str) -> Vec<String> {
        columns(entry(id)).into_iter().map(|column| column.name).collect()
    }

    #[test]
    fn returns_the_columns_of_the_rows() {
        assert_eq!(names("spot_klines"), ["t", "o", "h", "l", "c", "v", "qv"]);
        assert_eq!(names("futures_leverage_brackets"), ["symbol", "brackets"]);
        assert_eq!(names("account_trade_fee")[..2], ["symbol", "buy_taker_fee_rate"]);
        assert!(names("margin_accounts").contains(&"base.available".to_owned()));
        assert_eq!(names("account_info")[0], "cid");
        assert!(!names("futures_transfers").contains(&"total".to_owned()));
    }

    #[test]
    fn identifiers_are_not_numbers() {
        let kind = |id: &str, name: &str| {
            let found = columns(entry(id)).into_iter().find(|column| column.name == name);
            found.expect(name).kind
        };
        assert_eq!(kind("spot_fills", "tradeId"), Kind::Id);
        assert_eq!(kind("affiliate_rebates", "trade_user_id"), Kind::Id);
        assert_eq!(kind("futures_collateral_interest", "account_id"), Kind::Id);
        assert_eq!(kind("futures_fills", "side"), Kind::Code);
        assert_eq!(kind("spot_fills", "side"), Kind::Text);
        assert_eq!(kind("futures_fills", "vol"), Kind::Decimal);
        assert!(matches!(kind("spot_klines", "t"), Kind::Time(_)));
    }
}
