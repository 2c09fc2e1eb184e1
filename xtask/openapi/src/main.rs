//! `cargo xtask openapi [--check]`: docs/openapi.json from crates/bitmart-rest/api and fixtures.

mod description;
mod document;
mod schema;

use std::path::PathBuf;
use std::process::ExitCode;

use similar::TextDiff;

const FILE: &str = "docs/openapi.json";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [] => run(false),
        ["--check"] => run(true),
        _ => Err("usage: cargo xtask openapi [--check]".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn run(check: bool) -> Result<(), String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = document::render(&root.join("crates/bitmart-rest"))?;
    let mut text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    text.push('\n');
    let path = root.join(FILE);
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    if current == text {
        println!("{FILE} is current");
        return Ok(());
    }
    if check {
        let diff = TextDiff::from_lines(current.as_str(), text.as_str());
        print!("{}", diff.unified_diff().header(FILE, "rendered"));
        return Err(format!("{FILE} is stale: run `cargo xtask openapi`"));
    }
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("wrote {FILE}");
    Ok(())
}
