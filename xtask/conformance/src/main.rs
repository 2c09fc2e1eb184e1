//! `cargo xtask conformance DIR... [--known-only]`.

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask conformance DIR... [--known-only]";

fn main() -> ExitCode {
    let mut known_only = false;
    let mut folders = Vec::new();
    for argument in std::env::args_os().skip(1) {
        match argument.to_str() {
            Some("--known-only") => known_only = true,
            Some(flag) if flag.starts_with("--") => {
                eprintln!("{USAGE}");
                return ExitCode::FAILURE;
            }
            _ => folders.push(PathBuf::from(argument)),
        }
    }
    if folders.is_empty() {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    }
    match conformance::check(&folders, known_only) {
        Ok(report) => {
            print!("{report}");
            if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
