//! `guard`: a dead-man's switch for the orders of another program, in whatever language it is
//! written.

use std::path::PathBuf;
use std::process::{Child, Command as Program};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bitmart::rest::dead_man::{CancelResult, DeadManSwitch, Event, Report};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::confirm::prompt;
use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;

/// How often the program and its file are looked at.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) fn command() -> Command {
    Command::new("guard")
        .about("Cancel the orders of another program when it ends, hangs or dies")
        .after_help(
            "Keeps the exchange's timers of the contracts running, and cancels all orders of the named \
             symbols at ctrl-c, when the program ends, and when it no longer touches its file. The program is \
             killed first, so that it places no more. If this machine dies, the exchange cancels the orders of \
             contracts by itself when the timer runs out; spot has no timer, and spot orders stay.",
        )
        .arg(
            Arg::new("symbols")
                .value_name("SYMBOL")
                .num_args(1..)
                .required(true)
                .help("Contracts (BTCUSDT), pairs (BTC_USDT), or the word all-pairs"),
        )
        .arg(
            Arg::new("after")
                .long("after")
                .value_name("SECONDS")
                .value_parser(clap::value_parser!(u32).range(5..))
                .default_value("60")
                .help("The exchange's timer, for contracts"),
        )
        .arg(
            Arg::new("file")
                .long("file")
                .value_name("FILE")
                .help("The program touches this file to show that it lives"),
        )
        .arg(
            Arg::new("within")
                .long("within")
                .value_name("SECONDS")
                .requires("file")
                .value_parser(clap::value_parser!(u64).range(1..))
                .default_value("10")
                .help("How old the file may be"),
        )
        .arg(
            Arg::new("program")
                .value_name("PROGRAM")
                .last(true)
                .num_args(1..)
                .action(ArgAction::Append)
                .help("The program and its arguments; without one, until ctrl-c"),
        )
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    if context.dry_run {
        return Err(Failure::usage("guard has no dry run"));
    }
    let words: Vec<_> = matches.get_many::<String>("symbols").unwrap_or_default().collect();
    let mut interrupts = Interrupts::listen()?;
    let target = context.target().await?;
    if !context.yes {
        let place = &target.environment.name;
        prompt::yes(&format!("cancel all orders of {words:?} on {place} in the end?"))?;
    }
    let after = *matches.get_one::<u32>("after").unwrap_or(&60);
    let mut builder = DeadManSwitch::builder(target.careful_client(true)?)
        .timeout(Duration::from_secs(after.into()));
    for word in words {
        let symbol = word.to_uppercase();
        builder = match symbol.as_str() {
            "ALL-PAIRS" => builder.all_pairs(),
            pair if pair.contains('_') => builder.pair(pair),
            contract => builder.contract(contract),
        };
    }
    let guarded = Arc::new(Guarded::default());
    let file = matches.get_one::<String>("file").map(PathBuf::from);
    let within = Duration::from_secs(*matches.get_one::<u64>("within").unwrap_or(&10));
    let ended = guarded.clone();
    builder = builder.cancel_on(async move {
        let why = tokio::select! {
            () = interrupts.recv() => "interrupted".to_owned(),
            why = ended.watch(file, within) => why,
        };
        eprintln!("{why}: cancelling");
        // Before anything is cancelled, or it would place orders behind our back.
        ended.kill();
    });
    let switch = builder.start().map_err(|error| Failure::usage(chain(&error)))?;
    // What is wrong with key or network is found before the program places its first order.
    let armed = tokio::select! {
        armed = switch.armed() => armed?,
        () = tell(&switch) => false,
    };
    if armed {
        eprintln!("guarding; ctrl-c cancels");
        let program = matches.get_many::<String>("program").unwrap_or_default();
        // If it does not start, the switch is dropped; nothing is open then that it placed.
        guarded.start(program.map(String::as_str))?;
        tell(&switch).await;
    }
    judge(&switch.shutdown().await)
}

/// Says what happens until the end.
async fn tell(switch: &DeadManSwitch) {
    while let Some(event) = switch.next_event().await {
        match event {
            Event::RenewalFailed { contract, error, .. } => {
                eprintln!("{contract}: timer not renewed: {error:?}");
            }
            Event::MayHaveFired(contract) => {
                eprintln!("{contract}: THE EXCHANGE MAY HAVE CANCELLED: its timer ran out");
            }
            Event::Rearmed(contract) => eprintln!("{contract}: the timer runs again"),
            Event::MarketEnded(one) => eprintln!("{}: {}", one.market, text(&one.result)),
            _ => {}
        }
    }
}

fn text(cleared: &CancelResult) -> String {
    match cleared {
        CancelResult::Canceled => "cancelled; nothing is open".to_owned(),
        CancelResult::NothingOpen => "nothing is open".to_owned(),
        CancelResult::StillOpen(ids) => format!("STILL OPEN: {ids:?}"),
        _ => "NOT KNOWN whether orders are open".to_owned(),
    }
}

fn judge(report: &Report) -> Result<(), Failure> {
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
        .with_advice("look at the open orders, and cancel again"))
}

/// The program that places the orders.
#[derive(Default)]
struct Guarded(Mutex<Option<Child>>);

impl Guarded {
    fn start<'a>(&self, mut words: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
        let Some(name) = words.next() else { return Ok(()) };
        let child = Program::new(name).args(words).spawn();
        let child = child.map_err(|error| Failure::machine(format!("{name}: {error}")))?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        Ok(())
    }

    /// Waits until it has ended, or its file is too old; says which.
    async fn watch(&self, file: Option<PathBuf>, within: Duration) -> String {
        let begin = Instant::now();
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(child) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
                match child.try_wait() {
                    Ok(None) => {}
                    Ok(Some(status)) => return format!("the program ended ({status})"),
                    Err(error) => return format!("the program is lost ({error})"),
                }
            }
            // It has as long to make the file as to touch it.
            if let Some(file) = file.as_deref().filter(|_| begin.elapsed() > within) {
                let touched = file.metadata().and_then(|facts| facts.modified());
                let age =
                    touched.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
                if age.is_ok_and(|age| age <= within) {
                    continue;
                }
                return format!("{} was not touched for {within:?}", file.display());
            }
        }
    }

    fn kill(&self) {
        if let Some(child) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // One that has ended already is no fault.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
