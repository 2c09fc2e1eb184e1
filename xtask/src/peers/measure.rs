//! Rounds of measurements in turns.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{Process, Replay};
use super::programs::{Program, Setting};
use crate::stats::{self, Spread};

/// How much is measured.
pub(super) struct Plan {
    pub(super) name: &'static str,
    pub(super) rounds: usize,
    /// Requests of ours in a round, one at a time.
    requests: usize,
    /// Requests of ours in a round, 64 at a time.
    burst: usize,
    /// Frames of ours in a round.
    frames: usize,
}

impl Plan {
    pub(super) const FULL: Self =
        Self { name: "", rounds: 9, requests: 300, burst: 1_920, frames: 20_000 };
    pub(super) const QUICK: Self =
        Self { name: " --quick", rounds: 3, requests: 100, burst: 640, frames: 4_000 };
}

/// A measure of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Order,
    OrderTls,
    Burst,
    BurstTls,
    Ticker,
    Frames,
}

impl Measure {
    pub(super) const ALL: [Self; 6] =
        [Self::Order, Self::OrderTls, Self::Burst, Self::BurstTls, Self::Ticker, Self::Frames];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::OrderTls => "order-tls",
            Self::Burst => "orders-64",
            Self::BurstTls => "orders-64-tls",
            Self::Ticker => "ticker",
            Self::Frames => "frames",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Order => "Order round trip, plain HTTP, one at a time",
            Self::OrderTls => "Order round trip, TLS, one at a time",
            Self::Burst => "Orders, plain HTTP, 64 in flight",
            Self::BurstTls => "Orders, TLS, 64 in flight",
            Self::Ticker => "Ticker read, plain HTTP, one at a time",
            Self::Frames => "WebSocket frames of depth50, socket to user",
        }
    }

    /// Whether the figure of a round is the median of its operations; otherwise all of its time is divided by their
    /// number.
    pub(super) fn is_latency(self) -> bool {
        matches!(self, Self::Order | Self::OrderTls | Self::Ticker)
    }

    /// Whether orders have to be canceled afterwards, so that every program meets the same book.
    fn places_orders(self) -> bool {
        !matches!(self, Self::Ticker | Self::Frames)
    }

    /// Whether a program can be measured so: not all have a WebSocket client.
    pub(super) fn is_supported_by(self, program: &Program) -> bool {
        self != Self::Frames || program.streams
    }

    fn count(self, plan: &Plan, program: &Program) -> usize {
        let (total, minimum) = match self {
            Self::Order | Self::OrderTls | Self::Ticker => (plan.requests, 30),
            Self::Burst | Self::BurstTls => (plan.burst, 128),
            Self::Frames => (plan.frames, 1_000),
        };
        (total * program.share / 100).max(minimum)
    }

    fn command(self, count: usize, replay: &Replay) -> String {
        match self {
            Self::Order => format!("orders plain 1 {count}"),
            Self::OrderTls => format!("orders tls 1 {count}"),
            Self::Burst => format!("orders plain 64 {count}"),
            Self::BurstTls => format!("orders tls 64 {count}"),
            Self::Ticker => format!("tickers {count}"),
            Self::Frames => format!("frames {}{count} {count}", replay.url()),
        }
    }
}

/// What a program needed for one operation, in nanoseconds, in each round.
#[derive(Default)]
pub(super) struct Sample {
    pub(super) time: Vec<u64>,
    pub(super) processor: Vec<u64>,
}

/// The samples of a measure, in the order of the programs; empty for those that do not do it.
pub(super) struct Results {
    pub(super) measure: Measure,
    pub(super) samples: Vec<Sample>,
}

/// Lets the programs do everything in turns. Each round begins with another program.
pub(super) fn in_turns(
    plan: &Plan,
    programs: &[Program],
    running: &mut [Process],
    replay: &Replay,
) -> Result<Vec<Results>, String> {
    let mut all = Vec::new();
    for measure in Measure::ALL {
        let mut samples: Vec<Sample> = programs.iter().map(|_| Sample::default()).collect();
        // The first round opens connections and warms caches up; it does not count.
        for round in 0..=plan.rounds {
            for turn in 0..programs.len() {
                let index = (turn + round) % programs.len();
                let (program, process) = (&programs[index], &mut running[index]);
                if !measure.is_supported_by(program) {
                    continue;
                }
                let count = measure.count(plan, program);
                let before = process.processor();
                let response = process.send(&measure.command(count, replay))?;
                let processor = process.processor().saturating_sub(before) / count as u64;
                if round > 0 {
                    samples[index].time.push(nanos_per_operation(measure, &response, count)?);
                    samples[index].processor.push(processor);
                }
                if measure.places_orders() {
                    running[0].send("clean")?;
                }
            }
        }
        let ours = stats::spread(&samples[0].time).median;
        println!("{}: ours {}", measure.title(), stats::time(ours));
        all.push(Results { measure, samples });
    }
    Ok(all)
}

fn nanos_per_operation(measure: Measure, response: &Value, count: usize) -> Result<u64, String> {
    let missing = || format!("no times in {response}");
    if measure.is_latency() {
        let each = response.get("each").and_then(Value::as_array).ok_or_else(missing)?;
        let each: Vec<u64> = each.iter().filter_map(Value::as_u64).collect();
        if each.len() != count {
            return Err(format!("{count} operations were wanted, {} were timed", each.len()));
        }
        return Ok(stats::spread(&each).median);
    }
    let elapsed = response.get("elapsed").and_then(Value::as_u64).ok_or_else(missing)?;
    Ok(elapsed / count as u64)
}

/// A program from its start to its first order.
pub(super) struct Startup {
    /// Nanoseconds until the order is accepted.
    pub(super) start: Spread,
    /// Resident memory then, in KiB.
    pub(super) memory: Spread,
}

/// Starts each program again, in turns, and lets it place one order.
pub(super) fn startup(
    plan: &Plan,
    programs: &[Program],
    setting: &Setting,
) -> Result<Vec<Startup>, String> {
    let mut samples: Vec<(Vec<u64>, Vec<u64>)> = programs.iter().map(|_| <_>::default()).collect();
    for _ in 0..plan.rounds {
        for (program, (times, memory)) in programs.iter().zip(&mut samples) {
            let begin = Instant::now();
            let mut process = Process::start(program, setting)?;
            process.send("order")?;
            times.push(nanos(begin.elapsed()));
            memory.push(process.memory());
        }
    }
    let to_startup = |(times, memory): &(Vec<u64>, Vec<u64>)| Startup {
        start: stats::spread(times),
        memory: stats::spread(memory),
    };
    Ok(samples.iter().map(to_startup).collect())
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_latency_is_the_median_of_the_round_and_a_burst_is_its_time_by_the_number() {
        let response = json!({ "elapsed": 3_000, "each": [10, 20, 900] });
        assert_eq!(nanos_per_operation(Measure::Order, &response, 3), Ok(20));
        assert_eq!(nanos_per_operation(Measure::Burst, &response, 3), Ok(1_000));
    }

    #[test]
    fn operations_that_were_not_timed_are_an_error() {
        let response = json!({ "elapsed": 3_000, "each": [10, 20] });
        assert!(nanos_per_operation(Measure::Order, &response, 3).is_err());
        assert!(nanos_per_operation(Measure::Frames, &json!({}), 3).is_err());
    }
}
