//! What one unit of a subject costs when there are many: one topic of many, one level of a book of many, and so on.
//! Each subject is a module that says what its unit is.

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
    /// Nanoseconds for one unit of work.
    pub(crate) time: u128,
    /// Bytes, of what the module of the subject states.
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

/// Returns the processor time of one step in nanoseconds. It is measured five times, and the smallest figure counts,
/// because other programs only add to it.
fn time_of_step(mut step: impl FnMut()) -> u128 {
    const TIME: Duration = Duration::from_millis(40);
    /// Steps between two readings of the time, so that a reading, which is a system call, adds little to a step.
    const STEPS: u128 = 64;
    let mut figures = Vec::new();
    for _ in 0..5 {
        let (begin, mut count) = (processor_time(), 0);
        while processor_time() - begin < TIME.as_nanos() {
            for _ in 0..STEPS {
                step();
            }
            count += STEPS;
        }
        figures.push((processor_time() - begin) / count);
    }
    figures.into_iter().min().unwrap_or_default()
}

/// Returns the processor time that this thread has used, in nanoseconds. Where the system does not provide it, returns
/// the time since the first call, since with a constant no measurement would end.
fn processor_time() -> u128 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    thread_processor_time().unwrap_or_else(|_| START.elapsed().as_nanos())
}

/// Returns the bytes of one unit. If more memory was released than allocated, a unit needs none.
fn bytes_of_unit(allocated: i64, units: usize) -> u128 {
    u128::try_from(allocated).unwrap_or(0) / u128::try_from(units.max(1)).unwrap_or(1)
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
