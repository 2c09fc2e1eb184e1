//! The page about scenarios: presets, and one that is typed in.

use askama::Template;

use super::{
    form::CallForm,
    page::{self, Shell, Visit},
    reply::Reply,
};
use crate::{
    operator::{PlayScenario, StopScenario},
    scenario::{PRESETS, Progress, Scenario},
};

/// A preset with its button.
pub(super) struct PresetRow {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) form: CallForm,
}

/// All presets. `back` is the page to return to.
pub(super) fn presets(back: &str) -> Vec<PresetRow> {
    let row = |text: &'static str| {
        let scenario: Scenario = text.parse().ok()?;
        let button = format!("Play {}", scenario.name());
        let form = CallForm::of::<PlayScenario>("preset", &button, back).fixed("text", text);
        Some(PresetRow {
            name: scenario.name().to_owned(),
            about: scenario.about().to_owned(),
            form,
        })
    };
    PRESETS.into_iter().filter_map(row).collect()
}

#[derive(Template)]
#[template(path = "console/scenarios.html")]
struct Scenarios<'a> {
    shell: Shell,
    progress: Progress,
    presets: Vec<PresetRow>,
    stop: CallForm,
    /// The text that was rejected, or of the latest scenario, or the example.
    text: &'a str,
}

pub(super) fn page(visit: &Visit<'_>) -> Reply {
    let back = "/console/scenarios";
    let latest = visit.shared.player.latest_text();
    page::render(&Scenarios {
        shell: visit.shell("Scenarios", "Scenarios"),
        progress: visit.shared.player.progress.borrow().clone(),
        presets: presets(back),
        stop: CallForm::of::<StopScenario>("stop", "Stop it", back).destructive(),
        text: visit
            .rejected("play_scenario")
            .and_then(|fields| fields.get("text"))
            .or(latest.as_deref())
            .unwrap_or(PRESETS[0]),
    })
}
