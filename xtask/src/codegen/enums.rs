//! The enumerations of bitmart-types: what each value on the wire means.

use std::collections::BTreeMap;
use std::path::Path;

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Item, Token};

use super::models::doc;
use super::types::snake_case;

/// The values of every enumeration, by its name.
pub(crate) type Enums = BTreeMap<String, Vec<Value>>;

/// A value of an enumeration.
pub(crate) struct Value {
    /// The documented spelling on the wire.
    pub(crate) wire: String,
    /// A word for it: `open_long`.
    pub(crate) name: String,
    pub(crate) doc: String,
}

/// Reads every enumeration of the sources in `folder`.
pub(crate) fn load(folder: &Path) -> Result<Enums, String> {
    let explain = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut enums = Enums::new();
    for entry in std::fs::read_dir(folder).map_err(explain)? {
        let path = entry.map_err(explain)?.path();
        let text = std::fs::read_to_string(&path).map_err(explain)?;
        source(&mut enums, &text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(enums)
}

/// Reads one source.
pub(crate) fn source(enums: &mut Enums, text: &str) -> syn::Result<()> {
    for item in syn::parse_file(text)?.items {
        let Item::Macro(item) = item else { continue };
        let name = item.mac.path.segments.last().map(|last| last.ident.to_string());
        if matches!(name.as_deref(), Some("open_enum" | "open_int_enum")) {
            let Enumeration { name, values } = syn::parse2(item.mac.tokens)?;
            enums.insert(name, values);
        }
    }
    Ok(())
}

struct Enumeration {
    name: String,
    values: Vec<Value>,
}

impl Parse for Enumeration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.call(Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        input.parse::<Token![enum]>()?;
        let name: syn::Ident = input.parse()?;
        let content;
        syn::braced!(content in input);
        let values = Punctuated::<Value, Token![,]>::parse_terminated(&content)?;
        Ok(Self { name: name.to_string(), values: values.into_iter().collect() })
    }
}

impl Parse for Value {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let name: syn::Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        let minus = input.parse::<Option<Token![-]>>()?;
        let wire = literal(input)?;
        while input.parse::<Option<Token![|]>>()?.is_some() {
            input.parse::<Option<Token![-]>>()?;
            literal(input)?;
        }
        let sign = if minus.is_some() { "-" } else { "" };
        Ok(Self {
            wire: format!("{sign}{wire}"),
            name: snake_case(&name.to_string()),
            doc: doc(&attributes),
        })
    }
}

fn literal(input: ParseStream<'_>) -> syn::Result<String> {
    Ok(match input.parse::<syn::Lit>()? {
        syn::Lit::Str(text) => text.value(),
        syn::Lit::Int(number) => number.base10_digits().to_owned(),
        other => return Err(syn::Error::new(other.span(), "expected a text or a whole number")),
    })
}
