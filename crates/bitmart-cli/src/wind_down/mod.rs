//! `wind-down`: takes everything out of the account, step by step.

mod facts;
mod journal;
mod look;
mod plan;
mod run;
mod show;

use std::path::PathBuf;

use bitmart::Environment;
use clap::{Arg, ArgAction, ArgMatches, Command};

use self::journal::Journal;
use self::look::Ways;
use self::plan::Left;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::target::Target;

/// Why the live exchange takes no order.
const TRADING_ENDED: &str = "BitMart ended trading on 2026-08-26 and takes no order any more";

pub(crate) fn command() -> Command {
    Command::new("wind-down")
        .about("Take everything out: cancel, close, repay, redeem, bring together, withdraw")
        .after_help(
            "Without --run it only reads, and shows what is there, what is bound and why, by which networks \
             each coin can leave, the plan, and what is stuck. With --run it does one step after the other and \
             asks before each (--yes: not). What is sent is written into a journal first; run it again after \
             whatever happened: it then first asks the exchange what became of the last request, and never \
             repeats one whose outcome is unknown. Withdrawals go to saved and verified addresses, or to those \
             of --to.",
        )
        .arg(
            Arg::new("run").long("run").action(ArgAction::SetTrue).help("Do it, step by step"),
        )
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("NETWORK=ADDRESS[,memo=TAG]")
                .action(ArgAction::Append)
                .help("Withdraw to this address, as in USDT-TRC20=T...; may be given for several networks"),
        )
        .arg(
            Arg::new("journal")
                .long("journal")
                .value_name("FILE")
                .help("Where the journal is [default: a file for this key in ~/.bitmart/wind-down]"),
        )
        .arg(
            Arg::new("outcome")
                .long("outcome")
                .value_name("done|not-done")
                .value_parser(["done", "not-done"])
                .requires("run")
                .help(
                    "What became of the last request, when you have looked and the exchange does not tell \
                     this program",
                ),
        )
        .arg(
            // For tests against a sandbox that has none.
            Arg::new("unlimited").long("unlimited").hide(true).action(ArgAction::SetTrue),
        )
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let named = matches.get_many::<String>("to").unwrap_or_default();
    let named = named.map(|text| look::Named::read(text)).collect::<Result<Vec<_>, _>>()?;
    let target = context.target().await?;
    if target.credentials.is_none() {
        return Err(Failure::new(Exit::NotSent, "a wind-down needs a key")
            .with_advice("store one with `bitmart auth add`"));
    }
    let client = target.careful_client(!matches.get_flag("unlimited"))?;
    // Signed requests go by the exchange's clock, and so does what is proof of one that did not arrive.
    client.sync_clock().await?;
    let mut ways = look::ways(&client, named).await;
    if matches.get_flag("run") {
        if context.dry_run {
            return Err(Failure::usage("without --run nothing is sent: leave out --dry-run"));
        }
        let path = match matches.get_one::<String>("journal") {
            Some(path) => PathBuf::from(path),
            None => Journal::usual(&target)?,
        };
        let journal = Journal::open(&path, &target)?;
        let told = matches.get_one::<String>("outcome").map(String::as_str);
        return run::run(context, &target, &client, &mut ways, journal, told).await;
    }
    let facts = facts(&target, &client, &mut ways).await;
    show::print(context, &facts, &plan::plan(&facts, &Left::new()))
}

async fn facts(target: &Target, client: &bitmart::rest::Client, ways: &mut Ways) -> facts::Facts {
    let mut facts = look::look(client, ways).await;
    let is_live = target.environment.name == Environment::live().name;
    facts.no_trading = is_live.then(|| TRADING_ENDED.to_owned());
    facts
}
