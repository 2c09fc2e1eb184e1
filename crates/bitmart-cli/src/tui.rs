//! `tui`: one market on the full terminal.
//!
//! Data flows one way: [`feed`] turns messages and responses into events, [`model`] applies them, and [`view`]
//! draws the model. Keys change the model as well.

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
use crate::normalize;

/// Capacity of the event queue. When it is full, market data lag, which the screen shows.
const QUEUE: usize = 1_024;
/// Minimum interval of drawing.
const FRAME: Duration = Duration::from_millis(100);

pub(crate) fn command() -> Command {
    Command::new("tui")
        .about("Show one market on the full terminal: order book, candles, trades, own orders, connection")
        .after_help(
            "Keys: q quits, tab selects longer candles, down and up scroll the order book away from the spread \
             and back. • marks levels with own orders. 80 columns and 24 lines are enough.",
        )
        .arg(Arg::new("symbol").required(true).value_name("SYMBOL").help("BTC_USDT or BTCUSDT"))
}

/// The action of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Quit,
    NextCandleLength,
    ScrollAway,
    ScrollBack,
    /// The terminal was resized.
    Redraw,
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() {
        return Err(Failure::usage("tui needs a terminal")
            .with_advice("for a pipe use `bitmart watch` or `bitmart chart`"));
    }
    let symbol = matches.get_one::<String>("symbol").map_or("", String::as_str);
    let symbol = normalize::symbol(symbol);
    let target = context.target().await?;
    let mut model = Model::new(symbol.clone(), target.environment.name.clone());
    let (step, steps) = watch::channel(model.step);
    let (sender, mut events) = mpsc::channel(QUEUE);
    let has_key = target.credentials.is_some();
    let (rest, streams) = (target.client()?, target.stream_client()?);
    feed::start(rest, streams, &symbol, has_key, steps, sender).await?;

    let mut actions = actions();
    // In raw mode ctrl-c arrives as a key; SIGTERM arrives as a signal.
    let mut interrupts = Interrupts::listen()?;
    // A panic restores the terminal as well.
    let mut terminal =
        ratatui::try_init().map_err(|error| Failure::io(format!("the terminal: {error}")))?;
    let mut tick = interval(FRAME);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let result = loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(Ok(event)) => model.apply(event, Instant::now()),
                Some(Err(failure)) => break Err(failure),
                None => break Ok(()),
            },
            action = actions.recv() => match action {
                None | Some(Action::Quit) => break Ok(()),
                Some(Action::Redraw) => {}
                Some(Action::ScrollAway) => model.scroll_away(),
                Some(Action::ScrollBack) => model.scroll_back(),
                Some(Action::NextCandleLength) => {
                    model.next_step();
                    // The end of the feed is reported by its events.
                    let _ = step.send(model.step);
                }
            },
            () = interrupts.recv() => break Ok(()),
            _ = tick.tick() => {
                let drawn = terminal.draw(|frame| view::draw(frame, &model, Instant::now()));
                if let Err(error) = drawn {
                    break Err(Failure::io(format!("the terminal: {error}")));
                }
            }
        }
    };
    ratatui::restore();
    result
}

/// Reads keys in a thread, which ends with the program.
fn actions() -> mpsc::Receiver<Action> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if let Some(action) = action(&event)
                && sender.blocking_send(action).is_err()
            {
                return;
            }
        }
    });
    receiver
}

fn action(event: &event::Event) -> Option<Action> {
    let key = match event {
        event::Event::Key(key) if key.kind != KeyEventKind::Release => key,
        event::Event::Resize(..) => return Some(Action::Redraw),
        _ => return None,
    };
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c' | 'd') if control => Some(Action::Quit),
        KeyCode::Char('q') | KeyCode::Esc => Some(Action::Quit),
        KeyCode::Tab => Some(Action::NextCandleLength),
        KeyCode::Down => Some(Action::ScrollAway),
        KeyCode::Up => Some(Action::ScrollBack),
        _ => None,
    }
}
