//! JSON schemas of parameters and responses.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::description::Param;

/// The schema of a parameter's value.
pub(crate) fn parameter(param: &Param) -> Value {
    let mut schema = match param.rust.as_str() {
        "Vec<Object>" => json!({ "type": "array", "items": object(&param.items) }),
        rust if rust.starts_with("Vec<") => {
            json!({ "type": "array", "items": { "type": "string" } })
        }
        "bool" => json!({ "type": "boolean" }),
        "u32" | "Duration" => json!({ "type": "integer", "format": "int32", "minimum": 0 }),
        "u64" => json!({ "type": "integer", "format": "int64", "minimum": 0 }),
        "i64" | "Timestamp" => json!({ "type": "integer", "format": "int64" }),
        "Decimal" => json!({ "type": "string", "format": "decimal" }),
        _ if param.wire.as_deref() == Some("number") => json!({ "type": "integer" }),
        _ => json!({ "type": "string" }),
    };
    let is_integer = schema["type"] == "integer";
    let typed = |text: &str| match (is_integer, text.parse::<i64>()) {
        (true, number) => number.ok().map(Value::from),
        (false, _) => Some(Value::from(text)),
    };
    let values: Vec<Value> = param.values.iter().filter_map(|text| typed(text)).collect();
    if !values.is_empty() && values.len() == param.values.len() {
        schema["enum"] = Value::from(values);
    }
    // A schema cannot bound a decimal in a text.
    let (minimum, maximum) =
        if is_integer { ("minimum", "maximum") } else { ("x-minimum", "x-maximum") };
    let bounds = [
        (minimum, param.min.clone()),
        (maximum, param.max.clone()),
        ("maxLength", param.max_length.map(Value::from)),
        ("maxItems", param.max_items.map(Value::from)),
        ("x-unit", param.unit.as_deref().map(Value::from)),
        ("default", param.default.as_deref().and_then(|text| default(&schema, text))),
    ];
    for (key, value) in bounds {
        if let Some(value) = value {
            schema[key] = value;
        }
    }
    schema
}

/// The default of a parameter, if it is a value of its type. Some are not, such as `now`.
fn default(schema: &Value, text: &str) -> Option<Value> {
    let value = match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().ok().map(Value::from),
        Some("boolean") => text.parse::<bool>().ok().map(Value::from),
        _ => Some(Value::from(text)),
    }?;
    let is_listed = schema["enum"].as_array().is_none_or(|values| values.contains(&value));
    is_listed.then_some(value)
}

/// The schema of an object of parameters: a body, or a member of a list.
pub(crate) fn object(params: &[Param]) -> Value {
    let mut members = Map::new();
    for param in params {
        let mut schema = parameter(param);
        schema["description"] = Value::from(description(param));
        members.insert(param.name.clone(), schema);
    }
    let required: Vec<&str> =
        params.iter().filter(|param| is_required(param)).map(|param| param.name.as_str()).collect();
    let mut schema = json!({ "type": "object", "properties": members });
    if !required.is_empty() {
        schema["required"] = Value::from(required);
    }
    schema
}

pub(crate) fn is_required(param: &Param) -> bool {
    param.presence == "required"
}

/// The meaning of a parameter, and constraints that a schema cannot express.
pub(crate) fn description(param: &Param) -> String {
    let mut text = param.doc.clone();
    if param.presence == "conditional" {
        text.push_str(" Required in some cases.");
    }
    if let Some(default) = &param.default {
        let _ = write!(text, " Default: {default}.");
    }
    text
}

/// The schema of a response's data, from lines such as `records[].fee: decimal text`.
pub(crate) fn data(fields: &[String]) -> Value {
    let mut schema = json!({});
    for field in fields {
        let (path, form) = field.split_once(": ").unwrap_or((field, "text"));
        let mut node = &mut schema;
        for step in steps(path) {
            node = match step {
                Step::Item => {
                    node["type"] = Value::from("array");
                    &mut node["items"]
                }
                Step::Column(index) => {
                    node["type"] = Value::from("array");
                    let columns = &mut node["prefixItems"];
                    if columns.is_null() {
                        *columns = json!([]);
                    }
                    let columns = columns.as_array_mut().expect("made above");
                    columns.resize(columns.len().max(index + 1), json!({}));
                    &mut columns[index]
                }
                Step::AnyMember => {
                    node["type"] = Value::from("object");
                    &mut node["additionalProperties"]
                }
                Step::Member(name) => {
                    node["type"] = Value::from("object");
                    &mut node["properties"][name]
                }
            };
        }
        *node = scalar(form);
    }
    schema
}

/// A step down the path of a field.
enum Step<'a> {
    /// To the items of a list: `[]`.
    Item,
    /// To a column of a row: `[2]`.
    Column(usize),
    /// To the members of an object whose names are values: `{date}`.
    AnyMember,
    /// To the member of this name.
    Member(&'a str),
}

/// The steps of a path such as `records[].fee`.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
        match name {
            "" => {}
            _ if name.starts_with('{') => steps.push(Step::AnyMember),
            _ => steps.push(Step::Member(name)),
        }
        for index in brackets.split(']').filter_map(|bracket| bracket.strip_prefix('[')) {
            steps.push(index.parse().map_or(Step::Item, Step::Column));
        }
    }
    steps
}

/// The schema of a value from its description, such as `t, integer, s`: the first part between commas that
/// names a type.
fn scalar(form: &str) -> Value {
    let schema = |part: &str| {
        Some(match part {
            "text" | "currency code" => json!({ "type": "string" }),
            "decimal text" => json!({ "type": "string", "format": "decimal" }),
            "integer text" => json!({ "type": "string", "format": "int64" }),
            "integer" => json!({ "type": "integer", "format": "int64" }),
            "decimal number" => json!({ "type": "number" }),
            "boolean" | "true or false" => json!({ "type": "boolean" }),
            "integer or text" => json!({ "type": ["integer", "string"] }),
            "integer text or integer" => {
                json!({ "type": ["integer", "string"], "format": "int64" })
            }
            _ => return None,
        })
    };
    let mut schema = form.split(", ").find_map(schema).unwrap_or_else(|| json!({}));
    if form.contains("null")
        && let Some(kind) = schema["type"].as_str()
    {
        schema["type"] = json!([kind, "null"]);
    }
    schema["description"] = Value::from(form);
    schema
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::data;

    #[test]
    fn fields_become_a_schema() {
        let text = |about: &str| json!({ "type": "string", "description": about });
        let fields = ["total: text", "rows[].tags[]: text", "days.{date}[].id: text"];
        assert_eq!(
            data(&fields.map(str::to_owned)),
            json!({ "type": "object", "properties": {
                "total": text("text"),
                "rows": { "type": "array", "items": { "type": "object", "properties": {
                    "tags": { "type": "array", "items": text("text") },
                } } },
                "days": { "type": "object", "additionalProperties": {
                    "type": "array",
                    "items": { "type": "object", "properties": { "id": text("text") } },
                } },
            } })
        );
    }

    #[test]
    fn columns_keep_their_positions() {
        let fields = ["[][2]: t, integer, s", "[][0]: symbol, text"].map(str::to_owned);
        let schema = data(&fields);
        let columns = &schema["items"]["prefixItems"];
        assert_eq!(columns[0]["description"], "symbol, text");
        assert_eq!(columns[0]["type"], "string");
        assert_eq!(columns[1], json!({}));
        assert_eq!(columns[2]["type"], "integer");
    }

    #[test]
    fn a_nullable_field_has_two_types() {
        let schema = data(&["fee: decimal text, may be null".to_owned()]);
        assert_eq!(schema["properties"]["fee"]["type"], json!(["string", "null"]));
    }

    #[test]
    fn a_response_without_described_fields_may_be_anything() {
        assert_eq!(data(&[]), json!({}));
    }
}
