//! The arguments of `sandbox`.

use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};

use super::{FAULTS, calls, env, up};

pub(crate) fn command() -> Command {
    let account = || {
        Arg::new("account")
            .long("account")
            .value_name("NUMBER")
            .value_parser(value_parser!(u32))
            .default_value("1")
            .help("Number of the account; 2 is a sub-account of 1")
    };
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u64)).help(help)
    };
    Command::new("sandbox")
        .about("A local exchange: start it, fund it, inject faults")
        .after_help(
            "While a sandbox is running, commands with --env sandbox, and all commands without a key, use it. \
             Its addresses and key are in ~/.bitmart/sandbox/ready.json. Otherwise each such command runs one \
             in its own process. The state is saved in ~/.bitmart/sandbox/data.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(up::command())
        .subcommand(Command::new("status").about("Show whether one is running, its addresses, and counts of orders and fills"))
        .subcommand(
            Command::new("keys")
                .about("Show the key, secret included, or create another one")
                .arg(
                    Arg::new("new").long("new").action(ArgAction::SetTrue).help("Create another key"),
                )
                .arg(account().requires("new"))
                .arg(
                    Arg::new("permissions")
                        .long("permissions")
                        .value_name("LIST")
                        .value_delimiter(',')
                        .requires("new")
                        .help(
                            "Any of Read-only, Spot-Trade, Margin-Trade, Future-Trade, Withdraw, Sub-Account \
                             Inter-Account Transfer [default: all]",
                        ),
                ),
        )
        .subcommand(env::command())
        .subcommand(
            Command::new("fault")
                .about("Inject a fault into the next responses of a path, or into a topic")
                .after_help(fault_help())
                .arg(Arg::new("fault").value_name("FAULT").help("The fault"))
                .arg(Arg::new("on").value_name("PATH|TOPIC").requires("fault").help("REST path, topic or WebSocket address"))
                .arg(number("times", "Number of times [default: 1]"))
                .arg(number("ms", "Duration of delay and slow-drip in milliseconds"))
                .arg(number("status", "HTTP status of html and html-after"))
                .arg(
                    Arg::new("clear")
                        .long("clear")
                        .action(ArgAction::SetTrue)
                        .help("Clear all faults"),
                )
                .group(ArgGroup::new("what").args(["fault", "clear"]).required(true)),
        )
        .subcommand(
            Command::new("clock")
                .about("Show the time of the sandbox, or move a stepped clock")
                .arg(number("advance", "Move a stepped clock by N milliseconds"))
                .arg(number("steps", "Advance the market by N steps of 100 ms").alias("beats"))
                .group(ArgGroup::new("how").args(["advance", "steps"])),
        )
        .subcommand(
            Command::new("snapshot").about("Write the complete state to a file, for `sandbox up --restore`").arg(
                Arg::new("file").required(true).value_name("FILE").help("The file to write"),
            ),
        )
        .subcommand(
            Command::new("console")
                .about("Open the console of the running sandbox in a browser")
                .after_help(
                    "The console shows what programs send and why it was refused, accounts and markets, and injects \
                     faults. The address contains a code that works once, within a minute.",
                )
                .arg(
                    Arg::new("print")
                        .long("print")
                        .action(ArgAction::SetTrue)
                        .help("Print the address instead of opening a browser"),
                ),
        )
        .subcommand(
            Command::new("play")
                .about("Play a scenario: timed faults and other calls in a TOML file")
                .after_help(
                    "A step is a table [[step]] with `wait_ms`, the time since the previous step, `call`, and \
                     the fields of that call, such as call = \"inject_fault\", fault = \"drop-after\", \
                     on = \"/spot/v2/submit_order\". With a stepped clock the waits step the market. \
                     Ctrl-c ends this command and not the scenario.",
                )
                .arg(Arg::new("file").required(true).value_name("FILE").help("The TOML file")),
        )
        .subcommands(calls::commands())
        .subcommand(Command::new("down").about("Stop the sandbox"))
        .subcommand(Command::new("reset").about("Delete the saved state"))
}

fn fault_help() -> String {
    let [path, topic, handshake] = FAULTS.map(|names| names.join(", "));
    format!(
        "On a REST path: {path}\nOn a topic such as spot/ticker:BTC_USDT: {topic}\nOn a WebSocket \
         address such as spot/api: {handshake}"
    )
}
