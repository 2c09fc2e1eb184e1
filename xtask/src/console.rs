//! Uses the console of `bitmart sandbox up` in a browser, while another program trades.

use std::process::Command;

use crate::foreign::SCRIPTS;
use crate::install;
use crate::report::TOOL;
use crate::run::{run, workspace_root};
use crate::script::{build_programs, program};
use crate::step::{Outcome, Part};

pub(crate) fn parts() -> Vec<Part> {
    vec![Part::run("browser", browser)]
}

fn browser() -> Outcome {
    let Some(browser) = install::browser() else {
        return Outcome::Skip("chromium is not installed".to_owned());
    };
    // The same tools as for reports, so that they are installed once.
    let modules = match install::node(TOOL) {
        Ok(modules) => modules,
        Err(why) => return Outcome::Skip(why),
    };
    if !install::has("curl") {
        return Outcome::Skip("curl is not installed".to_owned());
    }
    // The bot of docs/console.md uses BitMart's SDK.
    let python = match install::python(SCRIPTS) {
        Ok(programs) => programs.join("python"),
        Err(why) => return Outcome::Skip(why),
    };
    let script = workspace_root().join("xtask/tools/console/check.js");
    let pictures = workspace_root().join("target/console-pages");
    build_programs(&["bitmart"])
        .and_then(|()| {
            run(Command::new("node")
                .arg(script)
                .arg(browser)
                .arg(program("bitmart"))
                .arg(pictures)
                .arg(python)
                .env("NODE_PATH", modules))
        })
        .into()
}
