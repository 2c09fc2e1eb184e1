//! `cargo xtask bounds`: how close the hot paths are to what is possible. Runs the benches that compare with a lower
//! bound, measures builds and the program, and writes its section of `docs/performance.md`.

mod builds;
mod goals;

use std::fmt::Write as _;

use crate::TaskResult;
use crate::performance::{self, Section};
use crate::run::{cargo, run_and_capture};
use crate::stats::{factor, grouped, spread};
use goals::{BENCHES, Bench, GOALS, Goal, Limit};

const METHOD: &str = "\
Each bench runs the SDK and its bound in turns, in one process and on the same data, and prints the ratio of the
medians. A figure is the median of the runs, with the lowest and the highest in brackets.
";

const REASONS: &str = "\
What the missed goals pay for. Instructions are counted by callgrind for one call, in user space; it knows no SHA
instructions, so that hashing counts for more there than it takes.
";

/// The longest line of an item, in characters.
const LINE: usize = 118;

/// A figure of the table.
struct Row {
    work: String,
    bound: String,
    unit: &'static str,
    /// In thousandths.
    figures: Vec<u64>,
    limit: Limit,
    /// The work that explains the difference, if it is known.
    why: &'static str,
}

impl Row {
    fn median(&self) -> u64 {
        spread(&self.figures).median
    }

    fn is_met(&self) -> bool {
        match self.limit {
            Limit::AtMost(most) => self.median() <= most,
            Limit::AtLeast(least) => self.median() >= least,
        }
    }
}

/// `--quick` leaves the builds out.
pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    let (quick, shown) = match arguments {
        [] => (false, "cargo xtask bounds"),
        ["--quick"] => (true, "cargo xtask bounds --quick"),
        _ => return Err("usage: cargo xtask bounds [--quick]".to_owned()),
    };
    let mut figures = vec![Vec::new(); GOALS.len()];
    for bench in BENCHES {
        for _ in 0..bench.runs {
            let printed = run_and_capture(&mut command(bench))?;
            for (goal, figures) in GOALS.iter().zip(&mut figures) {
                if goal.bench == *bench {
                    figures.push(figure(&printed, goal)?);
                }
            }
        }
    }
    let mut rows: Vec<Row> =
        GOALS.iter().zip(figures).map(|(goal, figures)| row(goal, figures)).collect();
    if !quick {
        rows.extend(builds::measure()?);
    }
    performance::write(
        Section::Bounds,
        "Close to the limit",
        shown,
        &(METHOD.to_owned() + &table(&rows) + &reasons(&rows)),
    )
}

fn command(bench: &Bench) -> std::process::Command {
    let mut command = cargo();
    command.args(["bench", "--quiet", "--package", bench.package, "--bench", bench.name, "--"]);
    command.args(bench.arguments);
    command
}

/// The figure of a goal in the output of its bench. If there is none, its subject is gone, which is an error.
fn figure(printed: &str, goal: &Goal) -> Result<u64, String> {
    printed
        .lines()
        .skip_while(|line| !line.starts_with(goal.title))
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .filter(|line| {
            let rest = line.trim_start().strip_prefix(goal.row);
            rest.is_some_and(|rest| goal.row.is_empty() || rest.starts_with(' '))
        })
        .find_map(|line| number_before(line, goal.unit))
        .ok_or_else(|| format!("bench {} printed no figure for {}", goal.bench.name, goal.work))
}

/// The number that stands before the word `unit`, in thousandths.
fn number_before(line: &str, unit: &str) -> Option<u64> {
    let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_end_matches(',')).collect();
    let at = words.iter().position(|word| *word == unit)?;
    thousandths(words.get(at.checked_sub(1)?)?)
}

/// `1.25` as 1250.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u64>().ok()? * 1_000 + fraction.parse::<u64>().ok()?)
}

fn row(goal: &Goal, figures: Vec<u64>) -> Row {
    let Goal { work, bound, unit, limit, why, .. } = *goal;
    Row { work: work.to_owned(), bound: bound.to_owned(), unit, figures, limit, why }
}

fn table(rows: &[Row]) -> String {
    let mut text =
        "\n| work | compared with | measured | goal | |\n|---|---|---:|---:|---|\n".to_owned();
    for row in rows {
        let Row { work, bound, unit, figures, limit, .. } = row;
        let median = row.median();
        let (lowest, highest) = (figures.iter().min(), figures.iter().max());
        let measured = match (lowest, highest) {
            (Some(lowest), Some(highest)) if lowest < highest => {
                let (lowest, highest) = (amount(*lowest, ""), amount(*highest, ""));
                format!("{} ({lowest}–{highest})", amount(median, unit))
            }
            _ => amount(median, unit),
        };
        let goal = match *limit {
            Limit::AtMost(most) => format!("≤ {}", amount(most, unit)),
            Limit::AtLeast(least) => format!("≥ {}", amount(least, unit)),
        };
        let met = if row.is_met() { "met" } else { "**missed**" };
        let _ = writeln!(text, "| {work} | {bound} | {measured} | {goal} | {met} |");
    }
    text
}

/// Why goals were missed.
fn reasons(rows: &[Row]) -> String {
    let missed = rows.iter().filter(|row| !row.is_met() && !row.why.is_empty());
    let items: String = missed.map(|row| item(&row.work, row.why)).collect();
    if items.is_empty() { items } else { format!("\n{REASONS}\n{items}") }
}

/// An item of a list, broken into lines.
fn item(work: &str, why: &str) -> String {
    let (mut text, mut width) = ("-".to_owned(), 1);
    for word in format!("**{work}**: {why}").split(' ') {
        let length = word.chars().count() + 1;
        if width + length > LINE {
            text += "\n ";
            width = 1;
        }
        text = text + " " + word;
        width += length;
    }
    text + "\n"
}

/// Thousandths with their unit: ratios and small numbers with two digits, large ones without any.
fn amount(thousandths: u64, unit: &str) -> String {
    let number = if thousandths < 100_000 {
        factor(thousandths)
    } else {
        grouped((thousandths + 500) / 1_000)
    };
    match unit {
        "" | "x" => number,
        unit => format!("{number} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::run::workspace_root;

    const PRINTED: &str = "\
depth50: 5 bytes, 4 compressed; goal 1.20 x
  libdeflate, by hand                     4000.0 ns      1.00 x
  bitmart-ws, with blanks                 5200.0 ns      1.30 x
  bitmart-ws                              4840.0 ns      1.21 x
  3.05 times faster than the simple implementation
book of 50 levels a side, socket to user over TLS; 0 frames lagged
  elapsed    plain loop  15000 ns a frame, client  15600 ns: 1.04 x, 64000 frames/s
20 idle TLS connections
  memory     27 KiB a connection with one topic
             1590 bytes a further topic
";

    fn find(work: &str) -> Result<u64, String> {
        figure(PRINTED, GOALS.iter().find(|goal| goal.work == work).expect("a goal"))
    }

    #[test]
    fn a_figure_is_found_by_title_row_and_unit() {
        assert_eq!(find("decode a frame of depth50"), Ok(1_210));
        assert_eq!(find("depth50 with blanks"), Ok(1_300));
        assert_eq!(find("socket to user: time"), Ok(1_040));
        assert_eq!(find("memory of an idle TLS connection with a topic"), Ok(27_000));
        assert_eq!(find("memory of a further topic"), Ok(1_590_000));
    }

    #[test]
    fn a_figure_that_a_bench_no_longer_prints_is_an_error() {
        assert_eq!(
            find("decode a ticker"),
            Err("bench decode printed no figure for decode a ticker".to_owned())
        );
        assert!(find("depth50 with an unknown member").is_err());
    }

    #[test]
    fn the_table_tells_what_was_missed() {
        let one = |figures, limit| Row {
            work: "work".to_owned(),
            bound: "bound".to_owned(),
            unit: "x",
            figures,
            limit,
            why: "It pays for this.",
        };
        let rows = [
            one(vec![1_100, 1_300, 1_200], Limit::AtMost(1_150)),
            one(vec![900], Limit::AtLeast(880)),
        ];
        let text = table(&rows);
        assert!(
            text.contains("| work | bound | 1.20 (1.10–1.30) | ≤ 1.15 | **missed** |"),
            "{text}"
        );
        assert!(text.contains("| work | bound | 0.90 | ≥ 0.88 | met |"), "{text}");
        assert!(
            reasons(&rows).ends_with("\n\n- **work**: It pays for this.\n"),
            "{}",
            reasons(&rows)
        );
        assert_eq!(reasons(&rows).matches("work").count(), 1);
        assert_eq!(reasons(&rows[1..]), "");
    }

    /// This command's section of the page.
    fn section() -> String {
        let page = std::fs::read_to_string(workspace_root().join("docs/performance.md"));
        let page = page.expect("the page");
        let section = page.split("<!-- end of bounds -->").next();
        section.expect("a section").to_owned()
    }

    #[test]
    fn the_page_tells_the_reasons_of_today() {
        let page = section();
        for Goal { work, why, .. } in GOALS {
            let row = page.lines().find(|line| line.starts_with(&format!("| {work} |")));
            if row.is_some_and(|row| row.contains("missed")) && !why.is_empty() {
                assert!(page.contains(&item(work, why)), "{work}");
            }
        }
    }

    #[test]
    fn every_missed_goal_on_the_page_has_a_reason() {
        let page = section();
        let missed = page.lines().filter(|line| line.ends_with("| **missed** |"));
        let works: Vec<&str> = missed.filter_map(|line| line.split(" | ").next()).collect();
        assert!(page.contains("| work | compared with |"), "the page has no table");
        for work in works {
            let item = format!("- **{}**: ", work.trim_start_matches("| "));
            assert!(page.contains(&item), "no reason: {item}");
        }
    }

    #[test]
    fn amounts_have_the_digits_that_matter() {
        assert_eq!(amount(1_254, "x"), "1.25");
        assert_eq!(amount(27_000, "KiB"), "27.00 KiB");
        assert_eq!(amount(1_590_000, "bytes"), "1,590 bytes");
    }

    #[test]
    fn every_bench_exists_and_has_a_goal() {
        for bench in BENCHES {
            let folder = workspace_root().join("crates").join(bench.package).join("benches");
            let exists =
                |end: &str| Path::new(&folder).join(format!("{}{end}", bench.name)).exists();
            assert!(exists(".rs") || exists("/main.rs"), "{bench:?}");
            assert!(GOALS.iter().any(|goal| goal.bench == *bench), "{bench:?}");
        }
        let works: BTreeSet<_> = GOALS.iter().map(|goal| goal.work).collect();
        assert_eq!(works.len(), GOALS.len());
    }
}
