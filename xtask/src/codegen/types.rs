//! Wire forms of the Rust types of parameters.

use super::description::{Param, Presence, Wire};

/// The form of a parameter on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A text.
    Text,
    /// A decimal number in a text.
    Decimal,
    /// An integer: a JSON number in a body.
    Integer,
    /// `true` or `false`.
    Flag,
    /// A list.
    List,
}

/// The wire form of `param`.
pub(crate) fn form(param: &Param) -> Form {
    match (param.rust.as_str(), param.wire) {
        ("bool", _) => Form::Flag,
        ("Decimal", _) => Form::Decimal,
        (rust, _) if rust.starts_with("Vec<") => Form::List,
        (_, Some(Wire::Number)) | ("u32" | "u64" | "i64" | "Timestamp" | "Duration", None) => {
            Form::Integer
        }
        _ => Form::Text,
    }
}

/// Types of bitmart-types that convert from any text.
const IDENTIFIERS: [&str; 10] = [
    "Symbol",
    "ContractSymbol",
    "Currency",
    "OrderId",
    "TradeId",
    "BorrowId",
    "RepayId",
    "UserId",
    "EarnId",
    "EarnProductId",
];

/// Identifiers that the client chooses; they are checked when they are created.
const CHECKED: [&str; 3] = ["ClientOrderId", "RequestNo", "EarnRequestNo"];

/// Rejects parameters that the generator does not support.
pub(crate) fn check(param: &Param, custom: bool) -> Result<(), String> {
    let list = param.rust.starts_with("Vec<");
    let plain = is_text(&param.rust) || is_copy(&param.rust);
    if !list && param.wire.is_none() && !plain {
        return Err("an enumeration needs `wire`".to_owned());
    }
    if param.rust == "Timestamp" && !matches!(param.unit.as_deref(), Some("s" | "ms")) {
        return Err("a time needs the unit `s` or `ms`".to_owned());
    }
    if param.rust == "Duration" && param.unit.as_deref() != Some("ms") {
        return Err("a duration needs the unit `ms`".to_owned());
    }
    if !custom && (list || param.presence == Presence::Conditional) {
        return Err("lists and conditional parameters need a request written by hand".to_owned());
    }
    Ok(())
}

/// The full path of a Rust type of the description: names without a path are in bitmart-types,
/// paths start at `api` in bitmart-rest.
pub(crate) fn path(rust: &str) -> String {
    if let Some((outer, item)) = rust.strip_suffix('>').and_then(|rest| rest.split_once('<')) {
        let root = match outer {
            "Vec" => "",
            "Rows" => "bitmart_types::",
            _ => "crate::",
        };
        return format!("{root}{outer}<{}>", path(item));
    }
    match rust {
        "String" | "bool" | "u32" | "u64" | "i64" => rust.to_owned(),
        "Duration" => "std::time::Duration".to_owned(),
        _ if rust.contains("::") => format!("crate::api::{rust}"),
        _ => format!("bitmart_types::{rust}"),
    }
}

/// Whether the type is text: `String` or an identifier.
pub(crate) fn is_text(rust: &str) -> bool {
    takes_text(rust) || CHECKED.contains(&rust)
}

/// Whether the type converts from any text, so that functions take `impl Into<Type>`. Identifiers that
/// the client chooses do not: they are checked when they are created.
pub(crate) fn takes_text(rust: &str) -> bool {
    rust == "String" || IDENTIFIERS.contains(&rust)
}

/// Whether a plain number is written for a value of this type.
pub(crate) fn is_number(rust: &str) -> bool {
    matches!(rust, "u32" | "u64" | "i64" | "Decimal")
}

/// Whether a value of this type is passed by value.
pub(crate) fn is_copy(rust: &str) -> bool {
    matches!(rust, "bool" | "u32" | "u64" | "i64" | "Decimal" | "Timestamp" | "Duration")
}

/// `startTime` to `start_time`, `N` to `n`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// `sub_account` to `SubAccount`.
pub(crate) fn type_name(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(1.min(word.len()));
            first.to_uppercase() + rest
        })
        .collect()
}
