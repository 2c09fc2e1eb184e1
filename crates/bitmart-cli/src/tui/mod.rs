//! `tui`: one market on the whole terminal.
//!
//! Data flows one way: [`feed`] makes events of streams and answers, [`model`] is what they add up to, and
//! [`view`] draws it. Keys change the model as well.

mod feed;
mod model;
mod view;

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches, Command};
use ratatui::crossterm::event::{self, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use self::model::Model;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupts::Interrupts;
use crate::names;

/// Events that may wait for the screen. Beyond them market data lag, which the screen shows.
const WAITING: usize = 1_024;
/// The screen is drawn as often at most.
const FRAME: Duration = Duration::from_millis(100);

pub(crate) fn command() -> Command {
    Command::new("tui")
        .about("One market on the whole terminal: book, candles, trades, own orders, health")
        .after_help(
            "Keys: q ends it, tab takes longer candles, down and up move the ladder away from the spread \
             and back. • marks levels with orders of your own. 80 columns and 24 lines are enough.",
        )
        .arg(Arg::new("symbol").required(true).value_name("SYMBOL").help("BTC_USDT or BTCUSDT"))
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    End,
    LongerCandles,
    Away,
    Back,
    /// The terminal has another size.
    Redraw,
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() {
        return Err(Failure::usage("tui needs a terminal")
            .with_advice("into a pipe: `bitmart watch` and `bitmart chart`"));
    }
    let symbol = matches.get_one::<String>("symbol").map_or("", String::as_str);
    let symbol = names::symbol(symbol);
    let target = context.target().await?;
    let mut model = Model::new(symbol.clone(), target.environment.name.clone());
    let (step, steps) = watch::channel(model.step);
    let (sender, mut events) = mpsc::channel(WAITING);
    let has_key = target.credentials.is_some();
    let (rest, streams) = (target.client()?, target.stream_client()?);
    feed::follow(rest, streams, &symbol, has_key, steps, sender).await?;

    let mut wishes = keys();
    // Ctrl-c is a key here; the polite kill is not.
    let mut interrupts = Interrupts::listen()?;
    // From here on the terminal is ours; a panic gives it back as well.
    let mut terminal =
        ratatui::try_init().map_err(|error| Failure::machine(format!("the terminal: {error}")))?;
    let mut tick = interval(FRAME);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let ended = loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(Ok(event)) => model.take(event, Instant::now()),
                Some(Err(failure)) => break Err(failure),
                None => break Ok(()),
            },
            wish = wishes.recv() => match wish {
                None | Some(Wish::End) => break Ok(()),
                Some(Wish::Redraw) => {}
                Some(Wish::Away) => model.scroll(true),
                Some(Wish::Back) => model.scroll(false),
                Some(Wish::LongerCandles) => {
                    model.next_step();
                    // Nobody listens when the feed has ended, which is told elsewhere.
                    let _ = step.send(model.step);
                }
            },
            () = interrupts.recv() => break Ok(()),
            _ = tick.tick() => {
                let drawn = terminal.draw(|frame| view::draw(frame, &model, Instant::now()));
                if let Err(error) = drawn {
                    break Err(Failure::machine(format!("the terminal: {error}")));
                }
            }
        }
    };
    ratatui::restore();
    ended
}

/// Reads keys in a thread of its own, which ends with the program.
fn keys() -> mpsc::Receiver<Wish> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if let Some(wish) = wish(&event)
                && sender.blocking_send(wish).is_err()
            {
                return;
            }
        }
    });
    receiver
}

fn wish(event: &event::Event) -> Option<Wish> {
    let key = match event {
        event::Event::Key(key) if key.kind != KeyEventKind::Release => key,
        event::Event::Resize(..) => return Some(Wish::Redraw),
        _ => return None,
    };
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c' | 'd') if control => Some(Wish::End),
        KeyCode::Char('q') | KeyCode::Esc => Some(Wish::End),
        KeyCode::Tab => Some(Wish::LongerCandles),
        KeyCode::Down => Some(Wish::Away),
        KeyCode::Up => Some(Wish::Back),
        _ => None,
    }
}
