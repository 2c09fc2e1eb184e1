//! `record`: frames as they come, into a file.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitmart::sandbox::recording::{Entry, Header, Writer};
use bitmart::ws::Update;
use bitmart::ws::event::{DecodeError, Event, RawEvent};
use clap::{Arg, ArgMatches, Command, value_parser};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::names;
use crate::watch::topics::{KINDS, Named, Wish, topics};
use crate::watch::{Happening, subscribe_telling};

/// Frames that may wait for the disk. Beyond them public topics lag, which the file then says.
const WAITING: usize = 4_096;
/// How often the file is made safe.
const SAFE: Duration = Duration::from_secs(1);

pub(crate) fn command() -> Command {
    Command::new("record")
        .about("Records frames of channels, for `replay` and for tests")
        .after_help(
            "Topics are kinds of `watch` with a symbol, as in ticker:BTC_USDT, book:BTCUSDT (all updates \
             of the book), orders, or names on the wire like spot/bookTicker:BTC_USDT. Nothing that is \
             sent is recorded, so no key and no signature; frames of orders, balances and positions are \
             about the account. Ctrl-c ends it; a program that dies loses the last second.",
        )
        .arg(
            Arg::new("topics")
                .long("topics")
                .required(true)
                .value_name("A,B,...")
                .value_delimiter(',')
                .help("What to record"),
        )
        .arg(
            Arg::new("out")
                .long("out")
                .required(true)
                .value_name("FILE")
                .help("A new file, compressed; the name may end with .gz"),
        )
        .arg(number("frames", "N", "End after so many frames"))
        .arg(number("seconds", "N", "End after so long"))
}

fn number(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    let parser = value_parser!(u64).range(1..);
    Arg::new(name).long(name).value_name(value).value_parser(parser).help(help)
}

/// A frame as it came.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    at: u64,
    pub(crate) text: String,
    symbol: Option<String>,
}

impl Event for Frame {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        let at = now_us();
        let mut entries = Vec::new();
        // A frame that cannot be read is recorded as well, for every topic of its channel.
        let _ = RawEvent::decode(text, &mut entries);
        // A frame is about one symbol. On futures it may be about all, and then names the first.
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
    let words = matches.get_many::<String>("topics").unwrap_or_default();
    let mut asked: Vec<Named> = Vec::new();
    for word in words {
        for topic in named(word).map_err(Failure::usage)? {
            if !asked.contains(&topic) {
                asked.push(topic);
            }
        }
    }
    let path = Path::new(matches.get_one::<String>("out").map_or("", String::as_str));
    let target = context.target().await?;
    let client = target.stream_client()?;
    let (sender, mut entries) = mpsc::channel(WAITING);
    for topic in &asked {
        subscribe(&client, topic, &sender).await?;
    }
    drop(sender);
    let mut interrupts = Interrupts::listen()?;
    // Only now, so that a topic that is refused leaves no file in the way.
    let broken = |error: &dyn std::error::Error| {
        Failure::machine(format!("{}: {}", path.display(), chain(error)))
    };
    let file = create(path).map_err(|error| broken(&error))?;
    let names = asked.iter().map(|topic| topic.name.as_str());
    let header = Header::new(target.environment.name.clone(), names);
    let mut writer = Writer::new(file, &header).map_err(|error| broken(&error))?;

    let mut left = matches.get_one::<u64>("frames").copied().unwrap_or(u64::MAX);
    let seconds = matches.get_one::<u64>("seconds").copied().unwrap_or(u64::from(u32::MAX));
    let end = sleep_until(Instant::now() + Duration::from_secs(seconds));
    tokio::pin!(end);
    let mut safe = interval(SAFE);
    safe.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut frames, mut gaps) = (0_u64, 0_u64);
    let mut failure = None;
    while left > 0 {
        let entry = tokio::select! {
            entry = entries.recv() => entry,
            _ = safe.tick() => {
                writer.flush().map_err(|error| broken(&error))?;
                writer.get_ref().sync_data().map_err(|error| broken(&error))?;
                continue;
            }
            () = end.as_mut() => break,
            () = interrupts.recv() => break,
        };
        match entry {
            Some(Ok(entry)) => {
                writer.write(&entry).map_err(|error| broken(&error))?;
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
    let file = writer.finish().map_err(|error| broken(&error))?;
    file.sync_all().map_err(|error| broken(&error))?;
    eprintln!("{frames} frames, {gaps} gaps");
    match failure {
        Some(failure) => Err(failure),
        None if frames == 0 => Err(Failure::new(Exit::Incomplete, "no frame came")),
        None => Ok(()),
    }
}

/// The file is new: a recording is not continued, and none is overwritten.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

async fn subscribe(
    client: &bitmart::ws::Client,
    topic: &Named,
    sender: &mpsc::Sender<Result<Entry, Failure>>,
) -> Result<(), Failure> {
    let tell = |trouble: &Happening| {
        eprintln!("{} {}", topic.name, trouble.detail.as_deref().unwrap_or_default());
        Ok(())
    };
    let mut updates = subscribe_telling(client, topic.topic::<Frame>(), tell).await?;
    let (sender, name) = (sender.clone(), topic.name.clone());
    tokio::spawn(async move {
        while let Some(update) = updates.next().await {
            let entry = match update {
                Ok(Update::Data(frame)) => Ok(Entry::frame(frame.at, name.as_str(), frame.text)),
                Ok(update) => match Happening::of(&update) {
                    Some(Happening { event, detail }) => {
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

/// `ticker:BTC_USDT`, `orders` or `spot/ticker:BTC_USDT`.
fn named(word: &str) -> Result<Vec<Named>, String> {
    if word.contains('/') {
        return Ok(vec![Named::wire(word)?]);
    }
    let (kind, symbol) = match word.split_once(':') {
        Some((kind, symbol)) => (kind, Some(symbol)),
        None => (word, None),
    };
    let (kind, symbol) = (kind.to_ascii_lowercase(), symbol.map(names::symbol));
    let (kind, symbol) = (kind.as_str(), symbol.as_deref());
    if !KINDS.iter().any(|(known, _)| *known == kind) {
        return Err(format!("{word:?}: topics are as in ticker:BTC_USDT or spot/ticker:BTC_USDT"));
    }
    match symbol {
        Some(symbol) if kind == "book" && symbol.contains('_') => {
            Ok(vec![Named::wire(&format!("spot/depth/increase100:{symbol}"))?])
        }
        Some(symbol) if kind == "book" => {
            Ok(vec![Named::wire(&format!("futures/depthIncrease50:{symbol}@200ms"))?])
        }
        symbol => {
            let symbols: Vec<_> = symbol.into_iter().map(str::to_owned).collect();
            topics(kind, &symbols, &Wish::default())
        }
    }
}

#[cfg(test)]
mod tests {
    use bitmart::ws::event::Event as _;

    use super::Frame;

    #[test]
    fn a_frame_that_cannot_be_read_is_kept() {
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
