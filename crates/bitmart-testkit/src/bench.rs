//! Compares ways to do one thing, side by side in one process.
//!
//! Absolute times differ from machine to machine and from minute to minute, so a claim is a ratio
//! to a baseline that ran interleaved with it. Each way runs in short batches, in turns, and the median
//! batch counts. The batches are much shorter than a time slice of the operating system, so that on a
//! busy machine most of them are not interrupted.
//!
//! ```no_run
//! use bitmart_testkit::bench::Comparison;
//!
//! let text = "0.00012345";
//! let report = Comparison::new("parse", "u64", || 12_345_u64.wrapping_mul(3))
//!     .candidate("str", || text.len())
//!     .run();
//! assert!(report.ratio_percent("str") < 100_000);
//! ```
//!
//! In a bench with `harness = false`, `cargo bench` measures; `cargo test --benches` runs each way
//! once to see that it works.

use std::{
    env, fmt,
    hint::black_box,
    time::{Duration, Instant},
};

/// How long one batch of a way should take.
const BATCH: Duration = Duration::from_micros(300);

/// How often each way gets its turn, unless [`Comparison::rounds`] says otherwise.
const ROUNDS: usize = 1000;

/// After this time a comparison ends early, once each way had [`MIN_ROUNDS`] turns.
const BUDGET: Duration = Duration::from_secs(4);

/// Fewest turns that make a median.
const MIN_ROUNDS: usize = 21;

/// Runs a way so many times and says how long that took.
type Way<'a> = Box<dyn FnMut(u64) -> Duration + 'a>;

/// A baseline and the ways to compare with it.
pub struct Comparison<'a> {
    title: String,
    ways: Vec<(String, Way<'a>)>,
    rounds: usize,
    quick: bool,
}

impl fmt::Debug for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comparison")
            .field("title", &self.title)
            .field("rounds", &self.rounds)
            .finish_non_exhaustive()
    }
}

impl<'a> Comparison<'a> {
    /// A comparison against the way `baseline`. Whether it measures or only tries each way once
    /// follows from the arguments that cargo passes.
    pub fn new<T>(
        title: impl Into<String>,
        baseline: impl Into<String>,
        run: impl FnMut() -> T + 'a,
    ) -> Self {
        Self { title: title.into(), ways: Vec::new(), rounds: ROUNDS, quick: quick(env::args()) }
            .candidate(baseline, run)
    }

    /// Adds a way. What it returns is kept from being optimized away.
    #[must_use]
    pub fn candidate<T>(
        mut self,
        name: impl Into<String>,
        mut run: impl FnMut() -> T + 'a,
    ) -> Self {
        let way = move |times| {
            let start = Instant::now();
            for _ in 0..times {
                black_box(run());
            }
            start.elapsed()
        };
        self.ways.push((name.into(), Box::new(way)));
        self
    }

    /// Sets how often each way gets its turn at most: more for noisy ways.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds.max(1);
        self
    }

    /// Runs everything and prints a table of medians and ratios.
    pub fn run(self) -> Report {
        let quick = self.quick;
        let report = self.measure();
        if quick {
            // One run says nothing about time.
            println!("{}: each of {} ways works", report.title, report.medians.len());
        } else {
            println!("{report}");
        }
        report
    }

    fn measure(mut self) -> Report {
        let rounds = if self.quick { 1 } else { self.rounds };
        let batches: Vec<u64> = self
            .ways
            .iter_mut()
            .map(|(_, way)| if self.quick { 1 } else { batch_size(way) })
            .collect();

        let mut samples = vec![Vec::with_capacity(rounds); self.ways.len()];
        let start = Instant::now();
        for round in 0..rounds {
            if round >= MIN_ROUNDS && start.elapsed() > BUDGET {
                break;
            }
            for ((sample, (_, way)), &batch) in samples.iter_mut().zip(&mut self.ways).zip(&batches)
            {
                sample.push(way(batch).as_nanos() * 1000 / u128::from(batch));
            }
        }
        let medians = samples.iter_mut().map(|sample| median(sample));
        let names = self.ways.into_iter().map(|(name, _)| name);
        Report { title: self.title, medians: names.zip(medians).collect() }
    }
}

/// Medians of a comparison; the first is the baseline.
#[derive(Clone, Debug)]
pub struct Report {
    title: String,
    /// Name and picoseconds.
    medians: Vec<(String, u128)>,
}

impl Report {
    /// The median of `name` in percent of the baseline's: 130 is 1.3 times as long. Zero if there
    /// is no such way.
    pub fn ratio_percent(&self, name: &str) -> u128 {
        let median = self.medians.iter().find(|(other, _)| other == name);
        median.map_or(0, |(_, picos)| picos * 100 / self.baseline())
    }

    fn baseline(&self) -> u128 {
        self.medians.first().map_or(1, |(_, picos)| *picos).max(1)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        for (name, picos) in &self.medians {
            let ratio = picos * 100 / self.baseline();
            write!(
                f,
                "\n  {name:<32} {:>12}.{} ns  {:>5}.{:02} x",
                picos / 1000,
                picos % 1000 / 100,
                ratio / 100,
                ratio % 100,
            )?;
        }
        Ok(())
    }
}

/// `cargo bench` passes `--bench`, `cargo test --benches` does not.
fn quick(arguments: impl Iterator<Item = String>) -> bool {
    let arguments: Vec<String> = arguments.collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    has("--test") || !has("--bench")
}

/// Doubles the batch until it takes long enough to time; that also warms the way up. The best of
/// three counts, so that an interruption does not pass for a long batch.
fn batch_size(way: &mut Way<'_>) -> u64 {
    let mut batch = 1;
    while (0..3).map(|_| way(batch)).min() < Some(BATCH) {
        batch *= 2;
    }
    batch
}

fn median(sample: &mut [u128]) -> u128 {
    sample.sort_unstable();
    sample.get(sample.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
