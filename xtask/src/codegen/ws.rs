//! Files derived from `crates/bitmart-ws/api`: the channel catalogue and the topic functions of the
//! client, the channel table of the sandbox, and `docs/channels.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::File;
use super::description::{Host, Ignore, lowercase_enum};
use super::essentials::{self, Alias, Described};
use super::models::Models;
use super::routes::camel_case;

mod docs;
#[cfg(test)]
mod tests;
mod topics;

const SOURCE: &str = "crates/bitmart-ws/api/*.toml";

/// A description file: a dialect of the WebSocket and its channels.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    dialect: Host,
    sources: Vec<String>,
    checked: String,
    #[serde(default)]
    quirks: Vec<String>,
    #[serde(default)]
    decisions: Vec<String>,
    /// Facts for readers only, by name.
    facts: BTreeMap<String, String>,
    limits: Limits,
    #[serde(rename = "channel")]
    channels: Vec<Channel>,
    /// Channels of which only the name is known.
    #[serde(default)]
    untyped: Vec<Untyped>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Untyped {
    topic: String,
    #[serde(default)]
    private: bool,
    about: String,
    sources: Vec<String>,
}

lowercase_enum!(Shape { One, Many });

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    idle_close_s: u64,
    login_valid_s: u64,
    bytes_per_message: u64,
    topics_per_message: Option<u64>,
    /// Count, and window in seconds.
    messages: Option<[u64; 2]>,
    connects: Option<[u64; 2]>,
    no_topic_close_s: u64,
    /// Of public and of private connections.
    connections_per_address: [u64; 2],
    topics_per_connection: Option<[u64; 2]>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Channel {
    title: String,
    /// Pattern of its topics, with placeholders in braces.
    topic: String,
    #[serde(default)]
    private: bool,
    /// Type of its events, in the module of the dialect.
    event: String,
    /// Type of an entry on the wire, if it differs.
    entry: Option<String>,
    /// Form of a frame's `data`.
    data: Shape,
    /// Path of the function that returns its topic.
    constructor: String,
    /// Documentation of that function.
    about: String,
    /// Address of its section in the documentation of the exchange.
    docs: Option<String>,
    /// When frames are sent.
    push: String,
    #[serde(default)]
    request: bool,
    #[serde(default)]
    levels: Vec<u32>,
    #[serde(default)]
    speeds: Vec<String>,
    #[serde(default)]
    intervals: Vec<String>,
    /// BitMart does not document its events.
    #[serde(default)]
    unverified: bool,
    /// Topic of the channel that has the same fields and ignores.
    same_fields_as: Option<String>,
    /// Fields of an entry, as `path: form and unit`.
    #[serde(default)]
    fields: Vec<String>,
    /// Fields without which an entry is a fault.
    #[serde(default)]
    essential: Vec<String>,
    /// Observed other names of fields.
    #[serde(default)]
    aliases: Vec<Alias>,
    /// Differences that the conformance check accepts.
    #[serde(default)]
    ignore: Vec<Ignore>,
    sources: Vec<String>,
    checked: String,
    #[serde(default)]
    quirks: Vec<String>,
    #[serde(default)]
    decisions: Vec<String>,
}

/// Renders all files derived from the description of the WebSocket.
pub(crate) fn render(root: &Path) -> Result<Vec<File>, String> {
    let dialects = load(&root.join("crates/bitmart-ws/api"))?;
    compare(&dialects, &Models::load(&root.join("crates/bitmart-ws/src"))?)?;
    let sandbox_path = "crates/bitmart-sandbox/src/generated/channels.rs";
    let mut files = vec![
        File::rust("crates/bitmart-ws/src/generated.rs", SOURCE, &client(&dialects))?,
        File::rust(sandbox_path, SOURCE, &sandbox(&dialects))?,
        docs::render(&dialects),
    ];
    for description in &dialects {
        let path = format!("crates/bitmart-ws/src/topic/{}.rs", description.module());
        files.push(File::rust(path, SOURCE, &topics::render(description))?);
    }
    Ok(files)
}

fn load(folder: &Path) -> Result<Vec<Description>, String> {
    let read = |file| -> Result<Description, String> {
        let text =
            std::fs::read_to_string(folder.join(file)).map_err(|e| format!("{file}: {e}"))?;
        toml::from_str(&text).map_err(|e| format!("{file}: {e}"))
    };
    let dialects: Vec<Description> =
        ["spot.toml", "futures.toml"].into_iter().map(read).collect::<Result<_, _>>()?;
    dialects.iter().flat_map(|dialect| &dialect.channels).try_for_each(check)?;
    Ok(dialects)
}

/// Rejects essential members and aliases that are not among the fields.
fn check(channel: &Channel) -> Result<(), String> {
    let Channel { topic, essential, aliases, fields, .. } = channel;
    if channel.same_fields_as.is_some() && !(essential.is_empty() && aliases.is_empty()) {
        return Err(format!("{topic}: same_fields_as and members of its own"));
    }
    essentials::check(essential, aliases, fields).map_err(|error| format!("{topic}: {error}"))
}

/// Rejects a description that the models of the entries contradict.
fn compare(dialects: &[Description], models: &Models) -> Result<(), String> {
    let mut differences = Vec::new();
    for description in dialects {
        for channel in description.channels.iter().filter(|channel| !channel.unverified) {
            let owner = description.owner(channel);
            let described = Described {
                essential: &owner.essential,
                aliases: &owner.aliases,
                fields: &owner.fields,
                is_hand_written: true,
                is_receipt: false,
            };
            let module = description.module();
            let entry = format!("{module}::{}", channel.entry.as_ref().unwrap_or(&channel.event));
            let named = |difference| format!("{module}: {}: {difference}", channel.topic);
            differences.extend(described.compare(models, &entry)?.into_iter().map(named));
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
}

impl Description {
    /// The module of its events and topics.
    fn module(&self) -> String {
        format!("{:?}", self.dialect).to_lowercase()
    }

    /// The channel that has the fields and ignores of this one.
    fn owner<'a>(&'a self, channel: &'a Channel) -> &'a Channel {
        let shared = |other: &&Channel| Some(&other.topic) == channel.same_fields_as.as_ref();
        self.channels.iter().find(shared).unwrap_or(channel)
    }
}

/// Renders limits and channels for the client.
fn client(dialects: &[Description]) -> String {
    let mut out =
        "//! Published limits and the catalogue of channels.\n\nuse std::time::Duration;\n\n\
        use crate::{catalog::{Channel, PublishedLimits, Rate}, dialect::Market, event::recode, \
        futures, spot};\n\n"
            .to_owned();
    for Description { dialect, limits, .. } in dialects {
        for (index, side) in ["public", "private"].into_iter().enumerate() {
            let name = format!("{dialect:?}").to_lowercase();
            let _ = writeln!(
                out,
                "/// Limits of the {side} {name} connections.\n\
                 pub(crate) const {}: PublishedLimits = PublishedLimits {{\n\
                 connections_per_address: {}, topics_per_connection: {:?}, \
                 topics_per_message: {:?}, bytes_per_message: {}, messages: {}, connects: {}, \
                 idle_close: {}, no_topic_close: {}, login_valid: {} }};\n",
                format!("{name}_{side}").to_uppercase(),
                limits.connections_per_address[index],
                limits.topics_per_connection.map(|both| both[index]),
                limits.topics_per_message,
                limits.bytes_per_message,
                rate(limits.messages),
                rate(limits.connects),
                seconds(limits.idle_close_s),
                seconds(limits.no_topic_close_s),
                seconds(limits.login_valid_s),
            );
        }
    }
    out.push_str("/// All described channels.\npub(crate) const CHANNELS: &[Channel] = &[\n");
    for description in dialects {
        for channel in &description.channels {
            let Channel { title, topic, docs, private, event, entry, request, .. } = channel;
            let entry = entry.as_ref().unwrap_or(event);
            let (owner, name) = (description.owner(channel), description.dialect);
            let module = description.module();
            let names = owner.fields.iter().filter_map(|field| field.split_once(": "));
            let fields: Vec<_> = names.map(|(name, _)| name).collect();
            let essential = &owner.essential;
            let aliases: Vec<_> = owner.aliases.iter().map(|a| (&a.path, &a.was)).collect();
            let ignores: Vec<_> = owner.ignore.iter().map(|i| (&i.path, &i.reason)).collect();
            let _ = writeln!(
                out,
                "Channel {{ market: Market::{name:?}, pattern: {topic:?}, title: {title:?}, \
                 docs: {docs:?}, private: {private}, supports_request: {request}, fields: &{fields:?}, \
                 essential: &{essential:?}, aliases: &{aliases:?}, ignores: &{ignores:?}, \
                 recode: |text| recode::<{module}::{entry}>(Market::{name:?}, text) }},"
            );
        }
    }
    out + "];\n"
}

fn seconds(seconds: u64) -> String {
    format!("Duration::from_secs({seconds})")
}

fn rate(rate: Option<[u64; 2]>) -> String {
    rate.map_or("None".to_owned(), |[count, window]| {
        format!("Some(Rate {{ count: {count}, window: {} }})", seconds(window))
    })
}

/// Renders the channel table of the sandbox, which shares no code with the client.
fn sandbox(dialects: &[Description]) -> String {
    let mut out = include_str!("templates/channel_types.rs").to_owned();
    for Description { dialect, channels, .. } in dialects {
        for private in [false, true] {
            let group = group(*dialect, private);
            let (mut variants, mut names) = (String::new(), String::new());
            for channel in channels.iter().filter(|channel| channel.private == private) {
                let name = camel_case(channel.function());
                let _ = writeln!(variants, "/// `{}`\n{name},", channel.topic);
                let _ = write!(names, "Self::{name},");
            }
            let count = names.matches(',').count();
            let side = if private { "private" } else { "public" };
            let _ = writeln!(
                out,
                "\n/// The {side} channels of the {} host.\n\
                 #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]\n\
                 pub(crate) enum {group} {{\n{variants}}}\n\n\
                 impl {group} {{\n/// All of them, in the order of the description.\n\
                 pub(crate) const ALL: [Self; {count}] = [{names}];\n}}",
                format!("{dialect:?}").to_lowercase(),
            );
        }
    }
    out.push_str("\n/// Every described channel.\npub(crate) static CHANNELS: &[Channel] = &[\n");
    for Description { dialect, channels, .. } in dialects {
        for channel in channels {
            let Channel { topic, levels, intervals, speeds, private, request, .. } = channel;
            let (base, argument) = topic.split_once(':').unwrap_or((topic, ""));
            let argument = match argument.trim_end_matches("{speed}") {
                "" => "None".to_owned(),
                "{symbol}" | "{currency}" => "Symbol".to_owned(),
                word => format!("Word({word:?})"),
            };
            let levels = levels.iter().map(|levels| {
                (base.replace("{levels}", &levels.to_string()), format!("Levels({levels})"))
            });
            let intervals = intervals
                .iter()
                .map(|word| (base.replace("{interval}", word), format!("Interval({word:?})")));
            let mut names: Vec<_> =
                levels.chain(intervals).filter(|(name, _)| !name.contains('{')).collect();
            if !base.contains('{') {
                names = vec![(base.to_owned(), "None".to_owned())];
            }
            let names = names.iter().fold(String::new(), |mut all, (name, variant)| {
                let _ = write!(all, "({name:?}, Variant::{variant}),");
                all
            });
            let group = group(*dialect, *private);
            let _ = writeln!(
                out,
                "Channel {{ id: ChannelId::{group}({group}::{}), names: &[{names}], \
                 argument: Argument::{argument}, speeds: &{speeds:?}, request: {request} }},",
                camel_case(channel.function()),
            );
        }
    }
    out.push_str("];\n\n/// Topics of which only the name is known.\npub(crate) static UNTYPED: &[(Host, &str)] = &[\n");
    for Description { dialect, untyped, .. } in dialects {
        for Untyped { topic, .. } in untyped {
            let _ = writeln!(out, "(Host::{dialect:?}, {topic:?}),");
        }
    }
    out + "];\n"
}

/// Name of the channels of a dialect that require a login, or of those that do not.
fn group(dialect: Host, private: bool) -> String {
    format!("{dialect:?}{}", if private { "Private" } else { "Public" })
}
