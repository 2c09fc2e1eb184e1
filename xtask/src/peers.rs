//! `cargo xtask peers [--quick]`: this SDK, the usual libraries and the exchange's own SDKs do the same work against
//! the sandbox, in turns. Writes `docs/performance.md`.

mod measure;
mod page;
mod process;
mod programs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::TaskResult;
use crate::install;
use crate::run::{cargo, run as run_command, target_folder, workspace_root};
use crate::script::Sandbox;
use measure::Plan;
use process::{Process, Replay, pin};
use programs::{Program, Setting};

const USAGE: &str = "usage: cargo xtask peers [--quick]";
/// The package of the programs that are built for this; not in the workspace.
const PACKAGE: &str = "xtask/peers";

/// Frames whose decoded values are compared before anything is timed.
const COMPARED_FRAMES: usize = 16;

pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    let plan = match arguments {
        [] => Plan::FULL,
        ["--quick"] => Plan::QUICK,
        _ => return Err(USAGE.to_owned()),
    };
    let sandbox = build()?;
    let (programs, skipped) = programs::all();
    let (setting, sandboxes) = start(&sandbox)?;
    let replay = Replay::start(&binary("replay"), &setting)?;
    let mut running = Vec::new();
    for program in &programs {
        running.push(Process::start(program, &setting)?);
    }
    compare(&programs, &mut running, &replay)?;
    println!("all programs decode the same values");
    let fresh = measure::startup(&plan, &programs, &setting)?;
    let servers = sandboxes.iter().map(Sandbox::id).chain([replay.id()]);
    let clients = running.iter().map(Process::id);
    let is_pinned =
        clients.map(|id| (id, 0)).chain(servers.map(|id| (id, 1))).all(|(id, on)| pin(id, on));
    let results = measure::in_turns(&plan, &programs, &mut running, &replay)?;
    let peaks: Vec<u64> = running.iter().map(Process::peak_memory).collect();
    page::write(&plan, is_pinned, &programs, &skipped, &results, &fresh, &peaks)
}

/// Builds the sandbox and the programs in Rust, optimized. Returns the path of the sandbox.
fn build() -> Result<PathBuf, String> {
    run_command(cargo().args(["build", "--quiet", "--release", "--package", "bitmart-sandbox"]))?;
    run_command(build_command().args(["build", "--quiet", "--release", "--bins"]))?;
    let name = format!("release/bitmart-sandbox{}", std::env::consts::EXE_SUFFIX);
    Ok(target_folder().join(name))
}

/// Cargo in the package of the programs, with a target folder of their own.
fn build_command() -> Command {
    let mut command = cargo();
    command.current_dir(workspace_root().join(PACKAGE));
    command.env("CARGO_TARGET_DIR", target());
    command
}

fn target() -> PathBuf {
    workspace_root().join(PACKAGE).join("target")
}

fn binary(name: &str) -> PathBuf {
    target().join(format!("release/{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Starts the three sandboxes: for orders, for orders over TLS, and one with a stepped clock, so that all read the same
/// market data.
fn start(program: &Path) -> Result<(Setting, [Sandbox; 3]), String> {
    let orders = [
        "--quiet",
        "--no-limits",
        "--no-market",
        "--pairs",
        "BTC_USDT",
        "--fund",
        "USDT=1000000000",
    ];
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_millis()).to_string();
    let (plain, plain_line) = Sandbox::start(program, &orders)?;
    let (tls, tls_line) = Sandbox::start(program, &[&orders[..], &["--tls"]].concat())?;
    let market = ["--quiet", "--no-limits", "--pairs", "BTC_USDT", "--clock", &now];
    let (market, market_line) = Sandbox::start(program, &market)?;
    let lines = [plain_line, tls_line, market_line].map(|line| line.trim().to_owned());
    let roots = write_roots(&lines[1])?;
    Ok((Setting { lines, roots }, [plain, tls, market]))
}

/// The certificates that the programs trust: those of the machine, so that a program that reads them often pays for
/// it as it would elsewhere, and the root of the sandbox.
fn write_roots(ready: &str) -> Result<PathBuf, String> {
    const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";
    let ready: Value =
        serde_json::from_str(ready).map_err(|error| format!("ready line: {error}"))?;
    let root = ready.pointer("/root_certificate").and_then(Value::as_str);
    let root = root.ok_or("no root certificate in the ready line")?;
    let all = fs::read_to_string(SYSTEM).unwrap_or_default() + root;
    let path = target().join("roots.pem");
    fs::write(&path, all).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// Nothing is timed unless all place orders and read the same.
fn compare(programs: &[Program], running: &mut [Process], replay: &Replay) -> TaskResult {
    let books = format!("books {}{COMPARED_FRAMES} {COMPARED_FRAMES}", replay.url());
    let mut first: [Option<Vec<String>>; 2] = [None, None];
    for (program, process) in programs.iter().zip(running) {
        process.send("order")?;
        for (command, first) in ["ticker", &books].into_iter().zip(&mut first) {
            if command != "ticker" && !program.streams {
                continue;
            }
            let values = process.values(command)?;
            match first {
                None if values.len() < 13 => {
                    return Err(format!("{} decodes only {values:?}", program.name));
                }
                None => *first = Some(values),
                Some(first) if *first == values => {}
                Some(first) => {
                    let pairs = first.iter().zip(&values);
                    let differ: Vec<_> =
                        pairs.filter(|(one, other)| one != other).take(3).collect();
                    return Err(format!("{} reads something else: {differ:?}", program.name));
                }
            }
        }
    }
    Ok(())
}

/// Programs that a machine may lack are reported, not silently left out.
struct Skipped {
    name: &'static str,
    why: String,
}

fn python() -> Result<PathBuf, String> {
    install::python(SDK_PINS).map(|programs| programs.join("python"))
}

fn node() -> Result<PathBuf, String> {
    install::node(SDK_PINS)
}

/// Where the versions of the exchange's SDKs are pinned.
const SDK_PINS: &str = "crates/bitmart-sandbox/tests/foreign";
