//! Documentation and type of the described fields, taken from the models.

use std::collections::BTreeMap;

use super::models::{Kind, Model, Models};
use super::paths::{self, DEPTH};

/// Documentation and type of a field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fact {
    /// Its documentation, for readers who do not know Rust.
    pub(crate) doc: String,
    /// Name of its type.
    pub(crate) rust: String,
    /// Public module in which that name is used.
    pub(crate) module: String,
}

/// Returns the facts of the model of type `response` by field path. `fields` tells which members have
/// values for names.
pub(crate) fn facts(
    models: &Models,
    response: &str,
    fields: &[String],
) -> Result<BTreeMap<String, Fact>, String> {
    let inner = response.strip_prefix("Unverified<").and_then(|rest| rest.strip_suffix('>'));
    let ty = syn::parse_str(inner.unwrap_or(response))
        .map_err(|error| format!("`{response}`: {error}"))?;
    let mut walk = Walk { models, fields, facts: BTreeMap::new() };
    walk.kind(&Kind::of(&ty), "", None, "", 0);
    Ok(walk.facts)
}

struct Walk<'a> {
    models: &'a Models,
    fields: &'a [String],
    facts: BTreeMap<String, Fact>,
}

impl<'a> Walk<'a> {
    fn kind(&mut self, kind: &Kind, path: &str, from: Option<&'a Model>, doc: &str, depth: usize) {
        match kind {
            _ if depth > DEPTH => {}
            Kind::Option(inner) => self.kind(inner, path, from, doc, depth + 1),
            Kind::Rows(inner) | Kind::Vec(inner) => {
                self.kind(inner, &format!("{path}[]"), from, doc, depth + 1);
            }
            Kind::Map(inner) => {
                if let Some(path) = paths::of_map_value(path, self.fields) {
                    self.kind(inner, &path, from, doc, depth + 1);
                }
            }
            Kind::Named(module, name) => {
                if let Some(model) = self.models.find(module.as_deref(), name, from) {
                    self.model(model, path, depth);
                } else {
                    let module = module.as_deref().or(from.map(Model::module)).unwrap_or_default();
                    let fact =
                        Fact { doc: plain(doc), rust: name.clone(), module: module.to_owned() };
                    self.facts.insert(path.to_owned(), fact);
                }
            }
        }
    }

    fn model(&mut self, model: &'a Model, path: &str, depth: usize) {
        for (index, member) in model.members.iter().enumerate() {
            let place = paths::of_member(path, model, index);
            self.kind(&member.kind, &place, Some(model), &member.doc, depth + 1);
        }
    }
}

/// Keeps the sentences that make sense without Rust: `None` becomes a blank, and sentences with links
/// to other items are dropped.
fn plain(doc: &str) -> String {
    let is_of_use = |sentence: &&str| {
        !sentence.contains("](") && !sentence.contains("[`") && *sentence != "`None` if absent"
    };
    let sentences = doc.trim_end_matches('.').split(". ").map(str::trim).filter(is_of_use);
    let text = sentences.collect::<Vec<_>>().join(". ").replace("`None`", "blank");
    if text.is_empty() { text } else { text + "." }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Fact, Models, facts, plain};

    #[test]
    fn documentation_is_for_readers_of_files() {
        for (doc, wanted) in [
            ("Fee. `None` if absent.", "Fee."),
            (
                "Limit price; `None` or 0 for a market order.",
                "Limit price; blank or 0 for a market order.",
            ),
            ("How far it is. [`progress`](Self::progress) says which.", "How far it is."),
            ("`None` if absent.", ""),
        ] {
            assert_eq!(plain(doc), wanted);
        }
    }

    #[test]
    fn each_field_has_the_documentation_and_the_type_of_its_member() {
        let mut models = Models::empty();
        let text = "
            /// A list.
            #[derive(Deserialize)]
            struct List { rows: Rows<Row>, days: BTreeMap<String, Vec<Row>> }
            #[derive(Deserialize)]
            struct Row {
                /// What it
                /// costs.
                #[serde(rename = \"PRICE\")] price: Option<Decimal>,
            }
            positional! { struct Candle {
                /// When.
                t: Timestamp as seconds,
            } }
        ";
        models.source(Path::new("x.rs"), text).expect("it is read");
        let fact = |doc: &str, rust: &str| Fact {
            doc: doc.to_owned(),
            rust: rust.to_owned(),
            module: "x".to_owned(),
        };
        let fields = ["days.{day}[].PRICE: decimal text".to_owned()];
        let found = facts(&models, "Unverified<List>", &fields).expect("facts");
        assert_eq!(found["rows[].PRICE"], fact("What it costs.", "Decimal"));
        assert_eq!(found["days.{day}[].PRICE"], fact("What it costs.", "Decimal"));
        let found = facts(&models, "Rows<Candle>", &[]).expect("facts");
        assert_eq!(found["[][0]"], fact("When.", "Timestamp"));
    }
}
