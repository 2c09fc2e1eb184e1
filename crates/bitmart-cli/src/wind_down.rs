//! `wind-down`: withdraws everything from the account, step by step.

mod collect;
mod execute;
mod facts;
mod journal;
mod plan;
mod print;

use std::collections::BTreeSet;
use std::path::PathBuf;

use bitmart::Environment;
use clap::{Arg, ArgAction, ArgMatches, Command};

use self::collect::{NamedAddress, WithdrawalRoutes};
use self::journal::Journal;
use self::plan::Skipped;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::note;
use crate::target::{RateLimits, Target};

/// The reason why the live exchange accepts no orders.
const TRADING_ENDED: &str = "BitMart ended trading on 2026-08-26 and accepts no orders any more";

pub(crate) fn command() -> Command {
    Command::new("wind-down")
        .about("Withdraw everything: cancel, close, repay, redeem, transfer to spot, withdraw")
        .after_help(
            "Without --run it only reads, and prints balances, what holds them, the withdrawal networks, the \
             plan, and what is stuck. With --run it executes the plan and asks before each step, unless --yes is \
             given. Every request is written to a journal before it is sent. After an interruption run the \
             command again: it first queries the outcome of the last request, and never repeats a request with \
             an unknown outcome. Withdrawals go to saved and verified addresses, or to those of --to.",
        )
        .arg(
            Arg::new("run").long("run").action(ArgAction::SetTrue).help("Execute the plan, step by step"),
        )
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("NETWORK=ADDRESS[,memo=TAG]")
                .action(ArgAction::Append)
                .help("Withdraw to this address, such as USDT-TRC20=T...; may be repeated for other networks"),
        )
        .arg(
            Arg::new("journal")
                .long("journal")
                .value_name("FILE")
                .help("The journal [default: a file for this key in ~/.bitmart/wind-down]"),
        )
        .arg(
            Arg::new("outcome")
                .long("outcome")
                .value_name("done|not-done")
                .value_parser(["done", "not-done"])
                .requires("run")
                .help(
                    "Outcome of the last request, if you have checked it and this program cannot determine it",
                ),
        )
        .arg(
            // For tests against a sandbox without rate limits.
            Arg::new("unlimited").long("unlimited").hide(true).action(ArgAction::SetTrue),
        )
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let named = matches.get_many::<String>("to").unwrap_or_default();
    let named = named.map(|text| NamedAddress::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let target = context.target().await?;
    if target.credentials.is_none() {
        return Err(Failure::new(Exit::NotSent, "wind-down needs a key")
            .with_advice("store one with `bitmart auth add`"));
    }
    let client = target.retrying_client(RateLimits::from_flag(matches.get_flag("unlimited")))?;
    // Signatures and the proof that a request did not arrive both depend on the exchange's clock.
    client.sync_clock().await?;
    let mut routes = WithdrawalRoutes::fetch(&client, named).await?;
    if matches.get_flag("run") {
        if context.dry_run {
            return Err(Failure::usage("without --run nothing is sent: omit --dry-run"));
        }
        let path = match matches.get_one::<String>("journal") {
            Some(path) => PathBuf::from(path),
            None => Journal::default_path(&target)?,
        };
        let journal = Journal::open(&path, &target)?;
        let outcome = matches.get_one::<String>("outcome").map(String::as_str);
        return execute::run(context, &target, &client, &mut routes, journal, outcome).await;
    }
    let facts = facts(&target, &client, &mut routes).await;
    if let Err(failure) = routes.check_named(&facts, &BTreeSet::new()) {
        note(format_args!("{failure}"));
    }
    print::print(context, &facts, &plan::plan(&facts, &Skipped::new()))
}

async fn facts(
    target: &Target,
    client: &bitmart::rest::Client,
    routes: &mut WithdrawalRoutes,
) -> facts::Facts {
    let mut facts = collect::facts(client, routes).await;
    let is_live = target.environment.name == Environment::live().name;
    facts.no_trading = is_live.then(|| TRADING_ENDED.to_owned());
    facts
}
