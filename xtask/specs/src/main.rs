//! `cargo xtask openapi [--check]`: docs/openapi.json from crates/bitmart-rest/api and fixtures.
//! `cargo xtask asyncapi [--check]`: docs/asyncapi.json from crates/bitmart-ws/api and fixtures.

mod asyncapi;
mod channels;
mod description;
mod openapi;
mod schema;

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use similar::TextDiff;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let crates = root.join("crates");
    let result = match words.as_slice() {
        ["openapi", rest @ ..] => openapi::render(&crates.join("bitmart-rest"))
            .and_then(|document| run(&root, "openapi", &document, rest)),
        ["asyncapi", rest @ ..] => asyncapi::render(&crates.join("bitmart-ws"))
            .and_then(|document| run(&root, "asyncapi", &document, rest)),
        _ => Err("usage: cargo xtask openapi|asyncapi [--check]".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

/// Writes `docs/NAME.json`, or compares it.
fn run(
    root: &std::path::Path,
    name: &str,
    document: &impl Serialize,
    arguments: &[&str],
) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        ["--check"] => true,
        _ => return Err(format!("usage: cargo xtask {name} [--check]")),
    };
    let file = format!("docs/{name}.json");
    let mut text = serde_json::to_string_pretty(document).map_err(|error| error.to_string())?;
    text.push('\n');
    let path = root.join(&file);
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    if current == text {
        println!("{file} is current");
        return Ok(());
    }
    if check {
        let diff = TextDiff::from_lines(current.as_str(), text.as_str());
        print!("{}", diff.unified_diff().header(&file, "rendered"));
        return Err(format!("{file} is stale: run `cargo xtask {name}`"));
    }
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("wrote {file}");
    Ok(())
}
