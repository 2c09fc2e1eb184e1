//! Benchmarks that compare alternatives with a baseline in one process.
//!
//! Absolute times differ between machines and over time, so results are ratios to a baseline that runs
//! interleaved with the candidates. Each candidate runs in short batches, in turns, and the median batch
//! counts. Batches are much shorter than a time slice of the operating system, so that even on a busy
//! machine most of them are not interrupted.
//!
//! ```no_run
//! use std::hint::black_box;
//!
//! use bitmart_testkit::bench::Comparison;
//!
//! // Without `black_box` the compiler computes the results of constants, and nothing is measured.
//! let report = Comparison::new("parse", "u32", || black_box("12345").parse::<u32>())
//!     .candidate("u128", || black_box("12345").parse::<u128>())
//!     .run();
//! // At most five times as long.
//! assert!(report.ratio_percent("u128") < 500);
//! ```
//!
//! In a bench with `harness = false`, `cargo bench` measures; `cargo test --benches` runs each
//! candidate once to check that it works.

use std::{
    env, fmt, fs,
    hint::black_box,
    io,
    time::{Duration, Instant},
};

/// Minimum duration of one batch; [`batch_size`] takes the first power of two that reaches it.
const BATCH_TIME: Duration = Duration::from_micros(300);

/// Default of [`Comparison::rounds`].
const ROUNDS: usize = 1000;

/// A comparison ends early after this time, but not before [`MIN_ROUNDS`] rounds.
const TIME_BUDGET: Duration = Duration::from_secs(4);

/// Rounds that run even if they take longer than [`TIME_BUDGET`], unless [`Comparison::rounds`] allows fewer.
const MIN_ROUNDS: usize = 21;

/// Runs a candidate a number of times and returns the elapsed time.
type Candidate<'a> = Box<dyn FnMut(u64) -> Duration + 'a>;

/// A baseline and the candidates to compare with it.
pub struct Comparison<'a> {
    title: String,
    /// The baseline, then the candidates, with their names.
    candidates: Vec<(String, Candidate<'a>)>,
    /// Maximum number of rounds. In a round every candidate runs one batch.
    rounds: usize,
    test_mode: bool,
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
    /// Creates a comparison against `baseline`. Cargo's arguments decide whether it measures or only
    /// runs each candidate once.
    pub fn new<T>(
        title: impl Into<String>,
        baseline: impl Into<String>,
        run: impl FnMut() -> T + 'a,
    ) -> Self {
        Self {
            title: title.into(),
            candidates: Vec::new(),
            rounds: ROUNDS,
            test_mode: !is_measuring(),
        }
        .candidate(baseline, run)
    }

    /// Adds a candidate. Its return value is protected from being optimized away.
    #[must_use]
    pub fn candidate<T>(
        mut self,
        name: impl Into<String>,
        mut run: impl FnMut() -> T + 'a,
    ) -> Self {
        let candidate = move |times| {
            let start = Instant::now();
            for _ in 0..times {
                black_box(run());
            }
            start.elapsed()
        };
        self.candidates.push((name.into(), Box::new(candidate)));
        self
    }

    /// Sets the maximum number of rounds; 1000 without this call. More of them steady the median of a
    /// candidate whose times vary, but a comparison ends after about four seconds.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds.max(1);
        self
    }

    /// Runs everything and prints a table of medians and ratios.
    pub fn run(self) -> Report {
        let test_mode = self.test_mode;
        let report = self.measure();
        if test_mode {
            // A single run is no measurement.
            println!("{}: all {} candidates work", report.title, report.medians.len());
        } else {
            println!("{report}");
        }
        report
    }

    fn measure(mut self) -> Report {
        let rounds = if self.test_mode { 1 } else { self.rounds };
        let batches: Vec<u64> = self
            .candidates
            .iter_mut()
            .map(|(_, candidate)| if self.test_mode { 1 } else { batch_size(candidate) })
            .collect();

        let empty_sample = || Vec::with_capacity(rounds);
        let mut samples: Vec<_> = self.candidates.iter().map(|_| empty_sample()).collect();
        let start = Instant::now();
        for round in 0..rounds {
            if round >= MIN_ROUNDS && start.elapsed() > TIME_BUDGET {
                break;
            }
            for ((sample, (_, candidate)), &batch) in
                samples.iter_mut().zip(&mut self.candidates).zip(&batches)
            {
                // Picoseconds of one run.
                sample.push(candidate(batch).as_nanos() * 1000 / u128::from(batch));
            }
        }
        let medians = samples.iter_mut().map(|sample| median(sample));
        let names = self.candidates.into_iter().map(|(name, _)| name);
        Report { title: self.title, medians: names.zip(medians).collect() }
    }
}

/// Medians of a comparison; the first is the baseline.
#[derive(Clone, Debug)]
pub struct Report {
    title: String,
    /// Name, and median in picoseconds.
    medians: Vec<(String, u128)>,
}

impl Report {
    /// Returns the median of `name` in percent of the baseline: 130 is 1.3 times as long.
    ///
    /// # Panics
    /// There is no such candidate: a misspelled name must not pass for a fast one.
    pub fn ratio_percent(&self, name: &str) -> u128 {
        let Some((_, picos)) = self.medians.iter().find(|(other, _)| other == name) else {
            let names: Vec<_> = self.medians.iter().map(|(name, _)| name).collect();
            panic!("{:?} compares {names:?}, not {name:?}", self.title);
        };
        picos * 100 / self.baseline_picos()
    }

    /// At least 1, because it is a divisor.
    fn baseline_picos(&self) -> u128 {
        self.medians.first().map_or(1, |(_, picos)| *picos).max(1)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        for (name, picos) in &self.medians {
            let ratio = picos * 100 / self.baseline_picos();
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

/// Returns whether this is a bench that measures, under `cargo bench`, and not one that only has to
/// work, under `cargo test --benches`.
pub fn is_measuring() -> bool {
    asks_to_measure(env::args())
}

/// `cargo bench` passes `--bench`, `cargo test --benches` does not.
fn asks_to_measure(arguments: impl Iterator<Item = String>) -> bool {
    let arguments: Vec<String> = arguments.collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    has("--bench") && !has("--test")
}

/// Doubles the batch until it takes long enough to time, which also warms the candidate up. The best
/// of three runs counts, so that an interrupted batch does not seem long enough.
fn batch_size(candidate: &mut Candidate<'_>) -> u64 {
    let mut batch = 1;
    while (0..3).map(|_| candidate(batch)).min() < Some(BATCH_TIME) {
        batch *= 2;
    }
    batch
}

/// Sorts a sample and returns its median; 0 if it is empty.
pub fn median(sample: &mut [u128]) -> u128 {
    sample.sort_unstable();
    sample.get(sample.len() / 2).copied().unwrap_or_default()
}

/// Returns the processor time of this thread in nanoseconds. Linux only.
///
/// # Errors
/// The system is not Linux.
pub fn thread_processor_time() -> io::Result<u128> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let used = text.split_whitespace().next().unwrap_or_default();
    used.parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
