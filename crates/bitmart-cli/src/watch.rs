//! `watch`: prints the messages of channels, one line each.

mod printer;
mod times;
pub(crate) mod topics;

use std::time::Duration;

use bitmart::Timestamp;
use bitmart::ws::event::{Event, RawEvent};
use bitmart::ws::topic::Topic;
use bitmart::ws::{Client, Subscription, Update};
use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::sync::mpsc;

use self::printer::Printer;
use self::topics::{ChannelTopic, KINDS, TopicOptions, topics};
use crate::context::Context;
use crate::failure::{Failure, chain};
use crate::interrupts::Interrupts;
use crate::output::{self, json::Json};

/// Capacity of the queue for a slow terminal. When it is full, subscriptions lag, which is reported.
const QUEUE: usize = 256;

pub(crate) fn command() -> Command {
    let kinds = KINDS.map(|(kind, symbols)| format!("{kind} ({symbols})")).join(", ");
    Command::new("watch")
        .about("Stream ticker, trades, book, klines, orders, balances or positions")
        .after_help(format!(
            "Kinds, with the symbols they take: {kinds}. Subscription events such as `reconnecting` and \
             `lagged` are lines of their own, with a member `event`. Ctrl-c ends it."
        ))
        .arg(
            Arg::new("kind")
                .required(true)
                .value_name("WHAT")
                .value_parser(KINDS.map(|(kind, _)| kind))
                .ignore_case(true)
                .help("The kind of data"),
        )
        .arg(
            Arg::new("symbols")
                .num_args(0..)
                .value_name("SYMBOL")
                .help("Pairs such as BTC_USDT, contracts such as BTCUSDT"),
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
                .value_parser(STEPS.map(|step| PossibleValue::new(step).alias(lower_case(step))))
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
                .help("Stop after N rows"),
        )
}

/// A line to print.
#[derive(Debug)]
pub(crate) enum Line {
    /// The data of a topic.
    Row(String, Json),
    /// A subscription event.
    Event(Json),
    /// A failure that ends the program.
    Failure(Failure),
}

/// Lengths of candles as in topics.
const STEPS: [&str; 9] = ["1m", "5m", "15m", "30m", "1H", "2H", "4H", "1D", "1W"];

/// The alias of a length in lower case. Minutes have no alias: `1M` is a month elsewhere.
fn lower_case(step: &'static str) -> &'static str {
    match step {
        "1H" => "1h",
        "2H" => "2h",
        "4H" => "4h",
        "1D" => "1d",
        "1W" => "1w",
        other => other,
    }
}

/// Interval of checks whether the reader of standard output is still there.
const READER_CHECK: Duration = Duration::from_millis(500);

/// Streams until ctrl-c, or until the reader of standard output is gone.
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
    let options = TopicOptions {
        levels: text("levels").parse().unwrap_or(5),
        step: STEPS
            .iter()
            .find(|step| [**step, lower_case(step)].contains(&text("step").as_str()))
            .map_or_else(String::new, |step| (*step).to_owned()),
        futures: matches.get_flag("futures"),
    };
    let topics =
        topics(&text("kind").to_ascii_lowercase(), &symbols, &options).map_err(Failure::usage)?;
    let mut remaining = matches.get_one::<u64>("count").copied();
    let mut printer = Printer::new(context.output.clone());
    let mut lines = subscribe(context, &topics, &printer).await?;
    let mut interrupts = Interrupts::listen()?;
    let has_several_topics = topics.len() > 1;
    let mut reader_check = tokio::time::interval(READER_CHECK);
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = reader_check.tick() => {
                if output::is_closed() {
                    return Ok(());
                }
                continue;
            }
            () = interrupts.recv() => return Ok(()),
        };
        match line {
            Some(Line::Row(topic, row)) => {
                printer.row(has_several_topics.then_some(topic.as_str()), &row)?;
                if let Some(remaining) = &mut remaining {
                    *remaining -= 1;
                    if *remaining == 0 {
                        return Ok(());
                    }
                }
            }
            Some(Line::Event(event)) => printer.event(&event)?,
            Some(Line::Failure(failure)) => return Err(failure),
            None => return Ok(()),
        }
    }
}

/// Subscribes to all topics and merges their lines.
async fn subscribe(
    context: &Context,
    topics: &[ChannelTopic],
    printer: &Printer,
) -> Result<mpsc::Receiver<Line>, Failure> {
    let client = context.target().await?.stream_client()?;
    let (sender, receiver) = mpsc::channel(QUEUE);
    for topic in topics {
        let report = |event: &SubscriptionEvent| printer.event(&event.to_json(&topic.name));
        let mut updates = subscribe_reporting(&client, topic.topic::<RawEvent>(), report).await?;
        let (sender, name) = (sender.clone(), topic.name.clone());
        tokio::spawn(async move {
            while let Some(update) = updates.next().await {
                let line = match update {
                    Ok(update) => line(&name, &update),
                    Err(error) => Some(Line::Failure(Failure::from(error))),
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

/// Subscribes, and reports meanwhile why there is no connection.
pub(crate) async fn subscribe_reporting<T: Event>(
    client: &Client,
    topic: Topic<T>,
    mut report: impl FnMut(&SubscriptionEvent) -> Result<(), Failure>,
) -> Result<Subscription<T>, Failure> {
    let mut problems = client.connection_problems();
    let mut subscribing = std::pin::pin!(client.subscribe(topic));
    loop {
        tokio::select! {
            biased;
            subscription = &mut subscribing => return Ok(subscription?),
            Some(problem) = problems.next() => {
                let detail = Some(problem.reason.to_string());
                report(&SubscriptionEvent { event: "reconnecting", detail })?;
            }
        }
    }
}

fn line(topic: &str, update: &Update<RawEvent>) -> Option<Line> {
    if let Update::Data(event) = update {
        return Some(match Json::parse(event.json.get()) {
            Ok(row) => Line::Row(topic.to_owned(), row),
            Err(error) => {
                let detail = Some(error.to_string());
                Line::Event(SubscriptionEvent { event: "malformed", detail }.to_json(topic))
            }
        });
    }
    SubscriptionEvent::from_update(update).map(|event| Line::Event(event.to_json(topic)))
}

/// An event of a subscription other than data.
#[derive(Debug)]
pub(crate) struct SubscriptionEvent {
    pub(crate) event: &'static str,
    pub(crate) detail: Option<String>,
}

impl SubscriptionEvent {
    /// `None` for data.
    pub(crate) fn from_update<T>(update: &Update<T>) -> Option<Self> {
        let (event, detail) = match update {
            Update::Data(_) => return None,
            Update::Subscribed => ("subscribed", None),
            Update::Reconnecting(reason) => ("reconnecting", Some(reason.to_string())),
            Update::Resynced => ("resynced", None),
            Update::Stale(_) => ("stale", Some("nothing was received for 15 s".to_owned())),
            Update::Alive => ("alive", None),
            Update::Lagged(missed) => ("lagged", Some(format!("{missed} events were dropped"))),
            Update::Malformed(error) => ("malformed", Some(chain(error))),
            Update::RequestRejected(rejection) => ("request_rejected", Some(rejection.to_string())),
            _ => ("unknown", None),
        };
        Some(Self { event, detail })
    }

    /// The event as a line of `watch`.
    fn to_json(&self, topic: &str) -> Json {
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
