//! Measures how much load the sandbox handles. The client is as cheap as possible: it reads and writes HTTP and
//! WebSocket bytes itself, and shares only the signature with the SDK. `cargo xtask load` builds and runs it.

mod connection;
mod frames;
mod orders;
mod page;
mod program;

use std::{process::ExitCode, time::Duration};

use self::page::Page;

const USAGE: &str = "\
usage: cargo xtask load [--page] [--seconds N] [--connections N]

  --page            measure instead what the console with an open page costs at 1,000 requests a second,
                    and how quickly the page answers meanwhile
  --seconds N       how long each measurement takes               [10]
  --connections N   keep-alive connections that send orders       [16]
";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Options of the command line.
#[derive(Debug, Clone, Copy)]
struct Options {
    time: Duration,
    connections: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let (options, page, sandbox) = parse(std::env::args().skip(1))?;
    if let Some(page) = page {
        return page::measure(&sandbox, &page, options).await;
    }
    program::measure_idle(&sandbox).await?;
    orders::measure(&sandbox, options, &[]).await?;
    orders::compare_console(&sandbox, options).await?;
    frames::measure(&sandbox, options).await
}

/// The last argument is the program to measure, and `--page` is followed by a script and a browser: `cargo xtask load`
/// adds them.
fn parse(
    arguments: impl Iterator<Item = String>,
) -> Result<(Options, Option<Page>, String), Failure> {
    let mut page = None;
    let mut options = Options { time: Duration::from_secs(10), connections: 16 };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().ok_or(USAGE)?;
            text.parse::<u64>().ok().filter(|number| *number > 0).ok_or(USAGE)
        };
        match argument.as_str() {
            "--page" => {
                let script = arguments.next().ok_or(USAGE)?;
                page = Some(Page { script, browser: arguments.next().ok_or(USAGE)? });
            }
            "--seconds" => options.time = Duration::from_secs(number()?),
            "--connections" => options.connections = usize::try_from(number()?)?,
            program if !program.starts_with('-') => return Ok((options, page, argument)),
            _ => return Err(USAGE.into()),
        }
    }
    Err(USAGE.into())
}
