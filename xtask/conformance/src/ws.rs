//! Checks recorded WebSocket frames.

use bitmart_ws::{Market, catalog};
use serde_json::value::RawValue;

use crate::compare::{Comparison, EmptyMembers};
use crate::node::Node;
use crate::{Difference, Expected, Outcome};

pub(crate) fn check(market: &str, frame: Option<&RawValue>, expected: &Expected) -> Outcome {
    let market = match market {
        "spot" => Market::Spot,
        "futures" => Market::Futures,
        other => return Outcome::Failed(vec![Difference::new("ws", "spot or futures", other)]),
    };
    let Some(frame) = frame else {
        return Outcome::Skipped;
    };
    let recorded = match Node::parse(frame.get()) {
        Ok(node) => node,
        Err(error) => {
            return Outcome::Failed(vec![Difference::new("frame", "JSON", error)]);
        }
    };
    let name = match &recorded {
        Node::Object(members) => match members.get("table").or(members.get("group")) {
            Some(Node::Text(name)) => name.as_str(),
            _ => "",
        },
        _ => "",
    };
    if catalog::is_control(market, frame.get()) {
        return Outcome::Passed(Vec::new());
    }
    let Some(channel) = catalog::channel(market, name) else {
        return Outcome::Unknown(Difference::new(
            "frame",
            "a described channel",
            format!("{name:?}"),
        ));
    };
    let text = match catalog::recode(market, frame.get()) {
        Ok(Some(recoded)) => recoded.text,
        Ok(None) => {
            return Outcome::Unknown(Difference::new(
                "frame",
                "a described channel",
                format!("{name:?}"),
            ));
        }
        Err(error) => {
            return Outcome::Failed(vec![Difference::new(
                "frame",
                "the typed event",
                error.to_string(),
            )]);
        }
    };
    let got = match Node::parse(&text) {
        Ok(node) => node,
        Err(error) => {
            return Outcome::Failed(vec![Difference::new("frame", "JSON", error)]);
        }
    };
    let is_ignored = |path: &str| channel.ignores.iter().any(|(ignored, _)| *ignored == path);
    // Paths in the description begin at the entry.
    let below = |path: &str| {
        let entry = path.strip_prefix("data")?;
        entry.strip_prefix("[].").or(entry.strip_prefix('.')).map(str::to_owned)
    };
    let own_name = |path: &str| {
        let path = below(path)?;
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", &path));
        let is_alias = |own: &str, other: &str| {
            let (own_parent, _) = own.rsplit_once('.').unwrap_or(("", own));
            own_parent == parent && other == name
        };
        let (own, _) = channel.aliases.iter().find(|(own, other)| is_alias(own, other))?;
        Some(own.rsplit('.').next().unwrap_or(own))
    };
    // By name, since the catalog does not describe types.
    let is_time = |path: &str| {
        let name = path.rsplit('.').next().unwrap_or(path).to_lowercase();
        name.contains("time") || name == "ts" || name.ends_with("_at")
    };
    let comparison = Comparison {
        is_ignored: &is_ignored,
        own_name: &own_name,
        is_time: &is_time,
        expected,
        empty_members: EmptyMembers::MustBeKept,
        root: "frame",
    };
    let mut found = comparison.compare_roots(&recorded, &got);
    found.differences.extend(expected.not_lost(&found.lost));
    Outcome::new(found.differences, found.units)
}
