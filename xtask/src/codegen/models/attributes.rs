//! Attributes of structs and fields.

use syn::parse::Parse as _;
use syn::{Attribute, Token};

/// The attributes of `serde` that matter here.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent attributes")]
pub(super) struct Serde {
    pub(super) rename: Option<String>,
    pub(super) rename_all: Option<String>,
    pub(super) aliases: Vec<String>,
    pub(super) helper: Option<String>,
    /// The type that is decoded as this one.
    pub(super) remote: Option<String>,
    pub(super) has_default: bool,
    pub(super) is_flat: bool,
    pub(super) is_skipped: bool,
    /// Serialized as its only field.
    pub(super) is_transparent: bool,
    /// Decoded as another type.
    pub(super) is_opaque: bool,
}

impl Serde {
    pub(super) fn read(attributes: &[Attribute]) -> Self {
        let mut all = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            // Other attributes do not matter.
            let _ = attribute.parse_nested_meta(|meta| {
                let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
                let value = if meta.input.peek(Token![=]) {
                    let value: syn::Expr = meta.value()?.parse()?;
                    match value {
                        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => {
                            text.value()
                        }
                        _ => String::new(),
                    }
                } else {
                    if meta.input.peek(syn::token::Paren) {
                        let content;
                        syn::parenthesized!(content in meta.input);
                        content.parse_terminated(syn::Meta::parse, Token![,])?;
                    }
                    String::new()
                };
                match name.as_str() {
                    "rename" => all.rename = Some(value),
                    "rename_all" => all.rename_all = Some(value),
                    "alias" => all.aliases.push(value),
                    "with" => all.helper = Some(value),
                    "deserialize_with" => {
                        all.helper = Some(value.trim_end_matches("::deserialize").to_owned());
                    }
                    "remote" => all.remote = Some(value),
                    "default" => all.has_default = true,
                    "flatten" => all.is_flat = true,
                    "skip" | "skip_deserializing" => all.is_skipped = true,
                    "transparent" => all.is_transparent = true,
                    "from" | "try_from" => all.is_opaque = true,
                    _ => {}
                }
                Ok(())
            });
        }
        all
    }
}

pub(super) fn derives(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let mut found = false;
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|last| last.ident == name);
            Ok(())
        });
        found
    })
}

/// The documentation of an item on one line.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        syn::Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    lines.join("").trim().to_owned()
}

/// The texts of `#[doc(alias = "…")]`.
pub(super) fn search_aliases(attributes: &[Attribute]) -> Vec<String> {
    let mut aliases = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("alias") {
                aliases.push(meta.value()?.parse::<syn::LitStr>()?.value());
            }
            Ok(())
        });
    }
    aliases
}

/// `start_time` to `startTime`.
pub(super) fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (letter, rest) = word.split_at(1.min(word.len()));
        text + &letter.to_uppercase() + rest
    })
}
