//! Recorded WebSocket frames.

use bitmart_ws::{Dialect, catalog};
use serde_json::value::RawValue;

use crate::compare::{Blank, Comparison};
use crate::node::Node;
use crate::{Expected, Fault, Verdict};

pub(crate) fn judge(dialect: &str, frame: Option<&RawValue>, expected: &Expected) -> Verdict {
    let dialect = match dialect {
        "spot" => Dialect::Spot,
        "futures" => Dialect::Futures,
        other => return Verdict::Failed(vec![Fault::new("ws", "spot or futures", other)]),
    };
    let Some(frame) = frame else {
        return Verdict::Skipped;
    };
    let recorded = match Node::read(frame.get()) {
        Ok(node) => node,
        Err(error) => {
            return Verdict::Failed(vec![Fault::new("frame", "JSON", error)]);
        }
    };
    let name = match &recorded {
        Node::Object(members) => match members.get("table").or(members.get("group")) {
            Some(Node::Text(name)) => name.as_str(),
            _ => "",
        },
        _ => "",
    };
    if catalog::is_control(dialect, frame.get()) {
        return Verdict::Passed(Vec::new());
    }
    let Some(channel) = catalog::channel(dialect, name) else {
        return Verdict::Unknown(Fault::new("frame", "a described channel", format!("{name:?}")));
    };
    let text = match catalog::recode(dialect, frame.get()) {
        Ok(Some(recoded)) => recoded.text,
        Ok(None) => {
            return Verdict::Unknown(Fault::new(
                "frame",
                "a described channel",
                format!("{name:?}"),
            ));
        }
        Err(error) => {
            return Verdict::Failed(vec![Fault::new(
                "frame",
                "the typed event",
                error.to_string(),
            )]);
        }
    };
    let got = match Node::read(&text) {
        Ok(node) => node,
        Err(error) => {
            return Verdict::Failed(vec![Fault::new("frame", "JSON", error)]);
        }
    };
    let is_ignored = |path: &str| channel.ignores.iter().any(|(ignored, _)| *ignored == path);
    // Paths of the description begin at the entry.
    let below = |path: &str| {
        let entry = path.strip_prefix("data")?;
        entry.strip_prefix("[].").or(entry.strip_prefix('.')).map(str::to_owned)
    };
    let own_name = |path: &str| {
        let path = below(path)?;
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", &path));
        let is_it = |own: &str, was: &str| {
            let (own_parent, _) = own.rsplit_once('.').unwrap_or(("", own));
            own_parent == parent && was == name
        };
        let (own, _) = channel.aliases.iter().find(|(own, was)| is_it(own, was))?;
        Some(own.rsplit('.').next().unwrap_or(own))
    };
    // Names of times; the catalog has no forms.
    let is_time = |path: &str| {
        let name = path.rsplit('.').next().unwrap_or(path).to_lowercase();
        name.contains("time") || name == "ts" || name.ends_with("_at")
    };
    let comparison = Comparison {
        is_ignored: &is_ignored,
        own_name: &own_name,
        is_time: &is_time,
        expected,
        blank: Blank::MustStay,
        root: "frame",
    };
    let mut found = comparison.find(&recorded, &got);
    found.faults.extend(expected.missing(&found.lost));
    Verdict::of(found.faults, found.units)
}
