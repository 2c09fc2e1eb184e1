//! `sandbox`: an exchange on this machine, and control of it.

pub(crate) mod admin;
mod detach;
mod environment;
pub(crate) mod kept;
pub(crate) mod ready;
mod up;

use std::path::{Path, PathBuf};

use bitmart::rest::bytes::Bytes;
use bitmart::rest::http::Method;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use self::admin::Admin;
use self::ready::Ready;
use crate::confirm::prompt;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::names;
use crate::output::{self, json::Json};
use crate::private;

/// Faults by what they strike: a path, a topic, the handshakes of an address.
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

pub(crate) fn command() -> Command {
    let account = || {
        Arg::new("account")
            .long("account")
            .value_name("NUMBER")
            .value_parser(value_parser!(u32))
            .default_value("1")
            .help("Account of the sandbox; 2 is the sub-account of 1")
    };
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u64)).help(help)
    };
    Command::new("sandbox")
        .about("An exchange on this machine: start it, fund it, break it")
        .after_help(
            "While one runs, commands with --env sandbox, and all commands without keys, use it. \
             Its address and key are in ~/.bitmart/sandbox/ready.json. While none runs, each such command \
             starts it for itself. Its state stays in ~/.bitmart/sandbox/data.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(up::command())
        .subcommand(Command::new("status").about("Whether one runs, where, and what it has done"))
        .subcommand(
            Command::new("keys")
                .about("Show the key, secret included, or make another one")
                .arg(
                    Arg::new("new").long("new").action(ArgAction::SetTrue).help("Make another key"),
                )
                .arg(account().requires("new"))
                .arg(
                    Arg::new("permissions")
                        .long("permissions")
                        .value_name("LIST")
                        .value_delimiter(',')
                        .requires("new")
                        .help(
                            "Of Read-only, Spot-Trade, Margin-Trade, Future-Trade, Withdraw, Sub-Account \
                             Inter-Account Transfer [default: all]",
                        ),
                ),
        )
        .subcommand(environment::command())
        .subcommand(
            Command::new("deposit")
                .about("Let money arrive from outside, through all states of a deposit")
                .after_help(
                    "It reaches the spot wallet 30 s later by the clock of the sandbox, and is in \
                     `account deposit-withdraw-history` from the beginning.",
                )
                .arg(Arg::new("currency").required(true).value_name("CURRENCY"))
                .arg(Arg::new("amount").required(true).value_name("AMOUNT"))
                .arg(account()),
        )
        .subcommand(
            Command::new("fund")
                .about("Set what is free in a wallet")
                .arg(Arg::new("currency").required(true).value_name("CURRENCY"))
                .arg(Arg::new("amount").required(true).value_name("AMOUNT"))
                .arg(
                    Arg::new("wallet")
                        .long("wallet")
                        .value_parser(["spot", "funding", "futures"])
                        .ignore_case(true)
                        .default_value("spot")
                        .help("Which wallet"),
                )
                .arg(account()),
        )
        .subcommand(
            Command::new("fault")
                .about("Break the next answers of a path, or a socket's topic")
                .after_help(fault_help())
                .arg(Arg::new("fault").value_name("FAULT").help("What happens"))
                .arg(Arg::new("on").value_name("PATH|TOPIC").requires("fault").help("To what"))
                .arg(number("times", "How often [default: 1]"))
                .arg(number("ms", "How long: delay and slow-drip"))
                .arg(number("status", "HTTP status: html and html-after"))
                .arg(
                    Arg::new("clear")
                        .long("clear")
                        .action(ArgAction::SetTrue)
                        .help("Switch all faults off"),
                )
                .group(ArgGroup::new("what").args(["fault", "clear"]).required(true)),
        )
        .subcommand(
            Command::new("clock")
                .about("Show the time of the sandbox, and move it if it stands")
                .arg(number("advance", "Move a clock that stands by so many milliseconds"))
                .arg(number("beats", "Let the market make so many beats of 100 ms"))
                .group(ArgGroup::new("how").args(["advance", "beats"])),
        )
        .subcommand(
            Command::new("snapshot").about("Write its whole state, for `sandbox up --restore`").arg(
                Arg::new("file").required(true).value_name("FILE").help("Where to"),
            ),
        )
        .subcommand(Command::new("down").about("Stop it"))
        .subcommand(Command::new("reset").about("Forget its state; the next one begins anew"))
}

fn fault_help() -> String {
    let [path, topic, handshake] = FAULTS.map(|names| names.join(", "));
    format!(
        "{path} on a path;\n{topic} on a topic like spot/ticker:BTC_USDT;\n{handshake} on the handshakes \
         of an address like spot/api"
    )
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
    let admin = Admin::of(&ready)?;
    let answer = match name {
        "status" => status(&ready, &admin).await?,
        "keys" => keys(&ready, &admin, matches).await?,
        "env" => return output::write(env(context, &ready, matches)?.as_bytes()),
        "deposit" => admin.post("/deposits", &money(matches)).await?,
        "fund" => admin.post("/balances", &fund(matches)).await?,
        "fault" if matches.get_flag("clear") => admin.delete("/faults").await?,
        "fault" => admin.post("/faults", &fault(matches)).await?,
        "clock" => clock(&admin, matches).await?,
        "snapshot" => return snapshot(&admin, matches).await,
        "down" => return down(&admin).await,
        _ => return Err(Failure::usage(format!("sandbox has no {name}"))),
    };
    show(context, &answer)
}

/// The sandbox of `--env FILE`, or the running one.
async fn find(context: &Context) -> Result<Ready, Failure> {
    match context.environment() {
        None => running().await,
        Some(word) if word.eq_ignore_ascii_case("sandbox") => running().await,
        Some(file) => Ready::read(Path::new(file)),
    }
}

async fn running() -> Result<Ready, Failure> {
    admin::running().await.ok_or_else(|| {
        Failure::new(Exit::NotSent, "no sandbox runs")
            .with_advice("start one in another terminal: bitmart sandbox up")
    })
}

fn show(context: &Context, answer: &Value) -> Result<(), Failure> {
    let data = Json::read(&answer.to_string())
        .map_err(|error| Failure::machine(format!("the answer: {error}")))?;
    output::print_rows(&context.view, &data)
}

async fn status(ready: &Ready, admin: &Admin) -> Result<Value, Failure> {
    let ledger = admin.get("/ledger").await?;
    let count = |name: &str| ledger[name].as_array().map_or(0, Vec::len);
    let mut status: serde_json::Map<String, Value> =
        ready.addresses().into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect();
    status.insert("now_ms".to_owned(), ledger["now_ms"].clone());
    status.insert("orders".to_owned(), json!(count("orders")));
    status.insert("fills".to_owned(), json!(count("fills")));
    Ok(Value::Object(status))
}

async fn keys(ready: &Ready, admin: &Admin, matches: &ArgMatches) -> Result<Value, Failure> {
    if !matches.get_flag("new") {
        let (key, secret, memo) = ready.key();
        return Ok(json!({ "key": key, "secret": secret, "memo": memo }));
    }
    let mut body = json!({ "account": matches.get_one::<u32>("account") });
    if let Some(permissions) = matches.get_many::<String>("permissions") {
        body["permissions"] = permissions.map(|one| json!(one.trim())).collect();
    }
    admin.post("/keys", &body).await
}

fn fund(matches: &ArgMatches) -> Value {
    let mut body = money(matches);
    body["wallet"] = json!(matches.get_one::<String>("wallet").map(|name| name.to_lowercase()));
    body
}

/// Whose money, and how much.
fn money(matches: &ArgMatches) -> Value {
    let text = |name: &str| matches.get_one::<String>(name);
    json!({
        "account": matches.get_one::<u32>("account"),
        "currency": text("currency").map(|name| names::currency(name)),
        "amount": text("amount"),
    })
}

/// What `sandbox env` prints.
fn env(context: &Context, ready: &Ready, matches: &ArgMatches) -> Result<String, Failure> {
    let file = match context.environment() {
        Some(file) if !file.eq_ignore_ascii_case("sandbox") => PathBuf::from(file),
        _ => admin::ready_file()
            .ok_or_else(|| Failure::usage("there is no home folder; set HOME"))?,
    };
    let line = std::fs::read_to_string(&file)
        .map_err(|error| Failure::machine(format!("{}: {error}", file.display())))?;
    environment::text(ready, &line, matches)
}

fn fault(matches: &ArgMatches) -> Value {
    let mut body = json!({});
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    body["fault"] = json!(text("fault").to_ascii_lowercase());
    body["on"] = json!(text("on"));
    for name in ["times", "ms", "status"] {
        if let Some(number) = matches.get_one::<u64>(name) {
            body[name] = json!(number);
        }
    }
    body
}

async fn clock(admin: &Admin, matches: &ArgMatches) -> Result<Value, Failure> {
    if let Some(ms) = matches.get_one::<u64>("advance") {
        return admin.post("/clock/advance", &json!({ "ms": ms })).await;
    }
    if let Some(steps) = matches.get_one::<u64>("beats") {
        return admin.post("/market/step", &json!({ "steps": steps })).await;
    }
    let ledger = admin.get("/ledger").await?;
    Ok(json!({ "now_ms": ledger["now_ms"] }))
}

async fn snapshot(admin: &Admin, matches: &ArgMatches) -> Result<(), Failure> {
    let file = Path::new(matches.get_one::<String>("file").map_or("", String::as_str));
    let saved = admin.call(Method::GET, "/snapshot", Bytes::new()).await?;
    private::write(file, &saved)
        .map_err(|error| Failure::machine(format!("{}: {error}", file.display())))?;
    eprintln!("written; bitmart sandbox up --restore {} goes on from it", file.display());
    Ok(())
}

/// Deletes what is kept of it, once it does not run.
async fn reset(context: &Context) -> Result<(), Failure> {
    if admin::running().await.is_some() {
        return Err(Failure::usage("the sandbox runs").with_advice("first: bitmart sandbox down"));
    }
    let Some(folder) = kept::folder().filter(|folder| folder.exists()) else {
        eprintln!("nothing is kept");
        return Ok(());
    };
    if !context.yes {
        prompt::yes(&format!("delete {}?", folder.display()))?;
    }
    std::fs::remove_dir_all(&folder)
        .map_err(|error| Failure::machine(format!("{}: {error}", folder.display())))
}

/// Asks it to stop, and waits until it has.
async fn down(admin: &Admin) -> Result<(), Failure> {
    admin.post("/stop", &json!({})).await?;
    for _ in 0..100 {
        if admin::running().await.is_none() {
            eprintln!("the sandbox has stopped");
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Err(Failure::machine("the sandbox does not stop"))
}
