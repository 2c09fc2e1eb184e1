//! `record`: writes received frames to a file.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitmart::rest::recording::frames::{Entry, Header, Writer};
use bitmart::ws::Update;
use bitmart::ws::event::{DecodeError, Event, RawEvent};
use clap::{Arg, ArgMatches, Command, value_parser};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::normalize;
use crate::secure_fs;
use crate::watch::topics::{ChannelTopic, KINDS, TopicOptions, topics};
use crate::watch::{SubscriptionEvent, subscribe_reporting};

/// Capacity of the queue of frames to be written. When it is full, public topics lag, which is recorded.
const QUEUE: usize = 4_096;
/// Interval of syncing the file.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

pub(crate) fn command() -> Command {
    Command::new("record")
        .about("Record WebSocket frames, for `replay` and for tests")
        .after_help(
            "A topic is a kind of `watch` with a symbol, such as ticker:BTC_USDT, book:BTCUSDT (all updates \
             of the book) or orders, or a name on the wire such as spot/bookTicker:BTC_USDT. Only received \
             frames are recorded, so no key and no signature; frames of orders, balances and positions \
             contain account data. Ctrl-c ends it; if the program is killed, the last second is lost.",
        )
        .arg(
            Arg::new("topics")
                .long("topics")
                .required(true)
                .value_name("A,B,...")
                .value_delimiter(',')
                .help("The topics to record"),
        )
        .arg(
            Arg::new("out")
                .long("out")
                .required(true)
                .value_name("FILE")
                .help("A new file, gzip-compressed"),
        )
        .arg(number("frames", "N", "Stop after N frames"))
        .arg(number("seconds", "N", "Stop after N seconds"))
}

fn number(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    let parser = value_parser!(u64).range(1..);
    Arg::new(name).long(name).value_name(value).value_parser(parser).help(help)
}

/// A received frame.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Time of receipt in microseconds since 1970.
    at: u64,
    pub(crate) text: String,
    symbol: Option<String>,
}

impl Event for Frame {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        let at = now_us();
        let mut entries = Vec::new();
        // A malformed frame is recorded as well, for every topic of its channel.
        let _ = RawEvent::decode(text, &mut entries);
        // A frame has one symbol. On futures it may contain all contracts; the first one counts then.
        let symbol = entries.first().and_then(Event::symbol).map(str::to_owned);
        out.push(Self { at, text: text.to_owned(), symbol });
        Ok(())
    }

    fn symbol(&self) -> Option<&str> {
        self.symbol.as_deref()
    }
}

fn now_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let names = matches.get_many::<String>("topics").unwrap_or_default();
    let mut requested: Vec<ChannelTopic> = Vec::new();
    for name in names {
        for topic in parse_topics(name).map_err(Failure::usage)? {
            if !requested.contains(&topic) {
                requested.push(topic);
            }
        }
    }
    let path = Path::new(matches.get_one::<String>("out").map_or("", String::as_str));
    let target = context.target().await?;
    let client = target.stream_client()?;
    let (sender, mut entries) = mpsc::channel(QUEUE);
    for topic in &requested {
        subscribe(&client, topic, &sender).await?;
    }
    drop(sender);
    let mut interrupts = Interrupts::listen()?;
    // Created last, so that a rejected topic leaves no file behind.
    let failed = |error: &dyn std::error::Error| {
        Failure::io(format!("{}: {}", path.display(), chain(error)))
    };
    // Recordings are not continued or overwritten.
    let file = secure_fs::create_new(path).map_err(|error| failed(&error))?;
    let names = requested.iter().map(|topic| topic.name.as_str());
    let header = Header::new(target.environment.name.clone(), names);
    let mut writer = Writer::new(file, &header).map_err(|error| failed(&error))?;

    let mut left = matches.get_one::<u64>("frames").copied().unwrap_or(u64::MAX);
    let seconds = matches.get_one::<u64>("seconds").copied().unwrap_or(u64::from(u32::MAX));
    let deadline = sleep_until(Instant::now() + Duration::from_secs(seconds));
    tokio::pin!(deadline);
    let mut sync = interval(SYNC_INTERVAL);
    sync.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut frames, mut gaps) = (0_u64, 0_u64);
    let mut failure = None;
    while left > 0 {
        let entry = tokio::select! {
            entry = entries.recv() => entry,
            _ = sync.tick() => {
                writer.flush().map_err(|error| failed(&error))?;
                writer.get_ref().sync_data().map_err(|error| failed(&error))?;
                continue;
            }
            () = deadline.as_mut() => break,
            () = interrupts.recv() => break,
        };
        match entry {
            Some(Ok(entry)) => {
                writer.write(&entry).map_err(|error| failed(&error))?;
                if entry.frame.is_some() {
                    frames += 1;
                    left -= 1;
                } else if matches!(
                    entry.event.as_deref(),
                    Some("reconnecting" | "lagged" | "malformed")
                ) {
                    gaps += 1;
                    eprintln!("{} {}", entry.topic, entry.event.unwrap_or_default());
                }
            }
            Some(Err(error)) => {
                failure = Some(error);
                break;
            }
            None => break,
        }
    }
    let file = writer.finish().map_err(|error| failed(&error))?;
    file.sync_all().map_err(|error| failed(&error))?;
    eprintln!("{frames} frames, {gaps} gaps");
    match failure {
        Some(failure) => Err(failure),
        None if frames == 0 => Err(Failure::new(Exit::Incomplete, "no frame was received")),
        None => Ok(()),
    }
}

async fn subscribe(
    client: &bitmart::ws::Client,
    topic: &ChannelTopic,
    sender: &mpsc::Sender<Result<Entry, Failure>>,
) -> Result<(), Failure> {
    let report = |event: &SubscriptionEvent| {
        eprintln!("{} {}", topic.name, event.detail.as_deref().unwrap_or_default());
        Ok(())
    };
    let mut updates = subscribe_reporting(client, topic.topic::<Frame>(), report).await?;
    let (sender, name) = (sender.clone(), topic.name.clone());
    tokio::spawn(async move {
        while let Some(update) = updates.next().await {
            let entry = match update {
                Ok(Update::Data(frame)) => Ok(Entry::frame(frame.at, name.as_str(), frame.text)),
                Ok(update) => match SubscriptionEvent::from_update(&update) {
                    Some(SubscriptionEvent { event, detail }) => {
                        Ok(Entry::event(now_us(), name.as_str(), event, detail))
                    }
                    None => continue,
                },
                Err(error) => Err(Failure::from(error)),
            };
            if sender.send(entry).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// The topics of `ticker:BTC_USDT`, `orders` or `spot/ticker:BTC_USDT`.
fn parse_topics(text: &str) -> Result<Vec<ChannelTopic>, String> {
    if text.contains('/') {
        return Ok(vec![ChannelTopic::from_wire_name(text)?]);
    }
    let (kind, symbol) = match text.split_once(':') {
        Some((kind, symbol)) => (kind, Some(symbol)),
        None => (text, None),
    };
    let (kind, symbol) = (kind.to_ascii_lowercase(), symbol.map(normalize::symbol));
    let (kind, symbol) = (kind.as_str(), symbol.as_deref());
    if !KINDS.iter().any(|(known, _)| *known == kind) {
        return Err(format!(
            "{text:?} is not a topic such as ticker:BTC_USDT or spot/ticker:BTC_USDT"
        ));
    }
    match symbol {
        Some(symbol) if kind == "book" && symbol.contains('_') => {
            Ok(vec![ChannelTopic::from_wire_name(&format!("spot/depth/increase100:{symbol}"))?])
        }
        Some(symbol) if kind == "book" => Ok(vec![ChannelTopic::from_wire_name(&format!(
            "futures/depthIncrease50:{symbol}@200ms"
        ))?]),
        symbol => {
            let symbols: Vec<_> = symbol.into_iter().map(str::to_owned).collect();
            topics(kind, &symbols, &TopicOptions::default())
        }
    }
}

#[cfg(test)]
mod tests {
    use bitmart::ws::event::Event as _;

    use super::Frame;

    #[test]
    fn malformed_frames_are_recorded() {
        let mut frames = Vec::new();
        for text in
            [r#"{"table":"spot/ticker","data":[{"symbol":"A_B"}]}"#, "{\"table\":\"spot/ticker\","]
        {
            Frame::decode(text, &mut frames).expect("a frame");
            let frame = frames.last().expect("a frame");
            assert_eq!(frame.text, text);
        }
        let symbols: Vec<_> = frames.iter().map(Frame::symbol).collect();
        assert_eq!(symbols, [Some("A_B"), None]);
    }
}
