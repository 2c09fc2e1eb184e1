//! Paths of fields, as descriptions write them: `rows[].price`, `days.{day}[0]`.

use super::models::Model;

/// Deepest nesting of models that is followed.
pub(super) const DEPTH: usize = 8;

/// The path of the values of a map, whose names are in braces because they are values. `None` if no field is there.
pub(super) fn of_map_value(path: &str, fields: &[String]) -> Option<String> {
    let start = if path.is_empty() { "{".to_owned() } else { format!("{path}.{{") };
    fields.iter().find_map(|field| {
        let end = field.strip_prefix(&start)?.find('}')?;
        Some(field[..=start.len() + end].to_owned())
    })
}

/// The path of a member of the model at `path`. The members of a flattened member have no path of their own.
pub(super) fn of_member(path: &str, model: &Model, index: usize) -> String {
    let member = &model.members[index];
    let dot = if path.is_empty() { "" } else { "." };
    match (member.is_flat, model.is_row) {
        (true, _) => path.to_owned(),
        (false, true) => format!("{path}[{index}]"),
        (false, false) => format!("{path}{dot}{}", member.name),
    }
}
