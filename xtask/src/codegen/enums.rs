//! The enumerations of the client: what each value on the wire means.

use std::collections::BTreeMap;
use std::path::Path;

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Item, Token};

use super::models::doc;
use super::types::snake_case;

/// The enumerations of the client.
#[derive(Default)]
pub(crate) struct Enums(BTreeMap<String, Vec<Value>>);

/// A value of an enumeration.
pub(crate) struct Value {
    /// The documented spelling on the wire.
    pub(crate) wire: String,
    /// Its name in snake case: `open_long`.
    pub(crate) name: String,
    pub(crate) doc: String,
}

impl Enums {
    /// Reads the enumerations of bitmart-types and of the groups of bitmart-rest. `root` is the
    /// workspace's.
    pub(crate) fn load(root: &Path) -> Result<Self, String> {
        let mut enums = Self::default();
        let types = root.join("crates/bitmart-types/src");
        for (module, file) in [("", "enums.rs"), ("spot", "spot.rs"), ("futures", "futures.rs")] {
            enums.add_file(module, &types.join(file))?;
        }
        let groups = root.join("crates/bitmart-rest/src/api");
        let explain = |error: std::io::Error| format!("{}: {error}", groups.display());
        for entry in std::fs::read_dir(&groups).map_err(explain)? {
            let group = entry.map_err(explain)?.path();
            let file = group.join("enums.rs");
            if file.exists() {
                let module = group.file_name().unwrap_or_default().to_string_lossy();
                enums.add_file(&module, &file)?;
            }
        }
        Ok(enums)
    }

    fn add_file(&mut self, module: &str, path: &Path) -> Result<(), String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        self.add_source(module, &text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Reads one source; its enumerations are in the public module `module`, or at the root if that
    /// is empty.
    fn add_source(&mut self, module: &str, text: &str) -> syn::Result<()> {
        for item in syn::parse_file(text)?.items {
            let Item::Macro(item) = item else { continue };
            let name = item.mac.path.segments.last().map(|last| last.ident.to_string());
            if matches!(name.as_deref(), Some("open_enum" | "open_int_enum")) {
                let Enumeration { name, values } = syn::parse2(item.mac.tokens)?;
                let path = if module.is_empty() { name } else { format!("{module}::{name}") };
                self.0.insert(path, values);
            }
        }
        Ok(())
    }

    /// The path of the enumeration that `name` means in `module`: `futures::Side`, or `TradeRole` for
    /// one at the root of bitmart-types.
    pub(crate) fn find(&self, module: &str, name: &str) -> Option<&str> {
        let own = format!("{module}::{name}");
        self.0.get_key_value(&own).or_else(|| self.0.get_key_value(name)).map(|(path, _)| &**path)
    }

    /// Every enumeration, by its path.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[Value])> {
        self.0.iter().map(|(path, values)| (&**path, &**values))
    }
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
