//! The snippets of docs/coming-from.md: runs them if their SDK can be installed, and parses them otherwise. A test of
//! the crate `bitmart` runs those in Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{LIMIT, missing, script};
use crate::TaskResult;
use crate::run::{run, workspace_root};
use crate::script::{run_script, scratch};
use crate::step::{Outcome, Part};

const PAGE: &str = "docs/coming-from.md";

pub(super) fn parts(
    python: Result<&PathBuf, &String>,
    modules: Result<&PathBuf, &String>,
) -> Vec<Part> {
    vec![
        Part::run("snippet-python", || match python {
            Ok(python) => run_with("python", |file| {
                let mut command = Command::new(python);
                command.arg(script("snippet.py")).arg(file);
                command
            }),
            Err(why) => Outcome::Skip(why.clone()),
        }),
        Part::run("snippet-js", || match modules {
            Ok(modules) => run_with("js", |file| {
                let mut command = Command::new("node");
                command.arg(script("snippet.js")).arg(file).env("NODE_PATH", modules);
                command
            }),
            Err(why) => Outcome::Skip(why.clone()),
        }),
        Part::run("snippet-php", || parse("php", "php", &["-l"], |text| format!("<?php\n{text}"))),
        Part::run("snippet-java", || {
            // Nothing is looked up: BitMart's SDK is not here.
            parse("java", "javac", &["-XDshould-stop.ifNoError=PARSE"], in_a_class)
        }),
        Part::run("snippet-sh", || parse("sh", "bash", &["-n"], str::to_owned)),
    ]
}

/// Runs the only snippet in a language against a sandbox.
fn run_with(language: &str, command: impl Fn(&Path) -> Command) -> Outcome {
    match files(language, str::to_owned).as_deref() {
        Ok([file]) => run_script(&format!("snippet-{language}"), &[], LIMIT, &mut command(file)),
        Ok(files) => Outcome::Fail(format!("{} snippets in {language}, not one", files.len())),
        Err(error) => Outcome::Fail(error.clone()),
    }
}

/// Lets a tool of a language read all its snippets, without running them.
fn parse(
    language: &str,
    program: &str,
    options: &[&str],
    wrap: impl Fn(&str) -> String,
) -> Outcome {
    if let Some(why) = missing(&[program]) {
        return Outcome::Skip(why);
    }
    let read =
        |file: &PathBuf| -> TaskResult { run(Command::new(program).args(options).arg(file)) };
    files(language, wrap).and_then(|files| files.iter().try_for_each(read)).into()
}

/// The snippets in a language, each in a file of its own. There must be some.
fn files(language: &str, wrap: impl Fn(&str) -> String) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("the snippets in {language}: {error}");
    let page = fs::read_to_string(workspace_root().join(PAGE)).map_err(failed)?;
    let folder = scratch()?;
    let mut files = Vec::new();
    for (at, block) in blocks(&page, language).into_iter().enumerate() {
        let file = folder.join(format!("Snippet{at}.{language}"));
        fs::write(&file, wrap(block)).map_err(failed)?;
        files.push(file);
    }
    if files.is_empty() { Err(format!("{PAGE} has nothing in {language}")) } else { Ok(files) }
}

/// The fenced code blocks in a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    page.split(&*fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// A snippet of Java as a file: its imports, then the rest as the body of a method.
fn in_a_class(text: &str) -> String {
    let is_import = |line: &&str| line.starts_with("import ");
    let imports: Vec<&str> = text.lines().filter(is_import).collect();
    let rest: Vec<&str> = text.lines().filter(|line| !is_import(line)).collect();
    format!("{}\nclass Snippet {{ void run() {{\n{}\n}} }}\n", imports.join("\n"), rest.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_by_their_language() {
        let page = "a\n\n```js\nlet a\n```\n\n```json\n{}\n```\n\n```js\nlet b\n```\n";
        assert_eq!(blocks(page, "js"), ["let a\n", "let b\n"]);
        assert_eq!(blocks(page, "python"), [""; 0]);
    }

    #[test]
    fn imports_stay_outside_of_the_class() {
        let file = in_a_class("import a.B;\n// …\nB b = new B();\n");
        assert_eq!(file, "import a.B;\nclass Snippet { void run() {\n// …\nB b = new B();\n} }\n");
    }
}
