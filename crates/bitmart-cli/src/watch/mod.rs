//! `watch`: channels as lines.

mod printer;
pub(crate) mod topics;

use std::time::Duration;

use bitmart::Timestamp;
use bitmart::ws::event::{Event, RawEvent};
use bitmart::ws::{Client, Subscription, Topic, Update};
use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::sync::mpsc;

use self::printer::Printer;
use self::topics::{KINDS, Named, Wish, topics};
use crate::context::Context;
use crate::failure::{Failure, chain};
use crate::interrupts::Interrupts;
use crate::output::{self, json::Json};

/// Lines that may wait for a slow terminal. Beyond them subscriptions lag, which is told.
const WAITING: usize = 256;

pub(crate) fn command() -> Command {
    let kinds = KINDS.map(|(kind, symbols)| format!("{kind} ({symbols})")).join(", ");
    Command::new("watch")
        .about("Streams ticker, trades, book, klines, orders, balances or positions")
        .after_help(format!(
            "There are {kinds}. Gaps, lags and new connections are lines of their own, with a member \
             `event`; ctrl-c ends it."
        ))
        .arg(
            Arg::new("kind")
                .required(true)
                .value_name("WHAT")
                .value_parser(KINDS.map(|(kind, _)| kind))
                .ignore_case(true),
        )
        .arg(
            Arg::new("symbols")
                .num_args(0..)
                .value_name("SYMBOL")
                .help("Pairs like BTC_USDT, contracts like BTCUSDT"),
        )
        .arg(
            Arg::new("levels")
                .long("levels")
                .value_name("N")
                .value_parser(["5", "20", "50"])
                .default_value("5")
                .help("Levels of each side of a book"),
        )
        .arg(
            Arg::new("step")
                .long("step")
                .value_name("TIME")
                .value_parser(STEPS.map(|step| PossibleValue::new(step).alias(small(step))))
                .default_value("1m")
                .help("Length of a candle"),
        )
        .arg(
            Arg::new("futures")
                .long("futures")
                .action(ArgAction::SetTrue)
                .help("Orders or balances of futures"),
        )
        .arg(
            Arg::new("count")
                .long("count")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..))
                .help("End after so many rows"),
        )
}

/// A line to print: a row, or what happened to a subscription.
#[derive(Debug)]
pub(crate) enum Line {
    Row(String, Json),
    Note(Json),
    End(Failure),
}

/// Steps of candles as the topics name them.
const STEPS: [&str; 9] = ["1m", "5m", "15m", "30m", "1H", "2H", "4H", "1D", "1W"];
/// The step as it may be typed as well. Minutes have no other form: `1M` is a month elsewhere.
fn small(step: &'static str) -> &'static str {
    match step {
        "1H" => "1h",
        "2H" => "2h",
        "4H" => "4h",
        "1D" => "1d",
        "1W" => "1w",
        other => other,
    }
}

/// How often to look whether somebody still reads, while nothing is to be printed.
const LOOK: Duration = Duration::from_millis(500);

/// Streams until ctrl-c, or until nobody reads it any more.
pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    match follow(context, matches).await {
        Err(failure) if failure.is_quiet() => Ok(()),
        done => done,
    }
}

async fn follow(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let symbols: Vec<_> =
        matches.get_many::<String>("symbols").unwrap_or_default().cloned().collect();
    let wish = Wish {
        levels: text("levels").parse().unwrap_or(5),
        step: STEPS
            .iter()
            .find(|step| [**step, small(step)].contains(&text("step").as_str()))
            .map_or_else(String::new, |step| (*step).to_owned()),
        futures: matches.get_flag("futures"),
    };
    let topics =
        topics(&text("kind").to_ascii_lowercase(), &symbols, &wish).map_err(Failure::usage)?;
    let mut left = matches.get_one::<u64>("count").copied();
    let mut printer = Printer::new(context.view.clone());
    let mut lines = subscribe(context, &topics, &printer).await?;
    let mut interrupts = Interrupts::listen()?;
    let several = topics.len() > 1;
    let mut look = tokio::time::interval(LOOK);
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = look.tick() => {
                if output::is_closed() {
                    return Ok(());
                }
                continue;
            }
            () = interrupts.recv() => return Ok(()),
        };
        match line {
            Some(Line::Row(topic, row)) => {
                printer.row(several.then_some(topic.as_str()), &row)?;
                if let Some(left) = &mut left {
                    *left -= 1;
                    if *left == 0 {
                        return Ok(());
                    }
                }
            }
            Some(Line::Note(note)) => printer.note(&note)?,
            Some(Line::End(failure)) => return Err(failure),
            None => return Ok(()),
        }
    }
}

/// Subscribes to all topics, and gives what comes of them.
async fn subscribe(
    context: &Context,
    topics: &[Named],
    printer: &Printer,
) -> Result<mpsc::Receiver<Line>, Failure> {
    let client = context.target().await?.stream_client()?;
    let (sender, receiver) = mpsc::channel(WAITING);
    for topic in topics {
        let tell = |trouble: &Happening| printer.note(&trouble.line(&topic.name));
        let mut updates = subscribe_telling(&client, topic.topic::<RawEvent>(), tell).await?;
        let (sender, name) = (sender.clone(), topic.name.clone());
        tokio::spawn(async move {
            while let Some(update) = updates.next().await {
                let line = match update {
                    Ok(update) => line(&name, &update),
                    Err(error) => Some(Line::End(Failure::from(error))),
                };
                if let Some(line) = line
                    && sender.send(line).await.is_err()
                {
                    return;
                }
            }
        });
    }
    Ok(receiver)
}

/// Subscribes, and tells meanwhile why there is no connection.
pub(crate) async fn subscribe_telling<T: Event>(
    client: &Client,
    topic: Topic<T>,
    mut tell: impl FnMut(&Happening) -> Result<(), Failure>,
) -> Result<Subscription<T>, Failure> {
    let mut troubles = client.connection_problems();
    let mut subscribing = std::pin::pin!(client.subscribe(topic));
    loop {
        tokio::select! {
            biased;
            subscription = &mut subscribing => return Ok(subscription?),
            Some(trouble) = troubles.next() => {
                let detail = Some(trouble.reason.to_string());
                tell(&Happening { event: "reconnecting", detail })?;
            }
        }
    }
}

fn line(topic: &str, update: &Update<RawEvent>) -> Option<Line> {
    if let Update::Data(event) = update {
        return Some(match Json::read(event.json.get()) {
            Ok(row) => Line::Row(topic.to_owned(), row),
            Err(error) => {
                let detail = Some(error.to_string());
                Line::Note(Happening { event: "malformed", detail }.line(topic))
            }
        });
    }
    Happening::of(update).map(|happening| Line::Note(happening.line(topic)))
}

/// What happened to a subscription.
#[derive(Debug)]
pub(crate) struct Happening {
    pub(crate) event: &'static str,
    pub(crate) detail: Option<String>,
}

impl Happening {
    /// `None` for data.
    pub(crate) fn of<T>(update: &Update<T>) -> Option<Self> {
        let (event, detail) = match update {
            Update::Data(_) => return None,
            Update::Subscribed => ("subscribed", None),
            Update::Reconnecting(reason) => ("reconnecting", Some(reason.to_string())),
            Update::Resynced => ("resynced", None),
            Update::Stale(_) => ("stale", Some("nothing has been heard for 15 s".to_owned())),
            Update::Alive => ("alive", None),
            Update::Lagged(missed) => ("lagged", Some(format!("{missed} events were dropped"))),
            Update::Malformed(error) => ("malformed", Some(chain(error))),
            Update::RequestRejected(rejection) => ("request_rejected", Some(rejection.to_string())),
            _ => ("unknown", None),
        };
        Some(Self { event, detail })
    }

    /// As a line of `watch`.
    fn line(&self, topic: &str) -> Json {
        let text = |text: &str| Json::Text(text.to_owned());
        let mut members = vec![
            ("event".to_owned(), text(self.event)),
            ("topic".to_owned(), text(topic)),
            ("at".to_owned(), Json::Number(Timestamp::now().as_millis().to_string())),
        ];
        let detail = self.detail.as_deref().map(|detail| ("detail".to_owned(), text(detail)));
        members.extend(detail);
        Json::Object(members)
    }
}
