//! `collect history`: writes a span of the history as a recording.

use std::path::Path;

use bitmart::Timestamp;
use bitmart::rest::recording::frames::{Entry, Header, Writer};
use bitmart::ws::{FanInOptions, TopicUpdate, Update};
use bitmart_fleet::nats::Replay;
use clap::{Arg, ArgMatches, Command};

use super::config::Config;
use super::failure;
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::record::Frame;
use crate::secure_fs;
use crate::watch::SubscriptionEvent;

pub(super) fn command() -> Command {
    let argument =
        |name: &'static str, value, help| Arg::new(name).long(name).value_name(value).help(help);
    let time = |name, help| argument(name, "TIME", help).value_parser(parse_time);
    Command::new("history")
        .about("Write what the stream of NATS still has of a span as a recording, for `replay`")
        .after_help(
            "Times are as in 2026-11-30T20:00:00Z, on the clock of NATS. The recording has what a reader of \
             the topics would have seen: the merged frames of all collectors, each with the time at which a \
             collector received it, and events such as reconnecting and lagged where something is missing. \
             If the stream does not reach back to the begin, each topic begins with lagged, and the \
             command says so and fails with code 10, after it has written what there is.",
        )
        .arg(argument("config", "FILE", "The configuration of a collector").required(true))
        .arg(time("from", "Begin of the span").required(true))
        .arg(time("to", "End of the span [default: now]"))
        .arg(
            argument("topics", "A,B,...", "Only these topics of the configuration")
                .value_delimiter(','),
        )
        .arg(argument("out", "FILE", "A new file, gzip-compressed").required(true))
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "not a time such as 2026-11-30T20:00:00Z".to_owned())
}

pub(super) async fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name| matches.get_one::<String>(name).map_or("", String::as_str);
    let config = Config::read(Path::new(text("config")))?;
    let only: Vec<&str> =
        matches.get_many::<String>("topics").unwrap_or_default().map(String::as_str).collect();
    let topics = config.topics(&only)?;
    let from = matches.get_one("from").copied().unwrap_or_else(Timestamp::now);
    let to = matches.get_one("to").copied().unwrap_or_else(Timestamp::now);
    let mut interrupts = Interrupts::listen()?;
    let opened = config.history(&topics)?.open(from..to).await;
    let history = opened.map_err(|error| failure(&error))?;
    let (begins_late, oldest) = (history.begins_late(), history.oldest());
    let replay = Replay::new(history);
    let client = replay.client().map_err(|error| failure(&error))?;
    let read_as = topics.iter().map(bitmart::ws::topic::Topic::clone);
    let updates = client.fan_in_with(read_as, FanInOptions::new()).await;
    let mut updates = updates.map_err(Failure::from)?;

    let path = Path::new(text("out"));
    let failed = |error: &dyn std::error::Error| {
        Failure::io(format!("{}: {}", path.display(), chain(error)))
    };
    // Recordings are not continued or overwritten.
    let file = secure_fs::create_new(path).map_err(|error| failed(&error))?;
    let names = topics.iter().map(bitmart::ws::topic::Topic::name);
    let mut writer = Writer::new(file, &Header::new("fleet", names)).map_err(|e| failed(&e))?;
    let (mut frames, mut gaps, mut is_interrupted) = (0_u64, 0_u64, false);
    loop {
        let update = tokio::select! {
            update = updates.next() => update,
            () = interrupts.recv() => {
                is_interrupted = true;
                None
            }
        };
        let entry = match update {
            None => break,
            // The span ends with an error of each topic; others are reported by the replay.
            Some(Err(_)) => continue,
            Some(Ok(update)) => entry(update),
        };
        let Some(entry) = entry else { continue };
        writer.write(&entry).map_err(|error| failed(&error))?;
        frames += u64::from(entry.frame.is_some());
        let is_gap =
            matches!(entry.event.as_deref(), Some("reconnecting" | "lagged" | "malformed"));
        gaps += u64::from(is_gap);
    }
    let file = writer.finish().map_err(|error| failed(&error))?;
    file.sync_all().map_err(|error| failed(&error))?;
    eprintln!("{frames} frames, {gaps} gaps");
    if is_interrupted {
        return Err(Failure::new(Exit::Incomplete, "ended before the end of the span"));
    }
    replay.finished().await.map_err(|error| failure(&error))?;
    match (begins_late, oldest) {
        (false, _) => Ok(()),
        (true, Some(oldest)) => {
            Err(Failure::new(Exit::Incomplete, format!("the history begins at {oldest}")))
        }
        (true, None) => Err(Failure::new(Exit::Incomplete, "the history is empty")),
    }
}

/// The line of an update. The time is that of the collector.
fn entry(update: TopicUpdate<Frame>) -> Option<Entry> {
    let at = u64::try_from(update.received_at.timestamp.as_millis()).unwrap_or(0) * 1_000;
    let name = update.topic.name();
    match update.update {
        Update::Data(frame) => Some(Entry::frame(at, name, frame.text)),
        other => {
            let SubscriptionEvent { event, detail } = SubscriptionEvent::from_update(&other)?;
            Some(Entry::event(at, name, event, detail))
        }
    }
}
