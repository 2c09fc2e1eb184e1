//! Recorded WebSocket frames.

use bitmart_ws::{Dialect, catalog};
use serde_json::value::RawValue;

use crate::compare::{Blank, Comparison};
use crate::node::Node;
use crate::{Fault, Verdict};

pub(crate) fn judge(dialect: &str, frame: Option<&RawValue>) -> Verdict {
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
        return Verdict::Passed;
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
    let comparison = Comparison { is_ignored: &is_ignored, blank: Blank::MustStay, root: "frame" };
    Verdict::of(comparison.faults(&recorded, &got))
}
