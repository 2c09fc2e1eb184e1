//! Renders the AsyncAPI document. It is written from the side of the client: it receives events and sends commands.

use std::collections::BTreeMap;
use std::path::Path;

use bitmart_types::{Environment, Service};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::channels::{self, Channel, Dialect, Sample};
use crate::schema;

/// Members in the usual order.
#[derive(Serialize)]
pub(crate) struct Document {
    asyncapi: &'static str,
    info: Value,
    #[serde(rename = "defaultContentType")]
    default_content_type: &'static str,
    servers: BTreeMap<String, Value>,
    channels: BTreeMap<String, Value>,
    operations: BTreeMap<String, Value>,
    components: Value,
}

/// Renders the description and the recorded frames of the crate in `package`.
pub(crate) fn render(package: &Path) -> Result<Document, String> {
    let dialects = channels::dialects(&package.join("api"))?;
    let frames = channels::frames(&package.join("fixtures"))?;
    let servers = servers(&dialects)?;
    let (mut rows, mut operations) = (BTreeMap::new(), BTreeMap::new());
    for dialect in &dialects {
        let own: Vec<&Sample> = frames.iter().filter(|frame| frame.ws == dialect.name).collect();
        for channel in &dialect.channels {
            let id = channel.id();
            operations.insert(format!("receive_{id}"), receive(channel, &id));
            rows.insert(id, render_channel(dialect, channel, &own, &servers));
        }
        let id = format!("{}_control", dialect.name);
        operations.insert(format!("send_{}_command", dialect.name), send(dialect, &id));
        rows.insert(id, control(dialect, &own, &servers));
    }
    Ok(Document {
        asyncapi: "3.0.0",
        info: info(&dialects),
        default_content_type: "application/json",
        servers,
        channels: rows,
        operations,
        components: components(),
    })
}

fn info(dialects: &[Dialect]) -> Value {
    let untyped: Vec<_> = dialects.iter().flat_map(|dialect| &dialect.untyped).collect();
    json!({
        "title": "BitMart WebSocket API",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "As described by the bitmart crates; not published by the exchange. Generated \
            by `cargo xtask asyncapi` from the description that the Rust client is generated from. \
            Written from the side of the client. The address of a channel is the topic to \
            subscribe. Examples are published or observed frames, verbatim. A channel with \
            `x-verified: false` is not documented by the exchange; those under `x-untyped` have a \
            name and no known content.",
        "license": { "name": "MIT OR Apache-2.0" },
        "x-untyped": untyped,
    })
}

fn servers(dialects: &[Dialect]) -> Result<BTreeMap<String, Value>, String> {
    let (live, demo) = (Environment::live(), Environment::futures_demo());
    let mut servers = BTreeMap::new();
    for (environment, name, service, about) in [
        (&live, "spot_public", Service::SpotWsPublic, "Spot market data"),
        (&live, "spot_private", Service::SpotWsPrivate, "Spot orders and balances, after a login"),
        (&live, "futures_public", Service::FuturesWsPublic, "Futures market data"),
        (
            &live,
            "futures_private",
            Service::FuturesWsPrivate,
            "Futures orders, balances and positions, after a login",
        ),
        (&demo, "futures_demo_public", Service::FuturesWsPublic, "The same, with play money"),
        (&demo, "futures_demo_private", Service::FuturesWsPrivate, "The same, with play money"),
    ] {
        let address = environment.address(service).map_err(|error| error.to_string())?;
        let (protocol, rest) = address.split_once("://").ok_or("an address without a scheme")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let mut server = json!({
            "host": host,
            "pathname": format!("/{path}"),
            "protocol": protocol,
            "description": about,
        });
        let dialect = dialects.iter().find(|dialect| name.starts_with(&dialect.name));
        if let Some(dialect) = dialect {
            server["x-limits"] = Value::from(dialect.limits.clone());
            server["x-compression"] = Value::from(dialect.fact("compression"));
        }
        if name.ends_with("private") {
            server["security"] = json!([{ "$ref": "#/components/securitySchemes/login" }]);
        }
        servers.insert(name.to_owned(), server);
    }
    Ok(servers)
}

/// References to the servers of a dialect, or of one side of it.
fn servers_of(servers: &BTreeMap<String, Value>, dialect: &str, side: &str) -> Value {
    let matches = |name: &&String| name.starts_with(dialect) && name.ends_with(side);
    let names = servers.keys().filter(matches);
    names.map(|name| json!({ "$ref": format!("#/servers/{name}") })).collect()
}

fn render_channel(
    dialect: &Dialect,
    channel: &Channel,
    frames: &[&Sample],
    servers: &BTreeMap<String, Value>,
) -> Value {
    let key = dialect.channel_key();
    let side = if channel.private { "private" } else { "public" };
    let name = |frame: &Sample| frame.frame[key].as_str().map(str::to_owned);
    let own = frames.iter().filter(|frame| name(frame).is_some_and(|name| channel.is_named(&name)));
    let examples = own.map(|frame| example(frame, &frame.frame)).collect::<Vec<_>>();
    let entry = draft_07(schema::data(dialect.fields(channel)));
    let data =
        if channel.data == "many" { json!({ "type": "array", "items": entry }) } else { entry };
    let payload = json!({
        "type": "object",
        "required": [key, "data"],
        "properties": { key: { "type": "string" }, "data": data },
    });
    let mut message = json!({
        "name": channel.event,
        "title": channel.title,
        "payload": payload,
    });
    if !examples.is_empty() {
        message["examples"] = Value::from(examples);
    }
    let notes: Vec<&str> =
        channel.quirks.iter().chain(&channel.decisions).map(String::as_str).collect();
    let mut row = json!({
        "address": channel.topic,
        "title": channel.title,
        "servers": servers_of(servers, &dialect.name, side),
        "messages": { &channel.event: message },
        "bindings": { "$ref": "#/components/channelBindings/protocol" },
        "x-push": channel.push,
        "x-request": channel.request,
        "x-verified": !channel.unverified,
        "x-sources": channel.sources,
        "x-checked": channel.checked,
    });
    if !notes.is_empty() {
        row["description"] = Value::from(notes.join("\n\n"));
    }
    if let Some(url) = &channel.docs {
        row["externalDocs"] = json!({ "url": url });
    }
    let parameters = parameters(channel, dialect);
    if !parameters.is_empty() {
        row["parameters"] = Value::from(parameters);
    }
    row
}

fn parameters(channel: &Channel, dialect: &Dialect) -> Map<String, Value> {
    let levels = channel.levels.iter().map(u32::to_string).collect::<Vec<_>>();
    [
        ("symbol", json!({ "description": dialect.fact("symbol") })),
        ("currency", json!({ "description": "A currency in capitals", "examples": ["USDT"] })),
        ("levels", json!({ "description": "Levels per side", "enum": levels })),
        ("interval", json!({ "description": "Length of a candle", "enum": channel.intervals })),
        (
            "speed",
            json!({ "description": "How often to push", "enum": channel.speeds, "default": "" }),
        ),
    ]
    .into_iter()
    .filter(|(name, _)| channel.topic.contains(&format!("{{{name}}}")))
    .map(|(name, parameter)| (name.to_owned(), parameter))
    .collect()
}

fn example(frame: &Sample, payload: &Value) -> Value {
    json!({ "name": frame.name, "summary": frame.source, "payload": payload })
}

fn receive(channel: &Channel, id: &str) -> Value {
    json!({
        "action": "receive",
        "title": channel.title,
        "summary": format!("Pushes: {}.", channel.push),
        "channel": { "$ref": format!("#/channels/{id}") },
        "messages": [{ "$ref": format!("#/channels/{id}/messages/{}", channel.event) }],
    })
}

/// The control channel: commands and acknowledgements.
fn control(dialect: &Dialect, frames: &[&Sample], servers: &BTreeMap<String, Value>) -> Value {
    let text = json!({ "type": "string" });
    let key = dialect.fact("command_key");
    let command = json!({
        "type": "object",
        "required": [key],
        "properties": { key: text, "args": { "type": "array", "items": text } },
    });
    let names = ["event", "topic", "errorCode", "errorMessage", "action", "group", "error", "data"];
    let mut members: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
    members.insert("success".to_owned(), json!({ "type": "boolean" }));
    members.insert("request".to_owned(), command.clone());
    let acknowledgements = frames.iter().filter(|frame| !frame.control.is_null());
    let examples: Vec<Value> =
        acknowledgements.map(|frame| example(frame, &frame.control)).collect();
    let sample =
        |command: &str, topic: &str| json!({ "payload": { key: command, "args": [topic] } });
    let topic = &dialect.channels[0].topic.replace("{symbol}", "<symbol>");
    let notes: Vec<&str> =
        dialect.quirks.iter().chain(&dialect.decisions).map(String::as_str).collect();
    let facts = ["ping", "pong", "login", "login_accepted", "login_refused", "login_signature"];
    let facts: Map<String, Value> =
        facts.iter().map(|name| (format!("x-{name}"), dialect.fact(name).into())).collect();
    let mut row = json!({
        "address": null,
        "title": format!("Commands of the {} dialect and their acknowledgements", dialect.name),
        "description": notes.join("\n\n"),
        "servers": servers_of(servers, &dialect.name, ""),
        "bindings": { "$ref": "#/components/channelBindings/protocol" },
        "messages": {
            "command": {
                "title": "Subscribe, unsubscribe, request one frame, log in",
                "payload": command,
                "examples": [sample("subscribe", topic), sample("unsubscribe", topic)],
            },
            "acknowledgement": {
                "title": "An acknowledgement or a rejection, one per topic",
                "payload": { "type": "object", "properties": members },
                "examples": examples,
            },
        },
    });
    if let Value::Object(row) = &mut row {
        row.extend(facts);
    }
    row
}

fn send(dialect: &Dialect, id: &str) -> Value {
    json!({
        "action": "send",
        "title": format!("Command of the {} dialect", dialect.name),
        "channel": { "$ref": format!("#/channels/{id}") },
        "messages": [{ "$ref": format!("#/channels/{id}/messages/command") }],
        "reply": {
            "channel": { "$ref": format!("#/channels/{id}") },
            "messages": [{ "$ref": format!("#/channels/{id}/messages/acknowledgement") }],
        },
    })
}

/// Converts a schema to draft 07 of JSON Schema, which AsyncAPI uses: there the columns of a row are `items`, not
/// `prefixItems`.
fn draft_07(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(members) => {
            if let Some(columns) = members.remove("prefixItems") {
                members.insert("items".to_owned(), columns);
            }
            for value in members.values_mut() {
                *value = draft_07(value.take());
            }
        }
        Value::Array(values) => {
            for value in values {
                *value = draft_07(value.take());
            }
        }
        _ => {}
    }
    schema
}

fn components() -> Value {
    json!({
        "securitySchemes": {
            "login": {
                "type": "apiKey",
                "in": "user",
                "description": "A login command after connecting, with key, time and signature.",
            },
        },
        "channelBindings": {
            "protocol": {
                "ws": {
                    "method": "GET",
                    "query": {
                        "type": "object",
                        "properties": { "protocol": { "type": "string", "enum": ["1.1"] } },
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::{draft_07, render};

    #[test]
    fn every_frame_is_an_example_of_one_channel() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/bitmart-ws");
        let frames = super::channels::frames(&package.join("fixtures")).expect("readable");
        let document = render(&package).expect("renders");
        let examples: Vec<_> = document
            .channels
            .values()
            .flat_map(|channel| channel["messages"].as_object().expect("messages").values())
            .flat_map(|message| message["examples"].as_array().into_iter().flatten())
            .filter_map(|example| example["name"].as_str())
            .collect();
        for frame in frames {
            let times = examples.iter().filter(|name| **name == frame.name).count();
            assert_eq!(times, 1, "{}", frame.name);
        }
    }

    #[test]
    fn columns_are_items_in_draft_07() {
        let schema = json!({ "a": { "type": "array", "prefixItems": [{ "type": "string" }] } });
        let items = json!({ "a": { "type": "array", "items": [{ "type": "string" }] } });
        assert_eq!(draft_07(schema), items);
    }
}
