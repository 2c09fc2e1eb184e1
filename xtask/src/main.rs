//! Project tasks. `cargo xtask` without arguments lists them, see [`command`].

mod api;
mod bounds;
mod budget;
mod build_time;
mod codegen;
mod command;
mod conformance;
mod console;
mod contract;
mod deny;
mod dist;
mod fleet;
mod fleet_page;
mod foreign;
mod fuzz;
mod growth;
mod install;
mod lint;
mod load;
mod long;
mod machine;
mod package;
mod parquet;
mod peers;
mod perf;
mod performance;
mod plot;
mod report;
mod run;
mod sandbox_page;
mod script;
mod soak;
mod specs;
mod stats;
mod step;
mod test;

use std::process::ExitCode;

/// The result of a task. The text of an error is printed as it is, an empty one not at all.
type TaskResult = Result<(), String>;

fn main() -> ExitCode {
    if api::is_rustdoc() {
        return api::run_rustdoc();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match command::run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            if !text.is_empty() {
                eprintln!("{text}");
            }
            ExitCode::FAILURE
        }
    }
}
