//! Opens the pages of `bitmart report` in a browser and checks their accessibility with axe-core.

use std::fs;
use std::process::Command;

use crate::install;
use crate::run::{cargo_workspace, run, workspace_root};
use crate::step::{Outcome, Part};

pub(crate) const TOOL: &str = "xtask/tools/report";

pub(crate) fn parts() -> Vec<Part> {
    vec![Part::run("browser", browser)]
}

fn browser() -> Outcome {
    let Some(browser) = install::browser() else {
        return Outcome::Skip("chromium is not installed".to_owned());
    };
    let modules = match install::node(TOOL) {
        Ok(modules) => modules,
        Err(why) => return Outcome::Skip(why),
    };
    let folder = workspace_root().join("target/report-pages");
    // `bitmart report` never overwrites a file.
    if let Err(error) = fs::remove_dir_all(&folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Outcome::Fail(format!("{}: {error}", folder.display()));
    }
    if let Err(error) = fs::create_dir_all(&folder) {
        return Outcome::Fail(format!("{}: {error}", folder.display()));
    }
    let written = run(cargo_workspace("test")
        .args(["--test", "cli", "report::"])
        .env("BITMART_REPORT_PAGES", &folder));
    written
        .and_then(|()| {
            run(Command::new("node")
                .arg(workspace_root().join(TOOL).join("check.js"))
                .arg(browser)
                .arg(&folder)
                .env("NODE_PATH", modules))
        })
        .into()
}
