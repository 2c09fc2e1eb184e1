//! Checks the sandbox against the published descriptions of the API: with requests generated from
//! docs/openapi.json, and with the Postman collection.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::install;
use crate::run::workspace_root;
use crate::script::{build_sandbox, run_script};
use crate::step::{Outcome, Part};

/// Timeout of a script, long enough for a busy machine.
const LIMIT: Duration = Duration::from_secs(300);
const SCHEMATHESIS: &str = "xtask/tools/schemathesis";
const NEWMAN: &str = "xtask/tools/newman";

/// Schemathesis generates requests from docs/openapi.json; responses must match it.
pub(crate) fn schemathesis() -> Vec<Part> {
    let programs = install::python(SCHEMATHESIS);
    let built = build_sandbox();
    let run = |host: &str| match &programs {
        Ok(programs) => {
            if let Err(text) = &built {
                return Outcome::Fail(text.clone());
            }
            let mut command = Command::new(programs.join("python"));
            command.arg(workspace_root().join(SCHEMATHESIS).join("run.py")).arg(host);
            run_script(&format!("schemathesis-{host}"), &["--no-limits"], LIMIT, &mut command)
        }
        Err(why) => Outcome::Skip(why.clone()),
    };
    // Both at once: each has a sandbox of its own and is idle most of the time.
    thread::scope(|scope| {
        let futures = scope.spawn(|| Part::run("futures", || run("futures")));
        let spot = Part::run("spot", || run("spot"));
        let panicked = |_| Part::run("futures", || Outcome::Fail("its thread panicked".to_owned()));
        vec![spot, futures.join().unwrap_or_else(panicked)]
    })
}

/// Newman runs the collection of docs/postman.
pub(crate) fn postman() -> Vec<Part> {
    let modules = install::node(NEWMAN);
    vec![Part::run("newman", || match modules {
        Ok(modules) => {
            if let Err(text) = build_sandbox() {
                return Outcome::Fail(text);
            }
            let mut command = Command::new("node");
            command.arg(workspace_root().join(NEWMAN).join("run.js")).env("NODE_PATH", modules);
            run_script("newman", &["--no-limits"], LIMIT, &mut command)
        }
        Err(why) => Outcome::Skip(why),
    })]
}
