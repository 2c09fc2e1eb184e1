//! Compares essential fields and alternative names in the description with the models.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::models::{Kind, Member, Model, Models};
use super::paths::{self, DEPTH};

#[cfg(test)]
mod tests;

/// An alternative name of a field, and where it was seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alias {
    /// Path of the field: `[].mark_price`.
    pub(crate) path: String,
    /// Its other name: `fair_price`.
    pub(crate) was: String,
    pub(crate) source: String,
}

/// Rejects paths that are not among the fields.
pub(crate) fn check(
    essential: &[String],
    aliases: &[Alias],
    fields: &[String],
) -> Result<(), String> {
    let paths =
        || fields.iter().map(|field| field.split_once(": ").map_or(&**field, |(path, _)| path));
    // An object or a list may be essential as well: there are fields below it.
    let is_there = |path: &str| paths().any(|field| field.strip_prefix(path).is_some_and(is_below));
    for path in essential {
        if !is_there(path) {
            return Err(format!("`{path}` is essential, but not among the fields"));
        }
    }
    for Alias { path, was, .. } in aliases {
        if !is_there(path) {
            return Err(format!("`{path}` has the alias `{was}`, but is not among the fields"));
        }
    }
    Ok(())
}

/// Whether what follows a path ends it or lies below it.
fn is_below(rest: &str) -> bool {
    matches!(rest.bytes().next(), None | Some(b'.' | b'['))
}

/// The description of one type of data.
pub(crate) struct Described<'a> {
    pub(crate) essential: &'a [String],
    pub(crate) aliases: &'a [Alias],
    pub(crate) fields: &'a [String],
    /// The type may implement `Deserialize` by hand, so that its fields are unknown here.
    pub(crate) is_hand_written: bool,
    /// The response of a write: a partial one is useless, so lists and objects may be strict.
    pub(crate) is_receipt: bool,
}

impl Described<'_> {
    /// Lists the differences between the description and the model of type `response`.
    pub(crate) fn compare(&self, models: &Models, response: &str) -> Result<Vec<String>, String> {
        let ty = syn::parse_str(response).map_err(|error| format!("`{response}`: {error}"))?;
        let mut walk = Walk {
            described: self,
            models,
            differences: Vec::new(),
            seen: BTreeSet::new(),
            by_hand: Vec::new(),
        };
        walk.kind(&Kind::of(&ty), "", None, 0);
        let Walk { mut differences, seen, by_hand, .. } = walk;
        let is_below = |path: &str, by_hand: &str| {
            path.strip_prefix(by_hand).is_some_and(|rest| by_hand.is_empty() || is_below(rest))
        };
        for path in self.essential.iter().filter(|path| !path.ends_with("[]")) {
            if !seen.contains(path) && !by_hand.iter().any(|by_hand| is_below(path, by_hand)) {
                differences.push(format!("`{path}` is essential, but in no model"));
            }
        }
        for Alias { path, was, .. } in self.aliases {
            if !seen.contains(&format!("{path} was {was}")) {
                differences.push(format!("`{path}` has the alias `{was}`, which its model lacks"));
            }
        }
        Ok(differences)
    }
}

/// A walk through the models of one type of data.
struct Walk<'a> {
    described: &'a Described<'a>,
    models: &'a Models,
    differences: Vec<String>,
    /// Paths of members and, as `path was name`, their aliases.
    seen: BTreeSet<String>,
    /// Paths of values whose types have unknown fields.
    by_hand: Vec<String>,
}

impl<'a> Walk<'a> {
    fn kind(&mut self, kind: &Kind, path: &str, from: Option<&'a Model>, depth: usize) {
        match kind {
            _ if depth > DEPTH => {}
            Kind::Option(inner) => self.kind(inner, path, from, depth + 1),
            Kind::Rows(inner) | Kind::Vec(inner) => {
                self.kind(inner, &format!("{path}[]"), from, depth + 1);
            }
            Kind::Map(inner) => {
                if let Some(path) = paths::of_map_value(path, self.described.fields) {
                    self.kind(inner, &path, from, depth + 1);
                }
            }
            Kind::Named(module, name) => {
                if let Some(model) = self.models.find(module.as_deref(), name, from) {
                    self.model(model, path, depth);
                } else if !path.is_empty() || self.described.is_hand_written {
                    self.by_hand.push(path.to_owned());
                }
            }
        }
    }

    fn model(&mut self, model: &'a Model, path: &str, depth: usize) {
        for (index, member) in model.members.iter().enumerate() {
            let place = paths::of_member(path, model, index);
            if member.is_flat {
                self.kind(&member.kind, &place, Some(model), depth + 1);
                continue;
            }
            for alias in &member.aliases {
                let known =
                    self.described.aliases.iter().any(|a| a.path == place && a.was == *alias);
                if !known {
                    let Model { name, .. } = model;
                    let rust = &member.rust;
                    self.differences.push(format!(
                        "`{name}::{rust}` has the alias `{alias}`, which the description of `{place}` lacks"
                    ));
                }
                self.seen.insert(format!("{place} was {alias}"));
            }
            self.member(model, member, &place);
            self.seen.insert(place.clone());
            self.kind(&member.kind, &place, Some(model), depth + 1);
        }
    }

    fn member(&mut self, model: &Model, member: &Member, place: &str) {
        let (name, rust) = (&model.name, &member.rust);
        let helper = member.helper.as_deref().unwrap_or_default();
        let is_essential = self.described.essential.iter().any(|path| path == place);
        let is_option = matches!(member.kind, Kind::Option(_));
        let is_list = matches!(member.kind, Kind::Rows(_) | Kind::Vec(_) | Kind::Map(_));
        let may_lack = is_option || (member.has_default && !model.is_row);
        if is_essential && may_lack {
            self.differences.push(format!(
                "`{place}` is essential, but `{name}::{rust}` is optional or has a default"
            ));
        }
        // `opt`, the `_opt` helpers and the model's own functions accept any value; a test covers every
        // member. Without a helper an option rejects a value of another type.
        let is_lenient = match &member.kind {
            Kind::Option(inner) => {
                !helper.is_empty() && member.has_default
                    || matches!(&**inner, Kind::Named(_, name) if name == "Value" || name == "RawValue")
            }
            Kind::Rows(_) => member.has_default,
            _ => false,
        };
        // It is useless without the essential fields in it.
        let holds_essential = !may_lack
            && self.described.essential.iter().any(|path| {
                path.strip_prefix(place).is_some_and(|rest| !rest.is_empty() && is_below(rest))
            });
        let is_strict_receipt = self.described.is_receipt && may_lack && (is_list || is_option);
        if !is_essential && !is_lenient && !is_strict_receipt && !holds_essential {
            self.differences
                .push(format!("`{place}` is not essential, but `{name}::{rust}` is required"));
        }
    }
}
