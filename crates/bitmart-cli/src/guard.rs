//! `guard`: a dead man's switch for the orders of another program, in any language.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bitmart::rest::dead_man::{CancelResult, DeadManSwitch, Event, Report};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::confirm::prompt;
use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::output::note;
use crate::target::RateLimits;

use self::program::GuardedProgram;

mod program;

pub(crate) fn command() -> Command {
    Command::new("guard")
        .about("Cancel the orders of another program when it ends or hangs")
        .after_help(
            "Renews the exchange's cancel timers of the contracts, and cancels all orders of the given \
             symbols at ctrl-c, when the program ends, and when it no longer touches its file. The program and \
             everything that it started in its process group are killed first, so that they place no more \
             orders; at ctrl-c they have a second to end by themselves. The program cannot read from the \
             terminal. If this machine fails, the exchange cancels the \
             orders of contracts when the timer runs out. Spot has no timer, so spot orders remain.",
        )
        .arg(
            Arg::new("symbols")
                .value_name("SYMBOL")
                .num_args(1..)
                .required(true)
                .help("Contracts (BTCUSDT), pairs (BTC_USDT), or all-pairs"),
        )
        .arg(
            Arg::new("after")
                .long("after")
                .value_name("SECONDS")
                .value_parser(clap::value_parser!(u32).range(5..))
                .default_value("60")
                .help("Time of the exchange's cancel timer, for contracts"),
        )
        .arg(
            Arg::new("file")
                .long("file")
                .value_name("FILE")
                .help("A file that the program touches while it is healthy"),
        )
        .arg(
            Arg::new("within")
                .long("within")
                .value_name("SECONDS")
                .requires("file")
                .value_parser(clap::value_parser!(u64).range(1..))
                .default_value("10")
                .help("Maximum time without a change of the file's time"),
        )
        .arg(
            Arg::new("program")
                .value_name("PROGRAM")
                .last(true)
                .num_args(1..)
                .action(ArgAction::Append)
                .help("The program and its arguments; without one, guard until ctrl-c"),
        )
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    if context.dry_run {
        return Err(Failure::usage("guard does not support --dry-run"));
    }
    let symbols: Vec<_> = matches.get_many::<String>("symbols").unwrap_or_default().collect();
    let mut interrupts = Interrupts::listen_with_hangup()?;
    let target = context.target().await?;
    if !context.yes {
        let environment = &target.environment.name;
        prompt::confirm(&format!("cancel all orders of {symbols:?} on {environment} at the end?"))?;
    }
    let after = *matches.get_one::<u32>("after").unwrap_or(&60);
    let mut builder = DeadManSwitch::builder(target.retrying_client(RateLimits::Respect)?)
        .timeout(Duration::from_secs(after.into()));
    for symbol in symbols {
        let symbol = symbol.to_uppercase();
        builder = match symbol.as_str() {
            "ALL-PAIRS" => builder.all_pairs(),
            pair if pair.contains('_') => builder.pair(pair),
            contract => builder.contract(contract),
        };
    }
    let guarded = Arc::new(GuardedProgram::default());
    let file = matches.get_one::<String>("file").map(PathBuf::from);
    let within = Duration::from_secs(*matches.get_one::<u64>("within").unwrap_or(&10));
    let watched = guarded.clone();
    builder = builder.cancel_on(async move {
        let why = tokio::select! {
            () = interrupts.recv() => "interrupted".to_owned(),
            why = watched.until_unhealthy(file, within) => why,
        };
        note(format_args!("{why}: canceling"));
        if let Some(signal) = interrupts.last() {
            watched.forward(signal).await;
        }
        // Killed first, or it could place orders after they were canceled.
        watched.kill();
    });
    let switch = builder.start().map_err(|error| Failure::usage(chain(&error)))?;
    // Problems with key or network show before the program places its first order.
    let armed = tokio::select! {
        armed = switch.wait_until_armed() => armed?,
        () = report_events(&switch) => false,
    };
    if armed {
        note(format_args!("guarding; ctrl-c cancels"));
        let program = matches.get_many::<String>("program").unwrap_or_default();
        // If it does not start, the switch is dropped: the program has placed no order.
        guarded.start(program.map(String::as_str))?;
        report_events(&switch).await;
    }
    check_report(&switch.shutdown().await)
}

/// Prints the events of the switch until it ends.
async fn report_events(switch: &DeadManSwitch) {
    while let Some(event) = switch.next_event().await {
        match event {
            Event::RenewalFailed { contract, error, .. } => {
                note(format_args!("{contract}: timer not renewed: {error}"));
            }
            Event::MayHaveFired(contract) => {
                note(format_args!(
                    "{contract}: THE EXCHANGE MAY HAVE CANCELED THE ORDERS: its timer ran out"
                ));
            }
            Event::Rearmed(contract) => {
                note(format_args!("{contract}: the timer is running again"));
            }
            Event::MarketEnded(one) => note(format_args!("{}: {}", one.market, text(&one.result))),
            _ => {}
        }
    }
}

fn text(cleared: &CancelResult) -> String {
    match cleared {
        CancelResult::Canceled => "canceled; no orders are open".to_owned(),
        CancelResult::NothingOpen => "no orders are open".to_owned(),
        CancelResult::StillOpen(ids) => format!("STILL OPEN: {ids:?}"),
        _ => "NOT KNOWN whether orders are open".to_owned(),
    }
}

/// Fails unless no order of the guarded symbols is open.
fn check_report(report: &Report) -> Result<(), Failure> {
    if report.is_clear() {
        return Ok(());
    }
    let mut open = Vec::new();
    for one in &report.markets {
        if !matches!(one.result, CancelResult::Canceled | CancelResult::NothingOpen) {
            let why = one.error.as_ref().map(|error| format!(" ({})", chain(error)));
            open.push(format!("{}: {}{}", one.market, text(&one.result), why.unwrap_or_default()));
        }
    }
    Err(Failure::new(Exit::Unknown, open.join("; "))
        .with_advice("check the open orders, and cancel them"))
}
