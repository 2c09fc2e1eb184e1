//! Scenarios: timed calls of the operator in a TOML file. Console, program and library play them with one player.

mod check;
mod long_floats;
mod preset;

use std::{fmt, sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::watch;

pub(crate) use self::preset::PRESETS;
use crate::{
    journal::EntryNumber,
    operator::{Call, CallError, Operator, OperatorError, calls},
    shared::Shared,
    shutdown::stopped,
    state::STEP,
};

/// Maximum size of a scenario in bytes.
const MAX_LENGTH: usize = 48 << 10;
const MAX_STEPS: usize = 1_000;
const MAX_WAIT_MS: u64 = 86_400_000;
/// Calls that a scenario cannot make: their response is their purpose, or they are about scenarios.
const EXCLUDED_CALLS: [&str; 4] = ["snapshot", "create_key", "play_scenario", "stop_scenario"];

/// Timed calls of the operator.
///
/// ```
/// use bitmart_sandbox::Scenario;
///
/// let scenario: Scenario = r#"
///     name = "lost responses"
///
///     [[step]]
///     call = "inject_fault"
///     fault = "drop-after"
///     on = "/spot/v2/submit_order"
///
///     [[step]]
///     wait_ms = 5000
///     call = "clear_faults"
/// "#
/// .parse()?;
/// assert_eq!(scenario.steps().len(), 2);
/// # Ok::<(), bitmart_sandbox::ScenarioError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Scenario {
    name: String,
    about: String,
    steps: Vec<Step>,
    text: String,
}

/// A step of a scenario.
#[derive(Debug, Clone)]
pub struct Step {
    wait: Duration,
    call: &'static Call,
    fields: Map<String, Value>,
}

/// A scenario that cannot be read or played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError(String);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScenarioError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default, rename = "step")]
    steps: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    wait_ms: u64,
    call: String,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl std::str::FromStr for Scenario {
    type Err = ScenarioError;

    /// Reads a scenario from TOML.
    ///
    /// # Errors
    /// If it is no TOML, is over 48 KiB or 1,000 steps long, waits over a day at once, or names a call or field that
    /// does not exist.
    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        if text.len() > MAX_LENGTH {
            return Err(ScenarioError("a scenario has at most 48 KiB".to_owned()));
        }
        let file: File = toml::from_str(&long_floats::quoted(text))
            .map_err(|error| ScenarioError(error.to_string().trim().into()))?;
        if file.steps.is_empty() || file.steps.len() > MAX_STEPS {
            return Err(ScenarioError("a scenario has 1 to 1,000 steps".to_owned()));
        }
        let steps = file.steps.into_iter().enumerate().map(|(at, row)| {
            let number = at + 1;
            read_step(row).map_err(|text| ScenarioError(format!("step {number}: {text}")))
        });
        Ok(Self {
            name: file.name,
            about: file.about,
            steps: steps.collect::<Result<_, _>>()?,
            text: text.to_owned(),
        })
    }
}

fn read_step(row: Row) -> Result<Step, String> {
    if row.wait_ms > MAX_WAIT_MS {
        return Err("wait_ms is at most a day".to_owned());
    }
    let call =
        calls().find(|call| call.name() == row.call && !EXCLUDED_CALLS.contains(&call.name()));
    let Some(call) = call else {
        let names = calls().map(Call::name).filter(|name| !EXCLUDED_CALLS.contains(name));
        let names: Vec<_> = names.collect();
        return Err(format!("there is no call {:?}; there is {}", row.call, names.join(", ")));
    };
    check::check(call, &row.fields).map_err(|text| format!("{}: {text}", row.call))?;
    Ok(Step { wait: Duration::from_millis(row.wait_ms), call, fields: row.fields })
}

impl Scenario {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its description; empty if the file has none.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Its steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl Step {
    /// The time between the previous step and this one.
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// The call of the operator.
    pub fn call(&self) -> &'static Call {
        self.call
    }

    /// The fields of the call.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }
}

/// The progress of the latest scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Number of the scenario; 0 before the first.
    pub(crate) number: u64,
    pub(crate) name: String,
    /// Number of its steps, and how many of them are done.
    pub(crate) steps: usize,
    pub(crate) done: usize,
    pub(crate) is_playing: bool,
    /// Whether it has to end after the call that it is making.
    pub(crate) is_stopped: bool,
    /// The error because of which it has ended early.
    pub(crate) error: Option<String>,
    /// The error of the scenario before this one, for whoever still waits for its end.
    previous_error: Option<String>,
}

#[cfg(feature = "console")]
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.number == 0 {
            return f.write_str("No scenario has been played yet.");
        }
        let state = if self.is_playing { "playing" } else { "ended" };
        write!(f, "{}: {} of {} steps done, {state}.", self.name, self.done, self.steps)?;
        match &self.error {
            Some(error) => write!(f, " It ended early: {error}"),
            None => Ok(()),
        }
    }
}

/// Plays one scenario at a time.
#[derive(Debug)]
pub(crate) struct Player {
    /// The scenario that was started last.
    latest: watch::Sender<Option<Arc<Scenario>>>,
    pub(crate) progress: watch::Sender<Progress>,
}

impl Default for Player {
    fn default() -> Self {
        Self { latest: watch::Sender::new(None), progress: watch::Sender::default() }
    }
}

impl Player {
    /// Starts a scenario and returns its number.
    pub(crate) fn start(&self, scenario: Scenario) -> Result<u64, ScenarioError> {
        let mut number = None;
        self.progress.send_if_modified(|progress| {
            if progress.is_playing {
                return false;
            }
            number = Some(progress.number + 1);
            *progress = Progress {
                number: progress.number + 1,
                name: scenario.name.clone(),
                steps: scenario.steps.len(),
                is_playing: true,
                previous_error: progress.error.take(),
                ..Progress::default()
            };
            true
        });
        let number =
            number.ok_or_else(|| ScenarioError("another scenario is playing".to_owned()))?;
        self.latest.send_replace(Some(Arc::new(scenario)));
        Ok(number)
    }

    /// The text of the latest scenario.
    #[cfg(feature = "console")]
    pub(crate) fn latest_text(&self) -> Option<String> {
        self.latest.borrow().as_ref().map(|scenario| scenario.text.clone())
    }

    /// Ends the scenario that is playing after the call that it is making.
    pub(crate) fn stop(&self) {
        self.progress.send_if_modified(|progress| {
            progress.is_stopped |= progress.is_playing;
            progress.is_playing
        });
    }
}

impl Shared {
    /// Whether a scenario has to end early.
    fn is_scenario_stopped(&self) -> bool {
        self.player.progress.borrow().is_stopped || self.control.borrow().stop
    }
}

/// Plays a scenario to its end.
pub(crate) async fn play(shared: &Shared, scenario: &Scenario) -> Result<(), ScenarioError> {
    let mut progress = shared.player.progress.subscribe();
    let number = shared.player.start(scenario.clone())?;
    let ended = progress.wait_for(|now| now.number > number || !now.is_playing).await;
    let error = match ended {
        Ok(now) if now.number == number => now.error.clone(),
        Ok(now) if now.number == number + 1 => now.previous_error.clone(),
        // An error is impossible: the sender lives as long as `shared`.
        _ => Some("its result is unknown, because other scenarios were played since".to_owned()),
    };
    error.map_or(Ok(()), |error| Err(ScenarioError(error)))
}

/// Plays the scenarios that are started, until the sandbox stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut latest = shared.player.latest.subscribe();
    // One may have been started before this task began.
    latest.mark_changed();
    let mut control = shared.control.subscribe();
    let playing = async {
        while latest.changed().await.is_ok() {
            let Some(scenario) = latest.borrow_and_update().clone() else { continue };
            let error = play_steps(&shared, &scenario).await.err();
            shared.player.progress.send_modify(|progress| {
                progress.is_playing = false;
                progress.error = error;
            });
        }
    };
    tokio::select! {
        () = playing => {}
        () = stopped(&mut control) => {}
    }
    // Nobody waits for the end of a scenario that no longer plays.
    shared.player.progress.send_if_modified(|progress| {
        let was_playing = std::mem::take(&mut progress.is_playing);
        if was_playing {
            progress.error = Some("the sandbox has stopped".to_owned());
        }
        was_playing
    });
}

async fn play_steps(shared: &Arc<Shared>, scenario: &Scenario) -> Result<(), String> {
    let stopped = || Err("it was stopped".to_owned());
    let mut last_market_step = None;
    for (at, step) in scenario.steps.iter().enumerate() {
        let stepped = wait(shared, step.wait).await;
        last_market_step =
            stepped.map_err(|error| format!("step {}: {error}", at + 1))?.or(last_market_step);
        if shared.is_scenario_stopped() {
            return stopped();
        }
        let (path, body) = step.call.request(step.fields.clone());
        let (operated, call) = (Arc::clone(shared), step.call);
        let run = move || call.run(Operator::new(&operated), &path, body.as_bytes());
        let result = tokio::task::spawn_blocking(run).await;
        let text = match result {
            Ok(Ok(_)) => None,
            Ok(Err(CallError::Body(text))) => Some(text),
            Ok(Err(CallError::Operator(error))) => Some(error.to_string()),
            Ok(Err(CallError::Response(error))) => Some(error.to_string()),
            Err(_) => Some("the sandbox has stopped".to_owned()),
        };
        if let Some(text) = text {
            return Err(format!("step {}, {}: {text}", at + 1, step.call.name()));
        }
        shared.player.progress.send_modify(|progress| progress.done = at + 1);
    }
    // Each call has waited until its change was stored. Faults are not stored at all.
    match last_market_step {
        Some(entry) if !shared.wait_for_entry(entry).await => {
            Err(OperatorError::NotStored.to_string())
        }
        _ => Ok(()),
    }
}

/// Waits by the clock of the exchange, or until the scenario is stopped. A stepped clock is stepped with the market:
/// returns the number of the last journal entry then. Fails if a step could not be stored.
async fn wait(shared: &Arc<Shared>, time: Duration) -> Result<Option<EntryNumber>, OperatorError> {
    let clock = shared.state().clock;
    if !clock.is_stepped() {
        let mut progress = shared.player.progress.subscribe();
        tokio::select! {
            () = tokio::time::sleep(clock.machine_duration(time)) => {}
            _ = progress.wait_for(|progress| progress.is_stopped) => {}
        }
        return Ok(None);
    }
    let steps = time.as_millis().div_ceil(STEP.as_millis());
    let shared = Arc::clone(shared);
    let run = move || {
        let mut last = None;
        for _ in 0..steps {
            if shared.is_scenario_stopped() {
                break;
            }
            if !shared.is_writable() {
                return Err(OperatorError::NotStored);
            }
            last = Some(shared.step());
        }
        Ok(last)
    };
    // An error of the task means that the sandbox stops.
    tokio::task::spawn_blocking(run).await.unwrap_or(Ok(None))
}

#[cfg(test)]
mod tests;
