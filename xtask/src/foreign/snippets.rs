//! The snippets of `docs/coming-from.md` in Python, JavaScript, PHP, Java and shell. Runs those in Python and
//! JavaScript with BitMart's SDKs if these can be installed, and only parses the others. A test of the crate
//! `bitmart` runs those in Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{TIMEOUT, missing, script};
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
            // Stops after parsing: BitMart's Java SDK is not installed, so its classes cannot be resolved.
            parse("java", "javac", &["-XDshould-stop.ifNoError=PARSE"], wrap_in_class)
        }),
        Part::run("snippet-sh", || parse("sh", "bash", &["-n"], str::to_owned)),
    ]
}

/// Runs the only snippet in a language against a sandbox.
fn run_with(language: &str, command: impl Fn(&Path) -> Command) -> Outcome {
    match write_snippets(language, str::to_owned).as_deref() {
        Ok([file]) => run_script(&format!("snippet-{language}"), &[], TIMEOUT, &mut command(file)),
        Ok(files) => Outcome::Fail(format!(
            "expected exactly one {language} snippet in {PAGE}, found {}",
            files.len()
        )),
        Err(error) => Outcome::Fail(error.clone()),
    }
}

/// Parses all snippets in a language with `program`, without running them.
fn parse(
    language: &str,
    program: &str,
    options: &[&str],
    wrap: impl Fn(&str) -> String,
) -> Outcome {
    if let Some(why) = missing(&[program]) {
        return Outcome::Skip(why);
    }
    let parse_file =
        |file: &PathBuf| -> TaskResult { run(Command::new(program).args(options).arg(file)) };
    write_snippets(language, wrap).and_then(|files| files.iter().try_for_each(parse_file)).into()
}

/// Writes each snippet in a language to its own file. Fails if there is none.
fn write_snippets(language: &str, wrap: impl Fn(&str) -> String) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| {
        format!("cannot extract the {language} snippets of {PAGE}: {error}")
    };
    let page = fs::read_to_string(workspace_root().join(PAGE)).map_err(failed)?;
    let folder = scratch()?;
    let mut files = Vec::new();
    for (index, snippet) in code_blocks(&page, language).into_iter().enumerate() {
        let file = folder.join(format!("Snippet{index}.{language}"));
        fs::write(&file, wrap(snippet)).map_err(failed)?;
        files.push(file);
    }
    if files.is_empty() {
        Err(format!("expected a {language} snippet in {PAGE}, found none"))
    } else {
        Ok(files)
    }
}

/// Returns the content of the fenced code blocks in a language.
fn code_blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    page.split(&*fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// Makes a Java file of a snippet: its imports, then the rest as the body of a method.
fn wrap_in_class(snippet: &str) -> String {
    let is_import = |line: &&str| line.starts_with("import ");
    let imports: Vec<&str> = snippet.lines().filter(is_import).collect();
    let rest: Vec<&str> = snippet.lines().filter(|line| !is_import(line)).collect();
    format!("{}\nclass Snippet {{ void run() {{\n{}\n}} }}\n", imports.join("\n"), rest.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_code_blocks_by_language() {
        let page = "a\n\n```js\nlet a\n```\n\n```json\n{}\n```\n\n```js\nlet b\n```\n";
        assert_eq!(code_blocks(page, "js"), ["let a\n", "let b\n"]);
        assert_eq!(code_blocks(page, "python"), [""; 0]);
    }

    #[test]
    fn places_imports_outside_of_the_class() {
        let file = wrap_in_class("import a.B;\n// …\nB b = new B();\n");
        assert_eq!(file, "import a.B;\nclass Snippet { void run() {\n// …\nB b = new B();\n} }\n");
    }
}
