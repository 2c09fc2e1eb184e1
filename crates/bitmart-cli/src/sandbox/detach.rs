//! `sandbox up --detach`: runs the exchange in the background.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::sleep;

use super::admin;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Format};
use crate::ready_file::ReadyFile;
use crate::secure_fs;

/// Interval of checks whether it is ready.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Runs the same command without `--detach` in a process group of its own, and waits until it is ready or
/// has ended.
pub(super) async fn run(context: &Context, ready: &Path) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::io(format!("the sandbox does not start: {error}"));
    let log = ready.with_file_name("log");
    let file = secure_fs::create_dir(log.parent().unwrap_or(Path::new("")))
        .and_then(|()| File::create(&log))
        .map_err(failed)?;
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command
        .args(std::env::args_os().skip(1).filter(|argument| argument != "--detach"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file);
    // It has a key of its own. The environment of a process stays readable while it runs.
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
            return Err(Failure::new(Exit::Io, why));
        }
        match admin::running().await {
            Some(ready) => break ready,
            None => sleep(POLL_INTERVAL).await,
        }
    };
    announce(context, &running, ready)
}

fn announce(context: &Context, running: &ReadyFile, file: &Path) -> Result<(), Failure> {
    for (name, address) in running.addresses() {
        eprintln!("{name:<9}{address}");
    }
    eprintln!("commands without keys now use this sandbox; bitmart sandbox down stops it");
    if context.format() == Format::Table {
        return Ok(());
    }
    let line = std::fs::read_to_string(file)
        .map_err(|error| Failure::io(format!("{}: {error}", file.display())))?;
    output::write(format!("{line}\n").as_bytes())
}
