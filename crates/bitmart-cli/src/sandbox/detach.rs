//! `sandbox up --detach`: the exchange in the background.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::sleep;

use super::{admin, ready::Ready};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Format};
use crate::private;

/// How soon to look again whether it is ready.
const AGAIN: Duration = Duration::from_millis(20);

/// Runs the same command again without `--detach`, apart from this terminal, and waits until it
/// answers or has ended.
pub(super) async fn run(context: &Context, ready: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::machine(format!("it does not start: {error}"));
    let log = ready.with_file_name("log");
    let file = private::folder(log.parent().unwrap_or(Path::new("")))
        .and_then(|()| File::create(&log))
        .map_err(failed)?;
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command
        .args(std::env::args_os().skip(1).filter(|word| word != "--detach"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file);
    // It has a key of its own; what is in its environment can be read for as long as it runs.
    for secret in ["BITMART_API_KEY", "BITMART_API_SECRET", "BITMART_API_MEMO"] {
        command.env_remove(secret);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(failed)?;
    let running = loop {
        if child.try_wait().map_err(failed)?.is_some() {
            let why = std::fs::read_to_string(&log).unwrap_or_default();
            let why = why.trim().trim_start_matches("error: ").to_owned();
            return Err(Failure::new(Exit::Machine, why));
        }
        match admin::running().await {
            Some(ready) => break ready,
            None => sleep(AGAIN).await,
        }
    };
    announce(context, &running, ready)
}

fn announce(context: &Context, running: &Ready, file: &Path) -> Result<(), Failure> {
    for (name, address) in running.addresses() {
        eprintln!("{name:<9}{address}");
    }
    eprintln!("commands without keys now use this sandbox; bitmart sandbox down stops it");
    if context.format == Format::Table {
        return Ok(());
    }
    let line = std::fs::read_to_string(file)
        .map_err(|error| Failure::machine(format!("{}: {error}", file.display())))?;
    output::write(format!("{line}\n").as_bytes())
}
