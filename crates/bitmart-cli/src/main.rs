//! `bitmart`: export everything from BitMart, look at anything, trade with care.

#![allow(clippy::format_push_string, reason = "texts for people are put together line by line")]

mod api;
mod auth;
mod chart;
mod completions;
mod confirm;
mod context;
mod doctor;
mod dry_run;
mod ending;
mod endpoint;
mod explain;
mod export;
mod failure;
mod guard;
mod interrupts;
mod ledger;
mod names;
mod outcome;
mod output;
mod plot;
mod private;
mod probe;
mod record;
mod replay;
mod report;
mod request;
mod sandbox;
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
    "BitMart from the command line: export everything, look at anything, trade with care";

const AFTER: &str = "\
Without keys every command runs on a sandbox on this machine: play money, no network.
{ending}

Exit codes: 0 done, 1 machine, 2 usage, 3 not sent, 4 refused, 5 key or permission, 6 too fast,
7 not available, 8 OUTCOME UNKNOWN, 9 not confirmed, 10 not complete, 11 DONE, but the response was lost.";

/// The whole command line.
fn command() -> Command {
    let command = Command::new("bitmart")
        .version(env!("CARGO_PKG_VERSION"))
        .long_version(completions::VERSION)
        .about(ABOUT)
        .after_help(AFTER.replace("{ending}", ending::sentence(Timestamp::now())))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(Context::arguments())
        .subcommand(api::command())
        .subcommand(auth::command())
        .subcommand(chart::command())
        .subcommand(completions::command())
        .subcommand(completions::man())
        .subcommand(doctor::command())
        .subcommand(explain::command())
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
    #[cfg(feature = "tui")]
    let command = command.subcommand(tui::command());
    command
}

async fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let context = Context::new(matches)?;
    let done = command_of(&context, matches).await;
    context.close().await;
    done
}

async fn command_of(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("api", matches)) => api::run(context, matches).await,
        Some(("auth", matches)) => auth::run(context, matches).await,
        Some(("chart", matches)) => chart::run(context, matches).await,
        Some(("completions", matches)) => completions::run(matches),
        Some(("man", matches)) => completions::write_man(matches),
        Some(("doctor", _)) => doctor::run(context).await,
        Some(("explain-error", matches)) => explain::run(matches),
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
                .ok_or_else(|| Failure::usage(format!("{group} has no {name}")))?;
            endpoint::run(context, entry, matches).await
        }
        None => Err(Failure::usage("a command is missing")),
    }
}

fn main() -> ExitCode {
    completions::answer();
    let matches = command().get_matches();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return end(&Failure::machine(format!("no threads: {error}"))),
    };
    let done = runtime.block_on(run(&matches));
    // Nothing is left to be done: a thread that waits for somebody to type must not keep the program.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => end(&failure),
    }
}

fn end(failure: &Failure) -> ExitCode {
    if !failure.is_quiet() {
        eprintln!("error: {failure}");
    }
    ExitCode::from(failure.exit as u8)
}

#[cfg(test)]
mod tests {
    /// What the program says is for people who do not program.
    #[test]
    fn no_help_speaks_of_functions_of_the_library() {
        fn look(mut command: clap::Command) {
            let text = command.render_long_help().to_string();
            for word in ["::", "()", "(…)", "sync_clock", "user_agent", "Option<", "Vec<", "unwrap"]
            {
                assert!(
                    !text.contains(word),
                    "{word} in the help of {}:\n{text}",
                    command.get_name()
                );
            }
            command.get_subcommands().cloned().for_each(look);
        }
        look(super::command());
    }

    /// Clap takes the one for the other, and the program ends when it reads the wrong kind of value.
    #[test]
    fn no_argument_of_a_command_is_taken_for_an_option_of_all_commands() {
        fn look(command: &clap::Command, global: &[clap::Arg]) {
            for command in command.get_subcommands() {
                for argument in command.get_arguments() {
                    let taken = global.iter().any(|one| one.get_id() == argument.get_id());
                    assert!(!taken, "{}: {}", command.get_name(), argument.get_id());
                }
                look(command, global);
            }
        }
        look(&super::command(), &super::Context::arguments().collect::<Vec<_>>());
    }

    #[test]
    fn no_option_collides_with_another() {
        super::command().debug_assert();
    }
}
