//! `chart`: candles in the terminal.

use bitmart::rest::{Client, futures, spot};
use bitmart::{Decimal, Timestamp};
use clap::{Arg, ArgMatches, Command, value_parser};

use crate::context::Context;
use crate::failure::Failure;
use crate::normalize;
use crate::output;

/// Height of the chart in lines.
const HEIGHT: u32 = 16;

/// The prices of a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candle {
    pub(crate) time: Timestamp,
    pub(crate) open: Decimal,
    pub(crate) high: Decimal,
    pub(crate) low: Decimal,
    pub(crate) close: Decimal,
}

pub(crate) fn command() -> Command {
    Command::new("chart")
        .about("Candles of a pair or contract, drawn in the terminal")
        .after_help(
            "█ rose or stayed, ░ fell, │ beyond open and close. The numbers: see `spot klines`.",
        )
        .arg(Arg::new("symbol").required(true).value_name("SYMBOL").help("BTC_USDT or BTCUSDT"))
        .arg(
            Arg::new("step")
                .long("step")
                .value_name("MINUTES")
                .value_parser(["1", "5", "15", "30", "60", "240", "1440"])
                .default_value("1")
                .help("Length of a candle"),
        )
        .arg(
            Arg::new("candles")
                .long("candles")
                .value_name("N")
                .value_parser(value_parser!(u32).range(1..=200))
                .default_value("60")
                .help("How many at most"),
        )
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let (symbol, step) = (normalize::symbol(text("symbol")), text("step"));
    let count = matches.get_one::<u32>("candles").copied().unwrap_or(60);
    let target = context.target().await?;
    let candles = fetch(&target.client()?, &symbol, step, count).await?;
    let picture = draw(&candles)
        .ok_or_else(|| Failure::usage(format!("{symbol} has no candles of {step} minutes yet")))?;
    output::write(format!("{symbol}, {step} min\n{picture}").as_bytes())
}

/// The latest candles, oldest first.
pub(crate) async fn fetch(
    client: &Client,
    symbol: &str,
    step: &str,
    count: u32,
) -> Result<Vec<Candle>, Failure> {
    let minutes: i64 = step.parse().unwrap_or(1);
    // Symbols of pairs contain an underscore, those of contracts do not.
    let mut candles: Vec<Candle> = if symbol.contains('_') {
        let request = spot::ListLatestKlines::new(symbol).step(step.into()).limit(count);
        let rows = client.send(request).await?;
        let row = |row: &bitmart::rest::spot::Kline| Candle {
            time: row.timestamp,
            open: row.open,
            high: row.high,
            low: row.low,
            close: row.close,
        };
        rows.iter().map(row).collect()
    } else {
        let end = Timestamp::now();
        let span = minutes * 60_000 * i64::from(count);
        let start = Timestamp::from_millis(end.as_millis() - span);
        let rows =
            client.send(futures::ListKlines::new(symbol, start, end).step(step.into())).await?;
        let row = |row: &bitmart::rest::futures::Kline| Candle {
            time: row.timestamp,
            open: row.open,
            high: row.high,
            low: row.low,
            close: row.close,
        };
        rows.iter().map(row).collect()
    };
    candles.sort_by_key(|candle| candle.time);
    let too_many = candles.len().saturating_sub(count as usize);
    Ok(candles.split_off(too_many))
}

/// A cell of the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Blank,
    /// Between open and close of a candle that rose or stayed.
    Rose,
    /// The same of one that fell.
    Fell,
    /// Beyond open and close.
    Wick,
}

impl Mark {
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Blank => ' ',
            Self::Rose => '█',
            Self::Fell => '░',
            Self::Wick => '│',
        }
    }
}

/// Draws candles as lines of marks, the highest first; each line covers two price steps. `None` without candles, and if
/// the price range exceeds a decimal.
pub(crate) fn grid(candles: &[Candle], height: u32) -> Option<Vec<Vec<Mark>>> {
    let high = candles.iter().map(|candle| candle.high).max()?;
    let low = candles.iter().map(|candle| candle.low).min()?;
    let range = high.checked_sub(low)?;
    let steps = 2 * height.max(1);
    // The step of a price; 0 is the lowest.
    let step_of = |price: Decimal| -> Option<u32> {
        if range.is_zero() {
            return Some(steps / 2);
        }
        let at = (price - low).checked_mul(Decimal::from(steps - 1))?.checked_div(range)?.round();
        u32::try_from(at).ok()
    };
    let mut lines = vec![Vec::new(); height.max(1) as usize];
    for candle in candles {
        let body = [candle.open.min(candle.close), candle.open.max(candle.close)];
        let (bottom, top) = (step_of(body[0])?, step_of(body[1])?);
        let (foot, head) = (step_of(candle.low)?, step_of(candle.high)?);
        let rose = candle.close >= candle.open;
        for (line, marks) in lines.iter_mut().rev().enumerate() {
            let lower = 2 * u32::try_from(line).ok()?;
            let within = |from: u32, to: u32| from <= lower + 1 && lower <= to;
            marks.push(match () {
                () if within(bottom, top) && rose => Mark::Rose,
                () if within(bottom, top) => Mark::Fell,
                () if within(foot, head) => Mark::Wick,
                () => Mark::Blank,
            });
        }
    }
    Some(lines)
}

/// Draws the chart; `None` without candles.
fn draw(candles: &[Candle]) -> Option<String> {
    let lines = grid(candles, HEIGHT)?;
    let high = candles.iter().map(|candle| candle.high).max()?;
    let low = candles.iter().map(|candle| candle.low).min()?;
    let (first, last) = (candles.first()?, candles.last()?);
    let label = |line: usize| match line {
        0 => format!(" {high}"),
        line if line + 1 == HEIGHT as usize => format!(" {low}"),
        _ => String::new(),
    };
    let rows = lines.iter().enumerate().map(|(at, marks)| {
        let line: String = marks.iter().map(|mark| mark.letter()).collect();
        format!("{line}{}", label(at)).trim_end().to_owned() + "\n"
    });
    let picture: String = rows.collect();
    Some(format!("{picture}{} to {}, last {}\n", first.time, last.time, last.close))
}

#[cfg(test)]
mod tests {
    use bitmart::{Decimal, Timestamp, dec};

    use super::{Candle, HEIGHT, draw};

    fn candle(open: Decimal, high: Decimal, low: Decimal, close: Decimal) -> Candle {
        Candle { time: Timestamp::from_millis(0), open, high, low, close }
    }

    #[test]
    fn draws_bodies_and_wicks_at_their_prices() {
        let rise = candle(dec!(10), dec!(20), dec!(10), dec!(20));
        let fall = candle(dec!(20), dec!(20), dec!(10), dec!(15));
        let picture = draw(&[rise, fall]).expect("candles");
        let lines: Vec<&str> = picture.lines().collect();
        assert_eq!(lines[0], "█░ 20");
        assert_eq!(lines[HEIGHT as usize - 1], "█│ 10");
        assert_eq!(lines.len(), HEIGHT as usize + 1);
    }

    #[test]
    fn handles_constant_prices_no_candles_and_extreme_ranges() {
        let still = candle(dec!(1), dec!(1), dec!(1), dec!(1));
        assert_eq!(draw(&[still]).expect("a candle").matches('█').count(), 1);
        assert_eq!(draw(&[]), None);
        let wide = candle(dec!(0), Decimal::MAX, dec!(0), dec!(1));
        assert_eq!(draw(&[wide]), None);
    }
}
