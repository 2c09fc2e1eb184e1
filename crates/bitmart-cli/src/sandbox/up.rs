//! `sandbox up`: runs the exchange in the foreground.

use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bitmart::sandbox::{Config, Contract, Sandbox, Snapshot, SpotPair};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::time::{Instant, sleep};

use super::{admin, browser, detach, persistent};
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupts::Interrupts;
use crate::normalize;
use crate::output::{self, Format};
use crate::secure_fs;

pub(super) fn command() -> Command {
    let address = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("ADDRESS")
            .value_parser(value_parser!(SocketAddr))
            .help(help)
    };
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let number = |name: &'static str, what: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(what).value_parser(value_parser!(u64)).help(help)
    };
    let list = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("LIST").value_delimiter(',').help(help)
    };
    Command::new("up")
        .about("Run a sandbox until ctrl-c or `sandbox down`")
        .after_help(
            "Into a pipe it prints one line of JSON when it is ready: addresses, key, and with --tls the \
             root certificate. Whoever has the admin token in it controls the sandbox.\n\
             Its state is saved in ~/.bitmart/sandbox/data, which other commands use as well, unless an \
             option sets another seed, market, balance, clock or snapshot, or --data or --forget is given.",
        )
        .arg(flag("detach", "Run in the background and return when it is ready"))
        .arg(flag("open", "Open the console in a browser: what programs send, accounts, markets, faults"))
        .arg(address("spot", "Address of the spot host [default: a free port on 127.0.0.1]"))
        .arg(address("futures", "Address of the futures host [default: a free port on 127.0.0.1]"))
        .arg(address("admin", "Address of the admin API [default: a free port on 127.0.0.1]"))
        .arg(flag("expose-admin", "Allow an --admin address that other machines can reach"))
        .arg(flag("tls", "Serve https and wss"))
        .arg(number("seed", "N", "Seed of the market and of the first key [default: 1]"))
        .arg(flag("slow-books", "Push futures books every second, as observed, instead of every 200 ms"))
        .arg(flag("lenient", "Ignore unknown fields and excess decimals, as the exchange does"))
        .arg(flag("no-limits", "Do not enforce rate limits"))
        .arg(flag("no-market", "Run without a market maker: order books start empty"))
        .arg(list("pairs", "List only these pairs, such as BTC_USDT,ETH_USDT"))
        .arg(list("contracts", "List only these contracts, such as BTCUSDT"))
        .arg(
            Arg::new("fund")
                .long("fund")
                .value_name("LIST")
                .conflicts_with("restore")
                .help("Initial balances of each main account, such as BTC=20000,USDT=5000000.5"),
        )
        .arg(flag("no-spot-pings", "Do not answer protocol pings on spot WebSockets"))
        .arg(number("clock", "MS", "Start with a stepped clock at MS, which only `sandbox clock` moves"))
        .arg(
            Arg::new("speed")
                .long("speed")
                .value_name("N")
                .value_parser(value_parser!(u32).range(1..=10_000))
                .help("Run the clock N times as fast, from now or from --clock"),
        )
        .arg(
            Arg::new("restore")
                .long("restore")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Continue from a file that `sandbox snapshot` wrote"),
        )
        .arg(
            flag("running", "With --restore: start the clock of a snapshot whose clock was stopped")
                .requires("restore"),
        )
        .arg(
            Arg::new("data")
                .long("data")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Save the state in this folder"),
        )
        .arg(flag("forget", "Do not save the state").conflicts_with("data"))
}

/// How long a data folder is waited for that another command uses.
const DATA_TIMEOUT: Duration = Duration::from_secs(10);

/// Options that define another exchange than the saved one.
const OTHER_EXCHANGE: [&str; 7] =
    ["seed", "fund", "pairs", "contracts", "clock", "speed", "restore"];

/// The folder for the state; `None` if it is not saved.
fn data_folder(matches: &ArgMatches) -> Option<PathBuf> {
    if let Some(folder) = matches.get_one::<PathBuf>("data") {
        return Some(folder.clone());
    }
    let another = OTHER_EXCHANGE.iter().any(|name| matches.contains_id(name))
        || ["forget", "no-market"].iter().any(|name| matches.get_flag(name));
    if another { None } else { persistent::data_folder() }
}

pub(super) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    if admin::running().await.is_some() {
        return Err(Failure::usage("a sandbox is already running")
            .with_advice(
            "`bitmart sandbox console` opens its console, `bitmart sandbox status` shows its addresses, and \
             `bitmart sandbox down` stops it",
        ));
    }
    let file =
        admin::ready_file().ok_or_else(|| Failure::usage("there is no home folder; set HOME"))?;
    if matches.get_flag("detach") {
        return detach::run(context, &file).await;
    }
    let folder = data_folder(matches);
    let sandbox = start(matches, folder.as_deref()).await?;
    // Listens before the sandbox is announced, so that no signal is missed.
    let mut interrupts = Interrupts::listen()?;
    match &folder {
        Some(folder) => eprintln!("state    {}", folder.display()),
        None => eprintln!("state    not saved"),
    }
    let announced = announce(context, &sandbox, &file);
    if announced.is_ok() {
        if let Some(url) = sandbox.console_login_url().filter(|_| matches.get_flag("open")) {
            tokio::spawn(async move { browser::open(&url).await });
        }
        tokio::select! {
            () = interrupts.recv() => {}
            () = sandbox.stop_requested() => {}
        }
    }
    // Another sandbox may have replaced the file.
    if std::fs::read_to_string(&file).is_ok_and(|text| text == sandbox.ready_line()) {
        drop(std::fs::remove_file(&file));
    }
    sandbox.shutdown().await;
    announced
}

/// Starts a sandbox. The former one may still save its state, although `sandbox down` has returned: its data folder is
/// waited for.
async fn start(matches: &ArgMatches, folder: Option<&Path>) -> Result<Sandbox, Failure> {
    let deadline = Instant::now() + DATA_TIMEOUT;
    let mut is_waiting = false;
    loop {
        let mut config = config(matches)?;
        if let Some(folder) = folder {
            config = config.data(folder);
        }
        match Sandbox::start(config).await {
            Err(error) if error.is_data_in_use() && Instant::now() < deadline => {
                if !is_waiting {
                    eprintln!("waiting for the data folder, which another command uses");
                }
                is_waiting = true;
                sleep(persistent::RETRY_INTERVAL).await;
            }
            started => return started.map_err(|error| persistent::start_failure(&error)),
        }
    }
}

fn announce(context: &Context, sandbox: &Sandbox, file: &Path) -> Result<(), Failure> {
    secure_fs::write(file, sandbox.ready_line().as_bytes())
        .map_err(|error| Failure::io(format!("{}: {error}", file.display())))?;
    let admin = sandbox.admin().unwrap_or_default();
    eprintln!("spot     {}", sandbox.spot().rest);
    eprintln!("futures  {}", sandbox.futures().rest);
    eprintln!("admin    {admin}");
    eprintln!("console  {}", sandbox.console_address().unwrap_or_default());
    eprintln!("commands without keys now use this sandbox; ctrl-c stops it");
    eprintln!(
        "addresses and key for the shell of a program, after each start: eval \"$(bitmart sandbox env)\""
    );
    if context.format() == Format::Table {
        return Ok(());
    }
    output::write(format!("{}\n", sandbox.ready_line()).as_bytes())
}

fn config(matches: &ArgMatches) -> Result<Config, Failure> {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let address = |name: &str| matches.get_one::<SocketAddr>(name).copied().unwrap_or(free);
    let mut config = Config::new()
        .spot_address(address("spot"))
        .futures_address(address("futures"))
        .admin(address("admin"))
        .expose_admin(matches.get_flag("expose-admin"))
        .console(true)
        .tls(matches.get_flag("tls"))
        .lenient(matches.get_flag("lenient"))
        .slow_futures_books(matches.get_flag("slow-books"))
        .rate_limits(!matches.get_flag("no-limits"))
        .market_maker(!matches.get_flag("no-market"))
        .spot_protocol_pings(!matches.get_flag("no-spot-pings"))
        // The log of a detached sandbox would grow without bound.
        .reasons_on_stderr(std::io::stderr().is_terminal());
    if let Some(seed) = matches.get_one::<u64>("seed") {
        config = config.seed(*seed);
    }
    if let Some(pairs) = listed(matches, "pairs", SpotPair::listed(), SpotPair::symbol)? {
        config = config.pairs(pairs);
    }
    if let Some(contracts) = listed(matches, "contracts", Contract::listed(), Contract::symbol)? {
        config = config.contracts(contracts);
    }
    // After the markets, because it may name their currencies.
    if let Some(list) = matches.get_one::<String>("fund") {
        let invalid = |error| Failure::usage(format!("--fund: {error}"));
        config = config.starting_balances(list).map_err(invalid)?;
    }
    let at = matches.get_one::<u64>("clock").copied();
    match (at, matches.get_one::<u32>("speed")) {
        (at, Some(speed)) => config = config.fast_clock(at, *speed),
        (Some(at), None) => config = config.stepped_clock(at),
        (None, None) => {}
    }
    // Last, because a snapshot replaces seed, markets and clock.
    match matches.get_one::<PathBuf>("restore") {
        Some(file) => {
            let config = config.restore(read(file)?);
            Ok(match matches.get_one::<u32>("speed") {
                Some(speed) => config.fast_clock(at, *speed),
                None if matches.get_flag("running") => config.fast_clock(None, 1),
                None => config,
            })
        }
        None => Ok(config),
    }
}

/// The markets that an option selects; `None` without the option.
fn listed<T>(
    matches: &ArgMatches,
    option: &str,
    markets: Vec<T>,
    symbol: fn(&T) -> String,
) -> Result<Option<Vec<T>>, Failure> {
    let Some(names) = matches.get_many::<String>(option) else { return Ok(None) };
    let names: Vec<String> = names.map(|name| normalize::symbol(name)).collect();
    let known: Vec<String> = markets.iter().map(symbol).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        let text = format!("{name:?} is not listed");
        return Err(Failure::usage(text).with_advice(format!("listed are {}", known.join(", "))));
    }
    Ok(Some(markets.into_iter().filter(|one| names.contains(&symbol(one))).collect()))
}

fn read(file: &Path) -> Result<Snapshot, Failure> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| Failure::io(format!("{name}: {error}")))?;
    Snapshot::from_json(&bytes).map_err(|error| Failure::usage(format!("{name}: {error}")))
}
