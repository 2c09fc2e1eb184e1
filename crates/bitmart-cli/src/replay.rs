//! `replay`: a recording to standard output, or served by the sandbox.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use bitmart::sandbox::recording::{Entry, Reader};
use bitmart::sandbox::{Config, Sandbox};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::time::{Instant, sleep_until};

use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::output;
use crate::output::json::Json;

/// Bytes of entries that are kept in memory to be served.
const SERVED: usize = 1 << 30;

pub(crate) fn command() -> Command {
    Command::new("replay")
        .about("Shows a recording as NDJSON, or serves it as the exchange would")
        .after_help(
            "With --serve a sandbox plays the recording on its WebSockets, from the first subscription \
             on, and prints its ready line: put it into a file and give that to --env. Books, tickers and \
             candles over REST are not recorded; orders can be placed, but nobody trades with them.",
        )
        .arg(Arg::new("file").required(true).value_name("FILE").help("What `record` wrote"))
        .arg(
            Arg::new("speed")
                .long("speed")
                .value_name("N")
                .value_parser(value_parser!(u32).range(1..=10_000))
                .help("N times as fast as it came [default: at once; with --serve 1]"),
        )
        .arg(
            Arg::new("serve")
                .long("serve")
                .action(ArgAction::SetTrue)
                .help("Serve it on free ports until ctrl-c"),
        )
}

pub(crate) async fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let path = Path::new(matches.get_one::<String>("file").map_or("", String::as_str));
    let speed = matches.get_one::<u32>("speed").copied();
    let broken = |error: &dyn std::error::Error| {
        Failure::usage(format!("{}: {}", path.display(), chain(error)))
    };
    let file = File::open(path).map_err(|error| broken(&error))?;
    let mut reader = Reader::new(BufReader::new(file)).map_err(|error| broken(&error))?;
    if matches.get_flag("serve") {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for entry in reader.by_ref() {
            let entry = entry.map_err(|error| broken(&error))?;
            // What happened to the recorder is not served.
            let Some(frame) = &entry.frame else { continue };
            bytes += frame.len() + entry.topic.len() + size_of::<Entry>();
            if bytes > SERVED {
                return Err(Failure::usage(format!("{} has over 1 GiB of frames", path.display())));
            }
            entries.push(entry);
        }
        tell_tear(&reader, path);
        return serve(entries, speed.unwrap_or(1)).await;
    }
    // Without a pace nothing waits, and the system's own way of ending it is as good.
    let mut interrupts = speed.map(|_| Interrupts::listen()).transpose()?;
    let mut begun: Option<(u64, Instant)> = None;
    for entry in reader.by_ref() {
        let entry = entry.map_err(|error| broken(&error))?;
        if let (Some(speed), Some(interrupts)) = (speed, &mut interrupts) {
            let (first, at) = *begun.get_or_insert((entry.at, Instant::now()));
            let passed = Duration::from_micros(entry.at.saturating_sub(first)) / speed;
            tokio::select! {
                () = sleep_until(at + passed) => {}
                () = interrupts.recv() => return Ok(()),
            }
        }
        match output::write(format!("{}\n", line(&entry)?).as_bytes()) {
            Err(failure) if failure.is_quiet() => return Ok(()),
            written => written?,
        }
    }
    tell_tear(&reader, path);
    if reader.is_torn() {
        return Err(Failure::new(Exit::Incomplete, "the recording ends in the middle of a line"));
    }
    Ok(())
}

fn tell_tear<R: std::io::Read>(reader: &Reader<R>, path: &Path) {
    if reader.is_torn() {
        eprintln!("{}: its end is missing, as of a program that died", path.display());
    }
}

/// An entry with its frame as JSON and not as a text of JSON.
fn line(entry: &Entry) -> Result<Json, Failure> {
    let text = serde_json::to_string(entry).map_err(|error| Failure::machine(chain(&error)))?;
    let line = Json::read(&text).map_err(|error| Failure::machine(chain(&error)))?;
    let Json::Object(members) = line else { return Ok(line) };
    let inside = |(name, value): (String, Json)| match &value {
        Json::Text(text) if name == "frame" => {
            let frame = Json::read(text).unwrap_or(value);
            (name, frame)
        }
        _ => (name, value),
    };
    Ok(Json::Object(members.into_iter().map(inside).collect()))
}

async fn serve(entries: Vec<Entry>, speed: u32) -> Result<(), Failure> {
    let begin = entries.first().map_or(0, |entry| entry.at / 1_000);
    let topics: BTreeSet<_> = entries.iter().map(|entry| entry.topic.clone()).collect();
    if entries.is_empty() {
        return Err(Failure::usage("the recording has no frames"));
    }
    let config = Config::new().fast_clock(Some(begin), speed).rate_limits(false).replay(entries);
    let sandbox = Sandbox::start(config).await.map_err(|error| Failure::machine(chain(&error)))?;
    let mut interrupts = Interrupts::listen()?;
    output::write(format!("{}\n", sandbox.ready_line()).as_bytes())?;
    eprintln!("serving {} until ctrl-c", topics.into_iter().collect::<Vec<_>>().join(", "));
    interrupts.recv().await;
    sandbox.shutdown().await;
    Ok(())
}
