//! `GET /help`: the description of every call, as JSON or as an HTML page.

use std::fmt::Write as _;

use hyper::header::{ACCEPT, HeaderMap};
use serde_json::{Value, json};

use super::{JSON, Reply};
use crate::operator::{Call, Field, Kind, calls};

pub(super) const HTML: &str = "text/html; charset=utf-8";
/// The content security policy of the page, which loads nothing and has inline styles.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = "body{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
                     table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2rem .5rem;\
                     text-align:left;vertical-align:top}pre{background:#f4f4f4;padding:.5rem;\
                     overflow-x:auto;white-space:pre-wrap}";

const INTRODUCTION: &str = "<p>Every call needs the header <code>Authorization: Bearer TOKEN</code> with \
     the <code>admin_token</code> of the ready line. In the examples <code>token</code> is a file with this \
     header, and <code>$A</code> the address of this API. A body is JSON, at most 160 KiB; a decimal is a \
     string or a number. An error has its HTTP status and the body <code>{\"error\":\"…\"}</code>. With \
     another <code>Accept</code> header than that of a browser this page is JSON.</p>";

/// Renders the description as HTML if the `Accept` header contains `text/html`, and as JSON otherwise.
pub(super) fn page(headers: &HeaderMap) -> Reply {
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepted.any(|value| value.contains("text/html")) {
        return (HTML, html().into_bytes());
    }
    let calls: Value = calls().map(describe).collect();
    (JSON, format!("{}\n", json!({ "calls": calls })).into_bytes())
}

fn describe(call: &Call) -> Value {
    let response = call.response();
    json!({
        "name": call.name(),
        "method": call.method(),
        "path": call.path(),
        "description": call.description(),
        "fields": call.fields().iter().map(field).collect::<Value>(),
        "example": call.example(),
        "response": { "type": kind(response), "example": response.example() },
    })
}

fn field(field: &Field) -> Value {
    json!({
        "name": field.name,
        "type": kind(field.kind),
        "required": field.required,
        "description": field.description,
    })
}

/// A type as JSON: a string, or an object with one member for lists, enumerations and objects.
fn kind(of: Kind) -> Value {
    match of {
        Kind::OneOf(values) => json!({ "one_of": values }),
        Kind::List(item) => json!({ "list": kind(*item) }),
        Kind::Object(fields) => json!({ "object": fields.iter().map(field).collect::<Value>() }),
        Kind::Integer | Kind::Decimal | Kind::Text | Kind::Boolean | Kind::Any => json!(of.name()),
    }
}

fn html() -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>bitmart-sandbox: admin API</title>\
         <style>{STYLE}</style><h1>Admin API of bitmart-sandbox</h1>{INTRODUCTION}<ul>"
    );
    for call in calls() {
        let route = escape(call.route());
        push(&mut page, format_args!("<li><a href=\"#{}\">{route}</a></li>", call.name()));
    }
    page.push_str("</ul>");
    for call in calls() {
        push_call(&mut page, call);
    }
    page.push_str("</html>\n");
    page
}

fn push_call(page: &mut String, call: &Call) {
    let (name, route) = (call.name(), escape(call.route()));
    push(page, format_args!("<h2 id=\"{name}\">{route}</h2>"));
    push(page, format_args!("<p>{}</p>", escape(call.description())));
    push_fields(page, call.fields());
    push(page, format_args!("<pre>{}</pre>", escape(&curl(call))));
    let response = call.response();
    page.push_str("<p>Response:</p>");
    push_fields(page, response.fields());
    push(page, format_args!("<pre>{}</pre>", escape(&response.example().to_string())));
}

/// Adds a table of the fields, including those of nested objects.
fn push_fields(page: &mut String, fields: &[Field]) {
    if fields.is_empty() {
        return;
    }
    page.push_str("<table><tr><th>field<th>type<th>description</tr>");
    push_rows(page, fields, "");
    page.push_str("</table>");
}

fn push_rows(page: &mut String, fields: &[Field], parent: &str) {
    for field in fields {
        let name = format!("{parent}{}", field.name);
        let optional = if field.required { "" } else { ", optional" };
        let (kind, description) = (escape(&field.kind.name()), escape(field.description));
        push(page, format_args!("<tr><td>{name}<td>{kind}{optional}<td>{description}</tr>"));
        push_rows(page, field.kind.fields(), &format!("{name}."));
    }
}

/// The example of a call as a command line of `curl`.
fn curl(call: &Call) -> String {
    let (path, body) = call.request(call.example());
    let body = if body == "{}" { String::new() } else { format!(" -d '{body}'") };
    let method = match (call.method(), body.is_empty()) {
        ("GET", _) | ("POST", false) => String::new(),
        (method, _) => format!(" -X {method}"),
    };
    format!("curl -H @token{method}{body} $A{path}")
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(text);
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
