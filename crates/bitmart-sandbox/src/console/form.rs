//! Forms: fields of a query or body, and calls of the operator by form.

use std::{fmt, sync::Arc};

use hyper::{HeaderMap, header::REFERER};
use percent_encoding::percent_decode;
use serde_json::{Map, Value, json};

use super::{Flash, PATH, page::Visit, time};
use crate::{
    admin,
    operator::{Call, Field, Kind, OperatorCall, calls},
    shared::Shared,
};

/// Calls that no form may make: their response has a secret, or is no message.
const EXCLUDED_CALLS: [&str; 2] = ["create_key", "snapshot"];
/// Longest message about the result of a call, in characters.
const MAX_MESSAGE: usize = 300;

/// The fields of a query or form, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn parse(text: &str) -> Self {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode(text.as_bytes()).decode_utf8_lossy().into_owned()
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    pub(super) fn parse_body(body: &[u8]) -> Self {
        Self::parse(&String::from_utf8_lossy(body))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|row| row.0 == name).map(|row| row.1.as_str())
    }

    /// The page that a form returns to.
    fn back(&self) -> String {
        own_page(self.get("back").unwrap_or(PATH))
    }
}

/// The path of a page of the console, or the first page in place of any other path.
pub(super) fn own_page(path: &str) -> String {
    let is_own =
        path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own && is_plain { path.to_owned() } else { PATH.to_owned() }
}

/// The page with the form that was sent, as the browser names it.
pub(super) fn referring_page(headers: &HeaderMap) -> String {
    let referer = headers.get(REFERER).and_then(|value| value.to_str().ok());
    let path = referer.and_then(|url| url.strip_prefix("http://")?.split_once('/'));
    path.map_or_else(|| PATH.to_owned(), |(_, path)| own_page(&format!("/{path}")))
}

/// Makes a call of the operator. Returns the page to return to, and what is shown there.
pub(super) async fn call(shared: &Arc<Shared>, name: &str, fields: Fields) -> (String, Flash) {
    let requested = calls().find(|call| call.name() == name && !EXCLUDED_CALLS.contains(&name));
    let result = match requested {
        Some(call) => run(shared, call, &fields).await,
        None => Err("the console has no such call".to_owned()),
    };
    let title = name.replace('_', " ");
    let back = fields.back();
    let (text, rejected) = match result {
        Ok(text) => (text, None),
        Err(text) => (text, Some((name.to_owned(), fields))),
    };
    (back, Flash { text: format!("{title}: {text}"), rejected })
}

async fn run(shared: &Arc<Shared>, call: &Call, fields: &Fields) -> Result<String, String> {
    let (path, body) = call.request(values(call.fields(), fields)?);
    let response = admin::call(shared, call.method(), &path, body.into()).await?;
    let response = serde_json::from_slice(&response).unwrap_or_default();
    let words: String =
        in_words(&response, call.response().fields()).chars().take(MAX_MESSAGE).collect();
    Ok(if words.is_empty() { "done".to_owned() } else { words })
}

/// The response of a call in words: its members in the order in which they are described.
fn in_words(response: &Value, described: &[Field]) -> String {
    match response {
        Value::Object(members) => {
            let member = |field: &Field| {
                let value = members.get(field.name).filter(|value| !value.is_null())?;
                let (name, value) = match (field.name.strip_suffix("_ms"), value.as_u64()) {
                    // Smaller numbers are durations; as a time this one is in 2001.
                    (Some(name), Some(ms)) if ms > 1_000_000_000_000 => {
                        (name, format!("{} UTC", time::date(ms)))
                    }
                    _ => (field.name, in_words(value, field.kind.fields())),
                };
                Some(format!("{} {value}", name.replace('_', " ")))
            };
            described.iter().filter_map(member).collect::<Vec<_>>().join(", ")
        }
        Value::Array(rows) if rows.iter().any(Value::is_object) => match rows.len() {
            1 => "1 row".to_owned(),
            count => format!("{count} rows"),
        },
        Value::Array(values) => {
            values.iter().map(|value| in_words(value, &[])).collect::<Vec<_>>().join(" ")
        }
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Number(_) => response.to_string(),
    }
}

/// The members of the JSON body of a call: the fields of its form, each as the type that is described. Empty fields are
/// left out.
fn values(described: &[Field], fields: &Fields) -> Result<Map<String, Value>, String> {
    let mut values = Map::new();
    for field in described {
        let Some(text) = fields.get(field.name).map(str::trim).filter(|text| !text.is_empty())
        else {
            continue;
        };
        let value = match field.kind {
            Kind::Integer => {
                json!(text.parse::<u64>().map_err(|_| format!("{} is a whole number", field.name))?)
            }
            Kind::Boolean => json!(text == "true"),
            Kind::List(item) if !item.fields().is_empty() => serde_json::from_str(text)
                .map_err(|error| format!("{} is a list in JSON: {error}", field.name))?,
            Kind::List(_) => text.split(',').map(|one| json!(one.trim())).collect(),
            Kind::Object(_) | Kind::Any => {
                serde_json::from_str(text).map_err(|_| format!("{} is JSON", field.name))?
            }
            _ => json!(text),
        };
        values.insert(field.name.to_owned(), value);
    }
    Ok(values)
}

/// A form that makes a call.
#[derive(Debug, Clone)]
pub(super) struct CallForm {
    pub(super) call: &'static str,
    pub(super) button: String,
    pub(super) back: String,
    pub(super) inputs: Vec<Input>,
    /// Whether the call takes something away, so that the button has the color of a warning.
    pub(super) is_destructive: bool,
    /// Whether it contains what was typed before the call was rejected.
    pub(super) is_refilled: bool,
}

/// A field of a form.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// Unique in the page.
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) value: String,
    pub(super) control: Control,
    pub(super) required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Control {
    Hidden,
    Text,
    /// Lines of text.
    Area,
    Number,
    Select(Vec<String>),
    /// A text with suggestions: those of the `datalist` of the page with this id.
    Suggest(&'static str),
}

impl CallForm {
    /// A form with all fields of a call. `id` is unique in the page.
    pub(super) fn of<C: OperatorCall>(id: &str, button: &str, back: &str) -> Self {
        let call = Call::of::<C>();
        let inputs = call.fields().iter().map(|field| Input {
            id: format!("{id}-{}", field.name),
            name: field.name,
            help: field.description,
            value: String::new(),
            control: match field.kind {
                Kind::Integer => Control::Number,
                Kind::Boolean => Control::Select(vec!["true".to_owned(), "false".to_owned()]),
                Kind::OneOf(values) => {
                    Control::Select(values.iter().map(|value| (*value).to_owned()).collect())
                }
                _ => Control::Text,
            },
            required: field.required,
        });
        let (button, back) = (button.to_owned(), back.to_owned());
        Self {
            call: call.name(),
            button,
            back,
            inputs: inputs.collect(),
            is_destructive: false,
            is_refilled: false,
        }
    }

    fn change(mut self, name: &str, change: impl FnOnce(&mut Input)) -> Self {
        if let Some(input) = self.inputs.iter_mut().find(|input| input.name == name) {
            change(input);
        }
        self
    }

    /// Gives a field a value, which can be changed.
    pub(super) fn with(self, name: &str, value: impl fmt::Display) -> Self {
        self.change(name, |input| input.value = value.to_string())
    }

    /// Gives a field a value and hides it.
    pub(super) fn fixed(self, name: &str, value: impl fmt::Display) -> Self {
        self.with(name, value).change(name, |input| input.control = Control::Hidden)
    }

    /// Gives a field several lines of text, which can be changed.
    pub(super) fn lines(self, name: &str, lines: impl fmt::Display) -> Self {
        self.with(name, lines).change(name, |input| input.control = Control::Area)
    }

    /// Offers values for a field: those of the `datalist` of the page with this id.
    pub(super) fn suggest(self, name: &str, list: &'static str) -> Self {
        self.change(name, |input| input.control = Control::Suggest(list))
    }

    /// Fills in what was typed, if this form made the latest call of the session, and it was rejected.
    pub(super) fn refill(mut self, visit: &Visit<'_>) -> Self {
        let is_fixed = |input: &Input| input.control == Control::Hidden;
        let is_same = |fields: &&Fields| {
            let mut fixed = self.inputs.iter().filter(|input| is_fixed(input));
            fixed.all(|input| fields.get(input.name) == Some(&input.value))
        };
        let Some(fields) = visit.rejected(self.call).filter(is_same) else { return self };
        for input in self.inputs.iter_mut().filter(|input| !is_fixed(input)) {
            fields.get(input.name).unwrap_or_default().clone_into(&mut input.value);
            self.is_refilled = true;
        }
        self
    }

    /// Marks the button of a call that takes something away.
    pub(super) fn destructive(self) -> Self {
        Self { is_destructive: true, ..self }
    }
}
