//! The models of the client, read from their sources.

mod attributes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Field, Fields, GenericArgument, Item, PathArguments, Token, Type};

pub(crate) use self::attributes::doc;
use self::attributes::{Serde, camel_case, derives, search_aliases};

/// Every struct of one crate that is decoded, and what the documentation needs of its requests.
#[derive(Default)]
pub(crate) struct Models {
    list: Vec<Model>,
    /// What converts into a type, as Markdown, by the type's module and name: `spot::SubmitOrder`.
    conversions: BTreeMap<String, Vec<String>>,
    /// Search aliases of structs, by module and name.
    search_aliases: BTreeMap<String, Vec<String>>,
}

/// A struct that is decoded.
pub(crate) struct Model {
    pub(crate) name: String,
    /// Path below the crate's `src`.
    file: PathBuf,
    /// Whether it is an array on the wire.
    pub(crate) is_row: bool,
    pub(crate) members: Vec<Member>,
}

/// A member of a struct.
pub(crate) struct Member {
    /// Name on the wire.
    pub(crate) name: String,
    /// Name in Rust.
    pub(crate) rust: String,
    pub(crate) kind: Kind,
    /// Last part of the name of the function or module that reads it.
    pub(crate) helper: Option<String>,
    pub(crate) has_default: bool,
    /// Flattened: its members are members of the struct.
    pub(crate) is_flat: bool,
    pub(crate) aliases: Vec<String>,
    /// The lines of its documentation, joined.
    pub(crate) doc: String,
}

/// How a type is decoded.
pub(crate) enum Kind {
    Option(Box<Kind>),
    /// `Rows`: a row that cannot be read is skipped.
    Rows(Box<Kind>),
    Vec(Box<Kind>),
    Map(Box<Kind>),
    /// A type by name, and its module if the path has one.
    Named(Option<String>, String),
}

impl Models {
    /// No models yet.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// Reads every source below `folder`.
    pub(crate) fn load(folder: &Path) -> Result<Self, String> {
        let mut models = Self::empty();
        models.collect(folder, folder)?;
        Ok(models)
    }

    fn collect(&mut self, root: &Path, folder: &Path) -> Result<(), String> {
        let explain = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in std::fs::read_dir(folder).map_err(explain)? {
            let path = entry.map_err(explain)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "generated" {
                self.collect(root, &path)?;
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !matches!(&*name, "generated.rs" | "tests.rs")
            {
                let text = std::fs::read_to_string(&path).map_err(explain)?;
                let file = path.strip_prefix(root).unwrap_or(&path).to_owned();
                self.source(&file, &text).map_err(|e| format!("{}: {e}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Reads one source.
    pub(crate) fn source(&mut self, file: &Path, text: &str) -> Result<(), String> {
        for item in syn::parse_file(text).map_err(|error| error.to_string())?.items {
            match item {
                Item::Impl(item) => self.conversion(file, &item),
                Item::Struct(item) => {
                    let aliases = search_aliases(&item.attrs);
                    let name = format!("{}::{}", module(file), item.ident);
                    self.search_aliases.entry(name).or_default().extend(aliases);
                    let all = Serde::read(&item.attrs);
                    // A transparent struct may implement `Deserialize` by hand.
                    let is_read = derives(&item.attrs, "Deserialize") || all.is_transparent;
                    let Fields::Named(mut fields) = item.fields else { continue };
                    if all.is_opaque || !is_read {
                        continue;
                    }
                    // Another struct is decoded as this one, and documents the fields.
                    let decoded = all.remote.as_ref().and_then(|name| find_struct(text, name));
                    let name = decoded.as_ref().map_or(&item.ident, |decoded| &decoded.ident);
                    let name = name.to_string();
                    for field in decoded.into_iter().flat_map(|decoded| decoded.fields) {
                        let same = fields.named.iter_mut().find(|own| own.ident == field.ident);
                        if let Some(own) = same {
                            own.attrs.extend(field.attrs);
                        }
                    }
                    let members = fields.named.iter().filter_map(|field| member(field, &all));
                    self.list.push(Model {
                        name,
                        file: file.to_owned(),
                        is_row: false,
                        members: members
                            .map(|member| Member {
                                is_flat: member.is_flat || all.is_transparent,
                                ..member
                            })
                            .collect(),
                    });
                }
                Item::Macro(item)
                    if item.mac.path.is_ident("positional")
                        || item
                            .mac
                            .path
                            .segments
                            .last()
                            .is_some_and(|last| last.ident == "positional") =>
                {
                    let row: Row = syn::parse2(item.mac.tokens).map_err(|e| e.to_string())?;
                    self.list.push(Model {
                        name: row.name,
                        file: file.to_owned(),
                        is_row: true,
                        members: row.columns,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes an implementation of `From`.
    fn conversion(&mut self, file: &Path, item: &syn::ItemImpl) {
        let Some((_, path, _)) = &item.trait_ else { return };
        let Some(last) = path.segments.last().filter(|last| last.ident == "From") else { return };
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return };
        let from = match arguments.args.first() {
            Some(GenericArgument::Type(Type::Path(from))) => {
                from.path.segments.last().map(|last| format!("a `{}`", last.ident))
            }
            Some(GenericArgument::Type(Type::Tuple(_))) => tuple_names(item),
            _ => None,
        };
        if let (Kind::Named(_, name), Some(from)) = (Kind::of(&item.self_ty), from) {
            let name = format!("{}::{name}", module(file));
            self.conversions.entry(name).or_default().push(from);
        }
    }

    /// What converts into the request `name` (`spot::SubmitOrder`), which is written by hand.
    pub(crate) fn conversions(&self, name: &str) -> &[String] {
        self.conversions.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether the struct `name` is found by `alias` in the documentation's search.
    pub(crate) fn has_search_alias(&self, name: &str, alias: &str) -> bool {
        self.search_aliases.get(name).is_some_and(|all| all.iter().any(|each| each == alias))
    }

    /// Finds the struct `name` in `module`, or else in the module of `from`.
    pub(crate) fn find(
        &self,
        module: Option<&str>,
        name: &str,
        from: Option<&Model>,
    ) -> Option<&Model> {
        let named = || self.list.iter().filter(|model| model.name == name);
        let module = module.or(from.map(Model::module));
        named()
            .find(|model| from.is_some_and(|from| from.file == model.file))
            .or_else(|| named().find(|model| module == Some(model.module())))
            .or_else(|| named().next())
    }
}

impl Model {
    /// The public module that it is in.
    pub(crate) fn module(&self) -> &str {
        module(&self.file)
    }
}

/// The public module of a source below the root of the modules.
fn module(file: &Path) -> &str {
    let first = file.iter().next().and_then(|part| part.to_str()).unwrap_or_default();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The body of `positional!`.
struct Row {
    name: String,
    columns: Vec<Member>,
}

/// A column: a field, and the helper that reads it.
struct Column(Member);

impl Parse for Row {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.call(Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        input.parse::<Token![struct]>()?;
        let name: syn::Ident = input.parse()?;
        let content;
        syn::braced!(content in input);
        let columns = Punctuated::<Column, Token![,]>::parse_terminated(&content)?;
        Ok(Self { name: name.to_string(), columns: columns.into_iter().map(|c| c.0).collect() })
    }
}

impl Parse for Column {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        let name: syn::Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        // Parsing the type stops at `as`.
        let kind = Kind::of(&input.parse::<Type>()?);
        let helper = match input.parse::<Option<Token![as]>>()? {
            Some(_) => {
                input.parse::<syn::Path>()?.segments.last().map(|last| last.ident.to_string())
            }
            None => None,
        };
        Ok(Self(Member {
            name: name.to_string(),
            rust: name.to_string(),
            kind,
            helper,
            // Optional columns at the end may be absent.
            has_default: true,
            is_flat: false,
            aliases: Vec::new(),
            doc: doc(&attributes),
        }))
    }
}

impl Kind {
    /// Reads a type.
    pub(crate) fn of(ty: &Type) -> Self {
        let Type::Path(path) = ty else {
            return Self::Named(None, String::new());
        };
        let Some(last) = path.path.segments.last() else {
            return Self::Named(None, String::new());
        };
        let inner = || match &last.arguments {
            PathArguments::AngleBracketed(arguments) => {
                let types = arguments.args.iter().filter_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(Self::of(ty)),
                    _ => None,
                });
                types.last()
            }
            _ => None,
        };
        let inner = || Box::new(inner().unwrap_or(Self::Named(None, String::new())));
        match last.ident.to_string().as_str() {
            "Option" => Self::Option(inner()),
            "Rows" => Self::Rows(inner()),
            "Vec" => Self::Vec(inner()),
            "Box" | "Arc" => *inner(),
            "BTreeMap" | "HashMap" => Self::Map(inner()),
            name => {
                let segments = &path.path.segments;
                let module = (segments.len() > 1).then(|| segments[0].ident.to_string());
                Self::Named(
                    module.filter(|module| module != "super" && module != "crate"),
                    name.to_owned(),
                )
            }
        }
    }
}

fn member(field: &Field, all: &Serde) -> Option<Member> {
    let own = Serde::read(&field.attrs);
    let rust = field.ident.as_ref()?.to_string();
    let rust = rust.trim_start_matches("r#").to_owned();
    let name = own.rename.unwrap_or_else(|| match all.rename_all.as_deref() {
        Some("camelCase") => camel_case(&rust),
        _ => rust.clone(),
    });
    let helper = own.helper.as_deref().and_then(|path| path.rsplit("::").next());
    (!own.is_skipped).then(|| Member {
        name,
        rust,
        kind: Kind::of(&field.ty),
        helper: helper.map(str::to_owned),
        has_default: own.has_default || all.has_default,
        is_flat: own.is_flat,
        aliases: own.aliases,
        doc: doc(&field.attrs),
    })
}

/// The struct of this name in a source.
fn find_struct(text: &str, name: &str) -> Option<syn::ItemStruct> {
    syn::parse_file(text).ok()?.items.into_iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == name => Some(item),
        _ => None,
    })
}

/// The names in the pattern of `fn from((symbol, order): (A, B))`, as Markdown.
fn tuple_names(item: &syn::ItemImpl) -> Option<String> {
    let Some(syn::ImplItem::Fn(function)) = item.items.first() else { return None };
    let Some(syn::FnArg::Typed(argument)) = function.sig.inputs.first() else { return None };
    let syn::Pat::Tuple(pattern) = &*argument.pat else { return None };
    let name = |element: &syn::Pat| match element {
        syn::Pat::Ident(name) => Some(name.ident.to_string()),
        _ => None,
    };
    let names: Option<Vec<String>> = pattern.elems.iter().map(name).collect();
    Some(format!("`({})`", names?.join(", ")))
}
