//! `bitmart-sandbox`: the local exchange as a program.

use std::{future::pending, io::Write, net::SocketAddr, process::ExitCode};

use bitmart_sandbox::{Config, Contract, Sandbox, Snapshot, SpotPair};

const HELP: &str = "\
bitmart-sandbox: a local exchange that speaks BitMart's wire, REST and WebSocket.

It never talks to the internet. Nothing in it is worth anything: the key and the secret it prints
open only this process.

Usage: bitmart-sandbox [options]

  --spot ADDRESS      where the spot host listens        [127.0.0.1:0, a free port]
  --futures ADDRESS   where the futures host listens     [127.0.0.1:0, a free port]
  --admin ADDRESS     where the admin API listens, a loopback address: whoever has the token of the ready
                      line controls the sandbox by it    [none]
  --expose-admin      let --admin listen where other machines reach it: whoever has the token then controls
                      the sandbox from there, and whoever sees the traffic has the token
  --tls               serve https and wss, with a certificate for localhost, 127.0.0.1 and ::1; the root
                      that clients must trust is in the ready line (jq -r .root_certificate)
  --seed N            seed of market and default key     [1]
  --lenient           ignore unknown fields and surplus decimals, as the venue does
  --slow-books        push futures books every second, as observed, not every 200 ms, as documented
  --no-spot-pings     answer no protocol ping on spot WebSockets and do not count it as a sign of life
  --quiet             do not write to standard error why a request was refused; the header
                      X-Sandbox-Reason of its answer says it anyway
  --no-limits         send the rate-limit headers, but never answer 429
  --no-market         no market maker: books start empty
  --pairs LIST        of the 20 listed pairs only these, as in BTC_USDT,ETH_USDT
  --contracts LIST    of the 10 listed contracts only these, as in BTCUSDT
  --fund LIST         what each main account starts with, as in BTC=20000,USDT=5000000.5: in the spot wallet,
                      and for USDT in the futures wallet as well; the others keep what they have
  --clock MS          a clock that stands at MS (milliseconds since 1970) and moves, market and all,
                      only by the admin API; timestamps of requests are checked against it
  --speed N           a clock that goes N times as fast as the machine's, up to 10000, from now or
                      from --clock: funding, interest and withdrawals happen within minutes. Signed
                      requests may bear its time or the machine's
  --data DIR          keep the state in this folder: it survives a stop and a kill at any moment, and the
                      next start with the same folder goes on with it. Secrets are in it      [none]
  --restore FILE      go on from a snapshot that GET /snapshot of the admin API gave
  -h, --help          this text
  -V, --version       the version

When it is ready it prints one line of JSON to standard output:

  {\"spot\":{\"rest\":\"http://...\",\"ws_public\":\"ws://.../api?protocol=1.1\",
           \"ws_private\":\"ws://.../user?protocol=1.1\"},
   \"futures\":{...the same...},
   \"credentials\":{\"key\":\"...\",\"secret\":\"...\",\"memo\":\"...\"},
   \"root_certificate\":null or \"PEM\"}

With --admin there are also \"admin\":\"http://...\" and \"admin_token\":\"...\" in it. Every call needs the
token as the header `Authorization: Bearer TOKEN`; GET / lists the calls.

The account is funded. Ctrl-c stops it, and so does POST /stop of the admin API.
";

/// The options that are on when they are there.
const FLAGS: &[&str] = &[
    "--expose-admin",
    "--tls",
    "--lenient",
    "--no-limits",
    "--no-market",
    "--no-spot-pings",
    "--quiet",
    "--slow-books",
    "-h",
    "--help",
    "-V",
    "--version",
];

/// What the command line asks for.
enum Asked {
    Run(Box<Config>),
    Print(&'static str),
}

#[tokio::main]
async fn main() -> ExitCode {
    let config = match parse(std::env::args().skip(1)) {
        Ok(Asked::Run(config)) => *config,
        Ok(Asked::Print(text)) => {
            print(text);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("bitmart-sandbox: {problem}. See --help.");
            return ExitCode::from(2);
        }
    };
    let sandbox = match Sandbox::start(config).await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            let reason = std::error::Error::source(&error).map(|source| format!(": {source}"));
            eprintln!("bitmart-sandbox: {error}{}", reason.unwrap_or_default());
            return ExitCode::FAILURE;
        }
    };
    // An error means that this system has no ctrl-c; then only a kill ends the program.
    let asked_to_stop = async {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    };
    let announce = async {
        print(&format!("{}\n", sandbox.ready_line()));
        pending::<()>().await;
    };
    // In this order: whoever has read the ready line may press ctrl-c.
    tokio::select! {
        biased;
        () = asked_to_stop => {}
        () = sandbox.asked_to_stop() => {}
        () = announce => {}
    }
    let broken = sandbox.is_broken();
    sandbox.shutdown().await;
    if broken {
        eprintln!("bitmart-sandbox: it has ended because of the fault above, which is a bug of it");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Prints at once, also into a pipe. A reader that went away is not our problem.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn parse(args: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut config = Config::new().reasons_on_stderr(true);
    let mut restored = None;
    let (mut clock, mut speed, mut fund) = (None, None, None);
    let mut args = args;
    while let Some(arg) = args.next() {
        // Both `--seed 7` and `--seed=7`.
        let (name, given) = match arg.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (arg, None),
        };
        if given.is_some() && FLAGS.contains(&name.as_str()) {
            return Err(format!("{name} takes no value; leave it out to switch it off"));
        }
        let mut value =
            || given.clone().or_else(|| args.next()).ok_or_else(|| format!("{name} needs a value"));
        config = match name.as_str() {
            "--spot" => config.spot_address(address(&value()?)?),
            "--futures" => config.futures_address(address(&value()?)?),
            "--admin" => config.admin(address(&value()?)?),
            "--expose-admin" => config.expose_admin(true),
            "--seed" => config.seed(number(&name, &value()?)?),
            "--pairs" => config.pairs(listed(&value()?, SpotPair::listed(), SpotPair::symbol)?),
            "--contracts" => {
                config.contracts(listed(&value()?, Contract::listed(), Contract::symbol)?)
            }
            "--clock" => {
                clock = Some(number(&name, &value()?)?);
                config
            }
            "--speed" => {
                let text = value()?;
                let fit = text.parse().ok().filter(|speed| (1..=10_000).contains(speed));
                speed = Some(fit.ok_or_else(|| format!("--speed takes 1 to 10000, not {text:?}"))?);
                config
            }
            "--fund" => {
                fund = Some(value()?);
                config
            }
            "--restore" => {
                restored = Some(read(&value()?)?);
                config
            }
            "--data" => config.data(value()?),
            "--tls" => config.tls(true),
            "--lenient" => config.lenient(true),
            "--slow-books" => config.slow_futures_books(true),
            "--no-limits" => config.rate_limits(false),
            "--no-market" => config.market_maker(false),
            "--quiet" => config.reasons_on_stderr(false),
            "--no-spot-pings" => config.spot_protocol_pings(false),
            "-h" | "--help" => return Ok(Asked::Print(HELP)),
            "-V" | "--version" => {
                return Ok(Asked::Print(concat!(
                    "bitmart-sandbox ",
                    env!("CARGO_PKG_VERSION"),
                    "\n"
                )));
            }
            _ => return Err(format!("unknown option {name:?}")),
        };
    }
    let config = match (clock, speed) {
        (None, None) => config,
        (Some(at), None) => config.stepped_clock(at),
        (at, Some(speed)) => config.fast_clock(at, speed),
    };
    // After the markets, whose currencies it may name.
    let config = match fund {
        Some(_) if restored.is_some() => {
            return Err("--fund does not go with --restore: a snapshot has its own balances".into());
        }
        Some(list) => config.fund(&list).map_err(|error| format!("--fund: {error}"))?,
        None => config,
    };
    let config = match restored {
        Some(snapshot) => config.restore(snapshot),
        None => config,
    };
    Ok(Asked::Run(Box::new(config)))
}

fn number(name: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{name} needs a whole number, not {text:?}"))
}

/// The markets whose symbols are named.
fn listed<T>(names: &str, markets: Vec<T>, symbol: fn(&T) -> String) -> Result<Vec<T>, String> {
    let known: Vec<String> = markets.iter().map(symbol).collect();
    let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
    if let Some(name) = names.iter().find(|name| !known.iter().any(|symbol| symbol == *name)) {
        return Err(format!("{name:?} is not listed; there is {}", known.join(", ")));
    }
    Ok(markets.into_iter().filter(|one| names.contains(&symbol(one).as_str())).collect())
}

fn read(file: &str) -> Result<Snapshot, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("cannot read {file:?}: {error}"))?;
    Snapshot::from_json(&bytes).map_err(|error| format!("{file:?} is {error}"))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an address such as 127.0.0.1:8801"))
}
