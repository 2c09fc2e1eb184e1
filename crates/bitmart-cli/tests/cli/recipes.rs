//! The commands in the documentation work.

use std::path::Path;
use std::process::{Command, Stdio};

/// A command in a page with its documented result.
#[derive(Debug)]
struct Line<'a> {
    command: &'a str,
    exits: i32,
    prints: Option<&'a str>,
}

/// The lines of all `sh` blocks of a page.
fn lines(page: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside && !line.trim().is_empty() => lines.push(parse(line)),
            _ => {}
        }
    }
    lines
}

fn parse(line: &str) -> Line<'_> {
    let (command, remark) = line.split_once(" # ").unwrap_or((line, ""));
    Line {
        command,
        exits: remark.strip_prefix("exits ").map_or(0, |code| code.parse().expect("a code")),
        prints: remark.strip_prefix("prints "),
    }
}

fn run(home: &Path, line: &Line<'_>) {
    let binary = Path::new(env!("CARGO_BIN_EXE_bitmart"));
    let folder = binary.parent().expect("a folder").to_str().expect("a path");
    let output = Command::new("sh")
        .args(["-c", line.command])
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("PATH", format!("{folder}:/usr/bin:/bin"))
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(line.exits), "{line:?}\n{out}\n{err}");
    if let Some(part) = line.prints {
        assert!(out.contains(part), "{line:?}\n{out}\n{err}");
    }
}

/// A home folder. Its sandbox is stopped when this is dropped.
struct Home(tempfile::TempDir);

impl Drop for Home {
    fn drop(&mut self) {
        let _ = Command::new(env!("CARGO_BIN_EXE_bitmart"))
            .args(["sandbox", "down"])
            .env("HOME", self.0.path())
            .stderr(Stdio::null())
            .status();
    }
}

fn follow(page: &str, at_least: usize) {
    let home = Home(tempfile::tempdir().expect("a folder"));
    let lines = lines(page);
    assert!(lines.len() >= at_least, "only {} lines are found", lines.len());
    for line in &lines {
        run(home.0.path(), line);
    }
}

#[test]
fn the_recipes_work() {
    follow(include_str!("../../../../docs/recipes.md"), 24);
}

#[test]
fn the_first_commands_of_the_readme_work() {
    let readme = include_str!("../../../../README.md");
    let (_, section) = readme.split_once("## The program\n").expect("the section");
    let section = section.split("\n## ").next().expect("its text");
    // Without the section that installs the program.
    let (_, commands) = section.split_once("### Five commands\n").expect("the commands");
    follow(
        &format!(
            "{commands}\n```sh\nbitmart verify history # prints 0 of them\nbitmart sandbox down\n```\n"
        ),
        5,
    );
}
