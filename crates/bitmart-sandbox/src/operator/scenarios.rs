//! Scenarios: timed calls.

use serde::{Deserialize, Serialize};

use super::{
    Call, Effect, Operator, OperatorCall, OperatorError,
    describe::{Described, Field, Kind, calls, field, response},
};
use crate::{scenario::Scenario, shared::Shared};

calls! {
    /// Play a scenario: timed calls in TOML. One is played at a time. Its waits are measured by the clock of the
    /// exchange; with a stepped clock they step the market.
    Transient "POST /scenarios" => play_scenario(PlayScenario) -> ScenarioState {
        /// The TOML text, at most 48 KiB.
        text: String = "name = \"a cut\"\n[[step]]\ncall = \"kill_sockets\"\n",
    }

    /// Read the state of the latest scenario.
    Reads "GET /scenarios" => scenario_state(ReadScenario) -> ScenarioState {}

    /// Stop the scenario that is playing, after the call that it is making. No effect if none is playing.
    Transient "DELETE /scenarios" => stop_scenario(StopScenario) -> ScenarioState {}
}

response! {
    /// The state of a scenario.
    ScenarioState {
        /// Number of the scenario; 0 before the first.
        number: u64 = 1,
        /// Its name.
        name: String = "a cut",
        /// Number of its steps.
        steps: usize = 1,
        /// Number of the steps that are done.
        done: usize = 0,
        /// Whether it is playing.
        playing: bool = true,
        /// The error because of which it has ended early.
        error: Option<String>,
    }
}

fn play_scenario(call: PlayScenario, shared: &Shared) -> Result<ScenarioState, OperatorError> {
    let scenario: Scenario = call
        .text
        .parse()
        .map_err(|error: crate::ScenarioError| OperatorError::InvalidScenario(error.to_string()))?;
    let started = shared.player.start(scenario);
    started.map_err(|error| OperatorError::InvalidScenario(error.to_string()))?;
    Ok(state(shared))
}

fn scenario_state(_: ReadScenario, shared: &Shared) -> Result<ScenarioState, OperatorError> {
    Ok(state(shared))
}

fn stop_scenario(_: StopScenario, shared: &Shared) -> Result<ScenarioState, OperatorError> {
    shared.player.stop();
    Ok(state(shared))
}

fn state(shared: &Shared) -> ScenarioState {
    let now = shared.player.progress.borrow().clone();
    ScenarioState {
        number: now.number,
        name: now.name,
        steps: now.steps,
        done: now.done,
        playing: now.is_playing,
        error: now.error,
    }
}
