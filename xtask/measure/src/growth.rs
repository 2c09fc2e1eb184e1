//! How the cost of one thing grows with the number of such things: of a topic among many topics, of a level in a large
//! order book, and so on. Each is a subject of `cargo xtask growth` and has a module, which says what is measured.

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

/// The cost at one number of things.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Nanoseconds for one step, such as an update of a book or a request.
    pub(crate) time: u128,
    /// Bytes of one of the things; of an export, of the whole program.
    pub(crate) memory: u128,
}

/// Measures a subject with `size` things and prints its cost as JSON. `program` is the path of `bitmart`, which the
/// export needs.
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
/// because other programs only add to it. A 64th of a reading of the clock is in it.
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

/// Returns the bytes of one of `count` things. If more memory was released than allocated, it needs none.
fn bytes_of_each(allocated: i64, count: usize) -> u128 {
    u128::try_from(allocated).unwrap_or(0) / u128::try_from(count.max(1)).unwrap_or(1)
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
