//! `replay`: prints a recording, or serves it with the sandbox.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use bitmart::rest::recording::frames::{Entry, Reader};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::time::{Instant, sleep_until};

use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::output;
use crate::output::json::Json;
use crate::sandbox;

/// Maximum size of the frames that are served from memory, in bytes.
const MAX_SERVED: usize = 1 << 30;

pub(crate) fn command() -> Command {
    Command::new("replay")
        .about("Print a recording as NDJSON, or serve it like the exchange")
        .after_help(
            "With --serve a sandbox plays the recording on its WebSockets, beginning at the first \
             subscription, and prints its ready line: store it in a file for --env. Books, tickers and \
             candles over REST are not recorded; orders can be placed, but no recorded trade fills them.",
        )
        .arg(Arg::new("file").required(true).value_name("FILE").help("A file that `record` wrote"))
        .arg(
            Arg::new("speed")
                .long("speed")
                .value_name("N")
                .value_parser(value_parser!(u32).range(1..=10_000))
                .help("N times the recorded pace [default: without delays; 1 with --serve]"),
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
    let failed = |error: &dyn std::error::Error| {
        Failure::usage(format!("{}: {}", path.display(), chain(error)))
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut reader = Reader::new(BufReader::new(file)).map_err(|error| failed(&error))?;
    if matches.get_flag("serve") {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for entry in reader.by_ref() {
            let entry = entry.map_err(|error| failed(&error))?;
            // Subscription events of the recorder are not served.
            let Some(frame) = &entry.frame else { continue };
            bytes += frame.len() + entry.topic.len() + size_of::<Entry>();
            if bytes > MAX_SERVED {
                return Err(Failure::usage(format!("{} has over 1 GiB of frames", path.display())));
            }
            entries.push(entry);
        }
        warn_if_truncated(&reader, path);
        return sandbox::serve_recording(entries, speed.unwrap_or(1)).await;
    }
    // Without a pace nothing waits, and the default handling of signals is enough.
    let mut interrupts = speed.map(|_| Interrupts::listen()).transpose()?;
    let mut start: Option<(u64, Instant)> = None;
    for entry in reader.by_ref() {
        let entry = entry.map_err(|error| failed(&error))?;
        if let (Some(speed), Some(interrupts)) = (speed, &mut interrupts) {
            let (first, at) = *start.get_or_insert((entry.at, Instant::now()));
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
    warn_if_truncated(&reader, path);
    if reader.is_truncated() {
        return Err(Failure::new(Exit::Incomplete, "the recording is truncated"));
    }
    Ok(())
}

fn warn_if_truncated<R: std::io::Read>(reader: &Reader<R>, path: &Path) {
    if reader.is_truncated() {
        eprintln!("{}: the end of the recording is missing", path.display());
    }
}

/// An entry with its frame as JSON instead of a string.
fn line(entry: &Entry) -> Result<Json, Failure> {
    let text = serde_json::to_string(entry).map_err(|error| Failure::io(chain(&error)))?;
    let line = Json::parse(&text).map_err(|error| Failure::io(chain(&error)))?;
    let Json::Object(members) = line else { return Ok(line) };
    let parsed = |(name, value): (String, Json)| match &value {
        Json::Text(text) if name == "frame" => {
            let frame = Json::parse(text).unwrap_or(value);
            (name, frame)
        }
        _ => (name, value),
    };
    Ok(Json::Object(members.into_iter().map(parsed).collect()))
}
