//! `cargo xtask openapi [--check]` writes docs/openapi.json from crates/bitmart-rest/api and fixtures.
//! `cargo xtask asyncapi [--check]` writes docs/asyncapi.json from crates/bitmart-ws/api and fixtures.
//! `cargo xtask postman [--check]` writes docs/postman from the same sources as docs/openapi.json.

mod asyncapi;
mod channels;
mod description;
mod openapi;
mod postman;
mod schema;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use similar::TextDiff;

/// Addresses of the sandbox, if started as its README says.
const SANDBOX_SPOT: &str = "http://127.0.0.1:8801";
const SANDBOX_FUTURES: &str = "http://127.0.0.1:8802";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let result = match words.as_slice() {
        [] => Err(USAGE.to_owned()),
        [name, rest @ ..] => documents(&root, name).and_then(|documents| match rest {
            [] => write(&root, documents),
            ["--check"] => check(&root, name, documents),
            _ => Err(USAGE.to_owned()),
        }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "usage: cargo xtask openapi|asyncapi|postman [--check]";

/// Paths below the root and texts of the files that a command writes.
fn documents(root: &Path, name: &str) -> Result<Vec<(String, String)>, String> {
    let crates = root.join("crates");
    match name {
        "openapi" => {
            let document = openapi::render(&crates.join("bitmart-rest"))?;
            Ok(vec![("docs/openapi.json".to_owned(), text(&document)?)])
        }
        "asyncapi" => {
            let document = asyncapi::render(&crates.join("bitmart-ws"))?;
            Ok(vec![("docs/asyncapi.json".to_owned(), text(&document)?)])
        }
        "postman" => postman::render(&crates.join("bitmart-rest"))?
            .into_iter()
            .map(|(file, document)| Ok((format!("docs/postman/{file}"), text(&document)?)))
            .collect(),
        _ => Err(USAGE.to_owned()),
    }
}

fn text(document: &impl Serialize) -> Result<String, String> {
    let text = serde_json::to_string_pretty(document).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

fn current(root: &Path, file: &str) -> String {
    std::fs::read_to_string(root.join(file)).unwrap_or_default()
}

fn write(root: &Path, documents: Vec<(String, String)>) -> Result<(), String> {
    for (file, text) in documents {
        if current(root, &file) == text {
            println!("{file} is current");
            continue;
        }
        let path = root.join(&file);
        let folder = path.parent().unwrap_or(root);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("{file}: {error}"))?;
        println!("wrote {file}");
    }
    Ok(())
}

fn check(root: &Path, name: &str, documents: Vec<(String, String)>) -> Result<(), String> {
    let mut stale = Vec::new();
    for (file, text) in documents {
        let current = current(root, &file);
        if current == text {
            println!("{file} is current");
            continue;
        }
        let diff = TextDiff::from_lines(current.as_str(), text.as_str());
        print!("{}", diff.unified_diff().header(&file, "rendered"));
        stale.push(format!("{file} is stale: run `cargo xtask {name}`"));
    }
    if stale.is_empty() { Ok(()) } else { Err(stale.join("\n")) }
}
