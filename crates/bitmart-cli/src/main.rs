//! `bitmart`: BitMart from the command line.

#![allow(clippy::format_push_string, reason = "texts are assembled line by line")]

mod api;
mod auth;
mod chart;
#[cfg(feature = "fleet")]
mod collect;
mod completions;
mod confirm;
mod context;
mod doctor;
mod dry_run;
mod endpoint;
mod exchange_shutdown;
mod explain_error;
mod export;
mod failure;
mod guard;
mod interrupts;
mod ledger;
mod normalize;
mod output;
mod plot;
mod probe;
mod ready_file;
mod reconcile;
mod record;
mod replay;
mod report;
mod request;
#[cfg_attr(not(feature = "sandbox"), path = "sandbox/absent.rs")]
mod sandbox;
mod secure_fs;
mod sign;
mod target;
mod tax;
mod timezone;
#[cfg(feature = "tui")]
mod tui;
mod watch;
mod wind_down;

use std::process::ExitCode;

use bitmart::Timestamp;
use clap::{ArgMatches, Command};

use crate::context::Context;
use crate::failure::Failure;

const ABOUT: &str =
    "BitMart from the command line: export your history, query and trade every endpoint";

const AFTER_HELP: &str = "\
Without a key every command runs on a local sandbox: play money, no network.
{shutdown}

Exit codes: 0 success, 1 machine, 2 usage, 3 not sent, 4 rejected, 5 key or permission,
6 rate limit, 7 not available, 8 OUTCOME UNKNOWN, 9 not confirmed, 10 incomplete,
11 DONE, but the response was lost.";

/// The complete command line.
fn command() -> Command {
    let command = Command::new("bitmart")
        .version(env!("CARGO_PKG_VERSION"))
        .long_version(completions::VERSION)
        .about(ABOUT)
        .after_help(
            AFTER_HELP.replace("{shutdown}", exchange_shutdown::help_notice(Timestamp::now())),
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(Context::arguments())
        .subcommand(api::command())
        .subcommand(auth::command())
        .subcommand(chart::command())
        .subcommand(completions::command())
        .subcommand(completions::man())
        .subcommand(doctor::command())
        .subcommand(explain_error::command())
        .subcommand(export::command())
        .subcommand(export::verify::command())
        .subcommand(guard::command())
        .subcommand(probe::command())
        .subcommand(record::command())
        .subcommand(replay::command())
        .subcommand(report::command())
        .subcommand(sandbox::command())
        .subcommand(sign::command())
        .subcommand(tax::command())
        .subcommand(watch::command())
        .subcommand(wind_down::command())
        .subcommands(endpoint::command::groups());
    #[cfg(feature = "fleet")]
    let command = command.subcommand(collect::command());
    #[cfg(feature = "tui")]
    let command = command.subcommand(tui::command());
    command
}

async fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let context = Context::new(matches)?;
    let result = run_command(&context, matches).await;
    context.close().await;
    result
}

async fn run_command(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("api", matches)) => api::run(context, matches).await,
        Some(("auth", matches)) => auth::run(context, matches).await,
        Some(("chart", matches)) => chart::run(context, matches).await,
        #[cfg(feature = "fleet")]
        Some(("collect", matches)) => collect::run(context, matches).await,
        Some(("completions", matches)) => completions::run(matches),
        Some(("man", matches)) => completions::write_man(matches),
        Some(("doctor", _)) => doctor::run(context).await,
        Some(("explain-error", matches)) => explain_error::run(matches),
        Some(("export", matches)) => export::run(context, matches).await,
        Some(("verify", matches)) => export::verify::run(matches),
        Some(("guard", matches)) => guard::run(context, matches).await,
        Some(("probe", matches)) => probe::run(context, matches).await,
        Some(("record", matches)) => record::run(context, matches).await,
        Some(("replay", matches)) => replay::run(matches).await,
        Some(("report", matches)) => report::run(matches),
        Some(("sandbox", matches)) => sandbox::run(context, matches).await,
        Some(("sign", matches)) => sign::run(context, matches).await,
        Some(("tax", matches)) => tax::run(matches),
        #[cfg(feature = "tui")]
        Some(("tui", matches)) => tui::run(context, matches).await,
        Some(("watch", matches)) => watch::run(context, matches).await,
        Some(("wind-down", matches)) => wind_down::run(context, matches).await,
        Some((group, matches)) => {
            let (name, matches) = matches
                .subcommand()
                .ok_or_else(|| Failure::usage(format!("{group}: a command is missing")))?;
            let entry = endpoint::command::find(group, name)
                .ok_or_else(|| Failure::usage(format!("there is no command {group} {name}")))?;
            endpoint::run(context, entry, matches).await
        }
        None => Err(Failure::usage("a command is missing")),
    }
}

fn main() -> ExitCode {
    completions::complete_if_requested();
    let matches = command().get_matches();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Failure::io(format!("cannot start threads: {error}"))),
    };
    let result = runtime.block_on(run(&matches));
    // A thread that waits for input must not keep the program running.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

fn report(failure: &Failure) -> ExitCode {
    if !failure.is_quiet() {
        output::note(format_args!("error: {failure}"));
    }
    ExitCode::from(failure.exit as u8)
}

#[cfg(test)]
mod tests {
    /// Help texts come from the docs of the library in part.
    #[test]
    fn no_help_mentions_functions_of_the_library() {
        fn check(mut command: clap::Command) {
            let text = command.render_long_help().to_string();
            // The call of the library has a line of its own.
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("Rust: "));
            let text = lines.collect::<Vec<_>>().join("\n");
            for code in ["::", "()", "(…)", "sync_clock", "user_agent", "Option<", "Vec<", "unwrap"]
            {
                assert!(
                    !text.contains(code),
                    "{code} in the help of {}:\n{text}",
                    command.get_name()
                );
            }
            command.get_subcommands().cloned().for_each(check);
        }
        check(super::command());
    }

    /// Clap confuses arguments with equal ids, and panics when it reads the wrong type.
    #[test]
    fn no_argument_has_the_id_of_a_global_option() {
        fn check(command: &clap::Command, global: &[clap::Arg]) {
            for command in command.get_subcommands() {
                for argument in command.get_arguments() {
                    let collides = global.iter().any(|one| one.get_id() == argument.get_id());
                    assert!(!collides, "{}: {}", command.get_name(), argument.get_id());
                }
                check(command, global);
            }
        }
        check(&super::command(), &super::Context::arguments().collect::<Vec<_>>());
    }

    #[test]
    fn the_command_line_is_valid() {
        super::command().debug_assert();
    }
}
