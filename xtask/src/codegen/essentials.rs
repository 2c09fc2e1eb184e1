//! What the description says of a model's members beyond their form: which are essential, and which
//! have other spellings.

/// Another spelling of a field.
pub(crate) struct Alias<'a> {
    /// Path of the field under the other spelling: `[].fair_price`.
    pub(crate) path: &'a str,
    /// The field's own name: `mark_price`.
    pub(crate) name: &'a str,
    pub(crate) source: &'a str,
}

impl<'a> Alias<'a> {
    /// Reads `path of the old one -> name: source`.
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        let parts = text.split_once(" -> ").and_then(|(path, rest)| {
            let (name, source) = rest.split_once(": ")?;
            Some(Self { path, name, source })
        });
        parts.ok_or_else(|| format!("alias `{text}`: expected `path -> name: source`"))
    }

    /// Path of the field under its own name.
    pub(crate) fn target(&self) -> String {
        let (parent, _) = self.path.rsplit_once('.').unwrap_or(("", ""));
        if parent.is_empty() { self.name.to_owned() } else { format!("{parent}.{}", self.name) }
    }
}

/// Refuses paths that are not among the fields.
pub(crate) fn check(
    essential: &[String],
    aliases: &[String],
    fields: &[String],
) -> Result<(), String> {
    let paths =
        || fields.iter().map(|field| field.split_once(": ").map_or(&**field, |(path, _)| path));
    // Also an object or a list may be essential: there are fields below it.
    let is_there = |path: &str| {
        paths().any(|field| {
            field
                .strip_prefix(path)
                .is_some_and(|rest| matches!(rest.bytes().next(), None | Some(b'.' | b'[')))
        })
    };
    for path in essential {
        if !is_there(path) {
            return Err(format!("`{path}` is essential and not among the fields"));
        }
    }
    for alias in aliases {
        let alias = Alias::parse(alias)?;
        if alias.source.is_empty() || !is_there(&alias.target()) {
            return Err(format!(
                "alias `{}`: `{}` is not among the fields",
                alias.path,
                alias.target()
            ));
        }
    }
    Ok(())
}
