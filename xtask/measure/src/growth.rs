//! Costs of one unit at a given size.

mod export;
mod levels;
mod limiter;
mod topics;
mod tracker;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bitmart_testkit::bench::thread_processor_time;
use serde_json::json;

use crate::Failure;

pub(crate) use tracker::Tracked;

/// What one unit costs.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Nanoseconds.
    pub(crate) time: u128,
    /// Bytes. Each subject states of what.
    pub(crate) memory: u128,
}

pub(crate) fn run(subject: &str, size: usize, program: Option<&str>) -> Result<(), Failure> {
    let Cost { time, memory } = match subject {
        "topics" => topics::measure(size)?,
        "levels" => levels::measure(size),
        "limiter" => limiter::measure(size)?,
        "tracker" => tracker::measure(size)?,
        "export" => export::measure(size, program.ok_or("export needs the program")?)?,
        _ => return Err(format!("no such subject: {subject}").into()),
    };
    println!("{}", json!({ "time": time, "memory": memory }));
    Ok(())
}

/// The processor time of one step in nanoseconds. It is measured five times, each until enough time was used; the
/// smallest figure counts, because other programs only add to it.
fn each(mut step: impl FnMut()) -> u128 {
    const TIME: Duration = Duration::from_millis(40);
    let mut figures = Vec::new();
    for _ in 0..5 {
        let (begin, mut count) = (used(), 0);
        while used() - begin < TIME.as_nanos() {
            for _ in 0..64 {
                step();
            }
            count += 64;
        }
        figures.push((used() - begin) / count);
    }
    figures.into_iter().min().unwrap_or_default()
}

/// Nanoseconds of processor time that this thread has used. Where the system does not tell, the time that has passed:
/// a constant would never end a measurement.
fn used() -> u128 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    thread_processor_time().unwrap_or_else(|_| START.elapsed().as_nanos())
}

/// An allocated number of bytes divided by a number of units.
fn bytes(allocated: i64, units: usize) -> u128 {
    u128::from(allocated.unsigned_abs()) / u128::try_from(units.max(1)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_runs_at_a_small_size() {
        for subject in ["topics", "levels", "limiter", "tracker"] {
            run(subject, 10, None).unwrap_or_else(|error| panic!("{subject}: {error}"));
        }
        assert!(run("nothing", 10, None).is_err());
    }
}
