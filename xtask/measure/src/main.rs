//! What `cargo xtask growth` and `cargo xtask perf` run: one measurement in one process, so that none sees the caches
//! and freed memory of another.
//!
//! - `measure growth SUBJECT SIZE [PROGRAM]` prints a line of JSON with the cost of each unit.
//! - `measure hot` lists the hot paths, `measure hot PATH COUNT` runs one of them so many times.

mod book;
mod canned;
mod growth;
mod hot;
mod random;

use std::process::ExitCode;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Failure> {
    match words {
        ["growth", subject, size] => growth::run(subject, size.parse()?, None),
        ["growth", subject, size, program] => growth::run(subject, size.parse()?, Some(program)),
        ["hot"] => {
            hot::names().for_each(|name| println!("{name}"));
            Ok(())
        }
        ["hot", path, count] => hot::run(path, count.parse()?),
        _ => Err("usage: measure growth SUBJECT SIZE [PROGRAM] | hot [PATH COUNT]".into()),
    }
}
