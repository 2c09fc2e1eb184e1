//! Documentation of the generated code, as sentences made of the facts.

use std::fmt::Write as _;

use super::description::{Auth, Effect, Endpoint, Limit, Param, Section};
use super::models::Models;
use super::requests::{Conversions, Source};

/// The first line of a request's documentation.
pub(super) fn request_title(endpoint: &Endpoint) -> String {
    let title = lower_first(&endpoint.title);
    match endpoint.effect {
        Effect::Read => format!("A request for {title}"),
        _ => format!("A request that {title}"),
    }
}

/// Route, link, authentication, permission and rate limit.
pub(super) fn facts(endpoint: &Endpoint, docs: &str) -> String {
    let auth = match endpoint.auth {
        Auth::None => "needs no key",
        Auth::Keyed => "needs a key",
        Auth::Signed => "needs a signature",
    };
    let permission = endpoint.permission.as_ref();
    let permission =
        permission.map(|name| format!(" and the permission {name}")).unwrap_or_default();
    let limit = match endpoint.limit {
        Limit::Unknown => "no published rate limit".to_owned(),
        Limit::Known { .. } => format!("rate limit {}", endpoint.limit.text()),
    };
    format!("/// [`{}`]({docs}):\n/// {auth}{permission}, {limit}.\n", endpoint.route())
}

/// The documentation of a group method.
pub(super) fn method_doc(section: &Section, endpoint: &Endpoint, models: &Models) -> String {
    let title = match endpoint.effect {
        Effect::Read => format!("Returns {}", lower_first(&endpoint.title)),
        _ => endpoint.title.clone(),
    };
    let mut doc = format!("/// {title}.\n///\n{}", facts(endpoint, section.docs(endpoint)));
    if endpoint.takes_request() {
        let _ = writeln!(doc, "///\n/// {}", argument(section, endpoint, models));
    }
    if endpoint.is_unverified() {
        doc.push_str(
            "///\n/// The exchange does not document the response: its form is unverified.\n",
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
        Effect::Read => "/// Any [`Error`](crate::Error). Safe to cancel and to repeat: nothing changes at the exchange.\n",
        _ => "/// Any [`Error`](crate::Error). After [`Outcome::Unknown`](crate::Outcome), or when the future is\n\
              /// dropped, the request may have taken effect: query before you send it again.\n",
    });
    doc
}

/// The argument of a group method.
fn argument(section: &Section, endpoint: &Endpoint, models: &Models) -> String {
    let mut takes = if endpoint.custom {
        vec![format!("a [`{0}`](super::{0})", endpoint.request)]
    } else {
        vec![format!("a [`{}`]", endpoint.request)]
    };
    let conversions = Conversions::new(endpoint);
    match &conversions.from {
        Some(Source::One(param)) => takes.push(format!("the `{}`", param.field())),
        Some(Source::Tuple(params)) => {
            let fields: Vec<String> = params.iter().map(|param| param.field()).collect();
            takes.push(format!("`({})`", fields.join(", ")));
        }
        None => {}
    }
    if conversions.from_unit {
        takes.push("`()`".to_owned());
    }
    if endpoint.custom {
        takes.extend_from_slice(models.conversions(&section.public_path(endpoint)));
    }
    let last = takes.pop().unwrap_or_default();
    if takes.is_empty() {
        return format!("Takes {last}.");
    }
    format!("Takes {} or {last}.", takes.join(", "))
}

/// The example of a group method, inside a function that compiles.
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
        Some("ms") if param.rust == "Duration" => more.push("in whole milliseconds".to_owned()),
        Some(unit) if param.rust != "Timestamp" => more.push(format!("in {}", unit_words(unit))),
        _ => {}
    }
    let words = |value: &dyn ToString| match param.rust.as_str() {
        "Duration" => duration_words(&value.to_string()),
        _ => value.to_string(),
    };
    let min = param.min.as_ref().map(|min| words(min));
    let max = param.max.as_ref().map(|max| words(max));
    match (min, max) {
        (Some(min), Some(max)) => more.push(format!("{min} to {max}")),
        (Some(min), None) => more.push(format!("at least {min}")),
        (None, Some(max)) => more.push(format!("at most {max}")),
        (None, None) => {}
    }
    if let Some(length) = param.max_length {
        more.push(format!("at most {length} characters"));
    }
    if let Some(default) = &param.default {
        more.push(format!("default {}", words(default)));
    }
    if !more.is_empty() {
        let more = more.join(", ");
        let _ = write!(text, " {}{}.", more[..1].to_uppercase(), &more[1..]);
    }
    text
}

/// `5000` milliseconds as `5 s`.
fn duration_words(millis: &str) -> String {
    match millis.strip_suffix("000") {
        Some(seconds) if !seconds.is_empty() => format!("{seconds} s"),
        _ => format!("{millis} ms"),
    }
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
