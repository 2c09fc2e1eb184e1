//! Reads the description of the WebSocket API, as far as documents use it. `cargo xtask codegen` reads it completely
//! and rejects unknown members.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::description::read_all;

/// The WebSocket API of one host.
#[derive(Deserialize)]
pub(crate) struct Dialect {
    #[serde(rename = "dialect")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) quirks: Vec<String>,
    #[serde(default)]
    pub(crate) decisions: Vec<String>,
    pub(crate) facts: Map<String, Value>,
    pub(crate) limits: Map<String, Value>,
    #[serde(rename = "channel")]
    pub(crate) channels: Vec<Channel>,
    #[serde(default)]
    pub(crate) untyped: Vec<Untyped>,
}

/// A channel of which only the name is known.
#[derive(Deserialize, Serialize)]
pub(crate) struct Untyped {
    topic: String,
    about: String,
    sources: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Channel {
    pub(crate) title: String,
    pub(crate) topic: String,
    pub(crate) docs: Option<String>,
    #[serde(default)]
    pub(crate) private: bool,
    pub(crate) event: String,
    pub(crate) data: String,
    constructor: String,
    pub(crate) push: String,
    #[serde(default)]
    pub(crate) request: bool,
    #[serde(default)]
    pub(crate) levels: Vec<u32>,
    #[serde(default)]
    pub(crate) speeds: Vec<String>,
    #[serde(default)]
    pub(crate) intervals: Vec<String>,
    #[serde(default)]
    pub(crate) unverified: bool,
    same_fields_as: Option<String>,
    #[serde(default)]
    fields: Vec<String>,
    pub(crate) sources: Vec<String>,
    pub(crate) checked: String,
    #[serde(default)]
    pub(crate) quirks: Vec<String>,
    #[serde(default)]
    pub(crate) decisions: Vec<String>,
}

impl Dialect {
    /// The fields of a channel, or those of the channel that it shares them with.
    pub(crate) fn fields<'a>(&'a self, channel: &'a Channel) -> &'a [String] {
        let shared = |other: &&Channel| Some(&other.topic) == channel.same_fields_as.as_ref();
        &self.channels.iter().find(shared).unwrap_or(channel).fields
    }

    /// The member of a frame that names its channel: `table` or `group`.
    pub(crate) fn channel_key(&self) -> &str {
        self.fact("channel_key")
    }

    pub(crate) fn fact(&self, name: &str) -> &str {
        self.facts.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Channel {
    /// Its key in the document: `spot_ticker` for `topic::spot::ticker`.
    pub(crate) fn id(&self) -> String {
        self.constructor.trim_start_matches("topic::").replace("::", "_")
    }

    /// Whether `name` in a frame is this channel.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        let (channel, argument) = split(name);
        let (pattern, placeholder) = split(&self.topic);
        // Frames of spot name the channel without the symbol.
        let same_kind = argument.is_some() == placeholder.is_some() || name.starts_with("spot/");
        let values = self.levels.iter().map(u32::to_string).chain(self.intervals.iter().cloned());
        let mut names =
            values.map(|value| pattern.replace("{levels}", &value).replace("{interval}", &value));
        same_kind && (pattern == channel || names.any(|name| name == channel))
    }
}

fn split(topic: &str) -> (&str, Option<&str>) {
    topic.split_once(':').map_or((topic, None), |(name, argument)| (name, Some(argument)))
}

/// A published or observed frame: an event of a channel, or a control frame.
#[derive(Deserialize)]
pub(crate) struct Sample {
    /// Folder and file name without its extension.
    #[serde(skip)]
    pub(crate) name: String,
    pub(crate) ws: String,
    #[serde(default)]
    pub(crate) frame: Value,
    #[serde(default)]
    pub(crate) control: Value,
    pub(crate) source: String,
}

/// Reads the descriptions of all dialects.
pub(crate) fn dialects(folder: &Path) -> Result<Vec<Dialect>, String> {
    read_all(folder, "toml", |_, text| toml::from_str(text).map_err(|error| error.to_string()))
}

/// Reads every frame in the folders of `root`, sorted by name.
pub(crate) fn frames(root: &Path) -> Result<Vec<Sample>, String> {
    let entries =
        std::fs::read_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    let mut frames = Vec::new();
    for folder in folders {
        let owner = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        frames.extend(read_all(&folder, "json", |name, text| {
            let mut sample: Sample =
                serde_json::from_str(text).map_err(|error| error.to_string())?;
            sample.name = format!("{owner}/{name}");
            Ok(sample)
        })?);
    }
    Ok(frames)
}
