//! The functions that return the topics of a dialect.

use std::fmt::Write as _;

use super::{Channel, Description, Host};

/// Renders `topic::spot` or `topic::futures`.
pub(super) fn render(description: &Description) -> String {
    let Description { dialect, channels, .. } = description;
    let dialect_name = format!("{dialect:?}");
    let module = dialect_name.to_lowercase();
    let mut out = format!(
        "//! {dialect_name} topics.\n//!\n//! | Channel | Topic | Events |\n//! |---|---|---|\n"
    );
    for channel in channels {
        let Channel { topic, event, .. } = channel;
        let function = channel.function();
        let _ = writeln!(out, "//! | `{topic}` | [`{function}`] | [`{module}::{event}`] |");
    }
    let mut types: Vec<&str> =
        channels.iter().flat_map(Channel::parameters).map(|p| p.ty).collect();
    types.sort_unstable();
    types.dedup();
    let (mut own, mut shared) = (vec!["Topic"], Vec::new());
    for ty in types {
        match ty.strip_prefix("impl Into<") {
            Some(ty) => shared.push(ty.trim_end_matches('>')),
            None => own.push(ty),
        }
    }
    let _ = write!(
        out,
        "\nuse bitmart_types::{{{}}};\n\nuse super::{{{}}};\nuse crate::{{dialect::Market, {module}}};\n",
        shared.join(", "),
        own.join(", "),
    );
    for channel in channels {
        out.push_str(&function(*dialect, &module, channel));
    }
    out
}

/// A parameter of a topic function.
#[derive(Clone, Copy)]
struct Parameter {
    name: &'static str,
    ty: &'static str,
    /// Its text in the topic.
    text: &'static str,
}

impl Channel {
    /// The name of the function that returns its topic.
    pub(super) fn function(&self) -> &str {
        self.constructor.rsplit("::").next().unwrap_or_default()
    }

    /// The placeholders of its topic as parameters.
    fn parameters(&self) -> Vec<Parameter> {
        let is_spot = self.topic.starts_with("spot/");
        let symbol = if is_spot { "impl Into<Symbol>" } else { "impl Into<ContractSymbol>" };
        let interval = if is_spot { "SpotInterval" } else { "FuturesInterval" };
        let all = [
            Parameter { name: "symbol", ty: symbol, text: "symbol.into()" },
            Parameter { name: "currency", ty: "impl Into<Currency>", text: "currency.into()" },
            Parameter { name: "interval", ty: interval, text: "interval.as_str()" },
            Parameter { name: "levels", ty: "DepthLevels", text: "levels.count()" },
            Parameter { name: "speed", ty: "DepthSpeed", text: "speed.suffix()" },
        ];
        let is_used = |p: &Parameter| self.topic.contains(&format!("{{{}}}", p.name));
        all.into_iter().filter(is_used).collect()
    }

    /// The names of the channel that readers may search for.
    fn aliases(&self) -> Vec<String> {
        let name = self.topic.split(':').next().unwrap_or_default();
        if name.contains("{levels}") {
            return self.levels.iter().map(|n| name.replace("{levels}", &n.to_string())).collect();
        }
        vec![name.replace("{interval}", "")]
    }
}

fn function(dialect: Host, module: &str, channel: &Channel) -> String {
    let Channel { topic, event, private, about, docs, .. } = channel;
    let mut out = "\n".to_owned();
    let mut paragraphs: Vec<String> = about.split("\n\n").map(str::to_owned).collect();
    if *private {
        paragraphs.push("Requires a login.".to_owned());
    }
    paragraphs.extend(docs.as_ref().map(|url| format!("[Documentation of the channel]({url})")));
    out.push_str(&doc_comment(&paragraphs));
    for alias in channel.aliases() {
        let _ = writeln!(out, "#[doc(alias = {alias:?})]");
    }
    let parameters = channel.parameters();
    let list =
        |form: fn(&Parameter) -> String| parameters.iter().map(form).collect::<Vec<_>>().join(", ");
    let signature = list(|p| format!("{}: {}", p.name, p.ty));
    let access = if *private { "private" } else { "public" };
    let name = if parameters.is_empty() {
        format!("{topic:?}")
    } else {
        format!("format!({topic:?}, {})", list(|p| format!("{} = {}", p.name, p.text)))
    };
    let function = channel.function();
    let _ = write!(
        out,
        "pub fn {function}({signature}) -> Topic<{module}::{event}> {{\n\
         Topic::{access}(Market::{dialect:?}, {name})\n}}\n"
    );
    out
}

/// Paragraphs as a documentation comment of at most 100 columns.
fn doc_comment(paragraphs: &[String]) -> String {
    let mut out = String::new();
    for (index, paragraph) in paragraphs.iter().enumerate() {
        if index > 0 {
            out.push_str("///\n");
        }
        let mut line = "///".to_owned();
        // A link is not broken.
        let words: Vec<&str> = if paragraph.starts_with('[') {
            vec![paragraph]
        } else {
            paragraph.split(' ').collect()
        };
        for word in words {
            if line.len() + 1 + word.len() > 100 && line.len() > 3 {
                out.push_str(&line);
                out.push('\n');
                "///".clone_into(&mut line);
            }
            line.push(' ');
            line.push_str(word);
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}
