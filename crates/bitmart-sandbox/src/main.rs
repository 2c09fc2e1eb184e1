//! The program `bitmart-sandbox`.

use std::{future::pending, io::Write, net::SocketAddr, process::ExitCode};

use bitmart_sandbox::{Config, Contract, Sandbox, Snapshot, SpotPair};

const HELP: &str = "\
bitmart-sandbox: a local exchange that speaks BitMart's wire, REST and WebSocket.

It never connects to the internet. The printed key and secret are only valid for this process.

Usage: bitmart-sandbox [options]

  --spot ADDRESS      address of the spot host           [127.0.0.1:0, a free port]
  --futures ADDRESS   address of the futures host        [127.0.0.1:0, a free port]
  --admin ADDRESS     address of the admin API, a loopback address; whoever has the token of the ready line
                      controls the sandbox               [none]
  --expose-admin      allow an --admin address that other machines can reach; whoever sees the traffic has the
                      token and controls the sandbox
  --console           with --admin: serve the console at /console of the admin address, a page that shows traffic
                      and state; needs a build with the feature `console`
  --tls               serve https and wss, with a certificate for localhost, 127.0.0.1 and ::1; the root
                      that clients must trust is in the ready line (jq -r .root_certificate)
  --seed N            seed of market and default key     [1]
  --lenient           ignore unknown fields and surplus decimals, as the exchange does
  --slow-books        push futures books every second, as observed, instead of every 200 ms, as documented
  --no-spot-pings     ignore protocol pings on spot WebSockets: no pong, and they do not count as traffic
  --quiet             do not write to standard error why a request was rejected; the response header
                      X-Sandbox-Reason still has the reason
  --no-limits         send the rate-limit headers, but do not enforce the limits
  --no-market         run without a market maker: order books start empty
  --pairs LIST        list only these of the 20 pairs, such as BTC_USDT,ETH_USDT
  --contracts LIST    list only these of the 10 contracts, such as BTCUSDT
  --fund LIST         initial balances of each main account, such as BTC=20000,USDT=5000000.5: in the spot
                      wallet, and for USDT in the futures wallet as well; other currencies keep their default
  --clock MS          stop the clock at MS (milliseconds since 1970); only the admin API moves it and the
                      market; timestamps of requests are checked against it
  --speed N           run the clock N times as fast as the machine's, up to 10000, from now or from --clock:
                      funding, interest and withdrawals happen within minutes. Signed requests may have a
                      timestamp of either clock
  --data DIR          save the state in this folder; it survives a stop and a kill at any moment, and the next
                      start with the same folder continues from it. It contains secrets         [none]
  --restore FILE      continue from a snapshot of GET /snapshots/current of the admin API
  -h, --help          print this text
  -V, --version       print the version

When it is ready it prints one line of JSON to standard output:

  {\"spot\":{\"rest\":\"http://...\",\"ws_public\":\"ws://.../api?protocol=1.1\",
           \"ws_private\":\"ws://.../user?protocol=1.1\"},
   \"futures\":{...the same...},
   \"credentials\":{\"key\":\"...\",\"secret\":\"...\",\"memo\":\"...\"},
   \"root_certificate\":null or \"PEM\"}

With --admin it also contains \"admin\":\"http://...\" and \"admin_token\":\"...\". Every call needs the header
`Authorization: Bearer TOKEN`; GET / lists the calls. GET /help, also in a browser, describes them and needs no token.

The account is funded. Ctrl-c, SIGTERM and POST /stop of the admin API stop the program.
";

/// Options without a value.
const FLAGS: &[&str] = &[
    "--expose-admin",
    "--console",
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

/// The action that the command line selects.
enum Action {
    Run(Box<Config>),
    Print(&'static str),
}

#[tokio::main]
async fn main() -> ExitCode {
    let config = match parse(std::env::args().skip(1)) {
        Ok(Action::Run(config)) => *config,
        Ok(Action::Print(text)) => {
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
    let announce = async {
        print(&format!("{}\n", sandbox.ready_line()));
        pending::<()>().await;
    };
    // The signal handlers are registered before the ready line is printed.
    tokio::select! {
        biased;
        () = interrupted() => {}
        () = terminated() => {}
        () = sandbox.stop_requested() => {}
        () = announce => {}
    }
    let broken = sandbox.is_broken();
    sandbox.shutdown().await;
    if broken {
        eprintln!(
            "bitmart-sandbox: the sandbox has ended because of the panic above, which is a bug"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Waits for ctrl-c. Where it cannot be received, only a kill ends the program.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        pending::<()>().await;
    }
}

/// Waits for SIGTERM, by which service managers and containers stop a program.
#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    pending().await
}

/// Prints and flushes. A closed pipe is ignored.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn parse(args: impl Iterator<Item = String>) -> Result<Action, String> {
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
            return Err(format!("{name} takes no value; omit it to disable it"));
        }
        let mut value =
            || given.clone().or_else(|| args.next()).ok_or_else(|| format!("{name} needs a value"));
        config = match name.as_str() {
            "--spot" => config.spot_address(address(&value()?)?),
            "--futures" => config.futures_address(address(&value()?)?),
            "--admin" => config.admin(address(&value()?)?),
            "--expose-admin" => config.expose_admin(true),
            #[cfg(feature = "console")]
            "--console" => config.console(true),
            #[cfg(not(feature = "console"))]
            "--console" => return Err("this program was built without the console".to_owned()),
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
                let valid = text.parse().ok().filter(|speed| (1..=10_000).contains(speed));
                speed =
                    Some(valid.ok_or_else(|| format!("--speed takes 1 to 10000, not {text:?}"))?);
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
            "-h" | "--help" => return Ok(Action::Print(HELP)),
            "-V" | "--version" => {
                return Ok(Action::Print(concat!(
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
    // After the markets, because it may name their currencies.
    let config = match fund {
        Some(_) if restored.is_some() => {
            return Err(
                "--fund cannot be combined with --restore: a snapshot has its own balances".into(),
            );
        }
        Some(list) => {
            config.starting_balances(&list).map_err(|error| format!("--fund: {error}"))?
        }
        None => config,
    };
    let config = match restored {
        Some(snapshot) => config.restore(snapshot),
        None => config,
    };
    Ok(Action::Run(Box::new(config)))
}

fn number(name: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{name} needs a whole number, not {text:?}"))
}

/// The markets with the given symbols.
fn listed<T>(names: &str, markets: Vec<T>, symbol: fn(&T) -> String) -> Result<Vec<T>, String> {
    let known: Vec<String> = markets.iter().map(symbol).collect();
    let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
    if let Some(name) = names.iter().find(|name| !known.iter().any(|symbol| symbol == *name)) {
        return Err(format!("{name:?} is not listed; listed are {}", known.join(", ")));
    }
    Ok(markets.into_iter().filter(|one| names.contains(&symbol(one).as_str())).collect())
}

fn read(file: &str) -> Result<Snapshot, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("cannot read {file:?}: {error}"))?;
    Snapshot::from_json(&bytes).map_err(|error| format!("{file:?}: {error}"))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an address such as 127.0.0.1:8801"))
}
