//! `cargo xtask sandbox-figures`: how fast the engine, its properties, backtests and the server are. Writes its section
//! of `docs/performance.md`.

use std::fmt::Write as _;
use std::process::Command;

use crate::TaskResult;
use crate::load;
use crate::performance::{self, Section};
use crate::run::{cargo, run, run_and_capture};
use crate::stats::{factor, grouped};

/// A program whose output is part of the page.
struct Part {
    title: &'static str,
    about: &'static str,
    /// The last of the commands prints what is shown. An error is the reason to skip the part.
    commands: fn() -> Result<Vec<Command>, String>,
}

const PARTS: &[Part] = &[
    Part {
        title: "The engine alone",
        about: "\
One core, no sockets; processor time counts. `one book`: of 100 commands 15 match at once, the others place limit orders
that rest, and cancel. `all markets`: 20 pairs and 10 contracts with margin, futures and trigger orders.",
        commands: || Ok(vec![bench("engine")]),
    },
    Part {
        title: "The conservation property",
        about: "\
Random commands to a random exchange, after each of which the balances of every currency have to add up to zero.",
        commands: || Ok(vec![bench("conservation")]),
    },
    Part {
        title: "A year of minute candles",
        about: "20 pairs with a strategy that follows two moving averages on each.",
        commands: || Ok(vec![bench("year_of_candles")]),
    },
    Part {
        title: "The server",
        about: "\
The sandbox program and its load client share the two cores. The client writes bytes itself, and signs.",
        commands: || Ok(load::commands(&[])),
    },
    Part {
        title: "The console with an open page",
        about: "\
A thousand signed requests a second, in turns without the console and with it, a browser showing the traffic.",
        commands: || load::page_commands(&[]),
    },
];

pub(crate) fn figures() -> TaskResult {
    let (mut goals_text, mut text) = (String::new(), String::new());
    for (at, Part { title, about, commands }) in PARTS.iter().enumerate() {
        let printed = print(commands())?;
        if at == 0 {
            goals_text = goals(&printed)?;
        }
        let _ = write!(text, "\n### {title}\n\n{about}\n\n```text\n{}\n```\n", printed.trim_end());
    }
    let text = goals_text + &text;
    performance::write(Section::Sandbox, "The sandbox", "cargo xtask sandbox-figures", &text)
}

fn bench(name: &str) -> Command {
    let mut command = cargo();
    command.args(["bench", "--quiet", "--package", "bitmart-sim", "--bench", name]);
    command
}

/// Runs commands and returns what the last one prints, or why they are skipped: a program is not installed.
fn print(commands: Result<Vec<Command>, String>) -> Result<String, String> {
    let mut commands = match commands {
        Ok(commands) => commands,
        Err(why) => return Ok(format!("skipped: {why}")),
    };
    let Some(mut last) = commands.pop() else { return Ok(String::new()) };
    commands.iter_mut().try_for_each(run)?;
    run_and_capture(&mut last)
}

/// Commands a second of one core, by title of the table and number of open orders.
fn rate(printed: &str, title: &str, count: u64) -> Result<u64, String> {
    let mut lines = printed.lines().skip_while(|line| !line.starts_with(title)).skip(2);
    let row = lines.find_map(|line| {
        let cells: Vec<u64> = line.split_whitespace().map_while(|one| one.parse().ok()).collect();
        (cells.first() == Some(&count)).then(|| cells.get(3).copied()).flatten()
    });
    row.ok_or_else(|| format!("the bench of the engine printed no row {count} of `{title}`"))
}

/// The goals for the figures of the engine.
fn goals(printed: &str) -> Result<String, String> {
    let (book, full) = (rate(printed, "one book", 1_000)?, rate(printed, "one book", 1_000_000)?);
    let markets = rate(printed, "all markets", 1_000)?;
    let growth = book * 1_000 / full.max(1);
    let share = markets * 1_000 / book.max(1);
    let word = |is_met: bool| if is_met { "met" } else { "**missed**" };
    Ok(format!(
        "\
| engine | measured | goal | |
|---|---:|---:|---|
| commands a second, one book, 1,000 open orders | {} | 1,000,000 | {} |
| time of a command at 1,000,000 open orders, times that at 1,000 | {} | < 2 | {} |
| all markets, as a part of one book | {} | ≥ 0.33 | {} |
",
        grouped(book),
        word(book >= 1_000_000),
        factor(growth),
        word(growth < 2_000),
        factor(share),
        word(share >= 330),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
one book, with so many open orders
   count   ns wall    ns cpu  commands/s (cpu)  bytes/order  ledger
    1000       800       790           1265822          250  00ff
 1000000      1700      1600            625000          250  00ff
all markets, with so many open orders
   count   ns wall    ns cpu  commands/s (cpu)  bytes/order  ledger
    1000      3000      2900            344827          250  00ff
";

    #[test]
    fn goals_are_compared_with_the_rows_of_the_bench() {
        let text = goals(PRINTED).expect("all rows");
        assert!(text.contains("| 1,265,822 | 1,000,000 | met |"), "{text}");
        assert!(text.contains("| 2.03 | < 2 | **missed** |"), "{text}");
        assert!(text.contains("| 0.27 | ≥ 0.33 | **missed** |"), "{text}");
    }

    #[test]
    fn a_part_whose_program_is_not_installed_is_skipped() {
        let printed = print(Err("chromium is not installed".to_owned()));
        assert_eq!(printed.as_deref(), Ok("skipped: chromium is not installed"));
    }

    #[test]
    fn a_row_that_the_bench_did_not_print_is_an_error() {
        assert!(rate(PRINTED, "one book", 10).is_err());
        assert!(rate(PRINTED, "two books", 1_000).is_err());
        assert!(goals("").is_err());
    }
}
