//! Documentation of what is generated, in sentences made from the facts.

use std::fmt::Write as _;

use super::description::{Auth, Effect, Endpoint, Param};

/// Verb, path, key and limit in one line.
pub(super) fn facts(endpoint: &Endpoint) -> String {
    let auth = match endpoint.auth {
        Auth::None => "no key",
        Auth::Keyed => "key",
        Auth::Signed => "key and signature",
    };
    let permission = endpoint
        .permission
        .as_ref()
        .map(|permission| format!(", permission {permission}"))
        .unwrap_or_default();
    format!(
        "`{} {}`: {auth}{permission}; limit {}.",
        endpoint.method.word(),
        endpoint.path,
        endpoint.limit.words()
    )
}

/// The documentation of a group method.
pub(super) fn method_doc(endpoint: &Endpoint) -> String {
    let mut doc = format!("/// {}.\n///\n/// {}\n", endpoint.title, facts(endpoint));
    if endpoint.is_unverified() {
        doc.push_str(
            "///\n/// The exchange does not document the answer: its form is unverified.\n",
        );
    }
    if !endpoint.quirks.is_empty() {
        doc.push_str("///\n");
    }
    for quirk in &endpoint.quirks {
        let _ = writeln!(doc, "/// * {}", marked(quirk));
    }
    doc.push_str(&example(endpoint));
    doc.push_str("///\n/// # Errors\n");
    for error in &endpoint.errors {
        let _ = writeln!(doc, "/// * Code {}", marked(error));
    }
    if !endpoint.errors.is_empty() {
        doc.push_str("///\n");
    }
    doc.push_str(match endpoint.effect {
        Effect::Read => "/// See [`Error`](crate::Error). Nothing changes at the exchange, so asking again is safe.\n",
        _ => "/// See [`Error`](crate::Error). When [`outcome`](crate::Error::outcome) says `Unknown` the request may\n\
              /// have taken effect: ask the exchange before you send it again.\n",
    });
    doc.push_str("///\n/// # Cancel safety\n");
    doc.push_str(match endpoint.effect {
        Effect::Read => "/// Dropping the future abandons the answer and nothing else.\n",
        _ => {
            "/// Dropping the future does not take the request back: its outcome is then unknown.\n"
        }
    });
    doc
}

/// The example of a group method, in a frame that compiles.
fn example(endpoint: &Endpoint) -> String {
    let mut doc = String::new();
    if endpoint.example.is_empty() {
        return doc;
    }
    doc.push_str("///\n/// ```no_run\n");
    doc.push_str(
        "/// # async fn run(client: bitmart_rest::Client) -> Result<(), bitmart_rest::Error> {\n",
    );
    for line in endpoint.example.trim().lines() {
        let _ = writeln!(doc, "/// {line}");
    }
    doc.push_str("/// # Ok(())\n/// # }\n/// ```\n");
    doc
}

/// The documentation of a setter.
pub(super) fn setter_doc(param: &Param) -> String {
    format!("/// {}\n", details(param))
}

/// What a parameter means, with unit, range, documented values and default.
pub(super) fn details(param: &Param) -> String {
    let mut text = marked(&param.doc);
    let mut more = vec![];
    match param.unit.as_deref() {
        Some(unit) if param.rust != "Timestamp" => more.push(format!("in {}", unit_words(unit))),
        _ => {}
    }
    match (&param.min, &param.max) {
        (Some(min), Some(max)) => more.push(format!("{min} to {max}")),
        (Some(min), None) => more.push(format!("at least {min}")),
        (None, Some(max)) => more.push(format!("at most {max}")),
        (None, None) => {}
    }
    if let Some(length) = param.max_length {
        more.push(format!("at most {length} characters"));
    }
    if let Some(default) = &param.default {
        more.push(format!("{default} when left out"));
    }
    if !more.is_empty() {
        let more = more.join(", ");
        let _ = write!(text, " {}{}.", more[..1].to_uppercase(), &more[1..]);
    }
    text
}

fn unit_words(unit: &str) -> &str {
    match unit {
        "ms" => "milliseconds",
        "s" => "seconds",
        other => other,
    }
}

/// Text with its wire names set as code.
fn marked(text: &str) -> String {
    let mark = |word: &str| {
        let name = word.trim_end_matches(['.', ',', ';', ':']);
        let inner = name.get(1..).unwrap_or_default();
        let is_name = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
            && (name.contains('_')
                || inner.contains(char::is_uppercase) && name.starts_with(char::is_lowercase));
        if is_name { format!("`{name}`{}", &word[name.len()..]) } else { word.to_owned() }
    };
    text.split(' ').map(mark).collect::<Vec<_>>().join(" ")
}

pub(super) fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
