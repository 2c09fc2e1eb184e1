//! Tables and plots of the comparison.

use std::fmt::Write as _;

use super::Skipped;
use super::measure::{Measure, Plan, Results, Sample, Startup};
use super::programs::{BARE, Program};
use crate::TaskResult;
use crate::performance::{self, Section};
use crate::plot::{self, Bar};
use crate::stats::{Spread, factor, grouped, paired, spread, time};

const METHOD: &str = "\
All programs run at the same time and work in turns, each round beginning with another one; a first round does not
count. Each does the same: it signs an order with the time of that moment, sends it to the sandbox program on the same
machine and decodes the response, or reads a ticker. The order is a limit order that rests; all are canceled before the
next turn. Before anything is timed, all have to decode the same values from the same ticker and the same frames.
Programs in Rust decode into decimals and run in one thread, the exchange's SDKs decode into texts. The sandbox takes
most of an order's round trip, so that times are closer to each other than the clients are: the processor time is the
client's own. Frames are recorded from the sandbox and sent by a server that does nothing else. All trust the
authorities of the machine and the sandbox's root; a program that makes a client for each request reads them each time,
even for plain HTTP.

The figure of a round is the median of its operations, or with 64 in flight and for frames its time divided by their
number. Times are medians of the rounds, with the quartiles in brackets. Ratios are medians of the ratios round by
round, *times ours*: 2.00 takes twice as long as ours.
";

/// How the programs share the processors.
const PINNED: &str = "\
While they are measured, clients run on one processor and servers on another. That costs programs with several threads
time: the exchange's SDKs for Node and Go use more than one processor where they may.
";
const NOT_PINNED: &str = "\
Programs could not be kept on processors of their own: whether client and server happened to share one changes times by
more than the clients differ.
";

pub(super) fn write(
    plan: &Plan,
    is_pinned: bool,
    programs: &[Program],
    skipped: &[Skipped],
    results: &[Results],
    fresh: &[Startup],
    peaks: &[u64],
) -> TaskResult {
    let placed = if is_pinned { PINNED } else { NOT_PINNED };
    let mut text = format!(
        "{} rounds. {METHOD}\n{placed}\n| program | what it is |\n|---|---|\n",
        plan.rounds
    );
    for program in programs {
        let _ = writeln!(text, "| {} | {} |", program.name, program.about);
    }
    for Skipped { name, why } in skipped {
        let _ = writeln!(text, "| {name} | skipped: {why} |");
    }
    text.push_str(&summary(programs, results));
    text.push_str(&goals(programs, results));
    for results in results {
        text.push_str(&table(programs, results)?);
    }
    text.push_str(&start(programs, fresh, peaks)?);
    let command = format!("cargo xtask peers{}", plan.name);
    performance::write(Section::Peers, "Compared with others", &command, &text)
}

/// The programs that do what is measured, with their samples; ours first.
fn taking_part<'a>(
    programs: &'a [Program],
    results: &'a Results,
) -> impl Iterator<Item = (&'a Program, &'a Sample)> {
    let fits = |(program, _): &(&Program, &Sample)| results.measure.is_supported_by(program);
    programs.iter().zip(&results.samples).filter(fits)
}

/// Times ours, of the whole operation.
fn ratio(sample: &Sample, results: &Results) -> Spread {
    spread(&paired(&sample.time, &results.samples[0].time))
}

/// All ratios in one table.
fn summary(programs: &[Program], results: &[Results]) -> String {
    let mut text = "\n### Times ours, in short\n\n| | ".to_owned();
    let names: Vec<&str> = programs.iter().skip(1).map(|program| program.name).collect();
    let _ = writeln!(text, "{} |\n|---|{}", names.join(" | "), "---:|".repeat(names.len()));
    for results in results {
        let _ = write!(text, "| {} |", results.measure.title());
        for (program, sample) in programs.iter().zip(&results.samples).skip(1) {
            if results.measure.is_supported_by(program) {
                let _ = write!(text, " {} |", factor(ratio(sample, results).median));
            } else {
                text.push_str(" – |");
            }
        }
        text.push('\n');
    }
    text
}

/// The goals: the time of this SDK divided by that of the bare libraries, in thousandths, measured end to end.
const GOALS: [(Measure, Of, u64); 5] = [
    (Measure::OrderTls, Of::Time, 1_100),
    (Measure::OrderTls, Of::Processor, 1_180),
    // 0.88 of the requests a second.
    (Measure::Burst, Of::Time, 1_136),
    (Measure::BurstTls, Of::Time, 1_136),
    (Measure::Frames, Of::Processor, 1_080),
];

#[derive(Clone, Copy)]
enum Of {
    Time,
    Processor,
}

/// What the client does beyond the bare libraries.
const REASON: &str = "\
The program on bare hyper does not validate, limit, time out, retry, reconnect or report, and its orders have no client
order id: that is what the difference pays for.
";

fn goals(programs: &[Program], results: &[Results]) -> String {
    let Some(bare) = programs.iter().position(|program| program.name == BARE) else {
        return String::new();
    };
    let mut text =
        "\n### Goals\n\n| times bare hyper | ours | goal | |\n|---|---:|---:|---|\n".to_owned();
    for (measure, of, most) in GOALS {
        let Some(results) = results.iter().find(|results| results.measure == measure) else {
            continue;
        };
        let (ours, bare) = (&results.samples[0], &results.samples[bare]);
        let (what, ratio) = match of {
            Of::Time => ("time", paired(&ours.time, &bare.time)),
            Of::Processor => ("processor time", paired(&ours.processor, &bare.processor)),
        };
        let ratio = spread(&ratio);
        let word = if ratio.median <= most { "met" } else { "**missed**" };
        let _ = writeln!(
            text,
            "| {}: {what} | {} | {} | {word} |",
            measure.title(),
            with_quartiles(ratio, factor),
            factor(most)
        );
    }
    text + "\n" + REASON
}

fn table(programs: &[Program], results: &Results) -> Result<String, String> {
    let Results { measure, samples } = results;
    let each_second = if measure.is_latency() { "" } else { " a second |" };
    let mut text = format!(
        "\n### {}\n\n| program | time |{each_second} times ours | processor time | times ours |\n|---|---:|",
        measure.title()
    );
    text.push_str(if measure.is_latency() {
        "---:|---:|---:|\n"
    } else {
        "---:|---:|---:|---:|\n"
    });
    let mut plotted = Vec::new();
    for (program, sample) in taking_part(programs, results) {
        let (taken, used) = (spread(&sample.time), spread(&sample.processor));
        let (ratio, of_used) =
            (ratio(sample, results), spread(&paired(&sample.processor, &samples[0].processor)));
        let _ = write!(text, "| {} | {} |", program.name, with_quartiles(taken, time));
        if !measure.is_latency() {
            let _ = write!(text, " {} |", grouped(1_000_000_000 / taken.median.max(1)));
        }
        let _ = writeln!(
            text,
            " {} | {} | {} |",
            with_quartiles(ratio, factor),
            time(used.median),
            factor(of_used.median)
        );
        let label = format!("{} × ({})", factor(ratio.median), time(taken.median));
        plotted.push(Bar { name: program.name.to_owned(), value: ratio, text: label });
    }
    let title = format!("{}: times ours", measure.title());
    let svg = plot::bars(&title, &plotted);
    text.push('\n');
    Ok(text + &performance::plot(measure.id(), &title, &svg)?)
}

fn with_quartiles(spread: Spread, shown: fn(u64) -> String) -> String {
    format!("{} ({}–{})", shown(spread.median), shown(spread.low), shown(spread.high))
}

fn start(programs: &[Program], fresh: &[Startup], peaks: &[u64]) -> Result<String, String> {
    let mut text = "\n### Start and memory\n\n\
        From the start of the process to its first accepted order, the resident memory then, and the most that it had\n\
        in the whole run, with 64 connections or threads to each of two sandboxes. Ours has a queue for 16,384\n\
        books, so that no frame is dropped while they arrive as fast as they can; the others have none and read when\n\
        they can.\n\n\
        | program | first order after | memory then | most memory |\n|---|---:|---:|---:|\n"
        .to_owned();
    let (mut starts, mut memory) = (Vec::new(), Vec::new());
    for ((program, fresh), peak) in programs.iter().zip(fresh).zip(peaks) {
        let name = program.name.to_owned();
        let (then, most) = (mebibytes(fresh.memory.median), mebibytes(*peak));
        let _ =
            writeln!(text, "| {name} | {} | {then} | {most} |", with_quartiles(fresh.start, time));
        starts.push(Bar { name: name.clone(), value: fresh.start, text: time(fresh.start.median) });
        memory.push(Bar { name, value: fresh.memory, text: then });
    }
    text.push('\n');
    for (id, title, bars) in [
        ("start", "From the start of the process to its first order", starts),
        ("memory", "Resident memory after the first order", memory),
    ] {
        text.push_str(&performance::plot(id, title, &plot::bars(title, &bars))?);
    }
    Ok(text)
}

/// KiB as `12.3 MiB`.
fn mebibytes(kib: u64) -> String {
    let tenths = kib * 10 / 1_024;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
