//! `sandbox`: a local exchange, and control of it.

mod admin;
mod browser;
mod calls;
mod command;
mod detach;
mod env;
mod persistent;
mod up;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bitmart::rest::recording::frames::Entry;
use bitmart::sandbox::operator::{
    AdvanceClock, Call, ClearFaults, CreateKey, InjectFault, PlayScenario, ReadLedger,
    ReadScenario, RequestStop, StepMarket, TakeSnapshot,
};
use bitmart::sandbox::{Config, Contract, RecordedFrame, Sandbox, Scenario, SpotPair};
use bitmart::{Credentials, Environment};
use clap::ArgMatches;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use self::admin::Admin;
pub(crate) use self::command::command;
use crate::confirm::prompt;
use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::output::{self, json::Json};
use crate::ready_file::ReadyFile;
use crate::secure_fs;

/// How often the state of a scenario is read.
const SCENARIO_INTERVAL: Duration = Duration::from_millis(200);

/// Faults by their target: a REST path, a WebSocket topic, the handshakes of a WebSocket address.
pub(crate) const FAULTS: [&[&str]; 3] = [
    &[
        "delay",
        "drop-before",
        "drop-after",
        "html",
        "html-after",
        "truncated-json",
        "null-rows",
        "reset-mid-body",
        "slow-drip",
        "rate-limited",
        "banned",
        "unavailable",
        "maintenance",
        "late-history",
    ],
    &["silent-socket", "half-open", "duplicate", "late-push", "garbage", "version-gap"],
    &["wrong-accept"],
];

/// The sandbox that a command without a key runs in its own process, unless `sandbox up` runs one.
#[derive(Debug, Default)]
pub(crate) struct InProcess(OnceCell<Sandbox>);

impl InProcess {
    /// The addresses and key of the running sandbox, or of one that is started here. Waits up to `timeout`
    /// while another command uses the saved state.
    pub(crate) async fn connect(
        &self,
        timeout: Duration,
    ) -> Result<(Environment, Credentials), Failure> {
        if let Some(ready) = admin::running().await {
            eprintln!("sandbox: the running one, with play money; --env live is the exchange");
            return Ok((ready.environment()?, ready.credentials()?));
        }
        eprintln!("sandbox: started in this process, with play money; --env live is the exchange");
        let sandbox = self.0.get_or_try_init(|| persistent::start(timeout)).await?;
        let environment = bitmart::sandbox::environment(sandbox);
        let credentials =
            bitmart::sandbox::credentials(sandbox).map_err(|error| Failure::io(chain(&error)))?;
        Ok((environment, credentials))
    }

    pub(crate) fn is_running(&self) -> bool {
        self.0.initialized()
    }

    /// Stops the sandbox, which saves its state.
    pub(crate) async fn shutdown(self) {
        if let Some(sandbox) = self.0.into_inner() {
            sandbox.shutdown().await;
        }
    }
}

/// The symbols that the sandbox lists.
pub(crate) fn listed_symbols() -> Vec<String> {
    let pairs = SpotPair::listed().into_iter().map(|pair| pair.symbol());
    let contracts = Contract::listed().into_iter().map(|contract| contract.symbol());
    pairs.chain(contracts).collect()
}

/// Serves recorded frames until ctrl-c, `speed` times as fast as they were received.
pub(crate) async fn serve_recording(frames: Vec<Entry>, speed: u32) -> Result<(), Failure> {
    let Some(first) = frames.first() else {
        return Err(Failure::usage("the recording has no frames"));
    };
    let start_ms = first.at / 1_000;
    let topics: BTreeSet<_> = frames.iter().map(|entry| entry.topic.clone()).collect();
    let frames = frames
        .into_iter()
        .filter_map(|entry| Some(RecordedFrame::new(entry.at, entry.topic, entry.frame?)));
    let config = Config::new()
        .fast_clock(Some(start_ms), speed)
        .rate_limits(false)
        .replay(frames.collect::<Vec<_>>());
    let sandbox = Sandbox::start(config).await.map_err(|error| Failure::io(chain(&error)))?;
    let mut interrupts = Interrupts::listen()?;
    output::write(format!("{}\n", sandbox.ready_line()).as_bytes())?;
    eprintln!("serving {} until ctrl-c", topics.into_iter().collect::<Vec<_>>().join(", "));
    interrupts.recv().await;
    sandbox.shutdown().await;
    Ok(())
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let (name, matches) =
        matches.subcommand().ok_or_else(|| Failure::usage("sandbox: a command is missing"))?;
    if name == "up" {
        return up::run(context, matches).await;
    }
    if name == "reset" {
        return reset(context).await;
    }
    let ready = find(context).await?;
    let admin = Admin::new(&ready)?;
    let data = match name {
        "status" => status(&ready, &admin).await?,
        "keys" => keys(&ready, &admin, matches).await?,
        "env" => return output::write(env_text(context, &ready, matches)?.as_bytes()),
        "fault" if matches.get_flag("clear") => admin.call(&ClearFaults {}).await?,
        "fault" => admin.send(&Call::of::<InjectFault>(), fault(matches)).await?,
        "clock" => clock(&admin, matches).await?,
        "snapshot" => return snapshot(&admin, matches).await,
        "console" => return console(&admin, matches).await,
        "play" => return play(&admin, matches).await,
        "down" => return down(&admin).await,
        _ => match calls::find(name) {
            Some(call) => admin.send(call, calls::fields(call.fields(), matches)).await?,
            None => return Err(Failure::usage(format!("there is no command sandbox {name}"))),
        },
    };
    print(context, &data)
}

/// The sandbox of `--env FILE`, or the running one.
async fn find(context: &Context) -> Result<ReadyFile, Failure> {
    match context.environment() {
        None => running().await,
        Some(name) if name.eq_ignore_ascii_case("sandbox") => running().await,
        Some(file) => ReadyFile::read(Path::new(file)),
    }
}

async fn running() -> Result<ReadyFile, Failure> {
    admin::running().await.ok_or_else(|| {
        Failure::new(Exit::NotSent, "no sandbox is running")
            .with_advice("start one in another terminal: bitmart sandbox up")
    })
}

fn print(context: &Context, data: &Value) -> Result<(), Failure> {
    let data = Json::parse(&data.to_string())
        .map_err(|error| Failure::io(format!("the response: {error}")))?;
    output::print_rows(&context.output, &data)
}

async fn status(ready: &ReadyFile, admin: &Admin) -> Result<Value, Failure> {
    let ledger = admin.call(&ReadLedger {}).await?;
    let count = |name: &str| ledger[name].as_array().map_or(0, Vec::len);
    let mut status: serde_json::Map<String, Value> =
        ready.addresses().into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect();
    status.insert("now_ms".to_owned(), ledger["now_ms"].clone());
    status.insert("orders".to_owned(), json!(count("orders")));
    status.insert("fills".to_owned(), json!(count("fills")));
    Ok(Value::Object(status))
}

async fn keys(ready: &ReadyFile, admin: &Admin, matches: &ArgMatches) -> Result<Value, Failure> {
    if !matches.get_flag("new") {
        let (key, secret, memo) = ready.key();
        return Ok(json!({ "key": key, "secret": secret, "memo": memo }));
    }
    let mut fields = Map::new();
    fields.insert("account".to_owned(), json!(matches.get_one::<u32>("account")));
    if let Some(permissions) = matches.get_many::<String>("permissions") {
        let permissions = permissions.map(|one| json!(one.trim())).collect();
        fields.insert("permissions".to_owned(), permissions);
    }
    admin.send(&Call::of::<CreateKey>(), fields).await
}

fn env_text(context: &Context, ready: &ReadyFile, matches: &ArgMatches) -> Result<String, Failure> {
    let file = match context.environment() {
        Some(file) if !file.eq_ignore_ascii_case("sandbox") => PathBuf::from(file),
        _ => admin::ready_file()
            .ok_or_else(|| Failure::usage("there is no home folder; set HOME"))?,
    };
    let line = std::fs::read_to_string(&file)
        .map_err(|error| Failure::io(format!("{}: {error}", file.display())))?;
    env::text(ready, &line, matches)
}

fn fault(matches: &ArgMatches) -> Map<String, Value> {
    let mut fields = Map::new();
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    fields.insert("fault".to_owned(), json!(text("fault").to_ascii_lowercase()));
    fields.insert("on".to_owned(), json!(text("on")));
    for name in ["times", "ms", "status"] {
        if let Some(number) = matches.get_one::<u64>(name) {
            fields.insert(name.to_owned(), json!(number));
        }
    }
    fields
}

async fn clock(admin: &Admin, matches: &ArgMatches) -> Result<Value, Failure> {
    if let Some(ms) = matches.get_one::<u64>("advance") {
        return admin.call(&AdvanceClock { ms: *ms }).await;
    }
    if let Some(steps) = matches.get_one::<u64>("steps") {
        // The sandbox rejects fewer than that already.
        let steps = u32::try_from(*steps).unwrap_or(u32::MAX);
        return admin.call(&StepMarket { steps }).await;
    }
    let ledger = admin.call(&ReadLedger {}).await?;
    Ok(json!({ "now_ms": ledger["now_ms"] }))
}

async fn snapshot(admin: &Admin, matches: &ArgMatches) -> Result<(), Failure> {
    let file = Path::new(matches.get_one::<String>("file").map_or("", String::as_str));
    let saved = admin.fetch(&Call::of::<TakeSnapshot>(), Map::new()).await?;
    secure_fs::write(file, &saved)
        .map_err(|error| Failure::io(format!("{}: {error}", file.display())))?;
    eprintln!("written; bitmart sandbox up --restore {} continues from it", file.display());
    Ok(())
}

/// Plays a scenario and reports its steps.
async fn play(admin: &Admin, matches: &ArgMatches) -> Result<(), Failure> {
    let file = Path::new(matches.get_one::<String>("file").map_or("", String::as_str));
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::io(format!("{}: {error}", file.display())))?;
    let scenario: Scenario =
        text.parse().map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    let mut state = admin.call(&PlayScenario { text }).await?;
    let number = state["number"].clone();
    let mut done = 0;
    loop {
        let reached = state["done"].as_u64().unwrap_or(0);
        for (at, step) in (1_u64..).zip(scenario.steps()) {
            if (done + 1..=reached).contains(&at) {
                eprintln!("{at} of {} {}", scenario.steps().len(), step.call().name());
            }
        }
        done = reached;
        if state["number"] != number || state["playing"] != true {
            break;
        }
        tokio::time::sleep(SCENARIO_INTERVAL).await;
        state = admin.call(&ReadScenario {}).await?;
    }
    match state["error"].as_str().filter(|_| state["number"] == number) {
        Some(error) => Err(Failure::new(Exit::Rejected, error)),
        None => Ok(()),
    }
}

/// Opens the console, or prints its address.
async fn console(admin: &Admin, matches: &ArgMatches) -> Result<(), Failure> {
    let url = admin.console_login_url().await?;
    if matches.get_flag("print") {
        return output::write(format!("{url}\n").as_bytes());
    }
    browser::open(&url).await;
    Ok(())
}

/// Deletes the saved state, unless the sandbox is running.
async fn reset(context: &Context) -> Result<(), Failure> {
    if admin::running().await.is_some() {
        return Err(
            Failure::usage("the sandbox is running").with_advice("first: bitmart sandbox down")
        );
    }
    let Some(folder) = persistent::data_folder().filter(|folder| folder.exists()) else {
        eprintln!("there is no saved state");
        return Ok(());
    };
    if !context.yes {
        prompt::confirm_local(&format!("delete {}?", folder.display()))?;
    }
    std::fs::remove_dir_all(&folder)
        .map_err(|error| Failure::io(format!("{}: {error}", folder.display())))
}

/// Stops the sandbox and waits until it has ended.
async fn down(admin: &Admin) -> Result<(), Failure> {
    admin.call(&RequestStop {}).await?;
    for _ in 0..100 {
        if admin::running().await.is_none() {
            eprintln!("the sandbox has stopped");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Failure::io("the sandbox does not stop"))
}
